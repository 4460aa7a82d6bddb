// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/internal/routes"
	"truceline/record"
)

// leak is a node's pages with one fault put in: what stands before the answer.
type leak struct {
	name   string
	silent bool // it tells the silent history from the first, and not the loud one
	fault  func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request)
}

// spoilt answers as next does, and lets the answer be changed.
func spoilt(next http.Handler, w http.ResponseWriter, r *http.Request, change func(status int, h http.Header, body string) (int, string)) {
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, r)
	status, body := change(rec.Code, rec.Header(), rec.Body.String())
	for name, v := range rec.Header() {
		w.Header()[name] = v
	}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// keptOf is how many records of a kind the node's own tables have, and what the last of them
// is called.
func keptOf(n *node.Node) (incidents int, label string) {
	list, total, err := n.Projection.Incidents(context.Background(), projection.Filter{Limit: 50})
	if err == nil && len(list) > 0 {
		for _, in := range list {
			if strings.HasPrefix(in.Number, "M") {
				label = in.Label
			}
		}
	}
	return total, label
}

var planted = []leak{
	{name: "a count of what is not for everybody", silent: true, fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		total, _ := keptOf(n)
		w.Header().Set("X-Total", fmt.Sprint(total))
		next.ServeHTTP(w, r)
	}},
	{name: "the length of a label", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		_, label := keptOf(n)
		spoilt(next, w, r, func(status int, _ http.Header, body string) (int, string) {
			return status, body + strings.Repeat(" ", len(label))
		})
	}},
	{name: "a tag of what is not shown", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		_, label := keptOf(n)
		w.Header().Set("X-Tag", record.Digest{byte(len(label))}.String())
		next.ServeHTTP(w, r)
	}},
	{name: "another error for what is there", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		spoilt(next, w, r, func(status int, _ http.Header, body string) (int, string) {
			if id, err := record.ParseID(path.Base(r.URL.Path)); err == nil && status == http.StatusNotFound {
				if _, err := n.MembersLog().Index(r.Context(), id); err == nil {
					return http.StatusForbidden, body
				}
			}
			return status, body
		})
	}},
	{name: "the line of a record", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/log/records/") {
			b, _ := n.MembersLog().Read(r.Context(), strings.TrimPrefix(r.URL.Path, "/log/"))
			w.Write(b)
			return
		}
		next.ServeHTTP(w, r)
	}},
	{name: "what a search can choose from", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		spoilt(next, w, r, func(status int, _ http.Header, body string) (int, string) {
			if heard, err := n.Projection.Heard(r.Context()); err == nil && r.URL.Path == "/search" {
				body += strings.Join(heard.Carriers, " ")
			}
			return status, body
		})
	}},
	{name: "the commitment of a body", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		for e, err := range n.Store().Entries(r.Context(), 0, n.Head().Size) {
			env, err2 := record.ParseEnvelope(e.Envelope)
			if err != nil || err2 != nil {
				break
			}
			if st, err := env.Statement(); err == nil && st.Audience == record.AudienceMembers && st.Body != nil {
				w.Header().Set("X-Body", st.Body.Commitment.String())
			}
		}
		next.ServeHTTP(w, r)
	}},
}

// leaking is a site with a fault in it.
type leaking struct {
	routes.Lister
	node *node.Node
	leak
}

func (l leaking) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.fault(l.node, l.Lister, w, r) }

// leaks wants the comparison to find faults that are put in, each by itself: what is left
// out of it as what may differ hides none of them.
func leaks(t *testing.T, one, loud, silent *teller) {
	list := asks(newKnown(one, loud), false, everything)
	var few []ask
	for i, q := range list {
		if strings.HasPrefix(q.target, "/log/records/") || i%3 == 0 && (strings.HasPrefix(q.target, "/search") || strings.HasPrefix(q.target, "/record/") || q.target == "/about") {
			few = append(few, q)
		}
	}
	w := &watch{asked: map[string]bool{}}
	for _, l := range planted {
		y := loud
		if l.silent {
			y = silent
		}
		a, b := one.site(t, "NOR", io.Discard), beside(t, one, y, "NOR", false)
		a.Lister, b.site.Lister = leaking{a.Lister, one.node("NOR"), l}, leaking{b.site.Lister, y.node("NOR"), l}
		if len(w.compare(nil, few, a, b)) == 0 {
			t.Errorf("%s is not found", l.name)
		}
	}
	// Who may read it tells the histories apart.
	a, b := one.site(t, "NOR", io.Discard), beside(t, one, loud, "NOR", false)
	a, b.site = one.signIn(t, a, "NOR desk"), loud.signIn(t, b.site, "NOR desk")
	if found := w.compare(nil, few, a, b); len(found) < 10 {
		t.Errorf("an officer of NOR sees only %d differences", len(found))
	}
}
