// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"truceline/bundle"
	"truceline/internal/projection"
	"truceline/record"
)

// Releases are what was shown of records that not everybody may read. Their methods are
// safe for concurrent use.
type Releases interface {
	// Releases lists those for everybody, the newest first, and tells how many there are.
	Releases(ctx context.Context, limit, offset int) (list []projection.Release, total int, err error)
	// Release is the one of a release.made; ErrNotFound where there is none to be read.
	Release(ctx context.Context, id record.ID) (projection.Release, error)
}

// releasesOnPage is how many releases a page lists.
const releasesOnPage = 50

func (s *server) publicRoutes(page func(string, func(*view, *http.Request) error)) {
	page("/public", s.releases)
	page("/public/verify", s.verifyPage)
	s.mux.HandleFunc("GET /public/verify/save", s.saveVerifier)
	page("/public/{id}", s.release)
	if s.Bundle != nil {
		s.mux.HandleFunc("GET /public/{id}/bundle", s.releaseBundle)
	}
}

// everybody is the source of what everybody may read, whoever asks.
func (s *server) everybody() Source {
	if s.Public != nil {
		return s.Public()
	}
	return s.Source
}

// releasesPage is the list of what was released.
type releasesPage struct {
	list  []publishedView
	total int
	page  int
	areas []record.Area // that any of the list shows
	key   keyShown
}

// publishedView is a release as its page shows it.
type publishedView struct {
	projection.Release
	shown    []releasedView
	replies  []releasedView
	replaces *projection.Release // that it took the place of, if it may be read
	by       *projection.Release // that took its place
	changes  []releasedChange    // from the one that it replaces
	file     string              // what its bundle is called
	bundled  bool
	logKey   string
	key      keyShown
	areas    []record.Area // that it shows
}

func (s *server) releases(v *view, r *http.Request) error {
	n, err := pageNumber(v.query, "page")
	if err != nil {
		return err
	}
	list, total, err := s.everybody().Releases(r.Context(), releasesOnPage, (n-1)*releasesOnPage)
	if err != nil {
		return err
	}
	var out []publishedView
	for _, x := range list {
		rv := publishedView{Release: x}
		rv.read(v)
		if !x.ReplacedBy.IsZero() {
			if by, err := s.everybody().Release(r.Context(), x.ReplacedBy); err == nil {
				rv.by = &by
			}
		}
		out = append(out, rv)
	}
	v.sheets = append(v.sheets, "public.css")
	v.section, v.title = "public", v.T("public.title")
	p := releasesPage{list: out, total: total, page: n}
	for i := range list {
		p.areas = append(p.areas, shownAreas(list[i].Body)...)
	}
	p.areas = distinct(p.areas)
	if p.key, err = s.keyShown(r.Context(), v); err != nil {
		return err
	}
	v.withMap = len(p.areas) > 0
	v.body = releaseList(v, p)
	return nil
}

// publicRelease finds a release for everybody.
func (s *server) publicRelease(ctx context.Context, id string) (projection.Release, error) {
	key, err := record.ParseID(id)
	if err != nil {
		return projection.Release{}, ErrNotFound
	}
	x, err := s.everybody().Release(ctx, key)
	if err == nil && x.Audience != record.AudiencePublic {
		err = ErrNotFound
	}
	return x, err
}

func (s *server) release(v *view, r *http.Request) error {
	ctx := r.Context()
	x, err := s.publicRelease(ctx, r.PathValue("id"))
	if err != nil {
		return s.absent(err, "public.none_such", r.PathValue("id"))
	}
	p := publishedView{Release: x, file: releaseFile(&x), bundled: s.Bundle != nil, logKey: s.LogVKey}
	p.read(v)
	p.areas = shownAreas(x.Body)
	if p.key, err = s.keyShown(ctx, v); err != nil {
		return err
	}
	if !x.Replaces.IsZero() {
		if old, err := s.publicRelease(ctx, x.Replaces.String()); err == nil {
			p.replaces = &old
			p.changes = v.changesOf(old.Body, x.Body)
		} else if !notFound(err) {
			return err
		}
	}
	if !x.ReplacedBy.IsZero() {
		if by, err := s.publicRelease(ctx, x.ReplacedBy.String()); err == nil {
			p.by = &by
		} else if !notFound(err) {
			return err
		}
	}
	v.sheets = append(v.sheets, "public.css")
	v.section, v.title, v.withMap = "public", attr(x.Number)+" · "+attr(x.Title), len(p.areas) > 0
	v.body = releaseBody(v, p)
	return nil
}

// releaseFile is what the file with a release's bundle is called.
func releaseFile(x *projection.Release) string {
	return "release-" + strings.ReplaceAll(x.Number, "/", "-") + bundle.Suffix
}

func (s *server) releaseBundle(w http.ResponseWriter, r *http.Request) {
	x, err := s.publicRelease(r.Context(), r.PathValue("id"))
	if err == nil {
		var b []byte
		if b, err = s.Bundle(r.Context(), x.Index); err == nil {
			w.Header().Set("Content-Disposition", `attachment; filename="`+releaseFile(&x)+`"`)
			s.sendJSON(w, r, b)
			return
		}
	}
	s.failPlainly(w, r, err)
}

// opened is the statement in an envelope that a release shows.
func opened(d *record.Disclosure) *record.Statement {
	b, err := base64.StdEncoding.DecodeString(d.Envelope)
	if err != nil {
		return nil
	}
	e, err := record.ParseEnvelope(b)
	if err != nil {
		return nil
	}
	st, err := e.Statement()
	if err != nil {
		return nil
	}
	return st
}
