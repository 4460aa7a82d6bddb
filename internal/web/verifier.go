// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"truceline/internal/assets"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/text"
)

// verifyTexts are what the page of the verifier says, and how it calls things.
type verifyTexts struct {
	Texts  map[string]string `json:"texts"`
	Fields map[string]string `json:"fields"` // labels of fields, by their paths without numbers
	Bundle string            `json:"bundle,omitempty"`
	Kinds  map[string]string `json:"kinds"`
	Order  []string          `json:"order"` // in which people read fields
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

// verifyTexts puts the messages of the verifier together. They are of the program, and of
// no mission.
func (v *view) verifyTexts() verifyTexts {
	t := verifyTexts{Texts: map[string]string{}, Fields: map[string]string{}, Kinds: map[string]string{}, Order: fieldOrder}
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
	return t
}

func (s *server) verifyPage(v *view, r *http.Request) error {
	t := v.verifyTexts()
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
	saved := ""
	if file, err := s.verifier(r, v.Locale); err == nil {
		sum := sha256.Sum256(file)
		saved = hex.EncodeToString(sum[:])
	} else if !errors.Is(err, assets.ErrMissing) {
		return err
	}
	v.body = verifyBody(v, of, string(b), saved)
	return nil
}

// saveVerifier sends the verifier as one file for the reader's disk.
func (s *server) saveVerifier(w http.ResponseWriter, r *http.Request) {
	l, _ := s.locale(r)
	b, err := s.verifier(r, l)
	if err != nil {
		if errors.Is(err, assets.ErrMissing) {
			err = fault{status: http.StatusServiceUnavailable, err: err}
		}
		s.failPlainly(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", l.Tag)
	h.Set("Content-Disposition", `attachment; filename="`+verifierFile(l)+`"`)
	h.Add("Vary", "Accept-Language")
	answer(w, r, http.StatusOK, b)
}

// verifierFile is what the saved verifier is called.
func verifierFile(l *text.Locale) string { return "truceline-verify-" + l.Tag + ".html" }

// verifier is the verifier as one page with everything in it, that asks no network for
// anything and runs from a disk. Nodes of one version of the program give the same bytes,
// whatever their mission, so that readers can compare what they were given.
func (s *server) verifier(r *http.Request, l *text.Locale) ([]byte, error) {
	if b, ok := s.verifiers.Load(l.Tag); ok {
		return b.([]byte), nil
	}
	v := &view{Locale: l, server: s}
	texts, err := json.Marshal(v.verifyTexts())
	if err != nil {
		return nil, err
	}
	script, err := s.static.Inline("verify.mjs")
	if err != nil {
		return nil, err
	}
	var style bytes.Buffer
	for _, name := range []string{"truceline.css", "public.css"} {
		b, err := s.static.Read(name)
		if err != nil {
			return nil, err
		}
		style.Write(b)
	}
	page := savedPage{texts: string(texts), script: string(script), style: style.String()}
	page.policy = "default-src 'none'; script-src " + sourceHash(page.script) + "; style-src " + sourceHash(page.style) + "; base-uri 'none'; form-action 'none'"
	var b bytes.Buffer
	if err := savedVerifier(v, page).Render(r.Context(), &b); err != nil {
		return nil, err
	}
	s.verifiers.Store(l.Tag, b.Bytes())
	return b.Bytes(), nil
}

// savedPage is what the saved verifier is made of.
type savedPage struct{ texts, script, style, policy string }

func (p savedPage) styles() templ.Component { return templ.Raw("<style>" + p.style + "</style>") }

func (p savedPage) scripts() templ.Component { return templ.Raw("<script>" + p.script + "</script>") }

// sourceHash names a script or a style in a content security policy by what it holds.
func sourceHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
