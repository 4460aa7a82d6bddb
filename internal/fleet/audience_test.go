// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/record"
)

// canary is what nobody else's files, answers and logs may hold.
const canary = "EXERCISE-canary-7f3a"

func whispers(f *fleet.Fleet, code, audience string, readers ...string) (record.ID, error) {
	d := f.Account(code, 3)
	d.Body.(*record.Account).Quote = &record.Quote{Text: canary + " " + audience}
	d.Audience, d.Readers = audience, readers
	return f.File(code, d)
}

// TestNotForEverybody: what is filed for some is read by these alone, and everybody has
// the same state.
func TestNotForEverybody(t *testing.T) {
	f := begin(t, 61)
	for _, c := range []struct {
		audience string
		readers  []string
		reads    string
	}{
		{record.AudienceMembers, nil, "NOR SUD fac mon"},
		{record.AudienceMechanism, nil, "NOR fac mon"},
		{record.AudienceNamed, []string{"mon"}, "NOR mon"},
	} {
		id, err := whispers(f, "NOR", c.audience, c.readers...)
		if err != nil {
			t.Fatal(c.audience, err)
		}
		f.Settle()
		for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
			n := f.Nodes[code]
			if err := n.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if r, err := n.Projection.Record(t.Context(), id); err != nil || r.Audience != c.audience {
				t.Errorf("%s, on the node of %s: that there is such a record is not shown: %v", c.audience, code, err)
			}
			_, err := n.Projection.Account(t.Context(), id)
			reads := strings.Contains(" "+c.reads+" ", " "+code+" ")
			if (err == nil) != reads || err != nil && !errors.Is(err, projection.ErrNotFound) {
				t.Errorf("%s: %s reads it: %t, want %t (%v)", c.audience, code, err == nil, reads, err)
			}
			if _, err := n.Public().Record(t.Context(), id); !errors.Is(err, projection.ErrNotFound) {
				t.Errorf("%s: everybody learns of it on the node of %s: %v", c.audience, code, err)
			}
			if _, err := n.Log().Index(t.Context(), id); err == nil {
				t.Errorf("%s: the log that everybody reads on the node of %s tells where it stands", c.audience, code)
			}
		}
	}
	settled(t, f)
}

// TestBundleOfWhatIsNotForEverybody: a member makes one, and its node hands none to others.
func TestBundleOfWhatIsNotForEverybody(t *testing.T) {
	f := begin(t, 64)
	id, err := whispers(f, "NOR", record.AudienceNamed, "fac")
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	n := f.Nodes["fac"]
	index, err := n.Locate(t.Context(), id.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, r, err := n.MembersBundle(t.Context(), index); err != nil || r.Record.Index != index {
		t.Errorf("a member has no bundle of it: %v", err)
	}
	if _, _, err := n.Bundle(t.Context(), index); !node.IsNotFound(err) {
		t.Errorf("everybody gets a bundle of it: %v", err)
	}
}

// TestCanary looks for a confidential text in all that other members' nodes keep.
func TestCanary(t *testing.T) {
	f := begin(t, 62)
	if _, err := whispers(f, "NOR", record.AudienceNamed, "fac"); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		if err := f.Nodes[code].Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		found := holds(t, f.Path(code), canary)
		if want := code == "NOR" || code == "fac"; (found != "") != want {
			t.Errorf("%s has it: %q, want %t", code, found, want)
		}
	}
}

// holds looks for a text in all files of a folder.
func holds(t *testing.T, dir, what string) (where string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(what)) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// TestShortMessage: once an audience has its key, what is said to one member costs little.
func TestShortMessage(t *testing.T) {
	f := begin(t, 63)
	for i := range 2 {
		id, err := f.File("SUD", reportFor(f, "fac"))
		if err != nil {
			t.Fatal(err)
		}
		f.Settle()
		index, err := f.Registry().MembersLog().Index(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		line, err := f.Registry().MembersLog().Line(context.Background(), index)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 && len(line) > 2048 {
			t.Errorf("a short message to one member is %d bytes in all, more than 2 KB:\n%s", len(line), line)
		}
	}
}

func reportFor(f *fleet.Fleet, code string) node.Draft {
	return node.Draft{Kind: record.ReportFiled, Member: "SUD", Audience: record.AudienceNamed, Readers: []string{code},
		Body: &record.Report{Title: "EXERCISE: a patrol asks for safe passage at 14:00"}}
}
