// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/statistics"
)

// sourceOf is the page of a claimant.
func (v *view) sourceOf(c record.Claimant) templ.SafeURL {
	return v.to("/source/"+url.PathEscape(c.Name), "kind", c.Kind)
}

// sourceAs is the page of a carrier or an origin.
func (v *view) sourceAs(as projection.As, name string) templ.SafeURL {
	return v.to("/source/"+url.PathEscape(name), "as", string(as))
}

// words is a message of the catalogue as a component.
func (v *view) words(key string, args ...any) templ.Component { return v.say(key, args...) }

// rowName names a row.
func (v *view) rowName(d statistics.Dimension, key string, c record.Claimant) templ.Component {
	switch d {
	case statistics.ByMonth:
		if len(key) == len("2025") {
			return v.say("statistics.no_month", "year", ltr(key))
		}
	case statistics.ByType:
		if key == "" {
			return v.say("statistics.no_type")
		}
		return data(v.names.incidentType(key))
	case statistics.ByPlace:
		if key == "" {
			return v.say("statistics.no_place")
		}
		return data(v.names.place(key))
	case statistics.ByClaimant:
		return claimantChip(v, c)
	}
	return ltr(key)
}

// rowText is rowName without markup, for files.
func (v *view) rowText(d statistics.Dimension, key string, c record.Claimant) string {
	switch {
	case d == statistics.ByMonth && len(key) == len("2025"):
		return v.T("statistics.no_month", "year", key)
	case d == statistics.ByType && key == "":
		return v.T("statistics.no_type")
	case d == statistics.ByType:
		return v.names.incidentType(key)
	case d == statistics.ByPlace && key == "":
		return v.T("statistics.no_place")
	case d == statistics.ByPlace:
		return v.names.place(key)
	case d == statistics.ByClaimant:
		return c.Name
	}
	return key
}

// lineSum is what a line shows: a figure, or what stands in place of one.
type lineSum struct {
	statistics.Sum
	line statistics.Line
}

func sumOf(l statistics.Line) lineSum { return lineSum{l.Sum, l} }

// figure is the sum as the signs draw it.
func (s lineSum) figure() figure {
	switch {
	case s.line.Numbered > 0:
		f := figure{Kind: "claimed", Low: s.Low, High: s.High, Bound: "range"}
		switch {
		case s.High == nil:
			f.Bound = "at_least"
		case s.Low == nil:
			f.Bound = "at_most"
		case *s.High == 0:
			f.Kind, f.Bound = "zero", "exact"
		case s.Fewer:
			f.Bound = agreement.Fewer
		case s.About:
			f.Bound = "about"
		case *s.Low == *s.High:
			f.Bound = "exact"
		}
		return f
	case s.line.Denied > 0 && s.line.Unnumbered == 0:
		return figure{Kind: "denied"}
	}
	return figure{Kind: "claimed", Bound: "about"}
}

// short writes the sum with signs, an open end also after an estimate.
func (s lineSum) short() string {
	f := s.figure()
	out := f.short()
	if f.Kind == "zero" {
		out = "0"
	}
	if s.About && f.Bound != "about" && out != "" {
		out = "~" + out
	}
	return out
}

// long says the sum in words.
func (v *view) longSum(s lineSum) string {
	if s.line.Numbered == 0 {
		if s.figure().Kind == "denied" {
			return v.code("cell", "denied")
		}
		return v.T("figure.unnumbered")
	}
	f := s.figure()
	if s.About && f.Bound != "about" {
		return v.T("statistics.estimates", "figure", v.long(f))
	}
	return v.long(f)
}

// axisOf is the scale that all lines of a fact share, the sum over all incidents left
// out: it would press the others together.
func axisOf(f statistics.FactTable) axis {
	var figures, all []figure
	for _, l := range f.Lines {
		if all = append(all, sumOf(l).figure()); l.Row != statistics.AllRows {
			figures = append(figures, all[len(all)-1])
		}
	}
	if len(figures) == 0 {
		figures = all
	}
	return axisFor(figures...)
}

// drawn tells whether the line's figure lies on the axis of its table.
func (l factLine) drawn() bool { return l.sum.figure().end() <= l.axis.max }

// ratio is a bar's length in pixels.
func ratio(n, most int) string {
	if most == 0 {
		return "0"
	}
	return px(float64(n) / float64(most) * glyphWidth)
}

// columnName heads the claimants of a party, or of none.
func (v *view) columnName(party string) string {
	if party == "" {
		return v.T("filter.others")
	}
	return attr(v.names.party(party))
}

// ofColumn are the claimants who speak for a party, "" for the others, each name once.
func (v *view) ofColumn(list []record.Claimant, party string) []record.Claimant {
	var out []record.Claimant
	for _, c := range list {
		if v.names.speaks(c) == party {
			out = append(out, c)
		}
	}
	return slices.CompactFunc(out, func(a, b record.Claimant) bool { return a.Name == b.Name })
}
