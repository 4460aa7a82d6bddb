// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"truceline/ledger"
	"truceline/record"
)

// CarryVersion is the version of the carry file format that is written and read here.
const CarryVersion = 1

// Limits of a carry file, in bytes of what stands in one line.
const (
	// MaxEvidence bounds one piece of evidence, as large as a file of evidence may be.
	MaxEvidence = 2 << 20
	// maxActLine bounds the line of an act: its envelopes and bodies, and what joins them.
	maxActLine = MaxActBytes + MaxRecords*128
	// maxLine bounds every other line. The largest are evidence, and receipts, which hold a
	// checkpoint twice.
	maxLine = 4 << 20
)

// CarryHeader says where a carry file comes from.
type CarryHeader struct {
	From    string    // code of the member whose node made it
	MadeAt  int64     // that node's clock, Unix milliseconds
	Mission record.ID // all of the file is of this mission
	Origin  string    // of its log
	Size    int64     // how many entries of the ledger that node holds
}

// carryHeader is the header as its line spells it.
type carryHeader struct {
	From    string    `json:"from"`
	MadeAt  int64     `json:"made_at"`
	Mission record.ID `json:"mission"`
	Origin  string    `json:"origin"`
	Size    int64     `json:"size"`
	Version int       `json:"truceline_carry"`
}

func (h *CarryHeader) check() error {
	switch {
	case !record.ValidCode(h.From):
		return fmt.Errorf("from %.80q is not a code", h.From)
	case h.MadeAt < 0 || h.MadeAt > record.MaxInt:
		return fmt.Errorf("made_at %d is not Unix milliseconds", h.MadeAt)
	case h.Mission.IsZero():
		return errors.New("the mission is missing")
	case !record.ValidOrigin(h.Origin):
		return fmt.Errorf("origin %.80q is not a host and path without scheme and without a slash at the end", h.Origin)
	case h.Size < 0 || h.Size > record.MaxInt:
		return fmt.Errorf("size %d is no number of entries", h.Size)
	}
	return nil
}

// CarryKind says what a line of a carry file holds.
type CarryKind string

// The kinds of lines, but for the first and the last.
const (
	CarryAct          CarryKind = "act"
	CarryCheckpoint   CarryKind = "checkpoint"
	CarryCosignatures CarryKind = "cosignatures"
	CarryRecord       CarryKind = "record"
	CarryReceipt      CarryKind = "receipt"
	CarryRefusal      CarryKind = "refusal"
	CarryEvidence     CarryKind = "evidence"
)

// CarryItem is one line of a carry file: its kind, and the one field of that kind. Nothing
// in it is verified but its form.
type CarryItem struct {
	Kind CarryKind
	// Act is what waits to be admitted as one. Where a statement is of a later version than
	// this program knows, its ID and Kind are empty; it can be handed on all the same.
	Act []Submission
	// Checkpoint is a signed checkpoint.
	Checkpoint []byte
	// Cosignatures is a checkpoint as a note that carries only cosignatures; the signature of
	// the log is elsewhere.
	Cosignatures []byte
	// Record is a record of the ledger. Records come in ascending order of their index, which
	// is below the Size of the header.
	Record *record.Line
	// Receipt is one of a record of an act, without what says that it is witnessed.
	Receipt *Receipt
	// Refusal is a signed refusal, a DSSE envelope.
	Refusal []byte
	// Evidence is a canonical JSON object; see docs/formats/evidence.md.
	Evidence []byte
}

// The two fields of a line that are structures of their own. A body is as deep in carried as
// it is in a record line, so that what may stand in one may stand in the other.
type (
	carried struct {
		Body     json.RawMessage `json:"body,omitempty"`
		BodySalt record.Digest   `json:"body_salt,omitzero"`
		Envelope json.RawMessage `json:"envelope"`
	}
	carriedReceipt struct {
		Checkpoint string        `json:"checkpoint"`
		ID         record.ID     `json:"id"`
		Index      int64         `json:"index"`
		LeafSalt   record.Digest `json:"leaf_salt"`
		LoggedAt   int64         `json:"logged_at"`
		Proof      string        `json:"proof,omitempty"`
	}
)

// encode writes what stands in the line under the item's kind.
func (item *CarryItem) encode() ([]byte, error) {
	if n := item.fields(); n != 1 {
		return nil, fmt.Errorf("a line holds one thing, not %d", n)
	}
	switch item.Kind {
	case CarryAct:
		return encodeAct(item.Act)
	case CarryCheckpoint:
		return record.Canonical(string(item.Checkpoint))
	case CarryCosignatures:
		return record.Canonical(string(item.Cosignatures))
	case CarryRecord:
		if item.Record == nil {
			break
		}
		return item.Record.Encode()
	case CarryReceipt:
		r := item.Receipt
		if r == nil {
			break
		}
		if r.WitnessedAt != 0 || r.Witnesses != nil {
			return nil, errors.New("a receipt travels without what says that it is witnessed: whoever gets it looks for themselves")
		}
		return record.Canonical(carriedReceipt{string(r.Checkpoint), r.ID, r.Index, record.Digest(r.LeafSalt), r.LoggedAt, string(r.Proof)})
	case CarryRefusal:
		return item.Refusal, nil
	case CarryEvidence:
		return item.Evidence, nil
	}
	return nil, fmt.Errorf("there is no line of the kind %.40q, or it is empty", item.Kind)
}

// fields counts what is there.
func (item *CarryItem) fields() (n int) {
	for _, there := range []bool{item.Act != nil, item.Checkpoint != nil, item.Cosignatures != nil, item.Record != nil, item.Receipt != nil, item.Refusal != nil, item.Evidence != nil} {
		if there {
			n++
		}
	}
	return n
}

func encodeAct(records []Submission) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, s := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		if s.Body != nil {
			fmt.Fprintf(&b, `"body":%s,`, s.Body)
			if s.BodySalt != (ledger.Salt{}) { // else it is in its box
				fmt.Fprintf(&b, `"body_salt":"%s",`, record.Digest(s.BodySalt))
			}
		}
		fmt.Fprintf(&b, `"envelope":%s}`, s.Envelope)
		if b.Len() > maxActLine {
			return nil, fmt.Errorf("the act has more than %d bytes: %w; divide it", maxActLine, ErrLimit)
		}
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

// parseItem reads what stands in a line under a kind, in its one spelling. It keeps no
// reference to b. header is that of the file.
func parseItem(kind CarryKind, b []byte, header *CarryHeader) (item CarryItem, err error) {
	item.Kind = kind
	switch kind {
	case CarryAct:
		item.Act, err = parseAct(b)
	case CarryCheckpoint, CarryCosignatures:
		var text string
		if err = record.DecodeStrict(b, &text); err != nil {
			break
		}
		if _, err = signedHead([]byte(text), header); err != nil {
			break
		}
		if kind == CarryCheckpoint {
			item.Checkpoint = []byte(text)
		} else {
			item.Cosignatures = []byte(text)
		}
	case CarryRecord:
		if item.Record, err = record.ParseLine(b); err != nil {
			break
		}
		if item.Record.Index >= header.Size {
			err = fmt.Errorf("its index is %d, and whoever made the file holds %d entries", item.Record.Index, header.Size)
		} else if item.Record.Body != nil {
			// What else is wrong with a record is for whoever verifies it.
			if st, bad := statementIn(item.Record.Envelope); bad == nil && st.Kind.Own() {
				err = errOwn
			}
		}
	case CarryReceipt:
		item.Receipt, err = parseReceipt(b, header)
	case CarryRefusal:
		_, err = parseRefusal(b)
		item.Refusal = bytes.Clone(b)
	case CarryEvidence:
		switch {
		case len(b) > MaxEvidence:
			err = fmt.Errorf("it has %d bytes, more than %d", len(b), MaxEvidence)
		case len(b) == 0 || b[0] != '{':
			err = errors.New("it is not a JSON object")
		default:
			err = record.CheckCanonical(b)
		}
		item.Evidence = bytes.Clone(b)
	default:
		return item, fmt.Errorf("version %d has no line of the kind %.40q", CarryVersion, kind)
	}
	if err != nil {
		return CarryItem{}, fmt.Errorf("%s: %w", kind, err)
	}
	return item, nil
}

// signedHead reads a note of the file's log, without looking at its signatures.
func signedHead(signed []byte, header *CarryHeader) (ledger.Checkpoint, error) {
	c, err := head(signed)
	if err == nil && c.Origin != header.Origin {
		err = fmt.Errorf("it is of the log %.80q, the file of %s", c.Origin, header.Origin)
	}
	return c, err
}

func parseAct(b []byte) (out []Submission, err error) {
	elements, err := split(b)
	if err != nil {
		return nil, err
	}
	size := 0
	seen := make(map[record.ID]bool, len(elements))
	for i, e := range elements {
		var c carried
		if err := record.DecodeStrict(e, &c); err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		if c.Body == nil && !c.BodySalt.IsZero() {
			return nil, fmt.Errorf("record %d: body and body_salt belong together", i)
		}
		if size += len(c.Body) + len(c.Envelope); size > MaxActBytes || len(c.Body) > record.MaxBody {
			return nil, fmt.Errorf("record %d: the act or the body is larger than it may be: %w", i, ErrLimit)
		}
		s := Submission{Envelope: c.Envelope, Body: c.Body, BodySalt: ledger.Salt(c.BodySalt)}
		st, err := statementIn(c.Envelope)
		switch {
		case errors.As(err, new(*record.UpdateError)):
			out = append(out, s)
			continue
		case err != nil:
			return nil, fmt.Errorf("record %d: %w", i, err)
		case st.Kind.Own() && c.Body != nil:
			return nil, fmt.Errorf("record %d: %w", i, errOwn)
		case c.Body != nil && st.Boxed() != c.BodySalt.IsZero():
			return nil, fmt.Errorf("record %d: body and body_salt belong together, but for a body in its box", i)
		case seen[st.ID]:
			return nil, fmt.Errorf("record %d: %s is in the act twice", i, st.ID)
		}
		s.ID, s.Kind = st.ID, st.Kind
		seen[s.ID] = true
		out = append(out, s)
	}
	return out, nil
}

var errOwn = errors.New("the body is its member's own and never leaves its node")

func statementIn(envelope []byte) (*record.Statement, error) {
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	return e.Statement()
}

// split finds the elements of a JSON array of 1 to MaxRecords objects. It looks at brackets
// and strings only; whoever reads the elements finds what else is wrong.
func split(b []byte) (out [][]byte, err error) {
	bad := errors.New("it is not an array of objects")
	if len(b) < 2 || b[0] != '[' || b[len(b)-1] != ']' {
		return nil, bad
	}
	b = b[1 : len(b)-1]
	start, depth, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == ',' && depth == 0 && !quoted:
			if out = append(out, b[start:i]); len(out) == MaxRecords {
				return nil, fmt.Errorf("it has more than %d records: %w", MaxRecords, ErrLimit)
			}
			start = i + 1
		case quoted && b[i] == '\\':
			i++ // what is escaped is not looked at
		case b[i] == '"':
			quoted = !quoted
		case quoted:
		case b[i] == '{' || b[i] == '[':
			depth++
		case b[i] == '}' || b[i] == ']':
			depth--
		}
	}
	return append(out, b[start:]), nil
}

func parseReceipt(b []byte, header *CarryHeader) (*Receipt, error) {
	var c carriedReceipt
	if err := record.DecodeStrict(b, &c); err != nil {
		return nil, err
	}
	r := &Receipt{ID: c.ID, Index: c.Index, LoggedAt: c.LoggedAt, LeafSalt: ledger.Salt(c.LeafSalt), Checkpoint: []byte(c.Checkpoint)}
	h, err := signedHead(r.Checkpoint, header)
	if err != nil {
		return nil, err
	}
	switch {
	case r.ID.IsZero() || r.LeafSalt == (ledger.Salt{}):
		return nil, errors.New("the id or the salt of the leaf is missing")
	case r.LoggedAt < 0:
		return nil, fmt.Errorf("logged_at %d is no time", r.LoggedAt)
	case r.Index < 0 || r.Index >= h.Size:
		return nil, fmt.Errorf("index %d is not in a tree of %d entries", r.Index, h.Size)
	}
	if c.Proof != "" {
		r.Proof = []byte(c.Proof)
		p, err := ledger.ParseTLogProof(r.Proof)
		if err != nil {
			return nil, err
		}
		if _, err := signedHead(p.Checkpoint, header); err != nil {
			return nil, err
		}
		if p.Index != r.Index {
			return nil, fmt.Errorf("its proof is of index %d, not %d", p.Index, r.Index)
		}
	}
	return r, nil
}
