// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"truceline/internal/outbox"
	"truceline/ledger"
	"truceline/record"
)

func TestOpenMakesAFileForItsOwnerAlone(t *testing.T) {
	ctx, c := context.Background(), newClock()
	path := filepath.Join(t.TempDir(), "outbox.db")
	if _, err := outbox.Open(ctx, path, outbox.Options{Now: c.now}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a box that is lost opens: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made all the same")
	}
	must(t, os.WriteFile(path, nil, 0o600))
	if _, err := outbox.Open(ctx, path, outbox.Options{Now: c.now}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty file opens: %v", err)
	}
	b := open(t, path, c)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
	must(t, b.Close())
	must(t, os.Chmod(path, 0o644))
	b, err := outbox.Open(ctx, path, outbox.Options{Now: c.now})
	must(t, err)
	defer b.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("after opening, others may read it: %v %v", info.Mode(), err)
	}
	if _, err := outbox.Open(ctx, path, outbox.Options{}); err == nil {
		t.Error("it opens without a clock")
	}
}

func TestOpenRefusesWhatIsNotItsOwn(t *testing.T) {
	ctx, dir, c := context.Background(), t.TempDir(), newClock()
	database := func(name, script string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(script)
		must(t, errors.Join(err, db.Close()))
		return path
	}
	must(t, open(t, filepath.Join(dir, "newer.db"), c).Close())
	long := filepath.Join(dir, "long.db")
	must(t, os.WriteFile(long, bytes.Repeat([]byte("x"), 5000), 0o600))
	for path, says := range map[string]string{
		long: "not an SQLite database",
		database("other.db", "CREATE TABLE t (x)"):                "no Truceline outbox",
		database("office.db", "PRAGMA application_id=0x5472634f"): "no Truceline outbox",
		database("newer.db", "PRAGMA user_version = 99"):          "update this one",
		filepath.Join(dir, "no", "such", "x.db"):                  "check that the folder exists",
	} {
		before, _ := os.ReadFile(path)
		b, err := outbox.Open(ctx, path, outbox.Options{Now: c.now, Create: true})
		if err == nil {
			b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", path, err, says)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s was changed", path)
		}
	}
}

// TestOneAct follows an act through every state that pages show.
func TestOneAct(t *testing.T) {
	ctx := context.Background()
	b, path, c := fresh(t)
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	first, second := d.act(3), d.act(1)
	step := func(seq int64, e outbox.Event, detail outbox.Detail, want outbox.State) outbox.Act {
		t.Helper()
		a, err := b.Step(ctx, seq, e, detail)
		must(t, err)
		if a.State != want || a.Seq != seq || a.Records[0].Envelope != nil || a.Records[0].ID.IsZero() {
			t.Errorf("after %s the act is %+v, want %s and no bytes", e, a, want)
		}
		return a
	}

	changed := b.Changed()
	a, err := b.Put(ctx, first)
	must(t, err)
	select {
	case <-changed:
	default:
		t.Error("a new act is not announced")
	}
	if a.Seq != 1 || a.State != outbox.Queued || a.QueuedAt == 0 || a.ChangedAt != a.QueuedAt || a.Tries != 0 || !reflect.DeepEqual(a.Records, first.Records) {
		t.Errorf("put: %+v", a)
	}
	_, err = b.Put(ctx, second)
	must(t, err)

	if a = step(1, outbox.Hand, outbox.Detail{}, outbox.Sent); a.Tries != 1 || a.TriedAt <= a.QueuedAt || a.ChangedAt != a.TriedAt {
		t.Errorf("handed in: %+v", a)
	}
	sent := a.ChangedAt
	if a = step(1, outbox.LineFailed, outbox.Detail{Error: "no\nroute " + strings.Repeat("x", 1000)}, outbox.Sent); !strings.HasPrefix(a.LastError, "no route xx") || len([]rune(a.LastError)) != outbox.MaxError {
		t.Errorf("the line failed: %+v", a)
	}
	if a = step(1, outbox.Carried, outbox.Detail{}, outbox.Sent); a.Tries != 2 || a.ChangedAt != sent || a.TriedAt <= sent {
		t.Errorf("carried: %+v", a)
	}
	receipts := reg.admit(first.Records)
	if a = step(1, outbox.ReceiptVerified, outbox.Detail{Receipts: receipts}, outbox.Receipted); a.LastError != "" || len(a.Receipts) != 3 || a.Receipts[2].Index != 2 || a.Receipts[2].Checkpoint != nil || a.Witnessed() {
		t.Errorf("receipted: %+v", a)
	}
	step(1, outbox.LineFailed, outbox.Detail{Error: "late"}, outbox.Receipted)
	step(2, outbox.Hand, outbox.Detail{}, outbox.Sent)
	step(2, outbox.LineFailed, outbox.Detail{Error: "no route"}, outbox.Sent)
	if a = step(2, outbox.RefusalVerified, outbox.Detail{Refusal: reg.refuse(second.Records[0], "who may\nfile")}, outbox.Refused); a.RefusalCode != "right" || a.RefusalReason != "who may file" || a.LastError != "" {
		t.Errorf("refused: %+v", a)
	}
	step(2, outbox.RefusalVerified, outbox.Detail{Refusal: reg.refuse(second.Records[0], "another")}, outbox.Refused)
	a, err = b.Forget(ctx, 2)
	must(t, err)
	if a.State != outbox.SetAside || a.RefusalReason != "who may file" {
		t.Errorf("set aside: %+v", a)
	}
	counts, err := b.Counts(ctx)
	must(t, err)
	if want := map[outbox.State]int{outbox.Queued: 0, outbox.Sent: 0, outbox.Receipted: 1, outbox.Refused: 0, outbox.SetAside: 1}; !reflect.DeepEqual(counts, want) {
		t.Errorf("counts %v, want %v", counts, want)
	}

	// The same again in another process, and what the mirror adds.
	b = open(t, path, c)
	step(1, outbox.Found, outbox.Detail{Receipts: reg.prove(receipts)}, outbox.Receipted)
	if n, err := b.Witness(ctx, 2, 1_772_323_300_000, []string{"a/witness/VAL", "b/witness/RID"}); n != 2 || err != nil {
		t.Errorf("witnessed %d, %v", n, err)
	}
	if n, err := b.Witness(ctx, 2, 1_772_323_999_000, []string{"c"}); n != 0 || err != nil {
		t.Errorf("witnessed again: %d, %v", n, err)
	}
	list, err := b.Unwitnessed(ctx)
	must(t, err)
	if len(list) != 1 || list[0].Index != 2 || list[0].Proof == nil || !bytes.Equal(list[0].Checkpoint, receipts[2].Checkpoint) {
		t.Errorf("not witnessed: %+v", list)
	}
	if n, err := b.Witness(ctx, 3, 1_772_323_400_000, []string{"c/witness/TAL"}); n != 1 || err != nil {
		t.Errorf("witnessed %d, %v", n, err)
	}
	// A refused act that came in by another way all the same: the ledger has the last word.
	step(2, outbox.Found, outbox.Detail{Receipts: reg.admit(second.Records)}, outbox.Receipted)

	found, ok, err := b.Find(ctx, first.Records[1].ID)
	must(t, err)
	if !ok || found.ID != first.ID || !reflect.DeepEqual(found.Records, first.Records) || !found.Witnessed() {
		t.Fatalf("found: %+v %t", found, ok)
	}
	if r := found.Receipts[1]; r.WitnessedAt != 1_772_323_300_000 || !slices.Equal(r.Witnesses, []string{"a/witness/VAL", "b/witness/RID"}) || r.Proof == nil || r.LeafSalt != receipts[1].LeafSalt {
		t.Errorf("receipt: %+v", r)
	}
	if found, _, _ := b.Find(ctx, second.ID); found.RefusalCode != "right" || found.Refusal == nil || found.State != outbox.Receipted {
		t.Errorf("the refusal of what was admitted is gone: %+v", found)
	}
	if _, ok, err := b.Find(ctx, record.ID{0xff}); ok || err != nil {
		t.Errorf("found nothing: %t %v", ok, err)
	}
	must(t, b.Check(ctx))
}

func TestPutAgain(t *testing.T) {
	ctx := context.Background()
	b, path, c := fresh(t)
	d := newDesk(t, 1)
	act := d.act(2)
	act.Records = append(act.Records, d.sign(record.ClockTicked, nil))
	first, err := b.Put(ctx, act)
	must(t, err)
	_, err = b.Step(ctx, first.Seq, outbox.Hand, outbox.Detail{})
	must(t, err)
	changed := b.Changed()
	again := act
	again.Summary = "another"
	again, err = open(t, path, c).Put(ctx, again)
	must(t, err)
	if again.Seq != first.Seq || again.State != outbox.Sent || again.Summary != act.Summary || !reflect.DeepEqual(again.Records, act.Records) {
		t.Errorf("put again: %+v", again)
	}
	_, err = b.Put(ctx, act)
	must(t, err)
	select {
	case <-changed:
		t.Error("nothing changed, and it is announced")
	default:
	}
	other := d.act(2)
	for name, a := range map[string]outbox.Act{
		"other records under the act's id": {ID: act.ID, Member: "VAL", Records: other.Records},
		"one of its records":               {ID: act.Records[0].ID, Member: "VAL", Records: act.Records[:1]},
		"the second of its records":        {ID: act.Records[1].ID, Member: "VAL", Records: act.Records[1:]},
		"a record more":                    {ID: act.ID, Member: "VAL", Records: append(slices.Clone(act.Records), other.Records[0])},
		"another order":                    {ID: act.ID, Member: "VAL", Records: []outbox.Submission{act.Records[1], act.Records[0], act.Records[2]}},
		"another id":                       {ID: other.ID, Member: "VAL", Records: act.Records},
		"new records and one of its":       {ID: other.ID, Member: "VAL", Records: append(slices.Clone(other.Records), act.Records[1])},
		"an act of its record's id":        {ID: act.Records[1].ID, Member: "VAL", Records: other.Records},
		"a record of the act's id": {ID: other.ID, Member: "VAL", Records: []outbox.Submission{
			d.sign(record.ReportFiled, &record.Report{Title: "EXERCISE"}, func(s *record.Statement) { s.ID = act.ID })}},
		"another signed time": {ID: act.ID, Member: "VAL", Records: []outbox.Submission{act.Records[0], act.Records[1],
			d.sign(record.ClockTicked, nil, func(s *record.Statement) { s.ID = act.Records[2].ID; s.ClaimedAt++ })}},
		"a record less": {ID: act.ID, Member: "VAL", Records: act.Records[:2]},
		"the same id and other bytes": {ID: act.ID, Member: "VAL", Records: []outbox.Submission{act.Records[0], act.Records[2],
			d.sign(record.ReportFiled, &record.Report{Title: "EXERCISE, but other"}, func(s *record.Statement) { s.ID = act.Records[1].ID })}},
	} {
		if got, err := b.Put(ctx, a); !errors.Is(err, outbox.ErrConflict) {
			t.Errorf("%s: %+v, %v; want ErrConflict", name, got, err)
		}
	}
	if list := all(t, b); len(list) != 1 {
		t.Errorf("%d acts are in the box", len(list))
	}
	var wg sync.WaitGroup
	for i := range 8 {
		box := b
		if i%2 == 0 {
			box = open(t, path, c)
		}
		wg.Go(func() {
			if a, err := box.Put(ctx, other); err != nil || a.Seq != 2 {
				t.Errorf("many at once: %d, %v", a.Seq, err)
			}
		})
	}
	wg.Wait()
	must(t, b.Check(ctx))
}

func TestPutRefuses(t *testing.T) {
	ctx := context.Background()
	b, _, _ := fresh(t)
	d := newDesk(t, 1)
	good := d.report("EXERCISE")
	change := func(f func(*outbox.Submission)) outbox.Submission {
		s := good
		f(&s)
		return s
	}
	own := d.sign(record.OfficerNamed, &record.Naming{Name: "Amina Example", Officer: record.ID{3}})
	ownAlone := own
	ownAlone.Body, ownAlone.BodySalt = nil, ledger.Salt{}
	tick := d.sign(record.ClockTicked, nil)
	act := func(records ...outbox.Submission) outbox.Act { return outbox.Act{Member: "VAL", Records: records} }
	other := act(good)
	other.Member = "RID"
	placed := act(good)
	placed.State = outbox.Sent
	refusal := newRegistry(t, 1).refuse(good, "no")
	for name, tt := range map[string]struct {
		act  outbox.Act
		says string
	}{
		"no records":          {act(), "no records"},
		"no member":           {outbox.Act{Records: []outbox.Submission{good}}, "is not a code"},
		"another's record":    {other, "filed by VAL, the act by RID"},
		"twice":               {act(good, good), "in it twice"},
		"a state":             {placed, "leave them out"},
		"an own body":         {act(own), "never leaves its node"},
		"no envelope":         {act(change(func(s *outbox.Submission) { s.Envelope = nil })), "record 0"},
		"no statement":        {act(change(func(s *outbox.Submission) { s.Envelope = refusal })), "not a statement"},
		"another id":          {act(change(func(s *outbox.Submission) { s.ID = record.ID{1} })), "its envelope holds"},
		"another kind":        {act(change(func(s *outbox.Submission) { s.Kind = record.ClockTicked })), "its envelope holds"},
		"no body":             {act(change(func(s *outbox.Submission) { s.Body = nil })), "was not handed in"},
		"another salt":        {act(change(func(s *outbox.Submission) { s.BodySalt[0]++ })), "not the one the statement commits to"},
		"a salt and no body":  {act(func() outbox.Submission { s := tick; s.BodySalt[0] = 1; return s }()), "neither or both"},
		"a body where none":   {act(func() outbox.Submission { s := tick; s.Body = good.Body; return s }()), "has no body"},
		"one good, one bad":   {act(d.report("EXERCISE"), change(func(s *outbox.Submission) { s.Body = nil })), "record 1"},
		"far too many":        {act(make([]outbox.Submission, outbox.MaxRecords+1)...), "divide it"},
		"white space at last": {act(change(func(s *outbox.Submission) { s.Envelope = append(slices.Clone(s.Envelope), '\n') })), "record 0"},
	} {
		if a, err := b.Put(ctx, tt.act); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %+v, %v; want an error that says %q", name, a, err, tt.says)
		}
	}
	if list := all(t, b); len(list) != 0 {
		t.Errorf("%d acts were kept", len(list))
	}
	a, err := b.Put(ctx, act(ownAlone, tick))
	must(t, err)
	if a.ID != ownAlone.ID {
		t.Errorf("the act has the id %s, not that of its first record", a.ID)
	}
	must(t, b.Check(ctx))
}

// TestTooMuch: an act that could not travel as one line of a file is refused at once.
func TestTooMuch(t *testing.T) {
	b, _, _ := fresh(t)
	d := newDesk(t, 1)
	var act outbox.Act
	act.Member = "VAL"
	for size := 0; size <= outbox.MaxActBytes; {
		s := d.report(strings.Repeat("EXERCISE ", 5000))
		act.Records = append(act.Records, s)
		size += len(s.Envelope) + len(s.Body)
	}
	if _, err := b.Put(context.Background(), act); !errors.Is(err, outbox.ErrLimit) {
		t.Errorf("%v", err)
	}
}

func TestStepRefuses(t *testing.T) {
	ctx := context.Background()
	b, _, _ := fresh(t)
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	act, before := d.act(2), d.act(2)
	reg.admit(before.Records)
	for _, a := range []outbox.Act{act, before} {
		_, err := b.Put(ctx, a)
		must(t, err)
	}
	for _, seq := range []int64{1, 2} {
		_, err := b.Step(ctx, seq, outbox.Hand, outbox.Detail{})
		must(t, err)
	}
	_, err := b.Step(ctx, 2, outbox.ReceiptVerified, outbox.Detail{Receipts: reg.admit(before.Records)})
	must(t, err)
	good := reg.prove(reg.admit(act.Records))
	stranger := newRegistry(t, 2)
	stranger.admit(act.Records)
	strange := stranger.prove(stranger.admit(act.Records))
	change := func(f func(*outbox.Receipt)) outbox.Detail {
		list := slices.Clone(good)
		f(&list[1])
		return outbox.Detail{Receipts: list}
	}
	refusal := reg.refuse(act.Records[1], "no")
	state := all(t, b)
	changed := b.Changed()
	for name, tt := range map[string]struct {
		event  outbox.Event
		detail outbox.Detail
		says   string
	}{
		"no such event":          {"later", outbox.Detail{}, "takes no event"},
		"aside before an answer": {outbox.PutAside, outbox.Detail{}, "takes no event"},
		"an error too many":      {outbox.Hand, outbox.Detail{Error: "x"}, "not what the event takes"},
		"no error":               {outbox.LineFailed, outbox.Detail{}, "not what the event takes"},
		"no receipts":            {outbox.Found, outbox.Detail{}, "not what the event takes"},
		"no refusal":             {outbox.RefusalVerified, outbox.Detail{}, "not what the event takes"},
		"a refusal too many":     {outbox.ReceiptVerified, outbox.Detail{Receipts: good, Refusal: refusal}, "not what the event takes"},
		"a receipt missing":      {outbox.ReceiptVerified, outbox.Detail{Receipts: good[:1]}, "1 receipts came for 2"},
		"another order":          {outbox.ReceiptVerified, outbox.Detail{Receipts: []outbox.Receipt{good[1], good[0]}}, "it names record"},
		"no place":               {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Index, r.Proof = -1, nil }), "not in a tree"},
		"beyond the tree":        {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Index, r.Proof = 4, nil }), "not in a tree of 4"},
		"no time":                {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.LoggedAt = -1 }), "is no time"},
		"another time":           {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.LoggedAt++ }), "root"},
		"another salt":           {outbox.Found, change(func(r *outbox.Receipt) { r.LeafSalt[0]++ }), "root"},
		"no salt":                {outbox.Found, change(func(r *outbox.Receipt) { r.LeafSalt = ledger.Salt{} }), "salt of the leaf"},
		"no checkpoint":          {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Checkpoint = nil }), "malformed"},
		"no proof to speak of":   {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Proof = []byte("x") }), "malformed"},
		"proof of another entry": {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Proof = good[0].Proof }), "the proof is of entry"},
		"proof in another tree":  {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Proof = strange[1].Proof }), "the proof is of entry"},
		"one place for both":     {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Index, r.Proof = good[0].Index, nil }), "cannot both be true"},
		"another record's place": {outbox.ReceiptVerified, change(func(r *outbox.Receipt) { r.Index, r.Proof = 1, nil }), "cannot both be true"},
		"witnessed by nobody":    {outbox.Found, change(func(r *outbox.Receipt) { r.WitnessedAt = 5 }), "go together"},
		"witnessed by no name":   {outbox.Found, change(func(r *outbox.Receipt) { r.WitnessedAt, r.Witnesses = 5, []string{"a b"} }), "no name of a witness"},
		"no refusal at all":      {outbox.RefusalVerified, outbox.Detail{Refusal: []byte("{}")}, "the refusal"},
		"a statement":            {outbox.RefusalVerified, outbox.Detail{Refusal: act.Records[0].Envelope}, "the envelope holds"},
		"another record's":       {outbox.RefusalVerified, outbox.Detail{Refusal: reg.refuse(before.Records[0], "no")}, "other bytes"},
	} {
		if a, err := b.Step(ctx, 1, tt.event, tt.detail); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %+v, %v; want an error that says %q", name, a, err, tt.says)
		}
	}
	if _, err := b.Step(ctx, 3, outbox.Hand, outbox.Detail{}); !errors.Is(err, outbox.ErrNotFound) {
		t.Errorf("an act that is not there: %v", err)
	}
	var nf interface{ NotFound() bool }
	if _, err := b.Forget(ctx, 0); !errors.As(err, &nf) {
		t.Errorf("pages cannot tell that it is not there: %v", err)
	}
	if now := all(t, b); !reflect.DeepEqual(now, state) {
		t.Errorf("what was refused changed the box:\n%+v\n%+v", state, now)
	}
	select {
	case <-changed:
		t.Error("what was refused is announced")
	default:
	}
	_, err = b.Step(ctx, 1, outbox.Found, outbox.Detail{Receipts: good})
	must(t, err)
	// A second receipt at another place, time or salt is kept out, and says what both say.
	for name, f := range map[string]func(*outbox.Receipt){
		"place": func(r *outbox.Receipt) { r.Index = 0 },
		"time":  func(r *outbox.Receipt) { r.LoggedAt++ },
		"salt":  func(r *outbox.Receipt) { r.LeafSalt[5]++ },
	} {
		d := change(func(r *outbox.Receipt) { r.Proof = nil; f(r) })
		_, err := b.Step(ctx, 1, outbox.ReceiptVerified, d)
		var both *outbox.Contradiction
		if !errors.As(err, &both) || both.Held.LoggedAt != good[1].LoggedAt || both.Given.ID != good[1].ID {
			t.Errorf("another %s: %v", name, err)
		}
	}
	must(t, b.Check(ctx))
}

func TestWitnessRefuses(t *testing.T) {
	ctx := context.Background()
	b, _, _ := fresh(t)
	for name, names := range map[string][]string{"nobody": nil, "an empty name": {""}, "two words": {"a b"}, "a line": {"a\n"}, "too many": slices.Repeat([]string{"a"}, 100), "too long": {strings.Repeat("a", 1000)}} {
		if _, err := b.Witness(ctx, 1, 1, names); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, at := range []int64{0, -1, 1 << 60} {
		if _, err := b.Witness(ctx, 1, at, []string{"a"}); err == nil {
			t.Errorf("at %d: no error", at)
		}
	}
}

func TestWaitingAndLists(t *testing.T) {
	ctx := context.Background()
	b, _, _ := fresh(t)
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	const n = 9
	for i := range n {
		a, err := b.Put(ctx, d.act(1+i%3))
		must(t, err)
		if i%3 > 0 {
			_, err = b.Step(ctx, a.Seq, outbox.Hand, outbox.Detail{})
			must(t, err)
		}
		if i%3 > 1 {
			_, err = b.Step(ctx, a.Seq, outbox.ReceiptVerified, outbox.Detail{Receipts: reg.admit(a.Records)})
			must(t, err)
		}
	}
	seqs := func(f outbox.Filter) (out []int64) {
		t.Helper()
		list, err := b.List(ctx, f)
		must(t, err)
		for _, a := range list {
			out = append(out, a.Seq)
			if len(a.Records) == 0 || a.Records[0].Envelope != nil || a.Records[0].Body != nil || a.Records[0].Kind != record.ReportFiled {
				t.Errorf("listed: %+v", a.Records)
			}
		}
		return out
	}
	for _, tt := range []struct {
		f    outbox.Filter
		want []int64
	}{
		{outbox.Filter{}, []int64{9, 8, 7, 6, 5, 4, 3, 2, 1}},
		{outbox.Filter{Limit: 2}, []int64{9, 8}},
		{outbox.Filter{Limit: 2, Before: 8}, []int64{7, 6}},
		{outbox.Filter{Before: 1}, nil},
		{outbox.Filter{States: []outbox.State{outbox.Receipted}}, []int64{9, 6, 3}},
		{outbox.Filter{States: []outbox.State{outbox.Sent, outbox.Queued}, Before: 6, Limit: 3}, []int64{5, 4, 2}},
	} {
		if got := seqs(tt.f); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.f, got, tt.want)
		}
	}
	for _, f := range []outbox.Filter{{Limit: -1}, {Limit: outbox.MaxList + 1}, {Before: -1}, {States: []outbox.State{"lost"}}} {
		if _, err := b.List(ctx, f); err == nil {
			t.Errorf("%+v: no error", f)
		}
	}
	// While the box is walked, acts are answered and others come.
	var walked []int64
	for a, err := range b.Waiting(ctx) {
		must(t, err)
		walked = append(walked, a.Seq)
		if a.Records[0].Envelope == nil || a.Records[0].Body == nil {
			t.Errorf("act %d waits without its bytes", a.Seq)
		}
		if a.Seq == 1 {
			_, err := b.Step(ctx, 2, outbox.Found, outbox.Detail{Receipts: reg.admit(mustFind(t, b, 2).Records)})
			must(t, err)
		}
		if a.Seq == 8 {
			_, err := b.Put(ctx, d.act(1))
			must(t, err)
		}
	}
	if want := []int64{1, 4, 5, 7, 8, 10}; !slices.Equal(walked, want) {
		t.Errorf("walked %v, want %v", walked, want)
	}
	for range b.Waiting(ctx) {
		break // must not go on
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range b.Waiting(ended) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a context that has ended: %v", err)
		}
	}
}

// mustFind gives the act with a number, whole.
func mustFind(t tb, b *outbox.Box, seq int64) outbox.Act {
	t.Helper()
	for _, a := range all(t, b) {
		if a.Seq == seq {
			return a
		}
	}
	t.Fatalf("there is no act %d", seq)
	return outbox.Act{}
}
