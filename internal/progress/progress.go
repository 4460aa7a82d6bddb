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
//
// Works may alternate, as when an import is followed by the tables: the one that is
// under way keeps the line, and another takes it when that is done or silent. Nothing
// but the end of a work that took its time begins a new line.
type Bar struct {
	w     io.Writer
	now   func() time.Time
	mu    sync.Mutex
	works map[string]*work
	what  string // on the line
	drawn time.Time
	open  bool
}

// work is one kind of work, by its name.
type work struct {
	start, heard time.Time
	done, total  int64
}

func (w *work) ended() bool { return w.total > 0 && w.done >= w.total }

const (
	// redraw is how often the line changes at the most.
	redraw = 100 * time.Millisecond
	// silence is how long a work that is under way keeps the line without a word.
	silence = 3 * time.Second
)

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
	w := b.works[what]
	if w == nil || w.total != total || done < w.done {
		w = &work{start: now}
		if b.works == nil {
			b.works = map[string]*work{}
		}
		b.works[what] = w
	}
	w.heard, w.done, w.total = now, done, total
	on := b.works[b.what]
	if b.what != what && on != nil && !on.ended() && now.Sub(on.heard) < silence {
		return // the line is taken
	}
	atOnce := w.ended() && b.what == what || on != nil && on.ended() && !w.ended()
	if !atOnce && !b.drawn.IsZero() && now.Sub(b.drawn) < redraw {
		return
	}
	b.what, b.drawn, b.open = what, now, true
	b.draw(what, w, now)
	if w.ended() && now.Sub(w.start) > time.Second {
		b.end()
	}
}

func (b *Bar) draw(what string, w *work, now time.Time) {
	fmt.Fprintf(b.w, "\r\x1b[K%s: %d", what, w.done)
	if w.total > 0 {
		fmt.Fprintf(b.w, " of %d (%d %%)", w.total, w.done*100/w.total)
	}
	took := now.Sub(w.start)
	if took <= time.Second || w.done <= 0 {
		return
	}
	rate := float64(w.done) / took.Seconds()
	fmt.Fprintf(b.w, ", %.0f/s", rate)
	if w.total > w.done {
		fmt.Fprintf(b.w, ", %s left", time.Duration(float64(w.total-w.done)/rate*float64(time.Second)).Round(time.Second))
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
	b.works, b.what, b.drawn = nil, "", time.Time{}
}

func (b *Bar) end() {
	if b.open {
		fmt.Fprintln(b.w)
	}
	b.open = false
}
