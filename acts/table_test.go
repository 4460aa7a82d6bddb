// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/acts"
	"truceline/agreement"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// mission is a registry's state, and who files in it.
type mission struct {
	*testing.T
	*verifytest.Mission
	state *mechanism.State
	read  map[record.ID]read
	now   int64
	// what was sealed, by its commitment
	secrets map[record.Digest]*vault.Secret
	whole   map[record.ID]whole
}

// whole is a record with all that shows fields of it.
type whole struct {
	verifytest.Filing
	index, logged int64
}

type read struct {
	st   *record.Statement
	body record.Body
}

func open(t *testing.T) *mission {
	m := &mission{T: t, Mission: verifytest.NewMission(t.Name()), state: mechanism.New(), read: map[record.ID]read{}, now: verifytest.Start, secrets: map[record.Digest]*vault.Secret{}}
	m.Pack.Release = &agreement.Release{Bodies: []string{"OMB", "scribe"}, Need: 2, ReplyHours: 1}
	for _, f := range m.Opening() {
		m.admit(f)
	}
	return m
}

func (m *mission) admit(f verifytest.Filing) record.ID {
	m.Helper()
	given, salt := f.Body, f.BodySalt
	if f.Box != nil {
		given, salt = f.Box, ledger.Salt{}
	}
	e, err := mechanism.Open(f.Envelope, given, salt)
	if err != nil {
		m.Fatal(err)
	}
	m.now += 1000
	if err := m.state.Admit(e, m.now); err != nil {
		m.Fatalf("%s: %v", f.Statement.Kind, err)
	}
	if f.Box != nil {
		if err := e.Reveal(f.Body, f.BodySalt); err != nil {
			m.Fatal(err)
		}
	}
	m.read[f.ID()] = read{f.Statement, e.Body}
	if m.whole == nil {
		m.whole = map[record.ID]whole{}
	}
	m.whole[f.ID()] = whole{f, e.Index, e.LoggedAt}
	return f.ID()
}

func (m *mission) file(member string, kind record.Kind, body record.Body, o ...verifytest.Option) record.ID {
	m.Helper()
	return m.admit(m.File(member, kind, body, o...))
}

func (m *mission) world(member string, roles ...string) acts.World {
	return acts.World{
		State: m.state, Member: member, Roles: roles,
		NewID: func() (record.ID, error) { return m.NewID(), nil },
		Read: func(id record.ID) (*record.Statement, record.Body, error) {
			r, ok := m.read[id]
			if !ok {
				return nil, nil, errors.New("there is no such record")
			}
			return r.st, r.body, nil
		},
		Together: func(id record.ID) ([]record.ID, error) { return []record.ID{id}, nil },
		Fitted: func() (*record.Linkage, error) {
			return verifytest.Linkage(m.state.Size(), record.Digest{1}), nil
		},
		Seal:    func(in record.ID, a *record.Account) (*record.Sealed, error) { return m.seal(in, member, a) },
		Sealed:  m.unseal,
		Open:    m.unseal,
		Release: func(id record.ID) (*record.Share, error) { return share, nil },
		Disclose: func(id record.ID, paths []string) (*record.Disclosure, error) {
			f := m.whole[id]
			return vault.Disclose(f.Envelope, f.Body, f.BodySalt, ledger.Salt{1}, f.index, f.logged, paths)
		},
		Now: func() time.Time { return time.UnixMilli(m.now + 1000) },
		Custody: acts.Custody{
			Seal: func(_ record.ID, _, role string, _ *vault.Person, _ string) (*record.Identity, error) {
				return &record.Identity{Age: someAge, Role: role, Token: record.ID{1}}, nil
			},
			HandOver: func(record.ID) (string, error) { return someAge, nil },
		},
	}
}

// do plans an act and admits its records.
func (m *mission) do(w acts.World, name string, v acts.Values) []record.ID {
	m.Helper()
	drafts, err := act(m.T, name).Plan(w, v)
	if err != nil {
		m.Fatalf("%s: %v", name, err)
	}
	var out []record.ID
	for _, d := range drafts {
		out = append(out, m.file(w.Member, d.Kind, d.Body, verifytest.Edit(func(s *record.Statement) {
			s.Subjects, s.Supersedes = d.Subjects, d.Supersedes
			if d.Audience != "" {
				s.Audience, s.Readers = d.Audience, d.Readers
			}
			if !d.ID.IsZero() {
				s.ID = d.ID
			}
		})))
	}
	return out
}

func act(t *testing.T, name string) *acts.Act {
	t.Helper()
	a, ok := acts.Find(name)
	if !ok {
		t.Fatalf("there is no act %s", name)
	}
	return a
}

var (
	why  = &record.Reason{Reason: "because"}
	role = verifytest.About
)

func (m *mission) account() record.ID {
	return m.file("clerk", record.AccountFiled, verifytest.Account(1))
}

// identity is one that the desk filed and keeps; the mission is asked for it by watch.
func (m *mission) identity() record.ID {
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	return m.do(m.world("clerk", acts.Desk), "identity.file", acts.Values{"account": {m.account().String()}, "person_role": {"source"}, "custodian": {"clerk"}, "person": {"N"}, "second": {"2"}})[0]
}

// boxed is a document that the desk tells all members of.
func (m *mission) boxed() record.ID {
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	return m.file("clerk", record.ReportFiled, &record.Report{Title: "t"}, verifytest.For(record.AudienceMembers))
}

func (m *mission) asks(identity record.ID) record.ID {
	return m.do(m.world("watch", acts.Operations), "identity.ask", acts.Values{"identity": {identity.String()}, "reason": {"r"}})[0]
}

func (m *mission) answers(request record.ID) record.ID {
	return m.do(m.world("clerk", acts.Operations), "identity.release", acts.Values{"request": {request.String()}})[0]
}

var someAge = base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n"))

func (m *mission) incident() record.ID {
	return m.file("clerk", record.IncidentOpened, verifytest.Incident("x"))
}

func (m *mission) link(acc, in record.ID) record.ID {
	return m.file("clerk", record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkAbout}, role(record.RoleAccount, acc), role(record.RoleIncident, in))
}

func (m *mission) batch(closed bool) (batch, acc, in record.ID) {
	batch = m.file("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{byte(m.now)}, Name: "a.csv", Rows: 0})
	acc = m.file("clerk", record.AccountFiled, verifytest.Account(1), role(record.RoleBatch, batch))
	in = m.file("clerk", record.IncidentOpened, verifytest.Incident("x"), role(record.RoleBatch, batch))
	if closed {
		m.file("clerk", record.BatchClosed, &record.BatchEnd{}, role(record.RoleBatch, batch))
	}
	return batch, acc, in
}

// TestWhoMayDoWhatWhen holds the acts to a picture drawn by hand from the states and roles
// of the vocabulary. A column is an officer: the member's role (D desk, T third party, P
// party, M monitor, O observer) and the officer's own (d desk, o operations, a administrator,
// r reader). A cell says y: offered; d: not with the officer's role; r: the member has no
// right; s: the state forbids it. The subject was filed by the desk.
func TestWhoMayDoWhatWhen(t *testing.T) {
	const picture = `
                              Dd Do Da Dr Td To Pd Po Mo Oo
account recorded
  account.amend               y  d  d  d  r  d  r  d  d  d
  account.withdraw            y  d  d  d  r  d  r  d  d  d
  account.link                d  y  d  d  d  y  d  r  r  r
  account.open                d  y  d  d  d  y  d  r  r  r
  account.set_aside           d  y  d  d  d  y  d  r  r  r
  account.later               d  y  d  d  d  y  d  r  r  r
account linked
  account.amend               y  d  d  d  r  d  r  d  d  d
  account.withdraw            y  d  d  d  r  d  r  d  d  d
  account.link                d  y  d  d  d  y  d  r  r  r
  account.open                d  y  d  d  d  y  d  r  r  r
  account.set_aside           d  s  d  d  d  s  d  r  r  r
account aside
  account.amend               y  d  d  d  r  d  r  d  d  d
  account.link                d  y  d  d  d  y  d  r  r  r
  account.set_aside           d  s  d  d  d  s  d  r  r  r
account amended
  account.amend               y  d  d  d  r  d  r  d  d  d
  account.withdraw            y  d  d  d  r  d  r  d  d  d
  account.link                d  y  d  d  d  y  d  r  r  r
account withdrawn
  account.amend               s  d  d  d  r  d  r  d  d  d
  account.withdraw            s  d  d  d  r  d  r  d  d  d
  account.link                d  s  d  d  d  s  d  s  s  s
  account.open                d  s  d  d  d  s  d  s  s  s
  account.set_aside           d  s  d  d  d  s  d  r  r  r
account batch_open
  account.amend               s  d  d  d  r  d  r  d  d  d
  account.withdraw            s  d  d  d  r  d  r  d  d  d
  account.link                d  s  d  d  d  s  d  s  s  s
  account.set_aside           d  s  d  d  d  s  d  r  r  r
account batch_closed
  account.amend               y  d  d  d  r  d  r  d  d  d
  account.link                d  y  d  d  d  y  d  r  r  r
account batch_withdrawn
  account.amend               s  d  d  d  r  d  r  d  d  d
  account.withdraw            s  d  d  d  r  d  r  d  d  d
  account.link                d  s  d  d  d  s  d  s  s  s
incident alleged
  incident.merge              d  y  d  d  d  y  d  r  r  r
  incident.split              d  s  d  d  d  s  d  s  s  s
incident open
  incident.merge              d  y  d  d  d  y  d  r  r  r
  incident.split              d  y  d  d  d  y  d  r  r  r
incident merged
  incident.merge              d  s  d  d  d  s  d  s  s  s
  incident.split              d  s  d  d  d  s  d  s  s  s
incident merged_into
  incident.merge              d  y  d  d  d  y  d  r  r  r
  incident.split              d  y  d  d  d  y  d  r  r  r
incident retracted
  incident.merge              d  s  d  d  d  s  d  s  s  s
  incident.split              d  s  d  d  d  s  d  s  s  s
incident asked
  account.seal                r  d  d  d  r  d  y  d  d  d
  filing.decline              r  d  d  d  r  d  y  d  d  d
incident asked_closed
  account.seal                r  d  d  d  r  d  y  d  d  d
  filing.decline              r  d  d  d  r  d  s  d  d  d
incident answered
  account.seal                r  d  d  d  r  d  s  d  d  d
  filing.decline              r  d  d  d  r  d  s  d  d  d
incident alleged
  account.seal                s  d  d  d  s  d  s  d  d  d
  filing.decline              s  d  d  d  s  d  s  d  d  d
account recorded
  account.unseal              s  d  d  d  s  d  s  d  d  d
  share.release               d  s  d  d  d  s  d  s  s  s
account sealed
  account.unseal              r  d  d  d  r  d  s  d  d  d
  share.release               d  r  d  d  d  r  d  r  r  r
account sealed_closed
  account.unseal              r  d  d  d  r  d  y  d  d  d
  account.amend               r  d  d  d  r  d  r  d  d  d
account unsealed
  account.unseal              r  d  d  d  r  d  s  d  d  d
  account.amend               r  d  d  d  r  d  y  d  d  d
  account.withdraw            r  d  d  d  r  d  y  d  d  d
  account.link                d  y  d  d  d  y  d  r  r  r
  account.set_aside           d  s  d  d  d  s  d  r  r  r
account recorded
  filing.vouch                s  d  d  d  s  d  s  d  d  d
account sealed_closed
  filing.vouch                r  d  d  d  r  d  s  d  d  d
account late
  filing.vouch                r  d  d  d  r  d  y  d  d  d
account recorded
  identity.file               y  d  d  d  r  d  r  d  d  d
account withdrawn
  identity.file               s  d  d  d  r  d  r  d  d  d
identity kept
  identity.ask                d  s  d  d  d  y  d  r  y  r
  identity.read               d  y  d  d  d  r  d  r  r  r
identity asked
  identity.ask                d  s  d  d  d  y  d  r  s  r
  identity.read               d  y  d  d  d  r  d  r  r  r
identity answered
  identity.ask                d  s  d  d  d  y  d  r  y  r
  identity.read               d  y  d  d  d  r  d  r  y  r
request open
  identity.release            d  y  d  d  d  r  d  r  r  r
request answered
  identity.release            d  s  d  d  d  r  d  r  r  r
incident batch_open
  incident.merge              d  s  d  d  d  s  d  s  s  s
link standing
  link.undo                   d  y  d  d  d  y  d  r  r  r
link undone
  link.undo                   d  s  d  d  d  s  d  r  r  r
record account_filed
  act.undo                    y  d  d  d  r  d  r  d  d  d
record account_amended
  act.undo                    y  d  d  d  r  d  r  d  d  d
record amended_twice
  act.undo                    s  d  d  d  r  d  r  d  d  d
record account_withdrawn
  act.undo                    y  d  d  d  r  d  r  d  d  d
record account_set_aside
  act.undo                    d  y  d  d  d  y  d  r  r  r
record incident_opened
  act.undo                    d  y  d  d  d  y  d  r  y  r
record incident_opened_and_linked
  act.undo                    d  s  d  d  d  s  d  r  s  r
record incident_linked
  act.undo                    d  y  d  d  d  y  d  r  r  r
record incident_unlinked
  act.undo                    d  y  d  d  d  y  d  r  r  r
record incident_aliased
  act.undo                    d  y  d  d  d  y  d  r  r  r
record source_graded
  act.undo                    d  y  d  d  d  y  d  r  r  r
record linkage_fitted
  act.undo                    d  y  d  d  d  y  d  r  r  r
record undone_model
  act.undo                    d  y  d  d  d  y  d  r  r  r
record batch_withdrawn
  act.undo                    y  d  d  d  r  d  r  d  d  d
record undone_merge
  act.undo                    d  y  d  d  d  y  d  r  r  r
record undone_opening
  act.undo                    d  s  d  d  d  s  d  s  s  s
record already_undone
  act.undo                    d  s  d  d  d  s  d  s  s  s
record report_filed
  act.undo                    s  d  d  d  s  d  s  d  d  d
  body.erase                  s  d  d  d  r  d  r  d  d  d
record boxed
  body.erase                  y  d  d  d  r  d  r  d  d  d
record erased
  body.erase                  s  d  d  d  r  d  r  d  d  d
record mission_opened
  act.undo                    s  s  d  d  s  s  s  s  s  s
record clock_ticked
  act.undo                    s  s  d  d  s  s  s  s  s  s
batch open
  batch.withdraw              y  d  d  d  r  d  r  d  d  d
batch closed
  batch.withdraw              y  d  d  d  r  d  r  d  d  d
batch closed_and_linked
  batch.withdraw              y  d  d  d  r  d  r  d  d  d
batch withdrawn
  batch.withdraw              s  d  d  d  r  d  r  d  d  d
release proposed
  release.consent             d  r  d  d  d  s  d  y  r  r
  release.reply               y  y  d  d  r  r  y  y  r  r
  release.make                d  r  d  d  d  s  d  s  r  r
release consented
  release.consent             d  r  d  d  d  s  d  s  r  r
  release.reply               y  y  d  d  r  r  y  y  r  r
  release.make                d  r  d  d  d  y  d  y  r  r
release made
  release.consent             d  s  d  d  d  s  d  s  s  s
  release.reply               s  s  d  d  s  s  s  s  s  s
  release.make                d  r  d  d  d  s  d  s  r  r
nothing any
  release.propose             d  r  d  d  d  y  d  y  r  r
  statement.record            y  d  d  d  y  d  y  d  d  d
  import.accounts             y  d  d  d  y  d  y  d  d  d
  import.ucdp-ged             y  d  d  d  y  d  y  d  d  d
  incident.open               d  y  d  d  d  y  d  r  y  r
  notice.file                 r  r  d  d  y  y  y  y  y  r
  source.grade                d  y  d  d  d  y  d  r  r  r
  linkage.fit                 d  y  d  d  d  y  d  r  r  r
`
	members := map[byte]string{'D': "clerk", 'T': "scribe", 'P': "OMB", 'M': "watch", 'O': "guest"}
	roles := map[byte]string{'d': acts.Desk, 'o': acts.Operations, 'a': acts.Administrator, 'r': acts.Reader}
	var columns []string
	var subject record.ID
	var situation string
	var m *mission
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.Trim(picture, "\n"), "\n") {
		f := strings.Fields(line)
		switch {
		case i == 0:
			columns = f
		case line[0] != ' ':
			situation = line
			m = open(t)
			subject = m.situation(f[0], f[1])
		default:
			a := act(t, f[0])
			seen[a.Name] = true
			if len(f) != len(columns)+1 {
				t.Fatalf("%s: %d cells", line, len(f))
			}
			for j, col := range columns {
				err := a.Offer(m.world(members[col[0]], roles[col[1]]), subject)
				if got := verdict(t, err); got != f[j+1] {
					t.Errorf("%s, %s by %s: %s, want %s (%v)", situation, a.Name, col, got, f[j+1], err)
				}
			}
		}
	}
	for _, a := range acts.All() {
		if !seen[a.Name] && a.On != acts.OnOfficer && a.Name != "officer.invite" {
			t.Errorf("%s is not in the picture", a.Name)
		}
	}
}

func verdict(t *testing.T, err error) string {
	t.Helper()
	var denied *acts.Denied
	var refusal *mechanism.Refusal
	switch {
	case err == nil:
		return "y"
	case errors.As(err, &denied):
		return "d"
	case errors.As(err, &refusal) && refusal.Code == mechanism.NoRight:
		return "r"
	case errors.As(err, &refusal):
		return "s"
	}
	t.Errorf("neither a denial nor a refusal: %v", err)
	return "?"
}

// situation makes a subject in a state.
func (m *mission) situation(what, state string) record.ID {
	m.Helper()
	switch what + " " + state {
	case "nothing any":
		return record.ID{}
	case "account recorded":
		return m.account()
	case "record boxed":
		return m.boxed()
	case "record erased":
		id := m.boxed()
		m.do(m.world("clerk", acts.Desk), "body.erase", acts.Values{"record": {id.String()}, "reason": {"agreed"}})
		return id
	case "release proposed", "release consented", "release made":
		return m.release(state)
	case "identity kept":
		return m.identity()
	case "identity asked":
		id := m.identity()
		m.asks(id)
		return id
	case "identity answered":
		id := m.identity()
		m.answers(m.asks(id))
		return id
	case "request open":
		return m.asks(m.identity())
	case "request answered":
		ask := m.asks(m.identity())
		m.answers(ask)
		return ask
	case "account linked":
		acc := m.account()
		m.link(acc, m.incident())
		return acc
	case "account aside":
		acc := m.account()
		m.file("clerk", record.AccountSetAside, why, role(record.RoleAccount, acc))
		return acc
	case "account amended":
		acc := m.account()
		m.file("clerk", record.AccountAmended, verifytest.Account(2), role(record.RoleAccount, acc), verifytest.Supersedes(acc))
		return acc
	case "account withdrawn":
		acc := m.account()
		m.file("clerk", record.AccountWithdrawn, why, role(record.RoleAccount, acc))
		return acc
	case "account batch_open":
		_, acc, _ := m.batch(false)
		return acc
	case "account batch_closed":
		_, acc, _ := m.batch(true)
		return acc
	case "account batch_withdrawn":
		b, acc, _ := m.batch(true)
		m.file("clerk", record.BatchWithdrawn, why, role(record.RoleBatch, b))
		return acc
	case "incident batch_open":
		_, _, in := m.batch(false)
		return in
	case "incident alleged":
		return m.incident()
	case "incident open", "incident merged", "incident merged_into":
		in, other := m.incident(), m.incident()
		m.link(m.account(), in)
		m.link(m.account(), in)
		if state == "merged" {
			m.merge(in, other)
		}
		if state == "merged_into" {
			m.merge(other, in)
		}
		return in
	case "incident retracted":
		in := m.incident()
		m.undo(in)
		return in
	case "incident asked":
		return m.notice()
	case "incident asked_closed":
		in := m.notice()
		m.close(in)
		return in
	case "incident answered":
		in := m.notice()
		m.sealed(in, "OMB")
		return in
	case "account sealed":
		return m.sealed(m.notice(), "OMB")
	case "account late":
		in := m.notice()
		m.close(in)
		return m.sealed(in, "OMB")
	case "account sealed_closed", "account unsealed":
		in := m.notice()
		acc := m.sealed(in, "OMB")
		m.close(in)
		if state == "unsealed" {
			o, err := m.unseal(acc)
			if err != nil {
				m.Fatal(err)
			}
			m.file("OMB", record.AccountOpened, o, role(record.RoleAccount, acc))
		}
		return acc
	case "link standing", "link undone":
		l := m.link(m.account(), m.incident())
		if state == "undone" {
			m.file("clerk", record.IncidentUnlinked, why, role(record.RoleLink, l))
		}
		return l
	case "batch open", "batch closed", "batch closed_and_linked", "batch withdrawn":
		b, acc, _ := m.batch(state != "open")
		if state == "closed_and_linked" {
			m.link(acc, m.incident())
		}
		if state == "withdrawn" {
			m.file("clerk", record.BatchWithdrawn, why, role(record.RoleBatch, b))
		}
		return b
	}
	return m.filed(state)
}

func (m *mission) merge(from, into record.ID) record.ID {
	return m.file("clerk", record.IncidentAliased, why, role(record.RoleIncident, from), role(record.RoleInto, into))
}

func (m *mission) undo(id record.ID) record.ID {
	return m.file("clerk", record.ActUndone, why, role(record.RoleAct, id))
}

// filed makes a record to undo.
func (m *mission) filed(what string) record.ID {
	m.Helper()
	amend := func(acc, of record.ID) record.ID {
		return m.file("clerk", record.AccountAmended, verifytest.Account(2), role(record.RoleAccount, acc), verifytest.Supersedes(of))
	}
	switch what {
	case "mission_opened":
		return m.first()
	case "clock_ticked":
		return m.file("book", record.ClockTicked, nil)
	case "report_filed":
		return m.file("clerk", record.ReportFiled, &record.Report{Title: "t"})
	case "account_filed":
		return m.account()
	case "account_amended":
		acc := m.account()
		return amend(acc, acc)
	case "amended_twice":
		acc := m.account()
		first := amend(acc, acc)
		amend(acc, first)
		return first
	case "account_withdrawn":
		return m.file("clerk", record.AccountWithdrawn, why, role(record.RoleAccount, m.account()))
	case "account_set_aside":
		return m.file("clerk", record.AccountSetAside, why, role(record.RoleAccount, m.account()))
	case "incident_opened":
		return m.incident()
	case "incident_opened_and_linked":
		in := m.incident()
		m.link(m.account(), in)
		return in
	case "incident_linked":
		return m.link(m.account(), m.incident())
	case "incident_unlinked":
		return m.file("clerk", record.IncidentUnlinked, why, role(record.RoleLink, m.link(m.account(), m.incident())))
	case "incident_aliased":
		return m.merge(m.incident(), m.incident())
	case "source_graded":
		return m.file("clerk", record.SourceGraded, &record.Grade{Grade: "B2", Reason: "r", Source: "s"})
	case "linkage_fitted":
		return m.model()
	case "undone_model":
		return m.undo(m.model())
	case "batch_withdrawn":
		b, _, _ := m.batch(true)
		return m.file("clerk", record.BatchWithdrawn, why, role(record.RoleBatch, b))
	case "undone_merge":
		return m.undo(m.merge(m.incident(), m.incident()))
	case "undone_opening":
		return m.undo(m.incident())
	case "already_undone":
		id := m.merge(m.incident(), m.incident())
		m.undo(id)
		return id
	}
	m.Fatalf("no situation %s", what)
	return record.ID{}
}

func (m *mission) model() record.ID {
	return m.file("clerk", record.LinkageFitted, verifytest.Linkage(m.state.Size(), record.Digest{1}))
}

func (m *mission) first() record.ID {
	for id := range m.read {
		if i, _ := m.state.IndexOf(id); i == 0 {
			return id
		}
	}
	return record.ID{}
}

// Every role of officers may do something, and only roles that there are.
func TestRolesOfActs(t *testing.T) {
	known := []string{acts.Desk, acts.Operations, acts.Administrator, acts.Reader}
	for _, a := range acts.All() {
		if len(a.Roles) == 0 {
			t.Errorf("%s: nobody may do it", a.Name)
		}
		for _, r := range a.Roles {
			if !slices.Contains(known, r) {
				t.Errorf("%s: role %s", a.Name, r)
			}
		}
		if (len(a.Kinds) == 0) != a.Local && a.Name != "officer.invite" {
			t.Errorf("%s: local %t, and files %v", a.Name, a.Local, a.Kinds)
		}
		if _, ok := a.Field(string(a.On)); a.On != acts.OnNothing && !ok {
			t.Errorf("%s: no field for the %s it is done on", a.Name, a.On)
		}
	}
}
