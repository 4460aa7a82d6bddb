// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// TestSpeakersWhoAreUntold: claimants whom the agreement keeps out of tables are not among the
// speakers of an outlet or an agency, and their accounts are among its accounts.
func TestSpeakersWhoAreUntold(t *testing.T) {
	ctx := context.Background()
	n := nodetest.Open(t, nodetest.Create(t))
	kind := ""
	for _, name := range []string{"a", "b"} {
		d := nodetest.Account(n, name, 5)
		b := d.Body.(*record.Account)
		b.Carrier = "Bulletin"
		if name == "b" {
			b.Claimant.Kind = "watch_team"
		}
		kind = b.Claimant.Kind
		nodetest.MustFile(t, n, d)
	}
	speakers := func() (out []string) {
		if err := n.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		s, err := n.Projection.SourceOf(ctx, projection.SourceQuery{As: projection.AsCarrier, Name: "Bulletin"})
		if err != nil || s.Accounts != 2 {
			t.Fatalf("%+v, %v", s, err)
		}
		for _, x := range s.Speakers {
			out = append(out, x.Name)
		}
		return out
	}
	if got := speakers(); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatal(got)
	}
	if err := n.Adopt(ctx, func(p *agreement.Pack) {
		p.SmallNumbers = &agreement.SmallNumbers{K: 5, ClaimantKinds: []string{kind}}
	}); err != nil {
		t.Fatal(err)
	}
	if got := speakers(); !slices.Equal(got, []string{"a"}) {
		t.Error(got)
	}
}

// TestSources: what a claimant, a carrier and an origin told, found under each name, by
// nothing but what stands.
func TestSources(t *testing.T) {
	ctx := context.Background()
	n := nodetest.Open(t, nodetest.Create(t))
	sub := func(id record.ID, role record.Role) record.Subject { return record.Subject{ID: id, Role: role} }
	account := func(name, carrier, origin string, said when.Date, scope record.Scope) record.ID {
		d := nodetest.Account(n, name, 5)
		b := d.Body.(*record.Account)
		b.Carrier, b.SaidOn, b.Claims[0].Scope = carrier, said, scope
		if scope == record.ScopeRunningTotal {
			b.Claims[0].When.Start = "2031-01"
		}
		if origin != "" {
			b.Origins = []string{origin, "second " + origin}
		}
		return nodetest.MustFile(t, n, d)
	}
	in := nodetest.MustFile(t, n, nodetest.Incident(n, "somewhere"))
	first := account("a", "Bulletin", "Agency", "2031-05-09", record.ScopeIncident)
	early := account("a", "", "", "2031-05-02", record.ScopeRunningTotal)
	gone := account("a", "Bulletin", "Agency", "2031-05-03", record.ScopeIncident)
	undated := account("a", "Gazette", "", "", record.ScopeIncident)
	account("b", "Bulletin", "", "2031-05-04", record.ScopeIncident)
	why := func(kind record.Kind, subjects ...record.Subject) record.ID {
		return nodetest.MustFile(t, n, node.Draft{Kind: kind, Member: nodetest.Desk(n), Body: &record.Reason{Reason: "x"}, Subjects: subjects})
	}
	why(record.AccountWithdrawn, sub(gone, record.RoleAccount))
	for _, a := range []record.ID{first, early} {
		nodetest.MustFile(t, n, node.Draft{Kind: record.IncidentLinked, Member: nodetest.Desk(n), Body: &record.Link{Role: record.LinkAbout, Reason: "x"},
			Subjects: []record.Subject{sub(a, record.RoleAccount), sub(in, record.RoleIncident)}})
	}
	amended := nodetest.Account(n, "a", 6)
	amended.Kind, amended.Supersedes, amended.Subjects = record.AccountAmended, undated, []record.Subject{sub(undated, record.RoleAccount)}
	nodetest.MustFile(t, n, amended)
	if err := n.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	p := n.Projection

	s, err := p.SourceOf(ctx, projection.SourceQuery{As: projection.AsClaimant, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%d %d %d %s %s %d %v %v %v %d", s.Accounts, s.Amended, s.Withdrawn, s.First, s.Last, s.Incidents, s.Carriers, s.Origins, s.Speakers, len(s.Claimants)); got !=
		"4 1 1 2031-05-02 2031-05-09 1 [{Bulletin 1}] [{Agency 1} {second Agency 1}] [{a 3}] 1" {
		t.Errorf("claimant: %s", got)
	}
	s, err = p.SourceOf(ctx, projection.SourceQuery{As: projection.AsCarrier, Name: "Bulletin"})
	if got := fmt.Sprint(s.Accounts, s.Withdrawn, s.Speakers, len(s.Claimants), err); got != "3 1 [{a 1} {b 1}] 0 <nil>" {
		t.Errorf("carrier: %s", got)
	}
	s, err = p.SourceOf(ctx, projection.SourceQuery{As: projection.AsOrigin, Name: "second Agency"})
	if got := fmt.Sprint(s.Accounts, s.Speakers, err); got != "2 [{a 1}] <nil>" {
		t.Errorf("origin: %s", got)
	}
	for _, q := range []projection.SourceQuery{{As: projection.AsClaimant, Name: "nobody"}, {As: projection.AsCarrier, Name: ""}, {As: projection.AsClaimant, Name: "a", Kind: "hospital"}} {
		if _, err := p.SourceOf(ctx, q); !errors.Is(err, projection.ErrNotFound) {
			t.Errorf("%+v: %v", q, err)
		}
	}

	list, total, err := p.SourceAccounts(ctx, projection.SourceQuery{As: projection.AsClaimant, Name: "a"}, 0, 0)
	var order []record.ID
	for _, a := range list {
		order = append(order, a.ID)
	}
	if err != nil || total != 4 || !slices.Equal(order, []record.ID{early, gone, first, undated}) {
		t.Errorf("accounts: %v of %d, %v", order, total, err)
	}
	list, total, err = p.SourceAccounts(ctx, projection.SourceQuery{As: projection.AsClaimant, Name: "a", State: "withdrawn"}, 1, 0)
	if err != nil || total != 1 || len(list) != 1 || list[0].ID != gone {
		t.Errorf("withdrawn: %d of %d, %v", len(list), total, err)
	}
	ids, total, err := p.SourceIncidents(ctx, projection.SourceQuery{As: projection.AsClaimant, Name: "a"}, 10, 0)
	if err != nil || total != 1 || len(ids) != 1 || ids[0] != in {
		t.Errorf("incidents: %v of %d, %v", ids, total, err)
	}
	refs, total, err := p.SourceTotals(ctx, projection.SourceQuery{As: projection.AsClaimant, Name: "a"}, 10)
	if err != nil || total != 1 || len(refs) != 1 || refs[0] != (projection.ClaimRef{Account: early, Claim: 1}) {
		t.Errorf("totals: %v of %d, %v", refs, total, err)
	}
}

func TestAdoptions(t *testing.T) {
	ctx := context.Background()
	n := nodetest.Open(t, nodetest.Create(t))
	if err := n.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	list, err := n.Projection.Adoptions(ctx)
	if err != nil || len(list) == 0 || list[0].Kind != record.AgreementAdopted {
		t.Errorf("%d records, %v", len(list), err)
	}
	p, err := n.Projection.PackVersion(ctx, 1)
	if err != nil || p.Parties[0].Code != n.Pack().Parties[0].Code {
		t.Errorf("version 1: %v", err)
	}
	if _, err := n.Projection.PackVersion(ctx, 2); !errors.Is(err, projection.ErrNotFound) {
		t.Errorf("version 2: %v", err)
	}
}
