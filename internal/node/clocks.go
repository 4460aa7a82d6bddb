// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"truceline/mechanism"
	"truceline/record"
)

// longestWait is by how much a claimed time may be before the logged one without an alarm:
// a record that was signed while the line was cut waits.
const longestWait = 7 * 24 * time.Hour

// clocks compares the times of new records with this node's clock: a record cannot be
// logged later than now, nor before the registry showed a head that did not have it. What it
// finds is for when it is known that the log has these records; the first says all.
func (m *member) clocks(lines []*record.Line) *Alarm {
	bound := m.n.clockBound()
	now := m.n.opts.Now().UnixMilli()
	m.mu.Lock()
	size, at := m.shownSize, m.shownAt
	m.mu.Unlock()
	for _, l := range lines {
		what := ""
		switch {
		case l.LoggedAt > now+bound:
			what = fmt.Sprintf("record %d came at %s and says that it was logged at %s", l.Index, clock(now), clock(l.LoggedAt))
		case !at.IsZero() && l.Index >= size && l.LoggedAt < at.UnixMilli()-bound:
			what = fmt.Sprintf("record %d says that it was logged at %s, and the log that was shown here at %s did not have it", l.Index, clock(l.LoggedAt), clock(at.UnixMilli()))
		default:
			continue
		}
		return &Alarm{Kind: FalseTime, Index: l.Index, What: what + "; if so does the clock of other members' nodes, it is the registry's that is wrong, and if not, this node's"}
	}
	return nil
}

// farOff gives what notices a member that claims a time later than now, or a week before
// its record was logged. It holds them against the earlier of two clocks, so that neither
// that of the registry nor that of this node alone makes a member's look slow, and a late
// one against this node's.
func (m *member) farOff() func(index, loggedAt int64, st *record.Statement) {
	bound := m.n.clockBound()
	now := m.n.opts.Now().UnixMilli()
	return func(index, loggedAt int64, st *record.Statement) {
		what := ""
		switch {
		case st.ClaimedAt > now+bound:
			what = fmt.Sprintf("record %d of %s came at %s and says that it was signed at %s", index, st.Member, clock(now), clock(st.ClaimedAt))
		case st.ClaimedAt < min(now, loggedAt)-longestWait.Milliseconds():
			what = fmt.Sprintf("record %d of %s was logged at %s and says that it was signed at %s", index, st.Member, clock(loggedAt), clock(st.ClaimedAt))
		default:
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if !slices.ContainsFunc(m.far, func(a Alarm) bool { return a.Member == st.Member }) {
			m.far = append(m.far, Alarm{Kind: FarOffClock, Index: index, Member: st.Member, What: what})
		}
	}
}

// accuseHeld raises the alarms over records that the copy holds now.
func (m *member) accuseHeld(ctx context.Context) {
	m.accuseBroken(ctx)
	m.mu.Lock()
	list := m.far
	m.far = nil
	m.mu.Unlock()
	for _, a := range list {
		if _, err := m.n.raise(ctx, a, nil); err != nil {
			m.n.opts.Log.Error("an alarm is not kept", "what", a.What, "err", err)
		}
	}
}

// clockBound is the agreed bound between clocks, in milliseconds.
func (n *Node) clockBound() (ms int64) {
	n.ledger.View(func(s *mechanism.State) { ms = s.Pack().ClockBoundMS() })
	return ms
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
