// SPDX-License-Identifier: Apache-2.0

// Package progress draws how far long work is, on a terminal. In a pipe or a file it
// is silent.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Bar is one line that is drawn again and again. The zero Bar is silent. It is safe
// for concurrent use.
type Bar struct {
	w     io.Writer
	now   func() time.Time
	mu    sync.Mutex
	what  string
	start time.Time
	drawn time.Time
	open  bool
}

// redraw is how often the line changes at the most.
const redraw = 100 * time.Millisecond

// On returns a bar on f if f is a terminal, and a silent one if not.
func On(f *os.File) *Bar {
	if !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return &Bar{}
	}
	return New(f, time.Now)
}

// New returns a bar that draws on w whatever it is.
func New(w io.Writer, now func() time.Time) *Bar { return &Bar{w: w, now: now} }

// Update shows that done of total steps of the work are done. A total below 1 is not known.
func (b *Bar) Update(what string, done, total int64) {
	if b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if what != b.what {
		b.end()
		b.what, b.start, b.drawn = what, now, time.Time{}
	}
	if now.Sub(b.drawn) < redraw && done < total {
		return
	}
	b.drawn, b.open = now, true
	fmt.Fprintf(b.w, "\r\x1b[K%s: %d", what, done)
	if total > 0 {
		fmt.Fprintf(b.w, " of %d (%d %%)", total, done*100/total)
	}
	if took := now.Sub(b.start); took > time.Second && done > 0 {
		rate := float64(done) / took.Seconds()
		fmt.Fprintf(b.w, ", %.0f/s", rate)
		if total > done {
			fmt.Fprintf(b.w, ", %s left", time.Duration(float64(total-done)/rate*float64(time.Second)).Round(time.Second))
		}
	}
	if total > 0 && done >= total {
		b.end()
	}
}

// Step is Update with a fixed name, in the form that long work takes.
func (b *Bar) Step(what string) func(done, total int64) {
	return func(done, total int64) { b.Update(what, done, total) }
}

// Done ends the line.
func (b *Bar) Done() {
	if b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
}

func (b *Bar) end() {
	if b.open {
		fmt.Fprintln(b.w)
	}
	b.open = false
}
