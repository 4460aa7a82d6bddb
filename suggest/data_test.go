// SPDX-License-Identifier: Apache-2.0

package suggest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

// mission is an example as a desk would have it, and what its coder answered.
type mission struct {
	pack     *agreement.Pack
	accounts []told
	openings []opening
	answers  map[string]map[string][]int // account to what it was linked to, by which claims

	told map[string]*toldRecords      // made once
	cold map[bool][]suggest.Candidate // cold and warm, made once
}

type told struct {
	name string // the file's own
	body *record.Account
	suggest.Told
}

type opening struct {
	name string
	id   record.ID
	body *record.Opening
}

// load reads an example through the import that users have. The answers are kept apart
// from what the rule is given: of incidents.json it sees what was opened, and no link.
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
	d := &door{pack: file.Pack, reports: map[record.ID]*record.Report{}, batches: map[record.ID]string{}}
	report, err := intake.Import(context.Background(), d, bytes.NewReader(set.Accounts), intake.Options{Member: file.Pack.MembersWith(record.DeskRole)[0], Name: "accounts.csv"})
	if err != nil || report.Rejected > 0 {
		t.Fatal(err, report)
	}
	defer report.Close()
	m := &mission{pack: file.Pack, accounts: d.accounts, answers: map[string]map[string][]int{}, cold: map[bool][]suggest.Candidate{}}
	var sheet struct {
		Incidents []struct {
			Ref       string       `json:"ref"`
			Class     record.Class `json:"class"`
			Label     string       `json:"label"`
			Types     []string     `json:"types"`
			When      when.Span    `json:"when"`
			Places    []string     `json:"places"`
			PlaceText string       `json:"place_text"`
		} `json:"incidents"`
		Links []struct {
			Account string   `json:"statement_id"`
			Ref     string   `json:"ref"`
			Claims  []string `json:"claims"`
		} `json:"links"`
	}
	if err := json.Unmarshal(set.Incidents, &sheet); err != nil {
		t.Fatal(err)
	}
	for _, o := range sheet.Incidents {
		id := sha256.Sum256([]byte(o.Ref))
		m.openings = append(m.openings, opening{o.Ref, record.ID(id[:16]), &record.Opening{
			Class: o.Class, Label: o.Label, PlaceText: o.PlaceText, Places: o.Places, Types: o.Types, When: o.When}})
	}
	numbers := map[string]map[string]int{}
	for _, a := range m.accounts {
		numbers[a.name] = map[string]int{}
		for _, c := range a.body.Claims {
			numbers[a.name][c.External] = c.N
		}
	}
	for _, l := range sheet.Links {
		if m.answers[l.Account] == nil {
			m.answers[l.Account] = map[string][]int{}
		}
		var claims []int
		for _, c := range l.Claims {
			claims = append(claims, numbers[l.Account][c])
		}
		m.answers[l.Account][l.Ref] = claims
	}
	return m
}

// candidates are the openings, and warm with what the accounts linked to them tell.
func (m *mission) candidates(r *suggest.Rule, warm bool) []suggest.Candidate {
	var out []suggest.Candidate
	for _, o := range m.openings {
		out = append(out, m.candidate(r, o, "", warm))
	}
	return out
}

// without are warm candidates for one account: nothing of them is known from itself.
func (m *mission) without(r *suggest.Rule, warm []suggest.Candidate, account string) []suggest.Candidate {
	out := slices.Clone(warm)
	for i, o := range m.openings {
		if _, linked := m.answers[account][o.name]; linked {
			out[i] = m.candidate(r, o, account, true)
		}
	}
	return out
}

func (m *mission) candidate(r *suggest.Rule, o opening, leaveOut string, warm bool) suggest.Candidate {
	c := r.Candidate(o.id, o.body)
	for _, a := range m.accounts {
		if claims, linked := m.answers[a.name][o.name]; linked && warm && a.name != leaveOut {
			r.Learn(&c, a.body, claims)
		}
	}
	return c
}

func (m *mission) nameOf(id record.ID) string {
	for _, o := range m.openings {
		if o.id == id {
			return o.name
		}
	}
	return "?"
}

// door takes what an import files, and keeps it.
type door struct {
	intake.Door
	pack     *agreement.Pack
	reports  map[record.ID]*record.Report
	batches  map[record.ID]string
	accounts []told
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
		a := told{name: b.External, body: b}
		for _, s := range draft.Subjects {
			if s.Role == record.RoleReport {
				a.Told = suggest.Told{Title: d.reports[s.ID].Title, On: d.reports[s.ID].PublishedOn}
			}
		}
		d.accounts = append(d.accounts, a)
	}
	return registry.Receipt{ID: draft.ID}, nil
}
