// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
)

type dataFlag struct {
	Data string `help:"Folder of the node." default:"./truceline-data" placeholder:"DIR" type:"path"`
}

// with runs do on the node, beside other commands, and closes it. What do files on a
// member's node goes to the registry, by this process or by a server that has the line.
func (f dataFlag) with(e *env, do func(*node.Node) error) error {
	return f.use(e, false, e.filing, do)
}

// look is with for what files nothing: it talks to nobody.
func (f dataFlag) look(e *env, do func(*node.Node) error) error {
	return f.use(e, false, e.looking, do)
}

// looking are the options of a command that files nothing.
func (e *env) looking(*local.Config) node.Options {
	return node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update, Manual: true}
}

// filing are those of a command that may run beside a server.
func (e *env) filing(c *local.Config) node.Options {
	o := e.looking(c)
	o.Dial, o.Manual = peer.Dial(nil), c.Member == ""
	return o
}

// serving are those of a server.
func (e *env) serving(*local.Config) node.Options {
	return node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update, Dial: peer.Dial(nil), Feed: peer.Feed(nil)}
}

// use runs do on the node; alone refuses while another command is at work on it.
func (f dataFlag) use(e *env, alone bool, options func(*local.Config) node.Options, do func(*node.Node) error) error {
	folder, cfg, err := local.Open(f.Data)
	if err != nil {
		return err
	}
	mark, err := folder.Use(alone)
	if err != nil {
		return err
	}
	defer mark.Close()
	n, err := node.Open(e.ctx, f.Data, options(cfg))
	if err != nil {
		return err
	}
	err = do(n)
	e.bar.Done()
	if closed := n.Close(); err == nil {
		err = closed
	}
	return err
}

type rebuildCmd struct {
	dataFlag
	Dump string `help:"Also write every row of the tables to this file; equal ledgers give equal files." type:"path" placeholder:"FILE"`
}

func (rebuildCmd) Help() string {
	return `Throws the node's tables (projection.db) away and computes them again from the ledger. Nothing is lost by it: the tables hold nothing that the ledger does not. Stop the server first: it refuses while another command uses the folder.`
}

func (c rebuildCmd) Run(e *env) error {
	return c.use(e, true, e.looking, func(n *node.Node) error {
		if err := n.Rebuild(e.ctx); err != nil {
			return err
		}
		counts, err := n.Projection.Counts(e.ctx)
		if err != nil {
			return err
		}
		if c.Dump != "" {
			if err := writeTo(c.Dump, func(f *os.File) error { return n.Projection.Dump(e.ctx, f) }); err != nil {
				return fmt.Errorf("write the dump: %w", err)
			}
		}
		_, err = fmt.Fprintf(e.stdout, "rebuilt from %d records: %d accounts with %d claims, %d incidents\n", counts.Records, counts.Accounts, counts.Claims, counts.Incidents)
		return err
	})
}

type doctorCmd struct{ dataFlag }

func (doctorCmd) Help() string {
	return `Checks the folder, the keys, every record, leaf, tile and signature of the ledger, that the rules admit every record, and that the tables are those the ledger gives. It changes nothing. Exits 1 if anything is wrong, and says what to do.`
}

func (c doctorCmd) Run(e *env) error {
	ok := true
	err := c.examine(e, func(f node.Finding) {
		e.bar.Done()
		word := "ok  "
		if f.Err != nil {
			word, ok = "FAIL", false
		}
		fmt.Fprintf(e.stdout, "%s  %s\n", word, f)
	})
	if err != nil {
		return err
	}
	if !ok {
		return &quietError{context.Canceled}
	}
	_, err = fmt.Fprintln(e.stdout, "The node is well.")
	return err
}
