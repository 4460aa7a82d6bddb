// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"slices"
	"time"

	"truceline/internal/cosigned"
	"truceline/quorum"
	"truceline/record"
)

// bracket is between which times witnesses prove that a record was logged, and who they
// are. Times are Unix milliseconds.
type bracket struct {
	policy bool // the agreement asks for witnesses
	// after is a time at which the record was not in the log that witnesses had seen; by a
	// time by which it was. 0: no witness says so.
	after, by int64
	seen      []seenBy // who has cosigned the record, as far as is known here
	missing   []string // witnesses of the policy that have not, in words
	mirrors   []string // members whose mirrors hold it, in words
	rules     []string // members whose nodes found that it passed the rules, in words
	// early and late are by how much the claimed time lies outside the interval, beyond
	// what the agreement allows clocks to differ. 0: it does not.
	early, late time.Duration
	bound       time.Duration
	size        int64 // of the first witnessed head with the record
}

// seenBy is a witness with the time of its cosignature, by its own clock.
type seenBy struct {
	name string
	at   int64
}

// witnessed tells whether a quorum has cosigned the record.
func (b *bracket) witnessed() bool { return b.by > 0 }

func (s *server) bracketOf(ctx context.Context, v *view, index, claimedAt int64) (*bracket, error) {
	if s.Nodes == nil {
		return nil, nil
	}
	c, err := s.Nodes.Cosigning(ctx)
	if err != nil {
		return nil, err
	}
	before, after, err := s.Nodes.Bracket(ctx, index)
	if err != nil {
		return nil, err
	}
	b := &bracket{policy: c.Policy != nil, bound: time.Duration(v.pack.ClockBoundMS()) * time.Millisecond}
	if before != nil {
		b.after = before.SureAt * 1000
	}
	if after != nil {
		b.by, b.size = after.MetAt*1000, after.Size
		b.takeHead(v, after)
	} else {
		b.takeNewest(v, &c, index)
	}
	b.compare(claimedAt)
	for _, k := range c.Keys {
		if c.Last[k.VKey].Size <= index {
			continue
		}
		switch k.Role {
		case record.MirrorCosigner:
			b.mirrors = append(b.mirrors, v.memberName(k.Member))
		case record.RulesCosigner:
			b.rules = append(b.rules, v.memberName(k.Member))
		}
	}
	return b, nil
}

// takeHead takes who has cosigned from the first witnessed head with the record, and who
// has not, of those that the policy named then.
func (b *bracket) takeHead(v *view, h *cosigned.Head) {
	p, err := quorum.Parse(h.Policy)
	if err != nil {
		return // the head met a policy that this program cannot read; its times stand
	}
	for _, w := range p.Witnesses {
		at := slices.IndexFunc(h.Marks, func(m cosigned.Mark) bool { return m.VKey == w.VKey })
		if at < 0 {
			b.missing = append(b.missing, v.cosigner(w.VKey))
			continue
		}
		b.seen = append(b.seen, seenBy{v.cosigner(w.VKey), h.Marks[at].FirstAt * 1000})
	}
}

// takeNewest takes them from what each witness of the policy has signed last.
func (b *bracket) takeNewest(v *view, c *Cosigning, index int64) {
	if c.Policy == nil {
		return
	}
	for _, w := range c.Policy.Witnesses {
		if seen := c.Last[w.VKey]; seen.Size > index {
			b.seen = append(b.seen, seenBy{v.cosigner(w.VKey), seen.At * 1000})
		} else {
			b.missing = append(b.missing, v.cosigner(w.VKey))
		}
	}
}

// compare sets a claimed time beside the interval.
func (b *bracket) compare(claimedAt int64) {
	bound := b.bound.Milliseconds()
	if b.after > 0 && claimedAt < b.after-bound {
		b.early = time.Duration(b.after-claimedAt) * time.Millisecond
	}
	if b.by > 0 && claimedAt > b.by+bound {
		b.late = time.Duration(claimedAt-b.by) * time.Millisecond
	}
}
