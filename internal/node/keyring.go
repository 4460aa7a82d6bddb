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

	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// keyring holds the keys with which this node reads what is not for everybody. They are
// computed from the identities in the folder and the ledger, and kept in memory alone.
type keyring struct {
	mu         sync.Mutex
	identities map[string][]*vault.Identity // by member code, the newest first
	epochs     map[record.ID]openedKeys
}

// ageKeyName is what the nth identity of a member, from 1, is called in the folder of keys.
// The last is the one that is named, or about to be; those before it stay, for what was
// encrypted to them.
func ageKeyName(code string, n int) string {
	if n == 1 {
		return "age-" + code
	}
	return fmt.Sprintf("age%d-%s", n, code)
}

// identities are the keys to which what is for a member of this node was and is encrypted,
// the newest first.
func (n *Node) identities(code string) ([]*vault.Identity, error) {
	n.keys.mu.Lock()
	defer n.keys.mu.Unlock()
	return n.loadIdentities(code)
}

// loadIdentities is identities for who holds the lock.
func (n *Node) loadIdentities(code string) ([]*vault.Identity, error) {
	if list, ok := n.keys.identities[code]; ok {
		return list, nil
	}
	var list []*vault.Identity
	for i := 1; ; i++ {
		secret, err := n.private.Key(ageKeyName(code, i))
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		var id *vault.Identity
		if err == nil {
			id, err = vault.ParseIdentity(secret)
		}
		if err != nil {
			return nil, fmt.Errorf("the key to which what is for %s is encrypted: %w", code, err)
		}
		list = append([]*vault.Identity{id}, list...)
	}
	if n.keys.identities == nil {
		n.keys.identities = map[string][]*vault.Identity{}
	}
	if len(list) > 0 { // another process may draw the first
		n.keys.identities[code] = list
	}
	return list, nil
}

// identity is the newest of identities; nil where there is none yet. With draw, one is drawn
// then, and durable.
func (n *Node) identity(code string, draw bool) (*vault.Identity, error) {
	n.keys.mu.Lock()
	defer n.keys.mu.Unlock()
	list, err := n.loadIdentities(code)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && draw {
		if err := n.drawIdentity(code); err != nil {
			return nil, err
		}
		list = n.keys.identities[code]
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list[0], nil
}

// drawIdentity makes one more identity, durable, for who holds the lock.
func (n *Node) drawIdentity(code string) error {
	list, err := n.loadIdentities(code)
	if err != nil {
		return err
	}
	id, err := vault.NewIdentity()
	if err == nil {
		err = n.private.SaveKey(ageKeyName(code, len(list)+1), id.String())
	}
	if err != nil {
		return fmt.Errorf("the key to which what is for %s is encrypted: %w", code, err)
	}
	n.keys.identities[code] = append([]*vault.Identity{id}, list...)
	return nil
}

// epochKey finds the key of an epoch, if it was given to a member of this node: the first
// that came. It is the right one for who made the epoch, and for its readers where the maker
// is honest.
func (n *Node) epochKey(ctx context.Context, id record.ID) (vault.EpochKey, bool) {
	list := n.epochKeys(ctx, id)
	if len(list) == 0 {
		return vault.EpochKey{}, false
	}
	return list[0], true
}

// openedKeys are the keys of an epoch that were given here, in the order of the ledger.
type openedKeys struct {
	list []vault.EpochKey
	// Of how many records, with how many identities, they were taken: so many need not be
	// opened again, whoever files as many more as he likes.
	given, identities int
}

// epochKeys are all that members of this node were given as the key of an epoch. They are
// more than one where somebody handed over what is not the key: which it is shows when a
// body opens.
func (n *Node) epochKeys(ctx context.Context, id record.ID) []vault.EpochKey {
	own := map[string][]*vault.Identity{}
	identities := 0
	for code := range n.signers {
		list, err := n.identities(code)
		if err != nil {
			continue
		}
		own[code], identities = list, identities+len(list)
	}
	given := n.ledger.Given(id)
	n.keys.mu.Lock()
	is := n.keys.epochs[id]
	n.keys.mu.Unlock()
	if is.identities != identities {
		is.given = 0 // what was for others then may be for us now
	}
	if is.given >= len(given) {
		return is.list
	}
	out := openedKeys{list: slices.Clone(is.list), given: len(given), identities: identities}
	for _, g := range given[is.given:] {
		var to []*vault.Identity
		for code, list := range own {
			if slices.Contains(g.Members, code) {
				to = append(to, list...)
			}
		}
		if len(to) == 0 {
			continue
		}
		f, err := n.at(ctx, g.Index)
		if err != nil {
			n.opts.Log.Warn("a record with the key of an audience's epoch cannot be read", "record", g.Index, "err", err)
			out.given = is.given // another time
			continue
		}
		for _, identity := range to {
			key, err := openEpoch(f, id, identity)
			if err == nil {
				if !slices.Contains(out.list, key) {
					out.list = append(out.list, key)
				}
				break
			}
			if !errors.Is(err, vault.ErrNotForUs) { // that it is encrypted to another of our keys, or comes in a record of its own, is no fault
				n.opts.Log.Warn("the key of an audience's epoch cannot be opened", "record", g.Index, "err", err)
			}
		}
	}
	n.keys.mu.Lock()
	defer n.keys.mu.Unlock()
	if n.keys.epochs == nil {
		n.keys.epochs = map[record.ID]openedKeys{}
	}
	if was := n.keys.epochs[id]; was.given <= out.given { // somebody else may have opened more meanwhile
		for _, key := range was.list {
			if !slices.Contains(out.list, key) {
				out.list = append(out.list, key) // made here meanwhile
			}
		}
		n.keys.epochs[id] = out
	}
	return out.list
}

// keepEpoch keeps the key of an epoch that this node makes.
func (n *Node) keepEpoch(id record.ID, key vault.EpochKey) {
	n.keys.mu.Lock()
	defer n.keys.mu.Unlock()
	if n.keys.epochs == nil {
		n.keys.epochs = map[record.ID]openedKeys{}
	}
	is := n.keys.epochs[id]
	is.list = append([]vault.EpochKey{key}, is.list...)
	n.keys.epochs[id] = is
}

// openBox opens a box with the keys that were given here.
func (n *Node) openBox(ctx context.Context, st *record.Statement, box *record.Box) (body []byte, salt ledger.Salt, err error) {
	keys := make([][]vault.EpochKey, len(box.Wraps))
	most := 1
	for i, w := range box.Wraps {
		keys[i] = n.epochKeys(ctx, w.Epoch)
		most = max(most, len(keys[i]))
	}
	for k := range most {
		body, salt, err = vault.Unbox(st.ID, st.Body, box, func(epoch record.ID) (key vault.EpochKey, ok bool) {
			i := slices.IndexFunc(box.Wraps, func(w record.Wrap) bool { return w.Epoch == epoch })
			if k >= len(keys[i]) {
				return key, false
			}
			return keys[i][k], true
		})
		if err == nil {
			return body, salt, nil
		}
	}
	return nil, ledger.Salt{}, err
}

// openEpoch opens the key of an epoch from the record that brings it to a member.
func openEpoch(f *Found, id record.ID, identity *vault.Identity) (key vault.EpochKey, err error) {
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
	if id, err = record.NewID(n.opts.Rand); err != nil {
		return fail(err)
	}
	// The filer first: it has the key from its own record after the next start, too.
	order := append([]string{member}, slices.DeleteFunc(slices.Clone(reaches), func(code string) bool { return code == member })...)
	for i, group := range together(order) {
		var list []string
		for _, code := range group {
			list = append(list, recipients[code])
		}
		file, err := vault.Encrypt(key[:], list...)
		if err != nil {
			return fail(err)
		}
		d := Draft{Kind: record.AudienceShared, Member: member, byNode: true}
		if i == 0 {
			d.ID, d.Kind, d.Body = id, record.AudienceKeyed, &record.Epoch{Audience: audience, Key: base64.StdEncoding.EncodeToString(file), Readers: reaches}
		} else {
			d.Body = &record.Handover{Epochs: []record.ID{id}, Keys: base64.StdEncoding.EncodeToString(file), Member: group[0]}
		}
		drafts = append(drafts, d)
	}
	n.keepEpoch(id, key)
	return id, key, drafts, nil
}

// maxTogether is for how many readers one record has room: an age file has about 1,600
// bytes for each.
const maxTogether = 20

// together parts the readers of an epoch into those whose key is in its own record, and
// those to whom it is handed over at once, each in a record of its own.
func together(readers []string) (out [][]string) {
	out = [][]string{readers[:min(len(readers), maxTogether)]}
	for _, code := range readers[len(out[0]):] {
		out = append(out, []string{code})
	}
	return out
}
