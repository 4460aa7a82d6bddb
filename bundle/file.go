// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/record"
)

// Version is the version of the form that this package writes and reads.
const Version = 1

// Suffix is how the names of files with bundles customarily end.
const Suffix = ".truceline-bundle.json"

// Limits of version 1.
const (
	MaxFile    = 16 << 20 // bytes of a file
	MaxRecords = 4096     // records beside the one that a bundle is about
)

// ofRecord is what version 1 knows a bundle to be of.
const ofRecord = "record"

// file is a bundle as it is written.
type file struct {
	After   *beside  `json:"after,omitempty"`
	Before  *beside  `json:"before,omitempty"`
	Bundle  string   `json:"bundle"` // ofRecord
	LogKey  string   `json:"log_key"`
	Record  proven   `json:"record"`
	Records []placed `json:"records,omitempty"`
	// Released are, of a release, the RFC 6962 audit paths of the records that it shows, in
	// the order of its body, to the same head.
	Released [][]string `json:"released,omitempty"`
	V        int        `json:"v"`
}

// proven is the record that the bundle is about: its line without the line feed, and its
// C2SP tlog-proof, which ends with the head that everything is proved against.
type proven struct {
	Line  string `json:"line"`
	Proof string `json:"proof"`
}

// placed is another record, and the RFC 6962 audit path from it to the same head.
type placed struct {
	Hashes []string `json:"hashes"`
	Line   string   `json:"line"`
}

// beside is another head, and the RFC 6962 consistency proof from it to the head that
// everything is proved against.
type beside struct {
	Consistency []string `json:"consistency,omitempty"`
	Head        string   `json:"head"`
}

// laterError says that a file follows a later version of the form.
type laterError struct{ what string }

func (e *laterError) Error() string { return e.what }

// parsed is a bundle of which every part has its form.
type parsed struct {
	*file
	log     note.Verifier
	proof   ledger.TLogProof
	index   int64   // of the record it is about
	records []*item // all of them, and those that the record shows, in order of index
	released
}

// parse reads a bundle in its one spelling. Nothing is proved by it.
func parse(b []byte) (*parsed, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("it has %d bytes, and no bundle has more than %d", len(b), MaxFile)
	}
	f := new(file)
	err := record.DecodeStrict(b, f)
	if later := laterFile(b); later != nil {
		return nil, later
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is no bundle in its one spelling: %w", err)
	case f.V != Version || f.Bundle != ofRecord:
		return nil, fmt.Errorf("v is %d and bundle %.40q, not %d and %q", f.V, f.Bundle, Version, ofRecord)
	case len(f.Records) > MaxRecords:
		return nil, fmt.Errorf("it holds %d records beside its own, and no bundle more than %d", len(f.Records), MaxRecords)
	}
	p := &parsed{file: f}
	if p.log, err = ledger.NewVerifier(f.LogKey); err != nil {
		return nil, fmt.Errorf("log_key: %w", err)
	}
	if !record.ValidOrigin(p.log.Name()) {
		return nil, fmt.Errorf("log_key: %.300q is not what a log is named", p.log.Name())
	}
	return p, p.parts()
}

// parts reads the lines and proofs.
func (p *parsed) parts() error {
	own, err := record.ParseLine([]byte(p.Record.Line))
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if p.proof, err = ledger.ParseTLogProof([]byte(p.Record.Proof)); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if len(p.proof.Extra) > 0 || p.proof.Index != own.Index {
		return fmt.Errorf("record: the proof is of index %d and the line of %d, or the proof has an extra line", p.proof.Index, own.Index)
	}
	lines := strings.SplitN(string(p.proof.Checkpoint), "\n", 3) // three, for the proof has its form
	if size, err := strconv.ParseInt(lines[1], 10, 64); err != nil || size > record.MaxInt {
		return fmt.Errorf("record: the head has %.40s records, and no log has so many", lines[1])
	}
	p.index = own.Index
	its := &item{line: own, path: p.proof.Hashes, own: true}
	last := int64(-1)
	for i, r := range p.Records {
		line, err := record.ParseLine([]byte(r.Line))
		if err != nil {
			return fmt.Errorf("records, %d: %w", i, err)
		}
		if line.Index <= last || line.Index == own.Index {
			return fmt.Errorf("records, %d: index %d is out of order, or that of the record itself", i, line.Index)
		}
		last = line.Index
		path, err := parseHashes(r.Hashes)
		if err != nil || len(path) == 0 {
			return fmt.Errorf("records, %d: hashes are not 1 to %d hashes in their one spelling", i, ledger.MaxProofHashes)
		}
		if its != nil && own.Index < line.Index {
			p.records, its = append(p.records, its), nil
		}
		p.records = append(p.records, &item{line: line, path: path})
	}
	if its != nil {
		p.records = append(p.records, its)
	}
	if p.records[0].line.Index != 0 {
		return errors.New("records: record 0 is not there")
	}
	if err := p.takeReleased(own); err != nil {
		return err
	}
	for i, x := range []*beside{p.Before, p.After} {
		if x == nil {
			continue
		}
		if _, err := parseHashes(x.Consistency); err != nil {
			return fmt.Errorf("%s: consistency: %w", []string{"before", "after"}[i], err)
		}
	}
	return nil
}

// laterFile tells whether b is a bundle of a later version, or of something that is not
// known here; nil if not.
func laterFile(b []byte) error {
	var all map[string]json.RawMessage
	var v int64
	var of string
	if record.CheckCanonical(b) != nil || json.Unmarshal(b, &all) != nil || json.Unmarshal(all["bundle"], &of) != nil || json.Unmarshal(all["v"], &v) != nil {
		return nil
	}
	switch {
	case v < 1 || !record.ValidCode(of):
		return nil
	case v > Version:
		return &laterError{fmt.Sprintf("a bundle of version %d", v)}
	case of != ofRecord:
		return &laterError{fmt.Sprintf("a bundle of a %s", of)}
	}
	return nil
}

// encode writes the file.
func (f *file) encode() ([]byte, error) {
	f.V, f.Bundle = Version, ofRecord
	b, err := record.Canonical(f)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxFile || len(f.Records) > MaxRecords {
		return nil, fmt.Errorf("it would have %d bytes and %d records beside its own; no bundle has more than %d and %d", len(b), len(f.Records), MaxFile, MaxRecords)
	}
	return b, nil
}

// parseHashes reads hashes in base64, each in its one spelling.
func parseHashes(list []string) ([]tlog.Hash, error) {
	if len(list) > ledger.MaxProofHashes {
		return nil, fmt.Errorf("there are %d hashes, and no proof has more than %d", len(list), ledger.MaxProofHashes)
	}
	var out []tlog.Hash
	for i, s := range list {
		h, err := tlog.ParseHash(s)
		if err != nil || h.String() != s {
			return nil, fmt.Errorf("hash %d is not one in its one spelling", i)
		}
		out = append(out, h)
	}
	return out, nil
}

func formatHashes(hashes []tlog.Hash) []string {
	var out []string
	for _, h := range hashes {
		out = append(out, h.String())
	}
	return out
}
