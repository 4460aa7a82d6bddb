// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	// MaxCheckpointBytes is the longest signed checkpoint parsed.
	MaxCheckpointBytes = 256 << 10
	// MaxSignatures is the most signature lines a checkpoint may carry. The standard asks for 16.
	MaxSignatures = 64
)

// Checkpoint is the head of a log: which log, how many entries, and the RFC 6962 root hash.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Text returns the signed text of a checkpoint: three lines, origin, decimal size, base64 root.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// validate refuses a checkpoint that no honest log can have.
func (c Checkpoint) validate() error {
	if err := ValidateOrigin(c.Origin); err != nil {
		return err
	}
	if c.Size < 0 || c.Size > MaxSize {
		return fmt.Errorf("ledger: a checkpoint cannot have size %d", c.Size)
	}
	if c.Size == 0 && c.Root != emptyRoot {
		return errors.New("ledger: a checkpoint of size 0 must have the root of the empty tree")
	}
	return nil
}

// Sign returns the checkpoint as a signed note, one signature line per signer in the given order.
func Sign(c Checkpoint, signers ...note.Signer) ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if len(signers) == 0 || len(signers) > MaxSignatures {
		return nil, fmt.Errorf("ledger: a checkpoint is signed by 1 to %d keys, not %d", MaxSignatures, len(signers))
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		return nil, fmt.Errorf("ledger: signing the checkpoint of size %d: %w", c.Size, err)
	}
	return signed, nil
}

// ParseCheckpoint reads a signed checkpoint and checks its signatures. It accepts one spelling
// of a note: three text lines and no extension lines, a size without leading zeros, base64 as it
// is written. At least one signature must be by a known verifier. A bad signature by a known
// verifier, or two by the same, refuses the whole note. Lines by unknown keys must be well
// formed and are otherwise ignored.
//
// The caller decides what the good signatures are worth: it compares Origin with the log it
// expects, and looks in the note's Sigs for the keys it needs when it passes more than one.
func ParseCheckpoint(signed []byte, known ...note.Verifier) (Checkpoint, *note.Note, error) {
	c, err := parseCheckpointForm(signed, known)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("ledger: reading the checkpoint of size %d of %s: %w", c.Size, c.Origin, err)
	}
	return c, n, nil
}

func malformedCheckpoint(why string) error {
	return fmt.Errorf("ledger: malformed checkpoint: %s", why)
}

// parseCheckpointForm checks everything about a note but the signatures' truth.
func parseCheckpointForm(signed []byte, known []note.Verifier) (Checkpoint, error) {
	if len(signed) > MaxCheckpointBytes {
		return Checkpoint{}, malformedCheckpoint(fmt.Sprintf("it has %d bytes; at most %d are read", len(signed), MaxCheckpointBytes))
	}
	text, signatures, ok := bytes.Cut(signed, []byte("\n\n"))
	if !ok {
		return Checkpoint{}, malformedCheckpoint("no blank line before the signatures")
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 3 {
		return Checkpoint{}, malformedCheckpoint(fmt.Sprintf("%d text lines instead of 3", len(lines)))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return Checkpoint{}, malformedCheckpoint("the second line is not a tree size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, malformedCheckpoint("the third line is not a root hash")
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: root}
	if err := c.validate(); err != nil {
		return Checkpoint{}, err
	}
	if c.Text() != string(text)+"\n" {
		return Checkpoint{}, malformedCheckpoint("size or root is not in its one spelling")
	}
	return c, checkSignatureLines(string(signatures), known)
}

// checkSignatureLines checks the form of the lines after the blank one: each is
// "— <name> <base64 of a 4-byte key hash and a signature>\n".
func checkSignatureLines(block string, known []note.Verifier) error {
	if !strings.HasSuffix(block, "\n") {
		return malformedCheckpoint("no line feed at the end")
	}
	lines := strings.Split(strings.TrimSuffix(block, "\n"), "\n")
	if len(lines) > MaxSignatures {
		return malformedCheckpoint(fmt.Sprintf("%d signatures; at most %d are read", len(lines), MaxSignatures))
	}
	seen := make(map[string]bool, len(lines))
	for _, line := range lines {
		rest, ok := strings.CutPrefix(line, "— ")
		if !ok {
			return malformedCheckpoint("a signature line does not begin with an em dash and a space")
		}
		name, encoded, _ := strings.Cut(rest, " ")
		if !validKeyName(name) {
			return malformedCheckpoint("a signature line has no valid key name")
		}
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(raw) < 5 || base64.StdEncoding.EncodeToString(raw) != encoded {
			return malformedCheckpoint("the signature of " + strconv.Quote(name) + " is not base64 in its one spelling")
		}
		if seen[line] {
			return malformedCheckpoint("a signature line is repeated")
		}
		seen[line] = true
		for _, v := range known {
			if v.Name() != name || v.KeyHash() != binary.BigEndian.Uint32(raw) {
				continue
			}
			key := name + "+" + string(raw[:4]) // no whole line is spelled like this
			if seen[key] {
				return malformedCheckpoint("two signatures by " + strconv.Quote(name) + " with the same key")
			}
			seen[key] = true
			break
		}
	}
	return nil
}

// validKeyName holds the names of strangers' keys to what signed notes allow.
func validKeyName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.Contains(name, "+") &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r < 0x20 })
}
