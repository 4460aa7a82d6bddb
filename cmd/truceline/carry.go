// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
)

type carryCmd struct {
	Out carryOutCmd `cmd:"" help:"Write a file with what waits on this node, to be carried to another by hand."`
	In  carryInCmd  `cmd:"" help:"Take in a file that was carried here, and write the answer."`
}

type carryOutCmd struct {
	dataFlag
	File        string `arg:"" help:"File to write." type:"path"`
	RecordsFrom int64  `help:"Also write the records of this node's copy from this index on, for one who cannot reach the registry; 0 for all." default:"-1" placeholder:"N"`
}

func (carryOutCmd) Help() string {
	return `Writes the acts that wait on this node, the newest heads of the log it has seen, and its own cosignatures. The file is plain: whoever reads it reads what is in the records. Nothing is lost or filed twice when it is carried twice, or when the line comes back first. It works beside a running server.

Example: truceline carry out /media/stick/to-registry.carry --data ./north`
}

func (c carryOutCmd) Run(e *env) error {
	return c.look(e, func(n *node.Node) error {
		var out *node.CarriedOut
		err := writePrivate(c.File, func(f *os.File) (err error) {
			out, err = n.CarryOut(e.ctx, f, c.RecordsFrom)
			return err
		})
		e.bar.Done()
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "wrote %s: %d acts that wait, %d records; this node holds %d records\n", c.File, out.Acts, out.Records, out.Size)
		if n.Registry == nil {
			fmt.Fprintf(e.stdout, "Next, on the registry's node: %s carry in %s --reply REPLY\n", prog(), filepath.Base(c.File))
		}
		return nil
	})
}

type carryInCmd struct {
	dataFlag
	File   string `arg:"" help:"File that was carried here." type:"existingfile"`
	Reply  string `help:"Write what goes back to the sender to this file: receipts, refusals, and the records it lacks." type:"path" placeholder:"FILE"`
	Attest string `help:"On a member's node: write to this file, signed, that this member holds the accounts that others have sealed and that wait in it." type:"path" placeholder:"FILE"`
}

func (carryInCmd) Help() string {
	return `Takes in what "carry out" or "carry in --reply" has written on another node. A file that was cut short or altered is refused as a whole. On the registry's node every act in it is admitted or refused by the rules, as if it had come over the line. On a member's node everything is verified as if it had come over the line, too. It exits 1 if an act could be neither admitted nor refused; the file may be carried in again. With --attest a member whose line to the registry is down gets the word of others that its sealed account was made in time: two of them, dated before the deadline, and the act filing.vouch let an account that is logged late count as in time.

Example: truceline carry in from-north.carry --reply to-north.carry --data ./registry`
}

func (c carryInCmd) Run(e *env) error {
	// Nothing is sent but what a member's node hands on for another.
	options := func(cfg *local.Config) node.Options {
		o := e.looking(cfg)
		o.Dial = peer.Dial(nil)
		return o
	}
	return c.use(e, false, options, func(n *node.Node) error {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		if c.Attest != "" && n.Registry != nil {
			return errors.New("the registry's word for a sealed account counts for nothing: carry the file in with --attest on the nodes of two other members; nothing was taken in")
		}
		var in *node.CarriedIn
		take := func(reply io.Writer) (err error) {
			in, err = n.CarryIn(e.ctx, f, reply)
			return err
		}
		if c.Reply == "" {
			err = take(nil)
		} else {
			err = writePrivate(c.Reply, func(out *os.File) error { return take(out) })
		}
		e.bar.Done()
		if err != nil {
			return err
		}
		if c.Attest != "" {
			if err := c.attest(e, n, f); err != nil {
				return err
			}
		}
		return c.report(e, n, in)
	})
}

// attest writes this member's word for what it was brought, one to a line.
func (c carryInCmd) attest(e *env, n *node.Node, file io.ReadSeeker) error {
	held, notes, err := n.AttestHeld(file)
	if err != nil {
		return err
	}
	for _, s := range notes {
		fmt.Fprintf(e.stdout, "note      %s\n", s)
	}
	if len(held) == 0 {
		fmt.Fprintf(e.stdout, "attested  nothing: no account that another has sealed waits in it\n")
		return nil
	}
	if err := writePrivate(c.Attest, func(f *os.File) error {
		for _, h := range held {
			if _, err := fmt.Fprintf(f, "%s\n", h.Signed); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, h := range held {
		fmt.Fprintf(e.stdout, "attested  account %s of %s, held at %s\n", h.Account, h.Member, time.UnixMilli(h.At).UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(e.stdout, "Give %s to who sealed them. Once such an account is logged late: %s do filing.vouch account=ID attestation=@%s attestation=@ANOTHER\n", c.Attest, prog(), filepath.Base(c.Attest))
	return nil
}

func (c carryInCmd) report(e *env, n *node.Node, in *node.CarriedIn) error {
	fmt.Fprintf(e.stdout, "from %s, whose node held %d records\n", in.Header.From, in.Header.Size)
	if in.Admitted+in.Refused+len(in.Failed) > 0 || n.Registry != nil {
		fmt.Fprintf(e.stdout, "acts      %d in the ledger, %d refused\n", in.Admitted, in.Refused)
	}
	if n.Registry == nil {
		fmt.Fprintf(e.stdout, "records   %d new, %d here now\n", in.Records, in.Size)
		fmt.Fprintf(e.stdout, "own acts  %d with verified receipts, %d refused\n", in.Receipted, in.TurnedDown)
	}
	for _, s := range in.Notes {
		fmt.Fprintf(e.stdout, "note      %s\n", s)
	}
	if in.Replied != nil {
		fmt.Fprintf(e.stdout, "answer    %s: %d records, %d receipts and refusals\nNext, on the node of %s: %s carry in %s\n", c.Reply, in.Replied.Records, in.Replied.Acts, in.Header.From, prog(), filepath.Base(c.Reply))
	}
	for _, s := range in.Failed {
		fmt.Fprintf(e.stdout, "NOT TAKEN %s\n", s)
	}
	if len(in.Failed) > 0 {
		return &quietError{errors.New("not everything was taken in")}
	}
	return nil
}

// writePrivate writes a file for its owner alone, whole or not at all.
func writePrivate(path string, write func(*os.File) error) error {
	f, err := createOut(path)
	if err != nil {
		return err
	}
	defer f.discard()
	if err = errors.Join(write(f.File), f.Sync(), f.Close()); err == nil { // made with mode 0600
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = local.SyncDir(filepath.Dir(path))
	}
	return err
}
