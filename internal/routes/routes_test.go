// SPDX-License-Identifier: Apache-2.0

package routes_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"truceline/internal/routes"
)

// TestPatterns: what stands behind another handler is in the list, and the request says
// which pattern answered it.
func TestPatterns(t *testing.T) {
	inner := routes.New()
	inner.HandleFunc("GET /in/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	outer := routes.New()
	outer.Handle("/in/", routes.Of(http.HandlerFunc(inner.ServeHTTP), inner))
	outer.HandleFunc("GET /well", func(http.ResponseWriter, *http.Request) {})
	if got, want := outer.Patterns(), []string{"GET /in/{id}", "GET /well"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	r, w := httptest.NewRequest("GET", "/in/7", nil), httptest.NewRecorder()
	outer.ServeHTTP(w, r)
	if w.Code != http.StatusTeapot || r.Pattern != "GET /in/{id}" {
		t.Errorf("status %d, pattern %q", w.Code, r.Pattern)
	}
}
