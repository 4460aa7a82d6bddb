// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

func do(t *testing.T, f *fleet.Fleet, code, name string, v acts.Values) (node.Done, error) {
	t.Helper()
	act, ok := acts.Find(name)
	if !ok {
		t.Fatalf("there is no act %s", name)
	}
	n := f.Nodes[code]
	done, err := n.Do(context.Background(), node.Officer{ID: n.Config.Officers[code], Member: code, Roles: []string{office.RoleDesk, office.RoleOperations}}, act, v)
	return done, queuedIsDone(err)
}

func queuedIsDone(err error) error {
	if errors.As(err, new(*node.Queued)) {
		return nil // it goes out with the next round
	}
	return err
}

// notice opens a filing by one party that invites the other.
func notice(t *testing.T, f *fleet.Fleet, code, invited string) record.ID {
	t.Helper()
	id, err := f.File(code, node.Draft{Kind: record.NoticeFiled, Member: code, Audience: record.AudienceMembers,
		Body: &record.Notice{Invited: []string{invited}, Places: []string{"ford"}, Types: []string{"shots"}, When: when.Span{Start: "2031-03-01"}}})
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	return id
}

func filingOf(f *fleet.Fleet, code string, incident record.ID) (out mechanism.Filing) {
	f.Nodes[code].Look(func(s *mechanism.State) { out, _ = s.Filing(incident) })
	return out
}

func sealedForm(killed string) acts.Values {
	return acts.Values{"claimant": {"EXERCISE " + canary}, "claimant_kind": {"spokesperson"}, "claim.1.element": {"harm"}, "claim.1.measure": {"killed"},
		"claim.1.group": {"people"}, "claim.1.stance": {"claims"}, "claim.1.figure": {killed}}
}

// TestNobodyGoesSecond: both seal, nobody else has a word of it, and both are opened by
// their nodes once the closing is witnessed.
func TestNobodyGoesSecond(t *testing.T) {
	f := begin(t, 71)
	in := notice(t, f, "NOR", "SUD")
	for _, code := range []string{"NOR", "SUD"} {
		v := sealedForm("3")
		v["incident"] = []string{in.String()}
		if _, err := do(t, f, code, "account.seal", v); err != nil {
			t.Fatal(code, err)
		}
		if code == "NOR" {
			f.Settle()
			for _, other := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
				if found := holds(t, f.Path(other), canary); (found != "") != (other == "NOR") {
					t.Errorf("while it is sealed %s has it: %q", other, found)
				}
			}
			if got := filingOf(f, "SUD", in); got.Closing >= 0 {
				t.Error("it is closed with one version")
			}
		}
	}
	f.Settle()
	f.Settle()
	settled(t, f)
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		got := filingOf(f, code, in)
		for _, a := range got.Answers {
			if a.State != mechanism.Sealed || a.Opening != mechanism.Opened {
				t.Errorf("on the node of %s the version of %s is %s, %s", code, a.Member, a.State, a.Opening)
			}
		}
		n := f.Nodes[code]
		if err := n.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		shown, err := n.Projection.Incident(t.Context(), in)
		if err != nil || shown.Number != "M001/2031" || shown.Label != "Shots: The ford" {
			t.Errorf("on the node of %s the incident is %q, %q: %v", code, shown.Number, shown.Label, err)
		}
		if list, err := n.Projection.AccountsOf(t.Context(), in); err != nil || len(list) != 2 {
			t.Errorf("on the node of %s it has %d accounts, %v", code, len(list), err)
		}
		if _, err := n.Public().Incident(t.Context(), in); !errors.Is(err, projection.ErrNotFound) {
			t.Errorf("on the node of %s everybody sees the incident: %v", code, err)
		}
	}
}

// TestDeadline: who says nothing is silent once the registry's clock has ticked, and what
// the other has sealed is opened.
func TestDeadline(t *testing.T) {
	f := begin(t, 72)
	in := notice(t, f, "SUD", "NOR")
	v := sealedForm("2")
	v["incident"] = []string{in.String()}
	if _, err := do(t, f, "SUD", "account.seal", v); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	f.Clock.Advance(73 * time.Hour)
	f.Settle()
	f.Settle()
	got := filingOf(f, "mon", in)
	if got.Closing < 0 || got.Answers[1].State != mechanism.Silent || got.Answers[0].Opening != mechanism.Opened {
		t.Errorf("%+v", got)
	}
	settled(t, f)
}

// TestAWeakerPolicyOpensNothing: whoever orders the log puts a policy in force, while a filing
// runs, by which the witness of one party is enough. What was sealed is opened once the
// policy of the notice's day is met, and not before.
func TestAWeakerPolicyOpensNothing(t *testing.T) {
	f := begin(t, 74)
	in := notice(t, f, "NOR", "SUD")
	cut(f, "fac", "mon")
	f.Adopt(1)
	for _, code := range []string{"NOR", "SUD"} {
		v := sealedForm("3")
		v["incident"] = []string{in.String()}
		if _, err := do(t, f, code, "account.seal", v); err != nil {
			t.Fatal(code, err)
		}
	}
	for range 4 {
		if err := f.Round("NOR", "SUD"); err != nil {
			t.Fatal(err)
		}
	}
	opened := func() (n int) {
		for _, a := range filingOf(f, "NOR", in).Answers {
			if a.Opening == mechanism.Opened {
				n++
			}
		}
		return n
	}
	if got := filingOf(f, "NOR", in); got.Closing < 0 || witnessed(t, f, "NOR") <= got.Closing {
		t.Fatalf("by the weaker policy the closing is not witnessed: %+v", got)
	}
	if n := opened(); n != 0 {
		t.Errorf("%d versions were opened", n)
	}
	for _, a := range filingOf(f, "NOR", in).Answers {
		if _, err := do(t, f, a.Member, "account.unseal", acts.Values{"account": {a.Sealed.String()}}); !errors.Is(err, node.ErrNotBound) {
			t.Errorf("an officer of %s opens it: %v", a.Member, err)
		}
	}
	f.Net.Lose = nil
	f.Settle()
	f.Settle()
	if n := opened(); n != 2 {
		t.Errorf("%d versions are opened once three have cosigned", n)
	}
	settled(t, f)
}
