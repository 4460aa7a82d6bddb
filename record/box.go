// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/base64"
	"fmt"
)

// Box is a body that is encrypted for its audience, with its salt. It stands in a record
// line in place of the body. Nothing in it is signed: what it holds is checked against the
// statement's commitment once it is opened.
type Box struct {
	Alg  string `json:"alg"`
	Body string `json:"body"` // base64
	// Wraps are the body's key under the keys of epochs, by epoch, ascending.
	Wraps []Wrap `json:"wraps"`
}

// Wrap is a body's key under the key of one epoch.
type Wrap struct {
	Epoch ID     `json:"epoch"` // the audience.keyed that brought the key
	Key   string `json:"key"`   // base64
}

// BoxAlg is the only encryption of format version 1.
const BoxAlg = "xchacha20-poly1305"

// MaxWraps is the most wraps that a box has.
const MaxWraps = 8

// wrapBytes are a nonce, a key and a tag.
const wrapBytes = 24 + 32 + 16

// ParseBox reads a box in its one spelling, at most MaxBody bytes. It opens nothing.
func ParseBox(b []byte) (*Box, error) {
	if len(b) > MaxBody {
		return nil, fmt.Errorf("box has %d bytes, more than %d", len(b), MaxBody)
	}
	box := new(Box)
	if err := decodeStrict(b, box, bodyDepth); err != nil {
		return nil, fmt.Errorf("box: %w", err)
	}
	if box.Alg != BoxAlg {
		return nil, fmt.Errorf("box: alg %.40q is not %s", box.Alg, BoxAlg)
	}
	if err := canonicalBase64(box.Body, 52); err != nil { // salt, length and tag
		return nil, fmt.Errorf("box: body: %w", err)
	}
	if len(box.Wraps) == 0 || len(box.Wraps) > MaxWraps {
		return nil, fmt.Errorf("box: %d wraps, not 1 to %d", len(box.Wraps), MaxWraps)
	}
	for i, w := range box.Wraps {
		if w.Epoch.IsZero() || i > 0 && string(w.Epoch[:]) <= string(box.Wraps[i-1].Epoch[:]) {
			return nil, fmt.Errorf("box: wraps are not in the order of their epochs, each once")
		}
		if err := canonicalBase64(w.Key, wrapBytes); err != nil || len(w.Key) != base64.StdEncoding.EncodedLen(wrapBytes) {
			return nil, fmt.Errorf("box: wrap of epoch %s: it is not base64 of %d bytes", w.Epoch, wrapBytes)
		}
	}
	return box, nil
}

// Encode writes the box's canonical bytes.
func (b *Box) Encode() ([]byte, error) {
	out, err := Canonical(b)
	if err != nil {
		return nil, err
	}
	if _, err := ParseBox(out); err != nil {
		return nil, err
	}
	return out, nil
}

func canonicalBase64(s string, least int) error {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) < least || base64.StdEncoding.EncodeToString(b) != s {
		return fmt.Errorf("it is not base64 of at least %d bytes", least)
	}
	return nil
}
