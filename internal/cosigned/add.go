// SPDX-License-Identifier: Apache-2.0

package cosigned

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
)

// Add keeps the cosignatures of a signed checkpoint. The caller has checked that its tree
// is the log's: Add knows the heads it holds and no tree.
//
// Log is the log's key, whose name is the origin; its signature must be there and good.
// Cosigners are the public keys of those who may cosign: a bad line of one of them is an
// error and nothing is kept, lines of others are dropped. Two of them that have the same
// name and hash are taken for strangers, since no line could tell them apart, and so is one
// that shares them with a key whose line the head has already.
//
// A head that did not meet a policy yet is judged by the policy given, over all marks it
// has then, also those from earlier calls. Nil: it is not judged. A head that met one stays
// with it.
//
// The error is a *[Fork] if another root is held for the size, whatever the cosignatures
// are. When Add returns nil, what it kept is durable.
func (s *Store) Add(ctx context.Context, checkpoint []byte, log note.Verifier, cosigners []string, policy *quorum.Policy) (Added, error) {
	var out Added
	const what = "keep cosignatures"
	judge, err := s.policy(policy)
	if err != nil {
		return out, wrap(what, err)
	}
	got, bad := openHead(checkpoint, log, cosigners)
	if bad != nil && got == nil {
		return out, wrap(what, bad)
	}
	err = s.update(ctx, what, func(tx *sql.Tx, now int64) (bool, error) {
		held, err := s.begin(ctx, tx, got)
		if err != nil || bad != nil {
			return false, errors.Join(err, bad)
		}
		was := held.policy != ""
		changed := held.take(got.marks, now)
		if out.New = len(changed); len(held.marks) >= ledger.MaxSignatures {
			return false, fmt.Errorf("%w: %d, and the log's own", ErrTooMany, ledger.MaxSignatures-1)
		}
		by := judge
		if was {
			if by, err = s.parsed(held.policy); err != nil {
				return false, err
			}
		}
		if by != nil {
			held.judge(by)
		}
		out.NowWitnessed = !was && held.policy != ""
		out.Head = held.show()
		if out.New == 0 && !out.NowWitnessed {
			return false, nil
		}
		if err := s.keep(ctx, tx, held, changed); err != nil {
			return false, err
		}
		kept, err := s.thin(ctx, tx, held.Size)
		if !kept {
			out.New = 0
		}
		return kept, err
	})
	if err != nil {
		return Added{}, err
	}
	return out, nil
}

// openHead reads what came. It gives the head without its marks together with an error
// where only the cosigners' lines are bad.
func openHead(checkpoint []byte, log note.Verifier, cosigners []string) (*head, error) {
	known, vkeys, err := verifiers(log, cosigners)
	if err != nil {
		return nil, err
	}
	c, n, err := ledger.ParseCheckpoint(checkpoint, known...)
	if err != nil {
		bad := err
		if c, n, err = ledger.ParseCheckpoint(checkpoint, log); err != nil {
			return nil, bad
		}
		h, err := headOf(c, n, log, nil)
		if err != nil {
			return nil, err
		}
		return h, bad
	}
	return headOf(c, n, log, vkeys)
}

// key is what a signature line says of its key.
type key struct {
	name string
	hash uint32
}

// verifiers are the keys of the log and of the cosigners that can be told apart.
func verifiers(log note.Verifier, cosigners []string) ([]note.Verifier, map[key]string, error) {
	known, vkeys, twice := []note.Verifier{log}, make(map[key]string), map[key]bool{{log.Name(), log.KeyHash()}: true}
	found := make(map[key]note.Verifier)
	for _, vkey := range cosigners {
		v, err := cosign.NewVerifier(vkey)
		if err != nil {
			return nil, nil, err
		}
		k := key{v.Name(), v.KeyHash()}
		if other, ok := vkeys[k]; ok && other != vkey {
			twice[k] = true
		}
		vkeys[k], found[k] = vkey, v
	}
	for k, v := range found {
		if twice[k] {
			delete(vkeys, k)
		} else {
			known = append(known, v)
		}
	}
	return known, vkeys, nil
}

// headOf takes an opened note apart.
func headOf(c ledger.Checkpoint, n *note.Note, log note.Verifier, vkeys map[key]string) (*head, error) {
	h := &head{Checkpoint: c}
	if c.Origin != log.Name() {
		return nil, fmt.Errorf("%w: of %q, not of %q", ErrOtherLog, c.Origin, log.Name())
	}
	for _, sig := range n.Sigs {
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil {
			return nil, err
		}
		k := key{sig.Name, sig.Hash}
		if k == (key{log.Name(), log.KeyHash()}) {
			h.logSignature = raw
			continue
		}
		at, err := cosign.SignedAt(sig)
		if err != nil {
			return nil, err
		}
		line := cosignature{at: at}
		copy(line.signature[:], raw[4+8:])
		h.marks = append(h.marks, mark{vkeys[k], line, line})
	}
	if h.logSignature == nil {
		return nil, fmt.Errorf("the checkpoint of size %d of %s: %w", c.Size, c.Origin, ErrUnsigned)
	}
	return h, nil
}

// take adds cosignatures that came to those held, and gives the keys of those that changed.
func (h *head) take(came []mark, now int64) (changed []string) {
	for _, m := range came {
		m.last.seenAt = now
		i := slices.IndexFunc(h.marks, func(held mark) bool { return held.vkey == m.vkey })
		if i < 0 {
			// A member may have made two keys that have one name and one hash, and named the one
			// after the other: with a line of each, nobody could open the note.
			if slices.ContainsFunc(h.marks, func(held mark) bool { return line(held.vkey) == line(m.vkey) }) {
				continue
			}
			i = len(h.marks)
			h.marks = append(h.marks, mark{vkey: m.vkey})
		}
		if h.marks[i].take(m.last) {
			changed = append(changed, m.vkey)
		}
	}
	return changed
}

// line is what a signature line says of a key: its name and its hash.
func line(vkey string) string { return vkey[:len(name(vkey))+len("+01234567")] }

// begin gives what is held of the head that came: it alone without marks where nothing is.
// A second root for its size is a *[Fork].
func (s *Store) begin(ctx context.Context, tx *sql.Tx, got *head) (*head, error) {
	origin, err := originOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	if origin != "" && origin != got.Origin {
		return nil, fmt.Errorf("%w: of %q, and the store is of %q", ErrOtherLog, got.Origin, origin)
	}
	held, err := load(ctx, tx, origin, "WHERE size = ?", got.Size)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return &head{Checkpoint: got.Checkpoint, logSignature: got.logSignature}, nil
	}
	if held.Root != got.Root {
		got.sort()
		return nil, &Fork{Held: held.show().Note, Got: got.note(newest), Size: got.Size}
	}
	return held, nil
}
