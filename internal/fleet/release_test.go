// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"truceline/acts"
	"truceline/agreement"
	"truceline/bundle"
	"truceline/internal/fleet"
	"truceline/mechanism"
	"truceline/record"
)

// releasing has an agreement by which two of three bodies release.
func releasing(t *testing.T, seed uint64) *fleet.Fleet {
	f := begin(t, seed)
	if err := f.Registry().Adopt(t.Context(), func(p *agreement.Pack) {
		p.Release = &agreement.Release{Bodies: []string{"NOR", "SUD", "fac"}, Need: 2, ReplyHours: 1}
	}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	return f
}

// TestRelease: what two parties told members of one night is shown to everybody by what the
// agreement demands; a stranger proves it from one file, and nothing else is in that file.
func TestRelease(t *testing.T) {
	f := releasing(t, 91)
	in := notice(t, f, "NOR", "SUD")
	for code, killed := range map[string]string{"NOR": "3", "SUD": "0"} {
		v := sealedForm(killed)
		v["incident"] = []string{in.String()}
		v["claim.1.words"] = []string{"EXERCISE words of " + code}
		if _, err := do(t, f, code, "account.seal", v); err != nil {
			t.Fatal(code, err)
		}
	}
	for range 4 {
		f.Settle()
	}
	filing := filingOf(f, "fac", in)
	show := []string{in.String() + " /places[0]", in.String() + " /when/start"}
	for _, a := range filing.Answers {
		if a.Opened.IsZero() {
			t.Fatalf("%+v", a)
		}
		show = append(show, a.Opened.String()+" /account/claims[0]/low", a.Opened.String()+" /account/claims[0]/words")
	}
	if _, err := do(t, f, "mon", "release.propose", acts.Values{"release_title": {"x"}, "show": show}); err == nil {
		t.Error("the monitors propose, whom the agreement does not name")
	}
	_, err := do(t, f, "fac", "release.propose", acts.Values{"release_title": {"EXERCISE: the night at the ford"}, "show": show, "both_replied": {"yes"}})
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	var id record.ID
	f.Nodes["NOR"].Look(func(s *mechanism.State) { id = s.Proposals()[0] })
	on := acts.Values{"release": {id.String()}}
	if _, err := do(t, f, "fac", "release.make", on); err == nil {
		t.Error("made with one consent")
	}
	if _, err := do(t, f, "SUD", "release.consent", on); err != nil {
		t.Fatal(err)
	}
	if _, err := do(t, f, "SUD", "release.reply", acts.Values{"release": {id.String()}, "text": {"EXERCISE: nobody was hurt."}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if _, err := do(t, f, "fac", "release.make", on); err == nil {
		t.Error("made while a party may reply")
	}
	f.Clock.Advance(time.Hour + time.Minute)
	f.Settle()
	if _, err := do(t, f, "fac", "release.make", on); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	var p mechanism.Proposal
	f.Nodes["SUD"].Look(func(s *mechanism.State) { p, _ = s.Proposal(id) })
	if p.Made.IsZero() || p.Number != "R001/2031" {
		t.Fatalf("%+v", p)
	}

	// A stranger gets one file, from any node, and needs nothing else.
	for _, code := range []string{fleet.RegistryCode, "SUD"} {
		n := f.Nodes[code]
		var at int64
		n.Look(func(s *mechanism.State) { at, _ = s.IndexOf(p.Made) })
		file, _, err := n.Bundle(t.Context(), at)
		if err != nil {
			t.Fatal(code, err)
		}
		if r, err := bundle.Check(file, bundle.Options{}); err != nil || r.Outcome() != bundle.Good {
			t.Errorf("%s: %v, %+v", code, err, r)
		}
		for what, found := range map[string]bool{"EXERCISE words of NOR": true, "EXERCISE words of SUD": true, "nobody was hurt": true, canary: false} {
			if bytes.Contains(file, []byte(what)) != found {
				t.Errorf("%s: %q in the file: %t", code, what, !found)
			}
		}
		var parts map[string]json.RawMessage
		if json.Unmarshal(file, &parts) != nil || parts["released"] == nil {
			t.Errorf("%s: the file does not prove where the records stand", code)
		}
	}
	// What is not in it stays where it was.
	pub := f.Registry().Public()
	if _, err := pub.Incident(t.Context(), in); err == nil {
		t.Error("the incident is on the pages for everybody")
	}
}
