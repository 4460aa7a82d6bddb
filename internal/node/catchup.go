// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/local"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

// CaughtUpLog is what a registry's ledger was brought to.
type CaughtUpLog struct {
	Records int64 // that were appended
	Size    int64 // of the ledger now
}

// CatchUp brings the ledger of a registry's node that is not running up to what its own
// key has signed: the records that it lacks are read from a mirror of the log, verified
// from the first to the last with the rules, and appended under the log's own signed head.
// Nothing is appended unless all of it continues the ledger here.
//
// It is the way on for a registry that was put back from an older backup, whose witnesses
// hold more than it does.
func CatchUp(ctx context.Context, dir string, from verify.Fetcher, opts Options) (*CaughtUpLog, error) {
	fail := func(err error) (*CaughtUpLog, error) {
		return nil, fmt.Errorf("catch up the registry in %s: %w", dir, err)
	}
	priv, cfg, err := local.Open(dir)
	if err != nil {
		return fail(err)
	}
	if cfg.Member != "" {
		return fail(errors.New("this is a member's node: it follows the registry by itself when it runs"))
	}
	n := newNode(priv, cfg, opts)
	defer n.Close()
	if err := n.openLedger(ctx, priv); err != nil {
		return fail(err)
	}
	out, err := n.catchUpFrom(ctx, from)
	if err != nil {
		return fail(err)
	}
	return out, nil
}

// pinned is a log as of one of its heads, however it grows meanwhile.
type pinned struct {
	verify.Fetcher
	signed []byte
}

func (p pinned) Read(ctx context.Context, path string) ([]byte, error) {
	if path == "checkpoint" {
		return p.signed, nil
	}
	return p.Fetcher.Read(ctx, path)
}

func (n *Node) catchUpFrom(ctx context.Context, from verify.Fetcher) (*CaughtUpLog, error) {
	signed, err := from.Read(ctx, "checkpoint")
	if err != nil {
		return nil, fmt.Errorf("read the mirror's signed head: %w", err)
	}
	c, log, err := ledger.ParseCheckpoint(signed, n.verifier)
	if err == nil && c.Origin != n.Config.Origin {
		err = fmt.Errorf("it is of the log %s", c.Origin)
	}
	if err != nil {
		return nil, fmt.Errorf("the mirror's head is not one that this log has signed: %w", err)
	}
	have := n.ledger.Head().Size
	out := &CaughtUpLog{Size: have}
	if c.Size <= have {
		root, err := n.rootAt(ctx, c.Size)
		if err == nil && root != c.Root {
			err = fmt.Errorf("%w: the mirror has a signed head of %d records that is not of the ledger here. Keep both, and let nobody use this log's key again", ErrTwoHistories, c.Size)
		}
		return out, err
	}
	source := pinned{from, signed}
	report, err := verify.Log(ctx, source, verify.Options{Key: n.Config.LogKey, Rules: true, Progress: n.progress("verify the mirror")})
	if err != nil {
		return nil, err
	}
	if report.Outcome() != verify.Good {
		return nil, fmt.Errorf("the mirror is not whole: %s Try another mirror, or put several together with truceline rebuild-log", report.Verdict())
	}
	tree, err := n.grow(ctx, source, have, c)
	if err != nil {
		return nil, err
	}
	final := []byte(log.Text + "\n" + cosign.Lines(log.Sigs...)) // without the lines of others
	if err := n.append(ctx, source, tree, c, final); err != nil {
		return nil, err
	}
	out.Size = n.ledger.Head().Size
	out.Records = out.Size - have
	return out, nil
}

// grow wants the mirror's leaves to continue the ledger here to the signed root.
func (n *Node) grow(ctx context.Context, from verify.Fetcher, have int64, c ledger.Checkpoint) (*grownTree, error) {
	own, err := n.hashes(ctx)
	if err != nil {
		return nil, err
	}
	tree := &grownTree{own: own, from: have, size: have}
	for at := have; at < c.Size; {
		lines, err := recordLines(ctx, from, at, min(c.Size, at+runLength))
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if err := tree.add(ledger.LeafHash(ledger.LeafData(ledger.Salt(l.LeafSalt), l.LoggedAt, l.Envelope))); err != nil {
				return nil, err
			}
		}
		at += int64(len(lines))
	}
	root, err := tlog.TreeHash(c.Size, tree)
	if err != nil {
		return nil, err
	}
	if root != c.Root {
		return nil, fmt.Errorf("%w: the mirror's signed head of %d records does not continue the %d here, which this log's key has signed, too. Nothing was appended; keep both", ErrTwoHistories, c.Size, have)
	}
	return tree, nil
}

// append stores the mirror's records, run by run. Each run ends in a head of the tree that
// the log has signed; the last is the one it has signed.
func (n *Node) append(ctx context.Context, from verify.Fetcher, tree *grownTree, c ledger.Checkpoint, final []byte) error {
	signer, err := n.logSigner()
	if err != nil {
		return err
	}
	progress := n.progress("append the records")
	for at := tree.from; at < c.Size; {
		lines, err := recordLines(ctx, from, at, min(c.Size, at+runLength))
		if err != nil {
			return err
		}
		err = n.ledger.Extend(ctx, replica.Extension{
			Lines: lines,
			Prove: func(_ context.Context, got ledger.Checkpoint) error {
				root, err := tlog.TreeHash(got.Size, tree)
				if err == nil && root != got.Root {
					err = replica.ErrUnlike
				}
				return err
			},
			Sign: func(got ledger.Checkpoint) ([]byte, error) {
				if got == c {
					return final, nil
				}
				return ledger.Sign(got, signer)
			},
		})
		if err == nil {
			if b := n.ledger.Broken(); b != nil {
				err = b
			}
		}
		if err != nil {
			return err
		}
		at += int64(len(lines))
		if progress != nil {
			progress(at-tree.from, c.Size-tree.from)
		}
	}
	return nil
}

func (n *Node) logSigner() (note.Signer, error) {
	skey, err := n.private.Key(logKeyName)
	if err != nil {
		return nil, err
	}
	return ledger.NewSigner(skey)
}

// recordLines reads the records from ≤ index < to of a log.
func recordLines(ctx context.Context, from verify.Fetcher, first, to int64) (out []*record.Line, err error) {
	for g := first / ledger.TileWidth; g*ledger.TileWidth < to; g++ {
		b, err := from.Read(ctx, ledger.GroupPath("records", g, int(min(ledger.TileWidth, to-g*ledger.TileWidth))))
		if err != nil {
			// A folder has the bundle of its whole width only.
			if b, err = from.Read(ctx, ledger.GroupPath("records", g, ledger.TileWidth)); err != nil {
				return nil, fmt.Errorf("read records from %d: %w", g*ledger.TileWidth, err)
			}
		}
		for line := range bytes.Lines(b) {
			l, err := record.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
			if err != nil {
				return nil, fmt.Errorf("records from %d: %w", g*ledger.TileWidth, err)
			}
			if l.Index >= first && l.Index < to {
				out = append(out, l)
			}
		}
	}
	for i, l := range out {
		if l.Index != first+int64(i) {
			return nil, fmt.Errorf("record %d is missing", first+int64(i))
		}
	}
	if int64(len(out)) != to-first {
		return nil, fmt.Errorf("%d records came of %d from %d on", len(out), to-first, first)
	}
	return out, nil
}
