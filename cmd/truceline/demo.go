// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"truceline/example"
	"truceline/internal/demo"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/server"
	"truceline/internal/web"
)

type demoCmd struct {
	Data    string `help:"Folder for the demo's node; made if it is not there." default:"./truceline-demo" placeholder:"DIR" type:"path"`
	Listen  string `help:"Address to listen on." default:"127.0.0.1:8440" placeholder:"HOST:PORT"`
	Example string `help:"Which example to load; the first if not given." placeholder:"NAME"`
}

func (demoCmd) Help() string {
	return fmt.Sprintf(`Makes a node, loads an example through the doors that users have, and serves it until a signal. A second start on the same folder loads nothing twice. Examples: %s.

When it says ready, open the address in a browser. DIR/demo.json tells scripts what they need.`, strings.Join(example.Recorded(), ", "))
}

// demoFile is demo.json: what a script needs to use the demo.
type demoFile struct {
	URL     string `json:"url"`
	LogURL  string `json:"log_url"`
	LogVKey string `json:"log_vkey"`
	Origin  string `json:"origin"`
	Mission string `json:"mission"`
	Example string `json:"example"`
	// SignIn has a link for each role: whoever opens it acts as that officer. The links
	// work again and again, which those of a real node do not.
	SignIn map[string]string `json:"sign_in"`
}

const demoFileName = "demo.json"

func (c demoCmd) Run(e *env) error {
	if c.Example == "" {
		c.Example = example.Names()[0]
	}
	set, err := example.Open(c.Example)
	if err != nil {
		return err
	}
	if err := c.create(e, set); err != nil {
		return err
	}
	return dataFlag{c.Data}.use(e, false, e.serving, func(n *node.Node) error {
		return withImports(e, n, c.Data, func(imports web.Imports) error { return c.serve(e, n, set, imports) })
	})
}

// serve loads the example into the node and shows it.
func (c demoCmd) serve(e *env, n *node.Node, set *example.Set, imports web.Imports) error {
	say := func(format string, a ...any) { fmt.Fprintf(e.stderr, format+"\n", a...) }
	// The address first: what is filed stays, so nothing is filed for a server that
	// cannot start.
	s, err := server.Listen(n, server.Options{Addr: c.Listen, Log: e.log, Dev: true, Imports: imports})
	if err != nil {
		return err
	}
	before := n.Head().Size
	say("The node in %s has %d records. Loading the example %s ...", c.Data, before, c.Example)
	if err := demo.Load(e.ctx, n, set, e.bar.Update); err != nil {
		return errors.Join(err, s.Close())
	}
	e.bar.Done()
	links, err := demo.Officers(e.ctx, n, s.URL())
	if err != nil {
		return errors.Join(err, s.Close())
	}
	counts, err := n.Projection.Counts(e.ctx)
	if err != nil {
		return err
	}
	say("%d records filed now, %d in all: %d accounts with %d claims, %d incidents.", counts.Records-before, counts.Records, counts.Accounts, counts.Claims, counts.Incidents)
	say("Links to sign in as a desk officer, an operations officer, an administrator and a reader are in %s.", filepath.Join(c.Data, demoFileName))
	if err := c.writeFile(n, s.URL(), links); err != nil {
		return errors.Join(err, s.Close())
	}
	return answer(e, s)
}

// demoOrigin begins the origins of the nodes that the demo makes; the example's name
// and the mission follow.
const demoOrigin = "demo.truceline.invalid/"

// create makes the node unless it is there. A folder made for one example is not
// used for another, and a node that the demo did not make is left alone.
func (c demoCmd) create(e *env, set *example.Set) error {
	if _, err := os.Stat(filepath.Join(c.Data, local.ConfigFile)); errors.Is(err, os.ErrNotExist) {
		return node.Create(e.ctx, c.Data, node.Creation{
			Agreement: set.Agreement, Origin: demoOrigin + c.Example + "-{mission}", Now: e.now, Rand: e.rand,
		})
	}
	_, cfg, err := local.Open(c.Data)
	if err != nil {
		return err
	}
	path, ours := strings.CutPrefix(cfg.Origin, demoOrigin)
	name, mission, _ := strings.Cut(path, "-"+cfg.Mission.String()[:8])
	switch {
	case !ours || mission != "" || name == path:
		return fmt.Errorf("load the example %s into %s: the folder is the node of %s, which the demo did not make, and what is filed can never be taken out; name another folder with --data DIR, or serve the node: truceline serve --data %s", c.Example, c.Data, cfg.Origin, c.Data)
	case name != c.Example:
		return fmt.Errorf("load the example %s into %s: the folder holds the example %s: start it with --example %s, or name another folder with --data DIR", c.Example, c.Data, name, name)
	}
	return nil
}

func (c demoCmd) writeFile(n *node.Node, url string, links map[string]string) error {
	b, err := json.MarshalIndent(demoFile{
		URL: url, LogURL: url + peer.Prefix, LogVKey: n.Config.LogKey, Origin: n.Config.Origin,
		Mission: n.Config.Mission.String(), Example: c.Example, SignIn: links,
	}, "", "  ")
	if err != nil {
		return err
	}
	return local.WriteFile(filepath.Join(c.Data, demoFileName), append(b, '\n'), 0o600)
}
