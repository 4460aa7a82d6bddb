// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"

	"truceline/record"
)

// File is an agreement as written by people: the pack, strictly read, and the
// clauses, kept as they are for a later version to act on.
type File struct {
	Agreement int             `json:"agreement"` // format of the file: 1
	Pack      *Pack           `json:"pack"`
	Terms     json.RawMessage `json:"terms,omitempty"`
}

// MaxFile is the largest agreement file that is read, in bytes.
const MaxFile = 16 << 20

// Load reads an agreement file. Unknown fields are an error: a misspelt word must
// not silently mean nothing.
func Load(r io.Reader) (*File, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read agreement: %w", err)
	}
	if len(b) > MaxFile {
		return nil, fmt.Errorf("read agreement: the file is larger than %d bytes", MaxFile)
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	f := new(File)
	if err := dec.Decode(f); err != nil {
		return nil, fmt.Errorf("read agreement: byte %d: %w", dec.InputOffset(), err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("read agreement: something follows the agreement at byte %d", dec.InputOffset())
	}
	if f.Agreement != 1 || f.Pack == nil {
		return nil, fmt.Errorf("read agreement: it needs \"agreement\": 1 and a \"pack\"")
	}
	if err := f.Pack.Validate(); err != nil {
		return nil, fmt.Errorf("agreement: %w", err)
	}
	if _, err := f.Pack.Digest(); err != nil { // texts that no record can hold
		return nil, fmt.Errorf("agreement: %w", err)
	}
	return f, nil
}

// Parts divides p into bodies of agreement.adopted that each fit a record: the
// first holds everything but the places, the others the places and then the place
// strings, in order.
func (p *Pack) Parts(version int) ([]*record.Adoption, error) {
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	const room = record.MaxBody - 1024
	first := *p
	first.Places, first.PlaceStrings = nil, nil
	head, err := record.Canonical(first)
	if err != nil {
		return nil, fmt.Errorf("agreement: %w", err)
	}
	if len(head) > room {
		return nil, fmt.Errorf("agreement: without its places the pack has %d bytes, more than %d: shorten its texts", len(head), room)
	}
	bodies := []json.RawMessage{head}
	var rest placesPart
	size := 0
	flush := func() error {
		if size == 0 {
			return nil
		}
		b, err := record.Canonical(rest)
		bodies, rest, size = append(bodies, b), placesPart{}, 0
		return err
	}
	take := func(v any, add func()) error {
		b, err := record.Canonical(v)
		if err != nil {
			return err
		}
		if len(b) > room {
			return fmt.Errorf("it has %d bytes, more than %d", len(b), room)
		}
		if size+len(b) > room {
			if err := flush(); err != nil {
				return err
			}
		}
		size += len(b) + 1
		add()
		return nil
	}
	for _, x := range p.Places {
		if err := take(x, func() { rest.Places = append(rest.Places, x) }); err != nil {
			return nil, fmt.Errorf("agreement: place %s: %w", x.Code, err)
		}
	}
	for _, x := range p.PlaceStrings {
		if err := take(x, func() { rest.PlaceStrings = append(rest.PlaceStrings, x) }); err != nil {
			return nil, fmt.Errorf("agreement: place string %.80q: %w", x.Text, err)
		}
	}
	if err := flush(); err != nil {
		return nil, fmt.Errorf("agreement: %w", err)
	}
	var out []*record.Adoption
	for i, b := range bodies {
		out = append(out, &record.Adoption{Pack: b, Part: i + 1, Parts: len(bodies), SHA256: digest, Version: version})
	}
	return out, nil
}

type placesPart struct {
	PlaceStrings []PlaceString `json:"place_strings,omitempty"`
	Places       []Place       `json:"places,omitempty"`
}

// Digest is SHA-256 over the pack's canonical bytes.
func (p *Pack) Digest() (record.Digest, error) {
	b, err := record.Canonical(p)
	if err != nil {
		return record.Digest{}, fmt.Errorf("agreement: %w", err)
	}
	return sha256.Sum256(b), nil
}

// Merge puts the parts of one version together again and checks the whole against
// the digest that each part names.
func Merge(parts []*record.Adoption) (*Pack, error) {
	if len(parts) == 0 {
		return nil, fmt.Errorf("agreement: no part")
	}
	p := new(Pack)
	for i, a := range parts {
		if a.Part != i+1 || a.Parts != len(parts) || a.SHA256 != parts[0].SHA256 || a.Version != parts[0].Version {
			return nil, fmt.Errorf("agreement: part %d of %d does not belong to the others", a.Part, a.Parts)
		}
		if i == 0 {
			if err := record.DecodeStrict(a.Pack, p); err != nil {
				return nil, fmt.Errorf("agreement: part 1: %w", err)
			}
			continue
		}
		var more placesPart
		if err := record.DecodeStrict(a.Pack, &more); err != nil {
			return nil, fmt.Errorf("agreement: part %d: %w", i+1, err)
		}
		p.Places = append(p.Places, more.Places...)
		p.PlaceStrings = append(p.PlaceStrings, more.PlaceStrings...)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	if digest != parts[0].SHA256 {
		return nil, fmt.Errorf("agreement: the parts together have SHA-256 %s, not %s as they say", digest, parts[0].SHA256)
	}
	return p, nil
}
