// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/agreement"
	"truceline/mechanism"
	"truceline/place"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
	"truceline/when"
)

// gridded is a mission whose agreement keeps positions coarse.
func gridded(t *testing.T, edit func(p *agreement.Pack)) *mission {
	p := verifytest.Pack()
	p.Coarse = &agreement.Coarse{GridE6: 100_000}
	if edit != nil {
		edit(p)
	}
	m := &mission{T: t, Mission: verifytest.NewMission(t.Name()), state: mechanism.New(), read: map[record.ID]read{}, now: verifytest.Start, secrets: map[record.Digest]*vault.Secret{}}
	m.Pack = p
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	for _, f := range m.Opening() {
		m.admit(f)
	}
	return m
}

// positioned is a form of a statement with a position.
func positioned(more ...string) acts.Values {
	v := acts.Values{"claimant": {"the herald"}, "claimant_kind": {"spokesperson"}, "lat": {"-40.887654"}, "lon": {"-122.412345"}, "precision_m": {"50"},
		"claim.1.element": {"event"}, "claim.1.stance": {"asserts"}, "claim.2.element": {"event"}, "claim.2.stance": {"asserts"}}
	for i := 0; i < len(more); i += 2 {
		v[more[i]] = []string{more[i+1]}
	}
	return v
}

func claimsOf(t *testing.T, m *mission, id record.ID) []record.Claim {
	t.Helper()
	a, ok := m.read[id].body.(*record.Account)
	if !ok {
		t.Fatalf("%s is no account", id)
	}
	return a.Claims
}

var (
	exact  = record.Point{LatE6: -40_887_654, LonE6: -122_412_345, PrecisionM: 50}
	around = record.Area{LatE6: -40_900_000, LonE6: -122_500_000, SizeE6: 100_000, Side: record.SideOne}
)

// What everybody reads has the area and nothing sharper; what fewer read has both.
func TestPublicPlacesAreCoarse(t *testing.T) {
	m := gridded(t, nil)
	w := m.world("clerk", acts.Desk)
	id := m.do(w, "statement.record", positioned())[0]
	for _, c := range claimsOf(t, m, id) {
		if c.Point != nil || c.Area == nil || *c.Area != around {
			t.Errorf("a public claim is at %+v, %+v", c.Point, c.Area)
		}
	}
	b, err := record.EncodeBody(m.read[id].body)
	if err != nil || bytes.Contains(b, []byte("887654")) || bytes.Contains(b, []byte("412345")) {
		t.Errorf("the exact position is in the body: %s", b)
	}

	kept := m.file("clerk", record.AccountFiled, verifytest.Account(1), verifytest.For(record.AudienceMembers))
	v := positioned("account", kept.String())
	amended := m.do(w, "account.amend", v)[0]
	for _, c := range claimsOf(t, m, amended) {
		if c.Point == nil || *c.Point != exact || c.Area == nil || *c.Area != around {
			t.Errorf("a claim for members is at %+v, %+v", c.Point, c.Area)
		}
	}

	// An amendment of either that says the same is none, and one that says more keeps the place.
	for _, of := range []record.ID{id, amended} {
		account := of
		if of == amended {
			account = kept
		}
		form := acts.FormOf(m.read[of].body.(*record.Account), record.ID{})
		form["account"] = []string{account.String()}
		if _, err := act(t, "account.amend").Plan(w, form); err == nil || !strings.Contains(err.Error(), "no_change") {
			t.Errorf("filed as it is, it says something new: %v", err)
		}
		form["claim.1.words"] = []string{"more"}
		was, now := claimsOf(t, m, of), claimsOf(t, m, m.do(w, "account.amend", form)[0])
		if !reflect.DeepEqual(was[0].Area, now[0].Area) || !reflect.DeepEqual(was[0].Point, now[0].Point) || now[0].Words != "more" {
			t.Errorf("%+v %+v became %+v %+v", was[0].Point, was[0].Area, now[0].Point, now[0].Area)
		}
	}
}

// What is sealed comes to be read by those who read the notice.
func TestSealedPlacesAreCoarse(t *testing.T) {
	for audience, point := range map[string]*record.Point{record.AudiencePublic: nil, record.AudienceMembers: &exact} {
		m := gridded(t, nil)
		notice := m.file("watch", record.NoticeFiled, &record.Notice{Invited: []string{"OMB"}, Places: []string{"ferry_head"}, Types: []string{"shots"}, When: when.Span{Start: "2026-03-01"}}, verifytest.For(audience))
		w := m.world("OMB", acts.Desk)
		var sealed *record.Account
		inner := w.Seal
		w.Seal = func(in record.ID, a *record.Account) (*record.Sealed, error) {
			sealed = a
			return inner(in, a)
		}
		m.do(w, "account.seal", positioned("incident", notice.String(), "form", "0102030405060708090a0b0c0d0e0f10"))
		if c := sealed.Claims[0]; !reflect.DeepEqual(c.Point, point) || c.Area == nil || *c.Area != around {
			t.Errorf("%s: sealed at %+v, %+v", audience, c.Point, c.Area)
		}
	}
}

// Without a grid nothing changes, and a line whose course is not known here stops the form.
func TestWithoutGridOrMap(t *testing.T) {
	m := open(t)
	c := claimsOf(t, m, m.do(m.world("clerk", acts.Desk), "statement.record", positioned())[0])[0]
	if c.Area != nil || c.Point == nil || *c.Point != exact {
		t.Errorf("%+v %+v", c.Point, c.Area)
	}
	m = gridded(t, func(p *agreement.Pack) {
		p.Lines = []agreement.Line{{Code: "line", Name: agreement.Text{"en": "The Line"}, PartyNames: map[string]agreement.Text{"DRN": {"en": "n"}}, Boundary: []string{"004", "586"}}}
	})
	w := m.world("clerk", acts.Desk)
	if _, err := act(t, "statement.record").Plan(w, positioned()); err == nil || !strings.Contains(err.Error(), "base map") {
		t.Error("a position was made coarse beside a line that is not known here:", err)
	}
	w.Lines = func() ([]place.Line, error) {
		return []place.Line{{{LatE6: -41_500_000, LonE6: -122_450_000}, {LatE6: -40_000_000, LonE6: -122_450_000}}}, nil
	}
	c = claimsOf(t, m, m.do(w, "statement.record", positioned())[0])[0]
	if c.Point != nil || c.Area == nil || c.Area.Side != record.SideUndetermined || c.Area.SizeE6 != 400_000 {
		t.Errorf("beside a line: %+v", c.Area)
	}
}

func TestAreasOfForms(t *testing.T) {
	m := gridded(t, nil)
	w := m.world("clerk", acts.Desk)
	for text, ok := range map[string]bool{
		"-41 -122.6 0.1 one": true, "-41.2 -122.8 0.4 undetermined": true,
		"-41 -122.6 0.1": false, "-41 -122.6 0.1 north": false, "a b c one": false, "-41 -122.6 0 one": false, "1e1 0 1 one": false,
		"-41 -122.6 0.05 one": false, "-40.95 -122.6 0.1 one": false, // sharper than the grid, or beside it
	} {
		v := positioned("area", text)
		delete(v, "lat")
		delete(v, "lon")
		delete(v, "precision_m")
		drafts, err := act(t, "statement.record").Plan(w, v)
		if ok != (err == nil) {
			t.Errorf("%q: %v", text, err)
		}
		if ok && drafts[0].Body.(*record.Account).Claims[0].Area == nil {
			t.Errorf("%q: no area", text)
		}
	}
	// What is filled in anew takes the place of what was filed.
	drafts, err := act(t, "statement.record").Plan(w, positioned("area", "0 0 10 one"))
	if err != nil || *drafts[0].Body.(*record.Account).Claims[0].Area != around {
		t.Error(err)
	}
}
