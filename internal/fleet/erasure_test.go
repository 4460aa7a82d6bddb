// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/record"
)

func erases(t *testing.T, f *fleet.Fleet, code string, id record.ID) {
	t.Helper()
	if _, err := f.File(code, node.Draft{Kind: record.BodyErased, Member: code, Body: &record.Reason{Reason: "EXERCISE: agreed with who spoke"}, Subjects: []record.Subject{{ID: id, Role: record.RoleRecord}}}); err != nil {
		t.Fatal(err)
	}
}

// until lets everybody exchange until it is so.
func until(t *testing.T, f *fleet.Fleet, what string, so func() bool) {
	t.Helper()
	for range 20 {
		f.Settle()
		for _, n := range f.Nodes {
			if n != nil {
				if err := n.Sync(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if so() {
			return
		}
	}
	t.Fatalf("it does not come to this: %s", what)
}

// traces are what a body in the clear or in its box leaves in a file: its words, and the
// middle of what it is encrypted to.
func traces(t *testing.T, n *node.Node, id record.ID) (out []string) {
	t.Helper()
	index, ok, err := n.Store().IndexOf(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("%s is not in the ledger: %v", id, err)
	}
	for e, err := range n.Store().Entries(t.Context(), index, index+1) {
		if err != nil {
			t.Fatal(err)
		}
		box, err := record.ParseBox(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, box.Body[100:160], box.Wraps[0].Key[20:70])
	}
	return append(out, canary)
}

// TestErasedEverywhere: once its author has had a body erased, no file of any node holds a
// byte of it, every node says so, and the log stands.
func TestErasedEverywhere(t *testing.T) {
	f := begin(t, 71)
	other, err := whispers(f, "NOR", record.AudienceMechanism)
	if err != nil {
		t.Fatal(err)
	}
	id, err := whispers(f, "NOR", record.AudienceMembers)
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	marks := traces(t, f.Nodes["SUD"], id)[:2]
	all := append([]string{fleet.RegistryCode}, fleet.Codes...)
	for _, code := range all {
		if holds(t, f.Path(code), marks[0]) == "" {
			t.Fatalf("%s has no box: the search is worth nothing", code)
		}
	}
	f.Freeze()
	f.Copy("SUD", "before")
	for _, code := range all {
		f.Start(code)
	}
	f.Settle()
	if _, err := f.File("SUD", node.Draft{Kind: record.BodyErased, Member: "SUD", Body: &record.Reason{Reason: "r"}, Subjects: []record.Subject{{ID: id, Role: record.RoleRecord}}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if _, ok, _ := f.Nodes["mon"].Erasure(t.Context(), id); ok {
		t.Fatal("another than its author has had a body erased")
	}

	erases(t, f, "NOR", id)
	until(t, f, "everybody has confirmed", func() bool {
		e, ok, err := f.Nodes["mon"].Erasure(t.Context(), id)
		return err == nil && ok && len(e.Waiting) == 0
	})
	e, _, _ := f.Nodes["fac"].Erasure(t.Context(), id)
	var said []string
	for _, c := range e.Confirmed {
		said = append(said, c.Member)
	}
	slices.Sort(said)
	if e.Member != "NOR" || e.At == 0 || !strings.Contains(e.Reason, "agreed") || !slices.Equal(said, []string{"NOR", "SUD", fleet.RegistryCode, "fac", "mon"}) {
		t.Errorf("%+v", e)
	}
	gone(t, f, id, marks, all...)
	if _, err := f.Nodes["mon"].Projection.Account(t.Context(), other); err != nil {
		t.Errorf("another body went with it: %v", err)
	}
	settled(t, f)

	// A node that is put back to before erases again, and says nothing new.
	size := f.Registry().Head().Size
	f.Stop("SUD")
	f.Copy("before", "SUD")
	if holds(t, f.Path("SUD"), marks[0]) == "" {
		t.Fatal("the backup has no box")
	}
	if err := os.RemoveAll(f.Path("before")); err != nil {
		t.Fatal(err)
	}
	f.Start("SUD")
	until(t, f, "the node that was put back has caught up", func() bool { return f.Nodes["SUD"].Head().Size == size })
	gone(t, f, id, marks, "SUD")
	if got := f.Registry().Head().Size; got != size {
		t.Errorf("%d records were filed when a node was put back", got-size)
	}
}

// gone wants no trace of an account in files, tables, pages of mirrors and checks of nodes.
func gone(t *testing.T, f *fleet.Fleet, id record.ID, marks []string, codes ...string) {
	t.Helper()
	for _, code := range codes {
		n := f.Nodes[code]
		for _, mark := range marks {
			if where := holds(t, f.Path(code), mark); where != "" {
				t.Errorf("%s still has the body in %s", code, filepath.Base(where))
			}
		}
		if where := holds(t, f.Path(code), canary+" members"); where != "" {
			t.Errorf("%s still has the words in %s", code, filepath.Base(where))
		}
		if _, err := n.Projection.Account(t.Context(), id); !errors.Is(err, projection.ErrNotFound) {
			t.Errorf("%s still shows the account: %v", code, err)
		}
		index, err := n.MembersLog().Index(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		line, err := n.MembersLog().Line(t.Context(), index)
		if err != nil || strings.Contains(string(line), marks[0]) || strings.Contains(string(line), `"box"`) {
			t.Errorf("%s gives others the body: %v", code, err)
		}
		err = node.Examine(t.Context(), f.Path(code), node.Options{Now: f.Clock.Now}, func(found node.Finding) {
			if found.Err != nil && found.What != "keys" { // the copies of folders are not for their owner alone
				t.Errorf("%s: %s", code, found)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}
