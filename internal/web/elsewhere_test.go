// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestFromElsewhere: what a page of another site lets an officer's browser ask is answered
// with nothing of the record, the same whatever is found, and with a way to go on.
func TestFromElsewhere(t *testing.T) {
	s := newSite(t, nil)
	get := func(path, from, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Sec-Fetch-Site", from)
		if token != "" {
			r.AddCookie(&http.Cookie{Name: "truceline_signin", Value: token})
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	token := s.office.cookies["reader"]
	found, none := "/search?q=school", "/search?q=hcsool"
	a, b := get(found, "cross-site", token), get(none, "cross-site", token)
	says(t, "asked from elsewhere", a, http.StatusOK, "A page of another site led here")
	if !strings.Contains(a.Body.String(), `<a class="primary" href="`+found+`">`) {
		t.Error("there is no way to go on")
	}
	if x := strings.ReplaceAll(a.Body.String(), "school", "hcsool"); x != b.Body.String() {
		t.Error("what is found shows in the answer to another site's question")
	}
	if a.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("it may be kept: %q", a.Header().Get("Cache-Control"))
	}
	if w := get(found, "same-site", token); w.Body.String() != a.Body.String() {
		t.Error("another site of the same domain may ask")
	}
	for what, w := range map[string]*httptest.ResponseRecorder{
		"from our own page": get(found, "same-origin", token), "typed": get(found, "none", token), "of everybody": get(found, "cross-site", ""),
		"a plain link": get("/search", "cross-site", token),
	} {
		if strings.Contains(w.Body.String(), "A page of another site led here") || w.Code != http.StatusOK {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
}

// TestSaidTwiceIsSaidOnce: an address that says the same very often makes no answer that is
// very much longer than itself.
func TestSaidTwiceIsSaidOnce(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"/?", "/search?", "/accounts?"} {
		once, often := httptest.NewRecorder(), httptest.NewRecorder()
		s.ServeHTTP(once, httptest.NewRequest(http.MethodGet, path+"who=other", nil))
		s.ServeHTTP(often, httptest.NewRequest(http.MethodGet, path+strings.Repeat("who=other&", 2000), nil))
		// The links to the page in other languages repeat the address.
		if once.Code != http.StatusOK || often.Code != http.StatusOK || often.Body.Len() > once.Body.Len()+10*2000*len("who=other&amp;") {
			t.Errorf("%s: %d bytes, and %d where it is said 2000 times", path, once.Body.Len(), often.Body.Len())
		}
	}
}
