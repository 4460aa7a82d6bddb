// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"truceline/acts"
	"truceline/alike"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// showStatement gathers what the form shows beside its fields.
func (s *server) showStatement(v *view, r *http.Request, p statementPage) error {
	ctx := r.Context()
	v.section, v.title = "desk", v.T("act."+p.act.Name)
	v.sheets = append(v.sheets, "filing.css")
	if err := s.showAmended(ctx, v, &p); err != nil {
		return err
	}
	if err := s.showAsked(ctx, v, &p); err != nil {
		return err
	}
	if err := s.showDocument(ctx, &p); err != nil {
		return err
	}
	if p.act.On != acts.OnAccount {
		var err error
		if p.claimants, err = s.Source.Claimants(ctx); err != nil {
			return err
		}
	}
	if err := s.showFiled(ctx, &p); err != nil {
		return err
	}
	if err := s.showWaiting(ctx, &p); err != nil {
		return err
	}
	if p.show != "" && p.filed == nil {
		if err := s.read(ctx, v, &p); err != nil {
			return err
		}
	}
	if p.show != "" && p.act.On == acts.OnNothing {
		var err error
		if p.alike, err = s.similar(ctx, v, p.values); err != nil {
			return err
		}
	}
	if p.at == "" && len(p.problems) > 0 {
		p.at = p.problems[0].Field
	}
	v.body = statementBody(v, &p)
	return nil
}

// showAmended finds the account that is amended, as it stands, and what stands against it.
func (s *server) showAmended(ctx context.Context, v *view, p *statementPage) error {
	if p.act.On != acts.OnAccount {
		return nil
	}
	id, err := record.ParseID(p.get("account"))
	if err != nil {
		return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", p.get("account")}}
	}
	a, err := s.Source.Account(ctx, id)
	if err != nil {
		return s.absent(err, "error.no_account", id.String())
	}
	views, err := s.withReports(ctx, []projection.Account{a})
	if err != nil {
		return err
	}
	p.amended = &views[0]
	for _, l := range a.Links {
		for _, n := range l.Claims {
			p.linked = max(p.linked, n)
		}
	}
	// The rules hold the claimant fast.
	p.values["claimant"], p.values["claimant_kind"], p.values["party"] = []string{a.Body.Claimant.Name}, []string{a.Body.Claimant.Kind}, []string{a.Body.Claimant.Party}
	if p.refusal == nil {
		p.refusal = s.Desk.Offer(ctx, v.acting(), p.act, id)
	}
	return nil
}

// showAsked finds the incident for which a version is sealed, how its filing stands, and
// what stands against the form.
func (s *server) showAsked(ctx context.Context, v *view, p *statementPage) error {
	if !p.seals() {
		return nil
	}
	id, err := record.ParseID(p.get("incident"))
	if err != nil {
		return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", p.get("incident")}}
	}
	in, err := s.Source.Incident(ctx, id)
	if err != nil {
		return s.absent(err, "error.no_incident", id.String())
	}
	p.incident = &in
	if p.filing, err = s.filing(ctx, v, id); err != nil {
		return err
	}
	if p.refusal == nil && p.filed == nil {
		p.refusal = s.Desk.Offer(ctx, v.acting(), p.act, id)
	}
	return nil
}

// showDocument finds the document that was chosen, or those that may be the one typed.
func (s *server) showDocument(ctx context.Context, p *statementPage) error {
	if id, err := record.ParseID(p.get("report")); err == nil {
		rep, err := s.Source.Report(ctx, id)
		if err == nil {
			p.told = &rep
		}
		if notFound(err) {
			err = nil // the planner says so at its field
		}
		return err
	}
	lib, ok := s.Source.(Library)
	if !ok || p.get("url") == "" && p.get("title") == "" {
		return nil
	}
	var err error
	p.found, err = lib.Documents(ctx, p.get("url"), p.get("title"))
	return err
}

// showFiled finds whether a draft was filed already: its officer may have been cut off
// before seeing so.
func (s *server) showFiled(ctx context.Context, p *statementPage) error {
	token, err := record.ParseID(p.get("form"))
	if err != nil || p.draft.ID.IsZero() {
		return nil
	}
	rec, err := s.Source.Record(ctx, acts.FormID(token, p.kind()))
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	p.filed = &acts.Filed{Record: rec.ID, Account: rec.ID}
	for _, sub := range rec.Subjects {
		if sub.Role == record.RoleAccount {
			p.filed.Account = sub.ID
		}
	}
	return nil
}

// read plans what the form would file, and shows it as the account's page will.
func (s *server) read(ctx context.Context, v *view, p *statementPage) error {
	planner, ok := s.Desk.(Planner)
	if !ok {
		return nil
	}
	drafts, err := planner.Plan(ctx, v.acting(), p.act, p.values)
	var invalid *acts.Invalid
	switch {
	case errors.As(err, &invalid):
		p.problems = invalid.Problems
		return nil
	case refusalOf(err) != nil:
		p.refusal = err
		return nil
	case errors.As(err, &p.filed):
		return nil
	case err != nil:
		return err
	}
	told := p.told
	a := projection.Account{State: "recorded", Recorder: v.who.Member, Officer: v.who.ID}
	for _, d := range drafts {
		switch b := d.Body.(type) {
		case *record.Report:
			told = &projection.Report{Body: *b}
		case *record.Account:
			a.Body = *b
		case *record.Sealed:
			a.Body = *d.Account
		}
	}
	var doc *record.Report
	if told != nil {
		doc = &told.Body
	}
	p.reading = &accountView{Account: a, report: told}
	p.doubts = acts.Doubts(&a.Body, doc, v.pack, furthestDay(v.now))
	if p.amended != nil {
		p.changes = v.changes(*p.amended, *p.reading)
	}
	return nil
}

// furthestDay is the day it is where the day begins first.
func furthestDay(t time.Time) when.Date {
	return when.Date(t.UTC().Add(14 * time.Hour).Format(time.DateOnly))
}

// alikeView is a statement that may be the one that is being recorded.
type alikeView struct {
	alike.Match
	projection.Account
	told *projection.Report
}

// alikeShown is how many of them are shown.
const alikeShown = 5

// similar finds statements in the record that may be the one typed.
func (s *server) similar(ctx context.Context, v *view, values acts.Values) ([]alikeView, error) {
	lib, ok := s.Source.(Library)
	typed := typedStatement(values)
	if !ok || typed.Claimant == "" && typed.Words == "" {
		return nil, nil
	}
	near := projection.Near{Limit: 50}
	known, err := s.Source.Claimants(ctx)
	if err != nil {
		return nil, err
	}
	folded := text.Fold(typed.Claimant)
	for _, c := range known {
		if text.Fold(c.Name) == folded && !slices.Contains(near.Claimants, c.Name) {
			near.Claimants = append(near.Claimants, c.Name)
		}
	}
	if typed.SaidOn != "" {
		near.Since = when.Date(typed.SaidOn.First().AddDate(0, 0, -alike.MaxDays).Format(time.DateOnly))
		near.Until = when.Date(typed.SaidOn.Last().AddDate(0, 0, alike.MaxDays).Format(time.DateOnly))
	}
	if id, err := record.ParseID(values.Get("report")); err == nil {
		near.Documents = []record.ID{id}
	} else {
		found, err := lib.Documents(ctx, values.Get("url"), values.Get("title"))
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			near.Documents = append(near.Documents, r.ID)
		}
	}
	accounts, err := lib.Around(ctx, near)
	if err != nil {
		return nil, err
	}
	views, err := s.withReports(ctx, accounts)
	if err != nil {
		return nil, err
	}
	byID := map[record.ID]accountView{}
	var others []alike.Statement
	for _, a := range views {
		byID[a.ID] = a
		o := alike.Statement{ID: a.ID, Claimant: a.Body.Claimant.Name, SaidOn: a.Body.SaidOn, Words: wordsOf(&a.Body)}
		if slices.Contains(near.Documents, a.Report) {
			o.Document = typed.Document
		}
		others = append(others, o)
	}
	var out []alikeView
	for _, m := range alike.Find(typed, others) {
		a := byID[m.ID]
		if out = append(out, alikeView{m, a.Account, a.report}); len(out) == alikeShown {
			break
		}
	}
	return out, nil
}

// typedStatement is what a form says so far, for comparing.
func typedStatement(values acts.Values) alike.Statement {
	out := alike.Statement{Claimant: strings.TrimSpace(values.Get("claimant")), Document: "this"}
	if d, err := when.ParseDate(strings.TrimSpace(values.Get("said_on"))); err == nil {
		out.SaidOn = d
	}
	words := []string{values.Get("quote")}
	for _, n := range acts.ClaimNumbers(values) {
		words = append(words, values.Get(acts.ClaimName(n, "words")))
	}
	out.Words = strings.TrimSpace(strings.Join(words, "\n"))
	return out
}

// wordsOf are the words that an account was told in, as far as they are recorded.
func wordsOf(a *record.Account) string {
	var words []string
	if a.Quote != nil {
		words = append(words, a.Quote.Text)
	}
	for _, c := range a.Claims {
		words = append(words, c.Words)
	}
	return strings.Join(words, "\n")
}

// foundAlike is what the script shows of similar statements.
type foundAlike struct {
	HTML string `json:"html"`
}

// statementSimilar looks for similar statements while one is being typed.
func (s *server) statementSimilar(v *view, r *http.Request) (any, error) {
	list, err := s.similar(r.Context(), v, valuesOf(mustFind("statement.record"), r.PostForm))
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := alikeList(v, list).Render(r.Context(), &b); err != nil {
		return nil, err
	}
	return foundAlike{b.String()}, nil
}
