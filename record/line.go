// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Line is a record as it is served and exported: one canonical JSON object on a line
// of its own, with everything its reader may have. It holds the exact bytes of the
// envelope and of the body, which are canonical JSON themselves.
type Line struct {
	// Body is absent when the kind has none or this reader may not have it. It is a box
	// where Enc says so.
	Body json.RawMessage `json:"body,omitempty"`
	// BodySalt is the salt of the body's commitment. A box has it inside.
	BodySalt Digest `json:"body_salt,omitzero"`
	// Enc says how the body is given: EncPlain or EncBox. Absent without a body.
	Enc      string          `json:"enc,omitempty"`
	Envelope json.RawMessage `json:"envelope"`
	Index    int64           `json:"index"`
	LeafSalt Digest          `json:"leaf_salt"`
	LoggedAt int64           `json:"logged_at"` // the registry's clock, Unix milliseconds
}

// MaxLine bounds a line, in bytes.
const MaxLine = MaxBody + MaxEnvelope + 1024

// How a body is given.
const (
	EncPlain = "none" // as it is
	EncBox   = "box"  // encrypted for its audience: what stands there is a Box
)

// Encode writes the line, without a line feed.
func (l *Line) Encode() ([]byte, error) {
	// The parts are canonical; putting them together in key order is canonical too.
	var b bytes.Buffer
	b.WriteByte('{')
	if l.Body != nil {
		fmt.Fprintf(&b, `"body":%s,`, l.Body)
	}
	if !l.BodySalt.IsZero() {
		fmt.Fprintf(&b, `"body_salt":"%s",`, l.BodySalt)
	}
	if l.Enc != "" {
		fmt.Fprintf(&b, `"enc":"%s",`, l.Enc)
	}
	fmt.Fprintf(&b, `"envelope":%s,"index":%d,"leaf_salt":"%s","logged_at":%d}`, l.Envelope, l.Index, l.LeafSalt, l.LoggedAt)
	if _, err := ParseLine(b.Bytes()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ParseLine reads a line in its one spelling. It checks no commitment, no signature and no
// body or box.
func ParseLine(b []byte) (*Line, error) {
	if len(b) > MaxLine {
		return nil, fmt.Errorf("record line has %d bytes, more than %d", len(b), MaxLine)
	}
	l := new(Line)
	if err := DecodeStrict(b, l); err != nil {
		return nil, fmt.Errorf("record line: %w", err)
	}
	switch {
	case len(l.Envelope) == 0:
		return nil, fmt.Errorf("record line: the envelope is missing")
	case l.Index < 0 || l.LoggedAt < 0:
		return nil, fmt.Errorf("record line: index and logged_at are not negative")
	case (l.Body != nil) != (l.Enc == EncPlain || l.Enc == EncBox), !l.BodySalt.IsZero() != (l.Enc == EncPlain):
		return nil, fmt.Errorf("record line: body, body_salt and enc %q belong together, and so do body and enc %q", EncPlain, EncBox)
	}
	return l, nil
}
