// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"slices"
	"strings"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
)

// told is what the record holds for a question about figures, as tables may tell it: what the
// agreement protects is not among it.
func (s *server) told(ctx context.Context, v *view, q projection.TallyQuery) (projection.Tallied, error) {
	out, err := s.Source.Tallied(ctx, q)
	if err != nil || v.pack.SmallNumbers == nil {
		return out, err
	}
	out.Incidents = slices.Clone(out.Incidents)
	for i := range out.Incidents {
		in := &out.Incidents[i]
		var said []reconcile.Linked
		for _, x := range in.Said {
			if !v.pack.ProtectsKind(x.Claimant.Kind) {
				x.Claim = v.pack.Told(x.Claim)
				said = append(said, x)
			}
		}
		in.Said = said
	}
	return out, nil
}

// toldAccounts are accounts as the table of an incident tells them. Their own pages show them
// as they were filed.
func (v *view) toldAccounts(list []projection.Account) []projection.Account {
	if v.pack.SmallNumbers == nil {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		claims := slices.Clone(list[i].Body.Claims)
		for j := range claims {
			claims[j] = v.pack.Told(claims[j])
		}
		list[i].Body.Claims = claims
	}
	return list
}

// tabled are the claimants whom tables may name.
func (s *server) tabled(ctx context.Context, v *view) ([]record.Claimant, error) {
	list, err := s.Source.Claimants(ctx)
	if err != nil || v.pack.SmallNumbers == nil {
		return list, err
	}
	return slices.DeleteFunc(slices.Clone(list), func(c record.Claimant) bool { return v.pack.ProtectsKind(c.Kind) }), nil
}

// untold tells whether a source is a claimant that no table names.
func (v *view) untold(s projection.SourceSummary, as projection.As) bool {
	return as == projection.AsClaimant && len(s.Claimants) > 0 &&
		!slices.ContainsFunc(s.Claimants, func(c record.Claimant) bool { return !v.pack.ProtectsKind(c.Kind) })
}

// smallGroups and smallKinds name those of whom small numbers are not told, and those whom no
// table counts.
func (v *view) smallGroups() string {
	if v.pack.SmallNumbers == nil {
		return ""
	}
	return namesOf(v.pack.SmallNumbers.Groups, v.names.group)
}

func (v *view) smallKinds() string {
	if v.pack.SmallNumbers == nil {
		return ""
	}
	return namesOf(v.pack.SmallNumbers.ClaimantKinds, v.names.kind)
}

func namesOf(codes []string, name func(string) string) string {
	var out []string
	for _, c := range codes {
		out = append(out, name(c))
	}
	return strings.Join(out, "; ")
}
