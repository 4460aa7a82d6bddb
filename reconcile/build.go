// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/record"
)

// Build sets the items side by side. An item that comes twice counts once; the
// order of the items does not matter. Items are to be those of one incident, or of
// one aggregate, in their latest form and not withdrawn.
func Build(pack *agreement.Pack, items []Item) *Matrix {
	return newCodes(pack).build(items)
}

func (c *codes) build(items []Item) *Matrix {
	b := &builder{codes: c, rows: map[Key]*draft{}}
	b.items = sorted(items)
	b.narrow, b.overtaken = b.eventDenials()
	var optional []Item
	for _, it := range b.items {
		if b.general(it) {
			optional = append(optional, it)
			continue
		}
		b.place(it)
	}
	for _, it := range b.items {
		b.spread(it)
	}
	for _, it := range optional {
		if !b.reached[claimIDOf(it)] {
			b.place(it)
		}
	}
	b.imply()
	return b.matrix()
}

type claimID struct {
	account record.ID
	n       int
}

func claimIDOf(it Item) claimID { return claimID{it.Account, it.Claim.N} }

// draft is a row that is being filled: values by column and claimant.
type draft struct {
	key    Key
	places []string
	texts  map[string]bool
	values map[record.Claimant][]Value
}

type builder struct {
	*codes
	items   []Item // oldest first
	rows    map[Key]*draft
	reached map[claimID]bool // claims that stand on a row other than their own
	// narrow: denials of an event by who states an event too. overtaken: denials
	// of the event whose author states it later.
	narrow, overtaken map[claimID]bool
}

// sorted orders items oldest first, without repeats. The order is total over
// claims, so that nothing depends on the order of the input.
func sorted(items []Item) []Item {
	out := slices.Clone(items)
	slices.SortStableFunc(out, compareItems)
	seen := map[claimID]bool{}
	return slices.DeleteFunc(out, func(it Item) bool {
		id := claimIDOf(it)
		was := seen[id]
		seen[id] = true
		return was
	})
}

func compareItems(a, b Item) int {
	return cmp.Or(
		asOf(a).Compare(asOf(b)),
		a.SaidOn.First().Compare(b.SaidOn.First()),
		cmp.Compare(a.Order, b.Order),
		bytes.Compare(a.Account[:], b.Account[:]),
		cmp.Compare(a.Claim.N, b.Claim.N))
}

// keyOf is the key of the row that a claim is about.
func keyOf(c *record.Claim) Key {
	k := Key{Element: c.Element, Measure: c.Measure, Group: c.Group, Subset: c.Subset, Scope: c.Scope}
	if c.Element == record.Responsibility {
		k.Element = record.Attribution
	}
	if c.Measure == "" && gathers(c.Element) {
		k.Group = ""
	}
	if c.Scope != record.ScopeIncident {
		k.Place = placeKey(c)
	}
	if total(c.Scope) {
		k.Since = c.When.Start
	}
	if c.Scope == record.ScopePeriodTotal {
		k.Until = c.When.End
	}
	return k
}

// placeKey tells a part or another set of places from every other: by the codes of
// the pack and by the source's own words, since one code may stand for a village and
// for the district it lies in. Letters are compared without case.
func placeKey(c *record.Claim) string {
	key := strings.Join(placeSet(c), "+")
	if text := strings.Join(strings.Fields(c.PlaceText), " "); text != "" {
		key += "~" + strings.ToLower(text)
	}
	return key
}

func placeSet(c *record.Claim) []string {
	set := slices.Clone(c.Places)
	slices.Sort(set)
	return slices.Compact(set)
}

// place puts a claim on its own row.
func (b *builder) place(it Item) {
	k := keyOf(&it.Claim)
	d := b.rows[k]
	if d == nil {
		d = &draft{key: k, texts: map[string]bool{}, values: map[record.Claimant][]Value{}}
		b.rows[k] = d
	}
	if k.Place != "" {
		d.places = placeSet(&it.Claim)
		if it.Claim.PlaceText != "" {
			d.texts[it.Claim.PlaceText] = true
		}
	}
	v := Value{Item: it, Kind: b.kind(it, k), Figure: figureOf(&it.Claim), Via: ViaClaim}
	if k.mode() == names {
		v.Name = b.named(it)
	}
	d.add(v)
}

func (d *draft) add(v Value) {
	d.values[v.Item.Claimant] = append(d.values[v.Item.Claimant], v)
}

func figureOf(c *record.Claim) Figure {
	return Figure{Low: c.Low, High: c.High, Bound: c.Bound}
}

// kind of value that a claim is on its own row.
func (b *builder) kind(it Item, k Key) Kind {
	effect := b.stances[it.Claim.Stance].Effect
	switch {
	case k.mode() == words || effect != agreement.Asserts && effect != agreement.Denies:
		return Worded
	case k.mode() == figures && figureOf(&it.Claim).none():
		return Zero
	case effect == agreement.Denies:
		return Denied
	}
	return Claimed
}

// named is the group that a claim names or denies on a row of names.
func (b *builder) named(it Item) Name {
	c := &it.Claim
	st := b.stances[c.Stance]
	switch {
	case st.Effect != agreement.Denies:
		return b.name(c.Group)
	case c.Element == record.Initiation && c.Group == "":
		return Name{Side: it.Claimant.Party} // "we did not begin"
	case c.Element == record.Event && st.Covers == agreement.CoversEvent && !b.narrow[claimIDOf(it)]:
		return Name{}
	}
	return b.name(c.Group)
}

// matrix closes the drafts.
func (b *builder) matrix() *Matrix {
	m := &Matrix{Columns: make([]Column, len(b.parties)+1)}
	spoke := map[bool][]bool{false: make([]bool, len(m.Columns)), true: make([]bool, len(m.Columns))}
	for i, p := range b.parties {
		m.Columns[i].Party = p
	}
	for _, it := range b.items {
		col := b.column(it.Claimant)
		spoke[total(it.Claim.Scope)][col] = true
		if !slices.Contains(m.Columns[col].Claimants, it.Claimant) {
			m.Columns[col].Claimants = append(m.Columns[col].Claimants, it.Claimant)
		}
	}
	for i := range m.Columns {
		slices.SortFunc(m.Columns[i].Claimants, byName)
	}
	for _, d := range b.rows {
		m.Rows = append(m.Rows, b.row(d, m.Columns, spoke[total(d.key.Scope)]))
	}
	slices.SortFunc(m.Rows, func(x, y Row) int { return b.compareKeys(x.Key, y.Key) })
	return m
}

func byName(a, b record.Claimant) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Party, b.Party))
}

func (b *builder) row(d *draft, columns []Column, spoke []bool) Row {
	r := Row{Key: d.key, Places: d.places, Columns: make([]RowColumn, len(columns))}
	for t := range d.texts {
		r.PlaceTexts = append(r.PlaceTexts, t)
	}
	slices.Sort(r.PlaceTexts)
	for i, col := range columns {
		rc := &r.Columns[i]
		rc.Party, rc.Blank = col.Party, NotCoded
		if spoke[i] {
			rc.Blank = Silent
		}
		for _, cl := range col.Claimants {
			if vs := d.values[cl]; len(vs) > 0 {
				c := cellOf(d.key, vs)
				c.Own = d.key.mode() == figures && col.Party != "" && b.groups[d.key.Group].Side == col.Party
				rc.Cells = append(rc.Cells, c)
			}
		}
	}
	r.judge()
	return r
}

func (c *codes) compareKeys(p, q Key) int {
	return cmp.Or(
		cmp.Compare(slices.Index(record.Scopes, p.Scope), slices.Index(record.Scopes, q.Scope)),
		cmp.Compare(p.Place, q.Place),
		cmp.Compare(p.Since, q.Since), cmp.Compare(p.Until, q.Until),
		cmp.Compare(slices.Index(record.Elements, p.Element), slices.Index(record.Elements, q.Element)),
		c.byCode("measure", p.Measure, q.Measure),
		c.byCode("group", p.Group, q.Group),
		c.byCode("subset", p.Subset, q.Subset))
}

func (c *codes) byCode(list, x, y string) int {
	return cmp.Or(cmp.Compare(c.position(list, x), c.position(list, y)), cmp.Compare(x, y))
}
