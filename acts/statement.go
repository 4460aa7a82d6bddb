// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

// planStatement records what somebody said, and the document in which it was told.
func planStatement(p *planner) error {
	rep, err := p.document()
	if err != nil {
		return err
	}
	return p.account(Draft{Kind: record.AccountFiled}, rep)
}

// planAmendment puts a new version of an account in the place of the latest. Where the
// document is filled in anew, the new version was told in that.
func planAmendment(p *planner) error {
	id := p.id("account")
	acc, ok := p.State.Account(id)
	if !ok {
		return p.refused(&mechanism.Refusal{Code: mechanism.UnknownSubject, Reason: fmt.Sprintf("there is no account %s", id)})
	}
	rep, err := p.document()
	if err != nil {
		return err
	}
	return p.account(Draft{Kind: record.AccountAmended, Subjects: []record.Subject{about(record.RoleAccount, id)}, Supersedes: acc.Current}, rep)
}

func (p *planner) account(d Draft, report record.ID) error {
	body := p.readAccount()
	if len(p.problems) > 0 {
		return nil
	}
	if err := body.Validate(); err != nil {
		p.problem("claims", "problem.invalid", "why", err.Error())
		return nil
	}
	if _, err := record.EncodeBody(body); err != nil {
		p.problem("claims", "problem.too_large", "max", record.MaxBody)
		return nil
	}
	d.Body = body
	if !report.IsZero() {
		d.Subjects = append(d.Subjects, about(record.RoleReport, report))
	}
	if len(p.drafts) > 0 { // the document is not in the ledger yet
		d.Subjects = slices.DeleteFunc(d.Subjects, func(s record.Subject) bool { return s.Role == record.RoleReport })
	}
	if err := p.check(d); err != nil {
		return err
	}
	if len(p.drafts) > 0 {
		d.Subjects = append(d.Subjects, about(record.RoleReport, report))
	}
	p.add(d)
	return nil
}

// document is the one named, or a new one that is planned; zero where none was filled in.
func (p *planner) document() (record.ID, error) {
	if id := p.id("report"); !id.IsZero() {
		if kind, ok := p.State.KindOf(id); !ok || kind != record.ReportFiled {
			p.problem("report", "problem.no_document")
		}
		return id, nil
	}
	r := &record.Report{
		Carrier: p.get("carrier"), Title: p.get("title"), URL: p.get("url"), PublishedOn: p.date("published_on"),
		Origins: p.list("origins"), Language: p.get("language"), Note: p.get("document_note"), Copies: p.copies(),
	}
	if r.Title == "" {
		if r.Carrier != "" || r.URL != "" || r.PublishedOn != "" || len(r.Origins) > 0 || len(r.Copies) > 0 {
			p.problem("title", "problem.needed")
		}
		return record.ID{}, nil
	}
	if len(p.problems) == 0 {
		if err := r.Validate(); err != nil {
			p.problem("url", "problem.invalid", "why", err.Error())
		}
	}
	id, err := p.newID()
	if err != nil {
		return id, err
	}
	return id, p.one(Draft{ID: id, Kind: record.ReportFiled, Body: r})
}

func (p *planner) copies() (out []record.Copy) {
	at := func(name string, i int) string {
		if list := p.values[name]; i < len(list) {
			return strings.TrimSpace(list[i])
		}
		return ""
	}
	for i := range p.values["copy_sha256"] {
		sum := at("copy_sha256", i)
		if sum == "" {
			continue
		}
		c := record.Copy{Media: at("copy_media", i), URL: at("copy_url", i)}
		if err := c.SHA256.UnmarshalText([]byte(sum)); err != nil {
			p.problem("copy_sha256", "problem.digest", "value", sum)
		}
		size, err := strconv.Atoi(at("copy_size", i))
		if err != nil || size < 0 {
			p.problem("copy_size", "problem.number", "value", at("copy_size", i))
		}
		c.Size = size
		out = append(out, c)
	}
	return out
}

func (p *planner) readAccount() *record.Account {
	a := &record.Account{
		Carrier: p.get("carrier"), Origins: p.list("origins"), SaidOn: p.date("said_on"), External: p.get("external"),
		Claimant: record.Claimant{Kind: p.get("claimant_kind"), Name: p.get("claimant"), Party: p.get("party")},
	}
	if q := strings.TrimSpace(strings.ReplaceAll(p.values.Get("quote"), "\r\n", "\n")); q != "" {
		a.Quote = &record.Quote{Language: p.get("quote_language"), Text: q}
	}
	whole := p.where("")
	numbers := p.claimNumbers()
	if len(numbers) == 0 {
		p.problem("claims", "problem.no_claims")
	}
	for _, n := range numbers {
		c := p.claim(n, whole)
		c.N = len(a.Claims) + 1
		a.Claims = append(a.Claims, c)
	}
	return a
}

// claimNumbers finds which claims are filled in, in their order. A claim of which
// nothing but usual values is there, is none.
func (p *planner) claimNumbers() (out []int) {
	filled := map[int]bool{}
	for name, values := range p.values {
		n, field, ok := ClaimField(name)
		if !ok || strings.TrimSpace(strings.Join(values, "")) == "" {
			continue
		}
		switch field {
		case "stance", "scope", "first_hand":
		default:
			filled[n] = true
		}
	}
	for n := range filled {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// ClaimField takes the name claim.n.x apart.
func ClaimField(name string) (n int, field string, ok bool) {
	rest, ok := strings.CutPrefix(name, "claim.")
	if !ok {
		return 0, "", false
	}
	num, field, ok := strings.Cut(rest, ".")
	n, err := strconv.Atoi(num)
	if !ok || err != nil || n < 1 || n > MaxClaims || strconv.Itoa(n) != num {
		return 0, "", false
	}
	return n, field, true
}

// MaxClaims is the most claims one form may have.
const MaxClaims = 200

// whereabouts is where and when something was.
type whereabouts struct {
	when      when.Span
	places    []string
	placeText string
	point     *record.Point
}

func (p *planner) where(prefix string) whereabouts {
	w := whereabouts{
		when:   when.Span{Start: p.date(prefix + "start"), End: p.date(prefix + "end"), Note: p.get(prefix + "time_note")},
		places: p.list(prefix + "places"), placeText: p.get(prefix + "place_text"), point: p.point(prefix),
	}
	if err := w.when.Validate(); err != nil && p.get(prefix+"end") != "" {
		p.problem(prefix+"end", "problem.time_order")
	}
	return w
}

func (p *planner) point(prefix string) *record.Point {
	lat, lon, precision := p.get(prefix+"lat"), p.get(prefix+"lon"), p.get(prefix+"precision_m")
	if lat == "" && lon == "" {
		return nil
	}
	pt := &record.Point{LatE6: p.degrees(prefix+"lat", lat, 90), LonE6: p.degrees(prefix+"lon", lon, 180)}
	m, err := strconv.ParseInt(Latin(precision), 10, 64)
	if err != nil || m < 1 || m > 5_000_000 {
		p.problem(prefix+"precision_m", "problem.precision")
	}
	pt.PrecisionM = m
	return pt
}

// degrees reads decimal degrees without going through binary fractions for long.
func (p *planner) degrees(name, s string, most float64) int64 {
	f, err := strconv.ParseFloat(Latin(s), 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > most {
		p.problem(name, "problem.degrees", "value", s, "max", int(most))
		return 0
	}
	return int64(math.Round(f * 1e6))
}

func (p *planner) claim(n int, whole whereabouts) record.Claim {
	prefix := fmt.Sprintf("claim.%d.", n)
	for _, f := range ClaimFields {
		p.length(prefix+f.Name, f)
		if f.Required && p.get(prefix+f.Name) == "" {
			p.problem(prefix+f.Name, "problem.needed")
		}
	}
	own := p.where(prefix)
	c := record.Claim{
		Derived: p.get(prefix+"derived") != "", Element: record.Element(p.get(prefix + "element")), External: p.get(prefix + "external"),
		FirstHand: p.get(prefix + "first_hand"), Group: p.get(prefix + "group"), Measure: p.get(prefix + "measure"), Note: p.get(prefix + "note"),
		Scope: record.Scope(p.get(prefix + "scope")), Stance: p.get(prefix + "stance"), Subset: p.get(prefix + "subset"),
		Words: strings.ReplaceAll(p.get(prefix+"words"), "\r\n", "\n"),
		When:  own.when, Places: own.places, PlaceText: own.placeText, Point: own.point,
	}
	if own.when.Start == "" {
		c.When = whole.when
		if own.when.Note != "" {
			c.When.Note = own.when.Note
		}
	}
	if len(own.places) == 0 && own.placeText == "" && own.point == nil {
		c.Places, c.PlaceText, c.Point = whole.places, whole.placeText, whole.point
	}
	if c.Scope == "" {
		c.Scope = record.ScopeIncident
	}
	if c.FirstHand == "" {
		c.FirstHand = "unknown"
	}
	fig, err := ParseFigure(p.get(prefix + "figure"))
	if err != nil {
		p.problem(prefix+"figure", "problem.figure", "value", p.get(prefix+"figure"))
	}
	c.Bound, c.Low, c.High = fig.Bound, fig.Low, fig.High
	if len(p.problems) == 0 {
		c.N = 1
		if err := c.Validate(); err != nil {
			p.problem(prefix+"element", "problem.invalid", "why", err.Error())
		}
	}
	return c
}

// Interval is a figure as a claim holds it.
type Interval struct {
	Bound     string
	Low, High *int64
}

var errFigure = errors.New("not a figure: write 12, 12+ (at least), <=12 (at most), 10-15, ~40 (about), or ? where one was spoken of without a number")

// ParseFigure reads a figure as people write it: 12 · 12+ or >=12 (at least) · <=12 (at
// most) · 10-15 · ~40 or ~30-50 (about) · ? (about, no number said). Digits may be
// Latin, Arabic-Indic or extended Arabic-Indic; thousands may be parted by commas.
func ParseFigure(s string) (Interval, error) {
	s = strings.Join(strings.Fields(Latin(s)), "")
	if s == "" {
		return Interval{}, nil
	}
	number := func(s string) (*int64, bool) {
		n, err := strconv.ParseInt(ungroup(s), 10, 64)
		return &n, err == nil && n >= 0 && n <= record.MaxInt && s[0] != '+'
	}
	one := func(bound, s string, low, high bool) (Interval, error) {
		n, ok := number(s + " "[:0])
		if s == "" || !ok {
			return Interval{}, errFigure
		}
		f := Interval{Bound: bound}
		if low {
			f.Low = n
		}
		if high {
			f.High = n
		}
		return f, nil
	}
	if s == "?" || s == "~" || s == "~?" {
		return Interval{Bound: "about"}, nil
	}
	for _, form := range []struct {
		before, after, bound string
		low, high            bool
	}{{">=", "", "at_least", true, false}, {"≥", "", "at_least", true, false}, {"", "+", "at_least", true, false}, {"<=", "", "at_most", false, true}, {"≤", "", "at_most", false, true}} {
		if rest, ok := strings.CutPrefix(s, form.before); ok {
			if rest, ok = strings.CutSuffix(rest, form.after); ok && (form.before != "" || form.after != "") {
				return one(form.bound, rest, form.low, form.high)
			}
		}
	}
	bound := "range"
	if rest, ok := strings.CutPrefix(s, "~"); ok {
		s, bound = rest, "about"
	}
	low, high, isRange := strings.Cut(strings.NewReplacer("–", "-", "—", "-", "..", "-").Replace(s), "-")
	if !isRange {
		if bound == "range" {
			return one("exact", s, true, true)
		}
		return one(bound, s, true, true)
	}
	a, err := one(bound, low, true, false)
	b, err2 := one(bound, high, false, true)
	if err != nil || err2 != nil || *a.Low > *b.High {
		return Interval{}, errFigure
	}
	return Interval{bound, a.Low, b.High}, nil
}

// ungroup drops commas between groups of three digits, and none elsewhere.
func ungroup(s string) string {
	parts := strings.Split(s, ",")
	for i, part := range parts {
		if i > 0 && len(part) != 3 || i == 0 && len(parts) > 1 && (len(part) == 0 || len(part) > 3) {
			return s
		}
	}
	return strings.Join(parts, "")
}

// String writes the figure so that ParseFigure reads it again.
func (f Interval) String() string {
	n := func(p *int64) string { return strconv.FormatInt(*p, 10) }
	switch {
	case f.Low == nil && f.High == nil && f.Bound == "":
		return ""
	case f.Low == nil && f.High == nil:
		return "?"
	case f.High == nil:
		return n(f.Low) + "+"
	case f.Low == nil:
		return "<=" + n(f.High)
	}
	out := n(f.Low)
	if *f.Low != *f.High || f.Bound == "range" {
		out += "-" + n(f.High)
	}
	if f.Bound == "about" {
		out = "~" + out
	}
	return out
}

// Latin writes digits of the Arabic script, and their comma and point, in Latin ones.
func Latin(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩':
			return '0' + r - '٠'
		case r >= '۰' && r <= '۹':
			return '0' + r - '۰'
		case r == '٬' || r == '،':
			return ','
		case r == '٫':
			return '.'
		case r == '−':
			return '-'
		}
		return r
	}, s)
}

func planWithdrawal(p *planner) error {
	return p.one(Draft{Kind: record.AccountWithdrawn, Body: &record.Reason{Reason: p.get("reason")}, Subjects: []record.Subject{about(record.RoleAccount, p.id("account"))}})
}

func offerStatement(o *offer) error { return o.mayFile(record.AccountFiled) }

func offerAmendment(o *offer) error {
	acc, ok := o.State.Account(o.subject)
	switch {
	case !ok || acc.Member != o.Member:
		return &mechanism.Refusal{Code: mechanism.NoRight, Reason: fmt.Sprintf("account %s was filed by %s: only its own filer amends it", o.subject, acc.Member)}
	case acc.Withdrawn || !acc.Counts:
		return refuse("account %s is withdrawn, or its batch is not closed", o.subject)
	}
	return o.mayFile(record.AccountAmended)
}

func offerWithdrawal(o *offer) error {
	return o.check(Draft{Kind: record.AccountWithdrawn, Body: because, Subjects: []record.Subject{about(record.RoleAccount, o.subject)}})
}
