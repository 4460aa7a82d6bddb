// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"maps"
	"slices"
	"strconv"

	"truceline/agreement"
	"truceline/linkage"
	"truceline/record"
)

// Measures are the measures whose figures the linkage of a mission compares: the first of
// the pack.
func Measures(pack *agreement.Pack) []string {
	var out []string
	for _, m := range pack.Measures[:min(len(pack.Measures), linkage.MaxMeasures)] {
		out = append(out, m.Code)
	}
	return out
}

// What a record of linkage speaks of.
const (
	kindHappened = "happened"
	kindReads    = "reads"
	kindTotals   = "totals"
)

// Record is what the mention tells, as linkage compares it. Source is who says it and id
// the account; n tells the mentions of an account apart. Who is named as author, beginner
// or actor, and who says it, is no part of what is compared.
func (r *Rule) Record(m *Mention, a *record.Account, id record.ID, n int) linkage.Record {
	out := linkage.Record{
		Source: a.Claimant.Kind + " " + a.Claimant.Name + " " + a.Claimant.Party,
		ID:     MentionID(id, n),
		Places: places(m.Spots),
		Words:  slices.Sorted(maps.Keys(m.words)),
		Types:  r.likelyTypes(m),
	}
	if m.Dated {
		out.Days = linkDays(m.Days)
	}
	if m.ToldOn {
		out.Told = linkDays(m.Told)
	}
	for _, f := range m.Figures {
		of := f.Group
		if f.Subset != "" || f.Total {
			of += "/" + f.Subset + "/" + strconv.FormatBool(f.Total)
		}
		high := f.High
		if high == Unbounded {
			high = linkage.Open
		}
		out.Counts = append(out.Counts, linkage.Count{Measure: f.Measure, Of: of, Low: f.Low, High: high})
	}
	for kind, is := range map[string]bool{kindHappened: m.kinds.happened, kindReads: m.kinds.reads, kindTotals: m.kinds.totals} {
		if is {
			out.Kinds = append(out.Kinds, kind)
		}
	}
	slices.Sort(out.Kinds)
	return out
}

// MentionID names the n-th mention of an account, from 0.
func MentionID(account record.ID, n int) string {
	if n == 0 {
		return account.String()
	}
	return account.String() + "." + strconv.Itoa(n)
}

// likelyTypes are the types whose names are most in the words.
func (r *Rule) likelyTypes(m *Mention) (out [][]string) {
	if m.types == nil {
		return nil
	}
	most := slices.Max(m.types)
	for i, t := range r.types {
		if m.types[i] == most {
			out = append(out, []string{t.code})
		}
	}
	return out
}

// OpeningRecord is what was opened, as linkage compares it: a notice that gives a place, a
// time and a type, and is nobody's account.
func (r *Rule) OpeningRecord(c *Candidate) linkage.Record {
	out := linkage.Record{Source: OpeningSource, ID: c.ID.String(), Days: linkDays(c.Days), Places: places(c.Spots), Words: slices.Sorted(maps.Keys(c.words))}
	for _, t := range c.Types {
		out.Types = append(out.Types, []string{t})
	}
	switch c.Class {
	case record.ClassIncident:
		out.Kinds = []string{kindHappened}
	case record.ClassAgreement:
		out.Kinds = []string{kindReads}
	case record.ClassAggregate:
		out.Kinds = []string{kindTotals}
		out.Days.Vague = false // a total is of all its days
	}
	return out
}

// OpeningSource is the source of all that was opened: one mechanism opens one event once, as
// a rule.
const OpeningSource = "opening"

func linkDays(d Days) linkage.Days {
	return linkage.Days{First: int32(d.First), Last: int32(d.Last), Vague: d.Vague, Known: true}
}

func places(spots []Spot) (out []linkage.Place) {
	for _, s := range spots {
		out = append(out, linkage.Place{Lat: float64(s.LatE6) / 1e6, Lon: float64(s.LonE6) / 1e6, PrecisionM: int32(s.PrecisionM), Code: s.Code, Point: s.Point})
	}
	return out
}
