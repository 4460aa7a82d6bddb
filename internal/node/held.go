// SPDX-License-Identifier: Apache-2.0

package node

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/record"
)

// Held is this member's word that it held a sealed account of another.
type Held struct {
	Account record.ID
	Member  string // that sealed it
	At      int64  // this node's clock, Unix milliseconds
	Signed  []byte // the attestation in its envelope, on one line
}

// AttestHeld gives this member's word for every account that others have sealed and that
// waits in a carry file: that it holds it now, by this node's clock. It says nothing of what
// the registry did, so that it can be given without any line. Two members' words, of before
// the deadline, let an account that is logged late count as in time (filing.vouched). What
// is no such account, is not signed by its member, or is another version than the one that
// this node gave its word for, is passed over; notes say why. It is for members' nodes, needs
// that the file was carried in, and keeps nothing of it but for which version it gave its word.
func (n *Node) AttestHeld(r io.ReadSeeker) (out []Held, notes []string, err error) {
	fail := func(err error) ([]Held, []string, error) {
		return nil, nil, fmt.Errorf("attest what was carried: %w", err)
	}
	if n.member == nil {
		return fail(errors.New("the registry's word counts for nothing there: do it on the node of another member"))
	}
	file, err := outbox.OpenCarry(r)
	if err != nil {
		return fail(err)
	}
	for item, err := range file.Items() {
		if err != nil {
			return fail(err)
		}
		for _, s := range item.Act {
			if s.Kind != record.AccountSealed {
				continue
			}
			_, st, err := n.attestable([]registry.Submission{{Envelope: s.Envelope, Body: s.Body, BodySalt: s.BodySalt}})
			switch {
			case err != nil:
				notes = append(notes, fmt.Sprintf("the sealed account %s was not attested: %v", s.ID, err))
				continue
			case st.Member == n.Config.Member:
				continue // its own word counts for nothing
			}
			if err := n.attestOnce(st, sha256.Sum256(s.Envelope)); err != nil {
				notes = append(notes, fmt.Sprintf("the sealed account %s was not attested: %v", s.ID, err))
				continue
			}
			at := n.opts.Now().UnixMilli()
			signed, err := record.SealAttestation(&record.Attestation{
				At: at, Envelope: sha256.Sum256(s.Envelope), Member: n.Config.Member, Mission: st.Mission, Origin: st.Origin,
				Outcome: record.OutcomeHeld, Statement: st.ID, V: 1,
			}, n.signers[n.Config.Member])
			if err != nil {
				return fail(err)
			}
			out = append(out, Held{st.ID, st.Member, at, signed})
		}
	}
	return out, notes, nil
}
