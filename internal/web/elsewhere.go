// SPDX-License-Identifier: Apache-2.0

package web

import "net/http"

// fromElsewhere tells whether a page of another site has chosen what is asked. The answers
// to an officer differ in length with what the record holds. Whoever watches the line and
// lets an officer's browser ask, from a page of theirs, for what they want to know, could
// read the record by that; so an officer is asked first.
func fromElsewhere(r *http.Request) bool {
	if r.URL.RawQuery == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false // what changes anything is refused before, and a plain address chooses no words
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	}
	return false
}

func (s *server) askFirst(v *view, _ *http.Request) error {
	v.title = v.T("elsewhere.title")
	v.body = elsewhereBody(v, v.link(v.path, v.query))
	return nil
}
