// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"truceline/internal/intake"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/reprint"
	"truceline/internal/server"
	"truceline/internal/web"
)

type serveCmd struct {
	dataFlag
	Listen  string `help:"Address to listen on." default:"127.0.0.1:8440" placeholder:"HOST:PORT"`
	BaseURL string `help:"Where readers reach the pages, if another server stands in front: https://HOST, without a slash at the end." placeholder:"URL"`
	Alone   bool   `help:"For the registry: admit records before its witnesses have told what they hold. Only if their nodes are lost, and you are sure that the ledger here is the newest."`
}

func (serveCmd) Help() string {
	return `Serves the pages, the log under /log/ and /healthz until it gets SIGINT or SIGTERM, then exits 0. Other commands, such as import, may run beside it on the same folder.

A member's node also follows the registry, checks and cosigns what it shows, and hands in what waits. The registry's node admits nothing after a start until enough of its witnesses have told what they hold; it says so until then. Of a folder that import bag has made it serves the pages alone.

Example: truceline serve --data ./truceline-data --listen 127.0.0.1:8440`
}

func (c serveCmd) Run(e *env) error {
	if reprint.Is(c.Data) {
		return c.reprint(e)
	}
	options := func(cfg *local.Config) node.Options {
		o := e.serving(cfg)
		o.Alone = c.Alone
		return o
	}
	if _, cfg, err := local.Open(c.Data); err != nil {
		return err
	} else if c.Alone && cfg.Member != "" {
		return fmt.Errorf("serve the node in %s alone: it is the node of the member %s, and only the registry's waits for witnesses; leave --alone out", c.Data, cfg.Member)
	}
	return c.use(e, false, options, func(n *node.Node) error {
		return withImports(e, n, c.Data, func(imports web.Imports) error {
			s, err := server.Listen(n, server.Options{Addr: c.Listen, BaseURL: c.BaseURL, Log: e.log, Imports: imports})
			if err != nil {
				return err
			}
			e.bar.Done()
			if err := c.introduce(e, n); err != nil {
				return errors.Join(err, s.Close())
			}
			return answer(e, s)
		})
	})
}

// introduce says whose node this is, and what keeps it from its work.
func (c serveCmd) introduce(e *env, n *node.Node) error {
	st, err := n.Status(e.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stderr, whose(st))
	switch {
	case !n.Entered():
		fmt.Fprintf(e.stderr, "note: this node has not entered the mission yet: stop it, and run %s join again\n", prog())
	case st.Waiting != "":
		fmt.Fprintf(e.stderr, "note: %s\n", st.Waiting)
	}
	return nil
}

// whose names the member that a node belongs to.
func whose(st *node.Status) string {
	name := st.Member
	if st.Name != "" {
		name = fmt.Sprintf("%s (%s)", st.Name, st.Member)
	}
	if st.Member == st.Registry {
		return fmt.Sprintf("The registry's node, of %s, for %s", name, st.Origin)
	}
	return fmt.Sprintf("The node of the member %s, for %s", name, st.Origin)
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
