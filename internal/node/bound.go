// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"truceline/internal/cosigned"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// ErrNotBound: what closed a filing, or what was sealed, is not witnessed yet.
var ErrNotBound = errors.New("it is not witnessed yet: wait until enough members have cosigned it")

// bound is nil once a head is witnessed that holds the entry which closed a filing and the
// sealed account. It goes by the policy in force at the notice: whoever orders the log enters
// agreements, too, and could otherwise put one in force by which a single friend witnesses,
// have a closing witnessed by that, and take it back when he has read what was opened. The
// sealed account is in it so that what is opened cannot be made one that was never sealed.
func (n *Node) bound(ctx context.Context, s *mechanism.State, f mechanism.Filing, sealed record.ID) error {
	at := f.Closing
	if index, ok := s.IndexOf(sealed); ok {
		at = max(at, index)
	}
	met, err := n.witnessedBy(ctx, f.Policy, at+1)
	if err != nil {
		return err
	}
	if !met {
		return fmt.Errorf("entry %d, by which the filing is closed and the version sealed, is in no head that the policy in force at the notice calls witnessed: %w", at, ErrNotBound)
	}
	return nil
}

// witnessedBy tells whether a head of at least size entries meets a policy; where that is
// empty, the policy in force when the head was cosigned. A later policy may call other heads
// witnessed than the one asked for, so that the newest head that has any cosignature, the
// newest witnessed one and the first witnessed one with the entry are looked at.
func (n *Node) witnessedBy(ctx context.Context, policy string, size int64) (bool, error) {
	newest, there, err := n.Cosigned.Witnessed(ctx)
	if err != nil || policy == "" {
		return there && newest.Size >= size, err
	}
	p, err := quorum.Parse(policy)
	if err != nil {
		return false, fmt.Errorf("the policy in force at the notice: %w", err)
	}
	heads := []cosigned.Head{newest}
	last, _, err := n.Cosigned.Newest(ctx)
	if err != nil {
		return false, err
	}
	_, first, err := n.Cosigned.Bracket(ctx, size-1)
	if err != nil {
		return false, err
	}
	if heads = append(heads, last); first != nil {
		heads = append(heads, *first)
	}
	for _, h := range heads {
		if h.Size < size {
			continue
		}
		if r, err := p.Check(h.Note); err == nil && r.Witnessed {
			return true, nil
		}
	}
	return false, nil
}
