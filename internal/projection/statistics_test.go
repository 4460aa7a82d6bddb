// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	mrand "math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/statistics"
)

// TestStatisticsFollow: whatever is filed in whatever order, what is kept in memory and
// brought up to date is what the tables give when they are read from the start, and the
// claims listed for one incident are those that were counted.
func TestStatisticsFollow(t *testing.T) {
	ctx := context.Background()
	followed, values := 0, 0
	for seed := range uint64(3) {
		r := mrand.New(mrand.NewPCG(seed, 11))
		dir := nodetest.Create(t)
		n := nodetest.Open(t, dir)
		f := filer{t: t, n: n, r: r, current: map[record.ID]record.ID{}}
		for range 40 {
			f.some()
			if err := n.Sync(ctx); err != nil {
				t.Fatal(err)
			}
			got, err := n.Projection.Statistics(ctx)
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := projection.OpenExisting(ctx, filepath.Join(dir, local.ProjectionFile))
			if err != nil {
				t.Fatal(err)
			}
			want, err := fresh.Statistics(ctx)
			fresh.Close()
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: followed\n%v\nread anew\n%v", seed, list(got), list(want))
			}
			pack, _ := n.Projection.Pack(ctx)
			for _, e := range got {
				said, err := n.Projection.SaidOf(ctx, e.ID)
				if err != nil {
					t.Fatal(err)
				}
				if again := statistics.NewReader(pack).Read(e.Incident, said); !reflect.DeepEqual(again, e) {
					t.Fatalf("seed %d: said of %s:\n%+v\ncounted:\n%+v", seed, e.ID, again, e)
				}
				values += len(e.Values)
			}
			followed++
		}
	}
	if followed < 100 || values < 150 {
		t.Errorf("only %d looks and %d values: the filing is too thin", followed, values)
	}
}

func list(entries []*statistics.Entry) []statistics.Entry {
	var out []statistics.Entry
	for _, e := range entries {
		out = append(out, *e)
	}
	return out
}

// filer files what a desk may, at random.
type filer struct {
	t                          *testing.T
	n                          *node.Node
	r                          *mrand.Rand
	accounts, incidents, links []record.ID
	acts                       []record.ID
	current                    map[record.ID]record.ID
	batches                    []record.ID
}

func (f *filer) pick(l []record.ID) (record.ID, bool) {
	if len(l) == 0 {
		return record.ID{}, false
	}
	return l[f.r.IntN(len(l))], true
}

// file files a draft; what the rules refuse is passed over.
func (f *filer) file(d node.Draft) (record.ID, bool) {
	d.Member = nodetest.Desk(f.n)
	r, err := f.n.File(context.Background(), d)
	return r.ID, err == nil
}

func (f *filer) some() {
	sub := func(id record.ID, role record.Role) record.Subject { return record.Subject{ID: id, Role: role} }
	for range 2 + f.r.IntN(6) {
		switch f.r.IntN(12) {
		case 0, 1:
			d := nodetest.Account(f.n, []string{"a", "b"}[f.r.IntN(2)], int64(f.r.IntN(20)))
			if b, ok := f.pick(f.batches); ok && f.r.IntN(2) == 0 {
				d.Subjects = append(d.Subjects, sub(b, record.RoleBatch))
			}
			if id, ok := f.file(d); ok {
				f.accounts, f.current[id] = append(f.accounts, id), id
			}
		case 2, 3:
			d := nodetest.Incident(f.n, "somewhere")
			if b, ok := f.pick(f.batches); ok && f.r.IntN(3) == 0 {
				d.Subjects = append(d.Subjects, sub(b, record.RoleBatch))
			}
			if id, ok := f.file(d); ok {
				f.incidents = append(f.incidents, id)
			}
		case 4, 5, 6, 7:
			a, _ := f.pick(f.accounts)
			in, ok := f.pick(f.incidents)
			if !ok {
				continue
			}
			role := []record.LinkRole{record.LinkAbout, record.LinkAbout, record.LinkPartOf}[f.r.IntN(3)]
			if id, ok := f.file(node.Draft{Kind: record.IncidentLinked, Body: &record.Link{Role: role, Reason: "x"},
				Subjects: []record.Subject{sub(a, record.RoleAccount), sub(in, record.RoleIncident)}}); ok {
				f.links = append(f.links, id)
			}
		case 8:
			if l, ok := f.pick(f.links); ok {
				if id, ok := f.file(node.Draft{Kind: record.IncidentUnlinked, Body: &record.Reason{Reason: "x"}, Subjects: []record.Subject{sub(l, record.RoleLink)}}); ok {
					f.acts = append(f.acts, id)
				}
			}
		case 9:
			if a, ok := f.pick(f.accounts); ok {
				d := nodetest.Account(f.n, "a", int64(f.r.IntN(20)))
				d.Kind, d.Supersedes, d.Subjects = record.AccountAmended, f.current[a], []record.Subject{sub(a, record.RoleAccount)}
				if f.r.IntN(4) == 0 {
					d = node.Draft{Kind: record.AccountWithdrawn, Body: &record.Reason{Reason: "x"}, Subjects: d.Subjects}
				}
				if id, ok := f.file(d); ok {
					f.acts = append(f.acts, id)
					if d.Kind == record.AccountAmended {
						f.current[a] = id
					}
				}
			}
		case 10:
			from, _ := f.pick(f.incidents)
			into, ok := f.pick(f.incidents)
			if ok && f.r.IntN(2) == 0 {
				if id, ok := f.file(node.Draft{Kind: record.IncidentAliased, Body: &record.Reason{Reason: "x"},
					Subjects: []record.Subject{sub(from, record.RoleIncident), sub(into, record.RoleInto)}}); ok {
					f.acts = append(f.acts, id)
				}
			} else if act, ok := f.pick(slices.Concat(f.acts, f.incidents)); ok {
				f.file(node.Draft{Kind: record.ActUndone, Body: &record.Reason{Reason: "x"}, Subjects: []record.Subject{sub(act, record.RoleAct)}})
			}
		case 11:
			if b, ok := f.pick(f.batches); ok && f.r.IntN(2) == 0 {
				kind, body := record.BatchClosed, record.Body(&record.BatchEnd{})
				if f.r.IntN(3) == 0 {
					kind, body = record.BatchWithdrawn, &record.Reason{Reason: "x"}
				}
				if id, ok := f.file(node.Draft{Kind: kind, Body: body, Subjects: []record.Subject{sub(b, record.RoleBatch)}}); ok && kind == record.BatchWithdrawn {
					f.acts = append(f.acts, id)
				}
			} else if id, ok := f.file(node.Draft{Kind: record.BatchOpened, Body: &record.Batch{Name: "b", FileSHA256: record.Digest{byte(len(f.batches)), 1}}}); ok {
				f.batches = append(f.batches, id)
			}
		}
	}
}

// TestStatisticsByHand: what stands is counted, and a figure told of two incidents at
// once is a figure of neither.
func TestStatisticsByHand(t *testing.T) {
	ctx := context.Background()
	n := nodetest.Open(t, nodetest.Create(t))
	sub := func(id record.ID, role record.Role) record.Subject { return record.Subject{ID: id, Role: role} }
	one, two := nodetest.MustFile(t, n, nodetest.Incident(n, "one")), nodetest.MustFile(t, n, nodetest.Incident(n, "two"))
	a, b := nodetest.MustFile(t, n, nodetest.Account(n, "a", 5)), nodetest.MustFile(t, n, nodetest.Account(n, "b", 7))
	link := func(account, incident record.ID, claims ...int) record.ID {
		return nodetest.MustFile(t, n, node.Draft{Kind: record.IncidentLinked, Member: nodetest.Desk(n), Body: &record.Link{Role: record.LinkAbout, Reason: "x", Claims: claims},
			Subjects: []record.Subject{sub(account, record.RoleAccount), sub(incident, record.RoleIncident)}})
	}
	why := func(kind record.Kind, on record.Subject) record.ID {
		return nodetest.MustFile(t, n, node.Draft{Kind: kind, Member: nodetest.Desk(n), Body: &record.Reason{Reason: "x"}, Subjects: []record.Subject{on}})
	}
	// wants: figures of incident one, then of incident two.
	wants := func(what string, accounts [2]int, figures ...[]int64) {
		t.Helper()
		if err := n.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		entries, err := n.Projection.Statistics(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range []record.ID{one, two} {
			at := slices.IndexFunc(entries, func(e *statistics.Entry) bool { return e.ID == id })
			if at < 0 {
				t.Fatalf("%s: incident %d is not there", what, i+1)
			}
			var got []int64
			for _, v := range entries[at].Values {
				got = append(got, *v.Figure.Low)
			}
			if !slices.Equal(got, figures[i]) || entries[at].Accounts != accounts[i] {
				t.Errorf("%s: incident %d has the figures %v of %d accounts, not %v of %d", what, i+1, got, entries[at].Accounts, figures[i], accounts[i])
			}
		}
	}
	wants("nothing linked", [2]int{}, nil, nil)
	link(a, one, 1)
	link(b, one)
	wants("two accounts", [2]int{2, 0}, []int64{5, 7}, nil)
	l := link(a, two)
	wants("an account of both", [2]int{2, 1}, []int64{7}, nil)
	undone := why(record.IncidentUnlinked, sub(l, record.RoleLink))
	wants("the second link undone", [2]int{2, 0}, []int64{5, 7}, nil)
	why(record.ActUndone, sub(undone, record.RoleAct))
	wants("and made again", [2]int{2, 1}, []int64{7}, nil)
	withdrawn := why(record.AccountWithdrawn, sub(b, record.RoleAccount))
	wants("an account withdrawn", [2]int{1, 1}, nil, nil)
	why(record.ActUndone, sub(withdrawn, record.RoleAct))
	wants("and not", [2]int{2, 1}, []int64{7}, nil)
}
