// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/record"
)

// The histories. Nobody but members tells the first from loud or silent, and of the members
// but NOR and mon tell it from apart.
var (
	first = telling{name: "first"}
	loud  = telling{name: "loud", away: true, other: []string{record.AudienceMembers, record.AudienceMechanism, record.AudienceNamed, record.AudienceOwn, sealedClass}}
	quiet = telling{name: "silent", silent: true, other: []string{record.AudienceOwn}}
	apart = telling{name: "apart", other: []string{record.AudienceMechanism, record.AudienceNamed, record.AudienceOwn, sealedClass}}
)

// untold is the mission in which nothing is told yet.
var untold struct {
	once    sync.Once
	frozen  *fleet.Fleet
	mission record.ID
}

func TestMain(m *testing.M) {
	code := m.Run()
	if untold.frozen != nil {
		os.RemoveAll(untold.frozen.Dir)
	}
	os.Exit(code)
}

// logOf is what all nodes of a member write to their logs, in all histories.
func logOf(code string) *logged {
	l, _ := logs.LoadOrStore(code, new(logged))
	return l.(*logged)
}

var logs sync.Map

// lasting leaves what is to be cleaned up to another test.
type lasting struct {
	*testing.T
	until interface{ Cleanup(func()) }
}

func (l lasting) Cleanup(f func()) {
	if l.until != nil {
		l.until.Cleanup(f)
	}
}

// told makes the histories, the first before the others and those beside each other.
func told(t *testing.T, others ...telling) map[string]*teller {
	t.Helper()
	untold.once.Do(func() {
		f := fleet.NewOf(lasting{T: t}, 1<<41, apartPack())
		defer f.Freeze()
		f.Join(fleet.Codes...)
		f.Settle()
		f.Adopt(3)
		f.Settle()
		untold.frozen, untold.mission = f, f.Registry().Mission()
		f.Options = func(code string, o *node.Options) {
			o.Log = slog.New(slog.NewTextHandler(logOf(code), &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
	})
	if untold.frozen == nil {
		t.Fatal("the mission could not be made")
	}
	begin := func(in *testing.T, how telling, like *teller) *teller {
		until := lasting{in, t}
		f := untold.frozen.Thaw(until, 7)
		f.Settle() // the registry hears its witnesses
		s := newTeller(until, f, how, like)
		s.tell()
		return s
	}
	out := map[string]*teller{first.name: begin(t, first, nil)}
	var mu sync.Mutex
	t.Run("histories", func(t *testing.T) {
		for _, how := range others {
			t.Run(how.name, func(t *testing.T) {
				t.Parallel()
				s := begin(t, how, out[first.name])
				mu.Lock()
				out[how.name] = s
				mu.Unlock()
			})
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// pairsOf are the kinds that there are, with the audiences that are not everybody.
func pairsOf() (out []string) {
	for _, k := range record.Kinds() {
		for _, a := range record.Audiences {
			if k.MayHave(a) && a != record.AudiencePublic {
				out = append(out, string(k)+" for "+a)
			}
		}
	}
	return out
}

// watch notes which patterns were asked, and what was found.
type watch struct {
	mu    sync.Mutex
	asked map[string]bool
	well  map[string]bool // of asked: there was another answer than an error
	// look for what was said in these classes, which the viewer may not read.
	canaries canaries
}

// other is a history that a site is compared with.
type other struct {
	site
	mask *mask // of the first site, beside this one
}

// asks are what a viewer asks: everybody all pages and what programs ask, and of each desk
// a little; officers their desks, too, and most of the pages, or of all only so many.
func asks(k *known, officer bool, most int) (out []ask) {
	add := func(list map[string]func(*known) []ask, most int) {
		for _, pattern := range slices.Sorted(maps.Keys(list)) {
			if pattern == "POST /signout" && officer {
				continue // last
			}
			all := list[pattern](k)
			if len(all) > most {
				all = some(all, (len(all)+most-1)/most)
			}
			out = append(out, all...)
		}
	}
	if officer {
		add(pages, min(most, 20))
		add(desks, most)
		add(machines, 1)
		out = append(out, also(out)...)
		return append(out, posts([]string{""}, "/signout")...)
	}
	add(pages, most)
	add(desks, 2)
	add(machines, most)
	return append(append(out, also(out)...), strays(k)...)
}

const (
	everything = 1 << 20
	little     = 8
)

// compare asks a site and others the same, and lists what differs.
func (w *watch) compare(unread []string, list []ask, a site, others ...other) (found []string) {
	for _, q := range list {
		x := a.answer(q)
		w.note(x)
		if a.kept(q, x) {
			found = append(found, fmt.Sprintf("%s %s may be kept on the way: %q", q.method, q.target, x.header.Get("Cache-Control")))
		}
		for _, class := range w.canaries.in(x.body) {
			if slices.Contains(unread, class) && !strings.Contains(q.target+q.body, "canary") { // else it may be said again what was asked
				found = append(found, fmt.Sprintf("%s %s tells what was said for %s", q.method, q.target, class))
			}
		}
		for _, b := range others {
			a.mask = b.mask
			theirs := q
			theirs.target = b.site.mask.asks.Replace(q.target)
			if d := differs(a.plain(x), b.plain(b.answer(theirs))); d != "" {
				found = append(found, fmt.Sprintf("%s %s differs %s", q.method, q.target, d))
			}
		}
	}
	return found
}

func (w *watch) note(x answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[x.pattern] = true
	if x.status < http.StatusBadRequest {
		w.well[x.pattern] = true
	}
}

func report(t *testing.T, found []string) {
	t.Helper()
	for i, what := range found {
		if i == 20 {
			t.Errorf("and %d more", len(found)-i)
			return
		}
		t.Error(what)
	}
}

// beside is the site of another history, and how the two are compared.
func beside(t *testing.T, x, y *teller, code string, members bool) other {
	t.Helper()
	mx, my := newMasks(t, x, y, members)
	b := other{y.site(t, code, logOf(code)), mx}
	b.site.mask = my
	return b
}

// TestNonInterference: histories that differ in what a viewer may not read give it
// byte-equal answers, of every page, API, search, count, tile, feed and error.
func TestNonInterference(t *testing.T) {
	all := told(t, loud, quiet, apart)
	one := all[first.name]
	for _, p := range pairsOf() {
		if !one.pairs[p] {
			t.Errorf("no history has a record of the kind %s: tell one in apart_story_test.go", p)
		}
	}
	w := &watch{asked: map[string]bool{}, well: map[string]bool{}, canaries: newCanaries()}
	classes := slices.Collect(maps.Keys(w.canaries))
	t.Run("exports", func(t *testing.T) { exports(t, one, all[loud.name], all[quiet.name], all[apart.name]) })
	t.Run("viewers", func(t *testing.T) {
		for _, code := range []string{"NOR", deskCode} {
			t.Run("everybody on "+code, func(t *testing.T) {
				t.Parallel()
				x, y := beside(t, one, all[loud.name], code, false), beside(t, one, all[quiet.name], code, false)
				report(t, w.compare(classes, asks(newKnown(one, all[loud.name]), false, everything), one.site(t, code, logOf(code)), x, y))
			})
		}
		t.Run("SUD's node", func(t *testing.T) { // asks the registry
			t.Parallel()
			b := beside(t, one, all[apart.name], deskCode, true)
			report(t, w.compare(unread("SUD"), signedAsks(newKnown(one), "SUD"), one.site(t, deskCode, logOf(deskCode)), b))
		})
		t.Run("officers", func(t *testing.T) {
			t.Parallel() // one after the other: what they draw is drawn in one order
			for _, code := range []string{"SUD", "fac", deskCode} {
				for _, roles := range officers[code] {
					as, most := code+" "+strings.Join(roles, " "), little
					if as == "SUD "+office.RoleOperations || code == "fac" {
						most = everything
					}
					t.Run(as, func(t *testing.T) {
						a, b := one.signIn(t, one.site(t, code, logOf(code)), as), beside(t, one, all[apart.name], code, true)
						b.site = all[apart.name].signIn(t, b.site, as)
						report(t, w.compare(unread(code), asks(newKnown(one), true, most), a, b))
					})
				}
			}
		})
	})
	t.Run("canary", func(t *testing.T) {
		leftBehind(t, one)
	})
	t.Run("leaks", func(t *testing.T) { leaks(t, one, all[loud.name], all[quiet.name]) })
	everyPattern(t, w, one)
	for _, code := range append([]string{fleet.RegistryCode, deskCode}, fleet.Codes...) {
		for _, class := range w.canaries.in(logOf(code).bytes()) {
			t.Errorf("the log of %s holds what was said for %s", code, class)
		}
	}
}

// everyPattern wants something to be asked of every pattern of a server.
func everyPattern(t *testing.T, w *watch, s *teller) {
	t.Helper()
	there := map[string]bool{}
	for _, code := range []string{"NOR", deskCode} {
		for _, p := range s.site(t, code, logOf(code)).Patterns() {
			there[p] = true
		}
	}
	said := func(p string) bool { return pages[p] != nil || desks[p] != nil || machines[p] != nil }
	for p := range there {
		if !said(p) {
			t.Errorf("nobody has said what to ask of %s: say it in apart_addresses_test.go", p)
		} else if !w.asked[p] {
			t.Errorf("nothing that is asked reaches %s", p)
		} else if w.well[p] == slices.Contains(refused, p) {
			t.Errorf("some question to %s is answered: %t; another than an error shows more: see refused", p, w.well[p])
		}
	}
	for _, list := range []map[string]func(*known) []ask{pages, desks, machines} {
		for p := range list {
			if !there[p] {
				t.Errorf("a server answers no %s", p)
			}
		}
	}
}
