// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/reprint"
	"truceline/internal/server"
	"truceline/internal/takeout"
	"truceline/verify"
)

type importBagCmd struct {
	dataFlag
	Dir    string `arg:"" help:"Folder that export all has written." type:"existingdir"`
	Key    string `help:"The log's verifier key, as you got it on another way. Without it the key is taken from the log itself, which proves less." placeholder:"VKEY"`
	Policy string `help:"File with the policy that says whose cosignatures are needed, as you got it on another way." placeholder:"FILE" type:"existingfile"`
}

func (importBagCmd) Help() string {
	return `Makes an empty folder into a copy that can be read without the node that gave the bag out: the bag is copied and checked as by verify bag, then the tables are computed. The copy has no keys. It signs nothing, files nothing and talks to nobody; serve shows its pages, doctor checks it, export all writes the bag again.

The folder must not exist, or be empty; it is made whole or not at all. Records that the bag has no lines of, since they are not for its reader, are no fault. What else no bag has is said at the end. To go on as a member use join, or restore from a backup: neither can be had from a bag.

Example: truceline import bag ./everything --data ./copy --key 'demo.example+...' --policy policy.txt`
}

func (c importBagCmd) Run(e *env) error {
	policy, err := readPolicy(c.Policy)
	if err != nil {
		return &exitError{err, 2}
	}
	m, err := reprint.Make(e.ctx, c.Dir, c.Data, reprint.Options{Log: verify.Options{Key: c.Key, Policy: policy}, Progress: e.bar.Update})
	e.bar.Done()
	switch {
	case errors.As(err, new(*takeout.OptionError)):
		return &exitError{err, 2}
	case errors.Is(err, reprint.ErrWrong):
		return errors.Join(m.Report.Write(e.stderr, false), fmt.Errorf("%w; see above; nothing was made", err))
	case err != nil:
		return err
	}
	return c.tell(e, m)
}

func (c importBagCmd) tell(e *env, m *reprint.Made) error {
	r := m.Report
	fmt.Fprintf(e.stdout, "The copy is in %s: what %s gave out on %s, for %s: %d of %d records, up to %s\n", c.Data, m.Organization, m.Date, reader(m.Reader), r.Lines, r.Records, time.UnixMilli(m.LoggedAt).UTC().Format(time.RFC3339))
	if r.Log.KeyFromLog {
		fmt.Fprintln(e.stderr, "WARNING: no key was given, and the log's own word was taken for it: whoever made the bag may have made it all up. Ask two members for the log's key, make the copy again with --key")
	}
	fmt.Fprintln(e.stdout, "Not in it, since the bag has not got it:")
	none := func(n int64, what string) {
		if n > 0 {
			fmt.Fprintf(e.stdout, "  %d %s\n", n, what)
		}
	}
	none(r.Records-r.Lines, "records whose lines are not given to this reader; that they stand there is proved")
	none(r.Log.Own, "bodies that never leave the node of their member")
	none(r.Log.Boxed-r.Opened, "bodies in boxes that this reader cannot open, or that were erased")
	none(int64(m.Missing), fmt.Sprintf("archived copies, of %d that documents name", m.Named))
	fmt.Fprintln(e.stdout, "  keys, names of officers, sign-ins, drafts and lists, what waits to be sent or imported, who has cosigned what, and terms beside the agreement: no bag has them")
	_, err := fmt.Fprintf(e.stdout, "Next: %s serve --data %s\n", prog(), c.Data)
	return err
}

// opened runs do on the copy in a folder, beside others that read it.
func (f dataFlag) opened(e *env, do func(*reprint.Reprint) error) error {
	mark, err := local.New(f.Data).Use(false)
	if err != nil {
		return err
	}
	defer mark.Close()
	r, err := reprint.Open(e.ctx, f.Data, e.bar.Update)
	e.bar.Done()
	if err != nil {
		return err
	}
	return errors.Join(do(r), r.Close())
}

// reprint serves the pages of a copy.
func (c serveCmd) reprint(e *env) error {
	if c.Alone {
		return fmt.Errorf("serve the copy in %s alone: it admits nothing; leave --alone out", c.Data)
	}
	return c.opened(e, func(r *reprint.Reprint) error {
		s, err := server.ListenReprint(e.ctx, r, c.Data, e.now, e.rand, server.Options{Addr: c.Listen, BaseURL: c.BaseURL, Log: e.log})
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "A copy of %s, which %s gave out on %s for %s; it can be read, and nothing else\n", r.Origin, r.Organization, r.Date, reader(r.Reader))
		if r.Reader != takeout.Public {
			fmt.Fprintf(e.stderr, "It holds what is not for everybody. Who may read it opens this link, which is good until the server ends:\n  %s\n", s.Link())
		}
		return answer(e, s)
	})
}

// reprint writes the bag of a copy again.
func (c exportAllCmd) reprint(e *env) error {
	return c.opened(e, func(r *reprint.Reprint) error {
		viewer := r.Reader
		if c.Public {
			viewer = takeout.Public
		}
		out, err := takeout.WriteAgain(e.ctx, r.Payload, c.Dir, takeout.Options{Viewer: viewer, Now: e.now(), Progress: e.bar.Update})
		e.bar.Done()
		if err != nil {
			return err
		}
		return c.tell(e, out, viewer, r.LogKey)
	})
}

func (c doctorCmd) examine(e *env, tell func(node.Finding)) error {
	if reprint.Is(c.Data) {
		return reprint.Examine(e.ctx, c.Data, e.bar.Update, tell)
	}
	return node.Examine(e.ctx, c.Data, node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update}, tell)
}
