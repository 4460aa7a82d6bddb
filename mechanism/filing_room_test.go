// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
	"truceline/when"
)

const (
	hour   = int64(3_600_000)
	window = 72 * hour // of the agreement of these tests
	own    = 24 * hour
)

// room is a door where versions are filed blind. The escrow is clerk, scribe and watch.
type room struct {
	*door
	keys     map[string]*vault.Identity
	secrets  map[record.ID]*vault.Secret
	bodies   map[record.ID]*record.Sealed
	audience string
}

// escrowKeys are drawn once: drawing one is dear.
var escrowKeys = func() map[string]*vault.Identity {
	out := map[string]*vault.Identity{}
	for _, m := range []string{"clerk", "scribe", "watch"} {
		id, err := vault.NewIdentity()
		if err != nil {
			panic(err)
		}
		out[m] = id
	}
	return out
}()

func openRoom(tb testing.TB, escrow ...string) *room {
	m := verifytest.NewMission("filing")
	if len(escrow) > 0 {
		m.Pack.Filing = &agreement.Filing{Escrow: escrow, EscrowNeed: 2}
	}
	r := &room{
		door: &door{TB: tb, Mission: m, state: mechanism.New(), at: verifytest.Start},
		keys: escrowKeys, secrets: map[record.ID]*vault.Secret{}, bodies: map[record.ID]*record.Sealed{}, audience: record.AudiencePublic,
	}
	for _, f := range m.Opening() {
		r.good(f)
	}
	for _, code := range escrow {
		r.good(r.File(code, record.RecipientNamed, &record.Recipient{Age: r.keys[code].Recipient()}))
	}
	return r
}

// file makes a statement for the room's audience.
func (r *room) file(member string, kind record.Kind, body record.Body, o ...verifytest.Option) verifytest.Filing {
	return r.File(member, kind, body, append(o, verifytest.Edit(func(s *record.Statement) { s.Audience = r.audience }))...)
}

func notice(invited ...string) *record.Notice {
	slices.Sort(invited)
	return &record.Notice{Invited: invited, Places: []string{"ferry_head"}, Types: []string{"shots"}, When: when.Span{Start: "2026-03-01"}}
}

func (r *room) notice(member string, invited ...string) record.ID {
	r.Helper()
	return r.good(r.file(member, record.NoticeFiled, notice(invited...)))
}

// says is the member's own version.
func says(member string, hurt int64) *record.Account {
	a := verifytest.Account(hurt)
	a.Claimant.Name = "Speaker of " + member
	if a.Claimant.Party = ""; member == "OMB" || member == "DRN" {
		a.Claimant.Party = member
	}
	return a
}

func (r *room) context(incident record.ID, member string) vault.Context {
	return vault.Context{Mission: r.Mission.ID, Incident: incident, Member: member}
}

// sealed makes an account.sealed of the member's version.
func (r *room) sealed(incident record.ID, member string) verifytest.Filing {
	r.Helper()
	codes, need, _ := r.state.SealingTerms(incident)
	var to []vault.Recipient
	for _, code := range codes {
		to = append(to, vault.Recipient{Member: code, Age: r.keys[code].Recipient()})
	}
	random := rand.NewChaCha8([32]byte{byte(len(r.secrets)), byte(r.state.Size())})
	body, secret, err := vault.SealAccount(random, r.context(incident, member), says(member, 4), to, need)
	if err != nil {
		r.Fatal(err)
	}
	f := r.file(member, record.AccountSealed, body, verifytest.About(record.RoleIncident, incident))
	r.secrets[f.ID()], r.bodies[f.ID()] = secret, body
	return f
}

func (r *room) declined(incident record.ID, member string) verifytest.Filing {
	return r.file(member, record.FilingDeclined, &record.Reason{Reason: "under inquiry"}, verifytest.About(record.RoleIncident, incident))
}

// opened makes an account.opened of what the secret of sealed opens.
func (r *room) opened(sealed record.ID, by string) verifytest.Filing {
	r.Helper()
	body, err := r.secrets[sealed].Opened()
	if err != nil {
		r.Fatal(err)
	}
	return r.file(by, record.AccountOpened, body, verifytest.About(record.RoleAccount, sealed))
}

func (r *room) share(sealed record.ID, by string) verifytest.Filing {
	body := &record.Share{Share: base64.StdEncoding.EncodeToString(append([]byte{1}, make([]byte, 32)...))}
	if c, _, ok := r.state.SealedAccount(sealed); ok {
		if s, err := vault.OpenShare(c, r.bodies[sealed], by, r.keys[by]); err == nil {
			body.Share = base64.StdEncoding.EncodeToString(s[:])
		}
	}
	return r.file(by, record.ShareReleased, body, verifytest.About(record.RoleAccount, sealed))
}

func (r *room) tick() { r.Helper(); r.good(r.File("book", record.ClockTicked, nil)) }

// after lets the clock stand just after a moment, so that the next record is logged at it.
func (r *room) after(ms int64) { r.at = ms }

func (r *room) answer(incident record.ID, member string) mechanism.Answer {
	r.Helper()
	f, ok := r.state.Filing(incident)
	if !ok {
		r.Fatalf("incident %s has no filing", incident)
	}
	for _, a := range f.Answers {
		if a.Member == member {
			return a
		}
	}
	r.Fatalf("%s is not asked about incident %s", member, incident)
	return mechanism.Answer{}
}

func (r *room) want(incident record.ID, member, state, opening string) {
	r.Helper()
	if a := r.answer(incident, member); a.State != state || a.Opening != opening {
		r.Errorf("%s is %s %q, want %s %q", member, a.State, a.Opening, state, opening)
	}
}
