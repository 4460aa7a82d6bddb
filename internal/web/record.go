// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"truceline/bundle"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/record"
)

// recordPage is one signed record: what was signed, and the proof that it is there.
type recordPage struct {
	projection.Record
	line      line
	envelope  *record.Envelope
	statement *record.Statement
	proof     string
	about     []subjectView
	verify    string
	bundle    string              // what the file with its bundle is called
	check     string              // the command that checks it
	page      string              // where people read what the record says
	group     []projection.Record // filed with it as one act, itself among them
	undone    *projection.Record  // what undid it
	undo      bool                // the officer may undo it
	done      *doneView
	erasure   *node.Erasure // nil where nobody has had its body erased
	erase     bool          // the officer may have it erased
	bracket   *bracket      // nil where the pages do not know who watches the log
}

// line is one record as the ledger gives it out.
type line struct {
	Index    int64           `json:"index"`
	LoggedAt int64           `json:"logged_at"`
	LeafSalt string          `json:"leaf_salt"`
	Envelope json.RawMessage `json:"envelope"`
	Body     json.RawMessage `json:"body"`
	BodySalt string          `json:"body_salt"`
}

type subjectView struct {
	record.Subject
	path string // of the page that shows it
}

func (s *server) record(v *view, r *http.Request) error {
	ctx := r.Context()
	p := recordPage{}
	text := r.PathValue("id")
	id, err := record.ParseID(text)
	switch n, numErr := strconv.ParseInt(text, 10, 64); {
	case err == nil:
		p.Record, err = s.Source.Record(ctx, id)
	case numErr == nil && n >= 0 && strconv.FormatInt(n, 10) == text:
		p.Record, err = s.Source.RecordAt(ctx, n)
	default:
		return fault{status: http.StatusNotFound, key: "error.bad_record", args: []any{"id", text}}
	}
	if err != nil {
		return s.absent(err, "error.no_record", text)
	}
	raw, err := s.Ledger.Line(ctx, p.Index)
	if err != nil {
		return err
	}
	if err := p.read(raw); err != nil {
		return fmt.Errorf("record %d: %w", p.Index, err)
	}
	proof, err := s.Ledger.Proof(ctx, p.Index)
	if err != nil && !notFound(err) {
		return err
	}
	p.proof = string(proof)
	for _, sub := range p.Subjects {
		p.about = append(p.about, subjectView{sub, pageOf(sub.Role, sub.ID)})
	}
	p.page = recordShownAt(&p.Record)
	if err := s.stood(v, r, &p); err != nil {
		return err
	}
	if s.Erasure != nil {
		e, ok, err := s.Erasure(ctx, p.ID)
		if err != nil {
			return err
		}
		if ok {
			p.erasure = &e
		}
		p.erase = v.mayDo(ctx, "body.erase", p.ID)
	}
	if p.bracket, err = s.bracketOf(ctx, v, p.Index, p.ClaimedAt); err != nil {
		return err
	}
	p.verify = "truceline verify --log " + s.LogURL + " --key '" + s.LogVKey + "' --rules --record " + p.ID.String()
	p.bundle = "record-" + itoa(p.Index) + bundle.Suffix
	p.check = "truceline verify bundle " + p.bundle + " --key '" + s.LogVKey + "'"
	if p.bracket != nil && p.bracket.policy {
		p.check += " --policy policy.txt"
	}
	v.section, v.title = "ledger", v.T("record.title", "index", hash(p.Index))
	v.body = recordBody(v, p)
	return nil
}

// read takes the record apart. What cannot be read is an error here, because the
// ledger holds nothing malformed.
func (p *recordPage) read(raw []byte) error {
	if err := json.Unmarshal(raw, &p.line); err != nil {
		return fmt.Errorf("record line: %w", err)
	}
	var err error
	if p.line.Envelope, err = inner(p.line.Envelope); err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	if p.line.Body, err = inner(p.line.Body); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if p.envelope, err = record.ParseEnvelope(p.line.Envelope); err != nil {
		return err
	}
	p.statement, err = p.envelope.Statement()
	return err
}

// inner gives the bytes of a value that stands in the line as JSON, or as base64 of it.
func inner(m json.RawMessage) ([]byte, error) {
	if len(m) == 0 || string(m) == "null" {
		return nil, nil
	}
	if m[0] != '"' {
		return m, nil
	}
	var s string
	if err := json.Unmarshal(m, &s); err != nil {
		return nil, err
	}
	if strings.HasPrefix(s, "{") {
		return []byte(s), nil
	}
	return base64.StdEncoding.DecodeString(s)
}

// indented is JSON for reading; the bytes that were signed are the compact ones.
func indented(b []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return string(b)
	}
	return out.String()
}

// pageOf is where a subject is read; its record where it has no page of its own.
func pageOf(role record.Role, id record.ID) string {
	switch role {
	case record.RoleAccount:
		return "/account/" + id.String()
	case record.RoleIncident, record.RoleInto:
		return "/incident/" + id.String()
	}
	return "/record/" + id.String()
}

func recordShownAt(r *projection.Record) string {
	switch r.Kind {
	case record.AccountFiled:
		return "/account/" + r.ID.String()
	case record.IncidentOpened, record.NoticeFiled:
		return "/incident/" + r.ID.String()
	}
	for _, sub := range r.Subjects {
		if page := pageOf(sub.Role, sub.ID); !strings.HasPrefix(page, "/record/") {
			return page
		}
	}
	return ""
}
