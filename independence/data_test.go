// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/example"
	"truceline/independence"
	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/record"
)

// mission is an example as a desk would have it.
type mission struct {
	accounts  map[string]*independence.Telling // whole, by the file's own name
	bodies    map[string]*record.Account
	context   *independence.Context
	incidents []string
	links     []link
}

type link struct {
	Account string   `json:"statement_id"`
	Ref     string   `json:"ref"`
	Claims  []string `json:"claims"`
}

// load reads an example through the import that users have.
func load(t testing.TB, name string) *mission {
	t.Helper()
	set, err := example.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		t.Fatal(err)
	}
	d := &door{pack: file.Pack, reports: map[record.ID]*record.Report{}, batches: map[record.ID]string{},
		m: &mission{accounts: map[string]*independence.Telling{}, bodies: map[string]*record.Account{}, context: new(independence.Context)}}
	report, err := intake.Import(context.Background(), d, bytes.NewReader(set.Accounts), intake.Options{Member: file.Pack.MembersWith(record.DeskRole)[0], Name: "accounts.csv"})
	if err != nil || report.Rejected > 0 {
		t.Fatal(err, report)
	}
	defer report.Close()
	var sheet struct {
		Incidents []struct {
			Ref string `json:"ref"`
		} `json:"incidents"`
		Links []link `json:"links"`
	}
	if err := json.Unmarshal(set.Incidents, &sheet); err != nil {
		t.Fatal(err)
	}
	for _, i := range sheet.Incidents {
		d.m.incidents = append(d.m.incidents, i.Ref)
	}
	d.m.links = sheet.Links
	return d.m
}

// tellings are the accounts linked to an incident, each with the claims that are.
func (m *mission) tellings(ref string) (out []independence.Telling) {
	for _, l := range m.links {
		if l.Ref != ref {
			continue
		}
		t := *m.accounts[l.Account]
		t.Figures, t.PlaceTexts = nil, nil
		for _, c := range m.bodies[l.Account].Claims {
			if len(l.Claims) == 0 || slices.Contains(l.Claims, c.External) {
				t.Figures = append(t.Figures, independence.FigureOf(&c))
				t.PlaceTexts = append(t.PlaceTexts, c.PlaceText)
			}
		}
		out = append(out, t)
	}
	return out
}

// names are what the file calls the accounts of each group.
func (m *mission) names(r *independence.Result) (out []string) {
	called := map[record.ID]string{}
	for name, t := range m.accounts {
		called[t.Account] = name
	}
	for _, g := range r.Groups {
		var members []string
		for _, a := range g.Accounts {
			members = append(members, called[a])
		}
		slices.Sort(members)
		out = append(out, strings.Join(members, " "))
	}
	slices.Sort(out)
	return out
}

// door takes what an import files, and keeps it as tellings.
type door struct {
	intake.Door
	pack    *agreement.Pack
	reports map[record.ID]*record.Report
	batches map[record.ID]string
	m       *mission
}

func (d *door) Pack() *agreement.Pack              { return d.pack }
func (d *door) CheckAccount(*record.Account) error { return nil }
func (d *door) BatchState(id record.ID) string     { return d.batches[id] }
func (d *door) Mission() record.ID                 { return record.ID{1} }

func (d *door) Find(context.Context, record.ID) (*node.Found, bool, error) { return nil, false, nil }

func (d *door) File(_ context.Context, draft node.Draft) (registry.Receipt, error) {
	switch b := draft.Body.(type) {
	case *record.Batch:
		d.batches[draft.ID] = "open"
	case *record.Report:
		d.reports[draft.ID] = b
	case *record.Account:
		t := &independence.Telling{Account: draft.ID, Claimant: b.Claimant, Carrier: b.Carrier, Origins: b.Origins, Told: b.SaidOn,
			Unnamed: b.Claimant.Kind == "party_unnamed" || b.Claimant.Kind == "residents" || strings.HasPrefix(b.Claimant.Name, "unspecified")}
		for _, s := range draft.Subjects {
			if s.Role == record.RoleReport {
				r := d.reports[s.ID]
				t.Document, t.Published = s.ID.String(), r.PublishedOn
				t.DocumentTexts = []string{r.Title}
			}
		}
		if b.Quote != nil {
			t.Texts = append(t.Texts, b.Quote.Text)
		}
		for _, c := range b.Claims {
			t.Figures = append(t.Figures, independence.FigureOf(&c))
			t.PlaceTexts = append(t.PlaceTexts, c.PlaceText)
		}
		d.m.accounts[b.External], d.m.bodies[b.External] = t, b
		d.m.context.Add(t)
	}
	return registry.Receipt{ID: draft.ID}, nil
}
