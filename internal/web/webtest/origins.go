// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"context"
	"slices"

	"truceline/independence"
	"truceline/internal/projection"
	"truceline/record"
)

// Origins implements web.OriginSource. Every account is counted anew each time.
func (s *Source) Origins(_ context.Context, incident record.ID, accounts []record.ID) (*projection.Origins, error) {
	c := new(independence.Context)
	var tellings []independence.Telling
	for i := range s.All {
		a := &s.All[i]
		if a.State == "withdrawn" {
			continue
		}
		var body *record.Report
		if r, ok := s.Reports[a.Report]; ok {
			body = &r.Body
		}
		all := projection.TellingOf(s.TheAgreement, a, body, record.ID{})
		c.Add(&all)
		if slices.Contains(accounts, a.ID) {
			tellings = append(tellings, projection.TellingOf(s.TheAgreement, a, body, incident))
		}
	}
	return &projection.Origins{Result: independence.Find(tellings, c), Basis: s.basis()}, nil
}

// basis is the whole of the source.
func (s *Source) basis() projection.Basis {
	return projection.Basis{Audience: record.AudiencePublic, Last: int64(len(s.Log)) - 1}
}
