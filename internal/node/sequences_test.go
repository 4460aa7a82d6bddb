// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	mrand "math/rand/v2"
	"slices"
	"testing"

	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/peer"
	"truceline/internal/projection"
	"truceline/linkage"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
	"truceline/when"
)

// Whatever a desk files in whatever order, the tables say what the mechanism says, no
// account that stands is lost from sight, a rebuild gives the same tables, and a
// stranger's replay comes to the same state.
func TestRandomSequences(t *testing.T) {
	ctx := context.Background()
	sub := func(id record.ID, role record.Role) record.Subject { return record.Subject{ID: id, Role: role} }
	diffs := map[string]int{}
	admitted, refused := 0, 0
	for seed := range uint64(8) {
		r := mrand.New(mrand.NewPCG(seed, 7))
		dir := nodetest.Create(t)
		n := nodetest.Open(t, dir)
		desk := nodetest.Desk(n)
		var accs, ins, links, batches, reports, models, acts, all []record.ID
		who := map[record.ID]string{}
		pick := func(l []record.ID) record.ID {
			if len(l) == 0 || r.IntN(40) == 0 {
				if len(all) > 0 {
					return all[r.IntN(len(all))]
				}
				return record.ID{9}
			}
			return l[r.IntN(len(l))]
		}
		for range 400 {
			d := node.Draft{Member: desk}
			var then func(record.ID)
			inBatch := func() {
				if r.IntN(3) == 0 && len(batches) > 0 {
					d.Subjects = append(d.Subjects, sub(pick(batches), record.RoleBatch))
				}
			}
			switch r.IntN(18) {
			case 0:
				d = nodetest.Report(n, "r")
				inBatch()
				then = func(id record.ID) { reports = append(reports, id) }
			case 1, 2:
				name := []string{"a", "b", "c"}[r.IntN(3)]
				d = nodetest.Account(n, name, int64(r.IntN(50)))
				if r.IntN(2) == 0 && len(reports) > 0 {
					d.Subjects = append(d.Subjects, sub(pick(reports), record.RoleReport))
				}
				inBatch()
				then = func(id record.ID) { accs = append(accs, id); who[id] = name }
			case 3:
				a := pick(accs)
				d = nodetest.Account(n, who[a]+[]string{"", "", "", "x"}[r.IntN(4)], int64(r.IntN(50)))
				n.Registry.View(func(s *mechanism.State) { acc, _ := s.Account(a); d.Supersedes = acc.Current })
				if d.Supersedes.IsZero() || r.IntN(30) == 0 {
					d.Supersedes = a
				}
				d.Kind = record.AccountAmended
				d.Subjects = []record.Subject{sub(a, record.RoleAccount)}
				then = func(id record.ID) { acts = append(acts, id) }
			case 4:
				d.Kind, d.Body = record.AccountWithdrawn, &record.Reason{Reason: "x"}
				d.Subjects = []record.Subject{sub(pick(accs), record.RoleAccount)}
				if r.IntN(3) > 0 {
					continue
				}
				then = func(id record.ID) { acts = append(acts, id) }
			case 5:
				d.Kind, d.Body = record.BatchOpened, &record.Batch{Name: "b", FileSHA256: record.Digest{1}}
				then = func(id record.ID) { batches = append(batches, id) }
			case 6:
				d.Kind, d.Body = record.BatchClosed, &record.BatchEnd{}
				d.Subjects = []record.Subject{sub(pick(batches), record.RoleBatch)}
			case 7:
				d.Kind, d.Body = record.BatchWithdrawn, &record.Reason{Reason: "x"}
				d.Subjects = []record.Subject{sub(pick(batches), record.RoleBatch)}
				if r.IntN(3) > 0 {
					continue
				}
				then = func(id record.ID) { acts = append(acts, id) }
			case 8:
				d = nodetest.Incident(n, "i")
				o := d.Body.(*record.Opening)
				o.Class = record.Classes[r.IntN(2)]
				o.When = when.Span{Start: when.Date([]string{"2031", "2032-02", "2031-05-05"}[r.IntN(3)])}
				inBatch()
				then = func(id record.ID) { ins = append(ins, id) }
			case 9, 10:
				d.Kind, d.Body = record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkAbout}
				d.Subjects = []record.Subject{sub(pick(accs), record.RoleAccount), sub(pick(ins), record.RoleIncident)}
				then = func(id record.ID) { links = append(links, id) }
			case 11:
				d.Kind, d.Body = record.IncidentUnlinked, &record.Reason{Reason: "x"}
				d.Subjects = []record.Subject{sub(pick(links), record.RoleLink)}
				then = func(id record.ID) { acts = append(acts, id) }
			case 12:
				d.Kind, d.Body = record.IncidentAliased, &record.Reason{Reason: "x"}
				d.Subjects = []record.Subject{sub(pick(ins), record.RoleIncident), sub(pick(ins), record.RoleInto)}
				if r.IntN(2) > 0 {
					continue
				}
				then = func(id record.ID) { acts = append(acts, id) }
			case 13:
				d.Kind, d.Body = record.AccountSetAside, &record.Reason{Reason: "x"}
				d.Subjects = []record.Subject{sub(pick(accs), record.RoleAccount)}
				then = func(id record.ID) { acts = append(acts, id) }
			case 14, 15, 16:
				d.Kind, d.Body = record.ActUndone, &record.Reason{Reason: "x"}
				from := [][]record.ID{acts, acts, ins}[r.IntN(3)]
				d.Subjects = []record.Subject{sub(pick(from), record.RoleAct)}
			case 17:
				b := verifytest.Linkage(1+r.Int64N(n.Registry.Head().Size+1), record.Digest{1})
				if b.Schema = 1 + r.IntN(2); r.IntN(2) == 0 {
					b.Params = *linkage.Default(nil).Record()
				}
				d.Kind, d.Body = record.LinkageFitted, b
				inBatch()
				then = func(id record.ID) { acts, models = append(acts, id), append(models, id) }
			}
			rec, err := n.File(ctx, d)
			if err != nil {
				refused++
				continue
			}
			admitted++
			all = append(all, rec.ID)
			if then != nil {
				then(rec.ID)
			}
		}
		if err := n.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		for _, in := range ins {
			p, err := n.Projection.Incident(ctx, in)
			n.Registry.View(func(s *mechanism.State) {
				if err != nil {
					return
				}
				if p.Number != s.IncidentNumber(in) {
					diffs["number"]++
				}
				if p.State != s.IncidentState(in) {
					diffs["state "+s.IncidentState(in)+"/"+p.State]++
				}
			})
		}
		for _, id := range accs {
			a, err := n.Projection.Account(ctx, id)
			n.Registry.View(func(s *mechanism.State) {
				want, _ := s.Account(id)
				if (err == nil) != want.Counts {
					diffs["counts"]++
				}
				if err == nil && (a.Current != want.Current || a.Aside != want.Aside || (a.State == "withdrawn") != want.Withdrawn || len(a.Body.Claims) != want.Claims) {
					diffs["account"]++
				}
			})
		}
		for _, id := range all {
			p, err := n.Projection.Record(ctx, id)
			n.Registry.View(func(s *mechanism.State) {
				if err != nil || (p.Undone >= 0) != s.IsUndone(id) {
					diffs["undone "+string(p.Kind)]++
				}
			})
		}
		if !modelsAsFiled(t, n, models) {
			diffs["models"]++
		}
		// every counted standing account is somewhere
		for a, err := range n.Projection.Accounts(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if a, err = n.Projection.Account(ctx, a.ID); err != nil { // with its links
				t.Fatal(err)
			}
			if !inSight(t, n, a) {
				diffs["account in no list"]++
			}
			for _, l := range a.Links {
				if _, err := n.Projection.Incident(ctx, l.Incident); err != nil {
					diffs["account page 404"]++
				}
			}
		}
		var one, two bytes.Buffer
		if err := n.Projection.Dump(ctx, &one); err != nil {
			t.Fatal(err)
		}
		var hash record.Digest
		n.Registry.View(func(s *mechanism.State) { hash = s.Hash() })
		out := t.TempDir() + "/log"
		if _, err := peer.Export(ctx, n, out, nil); err != nil {
			t.Fatal(err)
		}
		rep, err := verify.Log(context.Background(), verify.Dir(out), verify.Options{Key: n.Config.LogKey, Rules: true})
		if err != nil || !rep.OK() || !rep.Complete() || rep.StateHash != hash {
			t.Error(seed, err, rep.Verdict(), rep.StateHash, hash)
		}
		if err := n.Rebuild(ctx); err != nil {
			t.Fatal(err)
		}
		if err := n.Projection.Dump(ctx, &two); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Error(seed, "rebuild differs")
		}
	}
	if len(diffs) > 0 || admitted < 500 || refused < 200 {
		t.Errorf("%d admitted, %d refused, differences: %v", admitted, refused, diffs)
	}
}

// modelsAsFiled tells whether the tables list every model, the newest first, and whether
// the one in force is the latest that stands and can be compared by.
func modelsAsFiled(t *testing.T, n *node.Node, filed []record.ID) bool {
	t.Helper()
	ctx := context.Background()
	list, err := n.Projection.LinkageHistory(ctx)
	if err != nil {
		t.Fatal(err)
	}
	inForce, _, err := n.Projection.LinkageInForce(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var latest record.ID
	var ids []record.ID
	n.Registry.View(func(s *mechanism.State) {
		for _, f := range slices.Backward(list) {
			ids = append(ids, f.ID)
			if !s.IsUndone(f.ID) && f.Known() == nil {
				latest = f.ID
			}
		}
	})
	return slices.Equal(ids, filed) && inForce.ID == latest
}

// inSight tells whether an account stands under an incident, or among the unlinked.
func inSight(t *testing.T, n *node.Node, a projection.Account) bool {
	t.Helper()
	for _, l := range a.Links {
		list, err := n.Projection.AccountsOf(context.Background(), l.Root)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range list {
			if other.ID == a.ID {
				return true
			}
		}
	}
	if a.Aside {
		return true // listed apart
	}
	list, _, err := n.Projection.Unlinked(context.Background(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range list {
		if other.ID == a.ID {
			return true
		}
	}
	return false
}
