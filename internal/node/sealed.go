// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"truceline/acts"
	"truceline/internal/local"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// What opens an account that this node has sealed stands in a file of the folder, named by
// the commitment, until the ledger is gone: it is durable before the account is filed.

// keptSecret is what such a file holds.
type keptSecret struct {
	Account json.RawMessage `json:"account"`
	Nonce   record.Digest   `json:"nonce"`
}

func (n *Node) secretPath(commitment record.Digest) string {
	return n.private.Path(filepath.Join(local.SealedFolder, commitment.String()+".json"))
}

// sealing are the world's ways to seal, open and release for an officer of the member. They
// are called under View.
func (n *Node) sealing(ctx context.Context, s *mechanism.State, w *acts.World) {
	if n.signers[w.Member] == nil {
		return
	}
	member := w.Member
	w.Seal = func(incident record.ID, a *record.Account) (*record.Sealed, error) {
		return n.seal(s, incident, member, a)
	}
	w.Sealed = func(id record.ID) (*record.Opened, error) { return n.ownSealed(s, id) }
	w.Open = func(id record.ID) (*record.Opened, error) { return n.openSealed(ctx, s, id) }
	w.Release = func(id record.ID) (*record.Share, error) { return n.share(ctx, s, member, id) }
}

// escrowFor lists to whom shares of what is sealed for an incident are encrypted.
func (n *Node) escrowFor(s *mechanism.State, incident record.ID) (escrow []vault.Recipient, need int, err error) {
	codes, need, ok := s.SealingTerms(incident)
	if !ok {
		return nil, 0, fmt.Errorf("no notice opened the incident %s", incident)
	}
	for _, code := range codes {
		age := s.Recipient(code)
		if age == "" {
			return nil, 0, fmt.Errorf("%s is in the escrow and has named no key to which its share can be encrypted: its node does that once it has a line", code)
		}
		escrow = append(escrow, vault.Recipient{Member: code, Age: age})
	}
	return escrow, need, nil
}

// sealable is the body of what could be sealed, with nothing in it and nothing kept.
func (n *Node) sealable(s *mechanism.State, incident record.ID) (*record.Sealed, error) {
	escrow, _, err := n.escrowFor(s, incident)
	if err != nil {
		return nil, fmt.Errorf("seal an account: %w", err)
	}
	out := &record.Sealed{}
	for _, r := range escrow {
		out.Escrow = append(out.Escrow, record.EscrowShare{Member: r.Member})
	}
	return out, nil
}

func (n *Node) seal(s *mechanism.State, incident record.ID, member string, a *record.Account) (*record.Sealed, error) {
	fail := func(err error) (*record.Sealed, error) { return nil, fmt.Errorf("seal an account: %w", err) }
	escrow, need, err := n.escrowFor(s, incident)
	if err != nil {
		return fail(err)
	}
	sealed, secret, err := vault.SealAccount(n.opts.Rand, vault.Context{Mission: n.Config.Mission, Incident: incident, Member: member}, a, escrow, need)
	if err != nil {
		return fail(err)
	}
	b, err := json.Marshal(keptSecret{Account: secret.Account, Nonce: secret.Nonce})
	if err != nil {
		return fail(err)
	}
	path := n.secretPath(sealed.Commitment)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fail(err)
	}
	if err := errors.Join(local.SyncDir(n.private.Path(".")), local.WriteFile(path, append(b, '\n'), 0o600)); err != nil {
		return fail(err)
	}
	return sealed, nil
}

// ErrNotSealedHere: what opens the account is not on this node.
var ErrNotSealedHere = errors.New("it was not sealed on this node, or what opens it was lost")

// ownSealed is what this node has sealed itself.
func (n *Node) ownSealed(s *mechanism.State, id record.ID) (*record.Opened, error) {
	_, commitment, ok := s.SealedAccount(id)
	if !ok {
		return nil, fmt.Errorf("read what was sealed: %s is no sealed account of this ledger", id)
	}
	return n.SealedHere(commitment)
}

// SealedHere is what this node has sealed itself under a commitment, for officers of the
// member that sealed it; ErrNotSealedHere where it has not.
func (n *Node) SealedHere(commitment record.Digest) (*record.Opened, error) {
	b, err := os.ReadFile(n.secretPath(commitment))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read what was sealed: %w", ErrNotSealedHere)
	}
	var k keptSecret
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was sealed: %w", err)
	}
	return (&vault.Secret{Account: k.Account, Nonce: k.Nonce}).Opened()
}

// openSealed is what was sealed: by this node's own file, or by the shares that the escrow
// has released. It gives nothing before the entry that closed the filing is witnessed: until
// then the registry and a party together could still put a version in front of it that was
// written with this one in hand.
func (n *Node) openSealed(ctx context.Context, s *mechanism.State, id record.ID) (*record.Opened, error) {
	c, commitment, ok := s.SealedAccount(id)
	f, _ := s.Filing(c.Incident)
	if !ok || f.Closing < 0 {
		return nil, fmt.Errorf("open %s: its filing is not closed", id)
	}
	if err := n.bound(ctx, s, f, id); err != nil {
		return nil, fmt.Errorf("open %s: %w", id, err)
	}
	own, err := n.ownSealed(s, id)
	if !errors.Is(err, ErrNotSealedHere) {
		return own, err
	}
	sealed, err := n.sealedBody(ctx, s, id)
	if err != nil {
		return nil, err
	}
	var shares []vault.Share
	for _, a := range f.Answers {
		if a.Sealed != id {
			continue
		}
		for _, released := range a.Shares {
			share, err := n.releasedShare(ctx, s, released)
			if err != nil {
				return nil, err
			}
			shares = append(shares, share)
		}
	}
	if sealed.Commitment != commitment {
		return nil, fmt.Errorf("open %s: the record on this node is not the one that the rules admitted", id)
	}
	return vault.OpenWithShares(c, sealed, f.Need, shares...)
}

func (n *Node) sealedBody(ctx context.Context, s *mechanism.State, id record.ID) (*record.Sealed, error) {
	b, err := n.bodyOf(ctx, s, id)
	sealed, ok := b.(*record.Sealed)
	if err == nil && !ok {
		err = fmt.Errorf("record %s is no sealed account", id)
	}
	return sealed, err
}

func (n *Node) releasedShare(ctx context.Context, s *mechanism.State, id record.ID) (share vault.Share, err error) {
	b, err := n.bodyOf(ctx, s, id)
	if err != nil {
		return share, err
	}
	released, ok := b.(*record.Share)
	if !ok {
		return share, fmt.Errorf("record %s releases no share", id)
	}
	raw, err := base64.StdEncoding.DecodeString(released.Share)
	copy(share[:], raw)
	return share, err
}

func (n *Node) bodyOf(ctx context.Context, s *mechanism.State, id record.ID) (record.Body, error) {
	index, ok := s.IndexOf(id)
	if !ok {
		return nil, fmt.Errorf("read record %s: there is none", id)
	}
	f, err := n.at(ctx, index)
	if err != nil {
		return nil, err
	}
	return record.ParseBody(f.Statement.Kind, f.Body)
}

// share is the member's share of what another has sealed.
func (n *Node) share(ctx context.Context, s *mechanism.State, member string, id record.ID) (*record.Share, error) {
	c, _, ok := s.SealedAccount(id)
	f, _ := s.Filing(c.Incident)
	if !ok || f.Closing < 0 {
		return nil, fmt.Errorf("release a share of %s: its filing is not closed", id)
	}
	if err := n.bound(ctx, s, f, id); err != nil {
		return nil, fmt.Errorf("release a share of %s: %w", id, err)
	}
	identities, err := n.identities(member)
	if err == nil && len(identities) == 0 {
		err = fmt.Errorf("the key of %s to which shares are encrypted is not on this node", member)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := n.sealedBody(ctx, s, id)
	if err != nil {
		return nil, err
	}
	var share vault.Share
	for _, identity := range identities { // it is encrypted to what was named when it was sealed
		if share, err = vault.OpenShare(c, sealed, member, identity); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return &record.Share{Share: base64.StdEncoding.EncodeToString(share[:])}, nil
}

// openDue opens what members of this node have sealed once that may be read: the entry
// that closed the filing is witnessed. It is the node that opens, at once, so that nobody
// gains by being the last.
func (n *Node) openDue(ctx context.Context) error {
	var drafts []Draft
	n.ledger.View(func(s *mechanism.State) {
		for _, incident := range s.Filings() {
			f, _ := s.Filing(incident)
			if f.Closing < 0 {
				continue
			}
			for _, a := range f.Answers {
				if a.Sealed.IsZero() || !a.Opened.IsZero() || n.signers[a.Member] == nil || n.bound(ctx, s, f, a.Sealed) != nil {
					continue
				}
				opened, err := n.ownSealed(s, a.Sealed)
				if err != nil {
					n.opts.Log.Error("what was sealed here is not opened", "sealed", a.Sealed, "err", err)
					continue
				}
				drafts = append(drafts, Draft{Kind: record.AccountOpened, Member: a.Member, Body: opened, Audience: f.Audience, byNode: true,
					Subjects: []record.Subject{{ID: a.Sealed, Role: record.RoleAccount}}})
			}
		}
	})
	for _, d := range drafts {
		if waits, err := n.openingWaits(ctx, d.Subjects[0].ID); err != nil || waits {
			if err != nil {
				return err
			}
			continue
		}
		var queued *Queued
		var refused *registry.Refused
		switch _, err := n.File(ctx, d); {
		case errors.As(err, &queued):
		case errors.As(err, &refused):
			n.opts.Log.Error("what was sealed here was not let open", "sealed", d.Subjects[0].ID, "err", err)
		case err != nil:
			return err
		}
	}
	return nil
}

// openingWaits tells whether an opening of what was sealed is in the box already.
func (n *Node) openingWaits(ctx context.Context, sealed record.ID) (bool, error) {
	if n.Box == nil {
		return false, nil
	}
	for act, err := range n.Box.Waiting(ctx) {
		if err != nil {
			return false, err
		}
		for _, r := range act.Records {
			if r.Kind != record.AccountOpened {
				continue
			}
			env, err := record.ParseEnvelope(r.Envelope)
			if err != nil {
				return false, err
			}
			st, err := env.Statement()
			if err != nil {
				return false, err
			}
			if id, _ := st.Subject(record.RoleAccount); id == sealed {
				return true, nil
			}
		}
	}
	return false, nil
}

// keepTime does what is due when time has passed: the registry's clock ticks, and what was
// sealed here is opened.
func (n *Node) keepTime(ctx context.Context) {
	every := time.NewTicker(pollInterval)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if err := errors.Join(n.Tick(ctx), n.openDue(ctx), n.Due(ctx)); err != nil && ctx.Err() == nil && !unreached(err) {
			n.opts.Log.Warn("what is due of blind filings, keys and erasures", "err", err)
		}
	}
}

// Tick lets the registry's clock tick after a deadline that nothing else was logged after.
func (n *Node) Tick(ctx context.Context) error {
	if n.Registry == nil || n.Waiting() != nil {
		return nil
	}
	now := n.opts.Now().UnixMilli()
	due := false
	n.ledger.View(func(s *mechanism.State) {
		at, ok := s.NextDeadline()
		due = ok && now > at && s.LoggedAt() <= at
	})
	if !due {
		return nil
	}
	_, err := n.File(ctx, Draft{Kind: record.ClockTicked, Member: n.Config.Registry, byNode: true})
	return err
}
