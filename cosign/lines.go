// SPDX-License-Identifier: Apache-2.0

package cosign

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"truceline/ledger"
)

// linePrefix is how a signature line of a note begins.
const linePrefix = "— "

// Lines writes signatures as the lines of a signed note, each ended by a line feed.
func Lines(sigs ...note.Signature) string {
	var b strings.Builder
	for _, s := range sigs {
		b.WriteString(linePrefix + s.Name + " " + s.Base64 + "\n")
	}
	return b.String()
}

// ParseLines reads signature lines, at most [ledger.MaxSignatures], each in its one
// spelling. It checks no signature. The empty text has none.
func ParseLines(text string) ([]note.Signature, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.HasSuffix(text, "\n") || len(text) > ledger.MaxCheckpointBytes {
		return nil, errors.New("cosign: reading signature lines: they do not end with a line feed, or are too long")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > ledger.MaxSignatures {
		return nil, fmt.Errorf("cosign: reading signature lines: there are %d; at most %d are read", len(lines), ledger.MaxSignatures)
	}
	sigs := make([]note.Signature, len(lines))
	for i, line := range lines {
		rest, ok := strings.CutPrefix(line, linePrefix)
		name, encoded, _ := strings.Cut(rest, " ")
		hash, good := signatureHash(encoded)
		if !ok || !good || !validName(name) {
			return nil, fmt.Errorf(`cosign: reading signature lines: line %d is not "— <name> <base64>" in its one spelling`, i+1)
		}
		sigs[i] = note.Signature{Name: name, Hash: hash, Base64: encoded}
	}
	return sigs, nil
}

// signatureHash reads the key's hash from a signature in its one spelling.
func signatureHash(encoded string) (hash uint32, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) < 5 || base64.StdEncoding.EncodeToString(raw) != encoded {
		return 0, false
	}
	return binary.BigEndian.Uint32(raw), true
}

// AddSignatures appends signature lines to a signed checkpoint, in the given order. A key
// that has a line already keeps that line, so that adding twice changes nothing and the
// first time of a cosignature stays. It checks the form of what it is given and no
// signature: the caller opens what it takes from others first. It refuses to make a note
// longer than what [ledger.ParseCheckpoint] reads.
func AddSignatures(checkpoint []byte, sigs ...note.Signature) ([]byte, error) {
	text, block, ok := strings.Cut(string(checkpoint), "\n\n")
	if !ok || !checkpointText(text+"\n") {
		return nil, errors.New("cosign: adding signatures: there is no signed checkpoint to add them to")
	}
	have, err := ParseLines(block)
	if err != nil {
		return nil, fmt.Errorf("cosign: adding signatures: the checkpoint is malformed: %w", err)
	}
	type key struct {
		name string
		hash uint32
	}
	seen := make(map[key]bool, len(have)+len(sigs))
	for _, s := range have {
		seen[key{s.Name, s.Hash}] = true
	}
	out := strings.Builder{}
	out.Write(checkpoint)
	count := len(have)
	for _, s := range sigs {
		if hash, ok := signatureHash(s.Base64); !ok || hash != s.Hash || !validName(s.Name) {
			return nil, fmt.Errorf("cosign: adding signatures: that of %.100q is malformed", s.Name)
		}
		if k := (key{s.Name, s.Hash}); !seen[k] {
			seen[k] = true
			out.WriteString(Lines(s))
			count++
		}
	}
	if count > ledger.MaxSignatures || out.Len() > ledger.MaxCheckpointBytes {
		return nil, fmt.Errorf("cosign: adding signatures: a checkpoint of %d signatures and %d bytes would not be read again (at most %d and %d)", count, out.Len(), ledger.MaxSignatures, ledger.MaxCheckpointBytes)
	}
	return []byte(out.String()), nil
}
