// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/intake"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/server"
	"truceline/internal/web"
)

type dataFlag struct {
	Data string `help:"Folder of the node." default:"./truceline-data" placeholder:"DIR" type:"path"`
}

func (f dataFlag) open(e *env) (*node.Node, error) {
	return node.Open(e.ctx, f.Data, node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update})
}

// with runs do on the node, beside other commands, and closes it.
func (f dataFlag) with(e *env, do func(*node.Node) error) error {
	return f.use(e, false, do)
}

// use runs do on the node; alone refuses while another command is at work on it.
func (f dataFlag) use(e *env, alone bool, do func(*node.Node) error) error {
	folder, _, err := local.Open(f.Data)
	if err != nil {
		return err
	}
	mark, err := folder.Use(alone)
	if err != nil {
		return err
	}
	defer mark.Close()
	n, err := f.open(e)
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

type initCmd struct {
	dataFlag
	Agreement string `help:"Agreement file; its first part, the pack, makes the mission (docs/formats/agreement.md)." required:"" type:"existingfile" placeholder:"FILE"`
	Origin    string `help:"Name of the log: a host and path of yours without scheme, such as truce.example/line. It never changes. {mission} stands for the first digits of the mission's random id." required:"" placeholder:"HOST/PATH"`
}

func (initCmd) Help() string {
	return `Makes a folder with a new ledger, new keys for the registry and for each desk of the agreement, and files the records that open the mission. The keys are made here and leave the folder only with you: back it up.

Example: truceline init --data ./truceline-data --agreement agreement.json --origin truce.example/line`
}

func (c initCmd) Run(e *env) error {
	b, err := os.ReadFile(c.Agreement)
	if err != nil {
		return fmt.Errorf("read the agreement: %w", err)
	}
	if err := node.Create(e.ctx, c.Data, node.Creation{Agreement: b, Origin: c.Origin, Now: e.now, Rand: e.rand}); err != nil {
		return err
	}
	for _, left := range node.Leftovers(c.Data) {
		fmt.Fprintf(e.stderr, "note: %s is what an init that was cut short has left, with keys in it that nothing uses; if no other init is running, delete it\n", left)
	}
	return c.with(e, func(n *node.Node) error {
		fmt.Fprintf(e.stdout, "The mission is open.\n\n  folder   %s\n  mission  %s\n  origin   %s\n  log key  %s\n\n", c.Data, n.Config.Mission, n.Config.Origin, n.Config.LogKey)
		fmt.Fprintf(e.stdout, "Give the log key to everybody who is to check the record, on paper too.\nNext: %s serve --data %s\n", prog(), c.Data)
		return nil
	})
}

type serveCmd struct {
	dataFlag
	Listen  string `help:"Address to listen on." default:"127.0.0.1:8440" placeholder:"HOST:PORT"`
	BaseURL string `help:"Where readers reach the pages, if another server stands in front: https://HOST, without a slash at the end." placeholder:"URL"`
}

func (serveCmd) Help() string {
	return `Serves the pages, the log under /log/ and /healthz until it gets SIGINT or SIGTERM, then exits 0. Other commands, such as import, may run beside it on the same folder.

Example: truceline serve --data ./truceline-data --listen 127.0.0.1:8440`
}

func (c serveCmd) Run(e *env) error {
	return c.with(e, func(n *node.Node) error {
		return withImports(e, n, c.Data, func(imports web.Imports) error {
			s, err := server.Listen(n, server.Options{Addr: c.Listen, BaseURL: c.BaseURL, Log: e.log, Imports: imports})
			if err != nil {
				return err
			}
			return answer(e, s)
		})
	})
}

// withImports runs do with what takes files in for the pages of a node, and ends it
// before the node closes. While another server does that in the folder, do gets nil.
func withImports(e *env, n *node.Node, folder string, do func(web.Imports) error) error {
	jobs, err := intake.OpenJobs(intake.JobsConfig{Dir: filepath.Join(folder, "imports"), Door: n, Now: e.now, Rand: e.rand, Log: e.log})
	if errors.Is(err, intake.ErrJobsUsed) {
		e.log.Warn("no files can be brought to this server", "err", err)
		return do(nil)
	}
	if err != nil {
		return err
	}
	err = do(jobs)
	if closed := jobs.Close(); err == nil {
		err = closed
	}
	return err
}

// answer says ready, and answers until a signal.
func answer(e *env, s *server.Server) error {
	e.bar.Done()
	fmt.Fprintf(e.stdout, "ready %s\n", s.URL())
	return s.Serve(e.ctx)
}

type rebuildCmd struct {
	dataFlag
	Dump string `help:"Also write every row of the tables to this file; equal ledgers give equal files." type:"path" placeholder:"FILE"`
}

func (rebuildCmd) Help() string {
	return `Throws the node's tables (projection.db) away and computes them again from the ledger. Nothing is lost by it: the tables hold nothing that the ledger does not. Stop the server first: it refuses while another command uses the folder.`
}

func (c rebuildCmd) Run(e *env) error {
	return c.use(e, true, func(n *node.Node) error {
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
	err := node.Examine(e.ctx, c.Data, node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update}, func(f node.Finding) {
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
