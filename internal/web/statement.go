// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/internal/projection"
	"truceline/mechanism"
	"truceline/record"
	"truceline/text"
)

// Library is what a Source may know besides: what is in the record already. Without it
// nobody is told that a document or a statement was recorded before.
type Library interface {
	// Documents finds documents by their address or their title.
	Documents(ctx context.Context, address, title string) ([]projection.Report, error)
	// Around lists the statements of claimants, of days and of documents.
	Around(ctx context.Context, n projection.Near) ([]projection.Account, error)
}

var _ Library = (*projection.DB)(nil)

// Planner is what a Desk may do besides: tell what an act would file. Without it a form is
// looked through only when it is filed.
type Planner interface {
	Plan(ctx context.Context, who node.Officer, act *acts.Act, v acts.Values) ([]acts.Draft, error)
}

var _ Planner = (*node.Node)(nil)

// statementPage is the form by which a statement is recorded, an account amended, or a
// version of an incident sealed.
type statementPage struct {
	form
	draft office.Draft // as kept; zero while nothing is
	show  string       // what was asked for: "check", "file", or nothing
	at    string       // the field to begin at
	saved bool         // the draft was kept just now
	full  bool         // the draft could not be kept: there are too many

	told      *projection.Report // the document chosen
	found     []projection.Report
	claimants []record.Claimant
	reading   *accountView
	doubts    []acts.Problem
	alike     []alikeView
	filed     *acts.Filed // the form was filed before
	boxed     *outbox.Act // the form was signed, and is in the outbox and not in the ledger
	uploads   bool

	amended *accountView // the account as it stands
	changes []changedClaim
	linked  int // the last of its claims that a link names

	incident *projection.Incident // for which a version is sealed
	filing   *filingView          // its filing
}

// seals tells whether the form seals a version.
func (p *statementPage) seals() bool { return p.act.On == acts.OnIncident }

// kind is what the form files that its officer thinks of.
func (p *statementPage) kind() record.Kind { return formKind(p.act) }

func formKind(a *acts.Act) record.Kind {
	switch a.On {
	case acts.OnAccount:
		return record.AccountAmended
	case acts.OnIncident:
		return record.AccountSealed
	}
	return record.AccountFiled
}

// draftAct is the act that a draft is the form of.
func draftAct(kind string) *acts.Act {
	switch kind {
	case office.DraftAmendment:
		return mustFind("account.amend")
	case office.DraftSealing:
		return mustFind("account.seal")
	}
	return mustFind("statement.record")
}

// firstRows is how many empty claims a new form shows.
const firstRows = 3

// statementRoutes adds the form for statements and amendments, and the archived copies.
func (s *server) statementRoutes() {
	for _, path := range []string{"/statement/new", "/statement/draft/{id}", "/account/{id}/amend", "/incident/{id}/seal"} {
		s.act("GET "+path, s.statementForm, acts.Desk)
		s.actWithFile("POST "+path, s.statementDo, acts.Desk)
	}
	s.fetch("POST /statement/keep", s.statementKeep, acts.Desk)
	s.fetch("POST /statement/similar", s.statementSimilar, acts.Desk)
	if s.Copies != nil {
		s.mux.HandleFunc("GET /copy/{sha256}", s.copy)
	}
}

// statementForm shows the form: empty, as a draft has it, or filled in with an account.
func (s *server) statementForm(v *view, r *http.Request) error {
	p, err := s.statementOf(v, r)
	if err != nil {
		return err
	}
	p.show, p.at, p.saved = v.query.Get("show"), v.query.Get("at"), v.query.Get("saved") == "1"
	return s.showStatement(v, r, p)
}

// statementOf is the form that an address names, as it is before anything is typed.
func (s *server) statementOf(v *view, r *http.Request) (p statementPage, err error) {
	if s.Desk == nil {
		return p, fault{status: http.StatusServiceUnavailable, key: "error.read_only"}
	}
	p.uploads = s.Copies != nil
	name := "statement.record"
	switch {
	case strings.HasPrefix(v.path, "/account/"):
		name = "account.amend"
		p.values, err = s.amendment(v, r)
	case strings.HasPrefix(v.path, "/incident/"):
		name = "account.seal"
		p.values = acts.Values{"incident": {r.PathValue("id")}}
	case strings.HasPrefix(v.path, "/statement/draft/"):
		if p.draft, err = s.ownDraft(v, r, r.PathValue("id")); err == nil {
			name = draftAct(p.draft.Kind).Name
		}
		p.values = acts.Values(p.draft.Values)
		if r.Method == http.MethodPost && isGone(err) {
			p.values, err = acts.Values{}, nil // filed or discarded in another window: what is typed comes with the form
		}
	default:
		p.values = valuesOf(mustFind(name), v.query) // such as the document, from its page
	}
	p.act = mustFind(name)
	if err == nil && p.values.Get("form") == "" {
		var token record.ID
		if token, err = record.NewID(rand.Reader); err == nil {
			p.values["form"] = []string{token.String()}
		}
	}
	return p, err
}

// mustFind finds an act that this package names.
func mustFind(name string) *acts.Act {
	a, ok := acts.Find(name)
	if !ok {
		panic("web: there is no act " + name) // the catalogue is part of the program
	}
	return a
}

// amendment fills the form in with the account as it stands.
func (s *server) amendment(v *view, r *http.Request) (acts.Values, error) {
	a, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	values := acts.FormOf(&a.Body, a.Report)
	values["account"], values["version"] = []string{a.ID.String()}, []string{a.Current.String()}
	return values, nil
}

// accountOf is the account whose id stands in the address.
func (s *server) accountOf(r *http.Request) (projection.Account, error) {
	id, err := record.ParseID(r.PathValue("id"))
	if err != nil {
		return projection.Account{}, fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
	}
	a, err := s.Source.Account(r.Context(), id)
	return a, s.absent(err, "error.no_account", id.String())
}

// statementDo does what a button of the form says. Whatever is typed is kept as a draft
// first, so that nothing is lost between two pages.
func (s *server) statementDo(v *view, r *http.Request) error {
	p, err := s.statementOf(v, r)
	if err != nil {
		return err
	}
	do, err := s.readStatement(v, r, &p)
	if err != nil {
		return err
	}
	button, arg, _ := strings.Cut(do, ".")
	p.at = ""
	switch button {
	case "discard":
		if !p.draft.ID.IsZero() {
			if err := s.Office.DeleteDraft(r.Context(), v.who.ID, p.draft.ID); err != nil && !notFound(err) {
				return err
			}
		}
		v.redirect("/desk")
		return nil
	case "file":
		return s.fileStatement(v, r, p)
	case "save":
		p.saved = true
	case "check":
		p.show = "check"
	default:
		p.arrange(button, arg)
	}
	return s.keepAndShow(v, r, p)
}

// arrange does what a button asks that only moves parts of the form about.
func (p *statementPage) arrange(button, arg string) {
	n, _ := strconv.Atoi(arg)
	rows := p.rows()
	switch button {
	case "more":
		p.setRows(rows + 1)
		p.at = acts.ClaimName(rows+1, "element")
	case "remove":
		if n >= 1 && n <= rows && p.droppable(n) {
			p.values = acts.WithoutClaim(p.values, n)
			p.setRows(rows - 1)
			p.at = "claims"
		}
	case "up":
		if n > 1 && n <= rows && !p.fixed(n-1) {
			p.values = acts.WithClaimUp(p.values, n)
			p.setRows(rows)
			p.at = acts.ClaimName(n-1, "element")
		}
	case "use":
		for _, name := range documentFields {
			delete(p.values, name)
		}
		if p.act.On == acts.OnNothing { // taken over from the document
			delete(p.values, "carrier")
			delete(p.values, "origins")
		}
		p.values["report"] = []string{arg}
		p.at = "claimant"
	case "rebase":
		if p.amended != nil {
			p.values["version"] = []string{p.amended.Current.String()}
		}
		p.show = "check"
	case "newdoc":
		delete(p.values, "report")
		p.at = "title"
	case "dropcopy":
		for _, name := range copyFields {
			if list := p.values[name]; n >= 0 && n < len(list) {
				p.values[name] = slices.Delete(slices.Clone(list), n, n+1)
			}
		}
		p.at = "title"
	}
}

// copyFields are the fields of one archived copy; documentFields those of a document that
// an account does not have.
var (
	copyFields     = []string{"copy_sha256", "copy_size", "copy_media", "copy_url"}
	documentFields = append([]string{"title", "url", "published_on", "language", "document_note"}, copyFields...)
)

// rows is how many claims the form shows.
func (p *statementPage) rows() int {
	if n, err := strconv.Atoi(p.values.Get("rows")); err == nil {
		return max(1, min(n, acts.MaxClaims), acts.LastClaim(p.values))
	}
	if p.act.On == acts.OnAccount {
		return max(1, acts.LastClaim(p.values))
	}
	return max(firstRows, acts.LastClaim(p.values))
}

func (p *statementPage) setRows(n int) { p.values["rows"] = []string{strconv.Itoa(max(n, 1))} }

// fixed tells whether claim n is one of the account as it stands, which keeps its number.
func (p *statementPage) fixed(n int) bool {
	return p.amended != nil && n <= len(p.amended.Body.Claims)
}

// droppable tells whether claim n may be left out.
func (p *statementPage) droppable(n int) bool {
	return !p.fixed(n) || n == p.rows() && n > p.linked && n > 1
}

// complete fills in what is known of what was typed: the kind and the party of a claimant
// who was heard before, and the places that a source's words stand for.
func (s *server) complete(ctx context.Context, v *view, p *statementPage) error {
	if p.act.On != acts.OnAccount && strings.TrimSpace(p.get("claimant")) != "" && p.get("claimant_kind") == "" {
		known, err := s.Source.Claimants(ctx)
		if err != nil {
			return err
		}
		if c, ok := onlyClaimant(known, p.get("claimant")); ok {
			p.values["claimant"], p.values["claimant_kind"] = []string{c.Name}, []string{c.Kind}
			if p.get("party") == "" {
				p.values["party"] = []string{c.Party}
			}
		}
	}
	prefixes := []string{""}
	for _, n := range acts.ClaimNumbers(p.values) {
		prefixes = append(prefixes, acts.ClaimName(n, ""))
	}
	for _, prefix := range prefixes {
		if said := text.Fold(p.get(prefix + "place_text")); said != "" && strings.Join(p.values[prefix+"places"], "") == "" {
			for _, known := range v.pack.PlaceStrings {
				if text.Fold(known.Text) == said && len(known.Places) > 0 {
					p.values[prefix+"places"] = known.Places
				}
			}
		}
	}
	return nil
}

// onlyClaimant finds the claimant of a name where there is only one.
func onlyClaimant(known []record.Claimant, name string) (found record.Claimant, ok bool) {
	folded := text.Fold(name)
	for _, c := range known {
		switch {
		case text.Fold(c.Name) != folded:
		case ok && (c.Kind != found.Kind || c.Party != found.Party):
			return record.Claimant{}, false // two of one name
		case !ok || c.Name == strings.TrimSpace(name):
			found, ok = c, true
		}
	}
	return found, ok
}

// fileStatement files the form. The draft goes once there is a receipt: while the act
// waits in the outbox the draft stays, for the registry may refuse it.
func (s *server) fileStatement(v *view, r *http.Request, p statementPage) error {
	ctx := r.Context()
	if err := s.complete(ctx, v, &p); err != nil {
		return err
	}
	if again, err := s.fileAgain(v, r, &p); again || err != nil {
		return err
	}
	done, err := s.perform(v, r, &p.form)
	if refusal := refusalOf(p.refusal); err == nil && refusal != nil && refusal.Code == mechanism.DuplicateID {
		// The same form came twice at once, and the other one is filed by now.
		p.refusal = nil
		_, err = s.perform(v, r, &p.form)
	}
	if err == nil && !done.waits.IsZero() {
		return s.keepWaiting(v, r, p, done.waits)
	}
	filed := record.ID{}
	account, _ := record.ParseID(p.get("account"))
	var before *acts.Filed
	switch {
	case errors.As(err, &before) && before.Same:
		filed, account = before.Record, before.Account
	case err != nil && before == nil:
		return err
	case before != nil || len(p.problems) > 0 || p.refusal != nil:
		p.show = "file"
		return s.keepAndShow(v, r, p)
	default:
		if filed = done.First(p.kind()); p.act.On != acts.OnAccount {
			account = filed
		}
	}
	if !p.draft.ID.IsZero() {
		if err := s.Office.DeleteDraft(ctx, v.who.ID, p.draft.ID); err != nil && !notFound(err) {
			s.Log.Error("the draft of what was filed is still there", "err", err)
		}
	}
	next := "/account/" + account.String()
	if p.seals() { // what it says is on no page yet
		next = "/incident/" + p.get("incident")
	}
	v.redirect(next, "done", filed.String())
	return nil
}

// takeValues takes what a form brought into the page, and tells which button sent it.
func (s *server) takeValues(v *view, r *http.Request, p *statementPage, q url.Values) (do string, err error) {
	if id := q.Get("draft"); p.draft.ID.IsZero() && id != "" {
		if p.draft, err = s.ownDraft(v, r, id); err != nil && !isGone(err) {
			return "", err
		}
	}
	switch {
	case q.Get("account") != "":
		p.act = mustFind("account.amend")
	case q.Get("incident") != "":
		p.act = mustFind("account.seal")
	}
	account, token, version, incident := p.values["account"], p.values["form"], p.values["version"], p.values["incident"]
	p.values = valuesOf(p.act, q)
	if n := q.Get("rows"); n != "" {
		p.values["rows"] = []string{n}
	}
	if len(account) > 0 { // the address says which
		p.values["account"] = account
		if p.values.Get("version") == "" {
			p.values["version"] = version
		}
	}
	if len(incident) > 0 {
		p.values["incident"] = incident
	}
	if _, err := record.ParseID(p.values.Get("form")); err != nil {
		p.values["form"] = token
	}
	p.setCopies(p.copies())
	return q.Get("do"), nil
}
