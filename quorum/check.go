// SPDX-License-Identifier: Apache-2.0

package quorum

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
)

// Result is what a policy finds in a signed checkpoint.
type Result struct {
	Checkpoint ledger.Checkpoint
	// LogKey is the policy's key of the log that signed it, the first where there are more.
	LogKey string
	// Cosigned are the witnesses that signed, in the policy's order, whether the quorum
	// needs them or not.
	Cosigned []Cosigned
	// Missing are the names of the witnesses that did not, in the policy's order.
	Missing []string
	// Witnessed tells whether those that signed are a quorum.
	Witnessed bool
}

// Cosigned is a witness's good signature. At is its time in Unix seconds, by the witness's
// clock: a claim of the witness, which nobody else has checked.
type Cosigned struct {
	Name, VKey string
	At         int64
}

// Check opens a signed checkpoint. A log of the policy must have signed it, and its origin
// must be that key's name. A bad signature by any key of the policy refuses the whole
// checkpoint; lines by other keys are ignored.
//
// A checkpoint without its quorum is no error: Witnessed is false then. Signatures of
// ML-DSA-44 keys are not checked and not counted, so that a policy that needs one is never
// satisfied here, and this package never counts more than the policy asks for.
func (p *Policy) Check(checkpoint []byte) (*Result, error) {
	b, err := p.build()
	if err != nil {
		return nil, err
	}
	var known []note.Verifier
	for _, keys := range [][]key{b.logs, b.witnesses} {
		for _, k := range keys {
			if k.verifier != nil {
				known = append(known, k.verifier)
			}
		}
	}
	if len(b.logs) == 0 {
		return nil, errors.New("quorum: the policy names no log, so that it accepts no checkpoint; add a log line")
	}
	c, n, err := ledger.ParseCheckpoint(checkpoint, known...)
	if err != nil {
		return nil, fmt.Errorf("quorum: checking a checkpoint: %w", err)
	}
	signed := func(k key) (note.Signature, bool) {
		for _, s := range n.Sigs {
			if k.verifier != nil && s.Name == k.name && s.Hash == k.verifier.KeyHash() {
				return s, true
			}
		}
		return note.Signature{}, false
	}
	r := &Result{Checkpoint: c}
	for _, k := range b.logs {
		if _, ok := signed(k); ok && k.name == c.Origin {
			r.LogKey = k.vkey
			break
		}
	}
	if r.LogKey == "" {
		return nil, fmt.Errorf("quorum: the checkpoint of %q is not signed by a log of the policy that has this name", c.Origin)
	}
	has := make([]bool, len(b.witnesses))
	for i, k := range b.witnesses {
		s, ok := signed(k)
		if !ok {
			r.Missing = append(r.Missing, p.Witnesses[i].Name)
			continue
		}
		at, err := cosign.SignedAt(s)
		if err != nil {
			return nil, fmt.Errorf("quorum: checking a checkpoint: %w", err)
		}
		has[i] = true
		r.Cosigned = append(r.Cosigned, Cosigned{p.Witnesses[i].Name, k.vkey, at})
	}
	r.Witnessed = b.root.met(has)
	return r, nil
}

// met tells whether the witnesses that signed are enough for n.
func (n *node) met(has []bool) bool {
	if n == nil {
		return true
	}
	if n.witness >= 0 {
		return has[n.witness]
	}
	count := 0
	for _, m := range n.members {
		if m.met(has) {
			count++
		}
	}
	return count >= n.threshold
}
