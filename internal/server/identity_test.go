// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
)

// TestIdentityOnThePages: an officer files whose account it is, and nothing shows the name
// again but a reading that is filed first, once.
func TestIdentityOnThePages(t *testing.T) {
	const name = "Exercise Witness Quill"
	b := newBrowser(t, func(n *node.Node) intake.Door { return n }, office.RoleDesk, office.RoleOperations)
	account := nodetest.MustFile(t, b.node, nodetest.Account(b.node, "Spokesman", 3)).String()
	if err := b.node.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	post := func(path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return b.send(r)
	}
	token := func(path string) string {
		t.Helper()
		w := b.send(httptest.NewRequest("GET", path, nil))
		m := regexp.MustCompile(`name="form" value="([0-9a-f]{32})"`).FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusOK || m == nil {
			t.Fatalf("GET %s: %d, no token", path, w.Code)
		}
		return m[1]
	}
	shown := []string{"/account/" + account, "/identities", "/ledger", "/desk", "/search?q=Quill", "/accounts?unlinked=1", "/"}
	nowhere := func(when string) {
		t.Helper()
		for _, path := range shown {
			w := b.send(httptest.NewRequest("GET", path, nil))
			if w.Code != http.StatusOK || strings.Contains(w.Body.String(), name) || strings.Contains(w.Body.String(), "at the mill") {
				t.Errorf("%s, %s: %d, it names the person: %t", when, path, w.Code, strings.Contains(w.Body.String(), name))
			}
		}
	}

	if page := b.page("/account/" + account); !strings.Contains(page, "File an identity apart") || strings.Contains(page, "Identities kept apart") {
		t.Errorf("before any is filed: %s", page)
	}
	form := url.Values{"account": {account}, "form": {token("/do/identity.file?account=" + account)}, "custodian": {nodetest.Desk(b.node)}, "person_role": {"witness"},
		"person": {name}, "second": {"1979"}, "contact": {"at the mill"}, "languages": {"en, ur"}, "next": {"/account/" + account}}
	if w := post("/do/identity.file", without(form, "second")); w.Code != http.StatusUnprocessableEntity || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("without a second mark: %d, %q", w.Code, w.Header().Get("Cache-Control"))
	}
	b.post("/do/identity.file", form)
	if w := post("/do/identity.file", form); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("the same form files twice: %d", w.Code)
	}
	list, err := b.node.Identities(t.Context(), b.node.Everybody(nodetest.Desk(b.node)), [16]byte{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d identities, %v", len(list), err)
	}
	id := list[0].ID.String()
	shown = append(shown, "/record/"+id, "/do/identity.read?identity="+id)
	nowhere("filed")
	if page := b.page("/account/" + account); !strings.Contains(page, "Identities kept apart") || !strings.Contains(page, "Witness") || !strings.Contains(page, "Read the identity") || strings.Contains(page, "Ask for the identity") {
		t.Errorf("on the account: %s", page)
	}

	read := url.Values{"identity": {id}, "form": {token("/do/identity.read?identity=" + id)}, "reason": {"to call the witness"}}
	if w := post("/do/identity.read", without(read, "reason")); w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), name) {
		t.Errorf("read without a reason: %d", w.Code)
	}
	size := b.node.Head().Size
	w := post("/do/identity.read", read)
	if page := words(w.Body.String()); w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" || !strings.Contains(page, name) || !strings.Contains(page, "at the mill") {
		t.Errorf("read: %d, %s", w.Code, page)
	}
	if b.node.Head().Size <= size {
		t.Error("nothing was filed before it was shown")
	}
	if w := post("/do/identity.read", read); w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), name) {
		t.Errorf("the same form reads twice: %d", w.Code)
	}
	nowhere("read")
	if page := b.page("/identities"); !strings.Contains(page, "read it") || !strings.Contains(page, "to call the witness") || strings.Contains(page, "Show it now") {
		t.Errorf("what was read: %s", page)
	}
	list, _ = b.node.Identities(t.Context(), b.node.Everybody(nodetest.Desk(b.node)), [16]byte{})
	if w := post("/identities/show", url.Values{"reading": {list[0].Readings[0].ID.String()}}); w.Code != http.StatusConflict || strings.Contains(w.Body.String(), name) {
		t.Errorf("shown again: %d", w.Code)
	}
	for _, path := range []string{"/identities", "/do/identity.read?identity=" + id, "/do/identity.file?account=" + account} {
		w := httptest.NewRecorder()
		b.pages.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code == http.StatusOK && strings.Contains(w.Body.String(), id) {
			t.Errorf("who has not signed in gets %s", path)
		}
	}
	w2 := httptest.NewRecorder()
	b.pages.ServeHTTP(w2, httptest.NewRequest("GET", "/account/"+account, nil))
	if w2.Code != http.StatusOK || strings.Contains(w2.Body.String(), "identit") {
		t.Errorf("who has not signed in learns of it: %d", w2.Code)
	}
}

func without(form url.Values, name string) url.Values {
	out := url.Values{}
	for k, v := range form {
		if k != name {
			out[k] = slices.Clone(v)
		}
	}
	return out
}
