// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"truceline/internal/projection"
	"truceline/when"
)

// byClaimant opens a value of "who" that names one claimant; party codes hold no colon.
const byClaimant = "by:"

// pageSize is how many incidents one list of a page holds.
const pageSize = 50

// maxLetters is how many letters can be looked for.
const maxLetters = 200

// filter is what the address asks to see, in the words of the form.
type filter struct {
	What, Where  []string
	Who          []string
	Since, Until string
	Text         string
	Page         int                 // from 1
	Pages        [len(pageNames)]int // the same for each list of a page with several
}

// pageNames are the parameters that say which page of each list is shown: of incidents,
// of agreements and talks, of totals.
var pageNames = [...]string{"page", "page_agreement", "page_aggregate"}

// filterError is a fault in what the address asks for.
func filterError(key string, args ...any) error {
	return fault{status: http.StatusBadRequest, key: key, args: args}
}

// parseFilter reads the form. Nothing that is asked for is passed over in silence:
// an unknown type, place or party is an error, because a list that looks complete
// and is not would mislead.
func parseFilter(v *view) (filter, projection.Filter, error) {
	q := v.query
	f := filter{What: values(q, "what"), Where: values(q, "where"), Who: values(q, "who"),
		Since: first(q, "since"), Until: first(q, "until"), Text: first(q, "q")}
	p := projection.Filter{Text: f.Text, Limit: pageSize}
	for _, c := range f.What {
		if _, ok := v.names.types[c]; !ok {
			return f, p, filterError("filter.bad_what", "value", c)
		}
		p.Type = append(p.Type, c)
	}
	for _, c := range f.Where {
		if v.names.places[c] == nil {
			return f, p, filterError("filter.bad_where", "value", c)
		}
		p.Place = append(p.Place, c)
	}
	for _, c := range f.Who {
		name, ok := strings.CutPrefix(c, byClaimant)
		switch {
		case ok && p.Claimant == "" && name != "":
			p.Claimant = name
		case ok:
			return f, p, filterError("filter.bad_claimants")
		case c == "other" || v.names.parties[c] != nil:
			p.Party = append(p.Party, c)
		default:
			return f, p, filterError("filter.bad_who", "value", c)
		}
	}
	if utf8.RuneCountInString(f.Text) > maxLetters || len(projection.Words(f.Text)) > projection.MaxWords {
		return f, p, filterError("filter.bad_text")
	}
	var err error
	if p.Since, err = when.ParseDate(f.Since); err != nil {
		return f, p, filterError("filter.bad_date", "value", f.Since)
	}
	if p.Until, err = when.ParseDate(f.Until); err != nil {
		return f, p, filterError("filter.bad_date", "value", f.Until)
	}
	if p.Since != "" && p.Until != "" && p.Until.Last().Before(p.Since.First()) {
		return f, p, filterError("filter.bad_order", "since", string(p.Since), "until", string(p.Until))
	}
	for i, name := range pageNames {
		if f.Pages[i], err = pageNumber(q, name); err != nil {
			return f, p, err
		}
	}
	f.Page = f.Pages[0]
	p.Offset = (f.Page - 1) * pageSize
	return f, p, nil
}

// pageNumber reads the number of a page; 1 where there is none.
func pageNumber(q url.Values, name string) (int, error) {
	s := first(q, name)
	if s == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, filterError("filter.bad_page", "value", s)
	}
	return n, nil
}

// query writes f as an address does, pages left out.
func (f filter) query() url.Values {
	q := url.Values{}
	add := func(name string, values ...string) {
		for _, x := range values {
			if x != "" {
				q.Add(name, x)
			}
		}
	}
	add("what", f.What...)
	add("where", f.Where...)
	add("who", f.Who...)
	add("since", f.Since)
	add("until", f.Until)
	add("q", f.Text)
	return q
}

func (f filter) active() bool { return len(f.query()) > 0 }

func values(q url.Values, name string) []string {
	var out []string
	seen := map[string]bool{} // said twice is said once: pages repeat what is asked in every link
	for _, s := range q[name] {
		if s = strings.TrimSpace(s); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func first(q url.Values, name string) string {
	if list := values(q, name); len(list) > 0 {
		return list[0]
	}
	return ""
}
