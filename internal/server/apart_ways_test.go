// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"regexp"
	"strings"
)

// named is what addresses name: ids, indexes, hashes.
var named = regexp.MustCompile(`[0-9][0-9a-f]*|[0-9a-f]{8,}`)

// also are other ways to ask some of what is asked: for the head alone, compressed, with the
// tag of what one has already, for a part.
func also(list []ask) (out []ask) {
	seen := map[string]int{}
	for _, q := range list {
		path, _, _ := strings.Cut(q.target, "?")
		like := named.ReplaceAllString(path, "%")
		if seen[like]++; seen[like] > 4 || q.method != http.MethodGet {
			continue
		}
		switch seen[like] {
		case 1:
			q.again = true
		case 2:
			q.header = http.Header{"Accept-Encoding": {"gzip"}}
		case 3:
			q.method = http.MethodHead
		case 4:
			q.header = http.Header{"Range": {"bytes=0-9"}}
		}
		out = append(out, q)
	}
	return out
}

// strays are questions that no page answers.
func strays(k *known) (out []ask) {
	for _, id := range some(k.ids, 20) {
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPost} {
			out = append(out, ask{method: method, target: "/record/" + id})
		}
		out = append(out, ask{method: http.MethodPost, target: "/log/record/" + id}, ask{method: http.MethodOptions, target: "/log/record/" + id})
		out = append(out, gets("/record/"+id+"/more", "/record/../account/"+id, "/incident/"+id+"/", "//record/"+id, "/"+id)...)
		for _, line := range []string{"x", "SUD " + id + " 1 x"} { // of no member
			out = append(out, ask{method: http.MethodGet, target: "/log/record/" + id, header: http.Header{"Truceline-Reader": {line}}})
		}
	}
	return append(out, gets("/none", "/favicon.ico", "/robots.txt", "/log", "/log/", "/peer/none", "/witness/", "/public/none/bundle")...)
}

// signedAsks are what a member's node asks of the log.
func signedAsks(k *known, member string) (out []ask) {
	for _, pattern := range []string{"GET /log/record/{id}", "GET /log/{path...}", "GET /log/proof/{index}", "GET /log/bundle/{id}"} {
		for _, q := range machines[pattern](k) {
			q.reader = member
			out = append(out, q)
		}
	}
	return out
}

// refused are the patterns of which all that is asked here is refused: there is nothing in
// the histories that they could show, or do.
var refused = []string{
	"POST /do/{act}", "POST /queue/{account}/link", "POST /queue/{account}/open", "POST /queue/{account}/aside", "POST /queue/{account}/later", "POST /incident/{id}/merge", "POST /incident/{id}/split",
	"POST /account/{id}/amend", "POST /release/new", "POST /identities/show", // what is filed makes histories differ
	"POST /officers/{id}/end", "POST /officers/{id}/erase", "POST /officers/{id}/leave", "POST /officers/{id}/link", "POST /officers/end", "POST /officers/invite", "POST /signin/{token}", "GET /signin/{token}",
	"POST /lists/rename", "POST /lists/delete", "GET /statement/draft/{id}", // of these only none and others' are asked for
	"GET /copy/{sha256}", "GET /imports/{id}", "GET /imports/{id}/bad-rows.csv", "GET /imports/{id}/flagged-rows.csv", "POST /imports", "POST /imports/{id}/run", "POST /imports/{id}/cancel", "POST /imports/{id}/delete",
	"GET /outbox/{id}/refusal", "POST /outbox/{id}/aside", // nothing was refused
	"POST /peer/attest", "POST /peer/cosignatures", "POST /peer/join", "POST /peer/submit", "POST /witness/add-checkpoint", // nobody has signed it
	"GET /assets/",
}
