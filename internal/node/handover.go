// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"truceline/internal/replica"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// A member that joins an audience, or names another recipient, is given the keys of the
// audience's earlier epochs: of each by the node of the member that made it, and by the
// others that have it when that does not. What another handed over does not keep the maker
// from doing so, since nobody can see whether it was the key.

// handTurn is how long each node waits for those before it.
const handTurn = 10 * time.Minute

// maxHanded is how many keys one record has room for.
const maxHanded = 400

// owing is an epoch that a member of its audience has not the key of.
type owing struct {
	epoch  record.ID
	member string
}

// handover is what a member of this node is to hand to another.
type handover struct{ by, to string }

// handOver files the keys that members of this node have and others lack, when it is this
// node's turn.
func (n *Node) handOver(ctx context.Context) error {
	list, recipients := n.handovers()
	for _, h := range slices.SortedFunc(maps.Keys(list), func(a, b handover) int {
		return cmp.Or(strings.Compare(a.by, b.by), strings.Compare(a.to, b.to))
	}) {
		if err := n.hand(ctx, h, list[h], recipients[h.to]); err != nil {
			return err
		}
	}
	return nil
}

// handovers lists what it is this node's turn to hand over.
func (n *Node) handovers() (out map[handover][]record.ID, recipients map[string]string) {
	out, recipients = map[handover][]record.ID{}, map[string]string{}
	now := n.opts.Now()
	n.dues.mu.Lock()
	defer n.dues.mu.Unlock()
	n.ledger.View(func(s *mechanism.State) {
		epochs := s.Epochs()
		own := n.here(s)
		lacking := map[owing]time.Time{}
		for _, e := range epochs {
			owed := s.Owed(e.ID)
			if len(owed) == 0 {
				continue
			}
			given := n.ledger.Given(e.ID)
			turns := inTurn(s, e, e.Member)
			for member, named := range owed {
				turns := turns
				to := func(g replica.Given) bool { return g.Index > named && slices.Contains(g.Members, member) }
				if slices.ContainsFunc(given, to) {
					// By its maker, or that is still to come.
					if len(turns) == 0 || turns[0] != e.Member || slices.ContainsFunc(given, func(g replica.Given) bool { return g.By == e.Member && to(g) }) {
						continue
					}
					turns = turns[:1]
				}
				o := owing{e.ID, member}
				first, ok := n.dues.noticed[o]
				if !ok {
					first = now
				}
				lacking[o] = first
				others := slices.DeleteFunc(slices.Clone(turns), func(code string) bool { return code == member })
				for turn, by := range others {
					at, done := n.dues.handed[o]
					if slices.Contains(own, by) && !now.Before(first.Add(time.Duration(turn)*handTurn)) && (!done || now.Sub(at) >= handTurn) {
						h := handover{by, member}
						out[h] = append(out[h], e.ID)
						recipients[member] = s.Recipient(member)
						break
					}
				}
			}
		}
		n.dues.noticed = lacking
		maps.DeleteFunc(n.dues.handed, func(o owing, _ time.Time) bool { _, still := lacking[o]; return !still })
	})
	return out, recipients
}

// inTurn lists the readers of an epoch that are members, in the order in which they are to
// hand it over.
func inTurn(s *mechanism.State, e mechanism.Epoch, first string) (out []string) {
	for _, code := range e.Readers { // ascending
		if m, ok := s.Member(code); ok && !m.Left {
			out = append(out, code)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return b2i(b == first) - b2i(a == first) })
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// hand files keys of epochs for a member. Keys that are not here, though they were given, are
// left to the others.
func (n *Node) hand(ctx context.Context, h handover, epochs []record.ID, recipient string) error {
	waits, err := n.waiting(ctx, record.AudienceShared, func(st *record.Statement) bool { return st.Member == h.by })
	if err != nil || waits {
		return err // what waits may be just this
	}
	slices.SortFunc(epochs, func(a, b record.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	for len(epochs) > 0 {
		var ids []record.ID
		var keys []byte
		some := epochs[:min(len(epochs), maxHanded)]
		epochs = epochs[len(some):]
		for _, id := range some {
			if key, ok := n.epochKey(ctx, id); ok {
				ids, keys = append(ids, id), append(keys, key[:]...)
			}
		}
		if len(ids) == 0 {
			continue
		}
		file, err := vault.Encrypt(keys, recipient)
		if err != nil {
			return fmt.Errorf("hand keys over to %s: %w", h.to, err)
		}
		d := Draft{Kind: record.AudienceShared, Member: h.by, byNode: true, Body: &record.Handover{Epochs: ids, Keys: base64.StdEncoding.EncodeToString(file), Member: h.to}}
		if err := n.fileDue(ctx, d); err != nil {
			return err
		}
		n.dues.mu.Lock()
		if n.dues.handed == nil {
			n.dues.handed = map[owing]time.Time{}
		}
		for _, id := range ids {
			n.dues.handed[owing{id, h.to}] = n.opts.Now()
		}
		n.dues.mu.Unlock()
	}
	return nil
}
