// SPDX-License-Identifier: Apache-2.0

package web

import (
	"slices"
	"strings"

	"truceline/acts"
	"truceline/agreement"
	"truceline/record"
	"truceline/vault"
)

// form is an act's form as filled in so far, with what is wrong in it.
type form struct {
	act      *acts.Act
	values   acts.Values
	problems []acts.Problem
	refusal  error // the rule that stands against the act; nil for none
	next     string
	// hidden are fields that are given and not asked.
	hidden []string
	person *vault.Person // that a reading has read
}

func (f form) get(name string) string { return f.values.Get(name) }

// wrong lists the problems of one field.
func (f form) wrong(name string) (out []acts.Problem) {
	for _, p := range f.problems {
		if p.Field == name {
			out = append(out, p)
		}
	}
	return out
}

func (f form) checked(name, value string) bool { return contains(f.values[name], value) }

// takesFiles tells whether a field may be brought in files.
func (f form) takesFiles() bool {
	return slices.ContainsFunc(f.act.Fields, func(x acts.Field) bool { return x.File })
}

// lines are all values of a field, one below the other.
func (f form) lines(name string) string { return strings.Join(f.values[name], "\n") }

// asksDay tells whether a date is to be filled in.
func (f form) asksDay() bool {
	return slices.ContainsFunc(f.act.Fields, func(x acts.Field) bool { return x.Type == acts.Day && !f.isHidden(x.Name) })
}

// isHidden tells whether a field is given and not asked. The form's own token never is.
func (f form) isHidden(name string) bool { return name == "form" || contains(f.hidden, name) }

// option is one choice of a list.
type option struct{ value, name string }

// options lists what a field may be filled with.
func (v *view) options(f acts.Field) (out []option) {
	for _, c := range f.Choices {
		out = append(out, option{c, v.code(f.Group, c)})
	}
	term := func(list []agreement.Term) {
		for _, t := range list {
			out = append(out, option{t.Code, attr(v.names.in(t.Name, t.Code))})
		}
	}
	switch f.Codes {
	case "claimant_kinds":
		term(v.pack.ClaimantKinds)
	case "incident_types":
		term(v.pack.IncidentTypes)
	case "subsets":
		term(v.pack.Subsets)
	case "grades":
		for _, t := range v.pack.Grades {
			out = append(out, option{t.Code, t.Code + " · " + attr(v.names.in(t.Name, t.Code))})
		}
	case "parties":
		for _, p := range v.pack.Parties {
			out = append(out, option{p.Code, attr(v.names.party(p.Code))})
		}
	case "measures":
		for _, m := range v.pack.Measures {
			out = append(out, option{m.Code, attr(v.names.measure(m.Code))})
		}
	case "groups":
		for _, g := range v.pack.Groups {
			out = append(out, option{g.Code, attr(v.names.group(g.Code))})
		}
	case "stances":
		for _, st := range v.pack.Stances {
			out = append(out, option{st.Code, attr(v.names.stance(st.Code))})
		}
	case "members": // who asserts something, but for the officer's own
		for _, m := range v.pack.Members {
			if m.Role != record.RegistryRole && !m.Former && (v.who == nil || m.Code != v.who.Member) {
				out = append(out, option{m.Code, attr(v.names.in(m.Name, m.Code))})
			}
		}
	case "custodians": // the officer's own member first
		for _, m := range v.pack.Members {
			switch o := (option{m.Code, attr(v.names.in(m.Name, m.Code))}); {
			case m.Role == record.RegistryRole || m.Former:
			case v.who != nil && m.Code == v.who.Member:
				out = append([]option{o}, out...)
			default:
				out = append(out, o)
			}
		}
	case "places":
		for _, p := range v.pack.Places {
			out = append(out, option{p.Code, attr(v.names.place(p.Code))})
		}
	}
	return out
}
