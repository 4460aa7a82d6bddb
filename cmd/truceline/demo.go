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
)

type demoCmd struct {
	Data    string `help:"Folder for the demo's node; made if it is not there." default:"./truceline-demo" placeholder:"DIR" type:"path"`
	Listen  string `help:"Address to listen on." default:"127.0.0.1:8440" placeholder:"HOST:PORT"`
	Example string `help:"Which example to load; the first if not given." placeholder:"NAME"`
}

func (demoCmd) Help() string {
	return fmt.Sprintf(`Makes a node, loads an example through the doors that users have, and serves it until a signal. A second start on the same folder loads nothing twice. Examples: %s.

When it says ready, open the address in a browser. DIR/demo.json tells scripts what they need.`, strings.Join(example.Names(), ", "))
}

// demoFile is demo.json: what a script needs to use the demo.
type demoFile struct {
	URL     string `json:"url"`
	LogURL  string `json:"log_url"`
	LogVKey string `json:"log_vkey"`
	Origin  string `json:"origin"`
	Mission string `json:"mission"`
	Example string `json:"example"`
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
	say := func(format string, a ...any) { fmt.Fprintf(e.stderr, format+"\n", a...) }
	return dataFlag{c.Data}.with(e, func(n *node.Node) error {
		before := n.Registry.Head().Size
		say("The node in %s has %d records. Loading the example %s ...", c.Data, before, c.Example)
		if err := demo.Load(e.ctx, n, set, e.bar.Update); err != nil {
			return err
		}
		e.bar.Done()
		counts, err := n.Projection.Counts(e.ctx)
		if err != nil {
			return err
		}
		say("%d records filed now, %d in all: %d accounts with %d claims, %d incidents.", counts.Records-before, counts.Records, counts.Accounts, counts.Claims, counts.Incidents)
		return serve(e, n, server.Options{Addr: c.Listen, Log: e.log, Dev: true}, func(url string) error {
			return c.writeFile(n, url)
		})
	})
}

// create makes the node unless it is there. A folder made for one example is not
// used for another.
func (c demoCmd) create(e *env, set *example.Set) error {
	if _, err := os.Stat(filepath.Join(c.Data, local.ConfigFile)); err == nil {
		return c.checkExample()
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return node.Create(e.ctx, c.Data, node.Creation{
		Agreement: set.Agreement, Origin: "demo.truceline.invalid/" + c.Example + "-{mission}", Now: e.now, Rand: e.rand,
	})
}

func (c demoCmd) checkExample() error {
	b, err := os.ReadFile(filepath.Join(c.Data, demoFileName))
	if errors.Is(err, os.ErrNotExist) {
		return nil // the first start was cut short, or the node is the user's own
	}
	var f demoFile
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w; delete it and start again", filepath.Join(c.Data, demoFileName), err)
	}
	if f.Example != c.Example {
		return fmt.Errorf("the folder %s holds the example %s: start it with --example %s, or name another folder with --data DIR", c.Data, f.Example, f.Example)
	}
	return nil
}

func (c demoCmd) writeFile(n *node.Node, url string) error {
	b, err := json.MarshalIndent(demoFile{
		URL: url, LogURL: url + peer.Prefix, LogVKey: n.Config.LogKey, Origin: n.Config.Origin,
		Mission: n.Config.Mission.String(), Example: c.Example,
	}, "", "  ")
	if err != nil {
		return err
	}
	return local.WriteFile(filepath.Join(c.Data, demoFileName), append(b, '\n'), 0o600)
}
