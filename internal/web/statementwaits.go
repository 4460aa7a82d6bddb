// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"reflect"
	"slices"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/record"
)

// boxedForm finds the act of the outbox that a statement's form was signed as, by the
// form's token; ok is false where it was not, or there is no outbox here.
func (s *server) boxedForm(ctx context.Context, values acts.Values, kind record.Kind) (act outbox.Act, ok bool, err error) {
	if s.Outbox == nil {
		return act, false, nil
	}
	token, err := record.ParseID(values.Get("form"))
	if err != nil {
		return act, false, nil
	}
	return s.Outbox.Find(ctx, acts.FormID(token, kind))
}

// fileAgain looks whether the form that is to be filed was signed before. One that waits is
// not signed again; it answers then. One that the registry refused is a new form.
func (s *server) fileAgain(v *view, r *http.Request, p *statementPage) (answered bool, err error) {
	act, ok, err := s.boxedForm(r.Context(), p.values, p.kind())
	if !ok || err != nil {
		return false, err
	}
	switch act.State {
	case outbox.Refused, outbox.SetAside:
		token, err := record.NewID(rand.Reader)
		p.values["form"] = []string{token.String()}
		return false, err
	case outbox.Receipted:
		// The plan says what the ledger has of it. Where the copy here does not reach so far
		// yet, the outbox knows more.
		if _, err := s.Source.Record(r.Context(), act.Records[len(act.Records)-1].ID); !notFound(err) {
			return false, err
		}
	default:
		if !s.signedAs(r.Context(), v, p, &act) {
			p.show = "file"
			return true, s.keepAndShow(v, r, *p)
		}
	}
	v.leadToBox(act.ID)
	return true, nil
}

// signedAs tells whether the form says what was signed.
func (s *server) signedAs(ctx context.Context, v *view, p *statementPage, act *outbox.Act) bool {
	planner, ok := s.Desk.(Planner)
	if !ok {
		return true
	}
	drafts, err := planner.Plan(ctx, v.acting(), p.act, p.values)
	if err != nil || len(drafts) != len(act.Records) {
		return false
	}
	for _, d := range drafts {
		if d.Account != nil {
			if !s.sealedAs(act, &d) {
				return false
			}
			continue
		}
		body, err := record.EncodeBody(d.Body)
		if err != nil || !slices.ContainsFunc(act.Records, func(x outbox.Submission) bool { return x.ID == d.ID && bytes.Equal(x.Body, body) }) {
			return false
		}
	}
	return true
}

// Sealer is what a Desk may do besides: tell its own officers what it has sealed. Without it
// a version that waits sealed is taken for what the form says.
type Sealer interface {
	SealedHere(commitment record.Digest) (*record.Opened, error)
}

var _ Sealer = (*node.Node)(nil)

// sealedAs tells whether what is planned to be sealed is what was sealed and waits.
func (s *server) sealedAs(act *outbox.Act, d *acts.Draft) bool {
	sealer, ok := s.Desk.(Sealer)
	if !ok {
		return true
	}
	for _, x := range act.Records {
		if x.ID != d.ID {
			continue
		}
		b, err := record.ParseBody(record.AccountSealed, x.Body)
		if err != nil {
			return false
		}
		sealed, ok := b.(*record.Sealed)
		if !ok {
			return false
		}
		was, err := sealer.SealedHere(sealed.Commitment)
		if err != nil {
			return false
		}
		before, err := record.EncodeBody(&was.Account)
		now, err2 := record.EncodeBody(d.Account)
		return err == nil && err2 == nil && bytes.Equal(before, now)
	}
	return false
}

// keepWaiting leads to what was signed and waits. The form stays a draft until there is a
// receipt, since the registry may refuse it.
func (s *server) keepWaiting(v *view, r *http.Request, p statementPage, act record.ID) error {
	if err := s.keep(r.Context(), v, &p); err != nil && !errors.Is(err, office.ErrLimit) {
		s.Log.Error("there is no draft of what waits in the outbox", "act", act, "err", err)
	}
	v.leadToBox(act)
	return nil
}

// showWaiting finds whether the form was signed and is in the outbox.
func (s *server) showWaiting(ctx context.Context, p *statementPage) error {
	if p.filed != nil {
		return nil
	}
	act, ok, err := s.boxedForm(ctx, p.values, p.kind())
	if ok && act.State != outbox.Receipted {
		p.boxed = &act
	}
	return err
}

// saysFiled tells whether a draft says what is in the ledger by now. One that was changed
// after it was signed stays.
func (s *server) saysFiled(ctx context.Context, v *view, d *office.Draft) bool {
	planner, ok := s.Desk.(Planner)
	if !ok {
		return false
	}
	_, err := planner.Plan(ctx, v.acting(), draftAct(d.Kind), acts.Values(d.Values))
	var filed *acts.Filed
	return errors.As(err, &filed) && filed.Same
}

// draftsNow are an officer's drafts with what became of those that were signed. The draft
// of what is in the ledger by now goes.
func (s *server) draftsNow(ctx context.Context, v *view) (list []office.Draft, boxed map[record.ID]outbox.Act, err error) {
	list, err = s.Office.Drafts(ctx, v.who.ID)
	if err != nil || s.Outbox == nil {
		return list, nil, err
	}
	boxed = map[record.ID]outbox.Act{}
	said := map[record.ID]map[string][]string{} // by what was signed, the values of its newest draft
	kept := list[:0]
	for _, d := range list {
		whole, err := s.Office.Draft(ctx, v.who.ID, d.ID)
		if err != nil {
			if notFound(err) {
				continue
			}
			return nil, nil, err
		}
		act, ok, err := s.boxedForm(ctx, whole.Values, formKind(draftAct(d.Kind)))
		if err != nil {
			return nil, nil, err
		}
		// A browser that goes back to the form keeps what it says a second time.
		again := ok && reflect.DeepEqual(said[act.ID], whole.Values)
		if again || ok && act.State == outbox.Receipted && s.saysFiled(ctx, v, &whole) {
			if err := s.Office.DeleteDraft(ctx, v.who.ID, d.ID); err != nil && !notFound(err) {
				return nil, nil, err
			}
			continue
		}
		if ok {
			boxed[d.ID], said[act.ID] = act, whole.Values
		}
		kept = append(kept, d)
	}
	return kept, boxed, nil
}
