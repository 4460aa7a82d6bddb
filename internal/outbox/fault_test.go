// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"reflect"
	"testing"

	"truceline/internal/outbox"
)

// edit changes a box behind its back.
func edit(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	for _, s := range statements {
		_, e := db.Exec(s)
		err = errors.Join(err, e)
	}
	must(t, errors.Join(err, db.Close()))
}

// TestWriteFaults: a call that fails leaves nothing behind, and the box goes on when the
// cause is gone.
func TestWriteFaults(t *testing.T) {
	ctx := context.Background()
	b, path, _ := fresh(t)
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	first, err := b.Put(ctx, d.act(60))
	must(t, err)
	_, err = b.Step(ctx, first.Seq, outbox.Hand, outbox.Detail{})
	must(t, err)
	large, receipts := d.act(60), reg.prove(reg.admit(first.Records))
	failing := func(name string, want error) {
		t.Helper()
		before := all(t, b)
		for range 2 {
			if a, err := b.Put(ctx, large); err == nil || want != nil && !errors.Is(err, want) {
				t.Fatalf("%s: put as %d, %v", name, a.Seq, err)
			}
			if a, err := b.Step(ctx, first.Seq, outbox.Found, outbox.Detail{Receipts: receipts}); err == nil || want != nil && !errors.Is(err, want) {
				t.Fatalf("%s: %s, %v", name, a.State, err)
			}
			must(t, b.Check(ctx))
			if now := all(t, b); !reflect.DeepEqual(now, before) {
				t.Fatalf("%s: the box was changed", name)
			}
		}
	}
	must(t, b.WriterPragma(ctx, "max_page_count = 1")) // no further page
	for i := 0; ; i++ {                                // fill the pages there are
		if _, err := b.Put(ctx, d.act(1)); errors.Is(err, outbox.ErrFull) {
			break
		} else if err != nil || i > 100 {
			t.Fatalf("the disk does not fill up: %v", err)
		}
	}
	failing("disk full", outbox.ErrFull)
	must(t, b.WriterPragma(ctx, "max_page_count = 1000000"))
	edit(t, path, "CREATE TRIGGER fault BEFORE INSERT ON records WHEN NEW.n = 59 BEGIN SELECT RAISE(ABORT, 'fault'); END",
		"CREATE TRIGGER fault2 BEFORE INSERT ON receipts WHEN NEW.n = 1 BEGIN SELECT RAISE(ROLLBACK, 'fault'); END")
	failing("a row refused under way", nil)
	edit(t, path, "DROP TRIGGER fault", "DROP TRIGGER fault2")
	_, err = b.Put(ctx, large)
	must(t, err)
	_, err = b.Step(ctx, first.Seq, outbox.Found, outbox.Detail{Receipts: receipts})
	must(t, err)
	must(t, b.Check(ctx))
}

// TestCheckNotices: each way in which the file can go wrong on its own is named.
func TestCheckNotices(t *testing.T) {
	ctx := context.Background()
	b, path, c := fresh(t)
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	for i := range 4 {
		a, err := b.Put(ctx, d.act(2))
		must(t, err)
		switch i {
		case 1:
			_, err = b.Step(ctx, a.Seq, outbox.Carried, outbox.Detail{})
		case 2:
			_, err = b.Step(ctx, a.Seq, outbox.Found, outbox.Detail{Receipts: reg.prove(reg.admit(a.Records))})
		case 3:
			_, err = b.Step(ctx, a.Seq, outbox.RefusalVerified, outbox.Detail{Refusal: reg.refuse(a.Records[1], "no")})
		}
		must(t, err)
	}
	must(t, b.Check(ctx))
	must(t, b.Close())
	for name, statement := range map[string]string{
		"no such state":                  "UPDATE acts SET state = 'lost' WHERE seq = 1",
		"a receipt's state without one":  "UPDATE acts SET state = 'receipted' WHERE seq = 1",
		"a refusal's state without one":  "UPDATE acts SET state = 'refused' WHERE seq = 2",
		"back from a receipt":            "UPDATE acts SET state = 'sent' WHERE seq = 3",
		"back from a refusal":            "UPDATE acts SET state = 'queued' WHERE seq = 4",
		"sent without a try":             "UPDATE acts SET tries = 0 WHERE seq = 2",
		"a try at no time":               "UPDATE acts SET tried_at = 0 WHERE seq = 2",
		"queued after a try":             "UPDATE acts SET state = 'queued' WHERE seq = 2",
		"another member":                 "UPDATE acts SET member = 'RID' WHERE seq = 1",
		"a record gone":                  "DELETE FROM records WHERE act = 1",
		"one record of two gone":         "DELETE FROM records WHERE act = 3 AND n = 1",
		"another envelope":               "UPDATE records SET envelope = (SELECT envelope FROM records WHERE act = 1 AND n = 0) WHERE act = 2 AND n = 0",
		"no envelope":                    "UPDATE records SET envelope = x'' WHERE act = 1 AND n = 0",
		"another body":                   "UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'report', 'rapport') AS BLOB) WHERE act = 1",
		"no body":                        "UPDATE records SET body = NULL WHERE act = 1",
		"another salt":                   "UPDATE records SET body_salt = zeroblob(32) WHERE act = 1",
		"another kind":                   "UPDATE records SET kind = 'clock.ticked' WHERE act = 1",
		"a receipt gone":                 "DELETE FROM receipts WHERE n = 1",
		"both receipts gone":             "DELETE FROM receipts",
		"another time":                   "UPDATE receipts SET logged_at = logged_at + 1 WHERE n = 1",
		"another place":                  "UPDATE receipts SET place = 7 WHERE n = 1",
		"another checkpoint":             "UPDATE receipts SET checkpoint = x'00' WHERE n = 1",
		"another proof":                  "UPDATE receipts SET proof = (SELECT proof FROM receipts WHERE n = 0) WHERE n = 1",
		"witnessed by nobody":            "UPDATE receipts SET witnessed_at = 5 WHERE n = 1",
		"names that cannot be read":      "UPDATE receipts SET witnesses = 'x' WHERE n = 1",
		"another refusal":                "UPDATE acts SET refusal = x'7b7d' WHERE seq = 4",
		"no refusal":                     "UPDATE acts SET refusal = NULL WHERE seq = 4",
		"another reason":                 "UPDATE acts SET refusal_reason = 'yes' WHERE seq = 4",
		"a reason of nothing":            "UPDATE acts SET refusal_reason = 'yes' WHERE seq = 1",
		"an act gone, its records there": "DELETE FROM acts WHERE seq = 1",
		"indexes exchanged":              "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('acts_waiting', 'receipts_unwitnessed')) - rootpage WHERE name IN ('acts_waiting', 'receipts_unwitnessed')",
	} {
		t.Run(name, func(t *testing.T) {
			to := copyBox(t, path)
			edit(t, to, statement)
			box := open(t, to, c)
			if err := box.Check(ctx); !errors.Is(err, outbox.ErrDamaged) {
				t.Errorf("Check: %v, want ErrDamaged", err)
			}
		})
	}
	// A page of rubbish in the middle.
	to := copyBox(t, path)
	data, err := os.ReadFile(to)
	must(t, err)
	copy(data[len(data)/2:], make([]byte, 600))
	must(t, os.WriteFile(to, data, 0o600))
	if box, err := outbox.Open(ctx, to, outbox.Options{Now: c.now}); err == nil {
		if err := box.Check(ctx); !errors.Is(err, outbox.ErrDamaged) {
			t.Errorf("Check of a broken file: %v, want ErrDamaged", err)
		}
		box.Close()
	}
	must(t, open(t, path, c).Check(ctx))
}
