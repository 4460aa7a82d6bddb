// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
)

// Statistics implements web.Analysis, like all below.
func (s *Source) Statistics(ctx context.Context) ([]*statistics.Entry, error) {
	r := statistics.NewReader(s.TheAgreement)
	var out []*statistics.Entry
	for _, in := range s.List {
		if in.Class != record.ClassIncident || in.State == "merged" {
			continue
		}
		said, err := s.SaidOf(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, r.Read(statistics.Incident{ID: in.ID, When: in.When, Types: in.Types, Places: in.Places}, said))
	}
	slices.SortFunc(out, func(a, b *statistics.Entry) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return out, nil
}

func (s *Source) SaidOf(_ context.Context, incident record.ID) ([]statistics.Said, error) {
	var out []statistics.Said
	for _, a := range s.All {
		if a.State == "withdrawn" {
			continue
		}
		for _, c := range a.Body.Claims {
			var role record.LinkRole
			about := map[record.ID]bool{}
			for _, l := range a.Links {
				if len(l.Claims) > 0 && !slices.Contains(l.Claims, c.N) {
					continue
				}
				if l.Incident == incident {
					role = l.Role
				}
				if i := slices.IndexFunc(s.List, func(i projection.Incident) bool { return i.ID == l.Incident }); i >= 0 && s.List[i].Class == record.ClassIncident && l.Role == record.LinkAbout {
					about[l.Incident] = true
				}
			}
			if role != "" {
				out = append(out, statistics.Said{Role: role, Shared: len(about) > 1, Item: reconcile.Item{Account: a.ID, Claimant: a.Body.Claimant, SaidOn: a.Body.SaidOn, Order: a.Index, Claim: c}})
			}
		}
	}
	return out, nil
}

// named are the accounts of a source, in the order in which they were told.
func (s *Source) named(q projection.SourceQuery) []projection.Account {
	var out []projection.Account
	for _, a := range s.All {
		is := map[projection.As]bool{projection.AsClaimant: a.Body.Claimant.Name == q.Name && (q.Kind == "" || a.Body.Claimant.Kind == q.Kind),
			projection.AsCarrier: a.Body.Carrier == q.Name && q.Name != "", projection.AsOrigin: slices.Contains(a.Body.Origins, q.Name)}[q.As]
		if is && (q.State == "" || a.State == q.State) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b projection.Account) int {
		return strings.Compare(string(a.Body.SaidOn), string(b.Body.SaidOn))
	})
	return out
}

func (s *Source) SourceOf(ctx context.Context, q projection.SourceQuery) (projection.SourceSummary, error) {
	list := s.named(q)
	if len(list) == 0 {
		return projection.SourceSummary{}, fmt.Errorf("source %s: %w", q.Name, web.ErrNotFound)
	}
	out := projection.SourceSummary{Accounts: len(list)}
	tally := func(into *[]projection.Tally, name string) {
		if name == "" {
			return
		}
		i := slices.IndexFunc(*into, func(t projection.Tally) bool { return t.Name == name })
		if i < 0 {
			*into, i = append(*into, projection.Tally{Name: name}), len(*into)
		}
		(*into)[i].Accounts++
	}
	for _, a := range list {
		if a.Body.Claimant.Name == q.Name && !slices.Contains(out.Claimants, a.Body.Claimant) {
			out.Claimants = append(out.Claimants, a.Body.Claimant)
		}
		switch a.State {
		case "withdrawn":
			out.Withdrawn++
			continue
		case "amended":
			out.Amended++
		}
		if d := a.Body.SaidOn; d != "" {
			if out.First == "" {
				out.First = d
			}
			out.Last = d
		}
		tally(&out.Speakers, a.Body.Claimant.Name)
		tally(&out.Carriers, a.Body.Carrier)
		for _, o := range a.Body.Origins {
			tally(&out.Origins, o)
		}
	}
	_, n, err := s.SourceIncidents(ctx, q, 0, 0)
	out.Incidents, out.Grades = n, len(s.TheGrades[q.Name])
	return out, err
}

func part[T any](list []T, limit, offset int) []T {
	list = list[min(offset, len(list)):]
	if limit > 0 {
		list = list[:min(limit, len(list))]
	}
	return list
}

func (s *Source) SourceAccounts(_ context.Context, q projection.SourceQuery, limit, offset int) ([]projection.Account, int, error) {
	list := s.named(q)
	return part(list, limit, offset), len(list), nil
}

func (s *Source) SourceIncidents(_ context.Context, q projection.SourceQuery, limit, offset int) ([]record.ID, int, error) {
	var out []record.ID
	for _, in := range s.List {
		if slices.ContainsFunc(s.named(q), func(a projection.Account) bool {
			return a.State != "withdrawn" && slices.ContainsFunc(a.Links, func(l projection.Link) bool { return l.Incident == in.ID })
		}) {
			out = append(out, in.ID)
		}
	}
	return part(out, limit, offset), len(out), nil
}

func (s *Source) SourceTotals(_ context.Context, q projection.SourceQuery, limit int) ([]projection.ClaimRef, int, error) {
	var out []projection.ClaimRef
	for _, a := range s.named(q) {
		for _, c := range a.Body.Claims {
			if c.Measure != "" && (c.Scope == record.ScopeRunningTotal || c.Scope == record.ScopePeriodTotal) {
				out = append(out, projection.ClaimRef{Account: a.ID, Claim: c.N})
			}
		}
	}
	return part(out, limit, 0), len(out), nil
}

func (s *Source) Grades(_ context.Context, source string) ([]projection.Grade, error) {
	return s.TheGrades[source], nil
}

func (s *Source) Adoptions(context.Context) ([]projection.Record, error) {
	var out []projection.Record
	for _, r := range s.Log {
		if r.Kind == record.AgreementAdopted {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Source) PackVersion(_ context.Context, version int) (*agreement.Pack, error) {
	if version != 1 {
		return nil, fmt.Errorf("version %d: %w", version, web.ErrNotFound)
	}
	return s.TheAgreement, nil
}

// Adopt files the agreement as a version of it, part by part; of the last one all parts
// but one if whole is false.
func (s *Source) Adopt(version int, whole bool) error {
	signer, err := record.NewSigner(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		return err
	}
	parts, err := s.TheAgreement.Parts(version)
	if err != nil {
		return err
	}
	if !whole {
		parts = parts[:len(parts)-1]
	}
	b := &builder{Source: s, signer: signer}
	for _, p := range parts {
		b.log(record.AgreementAdopted, idOf("adopted", fmt.Sprint(version, p.Part)), nil, p)
	}
	return b.err
}
