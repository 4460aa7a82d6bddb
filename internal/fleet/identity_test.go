// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"truceline/acts"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// source is the name that nobody but its custodian, and who is given it, may learn.
const source = "Exercise Canaria Quill-4471"

// logs takes down what nodes log.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(b) }

func logged(f *fleet.Fleet) *logs {
	l := &logs{}
	f.Options = func(_ string, o *node.Options) {
		o.Log = slog.New(slog.NewTextHandler(io.Writer(l), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		f.Stop(code)
		f.Start(code)
	}
	f.Settle()
	return l
}

func officer(f *fleet.Fleet, code string, roles ...string) node.Officer {
	if len(roles) == 0 {
		roles = []string{office.RoleDesk, office.RoleOperations}
	}
	return node.Officer{ID: f.Nodes[code].Config.Officers[code], Member: code, Roles: roles}
}

// identity files one with an account of a member.
func identity(t *testing.T, f *fleet.Fleet, code, custodian, name string, account record.ID) record.ID {
	t.Helper()
	before := keptBy(t, f, code, record.ID{})
	if _, err := do(t, f, code, "identity.file", acts.Values{"account": {account.String()}, "custodian": {custodian}, "person_role": {"witness"}, "person": {name},
		"second": {"born 1979"}, "contact": {"at the mill of " + source}, "languages": {"en, ur"}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	after := keptBy(t, f, code, record.ID{})
	if len(after) != len(before)+1 {
		t.Fatalf("%d identities, after %d", len(after), len(before))
	}
	return after[0].ID
}

func keptBy(t *testing.T, f *fleet.Fleet, code string, account record.ID) []node.KeptIdentity {
	t.Helper()
	out, err := f.Nodes[code].Identities(t.Context(), officer(f, code), account)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// theIdentity is the only one of an account, as a member sees it.
func theIdentity(t *testing.T, f *fleet.Fleet, code string, account record.ID) node.KeptIdentity {
	t.Helper()
	list := keptBy(t, f, code, account)
	if len(list) != 1 {
		t.Fatalf("%s sees %d identities", code, len(list))
	}
	return list[0]
}

func ask(t *testing.T, f *fleet.Fleet, code string, id record.ID) record.ID {
	t.Helper()
	if _, err := do(t, f, code, "identity.ask", acts.Values{"identity": {id.String()}, "reason": {"to offer protection"}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	var out record.ID
	f.Nodes[code].Look(func(s *mechanism.State) {
		x, _ := s.Identity(id)
		for _, r := range x.Requests {
			if r.Member == code {
				out = r.ID
			}
		}
	})
	if out.IsZero() {
		t.Fatalf("%s has asked, and no request is there", code)
	}
	return out
}

// reads files a reading and gives its record; it shows nothing while that is not logged.
func reads(t *testing.T, f *fleet.Fleet, code string, id record.ID) record.ID {
	t.Helper()
	p, _, err := f.Nodes[code].ReadIdentity(t.Context(), officer(f, code), acts.Values{"identity": {id.String()}, "reason": {"to call the witness"}})
	if p != nil || !errors.As(err, new(*node.Queued)) {
		t.Fatalf("before the reading is in the ledger %s gets %v, %v", code, p, err)
	}
	f.Settle()
	var out record.ID
	f.Nodes[code].Look(func(s *mechanism.State) {
		x, _ := s.Identity(id)
		out = x.Readings[len(x.Readings)-1]
	})
	return out
}

// TestIdentityApart: an identity is filed, asked for, released, refused and read; its name is
// nowhere but where it was read, and every reading is seen by the custodian and the mechanism.
func TestIdentityApart(t *testing.T) {
	f := begin(t, 81)
	log := logged(f)
	account := says(t, f, "NOR", 4)
	f.Settle()
	id := identity(t, f, "NOR", "SUD", source, account)

	t.Log("who knows of it")
	for _, code := range []string{"NOR", "SUD", "fac", "mon"} {
		x := theIdentity(t, f, code, account)
		if role := x.Role == "witness"; x.Custodian != "SUD" || x.Member != "NOR" || role != (code == "NOR" || code == "SUD") {
			t.Errorf("%s sees %+v", code, x)
		}
	}
	n := f.Nodes["NOR"]
	if p, _, err := n.ReadIdentity(t.Context(), officer(f, "NOR"), acts.Values{"identity": {id.String()}, "reason": {"r"}}); p != nil || refusalOf(err) != mechanism.NoRight {
		t.Errorf("who filed it reads it again: %v, %v", p, err)
	}
	if err := n.Offer(t.Context(), officer(f, "NOR"), mustAct(t, "identity.release"), ask(t, f, "NOR", id)); refusalOf(err) != mechanism.NoRight {
		t.Errorf("who filed it may release it: %v", err)
	}

	t.Log("asked for by the mechanism, released, read")
	request := ask(t, f, "fac", id)
	if _, err := do(t, f, "fac", "identity.ask", acts.Values{"identity": {id.String()}, "reason": {"again"}}); refusalOf(err) != mechanism.StateForbids {
		t.Errorf("asked twice: %v", err)
	}
	for _, code := range []string{"SUD", "mon"} {
		x := theIdentity(t, f, code, account)
		if r := x.Requests[1]; r.Member != "fac" || r.Reason != "to offer protection" || r.State != node.RequestOpen {
			t.Errorf("%s sees the request %+v", code, r)
		}
	}
	if _, err := do(t, f, "SUD", "identity.release", acts.Values{"request": {request.String()}}); err != nil {
		t.Fatal(err)
	}
	if _, err := do(t, f, "SUD", "identity.release", acts.Values{"request": {theIdentity(t, f, "SUD", account).Requests[0].ID.String()}, "refused": {"no need is shown"}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	nowhere := func(when string, but ...string) {
		t.Helper()
		for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
			if err := f.Nodes[code].Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{source, strings.ToLower(source), "quill-4471", base64.StdEncoding.EncodeToString([]byte(source))[:28], "to offer protection", "to call the witness"} {
				if found := holds(t, f.Path(code), form); found != "" {
					t.Errorf("%s: %q is in %s", when, form, found)
				}
			}
		}
		if strings.Contains(log.b.String(), source) {
			t.Errorf("%s: it is logged", when)
		}
	}
	nowhere("released and not read")
	if p, _, err := n.ReadIdentity(t.Context(), officer(f, "NOR"), acts.Values{"identity": {id.String()}, "reason": {"r"}}); p != nil || !errors.Is(err, node.ErrNotReleased) {
		t.Errorf("who was refused reads it: %v, %v", p, err)
	}
	read := reads(t, f, "fac", id)
	facilitator := f.Nodes["fac"]
	for _, who := range []node.Officer{officer(f, "fac", office.RoleDesk), officer(f, "fac", office.RoleAdministrator), {ID: record.ID{1}, Member: "fac", Roles: []string{office.RoleOperations}}, officer(f, "SUD")} {
		if p, err := facilitator.ShowIdentity(t.Context(), who, read); p != nil || err == nil {
			t.Errorf("%+v is shown what another reads", who)
		}
	}
	if x := theIdentity(t, f, "fac", account); !x.Readings[0].Waits {
		t.Error("the reading does not wait to be shown")
	}
	p, err := facilitator.ShowIdentity(t.Context(), officer(f, "fac"), read)
	if err != nil || p.Name != source || !slices.Equal(p.Languages, []string{"en", "ur"}) {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err := facilitator.ShowIdentity(t.Context(), officer(f, "fac"), read); p != nil || !errors.Is(err, node.ErrShown) {
		t.Errorf("shown twice: %v, %v", p, err)
	}

	t.Log("read by the custodian")
	own := reads(t, f, "SUD", id)
	if p, err := f.Nodes["SUD"].ShowIdentity(t.Context(), officer(f, "SUD"), own); err != nil || p.Name != source {
		t.Errorf("%+v, %v", p, err)
	}
	for _, code := range []string{"SUD", "fac", "mon"} {
		x := theIdentity(t, f, code, account)
		if len(x.Readings) != 2 || x.Readings[0].Member != "fac" || x.Readings[1].Member != "SUD" || x.Readings[1].Reason != "to call the witness" && code != "fac" {
			t.Errorf("%s sees the readings %+v", code, x.Readings)
		}
		if x.Requests[0].State != node.RequestRefused || x.Requests[1].State != node.RequestReleased {
			t.Errorf("%s sees the answers %+v", code, x.Requests)
		}
	}
	nowhere("read")
	settled(t, f)

	t.Log("erased at the person's wish")
	if _, err := f.File("SUD", node.Draft{Kind: record.BodyErased, Member: "SUD", Body: &record.Reason{Reason: "at this person's wish"}, Subjects: []record.Subject{{ID: id, Role: record.RoleRecord}}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if x := theIdentity(t, f, "NOR", account); !x.Erased || x.Role != "" {
		t.Errorf("after the erasure: %+v", x)
	}
	for _, code := range []string{fleet.RegistryCode, "fac", "mon"} {
		for _, gone := range []record.ID{id, theIdentity(t, f, "fac", account).Requests[1].Answer} {
			log := f.Nodes[code].MembersLog()
			index, err := log.Index(t.Context(), gone)
			if err != nil {
				t.Fatal(err)
			}
			line, err := log.Line(t.Context(), index)
			if err != nil {
				t.Fatal(err)
			}
			if l, err := record.ParseLine(line); err != nil || l.Body != nil {
				t.Errorf("on the node of %s the box of record %d is still there: %v", code, index, err)
			}
		}
	}
	if _, err := do(t, f, "mon", "identity.ask", acts.Values{"identity": {id.String()}, "reason": {"r"}}); refusalOf(err) != mechanism.StateForbids {
		t.Errorf("asked for when it is erased: %v", err)
	}
}

// TestReleasedToAnotherKey: what a custodian encrypts to another than who asked, and what was
// copied from another record, opens nowhere.
func TestReleasedToAnotherKey(t *testing.T) {
	f := begin(t, 82)
	account := says(t, f, "NOR", 4)
	f.Settle()
	id := identity(t, f, "NOR", "SUD", source, account)
	request := ask(t, f, "fac", id)
	other, err := vault.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	c := vault.PersonContext{Mission: f.Nodes["SUD"].Config.Mission, Identity: id, Member: "NOR"}
	age, err := vault.SealPerson(c, &vault.Person{Name: source}, other.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.File("SUD", node.Draft{Kind: record.IdentityReleased, Member: "SUD", Body: &record.IdentityAnswer{Age: age}, Audience: record.AudienceNamed, Readers: []string{"fac", "mon"},
		Subjects: []record.Subject{{ID: request, Role: record.RoleRequest}}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if p, _, err := f.Nodes["fac"].ReadIdentity(t.Context(), officer(f, "fac"), acts.Values{"identity": {id.String()}, "reason": {"r"}}); p != nil || !errors.Is(err, vault.ErrNotForUs) {
		t.Errorf("released to another key: %v, %v", p, err)
	}
	// A record that holds the age file of another identity: its custodian releases nothing.
	var recipient string
	f.Nodes["SUD"].Look(func(s *mechanism.State) { recipient = s.Recipient("SUD") })
	stolen, err := vault.SealPerson(c, &vault.Person{Name: source}, recipient)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := f.File("NOR", node.Draft{Kind: record.IdentityFiled, Member: "NOR", Body: &record.Identity{Age: stolen, Role: "source", Token: record.ID{1}}, Audience: record.AudienceNamed, Readers: []string{"SUD"},
		Subjects: []record.Subject{{ID: account, Role: record.RoleAccount}}})
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	again := ask(t, f, "NOR", copied)
	if _, err := do(t, f, "SUD", "identity.release", acts.Values{"request": {again.String()}}); !errors.Is(err, vault.ErrPersonElsewhere) {
		t.Errorf("what was copied is released: %v", err)
	}
}

// TestSourceMetAgain: a member's node meets a source again by a token, which is another on
// every node, and the size of a record says nothing of who it is.
func TestSourceMetAgain(t *testing.T) {
	f := begin(t, 83)
	first, second, third := says(t, f, "NOR", 4), says(t, f, "NOR", 5), says(t, f, "SUD", 6)
	f.Settle()
	identity(t, f, "NOR", "fac", source, first)
	identity(t, f, "NOR", "NOR", strings.ToUpper(source)+" ", second)
	identity(t, f, "SUD", "fac", source, third)
	identity(t, f, "NOR", "fac", "Another", first)
	if x := theIdentity(t, f, "NOR", second); !slices.Equal(x.Met, []record.ID{first}) || x.Custodian != "NOR" {
		t.Errorf("met in %v, not in %s", x.Met, first)
	}
	for _, x := range keptBy(t, f, "fac", record.ID{}) {
		if len(x.Met) > 0 {
			t.Errorf("another's node meets the source: %+v", x)
		}
	}
	if x := theIdentity(t, f, "SUD", third); len(x.Met) > 0 {
		t.Errorf("the token of one node is that of another: %+v", x)
	}
	sizes := map[int]int{}
	for _, code := range []string{"NOR", "SUD"} {
		for _, x := range keptBy(t, f, code, record.ID{}) {
			if x.Custodian == "fac" && x.Member == code {
				index, err := f.Registry().MembersLog().Index(t.Context(), x.ID)
				if err != nil {
					t.Fatal(err)
				}
				line, err := f.Registry().MembersLog().Line(t.Context(), index)
				if err != nil {
					t.Fatal(err)
				}
				l, err := record.ParseLine(line)
				if err != nil {
					t.Fatal(err)
				}
				sizes[len(l.Body)]++
			}
		}
	}
	if len(sizes) != 1 {
		t.Errorf("boxes of these sizes: %v", sizes)
	}
	settled(t, f)
}

func refusalOf(err error) mechanism.Code {
	var r *mechanism.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func mustAct(t *testing.T, name string) *acts.Act {
	t.Helper()
	a, ok := acts.Find(name)
	if !ok {
		t.Fatalf("there is no act %s", name)
	}
	return a
}
