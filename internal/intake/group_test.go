// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/mechanism"
	"truceline/record"
)

// manyStatements are statements of one row, seven of which share a document.
func manyStatements(n int) string {
	var b strings.Builder
	b.WriteString(head)
	for i := range n {
		b.WriteString(row("statement_id", fmt.Sprint("S", i), "claim_id", fmt.Sprint(i), "source_title", fmt.Sprint("Log ", i/7)))
	}
	return b.String()
}

// Filed in groups or one by one, the ledger holds the same accounts.
func TestGroupsFileTheSame(t *testing.T) {
	file := manyStatements(300)
	single := newDoor(t, "lakes")
	mustRun(t, single, file, intake.Options{})
	d := &groupDoor{memDoor: newDoor(t, "lakes")}
	r := mustRun(t, d, file, intake.Options{})
	want(t, r, 300, 300, 0, 0, 0)
	if r.Accounts != 300 || r.Documents != 43 || d.groups != 5 || d.filed != single.filed {
		t.Errorf("%d accounts, %d documents in %d groups, %d records and not %d", r.Accounts, r.Documents, d.groups, d.filed, single.filed)
	}
	sameAccounts(t, accounts(t, d.memDoor), accounts(t, single))
	want(t, mustRun(t, d, file, intake.Options{}), 300, 0, 300, 0, 0)
}

// Whatever call fails, before or after it is durable: the next run finishes it.
func TestGroupsCrash(t *testing.T) {
	file := manyStatements(150)
	for _, late := range []bool{false, true} {
		for k := 1; k <= 5; k++ { // open, three groups, close
			d := &groupDoor{memDoor: newDoor(t, "lakes")}
			d.failAt, d.failLate = k, late
			if _, err := run(t, d, file, intake.Options{}); !errors.Is(err, errCrash) {
				t.Fatalf("call %d: %v", k, err)
			}
			if n := len(accounts(t, d.memDoor)); n != 0 && !(late && k == 5) {
				t.Fatalf("call %d: %d accounts count before the batch is closed", k, n)
			}
			d.failAt = 0
			if r := mustRun(t, d, file, intake.Options{}); r.Accepted+r.Present != 150 || d.filed != 150+22+2 {
				t.Fatalf("call %d: %v, %d records", k, r, d.filed)
			}
			if end := batchEnd(t, d.memDoor); end != (record.BatchEnd{Accepted: 150}) {
				t.Fatalf("call %d: the batch ends with %+v", k, end)
			}
		}
	}
}

// One statement that the registry refuses does not take its group with it.
func TestGroupWithARefusal(t *testing.T) {
	file := manyStatements(150)
	refusing := func() intake.Door {
		return &refusingGroup{groupDoor: &groupDoor{memDoor: newDoor(t, "lakes")}, name: "S70"}
	}
	d := refusing()
	r := mustRun(t, d, file, intake.Options{OnBad: intake.Skip})
	want(t, r, 150, 149, 0, 1, 0)
	if r.Bad[0].Row != 71 || r.Bad[0].Reason != "not now" || r.Accounts != 149 || r.Documents != 22 {
		t.Errorf("%v, %d accounts, %d documents", r, r.Accounts, r.Documents)
	}
	checkBadList(t, r)
	want(t, mustRun(t, d, file, intake.Options{OnBad: intake.Skip}), 150, 0, 149, 1, 0)
	stop := mustRun(t, refusing(), file, intake.Options{})
	want(t, stop, 150, 70, 0, 80, 0)
	if !stop.Stopped || stop.Unfiled != 79 {
		t.Errorf("%v", stop)
	}
}

// Cancelled at half: nothing of the file counts, and a second run finishes it.
func TestGroupsCancelled(t *testing.T) {
	d := &groupDoor{memDoor: newDoor(t, "lakes")}
	ctx, cancel := context.WithCancel(t.Context())
	var last int64
	r, err := intake.Import(ctx, d, strings.NewReader(manyStatements(300)), intake.Options{Member: "clerk", Name: "x.csv", Progress: func(done, total int64) {
		if last = done; total > 0 && done >= total/2 {
			cancel()
		}
	}})
	checkSum(t, r)
	if !errors.Is(err, context.Canceled) || !r.Cancelled || r.Accepted != last || r.NotReached != 300-last || last < 150 || last > 256 {
		t.Fatalf("%v, %v, last progress %d", err, r, last)
	}
	if n := len(accounts(t, d.memDoor)); n != 0 {
		t.Errorf("%d accounts count of a file that is not finished", n)
	}
	again := mustRun(t, d, manyStatements(300), intake.Options{})
	want(t, again, 300, 300-last, last, 0, 0)
	if !again.Continued || len(accounts(t, d.memDoor)) != 300 {
		t.Errorf("%v", again)
	}
}

// Two runs of one file at once, one ahead of the other at any call.
func TestGroupsRace(t *testing.T) {
	file := manyStatements(150)
	for k := range 6 {
		d := &groupDoor{memDoor: newDoor(t, "lakes")}
		started := false
		d.beforeHit = func() {
			if started || d.calls != k {
				return
			}
			started = true
			other, err := intake.Import(t.Context(), d, strings.NewReader(file), intake.Options{Member: "clerk", Name: "x.csv"})
			checkSum(t, other)
			if err != nil {
				t.Errorf("call %d, the other run: %v", k, err)
			}
		}
		r, err := run(t, d, file, intake.Options{})
		if err != nil || r.Rejected != 0 || r.Accepted+r.Present != 150 || len(accounts(t, d.memDoor)) != 150 {
			t.Errorf("call %d: %v, %v", k, r, err)
		}
		if kinds := d.kinds(); kinds[record.AccountFiled] != 150 || kinds[record.BatchOpened] != 1 || kinds[record.BatchClosed] != 1 {
			t.Errorf("call %d: %v", k, kinds)
		}
	}
}

// refusingGroup refuses one account when it is filed.
type refusingGroup struct {
	*groupDoor
	name string
}

func (d *refusingGroup) refuses(drafts ...node.Draft) error {
	for _, dr := range drafts {
		if a, ok := dr.Body.(*record.Account); ok && a.External == d.name {
			return &mechanism.Refusal{Code: mechanism.StateForbids, Reason: "not now"}
		}
	}
	return nil
}

func (d *refusingGroup) File(ctx context.Context, dr node.Draft) (r registryReceipt, err error) {
	if err := d.refuses(dr); err != nil {
		return r, err
	}
	return d.groupDoor.File(ctx, dr)
}

func (d *refusingGroup) FileTogether(ctx context.Context, drafts []node.Draft) ([]registryReceipt, error) {
	if err := d.refuses(drafts...); err != nil {
		return nil, err
	}
	return d.groupDoor.FileTogether(ctx, drafts)
}
