// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/demo"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/record"
)

// together makes one node that has the keys of all who tell a story: a desk is a member
// whose keys the node has, so all are made desks.
func together(t *testing.T, set *example.Set) (*node.Node, map[string]*node.Node) {
	t.Helper()
	var file agreement.File
	if err := json.Unmarshal(set.Agreement, &file); err != nil {
		t.Fatal(err)
	}
	members := file.Pack.Members
	for i := range members {
		if members[i].Role != record.RegistryRole {
			members[i].Role = record.DeskRole
		}
	}
	changed, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	now := func() time.Time { return time.Date(2032, 4, 10, 3, 2, 1, 0, time.UTC) }
	random := &chance{src: rand.NewChaCha8([32]byte{2})}
	dir := t.TempDir() + "/n"
	if err := node.Create(ctx, dir, node.Creation{Agreement: changed, Origin: "demo.invalid/x", Now: now, Rand: random}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(ctx, dir, node.Options{Now: now, Rand: random})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	nodes := map[string]*node.Node{}
	for _, m := range members {
		if m.Role != record.RegistryRole {
			nodes[m.Code] = n
		}
	}
	return n, nodes
}

func TestStoryIsWhole(t *testing.T) {
	for _, name := range example.Told() {
		ctx := context.Background()
		set := open(t, name)
		steps, err := set.Steps()
		if err != nil {
			t.Fatal(err)
		}
		n, nodes := together(t, set)
		before := n.Registry.Head().Size
		var heard []string
		err = demo.FileStory(ctx, set, nodes, func(what string, done, total int64) { heard = append(heard, fmt.Sprint(what, done, "/", total)) })
		if err != nil {
			t.Fatal(err)
		}
		if len(heard) != len(steps) || !strings.HasSuffix(heard[len(steps)-1], fmt.Sprint(len(steps), "/", len(steps))) {
			t.Errorf("progress was %v", heard)
		}
		officerOf := map[string]string{} // id to name and member
		for member := range nodes {
			list, err := n.Office.Officers(ctx, member)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list {
				officerOf[o.ID.String()] = o.Name + " of " + o.Member
			}
		}
		// What is in the ledger is the story, in its order and in its officers' names.
		var got, want []string
		for e, err := range n.Store().Entries(ctx, before, n.Registry.Head().Size) {
			if err != nil {
				t.Fatal(err)
			}
			env, err := record.ParseEnvelope(e.Envelope)
			if err != nil {
				t.Fatal(err)
			}
			st, err := env.Statement()
			if err != nil {
				t.Fatal(err)
			}
			if st.Kind == record.OfficerEnrolled || st.Kind == record.OfficerNamed {
				continue
			}
			if !st.Exercise || !bytes.Contains(e.Body, []byte("EXERCISE")) {
				t.Errorf("%s: record %d does not say EXERCISE", name, e.Index)
			}
			got = append(got, fmt.Sprintf("%s by %s", st.Kind, officerOf[st.Officer.String()]))
		}
		for _, s := range steps {
			who := s.Officer + " of " + s.Member
			if s.Document != nil {
				want = append(want, fmt.Sprintf("%s by %s", record.ReportFiled, who))
			}
			want = append(want, fmt.Sprintf("%s by %s", s.Kind, who))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the ledger has\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		showsTheStory(t, n, steps)

		// Told again, it files nothing, and enrols nobody.
		head := n.Registry.Head()
		if err := demo.FileStory(ctx, set, nodes, nil); err != nil {
			t.Fatal(err)
		}
		if n.Registry.Head().Root != head.Root {
			t.Errorf("%s: told again, the story changed the ledger", name)
		}
	}
}

// showsTheStory looks at the tables: accounts, versions, states and links.
func showsTheStory(t *testing.T, n *node.Node, steps []example.Step) {
	t.Helper()
	ctx := context.Background()
	kinds := map[record.Kind]int{}
	for _, s := range steps {
		kinds[record.Kind(s.Kind)]++
	}
	c, err := n.Projection.Counts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if c.Incidents != int64(kinds[record.IncidentOpened]) {
		t.Errorf("%d incidents, want %d", c.Incidents, kinds[record.IncidentOpened])
	}
	links, amended, withdrawn := 0, 0, 0
	for _, s := range steps {
		if record.Kind(s.Kind) != record.AccountFiled {
			continue
		}
		a, err := n.Projection.Account(ctx, demo.IDOf(n.Mission(), s.Kind, s.Ref))
		if err != nil {
			t.Errorf("%s: %v", s.Ref, err)
			continue
		}
		links += len(a.Links)
		if a.Current != a.ID {
			amended++
		}
		if a.State == "withdrawn" {
			withdrawn++
		}
		if a.Recorder != s.Member || a.Body.External != s.Ref {
			t.Errorf("account %s is recorded by %s as %s", s.Ref, a.Recorder, a.Body.External)
		}
		// An account is told in its own step's document; a correction in its own.
		told := demo.IDOf(n.Mission(), string(record.ReportFiled), s.Ref)
		if (a.Report == told) != (a.Current == a.ID) || a.Report.IsZero() {
			t.Errorf("account %s was told in document %s", s.Ref, a.Report)
		}
	}
	if links != kinds[record.IncidentLinked] || amended != kinds[record.AccountAmended] || withdrawn != kinds[record.AccountWithdrawn] {
		t.Errorf("%d links, %d amended, %d withdrawn; want %v", links, amended, withdrawn, kinds)
	}
	if c.Unlinked == 0 {
		t.Error("nothing is left in the queue")
	}
	list, _, err := n.Projection.Incidents(ctx, projection.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range list {
		accounts, err := n.Projection.AccountsOf(ctx, in.ID)
		if err != nil || len(accounts) < 3 {
			t.Errorf("%s has %d accounts, %v", in.External, len(accounts), err)
		}
	}
}

// However often it is cut short, the story comes out the same: each step once.
func TestStoryIsToldOn(t *testing.T) {
	set := open(t, example.Told()[0])
	steps, err := set.Steps()
	if err != nil {
		t.Fatal(err)
	}
	n, nodes := together(t, set)
	for cut := int64(1); cut < int64(len(steps)); cut += 5 {
		ctx, stop := context.WithCancel(context.Background())
		err := demo.FileStory(ctx, set, nodes, func(_ string, done, _ int64) {
			if done == cut {
				stop()
			}
		})
		stop()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cut after %d steps: %v", cut, err)
		}
	}
	if err := demo.FileStory(context.Background(), set, nodes, nil); err != nil {
		t.Fatal(err)
	}
	showsTheStory(t, n, steps)
}

func TestStoryNeedsItsMembers(t *testing.T) {
	set := open(t, example.Told()[0])
	n, nodes := together(t, set)
	steps, err := set.Steps()
	if err != nil {
		t.Fatal(err)
	}
	delete(nodes, steps[0].Member)
	before := n.Registry.Head().Size
	if err := demo.FileStory(context.Background(), set, nodes, nil); err == nil || !strings.Contains(err.Error(), steps[0].Member) || n.Registry.Head().Size != before {
		t.Errorf("without %s: %v, and %d records filed", steps[0].Member, err, n.Registry.Head().Size-before)
	}
	if err := demo.FileStory(context.Background(), open(t, example.Recorded()[0]), nodes, nil); err == nil {
		t.Error("an example without a story was told")
	}
}

// An account may be corrected more than once: each correction follows the one before.
func TestStoryMayCorrectTwice(t *testing.T) {
	set := open(t, example.Told()[0])
	steps, err := set.Steps()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(steps, func(s example.Step) bool { return s.Kind == string(record.AccountAmended) })
	again := steps[at]
	again.Ref, again.Document = again.Ref+"-again", nil
	set.Story, err = json.Marshal(map[string]any{"story": 1, "steps": slices.Insert(steps, at+1, again)})
	if err != nil {
		t.Fatal(err)
	}
	n, nodes := together(t, set)
	if err := demo.FileStory(context.Background(), set, nodes, nil); err != nil {
		t.Fatal(err)
	}
	versions, err := n.Projection.Versions(context.Background(), demo.IDOf(n.Mission(), string(record.AccountFiled), again.Account))
	if err != nil || len(versions) != 3 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	var told []record.ID
	for _, ref := range []string{steps[at].Ref, again.Ref} {
		f, ok, err := n.Find(context.Background(), demo.IDOf(n.Mission(), again.Kind, ref))
		if err != nil || !ok {
			t.Fatal(ref, ok, err)
		}
		id, _ := f.Statement.Subject(record.RoleReport)
		told = append(told, id)
	}
	if told[0].IsZero() || told[0] != told[1] || told[0] == versions[0].Report {
		t.Errorf("the corrections were told in %v: one without a document of its own was told in that of the version before", told)
	}
}
