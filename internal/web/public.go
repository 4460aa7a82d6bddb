// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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
	print    string // of the log's key
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
	v.body = releaseList(v, out, total, n)
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
	p := publishedView{Release: x, file: releaseFile(&x), bundled: s.Bundle != nil, logKey: s.LogVKey, print: fingerprint(s.LogVKey)}
	p.read(v)
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
	v.section, v.title = "public", attr(x.Number)+" · "+attr(x.Title)
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

// fingerprint is a short form of a key that people can compare: the first 16 bytes of
// SHA-256 of its text, in hexadecimal, by fours.
func fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	h := hex.EncodeToString(sum[:16])
	var out []string
	for i := 0; i < len(h); i += 4 {
		out = append(out, h[i:i+4])
	}
	return strings.Join(out, " ")
}

// verifyTexts are what the page of the verifier says, and how it calls things.
type verifyTexts struct {
	Texts  map[string]string `json:"texts"`
	Fields map[string]string `json:"fields"` // labels of fields, by their paths without numbers
	Bundle string            `json:"bundle,omitempty"`
	Kinds  map[string]string `json:"kinds"`
}

// verifyKeys are the messages of the verifier. In each, {x} stands for a value.
var verifyKeys = []string{"verify.ok", "verify.ok.own", "verify.failed", "verify.incomplete", "verify.update", "verify.working", "verify.unreadable", "verify.layer.good", "verify.layer.failed", "verify.layer.gap", "verify.layer.not_reached",
	"verify.rests.given", "verify.rests.file", "verify.rests.policy_given", "verify.rests.policy_file", "verify.rests.rules_file", "verify.rests.witnesses", "verify.rests.rules", "verify.bad_key",
	"verify.layer.file", "verify.layer.head", "verify.layer.leaf", "verify.layer.envelope", "verify.layer.body", "verify.layer.release", "verify.layer.witness", "verify.layer.rule", "verify.layer.time",
	"verify.wrong.file", "verify.wrong.head", "verify.wrong.head.key", "verify.wrong.leaf", "verify.wrong.envelope", "verify.wrong.body", "verify.wrong.witness", "verify.wrong.rule", "verify.wrong.time",
	"verify.wrong.release.leaf", "verify.wrong.release.envelope", "verify.wrong.release.commitments", "verify.wrong.release.field", "verify.wrong.release.signature", "verify.wrong.release.whole",
	"verify.gap.witness", "verify.gap.rule", "verify.gap.release", "verify.gap.other", "verify.shown.record", "verify.shown.reply", "verify.release.is", "verify.no_release", "verify.times", "verify.exact", "verify.exercise", "verify.instead", "verify.since"}

// placeholders are the values that messages of the verifier take.
var placeholders = []any{"index", "{index}", "field", "{field}", "member", "{member}", "at", "{at}", "key", "{key}", "size", "{size}", "names", "{names}", "number", "{number}"}

func (s *server) verifyPage(v *view, r *http.Request) error {
	t := verifyTexts{Texts: map[string]string{}, Fields: map[string]string{}, Kinds: map[string]string{}}
	for _, k := range verifyKeys {
		t.Texts[strings.TrimPrefix(k, "verify.")] = v.T(k, placeholders...)
	}
	for path, key := range fieldLabels {
		t.Fields[path] = v.T(key)
	}
	t.Fields["claims"] = v.T("form.claim", "n", "{n}")
	for _, k := range record.Kinds() {
		t.Kinds[string(k)] = v.code("record_kind", string(k))
	}
	var of *projection.Release
	if id := v.query.Get("id"); id != "" && s.Bundle != nil {
		x, err := s.publicRelease(r.Context(), id)
		if err != nil {
			return s.absent(err, "public.none_such", id)
		}
		of, t.Bundle = &x, "/public/"+x.ID.String()+"/bundle"
	}
	v.sheets = append(v.sheets, "public.css")
	v.section, v.title = "public", v.T("verify.title")
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	v.body = verifyBody(v, of, string(b))
	return nil
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
