// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"truceline/cosign"
	"truceline/internal/ledgerstore"
	"truceline/internal/outbox"
	"truceline/ledger"
	"truceline/record"
)

// CarriedOut is what was written to a carry file.
type CarriedOut struct {
	Acts    int   // that wait
	Records int64 // of the ledger
	Size    int64 // of the ledger here
}

// CarryOut writes a carry file: what waits on this node, the newest heads it has seen, its
// own cosignatures among them, and the records of its copy from index recordsFrom on; none
// if that is below 0. Each act is marked as carried before any byte of it is written.
func (n *Node) CarryOut(ctx context.Context, w io.Writer, recordsFrom int64) (*CarriedOut, error) {
	out := &CarriedOut{}
	fail := func(err error) (*CarriedOut, error) { return nil, fmt.Errorf("write what is to be carried: %w", err) }
	if n.member != nil {
		if err := n.member.cosignHere(ctx); err != nil {
			return fail(err)
		}
	}
	head := n.Head()
	if recordsFrom > head.Size {
		return fail(fmt.Errorf("records from %d on are not here: this copy has %d", recordsFrom, head.Size))
	}
	out.Size = head.Size
	file, err := outbox.NewCarryWriter(w, n.carryHeader(head.Size))
	if err != nil {
		return fail(err)
	}
	if out.Records, err = n.carryRecords(ctx, file, recordsFrom, head.Size); err != nil {
		return fail(err)
	}
	if err := n.carryHeads(ctx, file); err != nil {
		return fail(err)
	}
	if n.Box != nil {
		for act, err := range n.Box.Waiting(ctx) {
			if err != nil {
				return fail(err)
			}
			if _, err := n.Box.Step(context.WithoutCancel(ctx), act.Seq, outbox.Carried, outbox.Detail{}); errors.As(err, new(*outbox.Impossible)) {
				continue // answered meanwhile
			} else if err != nil {
				return fail(err)
			}
			if err := file.Add(outbox.CarryItem{Kind: outbox.CarryAct, Act: act.Records}); err != nil {
				return fail(err)
			}
			out.Acts++
		}
	}
	if err := file.Close(); err != nil {
		return fail(err)
	}
	return out, nil
}

func (n *Node) carryHeader(size int64) outbox.CarryHeader {
	from := n.Config.Member
	if from == "" {
		from = n.Config.Registry
	}
	return outbox.CarryHeader{From: from, MadeAt: n.opts.Now().UnixMilli(), Mission: n.Config.Mission, Origin: n.Config.Origin, Size: size}
}

// carryRecords writes the records from ≤ index < to; none if from is below 0.
func (n *Node) carryRecords(ctx context.Context, file *outbox.CarryWriter, from, to int64) (done int64, err error) {
	if from < 0 || from >= to {
		return 0, nil
	}
	progress := n.progress("write the records")
	for e, err := range n.store.Entries(ctx, from, to) {
		if err != nil {
			return done, err
		}
		l := record.Line{Envelope: e.Envelope, Index: e.Index, LeafSalt: record.Digest(e.LeafSalt), LoggedAt: e.LoggedAt}
		if e.Body != nil {
			l.Body, l.BodySalt, l.Enc = e.Body, record.Digest(e.BodySalt), record.EncPlain
			if e.BodySalt == (ledger.Salt{}) { // in its box
				l.Enc = record.EncBox
			}
		}
		if err := file.Add(outbox.CarryItem{Kind: outbox.CarryRecord, Record: &l}); err != nil {
			return done, err
		}
		if done++; progress != nil && done%1000 == 0 {
			progress(done, to-from)
		}
	}
	return done, nil
}

// carryHeads writes the newest heads that this node knows, with the cosignatures they have.
func (n *Node) carryHeads(ctx context.Context, file *outbox.CarryWriter) error {
	var notes [][]byte
	if n.member != nil {
		n.member.mu.Lock()
		notes = append(notes, n.member.newest)
		n.member.mu.Unlock()
	}
	signed, err := n.Checkpoint(ctx)
	if err != nil && !errors.Is(err, ledgerstore.ErrNotFound) {
		return err
	}
	notes = append(notes, signed)
	if h, ok, err := n.Cosigned.Witnessed(ctx); err != nil {
		return err
	} else if ok {
		notes = append(notes, h.Note)
	}
	written := map[string]bool{}
	for _, signed := range notes {
		if signed == nil || written[string(signed)] {
			continue
		}
		written[string(signed)] = true
		if err := file.Add(outbox.CarryItem{Kind: outbox.CarryCheckpoint, Checkpoint: signed}); err != nil {
			return err
		}
	}
	return nil
}

// cosignHere cosigns the newest head that this copy has everything of, and keeps that here:
// it travels with the file.
func (m *member) cosignHere(ctx context.Context) error {
	held := m.heldHead()
	if held.Checkpoint == nil {
		return nil
	}
	sigs, err := m.cosignHead(ctx, held)
	if err != nil || len(sigs) == 0 {
		return err
	}
	_, log, err := ledger.ParseCheckpoint(held.Checkpoint, m.n.verifier)
	if err != nil {
		return err
	}
	signed, err := cosign.AddSignatures([]byte(log.Text+"\n"+cosign.Lines(log.Sigs...)), sigs...)
	if err != nil {
		return err
	}
	return m.keepCosigned(ctx, signed)
}
