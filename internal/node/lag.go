// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"time"

	"truceline/ledger"
)

// staleAfter is how long a registry may show an older head than one that was seen before
// that is an alarm: another of its machines may lag for a moment.
const staleAfter = 2 * time.Minute

// lag notes that the registry shows less than it has signed, and tells it so: it may have
// gone back in time, and must not sign anything before it knows. The error is that it does.
func (m *member) lag(ctx context.Context, shown ledger.Checkpoint, known []byte) (behind bool, err error) {
	now := m.n.opts.Now()
	if known == nil {
		return false, nil
	}
	last, err := m.parse(known)
	if err != nil {
		return false, err
	}
	behind = shown.Size < last.Size
	if m.other {
		return behind, nil
	}
	m.mu.Lock()
	if !behind {
		m.older = time.Time{}
	} else if m.older.IsZero() {
		m.older = now
	}
	since := m.older
	m.mu.Unlock()
	if since.IsZero() {
		return false, nil
	}
	if err := m.link.Cosign(ctx, known); err != nil {
		m.n.opts.Log.Warn("the registry shows less than it has signed", "shown", shown.Size, "signed", last.Size, "err", err)
	}
	if now.Sub(since) < staleAfter {
		return true, nil
	}
	_, err = m.n.raise(ctx, Alarm{Kind: OlderHead, Index: last.Size, What: fmt.Sprintf("the registry shows a head of %d records and has signed one of %d", shown.Size, last.Size)}, nil)
	return true, err
}

// doubt notes that what the registry answers is no answer, whatever it is asked: for a
// moment that may be the fault of what stands in between.
func (m *member) doubt(ctx context.Context, err error) error {
	now := m.n.opts.Now()
	m.mu.Lock()
	if err == nil {
		m.wrongSince = time.Time{}
	} else if wrongly(err) && m.wrongSince.IsZero() {
		m.wrongSince = now
	}
	since := m.wrongSince
	m.mu.Unlock()
	if !wrongly(err) || now.Sub(since) < staleAfter {
		return nil
	}
	_, err = m.n.raise(ctx, Alarm{Kind: WrongRecords, Index: -1, What: fmt.Sprintf("since %s the registry gives answers that do not hold: %v", clock(since.UnixMilli()), err)}, nil)
	return err
}
