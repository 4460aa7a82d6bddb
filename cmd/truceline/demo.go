// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"truceline/example"
	"truceline/internal/demo"
	"truceline/internal/intake"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/server"
	"truceline/internal/web"
)

type demoCmd struct {
	Data     string `help:"Folder for the demo's nodes; made if it is not there." default:"./truceline-demo" placeholder:"DIR" type:"path"`
	Listen   string `help:"Address to listen on. The nodes of the exercise take the next free ports." default:"127.0.0.1:8440" placeholder:"HOST:PORT"`
	Example  string `help:"Which example the desk records; the first if not given." placeholder:"NAME"`
	Exercise bool   `help:"Also run the exercise: a registry and its members, each with a node of its own." default:"true" negatable:""`
}

func (demoCmd) Help() string {
	return fmt.Sprintf(`Serves two missions until a signal. One is a worked example that a desk has recorded, at the address given; examples: %s. The other is an invented exercise (%s): a registry's node and one for each member, each with a folder, keys and an address of its own, joined by invitations; each member has filed its own part, and each has witnessed the record.

Everything goes through the doors that users have. A second start on the same folder loads nothing twice. When it says ready, open an address in a browser. DIR/demo.json tells scripts what they need.`, strings.Join(example.Recorded(), ", "), example.Told()[0])
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
	SignIn   map[string]string `json:"sign_in"`
	Exercise *exerciseFile     `json:"exercise,omitempty"`
}

// exerciseFile is the part of demo.json on the exercise.
type exerciseFile struct {
	Example string         `json:"example"`
	Mission string         `json:"mission"`
	Origin  string         `json:"origin"`
	LogURL  string         `json:"log_url"` // at the registry
	LogVKey string         `json:"log_vkey"`
	Nodes   []exerciseNode `json:"nodes"` // the registry's first
}

type exerciseNode struct {
	Member string            `json:"member"`
	Role   string            `json:"role"`
	Name   string            `json:"name"`
	URL    string            `json:"url"`
	Data   string            `json:"data"`
	SignIn map[string]string `json:"sign_in"` // as above; none at the registry
}

const (
	demoFileName   = "demo.json"
	exerciseFolder = "exercise" // in the demo's folder: a folder for each node of the exercise
)

func (c demoCmd) Run(e *env) error {
	if c.Example == "" {
		c.Example = example.Recorded()[0]
	}
	set, err := example.Open(c.Example)
	if err != nil {
		return err
	}
	if len(set.Accounts) == 0 {
		return fmt.Errorf("load the example %s: no desk records it, its members file for themselves; it is the exercise that every demonstration runs: leave --example out", c.Example)
	}
	if err := c.create(e, set); err != nil {
		return err
	}
	return dataFlag{c.Data}.use(e, false, e.serving, func(n *node.Node) error {
		return withImports(e, n, c.Data, func(imports web.Imports) error { return c.serve(e, n, set, imports) })
	})
}

// serve loads the example into the node, stages the exercise beside it, and shows both.
func (c demoCmd) serve(e *env, n *node.Node, set *example.Set, imports web.Imports) (err error) {
	// The address first: what is filed stays, so nothing is filed for a server that
	// cannot start.
	s, err := server.Listen(n, server.Options{Addr: c.Listen, Log: e.log, Dev: true, Imports: imports})
	if err != nil {
		return err
	}
	ctx, failed := context.WithCancelCause(e.ctx)
	defer failed(nil)
	staged := c.stage(ctx, e, s.URL(), failed)
	links, err := c.load(ctx, e, n, set, s.URL())
	if err != nil {
		failed(err)
	}
	x, staging := staged()
	if x != nil {
		defer func() { err = errors.Join(err, x.Close()) }()
	}
	if err = errors.Join(err, staging); err == nil {
		err = c.writeFile(n, s.URL(), links, x)
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	c.list(e, n, s.URL(), x)
	here := *e
	here.ctx = ctx
	err = answer(&here, s)
	if cause := context.Cause(ctx); err == nil && e.ctx.Err() == nil && cause != nil {
		err = cause
	}
	return err
}

// load files what the desk records, and makes its officers.
func (c demoCmd) load(ctx context.Context, e *env, n *node.Node, set *example.Set, url string) (map[string]string, error) {
	say := func(format string, a ...any) { fmt.Fprintf(e.stderr, format+"\n", a...) }
	before := n.Head().Size
	say("The node in %s has %d records. Loading the example %s ...", c.Data, before, c.Example)
	if err := demo.Load(ctx, n, set, e.bar.Update); err != nil {
		return nil, err
	}
	e.bar.Done()
	links, err := demo.Officers(ctx, n, url)
	if err != nil {
		return nil, err
	}
	counts, err := n.Projection.Counts(ctx)
	if err != nil {
		return nil, err
	}
	say("%d records filed now, %d in all: %d accounts with %d claims, %d incidents.", counts.Records-before, counts.Records, counts.Accounts, counts.Claims, counts.Incidents)
	return links, nil
}

// stage begins the exercise in the background, beside the node at an address. What it
// gives waits for it; both are nil where none is wanted.
func (c demoCmd) stage(ctx context.Context, e *env, url string, failed func(error)) func() (*demo.Exercise, error) {
	if !c.Exercise {
		return func() (*demo.Exercise, error) { return nil, nil }
	}
	var x *demo.Exercise
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		if x, err = c.exercise(ctx, e, url, failed); err != nil {
			failed(err) // so that the other mission is not loaded for nothing
		}
	}()
	return func() (*demo.Exercise, error) { <-done; return x, err }
}

func (c demoCmd) exercise(ctx context.Context, e *env, url string, failed func(error)) (*demo.Exercise, error) {
	name := example.Told()[0]
	set, err := example.Open(name)
	if err != nil {
		return nil, err
	}
	options := e.serving(nil)
	options.Progress = nil
	return demo.Stage(ctx, demo.Setting{
		Name: name, Set: set, Dir: filepath.Join(c.Data, exerciseFolder), Near: strings.TrimPrefix(url, "http://"), Options: options, Failed: failed,
		Serve: func(n *node.Node, folder string, l net.Listener) (demo.Server, error) {
			return serveWithImports(e, n, folder, l)
		},
	})
}

// nodeServer is a server and what takes files in for its pages.
type nodeServer struct {
	*server.Server
	jobs *intake.Jobs
}

// serveWithImports makes the server of a node on an address that is taken.
func serveWithImports(e *env, n *node.Node, folder string, l net.Listener) (*nodeServer, error) {
	jobs, err := intake.OpenJobs(intake.JobsConfig{Dir: filepath.Join(folder, local.ImportsFolder), Door: n, Now: e.now, Rand: e.rand, Log: e.log})
	if err != nil {
		return nil, err
	}
	s, err := server.Listen(n, server.Options{Listener: l, Log: e.log, Imports: jobs})
	if err != nil {
		return nil, errors.Join(err, jobs.Close())
	}
	return &nodeServer{s, jobs}, nil
}

// Serve implements demo.Server.
func (s *nodeServer) Serve(ctx context.Context) error {
	return errors.Join(s.Server.Serve(ctx), s.jobs.Close())
}

// Close implements demo.Server.
func (s *nodeServer) Close() error { return errors.Join(s.Server.Close(), s.jobs.Close()) }

// list tells which address is whose.
func (c demoCmd) list(e *env, n *node.Node, url string, x *demo.Exercise) {
	e.bar.Done()
	row := func(address, what string) { fmt.Fprintf(e.stderr, "  %-24s %s\n", address, what) }
	fmt.Fprintf(e.stderr, "\n%s\n", n.Pack().Title.In("en"))
	row(url, "the worked example, recorded by a desk")
	if x != nil {
		fmt.Fprintf(e.stderr, "\n%s\n", x.Nodes[0].Node.Pack().Title.In("en"))
		for _, p := range x.Nodes {
			row(p.URL, fmt.Sprintf("%s (%s), %s", p.Name, p.Member, strings.ReplaceAll(p.Role, "_", " ")))
		}
	}
	fmt.Fprintf(e.stderr, "\nLinks to sign in as a desk officer, an operations officer, an administrator and a reader of each are in %s.\n\n", filepath.Join(c.Data, demoFileName))
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

func (c demoCmd) writeFile(n *node.Node, url string, links map[string]string, x *demo.Exercise) error {
	f := demoFile{
		URL: url, LogURL: url + peer.Prefix, LogVKey: n.Config.LogKey, Origin: n.Config.Origin,
		Mission: n.Config.Mission.String(), Example: c.Example, SignIn: links,
	}
	if x != nil {
		r := x.Nodes[0]
		f.Exercise = &exerciseFile{
			Example: example.Told()[0], Mission: r.Node.Config.Mission.String(), Origin: r.Node.Config.Origin,
			LogURL: r.URL + peer.Prefix, LogVKey: r.Node.Config.LogKey,
		}
		for _, p := range x.Nodes {
			f.Exercise.Nodes = append(f.Exercise.Nodes, exerciseNode{Member: p.Member, Role: p.Role, Name: p.Name, URL: p.URL, Data: p.Dir, SignIn: p.SignIn})
		}
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return local.WriteFile(filepath.Join(c.Data, demoFileName), append(b, '\n'), 0o600)
}
