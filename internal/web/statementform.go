// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"slices"
	"strings"

	"truceline/acts"
	"truceline/internal/blobstore"
	"truceline/record"
)

// fieldOf finds what the form asks under a name, such as claim.2.figure.
func (p *statementPage) fieldOf(name string) acts.Field {
	list := p.act.Fields
	if _, field, ok := acts.ClaimField(name); ok {
		list, name = acts.ClaimFields, field
	} else if field, ok := strings.CutPrefix(name, emptyRow); ok {
		list, name = acts.ClaimFields, field
	}
	for _, f := range list {
		if f.Name == name {
			return f
		}
	}
	panic("web: the form has no field " + name) // its template names none but its own
}

// emptyRow opens the names of the fields of the row that scripts copy.
const emptyRow = "claim.0."

// rowName is the name of a field of row n; row 0 is the one that scripts copy.
func rowName(n int, field string) string {
	if n == 0 {
		return emptyRow + field
	}
	return acts.ClaimName(n, field)
}

// describedBy lists what explains a field: help, and what is wrong with it.
func (p *statementPage) describedBy(name string, f acts.Field) string {
	var out []string
	switch f.Type {
	case acts.Day:
		out = append(out, "h-date")
	case acts.Figure:
		out = append(out, "h-figure")
	}
	if len(p.wrong(name)) > 0 {
		out = append(out, "p-"+name)
	}
	return strings.Join(out, " ")
}

// begins tells whether the cursor stands in the field at first. In a new form that is for
// the script to say, which sees whether the officer is somewhere already.
func (p *statementPage) begins(name string) bool { return p.at == name }

// value is what a row's select shows: what was chosen, else the usual.
func (p *statementPage) value(name string, usual string) string {
	if s := p.get(name); s != "" {
		return s
	}
	return usual
}

// open tells whether something stands in one of a row's fields that are folded away, or
// is wrong there.
func (p *statementPage) open(n int, fields []string, usual map[string]string) bool {
	return slices.ContainsFunc(fields, func(field string) bool {
		name := rowName(n, field)
		filled := strings.TrimSpace(strings.Join(p.values[name], ""))
		return filled != "" && filled != usual[field] || len(p.wrong(name)) > 0 || p.at == name
	})
}

// moreFields are those of a claim that most claims leave as they are.
var (
	moreFields = []string{"subset", "first_hand", "derived", "note", "external", "start", "end", "time_note", "place_text", "places", "lat", "lon", "precision_m", "area"}
	usualMore  = map[string]string{"first_hand": "unknown"}
)

// usualStance is the agreement's first: that the claimant says so.
func (v *view) usualStance() string {
	if len(v.pack.Stances) == 0 {
		return ""
	}
	return v.pack.Stances[0].Code
}

// optionGroup is options under a heading.
type optionGroup struct {
	name    string // empty: no heading
	options []option
}

// measureGroups lists what is counted under what it is: people first.
func (v *view) measureGroups() (out []optionGroup) {
	for _, unit := range []string{"people", "objects", "places", "hours", "percent", "none"} {
		g := optionGroup{name: v.code("unit", unit)}
		for _, m := range v.pack.Measures {
			if m.Unit == unit {
				g.options = append(g.options, option{m.Code, attr(v.names.measure(m.Code))})
			}
		}
		if len(g.options) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// placeOptions lists the places by name in the reader's language, those chosen first.
func (v *view) placeOptions(chosen []string) []option {
	out := v.options(acts.Field{Codes: "places"})
	slices.SortStableFunc(out, func(a, b option) int {
		x, y := slices.Contains(chosen, a.value), slices.Contains(chosen, b.value)
		switch {
		case x && !y:
			return -1
		case y && !x:
			return 1
		}
		return cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name))
	})
	return out
}

// bare is a name without marks of direction.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}

// stale tells whether the account was amended since the form was filled in with it.
func (p *statementPage) stale() bool {
	version := p.get("version")
	return p.amended != nil && p.filed == nil && version != "" && version != p.amended.Current.String()
}

// maxKnown is how many claimants a form offers to choose from.
const maxKnown = 1000

// known are the claimants to offer, by name, each once with what is known of it.
func (p *statementPage) known() []record.Claimant {
	return p.claimants[:min(len(p.claimants), maxKnown)]
}

// times is how many inputs a field with several values shows: one more than it has.
func (p *statementPage) times(name string) []string {
	var out []string
	for _, s := range p.values[name] {
		if strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return append(out, "")
}

// inherits says what a claim takes over where it says nothing itself.
func (v *view) inherits(p *statementPage) (time, place string) {
	if start := strings.TrimSpace(p.get("start")); start != "" {
		time = start
		if end := strings.TrimSpace(p.get("end")); end != "" {
			time += " – " + end
		}
	}
	place = v.names.placesOr(p.values["places"], strings.TrimSpace(p.get("place_text")))
	return time, place
}

// maxCopy is how many bytes a copy may have.
const maxCopy = blobstore.MaxSize

// draftID is the id of the draft, empty while none is kept.
func (v *view) draftID(p *statementPage) string {
	if p.draft.ID.IsZero() {
		return ""
	}
	return p.draft.ID.String()
}
