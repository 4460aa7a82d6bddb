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
	// Body is absent when the kind has none or this reader may not have it.
	Body json.RawMessage `json:"body,omitempty"`
	// BodySalt is the salt of the body's commitment.
	BodySalt Digest `json:"body_salt,omitzero"`
	// Enc says how the body is given: "none" is plain. Absent without a body.
	Enc      string          `json:"enc,omitempty"`
	Envelope json.RawMessage `json:"envelope"`
	Index    int64           `json:"index"`
	LeafSalt Digest          `json:"leaf_salt"`
	LoggedAt int64           `json:"logged_at"` // the registry's clock, Unix milliseconds
}

// MaxLine bounds a line, in bytes.
const MaxLine = MaxBody + MaxEnvelope + 1024

// EncPlain marks a body that is given as it is.
const EncPlain = "none"

// Encode writes the line, without a line feed.
func (l *Line) Encode() ([]byte, error) {
	// The parts are canonical; putting them together in key order is canonical too.
	var b bytes.Buffer
	b.WriteByte('{')
	if l.Body != nil {
		fmt.Fprintf(&b, `"body":%s,"body_salt":"%s","enc":"%s",`, l.Body, l.BodySalt, l.Enc)
	}
	fmt.Fprintf(&b, `"envelope":%s,"index":%d,"leaf_salt":"%s","logged_at":%d}`, l.Envelope, l.Index, l.LeafSalt, l.LoggedAt)
	if _, err := ParseLine(b.Bytes()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ParseLine reads a line in its one spelling. It checks no commitment and no signature.
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
	case (l.Body != nil) != (l.Enc == EncPlain), (l.Body != nil) != !l.BodySalt.IsZero():
		return nil, fmt.Errorf("record line: body, body_salt and enc %q belong together", EncPlain)
	}
	return l, nil
}
