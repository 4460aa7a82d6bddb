// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"testing"

	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// desk makes the records of a desk's day for tests of undoing.
type desk struct {
	*door
}

func (d desk) do(member string, kind record.Kind, body record.Body, about ...verifytest.Option) record.ID {
	d.Helper()
	return d.good(d.File(member, kind, body, about...))
}

var because = &record.Reason{Reason: "because"}

func (d desk) undo(member string, act record.ID) verifytest.Filing {
	return d.File(member, record.ActUndone, because, verifytest.About(record.RoleAct, act))
}

func (d desk) account(member string) record.ID {
	return d.do(member, record.AccountFiled, verifytest.Account(1))
}

func (d desk) incident() record.ID {
	return d.do("clerk", record.IncidentOpened, verifytest.Incident("x"))
}

func (d desk) link(acc, in record.ID, claims ...int) record.ID {
	return d.do("clerk", record.IncidentLinked, &record.Link{Claims: claims, Reason: "r", Role: record.LinkAbout},
		verifytest.About(record.RoleAccount, acc), verifytest.About(record.RoleIncident, in))
}

func (d desk) merge(from, into record.ID) record.ID {
	return d.do("clerk", record.IncidentAliased, because, verifytest.About(record.RoleIncident, from), verifytest.About(record.RoleInto, into))
}

// seen is how everything of interest stands.
type seen struct {
	accounts  [2]mechanism.Account
	incidents [2]mechanism.Incident
	states    [2]string
	batch     mechanism.Batch
}

// TestUndoRestores does each act and undoes it: all stands as before.
func TestUndoRestores(t *testing.T) {
	about := verifytest.About
	type world struct {
		desk
		acc, other, in, into, link, batch record.ID
	}
	cases := map[string]func(w world) record.ID{
		"account.amended": func(w world) record.ID {
			return w.do("clerk", record.AccountAmended, verifytest.Account(2), about(record.RoleAccount, w.acc), verifytest.Supersedes(w.acc))
		},
		"account.withdrawn": func(w world) record.ID {
			return w.do("clerk", record.AccountWithdrawn, because, about(record.RoleAccount, w.acc))
		},
		"account.set_aside": func(w world) record.ID {
			return w.do("clerk", record.AccountSetAside, because, about(record.RoleAccount, w.other))
		},
		"incident.unlinked": func(w world) record.ID {
			return w.do("scribe", record.IncidentUnlinked, because, about(record.RoleLink, w.link))
		},
		"incident.aliased": func(w world) record.ID { return w.merge(w.in, w.into) },
		"batch.withdrawn": func(w world) record.ID {
			return w.do("clerk", record.BatchWithdrawn, because, about(record.RoleBatch, w.batch))
		},
		"source.graded": func(w world) record.ID {
			return w.do("scribe", record.SourceGraded, &record.Grade{Grade: "B2", Reason: "r", Source: "s"})
		},
		"linkage.fitted": func(w world) record.ID {
			return w.do("scribe", record.LinkageFitted, verifytest.Linkage(w.state.Size(), record.Digest{1}))
		},
	}
	for name, act := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{desk: desk{open(t)}}
			w.acc, w.other, w.in, w.into = w.account("clerk"), w.account("clerk"), w.incident(), w.incident()
			w.link = w.desk.link(w.acc, w.in, 2)
			w.batch = w.do("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{1}, Name: "a.csv"})
			w.do("clerk", record.BatchClosed, &record.BatchEnd{}, about(record.RoleBatch, w.batch))
			look := func() (s seen) {
				for i, id := range []record.ID{w.acc, w.other} {
					s.accounts[i], _ = w.state.Account(id)
				}
				for i, id := range []record.ID{w.in, w.into} {
					s.incidents[i], _ = w.state.Incident(id)
					s.states[i] = w.state.IncidentState(id)
				}
				s.batch, _ = w.state.Batch(w.batch)
				return s
			}
			before := look()
			id := act(w)
			if look() == before && name != "source.graded" && name != "linkage.fitted" {
				t.Fatal("the act changes nothing that is looked at")
			}
			if w.state.IsUndone(id) {
				t.Error("undone before it is")
			}
			w.refused("by a party", mechanism.NoRight, w.undo("OMB", id))
			w.good(w.undo("clerk", id))
			if after := look(); after != before {
				t.Errorf("before %+v\nafter  %+v", before, after)
			}
			if !w.state.IsUndone(id) {
				t.Error("not undone")
			}
			w.refused("undone twice", mechanism.StateForbids, w.undo("clerk", id))
			// Done again, it can be undone again.
			w.good(w.undo("clerk", act(w)))
			if after := look(); after != before {
				t.Errorf("the second time: before %+v\nafter  %+v", before, after)
			}
		})
	}
}

// What was built on an act is undone first.
func TestUndoInOrder(t *testing.T) {
	about := verifytest.About
	d := desk{open(t)}
	acc, in, into := d.account("clerk"), d.incident(), d.incident()
	l := d.link(acc, in, 2)
	d.refused("an opening that is linked to", mechanism.StateForbids, d.undo("clerk", in))
	d.refused("a link has a kind of its own", mechanism.StateForbids, d.undo("clerk", l))
	d.refused("a filing is withdrawn", mechanism.StateForbids, d.undo("clerk", acc))
	merge := d.merge(in, into)
	d.refused("an opening that is merged", mechanism.StateForbids, d.undo("clerk", in))
	d.refused("an opening that others are merged into", mechanism.StateForbids, d.undo("clerk", into))
	d.good(d.undo("scribe", merge))
	undone := d.do("clerk", record.IncidentUnlinked, because, about(record.RoleLink, l))
	opened := d.good(d.undo("clerk", in))
	if s := d.state.IncidentState(in); s != "retracted" {
		t.Errorf("the incident is %s", s)
	}
	d.refused("an undoing", mechanism.StateForbids, d.undo("clerk", opened))
	d.refused("an opening twice", mechanism.StateForbids, d.undo("clerk", in))
	d.refused("a link to what is no more", mechanism.StateForbids, d.undo("clerk", undone))
	d.refused("a new link to it", mechanism.StateForbids, d.File("clerk", record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkAbout}, about(record.RoleAccount, acc), about(record.RoleIncident, in)))
	d.refused("a merge into it", mechanism.StateForbids, d.File("clerk", record.IncidentAliased, because, about(record.RoleIncident, into), about(record.RoleInto, in)))

	first := d.do("clerk", record.AccountAmended, verifytest.Account(2), about(record.RoleAccount, acc), verifytest.Supersedes(acc))
	second := d.do("clerk", record.AccountAmended, verifytest.Account(3), about(record.RoleAccount, acc), verifytest.Supersedes(first))
	d.refused("an amendment under another", mechanism.StateForbids, d.undo("clerk", first))
	d.refused("another's amendment", mechanism.NoRight, d.undo("scribe", second))
	gone := d.do("clerk", record.AccountWithdrawn, because, about(record.RoleAccount, acc))
	d.refused("an amendment of what is withdrawn", mechanism.StateForbids, d.undo("clerk", second))
	d.refused("another's withdrawal", mechanism.NoRight, d.undo("scribe", gone))
	d.good(d.undo("clerk", gone))
	d.good(d.undo("clerk", second))
	d.good(d.undo("clerk", first))
	if a, _ := d.state.Account(acc); a.Current != acc {
		t.Error("the first version is not the latest again")
	}
}

// Set aside is for accounts that nothing ties to an incident.
func TestSetAside(t *testing.T) {
	about := verifytest.About
	d := desk{open(t)}
	acc, in := d.account("OMB"), d.incident()
	aside := func(member string) verifytest.Filing {
		return d.File(member, record.AccountSetAside, because, about(record.RoleAccount, acc))
	}
	d.refused("by a party", mechanism.NoRight, aside("OMB"))
	l := d.link(acc, in)
	d.refused("while linked", mechanism.StateForbids, aside("clerk"))
	d.do("clerk", record.IncidentUnlinked, because, about(record.RoleLink, l))
	d.good(aside("clerk"))
	d.refused("twice", mechanism.StateForbids, aside("scribe"))
	d.link(acc, in) // to link it is to say that it is about something after all
}

// A batch whose file was taken in again stays withdrawn.
func TestUndoOfABatchTakenInAgain(t *testing.T) {
	about := verifytest.About
	d := desk{open(t)}
	take := func() record.ID {
		b := d.do("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{1}, Name: "a.csv"})
		d.do("clerk", record.BatchClosed, &record.BatchEnd{}, about(record.RoleBatch, b))
		return b
	}
	withdraw := func(b record.ID) record.ID {
		return d.do("clerk", record.BatchWithdrawn, because, about(record.RoleBatch, b))
	}
	first := withdraw(take())
	again := take()
	d.refused("the file is in again", mechanism.StateForbids, d.undo("clerk", first))
	withdraw(again)
	d.good(d.undo("clerk", first))
}

// A member's own body never comes to the door.
func TestOwnBodies(t *testing.T) {
	d := desk{open(t)}
	naming := &record.Naming{Name: "N. N.", Officer: record.ID{9}}
	own := verifytest.Edit(func(s *record.Statement) { s.Audience = record.AudienceOwn })
	f := d.File("clerk", record.AccountFiled, verifytest.Account(1))
	if f.Statement.Audience = record.AudienceOwn; f.Statement.Validate() == nil {
		t.Error("an account is a member's own")
	}
	named := ownFiling(t, d.door, naming, own)
	body := named.Body
	d.refused("with its body", mechanism.BodyMismatch, named)
	named.Body = nil
	d.good(named)
	if len(body) == 0 {
		t.Error("there was no body")
	}
}

// ownFiling signs an officer.named with its body beside it.
func ownFiling(t *testing.T, d *door, b *record.Naming, own verifytest.Option) verifytest.Filing {
	t.Helper()
	body, err := record.EncodeBody(b)
	if err != nil {
		t.Fatal(err)
	}
	f := d.File("clerk", record.OfficerNamed, b, own)
	f.Body = body
	return f
}

// Nobody holds another's batch for good: an account told in one of its documents lets go
// of it when it is withdrawn, or when its own batch is.
func TestBatchesAreLetGo(t *testing.T) {
	about := verifytest.About
	d := desk{open(t)}
	take := func(n byte, more ...func(batch record.ID)) record.ID {
		b := d.do("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{n}, Name: "a.csv"})
		for _, f := range more {
			f(b)
		}
		d.do("clerk", record.BatchClosed, &record.BatchEnd{}, about(record.RoleBatch, b))
		return b
	}
	withdraw := func(b record.ID) verifytest.Filing {
		return d.File("clerk", record.BatchWithdrawn, because, about(record.RoleBatch, b))
	}
	var report, inside record.ID
	first := take(1, func(b record.ID) {
		report = d.do("clerk", record.ReportFiled, &record.Report{Title: "t"}, about(record.RoleBatch, b))
		inside = d.do("clerk", record.AccountFiled, verifytest.Account(1), about(record.RoleBatch, b), about(record.RoleReport, report))
	})
	// An amendment of its own account does not hold it.
	d.do("clerk", record.AccountAmended, verifytest.Account(2), about(record.RoleAccount, inside), about(record.RoleReport, report), verifytest.Supersedes(inside))
	second := take(2, func(b record.ID) {
		d.do("clerk", record.AccountFiled, verifytest.Account(1), about(record.RoleBatch, b), about(record.RoleReport, report))
	})
	theirs := d.do("OMB", record.AccountFiled, verifytest.Account(3), about(record.RoleReport, report))
	d.do("OMB", record.AccountAmended, verifytest.Account(4), about(record.RoleAccount, theirs), about(record.RoleReport, report), verifytest.Supersedes(theirs))
	d.refused("three versions rest on it", mechanism.StateForbids, withdraw(first))
	gone := d.do("OMB", record.AccountWithdrawn, because, about(record.RoleAccount, theirs))
	d.refused("one rests on it", mechanism.StateForbids, withdraw(first))
	goneToo := d.good(withdraw(second))
	if b, _ := d.state.Batch(first); b.Rests != 0 {
		t.Errorf("%d rest on it", b.Rests)
	}
	last := d.good(withdraw(first))
	d.refused("told in what is withdrawn", mechanism.StateForbids, d.undo("OMB", gone))
	d.refused("a batch told in what is withdrawn", mechanism.StateForbids, d.undo("clerk", goneToo))
	d.good(d.undo("clerk", last))
	d.good(d.undo("OMB", gone))
	d.good(d.undo("clerk", goneToo))
	if b, _ := d.state.Batch(first); b.Rests != 3 {
		t.Errorf("%d rest on it again, not 3", b.Rests)
	}
}
