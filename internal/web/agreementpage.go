// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
)

// agreementPage is one version of the agreement: everybody's names and every code with
// what it means.
type agreementPage struct {
	pack     *agreement.Pack
	names    *names // of that version
	version  int    // that is shown; 0 where no record of it is known
	force    int    // that is in force
	versions []adoptedVersion
	key      keyShown // of the log and its witnesses, by the version in force
}

// adoptedVersion is one version and the records that brought it.
type adoptedVersion struct {
	version int
	parts   int
	digest  record.Digest
	records []projection.Record
	at      int64 // the last part was logged, Unix ms
	whole   bool
}

func (s *server) agreement(v *view, r *http.Request) error {
	ctx := r.Context()
	p := agreementPage{pack: v.pack, names: v.names}
	records, err := s.Source.Adoptions(ctx)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if err := s.addPart(r, &p, rec); err != nil {
			return err
		}
	}
	for _, x := range p.versions {
		if x.whole {
			p.force = max(p.force, x.version)
		}
	}
	p.version = p.force
	if t := first(v.query, "version"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 {
			return filterError("agreement.bad_version", "value", t)
		}
		if n != p.force {
			if p.pack, err = s.Source.PackVersion(ctx, n); err != nil {
				return s.absent(err, "agreement.no_version", t)
			}
			p.version, p.names = n, newNames(p.pack, v.Tag)
		}
	}
	if p.key, err = s.keyShown(ctx, v); err != nil {
		return err
	}
	v.section, v.title, v.sheets = "agreement", v.T("nav.agreement"), []string{"analysis.css"}
	v.body = agreementBody(v, p)
	return nil
}

// addPart reads what a record says: which part of which version it is. A first part
// begins its version anew.
func (s *server) addPart(r *http.Request, p *agreementPage, rec projection.Record) error {
	raw, err := s.Ledger.Line(r.Context(), rec.Index)
	if err != nil {
		return err
	}
	line := recordPage{Record: rec}
	if err := line.read(raw); err != nil {
		return fmt.Errorf("record %d: %w", rec.Index, err)
	}
	body, err := record.ParseBody(record.AgreementAdopted, line.line.Body)
	if err != nil {
		return fmt.Errorf("record %d: %w", rec.Index, err)
	}
	b := body.(*record.Adoption)
	n := len(p.versions)
	if n == 0 || b.Part == 1 {
		p.versions = append(p.versions, adoptedVersion{version: b.Version, parts: b.Parts, digest: b.SHA256})
		n++
	}
	x := &p.versions[n-1]
	x.records, x.at = append(x.records, rec), rec.LoggedAt
	x.whole = b.Part == b.Parts
	return nil
}

// anchor is the id of a term on the page, so that a link can lead to it.
func anchor(list, code string) string { return list + "-" + code }

// termPath is the address of a term of the agreement.
func termPath(list, code string) string { return "/agreement#" + anchor(list, code) }

// languagesOf lists the languages that a text has, the reader's own first.
func (v *view) languagesOf(t agreement.Text) []string {
	out := slices.Sorted(maps.Keys(t))
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(v.foreign(a), v.foreign(b)) })
	return slices.DeleteFunc(out, func(l string) bool { return t[l] == "" })
}

// foreign ranks languages: the reader's, English, others.
func (v *view) foreign(lang string) int {
	switch lang {
	case v.Tag:
		return 0
	case "en":
		return 1
	}
	return 2
}

func (n *names) grade(c string) string     { return n.in(terms(n.pack.Grades)[c], c) }
func (n *names) placeKind(c string) string { return n.in(terms(n.pack.PlaceKinds)[c], c) }
