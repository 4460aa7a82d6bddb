// SPDX-License-Identifier: Apache-2.0

// Package webtest is a record in memory, for the tests of the pages. It filters in
// plain loops, so that its answers can be seen to be right by reading it.
package webtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/record"
)

// Source is a record in memory. Its fields may be changed before it is read.
type Source struct {
	TheAgreement *agreement.Pack
	List         []projection.Incident // newest first
	All          []projection.Account
	Reports      map[record.ID]projection.Report
	Log          []projection.Record
	Lines        [][]byte
	TheGrades    map[string][]projection.Grade // by source, the latest first
	Models       []projection.Fitted           // the newest first
	Released     []projection.Release          // the newest first
}

var (
	_ web.Source = (*Source)(nil)
	_ web.Ledger = (*Source)(nil)
)

// Pack implements web.Source, like all below.
func (s *Source) Pack(context.Context) (*agreement.Pack, error) { return s.TheAgreement, nil }

func (s *Source) Counts(context.Context) (projection.Counts, error) {
	c := projection.Counts{Records: int64(len(s.Log)), Reports: int64(len(s.Reports)), LastIndex: int64(len(s.Log)) - 1}
	for _, a := range s.All {
		if a.State == "withdrawn" {
			continue
		}
		c.Accounts++
		c.Claims += int64(len(a.Body.Claims))
		if len(a.Links) == 0 {
			c.Unlinked++
		}
	}
	for _, i := range s.List {
		if i.Class == record.ClassIncident {
			c.Incidents++
		} else {
			c.Others++
		}
	}
	if n := len(s.Log); n > 0 {
		c.LastLogged = s.Log[n-1].LoggedAt
	}
	return c, nil
}

func (s *Source) Incidents(ctx context.Context, f projection.Filter) ([]projection.Incident, int, error) {
	var out []projection.Incident
	for _, i := range s.List {
		if s.matches(i, f) {
			out = append(out, i)
		}
	}
	n := len(out)
	out = out[min(f.Offset, n):]
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[:f.Limit]
	}
	return out, n, nil
}

func (s *Source) matches(i projection.Incident, f projection.Filter) bool {
	any := func(want, have []string) bool {
		return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
	}
	accounts, _ := s.AccountsOf(context.Background(), i.ID)
	var parties, names []string
	words := []string{i.Label, i.PlaceText, i.Number}
	for _, a := range accounts {
		party := a.Body.Claimant.Party
		if party == "" {
			party = "other"
		}
		parties, names = append(parties, party), append(names, a.Body.Claimant.Name)
		for _, c := range a.Body.Claims {
			words = append(words, c.Words, c.PlaceText)
		}
	}
	return (len(f.Class) == 0 || slices.Contains(f.Class, i.Class)) && any(f.Type, i.Types) && any(f.Place, i.Places) &&
		any(f.Party, parties) && (f.Claimant == "" || slices.Contains(names, f.Claimant)) &&
		(f.Since == "" || !i.When.Last().Before(f.Since.First())) && (f.Until == "" || !f.Until.Last().Before(i.When.First())) &&
		contains(f.Text, words...)
}

func (s *Source) Incident(_ context.Context, id record.ID) (projection.Incident, error) {
	for _, i := range s.List {
		if i.ID == id {
			return i, nil
		}
	}
	return projection.Incident{}, fmt.Errorf("incident %s: %w", id, web.ErrNotFound)
}

func (s *Source) AccountsOf(_ context.Context, incident record.ID) ([]projection.Account, error) {
	var out []projection.Account
	for _, a := range s.All {
		if slices.ContainsFunc(a.Links, func(l projection.Link) bool { return l.Incident == incident }) {
			out = append(out, a)
		}
	}
	return out, nil
}

func (s *Source) Account(_ context.Context, id record.ID) (projection.Account, error) {
	for _, a := range s.All {
		if a.ID == id {
			return a, nil
		}
	}
	return projection.Account{}, fmt.Errorf("account %s: %w", id, web.ErrNotFound)
}

func (s *Source) Versions(ctx context.Context, id record.ID) ([]projection.Account, error) {
	a, err := s.Account(ctx, id)
	return []projection.Account{a}, err
}

func (s *Source) Unlinked(_ context.Context, limit, offset int) ([]projection.Account, int, error) {
	var out []projection.Account
	for _, a := range s.All {
		if len(a.Links) == 0 && a.State != "withdrawn" {
			out = append(out, a)
		}
	}
	n := len(out)
	out = out[min(offset, n):]
	return out[:min(limit, len(out))], n, nil
}

func (s *Source) Report(_ context.Context, id record.ID) (projection.Report, error) {
	r, ok := s.Reports[id]
	if !ok {
		return r, fmt.Errorf("report %s: %w", id, web.ErrNotFound)
	}
	return r, nil
}

func (s *Source) Record(_ context.Context, id record.ID) (projection.Record, error) {
	for _, r := range s.Log {
		if r.ID == id {
			return r, nil
		}
	}
	return projection.Record{}, fmt.Errorf("record %s: %w", id, web.ErrNotFound)
}

func (s *Source) RecordAt(_ context.Context, index int64) (projection.Record, error) {
	if index < 0 || index >= int64(len(s.Log)) {
		return projection.Record{}, fmt.Errorf("record %d: %w", index, web.ErrNotFound)
	}
	return s.Log[index], nil
}

func (s *Source) Records(_ context.Context, from, limit int64) ([]projection.Record, error) {
	n := int64(len(s.Log))
	return slices.Clone(s.Log[min(from, n):min(from+limit, n)]), nil
}

func (s *Source) HistoryOf(_ context.Context, incident record.ID) ([]projection.Record, error) {
	var out []projection.Record
	for _, r := range s.Log {
		if r.ID == incident || slices.ContainsFunc(r.Subjects, func(x record.Subject) bool { return x.ID == incident }) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Source) Claimants(context.Context) ([]record.Claimant, error) {
	var out []record.Claimant
	for _, a := range s.All {
		if !slices.Contains(out, a.Body.Claimant) {
			out = append(out, a.Body.Claimant)
		}
	}
	slices.SortFunc(out, func(a, b record.Claimant) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Checkpoint implements web.Ledger, like all below. Nothing here is signed by a log.
func (s *Source) Checkpoint(context.Context) ([]byte, int64, string, int64, error) {
	n := int64(len(s.Log))
	root := strings.Repeat("A", 43) + "="
	var at int64
	if n > 0 {
		at = s.Log[n-1].LoggedAt
	}
	return fmt.Appendf(nil, "log.example/test\n%d\n%s\n\n— log.example/test %s\n", n, root, strings.Repeat("B", 92)), n, root, at, nil
}

func (s *Source) Line(_ context.Context, index int64) ([]byte, error) {
	if index < 0 || index >= int64(len(s.Lines)) {
		return nil, fmt.Errorf("record %d: %w", index, web.ErrNotFound)
	}
	return s.Lines[index], nil
}

func (s *Source) Proof(_ context.Context, index int64) ([]byte, error) {
	return fmt.Appendf(nil, "c2sp.org/tlog-proof@v1\nindex %d\n\n", index), nil
}

func (s *Source) HistoryOfAccount(_ context.Context, account record.ID) (out []projection.Record, err error) {
	for _, r := range s.Log {
		about := r.ID == account
		for _, sub := range r.Subjects {
			about = about || sub.ID == account
		}
		if about {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Source) Act(_ context.Context, act record.ID) (out []projection.Record, err error) {
	for _, r := range s.Log {
		if !act.IsZero() && r.Act == act {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Source) By(_ context.Context, officer record.ID, limit int) (out []projection.Record, err error) {
	for _, r := range slices.Backward(s.Log) {
		if r.Officer == officer && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Source) Batch(_ context.Context, id record.ID) (projection.Batch, error) {
	return projection.Batch{}, fmt.Errorf("batch %s: %w", id, web.ErrNotFound)
}

func (s *Source) Batches(context.Context, int, int) ([]projection.Batch, int, error) {
	return nil, 0, nil
}
