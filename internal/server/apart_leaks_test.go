// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
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
	{name: "a count in a file", silent: true, fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		total, _ := keptOf(n)
		spoilt(next, w, r, func(status int, _ http.Header, body string) (int, string) {
			if strings.HasSuffix(r.URL.Path, ".csv") {
				body += fmt.Sprintf("incidents,%d\n", total)
			}
			return status, body
		})
	}},
	{name: "a count at an address of nodes", silent: true, fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		total, _ := keptOf(n)
		spoilt(next, w, r, func(status int, _ http.Header, body string) (int, string) {
			if r.URL.Path == "/peer/status" {
				body = strings.Replace(body, "{", fmt.Sprintf(`{"incidents":%d,`, total), 1)
			}
			return status, body
		})
	}},
	{name: "what an error says", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		spoilt(next, w, r, func(status int, _ http.Header, body string) (int, string) {
			if id, err := record.ParseID(path.Base(r.URL.Path)); err == nil && status == http.StatusNotFound {
				if _, err := n.MembersLog().Index(r.Context(), id); err == nil {
					body = strings.Replace(body, "no record", "none for you", 1)
				}
			}
			return status, body
		})
	}},
	{name: "a tag of more than is shown", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		_, label := keptOf(n)
		spoilt(next, w, r, func(status int, h http.Header, body string) (int, string) {
			if h.Get("ETag") != "" {
				sum := sha256.Sum256([]byte(body + label))
				h.Set("ETag", fmt.Sprintf(`W/"%x"`, sum[:12]))
			}
			return status, body
		})
	}},
	{name: "what has changed since", fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		_, label := keptOf(n)
		spoilt(next, w, r, func(status int, _ http.Header, body string) (int, string) {
			if status == http.StatusNotModified && strings.HasSuffix(label, more) {
				status = http.StatusOK
			}
			return status, body
		})
	}},
	{name: "a head alone", silent: true, fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		if total, _ := keptOf(n); r.Method == http.MethodHead {
			w.Header().Set("X-Total", fmt.Sprint(total))
		}
		next.ServeHTTP(w, r)
	}},
	{name: "what is compressed", silent: true, fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		total, _ := keptOf(n)
		spoilt(next, w, r, func(status int, h http.Header, body string) (int, string) {
			if h.Get("Content-Encoding") == "gzip" {
				var z bytes.Buffer
				gz := gzip.NewWriter(&z)
				fmt.Fprint(gz, total)
				gz.Close()
				body += z.String() // a second part, which readers join to the first
			}
			return status, body
		})
	}},
	{name: "the answer to a form", silent: true, fault: func(n *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		if total, _ := keptOf(n); r.Method == http.MethodPost {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: fmt.Sprint(total)})
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
	var few []ask
	seen := map[string]int{}
	for _, q := range asks(newKnown(one, loud), false, everything) {
		for _, of := range []string{"/log/records/", "/search", "/record/", "/about", "/statistics.csv", "/peer/status", "/signin/none"} {
			if seen[of]++; strings.HasPrefix(q.target, of) && (seen[of]%3 == 0 || of != "/search" && of != "/record/") {
				few = append(few, q)
			}
		}
	}
	w := &watch{asked: map[string]bool{}, well: map[string]bool{}}
	finds := func(a site, b other) bool {
		return slices.ContainsFunc(few, func(q ask) bool { return len(w.compare(nil, []ask{q}, a, b)) > 0 })
	}
	for _, l := range planted {
		y := loud
		if l.silent {
			y = silent
		}
		a, b := one.site(t, "NOR", io.Discard), beside(t, one, y, "NOR", false)
		a.Lister, b.site.Lister = leaking{a.Lister, one.node("NOR"), l}, leaking{b.site.Lister, y.node("NOR"), l}
		if !finds(a, b) {
			t.Errorf("%s is not found", l.name)
		}
	}
	// Who may read it tells the histories apart.
	a, b := one.site(t, "NOR", io.Discard), beside(t, one, loud, "NOR", false)
	a, b.site = one.signIn(t, a, "NOR desk"), loud.signIn(t, b.site, "NOR desk")
	if found := w.compare(nil, few, a, b); len(found) < 10 {
		t.Errorf("an officer of NOR sees only %d differences", len(found))
	}
	// What is for an officer may be kept nowhere on the way.
	a.Lister = leaking{a.Lister, one.node("NOR"), leak{fault: func(_ *node.Node, next http.Handler, w http.ResponseWriter, r *http.Request) {
		spoilt(next, w, r, func(status int, h http.Header, body string) (int, string) {
			h.Set("Cache-Control", "no-cache")
			return status, body
		})
	}}}
	if found := w.compare(nil, few[:1], a); len(found) != 1 {
		t.Errorf("an answer that may be kept on the way: %q", found)
	}
}
