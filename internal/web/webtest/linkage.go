// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"context"
	"slices"

	"truceline/internal/projection"
	"truceline/linkage"
	"truceline/record"
	"truceline/suggest"
)

// LinkageHistory implements web.Source, like all below.
func (s *Source) LinkageHistory(context.Context) ([]projection.Fitted, error) {
	return slices.Clone(s.Models), nil
}

func (s *Source) LinkageInForce(context.Context) (projection.Fitted, bool, error) {
	for _, f := range s.Models {
		if f.Undone < 0 && f.Known() == nil {
			return f, true, nil
		}
	}
	return projection.Fitted{}, false, nil
}

// Fit learns a model from all accounts and all that was opened, and files it.
func (s *Source) Fit(reason string) error {
	rule := suggest.New(s.TheAgreement)
	var records []linkage.Record
	for i := range s.All {
		if s.All[i].State != "withdrawn" {
			_, list := s.mentions(rule, &s.All[i])
			records = append(records, list...)
		}
	}
	for _, c := range s.candidates(rule) {
		records = append(records, rule.OpeningRecord(&c))
	}
	p, err := linkage.Fit(context.Background(), records, linkage.Options{Measures: suggest.Measures(s.TheAgreement)})
	if err != nil {
		return err
	}
	n := int64(len(s.Log))
	id := idOf("linkage", reason)
	signer, err := record.NewSigner(slices.Repeat([]byte{7}, 32))
	if err != nil {
		return err
	}
	b := &builder{Source: s, signer: signer}
	body := &record.Linkage{Params: *p.Record(), Prefix: record.Prefix{Root: record.Digest{1, byte(n)}, Size: n}, Reason: reason, Schema: linkage.SchemaVersion}
	r := b.log(record.LinkageFitted, id, nil, body)
	f := projection.Fitted{ID: id, Index: r.Index, Member: r.Member, Officer: r.Officer, Reason: reason, Schema: body.Schema, Size: n, Root: body.Prefix.Root, Params: p, Undone: -1}
	s.Models = slices.Insert(s.Models, 0, f)
	return b.err
}

func (s *Source) candidates(rule *suggest.Rule) (out []suggest.Candidate) {
	for _, i := range s.List {
		if i.State != "merged" {
			out = append(out, rule.Candidate(i.ID, &record.Opening{Class: i.Class, Label: i.Label, PlaceText: i.PlaceText, Places: i.Places, Types: i.Types, When: i.When}))
		}
	}
	return out
}

func (s *Source) mentions(rule *suggest.Rule, a *projection.Account) ([]suggest.Mention, []linkage.Record) {
	mentions := rule.Mentions(&a.Body, s.told(*a))
	var out []linkage.Record
	for i := range mentions {
		out = append(out, rule.Record(&mentions[i], &a.Body, a.ID, i))
	}
	return mentions, out
}

// weigh puts suggestions in the order of the model in force, if there is one.
func (s *Source) weigh(rule *suggest.Rule, candidates []suggest.Candidate, of *projection.Account, out *projection.Suggestions) error {
	f, ok, err := s.LinkageInForce(context.Background())
	if !ok || err != nil {
		return err
	}
	model, err := linkage.NewModel(f.Params)
	if err != nil {
		return err
	}
	pool := rule.NewPool(model)
	for i := range candidates {
		c := &candidates[i]
		for _, in := range s.List {
			if in.ID == c.ID {
				rule.Name(c, in.Label, in.PlaceText)
			}
		}
		if err := pool.Add(c, s.linkedTo(rule, c.ID, of.ID)); err != nil {
			return err
		}
	}
	mentions, records := s.mentions(rule, of)
	out.Model = f.ID
	return pool.Reorder(out.List, mentions, records)
}

// linkedTo are the accounts linked to what was opened, but for one.
func (s *Source) linkedTo(rule *suggest.Rule, incident, but record.ID) (out []suggest.Linked) {
	for i := range s.All {
		a := &s.All[i]
		for _, l := range a.Links {
			if l.Incident != incident || a.ID == but || a.State == "withdrawn" {
				continue
			}
			x := suggest.Linked{ID: a.ID}
			mentions, records := s.mentions(rule, a)
			for k := range records {
				if len(l.Claims) == 0 || slices.ContainsFunc(mentions[k].Claims, func(n int) bool { return slices.Contains(l.Claims, n) }) {
					x.Records = append(x.Records, records[k])
				}
			}
			out = append(out, x)
		}
	}
	return out
}
