// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"errors"
	"testing"

	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
	"truceline/when"
)

func TestRetry(t *testing.T) {
	d := open(t)
	f := d.File("OMB", record.AccountFiled, verifytest.Account(1))
	at := d.state.Size()
	d.good(f)
	d.good(d.File("book", record.ClockTicked, nil))
	hash := d.state.Hash()
	var dup *mechanism.Duplicate
	if err := d.try(f); !errors.As(err, &dup) || dup.Index != at || d.state.Hash() != hash {
		t.Error(err)
	}
	// Another signature makes other bytes, though it says the same.
	spare := verifytest.Signer("spare")
	d.good(d.File("OMB", record.KeyAdded, &record.KeyAddition{Key: spare.Key(), Member: "OMB"}))
	payload, err := f.Statement.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if f.Envelope, err = record.Seal(record.StatementType, payload, d.Signer("OMB"), spare); err != nil {
		t.Fatal(err)
	}
	d.refused("signed by one more", mechanism.DuplicateID, f)
}

func TestAccounts(t *testing.T) {
	d := open(t)
	about, supersedes := verifytest.About, verifytest.Supersedes
	file := func(o ...verifytest.Option) record.ID {
		return d.good(d.File("OMB", record.AccountFiled, verifytest.Account(1), o...))
	}
	amend := func(member string, id, latest record.ID) verifytest.Filing {
		return d.File(member, record.AccountAmended, verifytest.Account(2), about(record.RoleAccount, id), supersedes(latest))
	}
	withdraw := func(member string, id record.ID) verifytest.Filing {
		return d.File(member, record.AccountWithdrawn, &record.Reason{Reason: "r"}, about(record.RoleAccount, id))
	}
	acc := file()
	d.refused("another amends", mechanism.NoRight, amend("DRN", acc, acc))
	second := d.good(amend("OMB", acc, acc))
	d.refused("the first version again", mechanism.StateForbids, amend("OMB", acc, acc))
	d.refused("an amendment is no account", mechanism.UnknownSubject, amend("OMB", second, second))
	d.good(amend("OMB", acc, second))
	d.refused("another withdraws", mechanism.NoRight, withdraw("clerk", acc))
	d.good(withdraw("OMB", acc))
	d.refused("withdrawn twice", mechanism.StateForbids, withdraw("OMB", acc))
	d.refused("amended after", mechanism.StateForbids, amend("OMB", acc, second))
	in := d.good(d.File("clerk", record.IncidentOpened, verifytest.Incident("x")))
	link := func(acc, in record.ID, claims ...int) verifytest.Filing {
		return d.File("scribe", record.IncidentLinked, &record.Link{Claims: claims, Reason: "r", Role: record.LinkAbout}, about(record.RoleAccount, acc), about(record.RoleIncident, in))
	}
	d.refused("linked after", mechanism.StateForbids, link(acc, in))
	other := file()
	d.refused("a claim too many", mechanism.UnknownSubject, link(other, in, 3))
	d.good(link(other, in, 2))
}

func TestIncidents(t *testing.T) {
	d := open(t)
	about := verifytest.About
	incident := func(class record.Class, start when.Date) record.ID {
		b := verifytest.Incident("x")
		b.Class, b.When.Start = class, start
		return d.good(d.File("clerk", record.IncidentOpened, b))
	}
	want := func(id record.ID, number, state string) {
		t.Helper()
		if n, s := d.state.IncidentNumber(id), d.state.IncidentState(id); n != number || s != state {
			t.Errorf("incident %s %s, want %s %s", n, s, number, state)
		}
	}
	a, b := incident("incident", "2026-03-01"), incident("incident", "2026-03")
	want(a, "001/2026", "alleged")
	want(b, "002/2026", "alleged")
	want(incident("incident", "2025"), "001/2025", "alleged")
	talks := incident("talks", "2026-03-01")
	want(talks, "001/2026", "alleged") // counted by class
	want(record.ID{1}, "", "")

	acc := d.good(d.File("OMB", record.AccountFiled, verifytest.Account(1)))
	link := func(in record.ID) verifytest.Filing {
		return d.File("clerk", record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkPartOf}, about(record.RoleAccount, acc), about(record.RoleIncident, in))
	}
	undo := func(l record.ID) verifytest.Filing {
		return d.File("clerk", record.IncidentUnlinked, &record.Reason{Reason: "r"}, about(record.RoleLink, l))
	}
	l1, l2 := d.good(link(a)), d.good(link(a))
	want(a, "001/2026", "open")
	d.good(undo(l1))
	want(a, "001/2026", "open")
	d.refused("undone twice", mechanism.StateForbids, undo(l1))
	d.good(undo(l2))
	want(a, "001/2026", "alleged")

	alias := func(from, into record.ID) verifytest.Filing {
		return d.File("scribe", record.IncidentAliased, &record.Reason{Reason: "r"}, about(record.RoleIncident, from), about(record.RoleInto, into))
	}
	d.refused("of itself", mechanism.StateForbids, alias(a, a))
	d.refused("of another class", mechanism.StateForbids, alias(a, talks))
	l3 := d.good(link(b))
	d.good(alias(b, a))
	want(b, "002/2026", "merged")
	d.refused("merged twice", mechanism.StateForbids, alias(b, a))
	d.refused("into a merged one", mechanism.StateForbids, alias(a, b))
	d.refused("linked to a merged one", mechanism.StateForbids, link(b))
	d.good(undo(l3))
	want(b, "002/2026", "merged")
}

func TestBatches(t *testing.T) {
	d := open(t)
	about := verifytest.About
	manifest := func(rows int) record.ID {
		return d.good(d.File("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{1}, Name: "a.csv", Rows: rows}))
	}
	row := func(member string, b record.ID) verifytest.Filing {
		return d.File(member, record.AccountFiled, verifytest.Account(1), about(record.RoleBatch, b))
	}
	end := func(member string, b record.ID, accepted, present, rejected int) verifytest.Filing {
		return d.File(member, record.BatchClosed, &record.BatchEnd{Accepted: accepted, Present: present, Rejected: rejected}, about(record.RoleBatch, b))
	}
	withdraw := func(b record.ID) verifytest.Filing {
		return d.File("clerk", record.BatchWithdrawn, &record.Reason{Reason: "r"}, about(record.RoleBatch, b))
	}
	state := func(b record.ID, want string) {
		t.Helper()
		if got := d.state.BatchState(b); got != want {
			t.Errorf("batch is %s, not %s", got, want)
		}
	}
	b := manifest(3)
	state(b, "open")
	state(record.ID{1}, "")
	acc := d.good(row("clerk", b))
	in := d.good(d.File("clerk", record.IncidentOpened, verifytest.Incident("x"), about(record.RoleBatch, b)))
	free := d.good(d.File("clerk", record.IncidentOpened, verifytest.Incident("y")))
	told := d.good(d.File("clerk", record.ReportFiled, &record.Report{Title: "t"}, about(record.RoleBatch, b)))
	d.refused("another's row", mechanism.NoRight, row("OMB", b))
	d.refused("a row that is none", mechanism.StateForbids, d.File("scribe", record.SourceGraded, &record.Grade{Grade: "B2", Reason: "r", Source: "s"}, about(record.RoleBatch, b)))
	d.refused("a model in a batch", mechanism.StateForbids, d.File("scribe", record.LinkageFitted, verifytest.Linkage(1, record.Digest{1}), about(record.RoleBatch, b)))
	d.refused("a batch in a batch", mechanism.StateForbids, d.File("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{1}, Name: "b"}, about(record.RoleBatch, b)))
	link := func(acc, in record.ID) verifytest.Filing {
		return d.File("clerk", record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkAbout}, about(record.RoleAccount, acc), about(record.RoleIncident, in))
	}
	d.refused("a row that does not count yet", mechanism.StateForbids, link(acc, free))
	loose := d.good(d.File("clerk", record.AccountFiled, verifytest.Account(1)))
	d.refused("an incident that does not count yet", mechanism.StateForbids, link(loose, in))
	d.refused("amended before it counts", mechanism.StateForbids, d.File("clerk", record.AccountAmended, verifytest.Account(1), about(record.RoleAccount, acc), verifytest.Supersedes(acc)))
	d.refused("counts that do not add up", mechanism.StateForbids, end("clerk", b, 1, 1, 0))
	d.refused("another closes", mechanism.NoRight, end("DRN", b, 1, 1, 1))
	d.good(end("clerk", b, 1, 1, 1))
	state(b, "closed")
	d.refused("closed twice", mechanism.StateForbids, end("clerk", b, 1, 1, 1))
	d.refused("a row too late", mechanism.StateForbids, row("clerk", b))
	l := d.good(link(acc, in))
	d.refused("withdrawn from under a link", mechanism.StateForbids, withdraw(b))
	d.good(d.File("clerk", record.IncidentUnlinked, &record.Reason{Reason: "r"}, about(record.RoleLink, l)))
	d.good(withdraw(b))
	state(b, "withdrawn")
	d.refused("withdrawn twice", mechanism.StateForbids, withdraw(b))
	d.refused("a row withdrawn with its batch", mechanism.StateForbids, link(acc, free))
	d.refused("an incident withdrawn with its batch", mechanism.StateForbids, link(loose, in))
	d.refused("a report withdrawn with its batch", mechanism.StateForbids, d.File("clerk", record.AccountFiled, verifytest.Account(1), about(record.RoleReport, told)))

	open := manifest(0)
	d.good(withdraw(open))
	d.refused("closed after", mechanism.StateForbids, end("clerk", open, 0, 0, 0))
}

// Nobody makes another's incident, account or source vanish by withdrawing a batch.
func TestABatchThatOthersRestOn(t *testing.T) {
	about := verifytest.About
	type world struct {
		*door
		batch, in, report, theirs, acc record.ID
	}
	begin := func() world {
		d := open(t)
		w := world{door: d}
		w.batch = d.good(d.File("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{1}, Name: "a.csv", Rows: 0}))
		w.in = d.good(d.File("clerk", record.IncidentOpened, verifytest.Incident("x"), about(record.RoleBatch, w.batch)))
		w.report = d.good(d.File("clerk", record.ReportFiled, &record.Report{Title: "t"}, about(record.RoleBatch, w.batch)))
		d.good(d.File("clerk", record.BatchClosed, &record.BatchEnd{}, about(record.RoleBatch, w.batch)))
		w.theirs = d.good(d.File("clerk", record.IncidentOpened, verifytest.Incident("y")))
		w.acc = d.good(d.File("OMB", record.AccountFiled, verifytest.Account(3)))
		return w
	}
	for name, act := range map[string]func(w world){
		"a merge": func(w world) {
			w.good(w.File("clerk", record.IncidentAliased, &record.Reason{Reason: "r"}, about(record.RoleIncident, w.theirs), about(record.RoleInto, w.in)))
		},
		"a link": func(w world) {
			w.good(w.File("clerk", record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkAbout}, about(record.RoleAccount, w.acc), about(record.RoleIncident, w.in)))
		},
		"an account told in its report": func(w world) {
			w.good(w.File("OMB", record.AccountFiled, verifytest.Account(1), about(record.RoleReport, w.report)))
		},
	} {
		w := begin()
		act(w)
		w.refused("withdrawn from under "+name, mechanism.StateForbids, w.File("clerk", record.BatchWithdrawn, &record.Reason{Reason: "r"}, about(record.RoleBatch, w.batch)))
	}
}

// An amendment stays its claimant's, and keeps the claims that links name.
func TestAmendmentsKeepWhatOthersUse(t *testing.T) {
	d := open(t)
	about := verifytest.About
	acc := d.good(d.File("clerk", record.AccountFiled, verifytest.Account(3)))
	in := d.good(d.File("clerk", record.IncidentOpened, verifytest.Incident("x")))
	l := d.good(d.File("clerk", record.IncidentLinked, &record.Link{Claims: []int{2}, Reason: "r", Role: record.LinkAbout}, about(record.RoleAccount, acc), about(record.RoleIncident, in)))
	amend := func(b *record.Account, of record.ID) verifytest.Filing {
		return d.File("clerk", record.AccountAmended, b, about(record.RoleAccount, acc), verifytest.Supersedes(of))
	}
	other := verifytest.Account(3)
	other.Claimant.Name = "somebody else"
	d.refused("in another mouth", mechanism.StateForbids, amend(other, acc))
	short := verifytest.Account(1)
	short.Claims = short.Claims[:1]
	d.refused("without the linked claim", mechanism.StateForbids, amend(short, acc))
	second := d.good(amend(verifytest.Account(2), acc))
	d.good(d.File("clerk", record.IncidentUnlinked, &record.Reason{Reason: "r"}, about(record.RoleLink, l)))
	d.good(amend(short, second))
}

// A model is learnt from records that are here, be it from one alone, of whatever schema.
func TestLinkage(t *testing.T) {
	d := open(t)
	fit := func(member string, size int64, schema int) verifytest.Filing {
		b := verifytest.Linkage(size, record.Digest{1})
		b.Schema = schema
		return d.File(member, record.LinkageFitted, b)
	}
	here := d.state.Size()
	d.refused("of a record that is not here", mechanism.StateForbids, fit("clerk", here+1, 1))
	first := d.good(fit("clerk", here, 1))
	d.good(fit("scribe", here+1, 1)) // the one before it among them
	d.good(fit("clerk", 1, 99))
	for _, member := range []string{"OMB", "watch", "guest", "book"} {
		d.refused("by "+member, mechanism.NoRight, fit(member, 1, 1))
	}
	if on := d.state.ActedOn(first); !on.IsZero() {
		t.Errorf("it was done on %s", on)
	}
}
