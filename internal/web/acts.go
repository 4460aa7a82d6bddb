// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// Desk does the acts of the catalogue for signed-in officers. Its methods are safe for
// concurrent use.
type Desk interface {
	// Do files an act whole or not at all; when it returns it is durable. The error is an
	// *acts.Denied, an *acts.Invalid, a *mechanism.Refusal or a *registry.Refused; then
	// nothing was filed. With a *node.Queued the act is signed and durable here, and goes
	// out by itself.
	Do(ctx context.Context, who node.Officer, act *acts.Act, v acts.Values) (node.Done, error)
	// Offer is nil where the officer may do the act on the subject now.
	Offer(ctx context.Context, who node.Officer, act *acts.Act, subject record.ID) error
}

var _ Desk = (*node.Node)(nil)

// actRoutes adds a page for every act of the catalogue that files records.
func (s *server) actRoutes() {
	s.act("GET /desk", s.desk)
	s.act("GET /do/{act}", s.actPage)
	s.act("POST /do/{act}", s.actDo)
}

// acting is who does an act, as the node knows officers.
func (v *view) acting() node.Officer {
	if v.who == nil {
		return node.Officer{}
	}
	return node.Officer{ID: v.who.ID, Member: v.who.Member, Roles: v.who.Roles}
}

// mayDo tells whether to show an act: what may not be done is not shown.
func (v *view) mayDo(ctx context.Context, name string, subject record.ID) bool {
	act, ok := acts.Find(name)
	return ok && v.who != nil && v.server.Desk != nil && v.server.Desk.Offer(ctx, v.acting(), act, subject) == nil
}

// offered lists the acts that the officer may do on something now.
func (v *view) offered(ctx context.Context, on acts.On, subject record.ID) (out []*acts.Act) {
	if v.who == nil || v.server.Desk == nil {
		return nil
	}
	for _, a := range acts.For(on, v.who.Roles) {
		if (!a.Local || a.Name == "account.later") && !a.Job && v.server.Desk.Offer(ctx, v.acting(), a, subject) == nil {
			out = append(out, a)
		}
	}
	return out
}

// actLink leads to the form of an act on something, and from there back here.
func (v *view) actLink(a *acts.Act, subject record.ID) string {
	q := url.Values{}
	if !subject.IsZero() {
		q.Set(string(a.On), subject.String())
	}
	q.Set("next", v.path)
	switch a.Name {
	case "account.amend":
		return string(v.link("/account/"+subject.String()+"/amend", url.Values{}))
	case "release.propose":
		return string(v.link("/release/new", url.Values{}))
	case "account.seal":
		return string(v.link("/incident/"+subject.String()+"/seal", url.Values{}))
	case "incident.split", "incident.merge":
		return string(v.link("/incident/"+subject.String()+"/"+strings.TrimPrefix(a.Name, "incident."), url.Values{}))
	case "account.link", "account.open", "account.set_aside", "account.later":
		anchor := map[string]string{"account.open": "#new", "account.set_aside": "#aside", "account.later": "#later"}[a.Name]
		return string(v.link("/queue/"+subject.String()+anchor, url.Values{}))
	}
	return string(v.link("/do/"+a.Name, q))
}

// actOf finds the act that an address names, with a page of its own here.
func actOf(r *http.Request) (*acts.Act, error) {
	a, ok := acts.Find(r.PathValue("act"))
	if !ok || a.Local || a.Job {
		return nil, fault{status: http.StatusNotFound, key: "error.no_act", args: []any{"act", r.PathValue("act")}}
	}
	return a, nil
}

// allowed is nil for an officer whose roles allow the act.
func (v *view) allowed(a *acts.Act) error {
	if !a.Allows(v.who.Roles) {
		return fault{status: http.StatusForbidden, key: "error.role", args: []any{"roles", v.roleNames(a.Roles)}}
	}
	return nil
}

func (s *server) actPage(v *view, r *http.Request) error {
	a, err := actOf(r)
	if err == nil {
		err = v.allowed(a)
	}
	if err != nil {
		return err
	}
	f := form{act: a, values: valuesOf(a, v.query), next: nextOf(v.query.Get("next"))}
	f.hidden = []string{string(a.On)}
	if _, ok := a.Field("form"); ok {
		token, err := record.NewID(rand.Reader)
		if err != nil {
			return err
		}
		f.values["form"] = []string{token.String()}
	}
	if id, err := record.ParseID(f.get(string(a.On))); err == nil && a.On != acts.OnNothing {
		if page := v.actLink(a, id); !strings.HasPrefix(page, "/do/") {
			v.location = page // it has a page of its own
			return nil
		}
		if err := s.Desk.Offer(r.Context(), v.acting(), a, id); err != nil {
			f.refusal = err
		}
	} else if a.On != acts.OnNothing {
		f.hidden = nil
	}
	return s.showForm(v, r, f)
}

func (s *server) showForm(v *view, r *http.Request, f form) error {
	v.title = v.T("act." + f.act.Name)
	about, err := s.subjectOf(r.Context(), f)
	if err != nil {
		return err
	}
	v.body = actBody(v, f, about)
	return nil
}

// valuesOf takes from a form the fields that the act has.
func valuesOf(a *acts.Act, q url.Values) acts.Values {
	out := acts.Values{}
	for name, values := range q {
		_, _, claim := acts.ClaimField(name)
		if _, ok := a.Field(name); ok || claim {
			out[name] = values
		}
	}
	return out
}

// nextOf is where an act leads back to: a page of ours, or the desk.
func nextOf(s string) string {
	u, err := url.Parse(s)
	if err != nil || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || u.Host != "" || strings.ContainsAny(s, "\\\r\n") {
		return "/desk"
	}
	return s
}

func (s *server) actDo(v *view, r *http.Request) error {
	a, err := actOf(r)
	if err != nil {
		return err
	}
	q, err := s.postedWithFiles(r)
	if err != nil {
		return err
	}
	f := form{act: a, values: valuesOf(a, q), next: nextOf(q.Get("next")), hidden: []string{string(a.On)}}
	done, err := s.perform(v, r, &f)
	if err != nil || len(f.problems) > 0 || f.refusal != nil {
		if err == nil {
			v.status = http.StatusUnprocessableEntity
			err = s.showForm(v, r, f)
		}
		return err
	}
	if f.person != nil {
		v.showPerson(f.person, done.First(record.IdentityRead))
		return nil
	}
	if a.Name == "notice.file" && done.waits.IsZero() {
		f.next = "/incident/" + done.First(record.NoticeFiled).String() // what was asked of others, and until when
	}
	v.leadOn(f.next, done)
	return nil
}

// postedWithFiles are the fields of a form, with the words in the files that it brings: such
// a file is of the size of a form, and becomes a value of its field.
func (s *server) postedWithFiles(r *http.Request) (url.Values, error) {
	parts, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) {
		return r.PostForm, nil
	}
	if err != nil {
		return nil, formFault(err)
	}
	q := url.Values{}
	for room := int64(formLimit); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return q, nil
		}
		if err != nil {
			return nil, formFault(err)
		}
		b, err := io.ReadAll(io.LimitReader(part, room+1))
		if err != nil {
			return nil, formFault(err)
		}
		if room -= int64(len(b)); room < 0 {
			return nil, formFault(&http.MaxBytesError{Limit: formLimit})
		}
		if part.FileName() != "" || len(b) > 0 { // a field for a file in which none was chosen is nothing
			q.Add(part.FormName(), strings.ToValidUTF8(string(b), "\uFFFD"))
		}
	}
}

// perform does the act of a form. What is wrong with the form, or what stands against the
// act, is noted in it. An act that waits in the outbox is done.
func (s *server) perform(v *view, r *http.Request, f *form) (done filed, err error) {
	if s.Desk == nil {
		return done, fault{status: http.StatusServiceUnavailable, key: "error.read_only"}
	}
	if err := v.allowed(f.act); err != nil {
		return done, err
	}
	if f.act.Sensitive {
		if err := v.confirm(r.Context(), f.act.Name); err != nil {
			return done, err
		}
	}
	if err := s.resolve(r.Context(), f); err != nil {
		return done, err
	}
	done.Done, err = s.doAct(r.Context(), v, f)
	var denied *acts.Denied
	var invalid *acts.Invalid
	var queued *node.Queued
	switch {
	case err == nil:
		return done, nil
	case errors.As(err, &queued):
		done.waits = queued.Act
		return done, nil
	case errors.Is(err, node.ErrWaiting) || errors.Is(err, node.ErrBehind):
		return done, fault{status: http.StatusConflict, key: "error.hold", err: err}
	case errors.As(err, &denied):
		return done, fault{status: http.StatusForbidden, key: "error.role", args: []any{"roles", v.roleNames(denied.Roles)}, err: err}
	case errors.As(err, &invalid):
		f.problems = append(f.problems, invalid.Problems...)
		return done, nil
	case refusalOf(err) != nil:
		f.refusal = err
		return done, nil
	}
	return done, err
}

// refusalOf finds the rule's refusal in an error; nil where it is none.
func refusalOf(err error) *mechanism.Refusal {
	var refusal *mechanism.Refusal
	var signed *registry.Refused
	switch {
	case errors.As(err, &signed):
		return signed.Refusal
	case errors.As(err, &refusal):
		return refusal
	}
	return nil
}

// leadOn leads on after an act, with word of what was done; to the outbox after one that
// waits there.
func (v *view) leadOn(next string, d filed) {
	if !d.waits.IsZero() {
		v.leadToBox(d.waits)
		return
	}
	path, query, _ := strings.Cut(next, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		q = url.Values{}
	}
	q.Del("lang") // link puts it back
	q.Set("done", d.Receipts[0].ID.String())
	v.location = string(v.link(path, q))
}

var numberRE = regexp.MustCompile(`^(M?[0-9]{3,})/([0-9]{4})$`)
var idRE = regexp.MustCompile(`[0-9a-f]{32}`)

// resolve lets officers name an incident by its number for people, or by its page's
// address, as well as by its id.
func (s *server) resolve(ctx context.Context, f *form) error {
	for _, name := range []string{"incident", "into"} {
		for i, value := range f.values[name] {
			value = strings.TrimSpace(acts.Latin(value))
			switch {
			case numberRE.MatchString(value):
				list, _, err := s.Source.Incidents(ctx, projection.Filter{Class: []record.Class{record.ClassIncident}, Text: value, Limit: 20})
				if err != nil {
					return err
				}
				for _, in := range list {
					if in.Number == value {
						f.values[name][i] = in.ID.String()
					}
				}
			case idRE.MatchString(value):
				f.values[name][i] = idRE.FindString(value)
			}
		}
	}
	return nil
}

// subject is what a form is about, in one line.
type subject struct {
	incident *projection.Incident
	account  *projection.Account
	record   *projection.Record
	batch    *projection.Batch
	group    []projection.Record // filed with the record as one act
}

func (s *server) subjectOf(ctx context.Context, f form) (out subject, err error) {
	id, bad := record.ParseID(f.get(string(f.act.On)))
	if bad != nil {
		return out, nil
	}
	switch f.act.On {
	case acts.OnAccount:
		var a projection.Account
		if a, err = s.Source.Account(ctx, id); err == nil {
			out.account = &a
		} else if rec, sealed := s.Source.Record(ctx, id); notFound(err) && sealed == nil && rec.Kind == record.AccountSealed {
			out.record, err = &rec, nil // nobody has read it yet
		}
	case acts.OnIncident:
		var in projection.Incident
		in, err = s.Source.Incident(ctx, id)
		out.incident = &in
	case acts.OnBatch:
		var b projection.Batch
		b, err = s.Source.Batch(ctx, id)
		out.batch = &b
	case acts.OnRecord, acts.OnLink:
		var r projection.Record
		if r, err = s.Source.Record(ctx, id); err == nil {
			out.record = &r
			out.group, err = s.Source.Act(ctx, r.Act)
		}
	}
	if notFound(err) {
		return subject{}, fault{status: http.StatusNotFound, key: "error.no_subject", err: err}
	}
	return out, err
}

// reasonOf gives the words of a rule's refusal: its code in the reader's language, and
// the rule's own reason.
func (v *view) reasonOf(err error) (code, why string) {
	if r := refusalOf(err); r != nil {
		return v.code("refusal", string(r.Code)), r.Reason
	}
	return v.code("refusal", "other"), err.Error()
}

// doneView is word of an act that was just done.
type doneView struct {
	record projection.Record
	undo   bool
}

// lately finds what the address says was just done; nil where it says nothing.
func (s *server) lately(v *view, r *http.Request) *doneView {
	id, err := record.ParseID(v.query.Get("done"))
	if err != nil || v.who == nil {
		return nil
	}
	rec, err := s.Source.Record(r.Context(), id)
	if err != nil || rec.Officer != v.who.ID {
		return nil
	}
	return &doneView{rec, v.mayDo(r.Context(), "act.undo", id)}
}
