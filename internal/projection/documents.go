// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// maxDocuments is how many documents one question finds at most.
const maxDocuments = 5

// Documents finds the documents in the record that have the address, or the title as
// text.Fold writes it, those with the address first and then the newest; at most five.
// Addresses are compared without what changes nothing: the scheme, a fragment, a slash at
// the end, and marks by which links are followed. A document is found by its title once an
// account was told in it.
func (d *DB) Documents(ctx context.Context, address, title string) ([]Report, error) {
	fail := func(err error) ([]Report, error) { return nil, wrap("find a document", err) }
	byAddress, err := d.withAddress(ctx, address)
	if err != nil {
		return fail(err)
	}
	byTitle, err := d.withTitle(ctx, title)
	if err != nil {
		return fail(err)
	}
	newest := func(list []Report) {
		slices.SortFunc(list, func(a, b Report) int { return int(b.Index - a.Index) })
	}
	newest(byAddress)
	newest(byTitle)
	out := byAddress
	for _, r := range byTitle {
		if !slices.ContainsFunc(out, func(x Report) bool { return x.ID == r.ID }) {
			out = append(out, r)
		}
	}
	return out[:min(len(out), maxDocuments)], nil
}

func (d *DB) withAddress(ctx context.Context, address string) ([]Report, error) {
	spellings := Addresses(address)
	if len(spellings) == 0 {
		return nil, nil
	}
	args := make([]any, len(spellings))
	for i, s := range spellings {
		args[i] = s
	}
	ids, err := column[[]byte](ctx, d.read, `SELECT id FROM reports WHERE counted AND json_extract(body, '$.url') IN (?`+strings.Repeat(",?", len(args)-1)+`)
		ORDER BY idx DESC LIMIT `+strconv.Itoa(maxDocuments), args...)
	if err != nil {
		return nil, err
	}
	return d.reports(ctx, ids)
}

func (d *DB) withTitle(ctx context.Context, title string) (out []Report, err error) {
	folded := text.Fold(title)
	if folded == "" {
		return nil, nil
	}
	// Folded words hold letters and digits alone, so that nothing in them ends the quotes.
	ids, err := column[[]byte](ctx, d.read, `SELECT DISTINCT v.report FROM search JOIN records r ON r.idx = search.rowid JOIN versions v ON v.statement = r.id
		WHERE search MATCH ? ORDER BY search.rowid DESC LIMIT 50`, `"`+folded+`"`)
	if err != nil {
		return nil, err
	}
	list, err := d.reports(ctx, ids)
	for _, r := range list {
		if text.Fold(r.Body.Title) == folded {
			out = append(out, r)
		}
	}
	return out, err
}

// reports reads documents that count; ids of others are passed over.
func (d *DB) reports(ctx context.Context, ids [][]byte) (out []Report, err error) {
	for _, b := range ids {
		if record.ID(b).IsZero() {
			continue
		}
		r, err := d.Report(ctx, record.ID(b))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Addresses are the spellings of an address on the web under which a document is looked
// for; none for what is no address.
func Addresses(address string) (out []string) {
	plain := PlainAddress(address)
	if plain == "" {
		return nil
	}
	add := func(s string) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(strings.TrimSpace(address))
	for _, scheme := range []string{"https://", "http://"} {
		for _, www := range []string{"", "www."} {
			add(scheme + www + plain)
			if !strings.Contains(plain, "?") {
				add(scheme + www + plain + "/")
			}
		}
	}
	return out
}

// PlainAddress is what tells an address on the web from another: host and path, and what
// of its query is no mark of how the link was come by. Empty for what is no address.
func PlainAddress(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	var kept []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(part, "=")
		if part != "" && !strings.HasPrefix(name, "utm_") && !slices.Contains(marks, name) {
			kept = append(kept, part)
		}
	}
	out := strings.TrimPrefix(strings.ToLower(u.Host), "www.") + strings.TrimSuffix(u.EscapedPath(), "/")
	if len(kept) > 0 {
		out += "?" + strings.Join(kept, "&")
	}
	return out
}

// marks are parts of a query that say how a link was come by, and not what it leads to.
var marks = []string{"fbclid", "gclid", "igshid", "mc_cid", "mc_eid", "ref_src"}

// Near says around what to look for statements.
type Near struct {
	Claimants    []string // exact names
	Since, Until when.Date
	Documents    []record.ID
	Limit        int // of each question; needed
}

// Around lists accounts that were said by one of the claimants, or by anybody, between two
// days, and those told in one of the documents, the withdrawn left out; each once.
func (d *DB) Around(ctx context.Context, n Near) (out []Account, err error) {
	fail := func(err error) ([]Account, error) { return nil, wrap("look for statements around", err) }
	var list []Account
	for _, id := range n.Documents {
		r, err := d.Report(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return fail(err)
		}
		for _, id := range r.Accounts[max(0, len(r.Accounts)-n.Limit):] {
			a, err := d.Account(ctx, id)
			if err != nil {
				return fail(err)
			}
			list = append(list, a)
		}
	}
	questions := []Search{{SaidSince: n.Since, SaidUntil: n.Until, Limit: n.Limit}}
	for _, name := range n.Claimants {
		// Also those without a day, as none is asked for.
		questions = append(questions, Search{Claimant: name, Limit: n.Limit}, Search{Claimant: name, SaidSince: n.Since, SaidUntil: n.Until, Limit: n.Limit})
	}
	for _, q := range questions {
		if q.SaidSince == "" && q.Claimant == "" {
			continue
		}
		found, err := d.Search(ctx, q)
		if err != nil {
			return fail(err)
		}
		for _, h := range found.Hits {
			list = append(list, h.Account)
		}
	}
	for _, a := range list {
		if a.State != "withdrawn" && !slices.ContainsFunc(out, func(x Account) bool { return x.ID == a.ID }) {
			out = append(out, a)
		}
	}
	return out, nil
}
