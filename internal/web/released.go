// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"truceline/record"
)

// releasedView is what a release shows of one record.
type releasedView struct {
	*record.Disclosure
	statement *record.Statement
	fields    []releasedField
}

// releasedField is one field in plain words.
type releasedField struct {
	path  string
	label string // in words; empty where the catalogue has none
	value string
	filed string // the value as it was filed
}

// releasedChange is a field that a release shows otherwise than the one before it.
type releasedChange struct {
	record  releasedView
	field   releasedField
	was, is string
	state   string // the message that says what became of it
}

// fieldLabels are the messages that name the fields of bodies, by their paths without the
// numbers of elements. Fields of what was sealed and opened stand under /account.
var fieldLabels = map[string]string{
	"/carrier": "field.carrier", "/claimant/kind": "field.claimant_kind", "/claimant/name": "field.claimant", "/claimant/party": "field.party",
	"/claims/bound": "public.field.bound", "/claims/derived": "field.derived", "/claims/element": "field.element", "/claims/first_hand": "field.first_hand",
	"/claims/group": "field.group", "/claims/high": "public.field.high", "/claims/low": "public.field.low", "/claims/measure": "field.measure", "/claims/n": "public.field.n",
	"/claims/note": "field.note", "/claims/place_text": "field.place_text", "/claims/places": "field.places", "/claims/scope": "field.scope", "/claims/stance": "field.stance",
	"/claims/subset": "field.subset", "/claims/when/end": "field.end", "/claims/when/note": "field.time_note", "/claims/when/start": "field.start", "/claims/words": "field.words",
	"/claims/area/lat_e6": "public.field.area_lat", "/claims/area/lon_e6": "public.field.area_lon", "/claims/area/size_e6": "public.field.area_size", "/claims/area/side": "public.field.area_side",
	"/class": "field.class", "/external": "field.external", "/invited": "field.invited", "/label": "field.label", "/language": "field.language", "/note": "field.note",
	"/origins": "field.origins", "/place_text": "field.place_text", "/places": "field.places", "/published_on": "field.published_on", "/quote/language": "field.quote_language",
	"/quote/text": "field.quote", "/reason": "field.reason", "/said_on": "field.said_on", "/text": "public.field.text", "/title": "field.title", "/types": "field.types",
	"/url": "field.url", "/when/end": "field.end", "/when/note": "field.time_note", "/when/start": "field.start",
}

// fieldOrder is in which order people read the fields of a body: who, what of it, how much,
// when, where. Those that it does not name come last, by their paths.
var fieldOrder = []string{
	"/claimant/name", "/claimant/kind", "/claimant/party", "/said_on", "/quote/text", "/quote/language", "/carrier", "/title", "/published_on", "/url", "/language", "/origins",
	"/types", "/class", "/label", "/when/start", "/when/end", "/when/note", "/places", "/place_text", "/invited", "/text", "/reason",
	"/claims/n", "/claims/element", "/claims/stance", "/claims/measure", "/claims/group", "/claims/subset", "/claims/bound", "/claims/low", "/claims/high", "/claims/scope",
	"/claims/words", "/claims/when/start", "/claims/when/end", "/claims/when/note", "/claims/places", "/claims/place_text",
	"/claims/area/lat_e6", "/claims/area/lon_e6", "/claims/area/size_e6", "/claims/area/side", "/claims/first_hand", "/claims/derived", "/claims/note", "/note",
}

// byReading compares paths of fields as people read them: the account as a whole, then
// claim by claim.
func byReading(a, b string) int {
	pa, na := plainPath(a)
	pb, nb := plainPath(b)
	rank := func(plain string) int {
		if i := slices.Index(fieldOrder, plain); i >= 0 {
			return i
		}
		return len(fieldOrder)
	}
	return cmp.Or(cmp.Compare(na, nb), cmp.Compare(rank(pa), rank(pb)), cmp.Compare(a, b))
}

var elementRE = regexp.MustCompile(`\[(\d+)\]`)

// plainPath is a path without the numbers of elements, and the number of the claim that it
// is in, from 1; 0 if it is in none.
func plainPath(path string) (plain string, claim int) {
	path = strings.TrimPrefix(path, "/account")
	if strings.HasPrefix(path, "/claims[") {
		if n, err := strconv.Atoi(elementRE.FindStringSubmatch(path)[1]); err == nil {
			claim = n + 1
		}
	}
	return elementRE.ReplaceAllString(path, ""), claim
}

// releasedField puts a field into words.
func (v *view) releasedField(f record.DisclosedField) releasedField {
	out := releasedField{path: f.Path, filed: f.Value}
	plain, claim := plainPath(f.Path)
	if key, ok := fieldLabels[plain]; ok {
		out.label = v.T(key)
		if claim > 0 {
			out.label = v.T("form.claim", "n", claim) + " · " + out.label
		}
	}
	out.value = v.releasedValue(plain, f.Value)
	return out
}

// releasedValue puts a value into words, where it is a code that the agreement or the
// catalogue knows.
func (v *view) releasedValue(plain, value string) string {
	var n int64
	var s string
	switch {
	case json.Unmarshal([]byte(value), &n) == nil && plain != "/claims/n":
		return v.Value(n)
	case json.Unmarshal([]byte(value), &s) != nil:
		return value
	}
	switch plain {
	case "/claims/measure":
		return v.names.measure(s)
	case "/claims/group":
		return v.names.group(s)
	case "/claims/subset":
		return v.names.subset(s)
	case "/claims/stance":
		return v.names.stance(s)
	case "/claims/places", "/places":
		return v.names.place(s)
	case "/types":
		return v.names.incidentType(s)
	case "/claimant/kind":
		return v.names.kind(s)
	case "/claimant/party":
		return v.names.party(s)
	case "/invited":
		return v.names.member(s)
	case "/claims/area/side":
		if s == record.SideOne || s == record.SideUndetermined {
			return v.sideWords(&record.Area{Side: s})
		}
	case "/claims/element", "/claims/scope", "/claims/first_hand":
		return v.code(strings.TrimPrefix(plain, "/claims/"), s)
	}
	return s
}

// read takes apart what the release shows.
func (p *publishedView) read(v *view) {
	for _, x := range v.releasedOf(p.Body) {
		if x.statement != nil && x.statement.Kind == record.ReleaseAnswered {
			p.replies = append(p.replies, x)
		} else {
			p.shown = append(p.shown, x)
		}
	}
}

func (v *view) releasedOf(b *record.Released) (out []releasedView) {
	for i := range b.Items {
		x := releasedView{Disclosure: &b.Items[i], statement: opened(&b.Items[i])}
		for _, f := range x.Fields {
			x.fields = append(x.fields, v.releasedField(f))
		}
		slices.SortStableFunc(x.fields, func(a, b releasedField) int { return byReading(a.path, b.path) })
		out = append(out, x)
	}
	return out
}

// of is what a record is a version of: two releases may show two versions of one account.
func (x releasedView) of() record.ID {
	if x.statement == nil {
		return record.ID{}
	}
	if id, ok := x.statement.Subject(record.RoleAccount); ok {
		return id
	}
	return x.statement.ID
}

// changesOf tells what a release shows otherwise than the one that it replaces, replies
// apart. A field of one record is compared with itself; one of another version of an account
// with the same field of the version that is shown no more. Two versions side by side are two.
func (v *view) changesOf(old, now *record.Released) (out []releasedChange) {
	was, is := v.fieldsIn(old), v.fieldsIn(now)
	pair := func(same func(a, b *shownField) bool) {
		for i := range is {
			b := &is[i]
			for j := range was {
				if a := &was[j]; !a.paired && !b.paired && same(a, b) {
					a.paired, b.paired = true, true
					if a.raw != b.raw {
						out = append(out, releasedChange{record: b.in, field: b.releasedField, was: a.value, is: b.value, state: "public.change.changed"})
					}
				}
			}
		}
	}
	pair(func(a, b *shownField) bool { return a.id() == b.id() && a.path == b.path })
	pair(func(a, b *shownField) bool {
		return a.in.of() == b.in.of() && strings.TrimPrefix(a.path, "/account") == strings.TrimPrefix(b.path, "/account")
	})
	for i := range is {
		if b := &is[i]; !b.paired {
			out = append(out, releasedChange{record: b.in, field: b.releasedField, is: b.value, state: "public.change.added"})
		}
	}
	for i := range was {
		if a := &was[i]; !a.paired {
			out = append(out, releasedChange{record: a.in, field: a.releasedField, was: a.value, state: "public.change.removed"})
		}
	}
	slices.SortStableFunc(out, func(a, b releasedChange) int {
		return cmp.Or(cmp.Compare(a.record.Index, b.record.Index), byReading(a.field.path, b.field.path))
	})
	if old.Title != now.Title {
		title := releasedChange{field: releasedField{label: v.T("field.release_title")}, was: old.Title, is: now.Title, state: "public.change.changed"}
		out = slices.Insert(out, 0, title)
	}
	return out
}

// shownField is a field of a record that a release shows, on its way to be compared.
type shownField struct {
	releasedField
	in     releasedView
	raw    string // the value as it was filed: two codes may have one name
	paired bool
}

func (f *shownField) id() record.ID {
	if f.in.statement == nil {
		return record.ID{}
	}
	return f.in.statement.ID
}

// fieldsIn lists what a release shows, without replies.
func (v *view) fieldsIn(b *record.Released) (out []shownField) {
	for _, x := range v.releasedOf(b) {
		if x.statement != nil && x.statement.Kind == record.ReleaseAnswered {
			continue
		}
		for _, f := range x.fields {
			out = append(out, shownField{releasedField: f, in: x, raw: f.filed})
		}
	}
	return out
}
