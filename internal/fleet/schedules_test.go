// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/local"
	"truceline/internal/outbox"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// weather is what befalls a mission: lines that lose requests and answers, nodes that reach
// only some others, that stop and start, and that die in the middle of what they do.
type weather struct {
	t    *testing.T
	f    *fleet.Fleet
	r    *rand.Rand
	loss float64
	part map[string]int // nodes of different parts do not reach each other
	die  float64        // how likely a request is the last before one of its two nodes dies

	// dying is the node of which only the folder in image will be left. Nothing that it
	// says from then on is heard.
	dying, image string
	roots        map[string]string // of what a witness has cosigned, by its name and the size
	deaths       int
}

func newWeather(t *testing.T, f *fleet.Fleet, r *rand.Rand) *weather {
	w := &weather{t: t, f: f, r: r, loss: r.Float64() * 0.4, die: r.Float64() * 0.02, part: map[string]int{}, roots: map[string]string{}}
	f.Net.Lose = w.lose
	return w
}

func (w *weather) lose(from, to string, r *http.Request) (arrives, answers bool) {
	w.note(r)
	if w.part[from] != w.part[to] {
		return false, false
	}
	if w.dying == from || w.dying == to {
		return false, false
	}
	arrives, answers = w.r.Float64() >= w.loss, w.r.Float64() >= w.loss
	if w.dying == "" && w.r.Float64() < w.die {
		if w.dying = from; w.r.IntN(2) == 0 && w.f.Nodes[to] != nil {
			w.dying = to
		}
		w.image = w.f.Path("image")
		w.snapshot(w.dying)
		return arrives && w.dying == from, false
	}
	return arrives, answers
}

// snapshot copies what would be left of a node if its power failed now. Its tables are
// thrown away: they are computed again.
func (w *weather) snapshot(code string) {
	if err := os.RemoveAll(w.image); err != nil {
		w.t.Fatal(err)
	}
	from := w.f.Path(code)
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(from, path)
		switch {
		case errors.Is(err, fs.ErrNotExist), strings.HasPrefix(d.Name(), local.ProjectionFile), strings.HasPrefix(d.Name(), ".") && name != ".":
			return nil
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(filepath.Join(w.image, name), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(w.image, name), b, 0o600)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// bury puts what is left in the place of a node that died.
func (w *weather) bury() {
	if w.dying == "" {
		return
	}
	w.f.Stop(w.dying)
	if err := errors.Join(os.RemoveAll(w.f.Path(w.dying)), os.Rename(w.image, w.f.Path(w.dying))); err != nil {
		w.t.Fatal(err)
	}
	w.f.Start(w.dying)
	w.dying = ""
	w.deaths++
}

// note wants that no witness has cosigned two roots of one size, of all that is handed in.
func (w *weather) note(r *http.Request) {
	if r.URL.Path != "/peer/cosignatures" {
		return
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	w.noteHead(b)
}

func (w *weather) noteHead(signed []byte) {
	text, lines, _ := strings.Cut(string(signed), "\n\n")
	head := strings.Split(text, "\n")
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) != 3 || !strings.Contains(words[1], "/witness/") {
			continue
		}
		key := words[1] + " " + head[1]
		if had, ok := w.roots[key]; ok && had != head[2] {
			w.t.Errorf("%s has cosigned two heads of %s records", words[1], head[1])
		}
		w.roots[key] = head[2]
	}
}

// rearrange puts nodes into parts that do not reach each other.
func (w *weather) rearrange(all []string) {
	parts := 1 + w.r.IntN(3)
	for _, code := range all {
		w.part[code] = w.r.IntN(parts)
	}
}

// clear is good weather.
func (w *weather) clear(all []string) {
	w.loss, w.die = 0, 0
	clear(w.part)
	w.bury()
	for _, code := range all {
		if w.f.Nodes[code] == nil {
			w.f.Start(code)
		}
	}
}

// filing is what was filed in a schedule.
type filing struct {
	by      string
	id      record.ID
	refused bool // by the rules
}

// goOn lets something happen.
func (w *weather) goOn(all []string, filed *[]filing) {
	f, r := w.f, w.r
	code := fleet.Codes[r.IntN(len(fleet.Codes))]
	switch r.IntN(12) {
	case 0, 1, 2:
		if f.Nodes[code] == nil || code == w.dying {
			return // nobody files at a node that is dead
		}
		d := f.Account(code, int64(r.IntN(9)))
		bad := r.IntN(6) == 0
		if bad {
			d.Body.(*record.Account).Claimant.Kind = "nobody"
		}
		id, err := f.File(code, d)
		if err != nil {
			w.t.Fatalf("file: %v", err)
		}
		*filed = append(*filed, filing{code, id, bad})
	case 3, 4, 5, 6, 7:
		_ = f.Round(code)
	case 8:
		w.rearrange(all)
	case 9:
		if who := all[r.IntN(len(all))]; f.Nodes[who] == nil {
			f.Start(who)
		} else if who != w.dying {
			f.Stop(who)
		}
	case 10:
		f.Clock.Advance(time.Duration(r.IntN(120)) * time.Second)
	case 11:
		f.Clock.Advance(time.Duration(r.IntN(20)) * time.Minute)
	}
	if w.dying != "" && r.IntN(2) == 0 {
		w.bury()
	}
}

// schedule runs one random order of what can happen, lets the weather clear, and then wants
// what must hold whatever happened.
func schedule(t *testing.T, frozen *fleet.Fleet, seed uint64) (deaths int) {
	f := frozen.Thaw(t, seed)
	had := f.Registry().Head().Size
	r := rand.New(rand.NewPCG(seed, 1))
	all := append([]string{fleet.RegistryCode}, fleet.Codes...)
	w := newWeather(t, f, r)
	var filed []filing
	for range 20 + r.IntN(20) {
		w.goOn(all, &filed)
	}
	w.clear(all)
	for range 4 {
		f.Clock.Advance(15 * time.Second)
		_ = f.Round(fleet.Codes...)
	}
	if err := f.Round(fleet.Codes...); err != nil {
		t.Fatalf("the weather is good, and: %v", err)
	}
	settled(t, f)
	inLedger := map[record.ID]int{}
	for _, e := range entries(t, f.Registry()) {
		inLedger[e.ID]++
	}
	admitted := int64(0)
	for _, x := range filed {
		is := act(t, f, x.by, x.id)
		switch {
		case x.refused:
			if is.State != outbox.Refused || len(is.Refusal) == 0 || inLedger[x.id] != 0 {
				t.Errorf("what the rules refuse, filed by %s, is %s and stands %d times in the ledger", x.by, is.State, inLedger[x.id])
			}
			continue
		case !is.Witnessed() || inLedger[x.id] != 1:
			t.Errorf("what %s filed is %s, witnessed: %t, and stands %d times in the ledger: %s", x.by, is.State, is.Witnessed(), inLedger[x.id], is.LastError)
			continue
		}
		admitted++
		var at int64
		f.Registry().Look(func(s *mechanism.State) { at, _ = s.IndexOf(x.id) })
		if at != is.Receipts[0].Index {
			t.Errorf("the receipt says %d, the ledger %d", is.Receipts[0].Index, at)
		}
		proof, err := ledger.ParseTLogProof(is.Receipts[0].Proof)
		if err != nil || proof.Index != at {
			t.Errorf("the receipt's proof: %v", err)
		}
	}
	if got := f.Registry().Head().Size; got != had+admitted {
		t.Errorf("%d records were filed, and the ledger has %d more", admitted, got-had)
	}
	for _, code := range fleet.Codes {
		b, err := f.Nodes[code].Witness().Latest(t.Context(), f.Registry().Config.Origin)
		if err != nil {
			t.Fatal(err)
		}
		w.noteHead(b)
	}
	f.Freeze()
	return w.deaths
}

// schedulesOf runs random schedules, two at once, and names the seed of each that fails.
func schedulesOf(t *testing.T, n int, run func(t *testing.T, seed uint64)) {
	start := time.Now()
	var done atomic.Int64
	t.Run("all", func(t *testing.T) {
		for part := range 2 {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				for seed := 1 + part; seed <= n; seed += 2 {
					if !t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { run(t, uint64(seed)) }) {
						t.Fatalf("seed %d fails: run it alone with -run '%s/seed_%d$'", seed, strings.ReplaceAll(t.Name(), " ", "_"), seed)
					}
					done.Add(1)
				}
			})
		}
	})
	t.Logf("%d schedules of five nodes in %s", done.Load(), time.Since(start).Round(time.Second))
}

// TestSchedules runs as many random schedules as fit; under the build tag long, thousands.
func TestSchedules(t *testing.T) {
	begin(t, 1).Freeze() // so that the mission is there
	var deaths atomic.Int64
	schedulesOf(t, schedules, func(t *testing.T, seed uint64) { deaths.Add(int64(schedule(t, kept.frozen, seed))) })
	if deaths.Load() == 0 {
		t.Error("no node has died")
	}
	t.Logf("nodes died %d times in the middle of what they did", deaths.Load())
}
