// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"truceline/cosign"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/record"
)

// CarriedIn says what became of a carry file.
type CarriedIn struct {
	Header outbox.CarryHeader
	// Of the acts in it: in the registry's node, and in a member's that handed them on.
	Admitted, Refused int
	Failed            []string // why the others were not taken; they may be carried in again
	// Of what was for this node itself.
	Records    int64 // that its copy has more
	Size       int64 // of its copy now
	Receipted  int   // acts of this node whose receipts were verified
	TurnedDown int   // acts of this node whose refusals were verified
	Notes      []string
	// Replied is what was written as the answer; nil if none was asked for.
	Replied *CarriedOut
}

func (c *CarriedIn) fail(format string, a ...any) {
	c.Failed = append(c.Failed, fmt.Sprintf(format, a...))
}
func (c *CarriedIn) note(format string, a ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, a...))
}

// CarryIn takes in a carry file, as if what is in it had come over a line. It is read to its
// end before anything of it is used, and refused whole if it is not what was written. The
// registry's node admits what waits in it; a member's extends its copy, and takes receipts
// and refusals of its own acts. With reply the answer to the sender is written: it is a
// whole file only if no error is returned.
//
// A file that is carried in twice, or that holds what came over the line, changes nothing
// the second time, and is answered with the same receipts.
func (n *Node) CarryIn(ctx context.Context, r io.ReadSeeker, reply io.Writer) (*CarriedIn, error) {
	fail := func(err error) (*CarriedIn, error) { return nil, fmt.Errorf("take in what was carried: %w", err) }
	file, err := outbox.OpenCarry(r)
	if err != nil {
		return fail(err)
	}
	h := file.Header
	if h.Mission != n.Config.Mission || h.Origin != n.Config.Origin {
		return fail(fmt.Errorf("the file is of the log %s, mission %s, and this node is of %s, mission %s; nothing of it was used", h.Origin, h.Mission, n.Config.Origin, n.Config.Mission))
	}
	heads, err := n.carriedHeads(file)
	if err != nil {
		return fail(err)
	}
	in := &CarriedIn{Header: h}
	if n.member != nil {
		err = n.member.carryIn(ctx, file, heads, in)
	} else {
		err = n.takeHeads(ctx, heads, in)
	}
	if err != nil {
		return fail(err)
	}
	in.Size = n.ledger.Head().Size
	answers, err := n.carriedActs(ctx, file, in)
	if err != nil {
		return fail(err)
	}
	if c := file.Counts[outbox.CarryEvidence]; c > 0 {
		in.note("%d pieces of evidence are in it; check them with truceline verify evidence", c)
	}
	if reply != nil {
		if in.Replied, err = n.answer(ctx, reply, h.Size, answers); err != nil {
			return fail(err)
		}
	}
	return in, nil
}

// signedHead is a checkpoint that the log has signed, with the cosignatures it came with.
type signedHead struct {
	ledger.Checkpoint
	signed []byte
}

// carriedHeads reads the heads of a file and the cosignatures of each.
func (n *Node) carriedHeads(file *outbox.CarryFile) (out []signedHead, err error) {
	var lines [][]byte
	at := map[string]int{}
	for item, err := range file.Items() {
		if err != nil {
			return nil, err
		}
		switch item.Kind {
		case outbox.CarryCheckpoint:
			c, err := n.parseHead(item.Checkpoint)
			if err != nil {
				return nil, fmt.Errorf("a head in the file is not one that this log has signed: %w; nothing of it was used", err)
			}
			if _, again := at[c.Text()]; again {
				lines = append(lines, item.Checkpoint)
				continue
			}
			at[c.Text()] = len(out)
			out = append(out, signedHead{c, item.Checkpoint})
		case outbox.CarryCosignatures:
			lines = append(lines, item.Cosignatures)
		}
	}
	for _, signed := range lines {
		text, sigs, ok := strings.Cut(string(signed), "\n\n")
		i, known := at[text+"\n"]
		if !ok || !known {
			continue // of a head that is not in the file
		}
		more, err := cosign.ParseLines(sigs)
		if err != nil {
			continue
		}
		if added, err := cosign.AddSignatures(out[i].signed, more...); err == nil {
			out[i].signed = added
		}
	}
	return out, nil
}

// takeHeads is the registry's part: what members have seen and cosigned.
func (n *Node) takeHeads(ctx context.Context, heads []signedHead, in *CarriedIn) error {
	for _, h := range heads {
		switch err := n.TakeCosignatures(ctx, h.signed); {
		case errors.Is(err, ErrBehind):
			return err
		case err != nil:
			in.note("the cosignatures of the head of %d records were not taken: %v", h.Size, err)
		}
	}
	return nil
}

// answers are what the registry said to the acts of a file, in their order.
type answers struct {
	receipts  []registry.Receipt // in the registry's node
	receipted []Receipted        // in a member's, that handed them on
	refusals  [][]byte
}

// carriedActs hands in every act of a file. One that is bad does not stop the others.
func (n *Node) carriedActs(ctx context.Context, file *outbox.CarryFile, in *CarriedIn) (a answers, err error) {
	total, done := file.Counts[outbox.CarryAct], int64(0)
	if total == 0 {
		return a, nil
	}
	progress := n.progress("hand in what was carried")
	for item, err := range file.Items() {
		if err != nil {
			return a, err
		}
		if item.Kind != outbox.CarryAct {
			continue
		}
		subs := make([]registry.Submission, len(item.Act))
		for i, s := range item.Act {
			subs[i] = registry.Submission{Envelope: s.Envelope, Body: s.Body, BodySalt: s.BodySalt}
		}
		var refused *registry.Refused
		switch err := n.handIn(ctx, subs, &a); {
		case err == nil:
			in.Admitted++
		case errors.As(err, &refused):
			in.Refused++
			a.refusals = append(a.refusals, refused.Signed)
		case errors.Is(err, ErrWaiting), errors.Is(err, ErrBehind), unreached(err), ctx.Err() != nil:
			// The door is shut for the others, too.
			in.fail("%d acts: %v", total-done, err)
			return a, nil
		default:
			in.fail("the act of record %s: %v", item.Act[0].ID, err)
		}
		if done++; progress != nil {
			progress(done, total)
		}
	}
	return a, nil
}

func (n *Node) handIn(ctx context.Context, subs []registry.Submission, a *answers) error {
	if n.Registry == nil {
		got, err := n.HandOn(ctx, subs)
		a.receipted = append(a.receipted, got...)
		return err
	}
	got, err := n.door.SubmitTogether(ctx, subs)
	for i := range got {
		got[i].Checkpoint = nil // the answer has one for all
	}
	a.receipts = append(a.receipts, got...)
	return err
}

// answer writes what goes back to the sender of a file who has so many records.
func (n *Node) answer(ctx context.Context, w io.Writer, has int64, a answers) (*CarriedOut, error) {
	l := n.Log()
	out := &CarriedOut{Size: l.Head().Size}
	file, err := outbox.NewCarryWriter(w, n.carryHeader(out.Size))
	if err != nil {
		return nil, err
	}
	if out.Records, err = n.carryRecords(ctx, file, has, out.Size); err != nil {
		return nil, err
	}
	if err := n.carryHeads(ctx, file); err != nil {
		return nil, err
	}
	proved, err := l.receipted(ctx, a.receipts)
	if err != nil {
		return nil, err
	}
	for _, r := range append(proved, a.receipted...) {
		p, err := ledger.ParseTLogProof(r.Proof)
		if err != nil {
			return nil, fmt.Errorf("the receipt of %s: %w", r.ID, err)
		}
		if err := file.Add(outbox.CarryItem{Kind: outbox.CarryReceipt, Receipt: &outbox.Receipt{
			ID: r.ID, Index: r.Index, LoggedAt: r.LoggedAt, LeafSalt: r.LeafSalt, Checkpoint: p.Checkpoint, Proof: r.Proof,
		}}); err != nil {
			return nil, err
		}
		out.Acts++
	}
	for _, signed := range a.refusals {
		if err := file.Add(outbox.CarryItem{Kind: outbox.CarryRefusal, Refusal: signed}); err != nil {
			return nil, err
		}
		out.Acts++
	}
	return out, file.Close()
}

// statementOf tells which record a signed refusal is about, without believing it.
func statementOf(refusal []byte) (id record.ID, err error) {
	e, err := record.ParseEnvelope(refusal)
	if err != nil {
		return id, err
	}
	var r record.Refusal
	if err := record.DecodeStrict(e.Payload, &r); err != nil {
		return id, err
	}
	return r.Statement, nil
}
