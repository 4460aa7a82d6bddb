// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// release is one that scribe proposes of an account of the desk's, for members alone.
func (m *mission) release(state string) record.ID {
	m.Helper()
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	acc := m.file("clerk", record.AccountFiled, verifytest.Account(1), verifytest.For(record.AudienceMembers))
	id := m.do(m.world("scribe", acts.Operations), "release.propose", acts.Values{"release_title": {"What is known"}, "show": {acc.String() + " /claims[0]/words", acc.String() + " /claimant/name"}})[0]
	if state == "proposed" {
		return id
	}
	m.do(m.world("OMB", acts.Operations), "release.consent", acts.Values{"release": {id.String()}})
	m.now += 3_600_000
	if state == "made" {
		m.do(m.world("OMB", acts.Desk), "release.reply", acts.Values{"release": {id.String()}, "text": {"Not all is said."}})
		m.do(m.world("scribe", acts.Operations), "release.make", acts.Values{"release": {id.String()}})
	}
	return id
}

// What is made shows what was proposed and the replies, and nothing else.
func TestReleaseShowsWhatWasProposed(t *testing.T) {
	m := open(t)
	id := m.release("made")
	x, _ := m.state.Proposal(id)
	r := m.read[x.Made].body.(*record.Released)
	if len(r.Items) != 2 || r.Title != "What is known" || m.read[x.Made].st.Audience != record.AudiencePublic {
		t.Fatalf("%+v", r)
	}
	var got []string
	for _, d := range r.Items {
		if _, err := vault.CheckDisclosure(&d); err != nil {
			t.Error(err)
		}
		for _, f := range d.Fields {
			got = append(got, f.Path+" "+f.Value)
		}
	}
	if len(got) != 3 || !strings.HasPrefix(got[0], "/claimant/name ") || !strings.HasPrefix(got[1], "/claims[0]/words ") || got[2] != `/text "Not all is said."` {
		t.Errorf("%q", got)
	}
	if st := m.read[id].st; st.Audience != record.AudienceMembers {
		t.Errorf("the proposal is for %s", st.Audience)
	}
}

func TestProposalProblems(t *testing.T) {
	m := open(t)
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	acc := m.file("clerk", record.AccountFiled, verifytest.Account(1), verifytest.For(record.AudienceMembers)).String()
	w := m.world("scribe", acts.Operations)
	for what, v := range map[string]acts.Values{
		"a field that is not there": {"show": {acc + " /claims[9]/low"}},
		"no path":                   {"show": {acc}},
		"no id":                     {"show": {"x /claims[0]/words"}},
		"nothing":                   {},
		"an embargo of another day": {"show": {acc + " /claimant/name"}, "embargo": {"soon"}},
		"for another audience":      {"show": {acc + " /claimant/name"}, "release_for": {"mechanism"}},
		"a record that is not here": {"show": {strings.Repeat("1", 32) + " /claimant/name"}},
	} {
		v["release_title"] = []string{"t"}
		var invalid *acts.Invalid
		if _, err := act(t, "release.propose").Plan(w, v); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	token := m.NewID().String()
	v := acts.Values{"release_title": {"t"}, "form": {token}, "show": {acc + " /claims[0]/words", acc + " /claimant/name", acc + " /claimant/name"}, "embargo": {"2031-05-01 18:30"}, "both_replied": {""}}
	drafts, err := act(t, "release.propose").Plan(w, v)
	if err != nil {
		t.Fatal(err)
	}
	r := drafts[0].Body.(*record.Release)
	if r.Embargo != 1935426600000 || len(r.Items) != 1 || !slices.Equal(r.Items[0].Fields, []string{"/claimant/name", "/claims[0]/words"}) {
		t.Errorf("%+v", r)
	}
	m.do(w, "release.propose", v)
	var refusal *mechanism.Refusal
	if _, err := act(t, "release.propose").Plan(w, v); !errors.As(err, &refusal) || refusal.Code != mechanism.DuplicateID {
		t.Errorf("the same form twice: %v", err)
	}
	w.Disclose = nil
	if err := act(t, "release.make").Offer(w, drafts[0].ID); !errors.As(err, &refusal) {
		t.Errorf("offered where nothing can be shown: %v", err)
	}
}
