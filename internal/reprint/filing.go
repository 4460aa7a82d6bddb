// SPDX-License-Identifier: Apache-2.0

package reprint

import (
	"context"
	"fmt"

	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// fold lets the rules run over what was given, where a notice is among it: only they tell
// how a filing of versions stands. Where records were left out that the rules would need, the
// state is not to be had, and pages say nothing of filings.
func (r *Reprint) fold(ctx context.Context) error {
	notices := false
	for l, err := range r.Logged(ctx) {
		if err != nil {
			return err
		}
		if st, err := statement(l); err == nil && st.Kind == record.NoticeFiled {
			notices = true
			break
		}
	}
	if !notices {
		return nil
	}
	state := mechanism.New()
	for l, err := range r.Logged(ctx) {
		if err != nil {
			return err
		}
		e, err := mechanism.OpenEnvelope(l.Envelope)
		if err == nil {
			err = e.AddBody(l.Body, ledger.Salt(l.BodySalt))
		}
		if err == nil {
			err = state.Admit(e, l.LoggedAt)
		}
		if err != nil {
			return nil
		}
	}
	r.state = state
	return nil
}

// Filing is how the filing of an incident's versions stood, for the reader of the bag; false
// where no notice opened the incident, or that cannot be told from what was given.
func (r *Reprint) Filing(_ context.Context, incident record.ID) (mechanism.Filing, bool, error) {
	if r.state == nil {
		return mechanism.Filing{}, false, nil
	}
	f, ok := r.state.Filing(incident)
	if !ok || f.Closing < 0 {
		return f, ok, nil
	}
	at, err := r.Index(f.Closing)
	if err != nil {
		return mechanism.Filing{}, false, fmt.Errorf("the filing of %s: %w", incident, err)
	}
	f.Closing = at
	if f.ClosedAt <= f.Deadline || r.Has(at-1) {
		return f, true, nil
	}
	// What closed it may be a record of which there is no line: it counts as closed at its
	// deadline, which everybody knows.
	for i := range f.Answers {
		if a := &f.Answers[i]; a.State == mechanism.Sealed { // what was late counts from its own time
			a.EscrowFrom -= f.ClosedAt - f.Deadline
		}
	}
	f.Closing, f.ClosedAt = at-1, f.Deadline
	return f, true, nil
}

// Asks lists no filing: nobody files here.
func (r *Reprint) Asks(context.Context, string) []mechanism.Filing { return nil }
