// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/url"
	"strings"
	"testing"
)

// The links of a page to itself lead to this host and to the same page, whatever the
// address holds: a browser takes a backslash for a slash, and drops a tab.
func TestLinksToThePageItself(t *testing.T) {
	h := newHandler(t, newSource(t, "lakes"))
	for _, path := range []string{"/%5Cother.example/x", "/%09/other.example", "/incident/%5Cother.example", "/source/a%2Fb%3Fc%23d"} {
		found := 0
		for _, a := range parse(t, get(h, path).Body.String()).all("a") {
			href := a.attrs["href"]
			if a.attrs["hreflang"] == "" {
				continue
			}
			found++
			u, err := url.Parse(href)
			if err != nil || u.Host != "" || strings.ContainsAny(href, "\\\t") || u.EscapedPath() != path {
				t.Errorf("%s links to itself as %q", path, href)
			}
		}
		if found == 0 {
			t.Errorf("%s has no links to other languages", path)
		}
	}
}
