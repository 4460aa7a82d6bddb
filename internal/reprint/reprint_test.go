// SPDX-License-Identifier: Apache-2.0

package reprint_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/reprint"
	"truceline/internal/takeout"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify"
)

// made makes a copy of what was given to somebody.
func made(t *testing.T, who string) (string, *reprint.Made) {
	t.Helper()
	g := mission(t)
	policy, err := quorum.Parse(g.policy)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new", "copy")
	m, err := reprint.Make(t.Context(), g.bags[who], dir, reprint.Options{Log: verify.Options{Key: g.key, Policy: policy}})
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}

func opened(t *testing.T, dir string) *reprint.Reprint {
	t.Helper()
	r, err := reprint.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// What is given out, brought in elsewhere and given out again is the same, byte for byte.
func TestRoundTrip(t *testing.T) {
	g := mission(t)
	for who, bag := range g.bags {
		dir, m := made(t, who)
		if r := m.Report; m.Date != "2031-05-04" || !strings.HasSuffix(m.Organization, "(NOR)") || (who == "public") != (m.Reader == takeout.Public) || (who == "public") != (r.Lines < r.Records) {
			t.Errorf("%s: %+v, %d of %d lines", who, m, r.Lines, r.Records)
		}
		if who == "NOR" && (m.Named != 2 || m.Missing != 1 || m.Report.Log.Boxed-m.Report.Opened != 1) {
			t.Errorf("%+v, %d boxes, %d opened", m, m.Report.Log.Boxed, m.Report.Opened)
		}
		r := opened(t, dir)
		again := filepath.Join(t.TempDir(), "again")
		if _, err := takeout.WriteAgain(t.Context(), r.Payload, again, takeout.Options{Viewer: r.Reader, Now: day.AddDate(0, 0, 3)}); err != nil {
			t.Fatal(err)
		}
		was, is := tree(t, bag), tree(t, again)
		if !slices.Equal(slices.Sorted(maps.Keys(was)), slices.Sorted(maps.Keys(is))) {
			t.Errorf("%s: the files are\n%q, were\n%q", who, slices.Sorted(maps.Keys(is)), slices.Sorted(maps.Keys(was)))
		}
		for path := range was {
			switch {
			case path == "tagmanifest-sha256.txt":
			case path == "bag-info.txt":
				if strings.Replace(is[path], "2031-05-07", "2031-05-04", 1) != was[path] {
					t.Errorf("%s: bag-info.txt is\n%s, was\n%s", who, is[path], was[path])
				}
			case was[path] != is[path]:
				t.Errorf("%s: %s is another", who, path)
			}
		}
		if !maps.Equal(tree(t, reprint.BagFolder(dir)), was) {
			t.Errorf("%s: the copy has not the bag that it was made of", who)
		}
	}
}

// Of what was given to a member, everybody is given what the member's node gives everybody.
func TestPublicOfAMembers(t *testing.T) {
	g := mission(t)
	dir, _ := made(t, "NOR")
	r := opened(t, dir)
	again := filepath.Join(t.TempDir(), "again")
	if _, err := takeout.WriteAgain(t.Context(), r.Payload, again, takeout.Options{Viewer: takeout.Public, Now: day}); err != nil {
		t.Fatal(err)
	}
	if was, is := tree(t, g.bags["public"]), tree(t, again); !maps.Equal(was, is) {
		t.Errorf("%q\n%q", slices.Sorted(maps.Keys(is)), slices.Sorted(maps.Keys(was)))
	}
	dir, _ = made(t, "public")
	_, err := takeout.WriteAgain(t.Context(), opened(t, dir).Payload, filepath.Join(t.TempDir(), "x"), takeout.Options{Viewer: "NOR", Now: day})
	if err == nil || !strings.Contains(err.Error(), "is not in a bag for public") {
		t.Errorf("what was given to everybody is given out for a member: %v", err)
	}
}

// The copy shows what the node showed to its reader.
func TestShowsWhatTheNodeShowed(t *testing.T) {
	g := mission(t)
	for who := range g.bags {
		dir, _ := made(t, who)
		r := opened(t, dir)
		if !bytes.Equal(dump(t, r.Tables), g.tables[who]) {
			t.Errorf("%s: the tables are others than the node's", who)
		}
		unsure := 0
		for id := range g.filings["NOR"] {
			want, shown := g.filings[who][id]
			got, ok, err := r.Filing(t.Context(), id)
			if want.ClosedAt > want.Deadline && !r.Has(want.Closing-1) { // that may have closed it, for all that is known
				unsure++
				want.Closing, want.ClosedAt = want.Closing-1, want.Deadline
			}
			if err != nil || ok != shown || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: the filing %s: %t, %v\n%+v, the node shows\n%+v", who, id, ok, err, got, want)
			}
		}
		if (unsure == 1) != (who == "public") || unsure > 1 {
			t.Errorf("%s: of %d filings it is not sure what closed them", who, unsure)
		}
		head, err := r.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for index := range head.Size {
			line, err := r.Line(t.Context(), index)
			if (err == nil) != r.Has(index) || err == nil && !bytes.Contains([]byte(tree(t, g.bags[who])["data/log/records/000.p/"+strconv.Itoa(int(head.Size))]), line) {
				t.Errorf("%s: record %d: %v", who, index, err)
			}
			if _, err := r.Proof(t.Context(), index); err != nil {
				t.Errorf("%s: record %d: %v", who, index, err)
			}
		}
		if r.Mission.IsZero() || r.Origin == "" {
			t.Errorf("%s: of no mission", who)
		}
		// No key, and nothing that could sign.
		for path := range tree(t, dir) {
			if strings.Contains(path, "key") || strings.HasSuffix(path, ".db") && path != local.ProjectionFile {
				t.Errorf("%s: the copy has %s", who, path)
			}
		}
		if _, _, err := local.Open(dir); err == nil || !strings.Contains(err.Error(), "can only be read") {
			t.Errorf("%s: it opens as a node: %v", who, err)
		}
		if _, err := node.Open(t.Context(), dir, node.Options{}); err == nil {
			t.Errorf("%s: it is a node", who)
		}
	}
	if got, ok := g.filings["public"][record.ID{}]; ok || len(g.filings["public"]) != 3 || len(g.filings["NOR"]) != 4 {
		t.Errorf("%+v: %+v", got, g.filings)
	}
}

// One byte changed in any file, and nothing is made.
func TestAlteredByte(t *testing.T) {
	g := mission(t)
	bag := g.bags["NOR"] // it has a file of every sort
	for path, content := range tree(t, bag) {
		altered := filepath.Join(t.TempDir(), "bag")
		if err := os.CopyFS(altered, os.DirFS(bag)); err != nil {
			t.Fatal(err)
		}
		b := []byte(content)
		b[len(b)/2] ^= 1
		if err := os.WriteFile(filepath.Join(altered, filepath.FromSlash(path)), b, 0o644); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "copy")
		if _, err := reprint.Make(t.Context(), altered, dir, reprint.Options{Log: verify.Options{Key: g.key}}); err == nil {
			t.Errorf("with %s altered a copy is made", path)
		}
		left(t, path, dir)
	}
}

func TestRefused(t *testing.T) {
	g := mission(t)
	bag := g.bags["public"]
	other, err := quorum.Parse("witness A exercise.truceline.invalid/passes-1a2b3c4d/witness/A+d6fbfa31+BEOnLnFEAXYt9mtowm373yaCquyfJHTspGE+QkoPuv08\nquorum A\n")
	if err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(t.TempDir(), "full")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "bag")
	if err := os.CopyFS(link, os.DirFS(bag)); err != nil {
		t.Fatal(err)
	}
	readme := filepath.Join(link, "data", "README.txt")
	if err := errors.Join(os.Rename(readme, link+"-readme"), os.Symlink(link+"-readme", readme)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from, dir string
		key       string
		says      string
		policy    *quorum.Policy
	}{
		"something in the folder": {bag, full, g.key, "the folder is not empty", nil},
		"the bag itself":          {bag, bag, g.key, "the folder is not empty", nil},
		"inside the bag":          {bag, filepath.Join(bag, "data", "new", "copy"), g.key, "inside of the bag", nil},
		"no bag":                  {filepath.Join(full, "nothing"), "", g.key, "no such file", nil},
		"a folder that is none":   {full, "", g.key, "does not verify", nil},
		"another log's key":       {bag, "", "ledger.example.org/lakes+e9ee3691+ASg8Elcs1K3c5qY73ShLpS75WANZY5oWW16Fk45HOEYO", "does not verify", nil},
		"no key":                  {bag, "", "rubbish", "NAME+8", nil},
		"not witnessed":           {bag, "", g.key, "does not verify", other},
		"a link":                  {link, "", g.key, "no file: a bag has files alone", nil},
	} {
		dir := c.dir
		if dir == "" {
			dir = filepath.Join(t.TempDir(), "copy")
		}
		_, err := reprint.Make(t.Context(), c.from, dir, reprint.Options{Log: verify.Options{Key: c.key, Policy: c.policy}})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if c.dir == "" {
			left(t, name, dir)
		}
	}
	if _, err := os.Stat(filepath.Join(bag, "data", "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was made inside of the bag")
	}
	// An empty folder does.
	dir := t.TempDir()
	if _, err := reprint.Make(t.Context(), bag, dir, reprint.Options{}); err != nil || !reprint.Is(dir) {
		t.Errorf("an empty folder: %v", err)
	}
}

// Wherever it is stopped, nothing is left.
func TestStopped(t *testing.T) {
	g := mission(t)
	stopped := 0
	for at := 1; ; at *= 2 {
		dir := filepath.Join(t.TempDir(), "copy")
		ctx, cancel := context.WithCancel(t.Context())
		heard := 0
		_, err := reprint.Make(ctx, g.bags["public"], dir, reprint.Options{Progress: func(string, int64, int64) {
			if heard++; heard == at {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			if heard >= at {
				t.Fatalf("stopped at step %d, and it says it is done", at)
			}
			break
		}
		stopped++
		if !errors.Is(err, context.Canceled) {
			t.Errorf("step %d: %v", at, err)
		}
		left(t, "stopped at step "+strconv.Itoa(at), dir)
	}
	if stopped < 4 {
		t.Errorf("stopped %d times", stopped)
	}
}

// A process that is killed leaves no copy, or a whole one; the next makes it, and cleans up.
func TestKilled(t *testing.T) {
	g := mission(t)
	for _, at := range []int{1, 9, 24, 1000} {
		dir := filepath.Join(t.TempDir(), "copy")
		child := exec.Command(os.Args[0], g.bags["public"], dir)
		child.Env = append(os.Environ(), killedAt+"="+strconv.Itoa(at))
		out, err := child.CombinedOutput()
		if at < 1000 == (err == nil) {
			t.Fatalf("killed at step %d: %v\n%s", at, err, out)
		}
		if _, err := os.Lstat(dir); (err == nil) != (at == 1000) {
			t.Errorf("killed at step %d: %v\n%s", at, err, out)
		}
		entries, err := os.ReadDir(filepath.Dir(dir))
		if err != nil || len(entries) != 1 {
			t.Errorf("killed at step %d: %v is left, %v", at, entries, err)
		}
		if at == 1000 {
			continue
		}
		if _, err := reprint.Make(t.Context(), g.bags["public"], dir, reprint.Options{}); err != nil {
			t.Errorf("after one was killed at step %d: %v", at, err)
		}
		if entries, err = os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 || entries[0].Name() != "copy" {
			t.Errorf("after one was killed at step %d: %v, %v", at, entries, err)
		}
	}
}

// Two do not make one folder at a time.
func TestOneAtATime(t *testing.T) {
	g := mission(t)
	dir := filepath.Join(t.TempDir(), "copy")
	tmp := filepath.Join(filepath.Dir(dir), ".copy-import")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	mark, err := local.New(tmp).Use(true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reprint.Make(t.Context(), g.bags["public"], dir, reprint.Options{}); !errors.Is(err, local.ErrInUse) {
		t.Errorf("while another makes it: %v", err)
	}
	if _, err := os.Stat(tmp); err != nil {
		t.Errorf("what another makes is gone: %v", err)
	}
	mark.Close()
	if _, err := reprint.Make(t.Context(), g.bags["public"], dir, reprint.Options{}); err != nil {
		t.Errorf("when it has ended: %v", err)
	}
}

func TestExamine(t *testing.T) {
	for _, who := range []string{"NOR", "public"} {
		dir, _ := made(t, who)
		look := func() (faults []string) {
			t.Helper()
			before := tree(t, dir)
			err := reprint.Examine(t.Context(), dir, nil, func(f node.Finding) {
				if f.Err != nil {
					faults = append(faults, f.String())
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			for path, content := range tree(t, dir) {
				if before[path] != content && !strings.HasPrefix(path, local.ProjectionFile) {
					t.Errorf("%s: looking changed %s", who, path)
				}
			}
			return faults
		}
		if faults := look(); faults != nil {
			t.Errorf("%s: %q", who, faults)
		}
		// Tables that are gone are made again.
		if err := os.Remove(filepath.Join(dir, local.ProjectionFile)); err != nil {
			t.Fatal(err)
		}
		r := opened(t, dir)
		if !bytes.Equal(dump(t, r.Tables), mission(t).tables[who]) {
			t.Errorf("%s: other tables were made again", who)
		}
		r.Close()
		path := filepath.Join(reprint.BagFolder(dir), "data", "incidents.json")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if faults := look(); len(faults) != 1 || !strings.Contains(faults[0], "verify bag") {
			t.Errorf("%s: with a byte changed: %q", who, faults)
		}
	}
}
