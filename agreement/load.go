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
	return f, nil
}

// Parts divides p into bodies of agreement.adopted that each fit a record: the
// first holds everything but the places, the others the places in order.
func (p *Pack) Parts(version int) ([]*record.Adoption, error) {
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	const room = record.MaxBody - 1024
	first := *p
	first.Places = nil
	pieces := []*Pack{&first}
	size := 0
	for _, pl := range p.Places {
		b, err := record.Canonical(pl)
		if err != nil {
			return nil, fmt.Errorf("agreement: place %s: %w", pl.Code, err)
		}
		if len(pieces) == 1 || size+len(b) > room {
			pieces = append(pieces, new(Pack))
			size = 0
		}
		last := pieces[len(pieces)-1]
		last.Places = append(last.Places, pl)
		size += len(b) + 1
	}
	var out []*record.Adoption
	for i, piece := range pieces {
		var v any = piece
		if i > 0 {
			v = placesPart{piece.Places}
		}
		b, err := record.Canonical(v)
		if err != nil {
			return nil, fmt.Errorf("agreement: %w", err)
		}
		if len(b) > room {
			return nil, fmt.Errorf("agreement: part %d of the pack has %d bytes, more than %d: shorten its texts", i+1, len(b), room)
		}
		out = append(out, &record.Adoption{Pack: b, Part: i + 1, Parts: len(pieces), SHA256: digest, Version: version})
	}
	return out, nil
}

type placesPart struct {
	Places []Place `json:"places"`
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
			if err := decodeKnown(a.Pack, p); err != nil {
				return nil, fmt.Errorf("agreement: part 1: %w", err)
			}
			continue
		}
		var more placesPart
		if err := decodeKnown(a.Pack, &more); err != nil {
			return nil, fmt.Errorf("agreement: part %d: %w", i+1, err)
		}
		p.Places = append(p.Places, more.Places...)
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

func decodeKnown(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}
