// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/record"
)

// Server answers for one node.
type Server interface {
	URL() string
	// Serve answers until ctx ends. It is called once, and gives the address back.
	Serve(ctx context.Context) error
	// Close is for a server that is not to answer after all.
	Close() error
}

// Setting says how an exercise is staged.
type Setting struct {
	Name string // of the example
	Set  *example.Set
	// Dir gets a folder for each node, named by its member's code.
	Dir string
	// Near is HOST:PORT; the nodes take ports after it, or those that they had.
	Near    string
	Options node.Options
	// Serve makes the server of a node on an address that is taken already.
	Serve func(n *node.Node, folder string, l net.Listener) (Server, error)
	// Failed, if set, hears of a server that has ended by itself.
	Failed func(error)
}

// Exercise is a mission whose registry and members have a node each, all in one process,
// each with its own folder, keys and address. They know nothing of one another but what
// comes over their lines.
type Exercise struct {
	Nodes []*Part // the registry's first
	set   Setting
	serve context.Context // of the members' servers
	end   context.CancelFunc
}

// Part is one node of an exercise.
type Part struct {
	Member, Role, Name string
	Dir, URL           string
	Node               *node.Node
	SignIn             map[string]string // link for each role; none at the registry

	listener net.Listener
	server   Server
	served   chan struct{} // closed when the server has ended
	stop     context.CancelFunc
	used     *os.File
}

// ExerciseOrigin begins the origins of the exercises that a demonstration makes.
const ExerciseOrigin = "exercise.truceline.invalid/"

// Stage makes what is not there yet of an exercise, starts its nodes, brings the members
// into the mission by invitations, has them adopt a policy that withstands one of them, and
// files the story, until all of it is witnessed and everybody knows so. What is there
// already is not filed again. The exercise runs until Close.
func Stage(ctx context.Context, s Setting) (x *Exercise, err error) {
	file, err := agreement.Load(bytes.NewReader(s.Set.Agreement))
	if err != nil {
		return nil, fmt.Errorf("stage the exercise: %w", err)
	}
	serve, end := context.WithCancel(context.WithoutCancel(ctx))
	x = &Exercise{set: s, serve: serve, end: end}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("stage the exercise %s: %w", s.Name, err), x.Close())
			x = nil
		}
	}()
	for _, m := range file.Pack.Members {
		p := &Part{Member: m.Code, Role: string(m.Role), Name: m.Name.In("en"), Dir: filepath.Join(s.Dir, m.Code)}
		if m.Role == record.RegistryRole {
			x.Nodes = append([]*Part{p}, x.Nodes...)
		} else {
			x.Nodes = append(x.Nodes, p)
		}
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return x, err
	}
	if err := x.listen(); err != nil { // nothing is filed for a server that cannot start
		return x, err
	}
	if err := x.openRegistry(ctx); err != nil {
		return x, err
	}
	if err := x.each(func(p *Part) error { return x.join(ctx, p) }); err != nil {
		return x, err
	}
	if err := x.agree(ctx); err != nil {
		return x, err
	}
	if err := x.each(func(p *Part) (err error) {
		p.SignIn, err = Officers(ctx, p.Node, p.URL)
		return err
	}); err != nil {
		return x, err
	}
	nodes := map[string]*node.Node{}
	for _, p := range x.members() {
		nodes[p.Member] = p.Node
	}
	if err := FileStory(ctx, s.Set, nodes, nil); err != nil {
		return x, err
	}
	if err := DoDeeds(ctx, s.Set, nodes); err != nil {
		return x, err
	}
	return x, x.witnessed(ctx)
}

func (x *Exercise) registry() *Part  { return x.Nodes[0] }
func (x *Exercise) members() []*Part { return x.Nodes[1:] }

// each does something for every member at once. One that fails does not end the others,
// which come to their own end.
func (x *Exercise) each(do func(*Part) error) error {
	errs := make([]error, len(x.members()))
	var wg sync.WaitGroup
	for i, p := range x.members() {
		wg.Go(func() {
			if err := do(p); err != nil {
				errs[i] = fmt.Errorf("%s: %w", p.Member, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// openRegistry makes the registry's node if it is not there, and serves it.
func (x *Exercise) openRegistry(ctx context.Context) error {
	p := x.registry()
	if _, err := os.Stat(filepath.Join(p.Dir, local.ConfigFile)); errors.Is(err, os.ErrNotExist) {
		c := node.Creation{Agreement: x.set.Set.Agreement, Origin: ExerciseOrigin + x.set.Name + "-{mission}", Now: x.set.Options.Now, Rand: x.set.Options.Rand}
		for _, m := range x.members() {
			c.Invited = append(c.Invited, m.Member)
		}
		if err := node.Create(ctx, p.Dir, c); err != nil {
			return err
		}
	}
	_, cfg, err := local.Open(p.Dir)
	if err != nil {
		return err
	}
	if cfg.Member != "" || !strings.HasPrefix(cfg.Origin, ExerciseOrigin+x.set.Name+"-") {
		return fmt.Errorf("%s is the node of %s, which the demonstration did not make; name another folder with --data DIR", p.Dir, cfg.Origin)
	}
	return x.open(ctx, p)
}

// open opens a node and serves it in the background.
func (x *Exercise) open(ctx context.Context, p *Part) (err error) {
	if p.used, err = local.New(p.Dir).Use(false); err != nil {
		return err
	}
	if p.Node, err = node.Open(ctx, p.Dir, x.set.Options); err != nil {
		return err
	}
	if p.server, err = x.set.Serve(p.Node, p.Dir, p.listener); err != nil {
		return err
	}
	// The registry's server outlives those of the members, who would miss it.
	serve := x.serve
	if p == x.registry() {
		serve = context.WithoutCancel(x.serve)
	}
	serve, p.stop = context.WithCancel(serve)
	p.served = make(chan struct{})
	go func() {
		defer close(p.served)
		if err := p.server.Serve(serve); err != nil && x.set.Failed != nil {
			x.set.Failed(fmt.Errorf("the server of %s: %w", p.Member, err))
		}
	}()
	return nil
}

// join brings a member into the mission as anybody joins: with an invitation, from a
// folder of its own, over the line.
func (x *Exercise) join(ctx context.Context, p *Part) error {
	r := x.registry()
	if _, err := os.Stat(filepath.Join(p.Dir, local.ConfigFile)); errors.Is(err, os.ErrNotExist) {
		if err := x.prepare(ctx, p); err != nil {
			return err
		}
	}
	_, cfg, err := local.Open(p.Dir)
	if err != nil {
		return err
	}
	if cfg.Member != p.Member || cfg.Origin != r.Node.Config.Origin {
		return fmt.Errorf("%s is the node of %q in %s; delete %s to begin the exercise anew", p.Dir, cfg.Member, cfg.Origin, x.set.Dir)
	}
	if err := node.Readdress(p.Dir, r.URL, p.URL); err != nil {
		return err
	}
	if err := x.open(ctx, p); err != nil {
		return err
	}
	for {
		// After a start the registry hears the witnesses first, who tell by themselves.
		err := r.Node.Waiting()
		if err == nil {
			err = p.Node.Enter(ctx)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, node.ErrWaiting) && !errors.As(err, new(*node.Queued)) && !errors.As(err, new(*node.Unreached)) {
			return err
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return err
		}
	}
}

// prepare invites a member and makes its folder.
func (x *Exercise) prepare(ctx context.Context, p *Part) error {
	made, err := x.registry().Node.InviteMember(p.Member, x.registry().URL)
	if err != nil {
		return err
	}
	b, err := json.Marshal(made)
	if err != nil {
		return err
	}
	inv, err := node.ReadInvitation(b)
	if err != nil {
		return err
	}
	var recovery bytes.Buffer
	if _, err := node.PrepareMember(ctx, p.Dir, node.Joining{Invitation: inv, URL: p.URL, Recovery: &recovery, Options: x.set.Options}); err != nil {
		return err
	}
	return local.WriteFile(p.Dir+".recovery", recovery.Bytes(), 0o600)
}

// agree adopts a policy, unless there is one: so many witnesses that it withstands as many
// dishonest ones as can be.
func (x *Exercise) agree(ctx context.Context) error {
	n := x.registry().Node
	policy, err := n.Policy()
	if err != nil || policy != nil {
		return err
	}
	all := len(x.members())
	return n.AdoptPolicy(ctx, all-(all-1)/3)
}

// witnessed waits until every node knows that the whole log is witnessed.
func (x *Exercise) witnessed(ctx context.Context) error {
	for {
		size, all := x.registry().Node.Head().Size, true
		for _, p := range x.Nodes {
			h, err := p.Node.Witnessed(ctx)
			if err != nil && !node.IsNotFound(err) {
				return err
			}
			all = all && err == nil && h.Size == size
		}
		if all {
			return nil
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return fmt.Errorf("wait until the members have cosigned: %w", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Close ends the servers and closes the nodes, the registry's last.
func (x *Exercise) Close() error {
	x.end()
	var errs []error
	close := func(p *Part) {
		if p.stop != nil {
			p.stop()
			<-p.served
		} else if p.server != nil {
			errs = append(errs, p.server.Close())
		} else if p.listener != nil {
			errs = append(errs, p.listener.Close())
		}
		if p.Node != nil {
			errs = append(errs, p.Node.Close())
		}
		if p.used != nil {
			p.used.Close() // nothing was written
		}
	}
	for i := len(x.Nodes) - 1; i >= 0; i-- {
		close(x.Nodes[i])
	}
	return errors.Join(errs...)
}
