// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/local"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// nextKeyName is a key that is to take the place of a member's, once the ledger says so.
func nextKeyName(code string) string { return "next-" + code }

// RotateKey changes the node key of a member, the registry's too: the new key is durable
// here before the record that names it is filed, signed by both. A call that was cut short
// is gone on with by the next, or by the next start of the node.
func (n *Node) RotateKey(ctx context.Context, code string) (record.KeyID, error) {
	fail := func(err error) (record.KeyID, error) {
		return record.KeyID{}, fmt.Errorf("change the key of %s: %w", code, err)
	}
	old, ok := n.signers[code]
	if !ok {
		return fail(errors.New("this node has no key of that member"))
	}
	if m := n.member; m != nil {
		// What was signed with the old key must be in the ledger before the change.
		if m.link == nil {
			return fail(errors.New("no line to the registry is given"))
		}
		end, err := m.enter(ctx)
		if err != nil {
			return fail(err)
		}
		defer end()
		if err := errors.Join(m.send(ctx), m.follow(ctx)); err != nil {
			return fail(err)
		}
	}
	next, err := n.nextKey(code)
	if err != nil {
		return fail(err)
	}
	if next == nil {
		seed, signer, err := newSeed(n.opts.Rand)
		if err != nil {
			return fail(err)
		}
		if err := saveSeed(n.private, nextKeyName(code), seed); err != nil {
			return fail(err)
		}
		next = signer
	}
	if !n.holdsKeys(code, []record.Key{next.Key()}) {
		pack := n.Pack()
		d := Draft{Kind: record.KeyRotated, Member: code, Body: &record.KeyRotation{New: next.Key(), Old: keyID(old)}, byNode: true}
		sub, err := n.signBy(old, d, pack != nil && pack.Exercise, next)
		if err != nil {
			return fail(err)
		}
		if _, err := n.door.SubmitTogether(ctx, []registry.Submission{sub}); err != nil {
			return fail(err)
		}
		if n.member != nil {
			if err := n.member.follow(ctx); err != nil {
				return fail(err)
			}
		}
	}
	return keyID(next), n.promoteKeys()
}

// nextKey reads the key that waits to take a member's place; nil where there is none.
func (n *Node) nextKey(code string) (*record.Signer, error) {
	name := nextKeyName(code)
	if _, err := os.Stat(n.private.Path(filepath.Join(keysFolder, name+".key"))); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	secret, err := n.private.Key(name)
	if err != nil {
		return nil, err
	}
	seed, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return nil, fmt.Errorf("read key %s: it is damaged: %w", name, err)
	}
	return record.NewSigner(seed)
}

// promoteKeys puts keys in their members' places of which the ledger says that they sign now.
func (n *Node) promoteKeys() error {
	for code := range n.signers {
		next, err := n.nextKey(code)
		if err != nil {
			return err
		}
		if next == nil || !n.holdsKeys(code, []record.Key{next.Key()}) {
			continue
		}
		secret, err := n.private.Key(nextKeyName(code))
		if err != nil {
			return err
		}
		if err := n.private.SaveKey(memberKeyName(code), secret); err != nil {
			return err
		}
		n.signers[code] = next
		folder := n.private.Path(keysFolder)
		if err := errors.Join(os.Remove(filepath.Join(folder, nextKeyName(code)+".key")), local.SyncDir(folder)); err != nil {
			return err
		}
	}
	return nil
}

// RevokeKey ends a key of a member of this node: one that it does not sign with itself.
// The reason is "lost", "compromised" or "retired".
func (n *Node) RevokeKey(ctx context.Context, code string, key record.KeyID, reason, note string) error {
	fail := func(err error) error { return fmt.Errorf("revoke key %s of %s: %w", key, code, err) }
	signer, ok := n.signers[code]
	switch {
	case !ok:
		return fail(errors.New("this node has no key of that member"))
	case keyID(signer) == key:
		return fail(errors.New("this node signs with it: change it first, with truceline key rotate"))
	}
	d := Draft{Kind: record.KeyRevoked, Member: code, Body: &record.KeyRevocation{Key: key, Member: code, Note: note, Reason: reason}, byNode: true}
	if _, err := n.File(ctx, d); err != nil {
		return fail(err)
	}
	return nil
}

// NodeKey is a key that may sign for a member.
type NodeKey struct {
	ID   record.KeyID
	Here bool // this node signs with it
}

// NodeKeys lists the valid node keys of a member, as the ledger here has them.
func (n *Node) NodeKeys(code string) (out []NodeKey) {
	var keys []record.Key
	n.ledger.View(func(s *mechanism.State) { keys = s.NodeKeys(code) })
	for _, k := range keys {
		if _, _, until, ok := n.keyOf(k.ID()); ok && until < 0 {
			own := n.signers[code]
			out = append(out, NodeKey{k.ID(), own != nil && keyID(own) == k.ID()})
		}
	}
	return out
}

func (n *Node) keyOf(id record.KeyID) (owner string, from, until int64, ok bool) {
	n.ledger.View(func(s *mechanism.State) { owner, from, until, ok = s.KeyOf(id) })
	return owner, from, until, ok
}
