// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
)

type joinCmd struct {
	dataFlag
	Invitation string `help:"File with the invitation." required:"" type:"existingfile" placeholder:"FILE"`
	URL        string `help:"Where the other members' nodes reach this one: https://HOST, without a slash at the end. Leave it out if they cannot." placeholder:"URL"`
	Recovery   string `help:"File to write the recovery key to, outside of the node's folder. Needed when the node is made." type:"path" placeholder:"FILE"`
	Reply      string `help:"Write the reply to this file, to be carried to the registry, instead of sending it." type:"path" placeholder:"FILE"`
}

func (joinCmd) Help() string {
	return `Makes the node of a member, with keys that never leave its folder, and brings it into the mission: it asks the registry to be admitted, takes the whole log over while it checks every record and every rule, and names the keys with which it will cosign. When it is cut short, run it again: it goes on. Run it again, with another --url, when the address of the node changes.

The recovery key is the only way to go on as the same member when the node is lost. It is written to a file outside of the node's folder: print it, put it away, and delete the file.

Without a line to the registry, --reply writes the reply to a file. Carry it there (truceline admit), carry the log back (truceline carry), and run join again.

Example: truceline join --invitation north.invitation --data ./north --url https://north.example --recovery north.recovery`
}

func (c joinCmd) Run(e *env) error {
	b, err := os.ReadFile(c.Invitation)
	if err != nil {
		return err
	}
	inv, err := node.ReadInvitation(b)
	if err != nil {
		return err
	}
	if c.URL != "" {
		if err := node.CheckURL(c.URL); err != nil {
			return err
		}
	}
	_, cfg, err := local.Open(c.Data)
	switch _, missing := os.Stat(filepath.Join(c.Data, local.ConfigFile)); {
	case errors.Is(missing, fs.ErrNotExist):
		err = c.make(e, inv)
	case err == nil && (cfg.Mission != inv.Mission || cfg.Member != inv.Member || cfg.Origin != inv.Origin || cfg.LogKey != inv.LogKey):
		err = fmt.Errorf("join as %s of %s: the folder %s holds another node, of %s; name another with --data DIR", inv.Member, inv.Origin, c.Data, cfg.Origin)
	case err == nil && c.URL != "" && c.URL != cfg.URL:
		err = c.move()
	}
	if err != nil {
		return err
	}
	if c.Reply != "" {
		return c.apart(e)
	}
	return c.enter(e)
}

// move changes the node's own address.
func (c joinCmd) move() error {
	folder, _, err := local.Open(c.Data)
	if err != nil {
		return err
	}
	mark, err := folder.Use(true)
	if err != nil {
		return err
	}
	defer mark.Close()
	return node.Readdress(c.Data, "", c.URL)
}

// make makes the folder, and the recovery key outside of it.
func (c joinCmd) make(e *env, inv *node.Invitation) error {
	fail := func(err error) error { return fmt.Errorf("make the node of %s: %w", inv.Member, err) }
	if c.Recovery == "" {
		return fail(errors.New("name a file for the recovery key with --recovery FILE: without it nobody can go on as this member when the node is lost"))
	}
	if inside(c.Data, c.Recovery) {
		return fail(fmt.Errorf("the recovery key must not be in the node's folder, with which it would be lost: name a file elsewhere than %s", c.Recovery))
	}
	f, err := os.OpenFile(c.Recovery, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fail(fmt.Errorf("%s is there already, and a recovery key is never written over; name another file, or, if a join that was cut short has left it, delete it", c.Recovery))
	}
	if err != nil {
		return fail(err)
	}
	_, err = node.PrepareMember(e.ctx, c.Data, node.Joining{Invitation: inv, URL: c.URL, Recovery: durable{f}, Options: node.Options{Now: e.now, Rand: e.rand, Log: e.log}})
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(c.Recovery) // no node was made with it
		return err
	}
	fmt.Fprintf(e.stdout, "The node of %s is made, in %s.\n\n", inv.Member, c.Data)
	fmt.Fprintf(e.stdout, "IMPORTANT: %s holds the recovery key. It is nowhere else.\n  Print it now, put it away where the node is not, and delete the file.\n  Whoever has it can act as %s; without it, a lost node cannot be replaced.\n\n", c.Recovery, inv.Member)
	return nil
}

// durable is a file on disk after each Write: the node must not be there without its
// recovery key.
type durable struct{ *os.File }

func (d durable) Write(b []byte) (int, error) {
	n, err := d.File.Write(b)
	return n, errors.Join(err, d.Sync(), local.SyncDir(filepath.Dir(d.Name())))
}

// inside tells whether a path is in a folder, as far as links can be followed.
func inside(dir, path string) bool {
	in, err := filepath.Rel(resolved(dir), resolved(path))
	return err == nil && filepath.IsLocal(in)
}

func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(resolved(dir), filepath.Base(path))
	}
	return path
}

// enter brings the node into the mission over the line.
func (c joinCmd) enter(e *env) error {
	options := func(cfg *local.Config) node.Options {
		o := e.looking(cfg)
		o.Dial = peer.Dial(nil)
		return o
	}
	return c.use(e, false, options, func(n *node.Node) error {
		err := n.EnterTelling(e.ctx, func(s node.Entering) {
			e.bar.Done()
			switch s.Step {
			case node.Admitted:
				fmt.Fprintf(e.stdout, "on the roster as %s\n", n.Config.Member)
			case node.CaughtUp:
				fmt.Fprintf(e.stdout, "caught up: %d records fetched, checked and admitted by the rules in %s%s\n", s.Records, s.Took.Round(time.Millisecond), rate(s.Records, s.Took))
			case node.Introduced:
				fmt.Fprintln(e.stdout, "named the keys with which this node cosigns")
			}
		})
		if err != nil {
			return fmt.Errorf("%w; run the same command again to go on", err)
		}
		begun := e.now()
		if err := n.Sync(e.ctx); err != nil {
			return err
		}
		counts, err := n.Projection.Counts(e.ctx)
		if err != nil {
			return err
		}
		e.bar.Done()
		fmt.Fprintf(e.stdout, "tables brought up to date in another %s: %d accounts, %d incidents\n", e.now().Sub(begun).Round(time.Millisecond), counts.Accounts, counts.Incidents)
		fmt.Fprintf(e.stdout, "Next: %s serve --data %s\n", prog(), c.Data)
		return nil
	})
}

func rate(records int64, took time.Duration) string {
	if records < 1 || took < time.Millisecond {
		return ""
	}
	return fmt.Sprintf(", %.0f a second", float64(records)/took.Seconds())
}

// apart goes on as far as a node can that has no line: the reply leaves as a file, and once
// the log came the other way, so does what the node says of itself.
func (c joinCmd) apart(e *env) error {
	return c.look(e, func(n *node.Node) error {
		if n.Admitted() {
			var queued *node.Queued
			if err := n.Introduce(e.ctx); err != nil && !errors.As(err, &queued) {
				return err
			}
			if queued == nil {
				_, err := fmt.Fprintf(e.stdout, "%s is in the mission, and its cosigners are named.\n", n.Config.Member)
				return err
			}
			_, err := fmt.Fprintf(e.stdout, "on the roster as %s; the names of its cosigners wait in the node\nNext: %s carry out FILE --data %s, and carry the file to the registry\n", n.Config.Member, prog(), c.Data)
			return err
		}
		reply, err := n.Reply()
		if err != nil {
			return fmt.Errorf("write the reply: %w", err)
		}
		if err := local.WriteFile(c.Reply, reply, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "wrote %s; carry it to the registry by a way you trust\n", c.Reply)
		fmt.Fprintf(e.stdout, "Next, at the registry: %s admit FILE --data DIR; %s carry out LOG --records-from 0 --data DIR\n", prog(), prog())
		fmt.Fprintf(e.stdout, "Then, here: %s carry in LOG --data %s, and this command again\n", prog(), c.Data)
		return nil
	})
}
