// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"context"
	"slices"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/suggest"
)

// Queue implements web.Source, like all below. Its order is always that of All.
func (s *Source) Queue(_ context.Context, f projection.QueueFilter) (projection.Queue, error) {
	out := projection.Queue{Sizes: map[projection.Part]int{}}
	for _, p := range projection.Parts {
		out.Sizes[p] = len(s.queued(p, f.PutOff))
	}
	list := s.narrowed(f)
	out.Matched = len(list)
	list = list[min(f.Offset, len(list)):]
	if f.Limit > 0 {
		list = list[:min(f.Limit, len(list))]
	}
	out.Accounts = list
	return out, nil
}

func (s *Source) narrowed(f projection.QueueFilter) []projection.Account {
	part := f.Part
	if part == "" {
		part = projection.PartWaiting
	}
	return slices.DeleteFunc(s.queued(part, f.PutOff), func(a projection.Account) bool {
		return f.Claimant != "" && a.Body.Claimant.Name != f.Claimant || !f.Batch.IsZero() && a.Batch != f.Batch || f.Carrier != "" && a.Body.Carrier != f.Carrier ||
			len(f.Party) > 0 && !slices.Contains(f.Party, a.Body.Claimant.Party)
	})
}

func (s *Source) queued(part projection.Part, putOff map[record.ID]bool) (out []projection.Account) {
	for _, a := range s.All {
		in := map[projection.Part]bool{
			projection.PartWaiting: !a.Aside && !putOff[a.ID], projection.PartLater: !a.Aside && putOff[a.ID], projection.PartAside: a.Aside, projection.PartAll: true,
		}
		if len(a.Links) == 0 && a.State != "withdrawn" && in[part] {
			out = append(out, a)
		}
	}
	return out
}

func (s *Source) QueueAround(_ context.Context, f projection.QueueFilter, account record.ID) (projection.Neighbours, error) {
	list := s.narrowed(f)
	out := projection.Neighbours{Matched: len(list)}
	at := slices.IndexFunc(list, func(a projection.Account) bool { return a.ID == account })
	if at < 0 {
		return out, nil
	}
	out.At = at + 1
	if at > 0 {
		out.Before = list[at-1].ID
	}
	if at+1 < len(list) {
		out.After = list[at+1].ID
	}
	return out, nil
}

func (s *Source) Suggestions(ctx context.Context, account record.ID) (out projection.Suggestions, err error) {
	a, err := s.Account(ctx, account)
	if err != nil {
		return out, err
	}
	rule := suggest.New(s.TheAgreement)
	candidates := s.candidates(rule)
	out.Compared, out.Basis = len(candidates), s.basis()
	out.List = rule.Rank(rule.Mentions(&a.Body, s.told(a)), candidates)
	if err := s.weigh(rule, candidates, &a, &out); err != nil {
		return out, err
	}
	out.List = out.List[:min(projection.MaxSuggestions, len(out.List))]
	return out, nil
}

func (s *Source) told(a projection.Account) suggest.Told {
	r := s.Reports[a.Report]
	return suggest.Told{Title: r.Body.Title, On: r.Body.PublishedOn}
}

func (s *Source) OpeningFor(ctx context.Context, account record.ID) (record.Opening, []int, error) {
	a, err := s.Account(ctx, account)
	if err != nil {
		return record.Opening{}, nil, err
	}
	o, claims := suggest.New(s.TheAgreement).Opening(&a.Body, s.told(a))
	return o, claims, nil
}
