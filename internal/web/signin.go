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
	"truceline/internal/office"
	"truceline/record"
)

// officer is who a request comes from.
type officer struct {
	office.Officer
	signIn office.SignIn
}

// signInPath opens the address of every invitation.
const signInPath = "/signin/"

// formLimit is how many bytes a form may have, files apart.
const formLimit = 2 << 20

// signedIn tells whether the reader is an officer who has signed in.
func (v *view) signedIn() bool { return v.who != nil }

// has tells whether the reader has signed in and has the role.
func (v *view) has(role string) bool { return v.who != nil && v.who.Has(role) }

// hasAny tells whether the reader has signed in and has one of the roles; for no roles,
// whether the reader has signed in.
func (v *view) hasAny(roles []string) bool {
	return v.who != nil && (len(roles) == 0 || slices.ContainsFunc(roles, v.who.Has))
}

// redirect makes the answer lead to another page of ours, to be read with GET.
func (v *view) redirect(path string, params ...string) {
	v.location = string(v.to(path, params...))
}

// confirm asks the step-up hook whether the officer may do a sensitive act now. Act is
// its name in the catalogue of acts.
func (v *view) confirm(ctx context.Context, act string) error {
	if v.server.StepUp == nil {
		return nil
	}
	if err := v.may(nil); err != nil {
		return err
	}
	if err := v.server.StepUp(ctx, v.who.signIn, act); err != nil {
		return fault{status: http.StatusForbidden, key: "error.step_up", err: err}
	}
	return nil
}

// act adds a page or an act that only officers reach: "GET /imports", "POST /drafts".
// With roles, the officer needs one of them. A form has been parsed and its size checked
// when h runs; h sets v.body, or leads on with v.redirect.
func (s *server) act(pattern string, h func(*view, *http.Request) error, roles ...string) {
	s.actUpTo(formLimit, pattern, h, roles...)
}

// actUpTo is act for requests of at most limit bytes, such as those that bring a file.
// Only a form without files has been parsed when h runs.
func (s *server) actUpTo(limit int64, pattern string, h func(*view, *http.Request) error, roles ...string) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		s.page(func(v *view, r *http.Request) error {
			if err := v.may(roles); err != nil {
				return err
			}
			if err := parseForm(r); err != nil {
				return err
			}
			return h(v, r)
		})(w, r)
	})
}

// do adds an act of the catalogue of acts, for officers with one of the roles that it
// names there. Where it is sensitive the step-up hook is asked first.
func (s *server) do(name, pattern string, h func(*view, *http.Request) error) {
	a, ok := acts.Find(name)
	if !ok {
		panic("web: there is no act " + name) // the catalogue is part of the program
	}
	s.act(pattern, func(v *view, r *http.Request) error {
		if a.Sensitive {
			if err := v.confirm(r.Context(), name); err != nil {
				return err
			}
		}
		return h(v, r)
	}, a.Roles...)
}

// may is nil for an officer who has one of the roles.
func (v *view) may(roles []string) error {
	switch {
	case v.whoErr != nil:
		return v.whoErr // not known to be signed out: say that something is wrong
	case v.who == nil && v.ended:
		return fault{status: http.StatusUnauthorized, key: "error.sign_in_ended"}
	case v.who == nil:
		return fault{status: http.StatusUnauthorized, key: "error.sign_in"}
	case !v.hasAny(roles):
		return fault{status: http.StatusForbidden, key: "error.role", args: []any{"roles", v.roleNames(roles)}}
	}
	return nil
}

func parseForm(r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return nil
	}
	return formFault(r.ParseForm())
}

// formFault turns what is wrong with a form into a page for who sent it.
func formFault(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return fault{status: http.StatusRequestEntityTooLarge, key: "error.too_large", args: []any{"n", large.Limit >> 20}, err: err}
	}
	return fault{status: http.StatusBadRequest, key: "error.bad_form", err: err}
}

// roleNames names roles for a sentence.
func (v *view) roleNames(roles []string) string {
	var out []string
	for _, role := range roles {
		out = append(out, v.code("officer_role", role))
	}
	return strings.Join(out, ", ")
}

// whoIs reads who a request comes from. Where that fails, public pages are shown as to
// anybody and officers' pages say that something is wrong.
func (v *view) whoIs(r *http.Request) {
	s := v.server
	// What stands under an invitation is for the invited alone, also where it is an error.
	v.private = strings.HasPrefix(r.URL.Path, signInPath)
	if s.Office == nil {
		return
	}
	c, err := r.Cookie(s.Cookie)
	if err != nil {
		return // there is none
	}
	in, o, err := s.Office.SignIn(r.Context(), c.Value)
	switch {
	case err == nil:
		v.who, v.private = &officer{o, in}, true
	case notFound(err):
	case errors.Is(err, office.ErrEnded) || errors.Is(err, office.ErrExpired):
		v.ended = true
	default:
		v.whoErr = err
		if r.Context().Err() == nil {
			s.Log.Error("who has signed in cannot be read", "err", err)
		}
	}
}

// shortID is the beginning of an officer's id, for people.
func shortID(id record.ID) string { return id.String()[:8] }

// officerName is the officer's name in words without markup; without one, the
// beginning of the id.
func (v *view) officerName(o office.Officer) string {
	if o.Name != "" {
		return attr(o.Name)
	}
	return v.T("officer.unnamed", "id", shortID(o.ID))
}

// signInRoutes adds the pages by which people sign in and out.
//
// Nothing counts or slows attempts: a token is 256 random bits, so that guessing finds
// none, and a lock would let strangers keep officers out.
func (s *server) signInRoutes() {
	s.mux.HandleFunc("GET /signin", s.page(s.signInHelp))
	s.mux.HandleFunc("GET "+signInPath+"{token}", s.page(s.invitation))
	s.mux.HandleFunc("POST "+signInPath+"{token}", s.page(s.accept))
	s.mux.HandleFunc("POST /signout", s.page(s.signOut))
}

func (s *server) signInHelp(v *view, _ *http.Request) error {
	v.title, v.body = v.T("signin.title"), signInHelpBody(v)
	return nil
}

// invitationPage says who is invited, by whom and as what.
type invitationPage struct {
	office.Invitation
	officer office.Officer
	by      *office.Officer // nil: whoever runs the node
}

// invitation only shows: programs that look at links on the way must not use them up.
func (s *server) invitation(v *view, r *http.Request) error {
	inv, o, err := s.Office.Invitation(r.Context(), r.PathValue("token"))
	if err != nil {
		return invitationFault(err)
	}
	p := invitationPage{Invitation: inv, officer: o}
	if !inv.By.IsZero() {
		by, err := s.Office.Officer(r.Context(), inv.By)
		if err != nil {
			return err
		}
		p.by = &by
	}
	v.title, v.body = v.T("signin.title"), invitationBody(v, p)
	return nil
}

func (s *server) accept(v *view, r *http.Request) error {
	token, in, err := s.Office.Accept(r.Context(), r.PathValue("token"), device(r.UserAgent()))
	if err != nil {
		return invitationFault(err)
	}
	if v.who != nil {
		// The browser forgets the sign-in it had. If ending it fails it lapses by itself.
		if err := s.Office.End(r.Context(), v.who.signIn.ID, office.ByOfficer); err != nil {
			s.Log.Error("the sign-in before this one goes on", "err", err)
		}
	}
	v.cookies = append(v.cookies, s.cookie(token, int(in.Expires.Sub(in.Created).Seconds())))
	v.redirect("/desk")
	return nil
}

// invitationFault says why a link does not work.
func invitationFault(err error) error {
	switch {
	case notFound(err):
		return fault{status: http.StatusNotFound, key: "signin.unknown", err: err}
	case errors.Is(err, office.ErrUsed):
		return fault{status: http.StatusGone, key: "signin.used", err: err}
	case errors.Is(err, office.ErrVoid):
		return fault{status: http.StatusGone, key: "signin.void", err: err}
	case errors.Is(err, office.ErrExpired):
		return fault{status: http.StatusGone, key: "signin.expired", err: err}
	}
	return err
}

// cookie holds a sign-in's token, for age seconds; a negative age takes it away.
// SameSite is Lax and not Strict, so that a link to a page in a message finds the officer
// signed in; what changes anything is a POST, and what another site has chosen to ask is
// asked of the officer first.
func (s *server) cookie(token string, age int) *http.Cookie {
	return &http.Cookie{Name: s.Cookie, Value: token, Path: "/", MaxAge: age, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(s.BaseURL, "https:")}
}

// signOut ends this sign-in, or with all=1 every one of the officer. It needs no sign-in:
// who is out already gets what they asked for.
func (s *server) signOut(v *view, r *http.Request) error {
	if v.whoErr != nil {
		return v.whoErr
	}
	if v.who != nil {
		if err := parseForm(r); err != nil {
			return err
		}
		var err error
		if r.PostForm.Get("all") == "1" {
			_, err = s.Office.EndAll(r.Context(), v.who.ID, office.ByOfficer)
		} else {
			err = s.Office.End(r.Context(), v.who.signIn.ID, office.ByOfficer)
		}
		if err != nil {
			return err
		}
	}
	v.out()
	return nil
}

// out takes the cookie away and leads to what everybody may read.
func (v *view) out() {
	v.cookies = append(v.cookies, v.server.cookie("", -1))
	v.redirect("/")
}

// device is which browser on which system a request comes from, as far as it says so:
// enough for officers to tell their sign-ins apart.
func device(agent string) string {
	first := func(names ...string) string {
		for i := 0; i+1 < len(names); i += 2 {
			if strings.Contains(agent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	browser := first("Edg", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet", "Firefox/", "Firefox", "FxiOS/", "Firefox",
		"CriOS/", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := first("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "CrOS", "ChromeOS", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case browser == "":
		return agent // the book cuts it
	case system == "":
		return browser
	}
	return browser + ", " + system
}

// logged is the request's path for the log, without what is secret in it.
func logged(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, signInPath) {
		return signInPath + "..."
	}
	return r.URL.Path
}

func hours(d time.Duration) int { return int(d / time.Hour) }
func days(d time.Duration) int  { return int(d / (24 * time.Hour)) }
