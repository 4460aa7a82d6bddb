// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
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
	body := p.readAccount()
	p.inherit(body, rep)
	id, err := p.formID(record.AccountFiled)
	if err != nil {
		return err
	}
	audience, readers := p.audience()
	for i := range p.drafts { // the document
		p.drafts[i].Audience, p.drafts[i].Readers = audience, readers
	}
	return p.account(Draft{ID: id, Kind: record.AccountFiled, Body: body, Audience: audience, Readers: readers}, rep, id)
}

// audience reads for whom what is filed is; empty for everybody. Members who are named
// beside another choice are a mistake, and not passed over: somebody meant to keep it from
// the others.
func (p *planner) audience() (audience string, readers []string) {
	audience = p.get("audience")
	readers = slices.DeleteFunc(slices.Sorted(slices.Values(p.list("readers"))), func(code string) bool { return code == p.Member })
	f, _ := p.act.Field("audience")
	switch {
	case audience == "" || audience == record.AudiencePublic:
		audience = ""
	case !slices.Contains(f.Choices, audience):
		p.problem("audience", "problem.invalid", "why", fmt.Sprintf("%q is none of %s", audience, strings.Join(f.Choices, ", ")))
	}
	switch named := audience == record.AudienceNamed; {
	case named && len(readers) == 0:
		p.problem("readers", "problem.needed")
	case !named && len(readers) > 0:
		p.problem("readers", "problem.not_named")
	}
	return audience, readers
}

// planAmendment puts a new version of an account in the place of the latest. Where the
// document is filled in anew, the new version was told in that.
func planAmendment(p *planner) error {
	acc, ok := p.State.Account(p.id("account"))
	if !ok {
		return p.refused(&mechanism.Refusal{Code: mechanism.UnknownSubject, Reason: fmt.Sprintf("there is no account %s", p.get("account"))})
	}
	rep, err := p.document()
	if err != nil {
		return err
	}
	body := p.readAccount()
	p.keepNumbers(acc, body)
	id, err := p.formID(record.AccountAmended)
	if err != nil {
		return err
	}
	version := p.id("version")
	d := Draft{ID: id, Kind: record.AccountAmended, Body: body, Subjects: []record.Subject{about(record.RoleAccount, p.id("account"))}, Supersedes: acc.Current}
	p.follow(&d) // for whom it is says whether positions stay exact
	if err := p.account(d, rep, p.id("account")); err != nil || len(p.problems) > 0 {
		return err
	}
	if !version.IsZero() && version != acc.Current {
		// What another officer has changed meanwhile must not go by the way.
		p.problem("version", "problem.amended_meanwhile")
		return nil
	}
	if len(p.drafts) > 1 {
		return nil
	}
	return p.changed(acc.Current, body, rep)
}

// formID is the id that the form gives to a record of the kind; drawn anew for a form
// without a token.
func (p *planner) formID(kind record.Kind) (record.ID, error) {
	if token := p.id("form"); !token.IsZero() {
		return FormID(token, kind), nil
	}
	return p.newID()
}

// inherit takes from the document what the form does not ask twice.
func (p *planner) inherit(a *record.Account, report record.ID) {
	doc := p.read(report)
	if doc == nil {
		return
	}
	if a.Carrier == "" {
		a.Carrier = doc.Carrier
	}
	if len(a.Origins) == 0 {
		a.Origins = doc.Origins
	}
	if a.Quote != nil && a.Quote.Language == "" {
		a.Quote.Language = doc.Language
	}
}

// read gives a document that is planned or in the ledger; nil where it cannot be read.
func (p *planner) read(report record.ID) *record.Report {
	for _, d := range p.drafts {
		if r, ok := d.Body.(*record.Report); ok && d.ID == report {
			return r
		}
	}
	if report.IsZero() || p.Read == nil {
		return nil
	}
	_, body, err := p.Read(report)
	if err != nil {
		return nil
	}
	r, _ := body.(*record.Report)
	return r
}

// keepNumbers sees to it that the claims of the latest version keep their numbers, by
// which links and citations name them: only the last of them can be left out.
func (p *planner) keepNumbers(acc mechanism.Account, body *record.Account) {
	if acc.Claims < 0 { // not for everybody: the rules do not read it, and its author does
		acc.Claims = 0
		if p.Read != nil {
			if _, old, err := p.Read(acc.Current); err == nil {
				if was, ok := old.(*record.Account); ok {
					acc.Claims, acc.Claimant = len(was.Claims), was.Claimant
				}
			}
		}
	}
	if acc.Claimant != (record.Claimant{}) {
		body.Claimant = acc.Claimant // the rules hold it fast; what is typed does not count
	}
	filled := ClaimNumbers(p.values)
	for n := 1; n <= acc.Claims; n++ {
		after := len(filled) > 0 && filled[len(filled)-1] > n
		switch here := slices.Contains(filled, n); {
		case !here && after:
			p.problem(ClaimName(n, "element"), "problem.claim_gap")
		case !here && n <= p.State.LastLinked(p.id("account")):
			p.problem(ClaimName(n, "element"), "problem.claim_linked")
		}
	}
}

// changed looks that an amendment says anything new.
func (p *planner) changed(current record.ID, body *record.Account, report record.ID) error {
	if p.Read == nil {
		return nil
	}
	st, old, err := p.Read(current)
	if err != nil {
		return err
	}
	if o, ok := old.(*record.Opened); ok { // the first version of what was sealed
		old = &o.Account
	}
	if told, _ := st.Subject(record.RoleReport); told == report && equalBodies(old, body) {
		p.problem("claims", "problem.no_change")
	}
	return nil
}

func equalBodies(a, b record.Body) bool {
	x, err := record.EncodeBody(a)
	y, err2 := record.EncodeBody(b)
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

// account adds the account to what is planned. of is its id, as first filed.
func (p *planner) account(d Draft, report, of record.ID) error {
	if len(p.problems) > 0 {
		return nil
	}
	if a, ok := d.Body.(*record.Account); ok {
		if err := p.coarsen(a, p.audienceOf(d)); err != nil {
			return err
		}
	}
	if err := d.Body.Validate(); err != nil {
		p.problem("claims", "problem.invalid", "why", err.Error())
		return nil
	}
	if _, err := record.EncodeBody(d.Body); err != nil {
		p.problem("claims", "problem.too_large", "max", record.MaxBody)
		return nil
	}
	if a, ok := d.Body.(*record.Account); ok { // no rule reads what is not for everybody
		if err := p.State.CheckAccount(a); err != nil {
			return err
		}
	}
	if err := p.filed(d, report, of); err != nil {
		return err
	}
	check := d
	if !report.IsZero() {
		d.Subjects = append(slices.Clone(d.Subjects), about(record.RoleReport, report))
		if len(p.drafts) == 0 { // else the document is not in the ledger yet
			check = d
		}
	}
	if err := p.check(check); err != nil {
		return err
	}
	p.add(d)
	return nil
}

// filed tells whether the form was filed before; nil if it was not.
func (p *planner) filed(d Draft, report, of record.ID) error {
	if _, ok := p.State.KindOf(d.ID); !ok || p.Read == nil {
		return nil
	}
	st, body, err := p.Read(d.ID)
	if err != nil {
		return err
	}
	told, _ := st.Subject(record.RoleReport)
	same := told == report && equalBodies(body, d.Body) && p.reaches(st, d)
	for _, x := range p.drafts { // the document
		_, body, err := p.Read(x.ID)
		same = same && err == nil && equalBodies(body, x.Body)
	}
	return &Filed{Record: d.ID, Account: of, Same: same}
}

// reaches tells whether what was filed is for those that the draft is for.
func (p *planner) reaches(st *record.Statement, d Draft) bool {
	if p.follow(&d); d.Audience == "" {
		d.Audience = record.AudiencePublic
	}
	return st.Audience == d.Audience && slices.Equal(st.Readers, d.Readers)
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
		Origins: p.list("origins"), Language: p.language("language"), Note: p.get("document_note"), Copies: p.copies(),
	}
	if r.Title == "" {
		if r.Carrier != "" || r.URL != "" || r.PublishedOn != "" || len(r.Origins) > 0 || len(r.Copies) > 0 {
			p.problem("title", "problem.needed")
		}
		return record.ID{}, nil
	}
	p.address("url", r.URL)
	if len(p.problems) == 0 {
		if err := r.Validate(); err != nil {
			p.problem("title", "problem.invalid", "why", err.Error())
		}
	}
	id, err := p.formID(record.ReportFiled)
	if err != nil {
		return id, err
	}
	return id, p.one(Draft{ID: id, Kind: record.ReportFiled, Body: r})
}

// address looks that an address on the web is one as the format has them.
func (p *planner) address(name, url string) {
	if err := (&record.Report{Title: "?", URL: url}).Validate(); err != nil {
		p.problem(name, "problem.url", "value", url)
	}
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)

// language reads a BCP 47 tag.
func (p *planner) language(name string) string {
	s := p.get(name)
	if s != "" && !languageTag.MatchString(s) {
		p.problem(name, "problem.language", "value", s)
	}
	return s
}

func (p *planner) copies() (out []record.Copy) {
	at := func(name string, i int) string {
		if list := p.values[name]; i < len(list) {
			return tidy(list[i])
		}
		return ""
	}
	for i := range p.values["copy_sha256"] {
		sum := at("copy_sha256", i)
		if sum == "" {
			if at("copy_size", i)+at("copy_url", i) != "" {
				p.problem("copy_sha256", "problem.needed")
			}
			continue
		}
		c := record.Copy{Media: at("copy_media", i), URL: at("copy_url", i)}
		p.address("copy_url", c.URL)
		if err := c.SHA256.UnmarshalText([]byte(strings.ToLower(sum))); err != nil {
			p.problem("copy_sha256", "problem.digest", "value", sum)
		}
		size, err := strconv.Atoi(Latin(at("copy_size", i)))
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
	if q := p.get("quote"); q != "" {
		a.Quote = &record.Quote{Language: p.language("quote_language"), Text: q}
	}
	whole := p.where("")
	numbers := ClaimNumbers(p.values)
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

// whereabouts is where and when something was.
type whereabouts struct {
	when      when.Span
	places    []string
	placeText string
	point     *record.Point
	area      *record.Area // of a version before, where no point is given
}

func (p *planner) where(prefix string) whereabouts {
	w := whereabouts{
		when:   when.Span{Start: p.date(prefix + "start"), End: p.date(prefix + "end"), Note: p.get(prefix + "time_note")},
		places: p.list(prefix + "places"), placeText: p.get(prefix + "place_text"), point: p.point(prefix),
	}
	if w.point == nil {
		w.area = p.area(prefix + "area")
	}
	switch {
	case w.when.End != "" && p.get(prefix+"start") == "":
		p.problem(prefix+"start", "problem.needed")
	case w.when.Validate() != nil:
		p.problem(prefix+"end", "problem.time_order")
	}
	return w
}

func (p *planner) point(prefix string) *record.Point {
	lat, lon, precision := p.get(prefix+"lat"), p.get(prefix+"lon"), p.get(prefix+"precision_m")
	if lat == "" && lon == "" && precision == "" {
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

var decimal = regexp.MustCompile(`^[-+]?[0-9]{1,3}(\.[0-9]*)?$`)

// degrees reads decimal degrees, as micro-degrees.
func (p *planner) degrees(name, s string, most float64) int64 {
	s = Latin(s)
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case s == "":
		p.problem(name, "problem.needed")
	case err != nil || !decimal.MatchString(s) || math.Abs(f) > most:
		p.problem(name, "problem.degrees", "value", s, "max", int(most))
		return 0
	}
	return microDegrees(f)
}

func microDegrees(degrees float64) int64 { return int64(math.Round(degrees * 1e6)) }

func (p *planner) claim(n int, whole whereabouts) record.Claim {
	prefix := ClaimName(n, "")
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
		When:  own.when, Places: own.places, PlaceText: own.placeText, Point: own.point, Area: own.area,
	}
	if own.when.Start == "" {
		c.When = whole.when
		if own.when.Note != "" {
			c.When.Note = own.when.Note
		}
	}
	if len(own.places) == 0 && own.placeText == "" && own.point == nil && own.area == nil {
		c.Places, c.PlaceText, c.Point, c.Area = whole.places, whole.placeText, whole.point, whole.area
	}
	if c.Scope == "" {
		c.Scope = record.ScopeIncident
	}
	if c.FirstHand == "" {
		c.FirstHand = "unknown"
	}
	fig, err := ParseFigure(p.get(prefix + "figure"))
	if err != nil {
		p.problem(prefix+"figure", "problem.figure", "value", p.get(prefix+"figure"), "examples", "12, 12+, 10-15, ~40, ?")
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
