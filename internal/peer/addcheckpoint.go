// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// formatAddCheckpoint writes the body of a request to a witness.
func formatAddCheckpoint(old int64, proof []tlog.Hash, checkpoint []byte) []byte {
	var b strings.Builder
	b.WriteString("old " + strconv.FormatInt(old, 10) + "\n")
	for _, h := range proof {
		b.WriteString(h.String() + "\n")
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return []byte(b.String())
}

// parseAddCheckpoint reads the body of a request to a witness in its one spelling. It does
// not read the checkpoint.
func parseAddCheckpoint(body []byte) (old int64, proof []tlog.Hash, checkpoint []byte, err error) {
	head, rest, ok := strings.Cut(string(body), "\n\n")
	if !ok {
		return 0, nil, nil, errors.New("no empty line before the checkpoint")
	}
	lines := strings.Split(head, "\n")
	digits, ok := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || old < 0 || strconv.FormatInt(old, 10) != digits {
		return 0, nil, nil, errors.New(`the first line is not "old " and a size`)
	}
	if len(lines)-1 > ledger.MaxProofHashes {
		return 0, nil, nil, fmt.Errorf("%d lines of proof; at most %d are read", len(lines)-1, ledger.MaxProofHashes)
	}
	for i, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil || h.String() != line {
			return 0, nil, nil, fmt.Errorf("line %d of the proof is not a hash", i+1)
		}
		proof = append(proof, h)
	}
	return old, proof, []byte(rest), nil
}
