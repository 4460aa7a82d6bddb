// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"

	"truceline/internal/projection"
	"truceline/mechanism"
	"truceline/record"
)

// Filing is how the filing of an incident's versions stands by the rules; false where no
// notice opened the incident.
func (n *Node) Filing(incident record.ID) (f mechanism.Filing, ok bool) {
	n.ledger.View(func(s *mechanism.State) { f, ok = s.Filing(incident) })
	return f, ok
}

// PublicFiling is Filing for everybody: false where the notice is not for everybody. All
// records of a filing are for those who read its notice, so that nothing else of it is kept
// from them but the entry that closed it, where that is about something else and for fewer.
// Then the filing counts as closed at its deadline, which everybody knows.
func (n *Node) PublicFiling(ctx context.Context, incident record.ID) (f mechanism.Filing, ok bool, err error) {
	f, ok = n.Filing(incident)
	if !ok || f.Audience != record.AudiencePublic {
		return mechanism.Filing{}, false, nil
	}
	if f.ClosedAt <= f.Deadline {
		return f, true, nil // open, or closed by the last answer
	}
	switch _, err := n.Public().RecordAt(ctx, f.Closing); {
	case err == nil:
		return f, true, nil
	case !errors.Is(err, projection.ErrNotFound):
		return mechanism.Filing{}, false, err
	}
	for i := range f.Answers {
		if a := &f.Answers[i]; a.State == mechanism.Sealed { // what was late counts from its own time
			a.EscrowFrom -= f.ClosedAt - f.Deadline
		}
	}
	f.ClosedAt = f.Deadline
	return f, true, nil
}

// Asks lists the open filings that still wait for a member's answer, the first notice first.
func (n *Node) Asks(member string) (out []mechanism.Filing) {
	n.ledger.View(func(s *mechanism.State) {
		for _, id := range s.OpenFilings() {
			f, _ := s.Filing(id)
			for _, a := range f.Answers {
				if a.Member == member && a.State == mechanism.Invited {
					out = append(out, f)
				}
			}
		}
	})
	return out
}
