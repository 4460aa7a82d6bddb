// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/a-h/templ"

	"truceline/agreement"
	"truceline/internal/outbox"
	"truceline/internal/projection"
	"truceline/text"
)

// view is what one request's page is made with.
type view struct {
	*text.Locale
	names *names

	server  *server
	path    string
	query   url.Values
	asked   string // the language named in the address; empty where it was not
	counts  projection.Counts
	pack    *agreement.Pack
	now     time.Time
	status  int
	body    templ.Component
	title   string   // of the page, in words of the catalogue or isolated data
	section string   // which part of the navigation the page belongs to
	withMap bool     // the page loads the map's script
	sheets  []string // style sheets of the page's own
	refresh int      // seconds after which a browser loads the page anew; 0: never

	standing *Standing    // of this node among the others; nil where it has none
	waiting  int          // acts in the outbox that wait; for officers alone
	pending  []outbox.Act // those of them that are about what the page shows

	who      *officer       // the officer who has signed in; nil for anybody else
	whoErr   error          // why it is not known who has signed in
	ended    bool           // the reader had signed in, and that has ended
	private  bool           // no browser may keep the answer; so for every page of an officer
	location string         // where the answer leads; empty for a page
	cookies  []*http.Cookie // to set
}

// fault is an error with an answer of its own for the reader.
type fault struct {
	status int
	key    string // of the message that says what is wrong; empty for the status' own
	args   []any
	err    error
}

func (f fault) Error() string {
	if f.err != nil {
		return f.err.Error()
	}
	return http.StatusText(f.status) + " " + f.key
}

func (f fault) Unwrap() error { return f.err }

// page runs h between what all pages share.
func (s *server) page(h func(*view, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := s.view(r)
		if err == nil {
			err = v.readable()
		}
		if err == nil {
			err = h(v, r)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.send(w, r, v)
	}
}

func (s *server) view(r *http.Request) (*view, error) {
	v := &view{server: s, path: r.URL.EscapedPath(), query: r.URL.Query(), now: s.Clock(), status: http.StatusOK}
	v.Locale, v.asked = s.locale(r)
	v.whoIs(r)
	err := v.stand(r.Context())
	if err != nil {
		return nil, err
	}
	if v.pack, err = s.Source.Pack(r.Context()); err != nil {
		if notFound(err) {
			err = fault{status: http.StatusServiceUnavailable, key: "error.no_agreement", err: err}
		}
		return nil, err
	}
	if v.counts, err = s.Source.Counts(r.Context()); err != nil {
		return nil, err
	}
	v.names = newNames(v.pack, v.Tag)
	return v, nil
}

// locale is what the address names, else what the browser prefers.
func (s *server) locale(r *http.Request) (*text.Locale, string) {
	asked := r.URL.Query().Get("lang")
	if l, ok := s.texts.Exact(asked); ok {
		return l, asked
	}
	return s.texts.Match(r.Header.Get("Accept-Language")), ""
}

func (s *server) send(w http.ResponseWriter, r *http.Request, v *view) {
	for _, c := range v.cookies {
		http.SetCookie(w, c)
	}
	if s.Office != nil {
		w.Header().Add("Vary", "Cookie")
	}
	if v.location != "" {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, v.location, http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := layout(v).Render(r.Context(), &b); err != nil {
		if r.Context().Err() == nil {
			s.Log.Error("render page", "path", logged(r), "err", err)
		}
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Tag)
	w.Header().Add("Vary", "Accept-Language")
	if v.private {
		sendPrivate(w, v.status, b.Bytes())
		return
	}
	answer(w, r, v.status, b.Bytes())
}

// sendPrivate sends what is for one reader alone: nothing on the way may keep it, and
// it has no tag by which another reader's copy could be taken for it.
func sendPrivate(w http.ResponseWriter, status int, b []byte) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(b); err != nil {
		return // the reader is gone
	}
}

// sendFile sends content that is no page: an officer's as what is for one reader alone.
func (v *view) sendFile(w http.ResponseWriter, r *http.Request, b []byte) {
	if v.server.Office != nil {
		w.Header().Add("Vary", "Cookie")
	}
	if v.private {
		sendPrivate(w, http.StatusOK, b)
		return
	}
	answer(w, r, http.StatusOK, b)
}

// sendJSON sends what is the same for every reader.
func (s *server) sendJSON(w http.ResponseWriter, r *http.Request, b []byte) {
	w.Header().Set("Content-Type", "application/json")
	answer(w, r, http.StatusOK, b)
}

// answer sends content that a browser may keep but asks about each time.
func answer(w http.ResponseWriter, r *http.Request, status int, b []byte) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if status == http.StatusOK {
		sum := sha256.Sum256(b)
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
		h.Set("ETag", tag)
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.WriteHeader(status)
	if _, err := w.Write(b); err != nil {
		return // the reader is gone
	}
}

// readable refuses an address whose parameters are no text.
func (v *view) readable() error {
	for name, list := range v.query {
		for _, s := range append(list, name) {
			if !utf8.ValidString(s) {
				return filterError("filter.not_text")
			}
		}
	}
	return nil
}

// faultOf is what the reader is told of an error; ok is false where the reader is gone.
func (s *server) faultOf(r *http.Request, err error) (f fault, ok bool) {
	if !errors.As(err, &f) {
		f = fault{status: http.StatusInternalServerError, err: err}
		if notFound(err) {
			f.status = http.StatusNotFound
		}
	}
	if f.status == http.StatusInternalServerError {
		if r.Context().Err() != nil {
			return f, false
		}
		s.Log.Error("page failed", "path", logged(r), "err", err)
	}
	return f, true
}

// failPlainly answers for a file: what is wrong, in one line of the reader's language.
func (s *server) failPlainly(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := s.faultOf(r, err)
	if !ok {
		return
	}
	l, _ := s.locale(r)
	key := f.key
	if key == "" {
		key = statusKey(f.status)
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Language", l.Tag)
	h.Add("Vary", "Accept-Language")
	sendPrivate(w, f.status, []byte(l.T(key, f.args...)+"\n"))
}

// fail answers with an error page in the reader's language.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := s.faultOf(r, err)
	if !ok {
		return
	}
	v, err := s.view(r)
	if err != nil {
		// Without the record there is still a page to say so.
		l, asked := s.locale(r)
		v = &view{Locale: l, asked: asked, server: s, path: r.URL.EscapedPath(), query: r.URL.Query(), now: s.Clock()}
		v.private = true
		_ = v.stand(r.Context()) // whose node this is shows also where nothing else does
	}
	v.status, v.section, v.location = f.status, "", ""
	if f.status == http.StatusUnauthorized {
		// HTTP wants a scheme named; browsers pass over one that they do not know.
		w.Header().Set("WWW-Authenticate", "Invitation")
	}
	v.title = v.T(statusKey(f.status))
	v.body = errorPage(v, f)
	s.send(w, r, v)
}

func statusKey(status int) string {
	switch status {
	case http.StatusNotFound:
		return "error.404.title"
	case http.StatusBadRequest:
		return "error.400.title"
	case http.StatusUnauthorized:
		return "error.401.title"
	case http.StatusForbidden:
		return "error.403.title"
	case http.StatusMethodNotAllowed:
		return "error.405.title"
	case http.StatusConflict:
		return "error.409.title"
	case http.StatusGone:
		return "error.410.title"
	case http.StatusRequestEntityTooLarge:
		return "error.413.title"
	case http.StatusServiceUnavailable:
		return "error.503.title"
	}
	return "error.500.title"
}

func notFound(err error) bool {
	var n interface{ NotFound() bool }
	return errors.Is(err, ErrNotFound) || errors.Is(err, projection.ErrNotFound) || errors.As(err, &n) && n.NotFound()
}

// to is a link to another page of ours, in the language that this one was asked for.
func (v *view) to(path string, params ...string) templ.SafeURL {
	q := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		if params[i+1] != "" {
			q.Add(params[i], params[i+1])
		}
	}
	return v.link(path, q)
}

func (v *view) link(path string, q url.Values) templ.SafeURL {
	if v.asked != "" {
		q.Set("lang", v.asked)
	}
	path, anchor, _ := strings.Cut(path, "#")
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	if anchor != "" {
		path += "#" + anchor
	}
	return templ.SafeURL(path)
}

// inLanguage is this page in another language.
func (v *view) inLanguage(tag string) templ.SafeURL {
	q := url.Values{}
	for k, values := range v.query {
		q[k] = values
	}
	q.Set("lang", tag)
	return templ.SafeURL(v.path + "?" + q.Encode())
}

// languages lists the choice of languages.
func (v *view) languages() []*text.Locale {
	var out []*text.Locale
	for _, tag := range v.server.texts.Tags() {
		l, _ := v.server.texts.Exact(tag)
		out = append(out, l)
	}
	if v.Tag == text.Pseudo { // offered to nobody who did not ask for it by name
		l, _ := v.server.texts.Exact(text.Pseudo)
		out = append(out, l)
	}
	return out
}

// headTitle is what a browser's tab shows.
func (v *view) headTitle() string {
	t := v.title
	if name := v.nodeName(); name != "" {
		t += " · " + name
	}
	if v.names != nil {
		t += " · " + attr(v.names.title())
	}
	return t + " · " + v.T("brand")
}
