// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// File signs a draft with the member's key on this node and hands it to the
// registry. When it returns, the record is durable and in the signed tree. A record
// that breaks a rule gives a *registry.Refused.
func (n *Node) File(ctx context.Context, d Draft) (registry.Receipt, error) {
	exercise := false
	if p := n.Pack(); p != nil {
		exercise = p.Exercise
	}
	return n.file(ctx, d, exercise)
}

func (n *Node) file(ctx context.Context, d Draft, exercise bool) (registry.Receipt, error) {
	receipts, err := n.fileTogether(ctx, []Draft{d}, exercise)
	if err != nil {
		return registry.Receipt{}, err
	}
	return receipts[0], nil
}

// FileTogether files drafts that make one act: all of them, durable in one commit and
// in their order, or none.
func (n *Node) FileTogether(ctx context.Context, drafts []Draft) ([]registry.Receipt, error) {
	exercise := false
	if p := n.Pack(); p != nil {
		exercise = p.Exercise
	}
	return n.fileTogether(ctx, drafts, exercise)
}

func (n *Node) fileTogether(ctx context.Context, drafts []Draft, exercise bool) ([]registry.Receipt, error) {
	drafts, keys, err := n.keyed(ctx, drafts)
	if err != nil {
		return nil, err
	}
	var subs []registry.Submission
	for _, d := range drafts {
		sub, err := n.Sign(d, exercise)
		if err != nil {
			return nil, err
		}
		if d.Kind.Own() {
			if sub, err = n.keepOwn(ctx, sub); err != nil {
				return nil, fmt.Errorf("file a %s: %w", d.Kind, err)
			}
		}
		subs = append(subs, sub)
	}
	receipts, err := n.door.SubmitTogether(ctx, subs)
	var refused *registry.Refused
	if errors.As(err, &refused) {
		err = n.keepRefusal(refused, drafts[0].Kind)
	}
	if err != nil {
		return nil, err
	}
	return receipts[keys:], nil
}

// keyed finds the keys of what is to be encrypted. Where an audience needs a new one, the
// records that bring it come first; keys is how many these are.
func (n *Node) keyed(ctx context.Context, drafts []Draft) (out []Draft, keys int, err error) {
	type whom struct{ audience, member, readers string }
	type epoch struct {
		id  record.ID
		key vault.EpochKey
	}
	known := map[whom]epoch{}
	var first []Draft
	for _, d := range drafts {
		if d.boxed() {
			k := whom{d.Audience, d.Member, strings.Join(d.Readers, " ")}
			e, ok := known[k]
			if !ok {
				var before []Draft
				if e.id, e.key, before, err = n.current(ctx, d.Audience, d.Member, d.Readers); err != nil {
					return nil, 0, err
				}
				for _, b := range before {
					named := func(x Draft) bool { return x.Kind == record.RecipientNamed && x.Kind == b.Kind && x.Member == b.Member }
					if b.Act = d.Act; !slices.ContainsFunc(first, named) {
						first = append(first, b)
					}
				}
				known[k] = e
			}
			d.epoch, d.key = e.id, e.key
		}
		out = append(out, d)
	}
	return append(first, out...), len(first), nil
}

// boxed tells whether the body is encrypted for its audience.
func (d *Draft) boxed() bool {
	st := record.Statement{Kind: d.Kind, Audience: d.audience(), Body: new(record.BodyRef)}
	return st.Boxed()
}

func (d *Draft) audience() string {
	if d.Audience != "" {
		return d.Audience
	}
	for _, a := range record.Audiences {
		if d.Kind.MayHave(a) {
			return a
		}
	}
	return record.AudiencePublic
}

// keepOwn puts an own body where it is to stay, before the record that commits to it
// is filed, and takes it out of what is handed in.
func (n *Node) keepOwn(ctx context.Context, sub registry.Submission) (registry.Submission, error) {
	if n.Office == nil {
		return sub, errors.New("the node's book of officers is not open")
	}
	env, err := record.ParseEnvelope(sub.Envelope)
	if err != nil {
		return sub, err
	}
	st, err := env.Statement()
	if err != nil {
		return sub, err
	}
	if err := n.Office.KeepBody(ctx, st.ID, sub.Body, sub.BodySalt); err != nil {
		return sub, err
	}
	return registry.Submission{Envelope: sub.Envelope}, nil
}

// keepRefusal writes the registry's signed refusal to the node's folder, where the
// member has it to show.
func (n *Node) keepRefusal(refused *registry.Refused, kind record.Kind) error {
	name := fmt.Sprintf("%s-%x.dsse.json", kind, sha256.Sum256(refused.Signed))
	path, err := n.private.SaveRefusal(name, refused.Signed)
	if err != nil {
		return errors.Join(refused, err)
	}
	return fmt.Errorf("%w (the signed refusal is in %s)", refused, path)
}

// Sign makes the submission of a draft without handing it in.
func (n *Node) Sign(d Draft, exercise bool, more ...*record.Signer) (registry.Submission, error) {
	fail := func(err error) (registry.Submission, error) {
		return registry.Submission{}, fmt.Errorf("sign a %s for %s: %w", d.Kind, d.Member, err)
	}
	signer, ok := n.signers[d.Member]
	if !ok {
		return fail(fmt.Errorf("this node has no key of that member; file on the member's own node"))
	}
	return n.signBy(signer, d, exercise, more...)
}

// signBy is Sign under a key that need not be the member's own here.
func (n *Node) signBy(signer *record.Signer, d Draft, exercise bool, more ...*record.Signer) (registry.Submission, error) {
	fail := func(err error) (registry.Submission, error) {
		return registry.Submission{}, fmt.Errorf("sign a %s for %s: %w", d.Kind, d.Member, err)
	}
	st := &record.Statement{
		Audience: d.audience(), Readers: d.Readers, ClaimedAt: n.opts.Now().UnixMilli(), Exercise: exercise, ID: d.ID, Kind: d.Kind, KindVersion: 1,
		Member: d.Member, Mission: n.Config.Mission, Officer: n.officer(d), Origin: n.Config.Origin, Rules: mechanism.RulesVersion,
		Subjects: d.Subjects, Supersedes: d.Supersedes, V: record.FormatVersion,
	}
	if !d.Act.IsZero() {
		st.Ext = map[string]string{record.ExtAct: d.Act.String()}
	}
	var err error
	if st.ID.IsZero() {
		if st.ID, err = record.NewID(n.opts.Rand); err != nil {
			return fail(err)
		}
	}
	var sub registry.Submission
	if d.Body != nil {
		if sub.Body, err = record.EncodeBody(d.Body); err != nil {
			return fail(err)
		}
		if _, err = io.ReadFull(n.opts.Rand, sub.BodySalt[:]); err != nil {
			return fail(fmt.Errorf("draw a salt: %w", err))
		}
		st.Body = &record.BodyRef{Alg: record.AlgFor(st.Audience)}
		if st.Body.Commitment, err = ledger.Commitment(st.Body.Alg, sub.BodySalt, sub.Body); err != nil {
			return fail(err)
		}
	}
	if st.Boxed() {
		if d.epoch.IsZero() {
			return fail(errors.New("no key of the audience was found for it"))
		}
		box, err := vault.Box(n.opts.Rand, st.ID, sub.Body, sub.BodySalt, d.epoch, d.key)
		if err != nil {
			return fail(err)
		}
		if sub.Body, err = box.Encode(); err != nil {
			return fail(err)
		}
		sub.BodySalt = ledger.Salt{}
	}
	payload, err := st.Encode()
	if err != nil {
		return fail(err)
	}
	if sub.Envelope, err = record.Seal(record.StatementType, payload, append([]*record.Signer{signer}, more...)...); err != nil {
		return fail(err)
	}
	return sub, nil
}

// officer is who files for a member from this node. The enrolment itself cannot be
// filed by an officer, who is not enrolled before it.
func (n *Node) officer(d Draft) record.ID {
	if !d.Officer.IsZero() {
		return d.Officer
	}
	if d.Kind == record.OfficerEnrolled || d.byNode {
		return record.ID{}
	}
	return n.Config.Officers[d.Member]
}

// CheckAccount tells whether the agreement in force has every code of an account.
func (n *Node) CheckAccount(b *record.Account) (err error) {
	n.ledger.View(func(s *mechanism.State) { err = s.CheckAccount(b) })
	return err
}

// BatchState is open, closed or withdrawn; empty if there is no such batch.
func (n *Node) BatchState(id record.ID) (state string) {
	n.ledger.View(func(s *mechanism.State) { state = s.BatchState(id) })
	return state
}

// Find looks for a record in the ledger by its statement's id.
func (n *Node) Find(ctx context.Context, id record.ID) (*Found, bool, error) {
	var index int64
	var ok bool
	n.ledger.View(func(s *mechanism.State) { index, ok = s.IndexOf(id) })
	if !ok {
		return nil, false, nil
	}
	f, err := n.at(ctx, index)
	return f, err == nil, err
}

// at reads the record at an index of the ledger.
func (n *Node) at(ctx context.Context, index int64) (*Found, error) {
	for e, err := range n.readable().Entries(ctx, index, index+1) {
		if err != nil {
			return nil, fmt.Errorf("read entry %d: %w", index, err)
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			return nil, fmt.Errorf("read entry %d: %w", index, err)
		}
		st, err := env.Statement()
		if err != nil {
			return nil, fmt.Errorf("read entry %d: %w", index, err)
		}
		if st.Boxed() && e.BodySalt == (ledger.Salt{}) {
			e.Body = nil // in a box that is not opened here
		}
		return &Found{Index: index, Statement: st, Body: e.Body}, nil
	}
	return nil, fmt.Errorf("read entry %d: it is not in the ledger", index)
}
