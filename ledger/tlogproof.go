// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proofHeader is the first line of a proof file.
const proofHeader = "c2sp.org/tlog-proof@v1"

// maxProofExtra bounds the application data of a proof file, in bytes.
const maxProofExtra = 64 << 10

// TLogProof proves offline that one entry is in a log: the C2SP tlog-proof v1 text format,
// customary file suffix ".tlog-proof".
type TLogProof struct {
	// Extra is application data that nothing signs. Empty means no line.
	Extra []byte
	// Index is the position of the entry, from 0.
	Index int64
	// Hashes is the RFC 6962 audit path at the checkpoint's size.
	Hashes []tlog.Hash
	// Checkpoint is the signed checkpoint the path leads to.
	Checkpoint []byte
}

// Marshal returns the text of the proof. It fails on what [ParseTLogProof] would refuse.
func (p TLogProof) Marshal() ([]byte, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return p.encode(), nil
}

func (p TLogProof) encode() []byte {
	var b bytes.Buffer
	b.WriteString(proofHeader + "\n")
	if len(p.Extra) > 0 {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	b.WriteString("index " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(h.String() + "\n")
	}
	b.WriteByte('\n')
	b.Write(p.Checkpoint)
	return b.Bytes()
}

func (p TLogProof) validate() error {
	c, err := parseCheckpointForm(p.Checkpoint, nil)
	if err != nil {
		return err
	}
	if p.Index < 0 || p.Index >= c.Size {
		return fmt.Errorf("ledger: malformed proof: entry %d is not in a log of size %d", p.Index, c.Size)
	}
	if len(p.Hashes) > MaxProofHashes || len(p.Extra) > maxProofExtra {
		return errors.New("ledger: malformed proof: it is too long")
	}
	return nil
}

// ParseTLogProof reads a proof in its one spelling. It checks the form only; nothing is
// proved until [TLogProof.Check] says so.
func ParseTLogProof(text []byte) (TLogProof, error) {
	if len(text) > MaxCheckpointBytes+2*maxProofExtra {
		return TLogProof{}, errors.New("ledger: malformed proof: it is too long")
	}
	head, checkpoint, ok := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || lines[0] != proofHeader {
		return TLogProof{}, fmt.Errorf("ledger: malformed proof: it does not begin with %q and a blank line before the checkpoint", proofHeader)
	}
	p := TLogProof{Checkpoint: []byte(checkpoint)}
	lines = lines[1:]
	if len(lines) > 0 {
		if encoded, ok := strings.CutPrefix(lines[0], "extra "); ok {
			extra, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return TLogProof{}, errors.New("ledger: malformed proof: the extra line is not base64")
			}
			p.Extra, lines = extra, lines[1:]
		}
	}
	if len(lines) == 0 {
		return TLogProof{}, errors.New("ledger: malformed proof: no index line")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return TLogProof{}, errors.New("ledger: malformed proof: no index line")
	}
	p.Index = index
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return TLogProof{}, errors.New("ledger: malformed proof: a line of the path is not a hash")
		}
		p.Hashes = append(p.Hashes, h)
	}
	if err := p.validate(); err != nil {
		return TLogProof{}, err
	}
	if !bytes.Equal(p.encode(), text) {
		return TLogProof{}, errors.New("ledger: malformed proof: it is not in its one spelling")
	}
	return p, nil
}

// Check verifies that the checkpoint is signed by at least one of the known keys, names the
// given origin, and holds the entry (see [LeafData]) at Index. It returns the checkpoint and
// its signatures, for the caller to hold against its policy on witnesses.
func (p TLogProof) Check(entry []byte, origin string, known ...note.Verifier) (Checkpoint, *note.Note, error) {
	c, n, err := ParseCheckpoint(p.Checkpoint, known...)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if c.Origin != origin {
		return Checkpoint{}, nil, fmt.Errorf("ledger: the proof is from the log %q, not %q", c.Origin, origin)
	}
	if err := CheckInclusion(p.Hashes, c.Size, c.Root, p.Index, LeafHash(entry)); err != nil {
		return Checkpoint{}, nil, err
	}
	return c, n, nil
}
