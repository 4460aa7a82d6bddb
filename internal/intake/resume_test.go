// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// File fails at the k-th record, before or after it is durable; a second run of the
// same file finishes what the first began, with nothing twice.
func TestCrashAnywhere(t *testing.T) {
	whole := newDoor(t, "lakes")
	mustRun(t, whole, twelve, intake.Options{})
	expect, records := accounts(t, whole), whole.filed
	for _, late := range []bool{false, true} {
		for k := 1; k <= records; k++ {
			d := newDoor(t, "lakes")
			d.failAt, d.failLate = k, late
			first, err := run(t, d, twelve, intake.Options{})
			if !errors.Is(err, errCrash) || first.NotReached == 0 && k < records {
				t.Fatalf("call %d: %v, %v", k, err, first)
			}
			if n := len(accounts(t, d)); n != 0 && !(late && k == records) {
				t.Fatalf("call %d: %d accounts count before the batch is closed", k, n)
			}
			d.failAt = 0
			second := mustRun(t, d, twelve, intake.Options{})
			if second.Accepted+second.Present != 12 {
				t.Fatalf("call %d: %v", k, second)
			}
			sameAccounts(t, accounts(t, d), expect)
			if d.filed != records {
				t.Fatalf("call %d: %d records, want %d", k, d.filed, records)
			}
			want(t, mustRun(t, d, twelve, intake.Options{}), 12, 0, 12, 0, 0)
			if end := batchEnd(t, d); end != (record.BatchEnd{Accepted: 12}) {
				t.Fatalf("call %d: the batch ends with %+v", k, end)
			}
		}
	}
}

func batchEnd(t *testing.T, d *memDoor) record.BatchEnd {
	t.Helper()
	for _, e := range d.entries {
		if e.st.Kind == record.BatchClosed {
			b, err := record.ParseBody(e.st.Kind, e.body)
			if err != nil {
				t.Fatal(err)
			}
			return *b.(*record.BatchEnd)
		}
	}
	t.Fatal("no batch is closed")
	return record.BatchEnd{}
}

func TestCancel(t *testing.T) {
	for k := 1; k <= 9; k++ {
		d := newDoor(t, "lakes")
		ctx, cancel := context.WithCancel(t.Context())
		d.beforeHit = func() {
			if d.calls+1 == k {
				cancel()
			}
		}
		r, err := intake.Import(ctx, d, strings.NewReader(twelve), intake.Options{Member: "clerk", Name: "x.csv"})
		checkSum(t, r)
		if !errors.Is(err, context.Canceled) || !r.Cancelled || r.Total != 12 || r.Rejected != 0 {
			t.Fatalf("call %d: %v, %v", k, err, r)
		}
		d.beforeHit = nil
		again := mustRun(t, d, twelve, intake.Options{})
		if again.Accepted+again.Present != 12 || again.Continued != (k > 1) || again.Present != r.Accepted {
			t.Fatalf("call %d: %v after %v", k, again, r)
		}
	}
	// Before anything is read.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := newDoor(t, "lakes")
	r, err := intake.Import(ctx, d, strings.NewReader(twelve), intake.Options{Member: "clerk", Name: "x.csv"})
	if !errors.Is(err, context.Canceled) || !r.Cancelled || r.NotReached != 12 || d.filed != 0 {
		t.Errorf("%v, %v", err, r)
	}
}

func TestReaderFails(t *testing.T) {
	d := newDoor(t, "lakes")
	broken := &failingReader{data: []byte(twelve[:len(twelve)-500])}
	r, err := intake.Import(t.Context(), d, broken, intake.Options{Member: "clerk", Name: "x.csv"})
	checkSum(t, r)
	if !errors.Is(err, errCrash) || d.filed != 0 || r.Accepted != 0 {
		t.Errorf("%v, %v", err, r)
	}
}

type failingReader struct{ data []byte }

func (f *failingReader) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, errCrash
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}

func TestOtherContentIsRejected(t *testing.T) {
	for name, change := range map[string][2]string{
		"claim":  {",4,4,", ",5,5,"},
		"source": {"Bulletin 1,https://lakes.example/1", "Bulletin 1,https://lakes.example/1b"},
	} {
		d := newDoor(t, "lakes")
		mustRun(t, d, twelve, intake.Options{})
		changed := strings.ReplaceAll(twelve, change[0], change[1])
		changed += row("statement_id", "NEW")
		r := mustRun(t, d, changed, intake.Options{OnBad: intake.Skip})
		rejected := int64(3) // S1
		if name == "source" {
			rejected = 5 // and S2
		}
		want(t, r, 13, 1, 12-rejected, rejected, 0)
		if b := r.Bad[0]; !strings.Contains(b.Reason, `statement "S1" is in the ledger with other content: the recorded account stays`) {
			t.Errorf("%s: %v", name, b)
		}
		checkBadList(t, r)
	}
}

func TestOtherImportNotFinished(t *testing.T) {
	d := newDoor(t, "lakes")
	d.failAt = 5
	if _, err := run(t, d, twelve, intake.Options{Name: "first.csv"}); err == nil {
		t.Fatal("no crash")
	}
	d.failAt = 0
	longer := twelve + row("statement_id", "NEW")
	r := mustRun(t, d, longer, intake.Options{OnBad: intake.Skip, Name: "second.csv"})
	if r.Rejected == 0 || !strings.Contains(r.Bad[0].Reason, `finish it by importing "first.csv" again`) {
		t.Fatalf("%v", r)
	}
	mustRun(t, d, twelve, intake.Options{Name: "first.csv"})
	// What the second file filed counts as it is; now the first file's rows stand too.
	r = mustRun(t, d, longer, intake.Options{})
	want(t, r, 13, 0, 13, 0, 0)
	if acc := accounts(t, d); len(acc) != 6 {
		t.Errorf("%d accounts", len(acc))
	}
}

func TestWithdrawnBatchCanBeImportedAgain(t *testing.T) {
	d := newDoor(t, "lakes")
	for range 3 {
		r := mustRun(t, d, twelve, intake.Options{})
		want(t, r, 12, 12, 0, 0, 0)
		if n := len(accounts(t, d)); n != 5 {
			t.Fatalf("%d accounts", n)
		}
		_, err := d.File(t.Context(), node.Draft{Kind: record.BatchWithdrawn, Member: "clerk", Body: &record.Reason{Reason: "wrong file"}, Subjects: []record.Subject{{ID: r.Batch, Role: record.RoleBatch}}})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(accounts(t, d)); n != 0 {
			t.Fatalf("%d accounts after the withdrawal", n)
		}
	}
}

// Who withdraws a file while it is taken in ends that: nothing of it is said to be
// accepted, no other batch begins, and a further run takes in all of it.
func TestBatchWithdrawnWhileItsFileIsTakenIn(t *testing.T) {
	d := newDoor(t, "lakes")
	n := 0
	d.beforeHit = func() {
		if n++; n != 5 { // after the opening, and a document and an account or two
			return
		}
		for _, e := range d.entries {
			if e.st.Kind == record.BatchOpened {
				if _, err := d.admit(node.Draft{Kind: record.BatchWithdrawn, Member: "clerk", Body: &record.Reason{Reason: "wrong file"}, Subjects: []record.Subject{{ID: e.st.ID, Role: record.RoleBatch}}}); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		t.Fatal("no batch is open")
	}
	if _, err := run(t, d, twelve, intake.Options{}); err == nil || !strings.Contains(err.Error(), "withdrawn while") {
		t.Errorf("the import ended with %v", err)
	}
	if k := d.kinds(); k[record.BatchOpened] != 1 || k[record.BatchClosed] != 0 {
		t.Errorf("%v", k)
	}
	d.beforeHit = nil
	want(t, mustRun(t, d, twelve, intake.Options{}), 12, 12, 0, 0, 0)
}

// A row that was rejected and can be filed later goes into a new batch of the same file.
func TestSameFileAfterItsBatchIsClosed(t *testing.T) {
	d := newDoor(t, "lakes")
	refuse := &refusingDoor{memDoor: d, name: "S2"}
	r := mustRun(t, refuse, twelve, intake.Options{OnBad: intake.Skip})
	want(t, r, 12, 10, 0, 2, 0)
	if b := r.Bad[0]; b.Row != 3 || b.Rule != mechanism.NotInAgreement || b.Reason != "not yet" {
		t.Errorf("%v", b)
	}
	again := mustRun(t, d, twelve, intake.Options{})
	want(t, again, 12, 2, 10, 0, 0)
	if again.Batch == r.Batch || d.BatchState(again.Batch) != "closed" {
		t.Errorf("batch %s is %s", again.Batch, d.BatchState(again.Batch))
	}
}

// refusingDoor refuses one account when it is checked, or when it is filed.
type refusingDoor struct {
	*memDoor
	name   string
	filing bool
}

func (d *refusingDoor) CheckAccount(a *record.Account) error {
	if a.External == d.name && !d.filing {
		return &mechanism.Refusal{Code: mechanism.NotInAgreement, Reason: "not yet"}
	}
	return d.memDoor.CheckAccount(a)
}

func (d *refusingDoor) File(ctx context.Context, dr node.Draft) (r registryReceipt, err error) {
	if a, ok := dr.Body.(*record.Account); ok && a.External == d.name && d.filing {
		return r, &mechanism.Refusal{Code: mechanism.StateForbids, Reason: "not now"}
	}
	return d.memDoor.File(ctx, dr)
}

func TestRefusedAtTheDoor(t *testing.T) {
	d := newDoor(t, "lakes")
	refuse := &refusingDoor{memDoor: d, name: "S2", filing: true}
	r := mustRun(t, refuse, twelve, intake.Options{OnBad: intake.Skip})
	want(t, r, 12, 10, 0, 2, 0)
	if b := r.Bad[0]; b.Row != 3 || b.Rule != mechanism.StateForbids || b.Reason != "not now" {
		t.Errorf("%v", b)
	}
	checkBadList(t, r)

	d = newDoor(t, "lakes")
	refuse.memDoor = d
	r = mustRun(t, refuse, twelve, intake.Options{})
	want(t, r, 12, 3, 0, 9, 0) // what was good until then is filed, in a batch that is open
	checkBadList(t, r)
	if !r.Stopped || d.BatchState(r.Batch) != "open" {
		t.Errorf("%v, batch %s", r, d.BatchState(r.Batch))
	}
	want(t, mustRun(t, refuse, twelve, intake.Options{OnBad: intake.Skip}), 12, 7, 3, 2, 0)
	if end := batchEnd(t, d); end != (record.BatchEnd{Accepted: 10, Rejected: 2}) {
		t.Errorf("%+v", end)
	}

	// A batch that cannot be opened: the node signs with a key that is another member's.
	d = newDoor(t, "lakes")
	d.signers["clerk"] = d.signers["watch"]
	r, err := run(t, d, twelve, intake.Options{Member: "clerk"})
	if err == nil || !strings.Contains(err.Error(), string(mechanism.KeyNotValid)) {
		t.Errorf("%v", err)
	}
	want(t, r, 12, 0, 0, 0, 12)
}

func TestProgress(t *testing.T) {
	d := newDoor(t, "lakes")
	var done []int64
	mustRun(t, d, twelve, intake.Options{Progress: func(n, total int64) {
		if total != 12 {
			t.Errorf("total %d", total)
		}
		done = append(done, n)
	}})
	if len(done) != 5 || done[4] != 12 || done[0] != 3 {
		t.Errorf("progress %v", done)
	}
}

// Two runs of one file at the same time: one is ahead of the other at every record.
func TestTwoRunsAtOnce(t *testing.T) {
	d := newDoor(t, "lakes")
	started := false
	d.beforeHit = func() {
		if started || d.calls != 4 {
			return
		}
		started = true
		other, err := intake.Import(t.Context(), d, bytes.NewReader([]byte(twelve)), intake.Options{Member: "clerk", Name: "x.csv"})
		checkSum(t, other)
		if err != nil {
			t.Errorf("the second run: %v", err)
		}
	}
	r, err := run(t, d, twelve, intake.Options{OnBad: intake.Skip})
	if err != nil || r.Rejected != 0 {
		t.Errorf("%v, %v", r, err)
	}
	if len(accounts(t, d)) != 5 {
		t.Errorf("%d accounts", len(accounts(t, d)))
	}
}

// More statements than are in memory at a time, cut short and finished.
func TestManyStatements(t *testing.T) {
	var b strings.Builder
	b.WriteString(head)
	for i := range 700 {
		b.WriteString(row("statement_id", fmt.Sprint("S", i%600), "claim_id", fmt.Sprint(i), "source_title", fmt.Sprint("Log ", i%600/7)))
	}
	d := newDoor(t, "lakes")
	d.failAt = 500
	if _, err := run(t, d, b.String(), intake.Options{}); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	if r, err := run(t, d, b.String(), intake.Options{Member: "watch"}); err == nil || !strings.Contains(err.Error(), "clerk began to import this file") {
		t.Errorf("another member: %v, %v", err, r)
	}
	d.failAt = 0
	r := mustRun(t, d, b.String(), intake.Options{})
	if r.Accepted+r.Present != 700 || r.Accepted == 0 || r.Present == 0 || !r.Continued {
		t.Errorf("%v", r)
	}
	if k := d.kinds(); k[record.AccountFiled] != 600 || k[record.ReportFiled] != 86 || k[record.BatchOpened] != 1 {
		t.Errorf("%v", k)
	}
	roundTrip(t, d, "lakes", 700)
}

// Another member files something of its own under the ids that an import would use:
// that costs the import another id each, and nothing more.
func TestSquattedIDs(t *testing.T) {
	d := newDoor(t, "lakes")
	mustRun(t, d, twelve, intake.Options{})
	squatted := newDoorOf(t, "lakes", d.mission)
	for _, e := range d.entries {
		switch e.st.Kind {
		case record.BatchOpened, record.ReportFiled, record.AccountFiled, record.BatchClosed:
			if _, err := squatted.File(t.Context(), node.Draft{ID: e.st.ID, Kind: record.ReportFiled, Member: "watch", Body: &record.Report{Title: "mine"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	want(t, mustRun(t, squatted, twelve, intake.Options{}), 12, 12, 0, 0, 0)
	sameAccounts(t, accounts(t, squatted), accounts(t, d))
	want(t, mustRun(t, squatted, twelve, intake.Options{}), 12, 0, 12, 0, 0)
}

// Two runs of one file, the other of which is ahead at any record, and sees what this
// one files too late: whatever is refused as a second use of an id is looked for again.
func TestTwoRunsRace(t *testing.T) {
	for k := range 10 {
		d := newDoor(t, "lakes")
		started := false
		d.beforeHit = func() {
			if started || d.calls != k {
				return
			}
			started = true
			other, err := intake.Import(t.Context(), d, strings.NewReader(twelve), intake.Options{Member: "clerk", Name: "x.csv"})
			checkSum(t, other)
			if err != nil {
				t.Errorf("call %d, the other run: %v", k, err)
			}
		}
		r, err := run(t, d, twelve, intake.Options{})
		if err != nil || r.Rejected != 0 || r.Accepted+r.Present != 12 {
			t.Errorf("call %d: %v, %v", k, r, err)
		}
		if kinds := d.kinds(); kinds[record.AccountFiled] != 5 || kinds[record.BatchOpened] != 1 || kinds[record.BatchClosed] != 1 || len(accounts(t, d)) != 5 {
			t.Errorf("call %d: %v", k, kinds)
		}
	}
}

// lineless is a door of a member's node whose line breaks: what it is given waits.
type lineless struct {
	*memDoor
	left int // how often it still files
	err  error
}

func (l *lineless) File(ctx context.Context, d node.Draft) (registry.Receipt, error) {
	if l.left--; l.left < 0 {
		return registry.Receipt{}, fmt.Errorf("file it: %w", l.err)
	}
	return l.memDoor.File(ctx, d)
}

func (l *lineless) FileTogether(ctx context.Context, list []node.Draft) (out []registry.Receipt, err error) {
	for _, d := range list {
		r, err := l.File(ctx, d)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// A file whose import loses the line is run again later; the records are not filed again.
func TestLineIsLost(t *testing.T) {
	for _, lost := range []error{&node.Queued{Err: errCrash}, outbox.ErrConflict} {
		for _, left := range []int{0, 1, 5} {
			d := &lineless{newDoor(t, "lakes"), left, lost}
			_, err := intake.Import(t.Context(), d, strings.NewReader(twelve), intake.Options{Member: "clerk", Name: "x.csv"})
			if !errors.Is(err, intake.ErrLineLost) || !strings.Contains(err.Error(), "run the same file again") || strings.Contains(err.Error(), "do not file it again") {
				t.Errorf("after %d records: %v", left, err)
			}
		}
	}
}
