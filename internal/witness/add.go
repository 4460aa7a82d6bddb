// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/ledger"
)

// AddCheckpoint asks the witness to cosign a checkpoint: the signed note of a log that
// [Witness.AddLog] named. Old is the size that the caller believes the witness holds, and
// proof shows that the tree of that size is a prefix of the checkpoint's. It returns one
// cosignature of each signer, in their order. When it returns them the file holds the
// checkpoint; when it returns an error it may hold it too, so that the caller learns by asking
// again.
//
// The head that is held already is cosigned again, at a later time.
//
// The errors, each with its HTTP status by C2SP tlog-witness: [ErrMalformed] 400,
// [ErrUnsigned] 403, [ErrUnknownLog] 404, [*ConflictError] 409, [ErrBadProof] 422, of which
// [*ForkError] is one, [ErrBusy] 503. Any other is a fault of the file: 500.
func (w *Witness) AddCheckpoint(ctx context.Context, old int64, proof []tlog.Hash, checkpoint []byte) ([]note.Signature, error) {
	origin, _, _ := strings.Cut(string(checkpoint[:min(len(checkpoint), ledger.MaxOriginBytes+1)]), "\n")
	keys := w.keys(origin)
	if keys == nil {
		return nil, fmt.Errorf("cosign a checkpoint of %.100q: %w", origin, ErrUnknownLog)
	}
	what := "cosign a checkpoint of " + origin
	c, n, err := ledger.ParseCheckpoint(checkpoint, keys...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", what, kindOf(err), err)
	}
	// The lines of others are left out: nobody can have them served under this witness's name.
	signed := c.Text() + "\n" + cosign.Lines(n.Sigs...)
	sigs, err := w.accept(ctx, cosign.Request{Old: old, Proof: proof, Checkpoint: c}, []byte(signed))
	if err != nil {
		return nil, wrap(what, err)
	}
	return sigs, nil
}

// kindOf tells a checkpoint that is not well formed from one that is not well signed.
func kindOf(err error) error {
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	if errors.As(err, &unverified) || errors.As(err, &invalid) {
		return ErrUnsigned
	}
	return ErrMalformed
}

// accept decides on a request and writes what was decided, in one transaction that keeps
// every other writer out. Its commit is the point from which the checkpoint counts as
// cosigned: no signature leaves before it.
func (w *Witness) accept(ctx context.Context, r cosign.Request, signed []byte) ([]note.Signature, error) {
	tx, err := w.write.BeginTx(ctx, nil) // immediate
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	have, err := load(ctx, tx, r.Checkpoint.Origin)
	if err != nil {
		return nil, err
	}
	switch verdict := cosign.Decide(have.held, r); verdict {
	case cosign.Accept:
	case cosign.Conflict:
		return nil, &ConflictError{Size: have.held.Size}
	case cosign.Malformed:
		return nil, ErrMalformed
	case cosign.BadProof:
		if have.checkpoint != nil && r.Checkpoint.Size == have.held.Size && r.Checkpoint.Root != have.held.Root {
			return nil, &ForkError{Held: have.checkpoint, Submitted: signed}
		}
		return nil, ErrBadProof
	default:
		return nil, fmt.Errorf("there is no answer to the verdict %q", verdict)
	}
	// "As of this time the largest tree seen": times must not go back either.
	at := max(w.now().Unix(), have.at)
	sigs := make([]note.Signature, len(w.signers))
	for i, s := range w.signers {
		if sigs[i], err = s.Cosign(r.Checkpoint.Text(), at); err != nil {
			return nil, err
		}
	}
	checkpoint, err := cosign.AddSignatures(signed, sigs...)
	if err != nil {
		return nil, err
	}
	c := r.Checkpoint
	if err := store(ctx, tx, c.Origin, row{cosign.Held{Size: c.Size, Root: c.Root}, at, checkpoint}); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return sigs, nil
}
