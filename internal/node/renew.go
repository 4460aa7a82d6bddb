// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"truceline/mechanism"
	"truceline/record"
)

// RenewReading changes the key to which what a member of this node may read is encrypted: the
// new one is durable here before the record that names it is filed. The former ones stay, for
// what was encrypted to them. From then on whatever is filed for an audience of the member's
// goes under a new epoch, of which who has a former key reads nothing. A call that was cut
// short is gone on with by the next.
func (n *Node) RenewReading(ctx context.Context, code string) (recipient string, err error) {
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("change the key with which %s reads: %w", code, err)
	}
	if n.signers[code] == nil {
		return fail(errors.New("this node has no key of that member"))
	}
	if m := n.member; m != nil {
		if m.link == nil {
			return fail(errors.New("no line to the registry is given"))
		}
		// What was named before must be in the ledger before the change.
		end, err := m.enter(ctx)
		if err != nil {
			return fail(err)
		}
		defer end()
		if err := errors.Join(m.send(ctx), m.follow(ctx)); err != nil {
			return fail(err)
		}
	}
	named := func() (is string) {
		n.ledger.View(func(s *mechanism.State) { is = s.Recipient(code) })
		return is
	}
	newest, err := n.identity(code, true)
	if err == nil && newest.Recipient() == named() {
		n.keys.mu.Lock()
		err = n.drawIdentity(code)
		n.keys.mu.Unlock()
		if err == nil {
			newest, err = n.identity(code, false)
		}
	}
	if err != nil {
		return fail(err)
	}
	d := Draft{Kind: record.RecipientNamed, Member: code, Body: &record.Recipient{Age: newest.Recipient()}, byNode: true}
	if _, err := n.File(ctx, d); err != nil {
		return fail(err)
	}
	if n.member != nil {
		if err := n.member.follow(ctx); err != nil {
			return fail(err)
		}
	}
	return newest.Recipient(), nil
}
