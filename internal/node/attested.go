// SPDX-License-Identifier: Apache-2.0

package node

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/local"
	"truceline/mechanism"
	"truceline/record"
)

// Whoever could have several versions of one incident attested could keep them all back, read
// the other side's, and hand in the one that suits: two members' word would make it count as
// sealed before. So a node gives its word for one version of a member for an incident, ever.

// ErrAttestedOther: this node has given its word for another version already.
var ErrAttestedOther = errors.New("this node has attested another version of the same incident by the same member: it gives its word for one alone, since who has two could choose between them later")

// attestOnce notes, durably, that this node gives its word for what a member sealed for an
// incident, before it does. The error says why it gives none: ErrAttestedOther, or that the
// member has answered by another record. envelope is the SHA-256 of the record's bytes. What
// is no sealed account is no matter of it.
func (n *Node) attestOnce(st *record.Statement, envelope record.Digest) error {
	if st.Kind != record.AccountSealed {
		return nil
	}
	if since, marked := n.Restored(); marked {
		return fmt.Errorf("the node was put back from a backup on %s, and does not know yet what it has signed since", since.UTC().Format("2006-01-02"))
	}
	incident, _ := st.Subject(record.RoleIncident)
	var answered record.ID
	n.ledger.View(func(s *mechanism.State) {
		f, _ := s.Filing(incident)
		for _, a := range f.Answers {
			if a.Member != st.Member {
				continue
			}
			if answered = a.Sealed; answered.IsZero() {
				answered = a.Declined
			}
		}
	})
	if !answered.IsZero() && answered != st.ID {
		return fmt.Errorf("%s has answered the notice %s by another record, %s", st.Member, incident, answered)
	}
	turn, err := n.private.HoldSoon(local.WriteLock) // a command may attest beside the server
	if err != nil {
		return err
	}
	defer turn.Close()
	path := n.private.Path(filepath.Join(local.AttestedFolder, attestedName(incident, st.Member)))
	was, err := os.ReadFile(path)
	switch {
	case err == nil && string(was) == envelope.String()+"\n":
		return nil
	case err == nil:
		return ErrAttestedOther
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return errors.Join(local.SyncDir(n.private.Path(".")), local.WriteFile(path, []byte(envelope.String()+"\n"), 0o600))
}

// attestedName is one file name for an incident and a member, whatever a file system makes of
// large and small letters.
func attestedName(incident record.ID, member string) string {
	sum := sha256.Sum256(append(incident[:], member...))
	return hex.EncodeToString(sum[:])
}
