// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// keyring holds the keys with which this node reads what is not for everybody. They are
// computed from the identities in the folder and the ledger, and kept in memory alone.
type keyring struct {
	mu         sync.Mutex
	identities map[string]*vault.Identity // by member code
	epochs     map[record.ID]vault.EpochKey
}

// ageKeyName is what a member's identity is called in the folder of keys.
func ageKeyName(code string) string { return "age-" + code }

// identity is the key to which what is for a member of this node is encrypted; nil where
// there is none yet. With draw, one is drawn then, and durable.
func (n *Node) identity(code string, draw bool) (*vault.Identity, error) {
	n.keys.mu.Lock()
	defer n.keys.mu.Unlock()
	if id, ok := n.keys.identities[code]; ok {
		return id, nil
	}
	secret, err := n.private.Key(ageKeyName(code))
	var id *vault.Identity
	switch {
	case err == nil:
		id, err = vault.ParseIdentity(secret)
	case errors.Is(err, os.ErrNotExist) && draw:
		if id, err = vault.NewIdentity(); err == nil {
			err = n.private.SaveKey(ageKeyName(code), id.String())
		}
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the key to which what is for %s is encrypted: %w", code, err)
	}
	if n.keys.identities == nil {
		n.keys.identities = map[string]*vault.Identity{}
	}
	n.keys.identities[code] = id
	return id, nil
}

// epochKey finds the key of an epoch, if it was given to a member of this node.
func (n *Node) epochKey(ctx context.Context, id record.ID) (vault.EpochKey, bool) {
	n.keys.mu.Lock()
	key, ok := n.keys.epochs[id]
	n.keys.mu.Unlock()
	if ok {
		return key, true
	}
	type place struct {
		index int64
		code  string
	}
	var given []place
	for _, g := range n.ledger.Given(id) {
		for code := range n.signers {
			if slices.Contains(g.Members, code) {
				given = append(given, place{g.Index, code})
			}
		}
	}
	for _, g := range given {
		identity, err := n.identity(g.code, false)
		if err != nil || identity == nil {
			continue
		}
		if key, err = n.openEpoch(ctx, g.index, id, identity); err == nil {
			n.keepEpoch(id, key)
			return key, true
		}
		n.opts.Log.Warn("the key of an audience's epoch cannot be opened", "record", g.index, "err", err)
	}
	return vault.EpochKey{}, false
}

func (n *Node) keepEpoch(id record.ID, key vault.EpochKey) {
	n.keys.mu.Lock()
	defer n.keys.mu.Unlock()
	if n.keys.epochs == nil {
		n.keys.epochs = map[record.ID]vault.EpochKey{}
	}
	n.keys.epochs[id] = key
}

// openEpoch opens the key of an epoch from the record that brings it to a member.
func (n *Node) openEpoch(ctx context.Context, index int64, id record.ID, identity *vault.Identity) (key vault.EpochKey, err error) {
	f, err := n.at(ctx, index)
	if err != nil {
		return key, err
	}
	body, err := record.ParseBody(f.Statement.Kind, f.Body)
	if err != nil {
		return key, err
	}
	var sealed string
	at, many := 0, 1
	switch b := body.(type) {
	case *record.Epoch:
		sealed = b.Key
	case *record.Handover:
		sealed, at, many = b.Keys, slices.Index(b.Epochs, id), len(b.Epochs)
	}
	file, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return key, err
	}
	plain, err := identity.Decrypt(file)
	if err != nil {
		return key, err
	}
	if len(plain) != many*len(key) || at < 0 {
		return key, fmt.Errorf("it holds %d bytes, not %d", len(plain), many*len(key))
	}
	copy(key[:], plain[at*len(key):])
	return key, nil
}

// current is the epoch under which a member of this node files for an audience now, with
// its key. Where there is none, drafts are what is to be filed before.
func (n *Node) current(ctx context.Context, audience, member string, readers []string) (id record.ID, key vault.EpochKey, drafts []Draft, err error) {
	fail := func(err error) (record.ID, vault.EpochKey, []Draft, error) {
		return record.ID{}, key, nil, fmt.Errorf("encrypt for the audience %s: %w", audience, err)
	}
	var epoch mechanism.Epoch
	var there bool
	var own string
	var reaches []string
	recipients := map[string]string{}
	n.ledger.View(func(s *mechanism.State) {
		own = s.Recipient(member)
		epoch, there = s.Current(audience, member, readers)
		reaches = s.Reaches(audience, member, readers)
		for _, code := range reaches {
			recipients[code] = s.Recipient(code)
		}
	})
	if there {
		if key, ok := n.epochKey(ctx, epoch.ID); ok {
			return epoch.ID, key, nil, nil
		}
	}
	identity, err := n.identity(member, true)
	if err != nil {
		return fail(err)
	}
	if own != identity.Recipient() {
		drafts = append(drafts, Draft{Kind: record.RecipientNamed, Member: member, Body: &record.Recipient{Age: identity.Recipient()}, byNode: true})
	}
	recipients[member] = identity.Recipient()
	if !slices.Contains(reaches, member) {
		reaches = append(reaches, member)
		slices.Sort(reaches)
	}
	for _, code := range readers {
		if recipients[code] == "" {
			return fail(fmt.Errorf("%s has named no key to which it can be encrypted: its node does that when it is updated and has a line", code))
		}
	}
	if key, err = vault.NewEpochKey(n.opts.Rand); err != nil {
		return fail(err)
	}
	var list []string
	for _, code := range reaches {
		list = append(list, recipients[code])
	}
	file, err := vault.Encrypt(key[:], list...)
	if err != nil {
		return fail(err)
	}
	if id, err = record.NewID(n.opts.Rand); err != nil {
		return fail(err)
	}
	drafts = append(drafts, Draft{ID: id, Kind: record.AudienceKeyed, Member: member, byNode: true,
		Body: &record.Epoch{Audience: audience, Key: base64.StdEncoding.EncodeToString(file), Readers: reaches}})
	n.keepEpoch(id, key)
	return id, key, drafts, nil
}
