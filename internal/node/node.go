// SPDX-License-Identifier: Apache-2.0

// Package node is one running installation: its keys, its ledger, the registry that
// puts records in order, and the projection that follows. A node is a value with a
// clock, a folder and keys, so that several run in one process.
package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"truceline/agreement"
	"truceline/internal/blobstore"
	"truceline/internal/cosigned"
	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/local"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/internal/projection"
	"truceline/internal/registry"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

const logKeyName = "log"

func memberKeyName(code string) string { return "member-" + code }

// Options are what a node is given from outside.
type Options struct {
	Now  func() time.Time
	Rand io.Reader // safe for concurrent use
	Log  *slog.Logger
	// Progress, if set, hears of long work at the start: what, how much of how much.
	Progress func(what string, done, total int64)
	// Dial makes the line to another node, by its address; needed by members' nodes.
	Dial func(url string) Link
	// Feed makes what offers heads to a witness elsewhere; needed by the registry's node if a
	// member vouches for one.
	Feed func(url string, key note.Verifier) Feeder
	// Manual leaves it to the caller when a member's node talks to others: see Round.
	Manual bool
	// Alone lets a registry admit records before its witnesses have told what they hold.
	Alone bool
	// Fitter learns the model by which accounts are compared; nil: the tables do.
	Fitter Fitter
}

// Node is one installation that is open. It is safe for concurrent use.
type Node struct {
	Config     *local.Config
	Projection *projection.DB     // all that this node may read
	Registry   *registry.Registry // nil in a member's node
	Box        *outbox.Box        // signed records that wait; nil in the registry's node
	Cosigned   *cosigned.Store    // checkpoints with the cosignatures known here
	Copies     *blobstore.Store   // of documents; nil as Office
	Office     *office.DB         // the officers' book; nil in a node that is only looked at

	opts     Options
	private  *local.Store
	store    *sqlite.Store
	ledger   *replica.Replica
	door     door
	member   *member       // nil in the registry's node
	verifier note.Verifier // of the log
	heads    note.Verifier // of the heads of the ledger here; the log's in the registry's node
	alarms   alarms
	parsed   parsedHeads
	keys     keyring
	sources  sources // by which sources are met again
	courses  courses
	dues     dues
	feeding  *feeding
	signers  map[string]*record.Signer // member code to its node key here
	catching atomic.Bool               // many records are being fetched; the tables wait
	kept     int64                     // size of the head that keepHead wrote last
	away     away
	learning chan struct{} // holds a token while a model is learnt

	follow context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	lagging error          // why the projection stands still, if it does
	public  *projection.DB // what everybody may read; nil while that is all
}

// Open opens the node in dir: checks the ledger against its signed head, folds it,
// and brings the projection up to it.
func Open(ctx context.Context, dir string, opts Options) (*Node, error) {
	priv, cfg, err := local.Open(dir)
	if err != nil {
		return nil, err
	}
	n := newNode(priv, cfg, opts)
	if err := n.open(ctx); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func newNode(priv *local.Store, cfg *local.Config, opts Options) *Node {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Node{Config: cfg, opts: opts, private: priv, signers: map[string]*record.Signer{}, learning: make(chan struct{}, 1)}
}

func (n *Node) open(ctx context.Context) (err error) {
	if err := n.openLedger(ctx, n.private); err != nil {
		return err
	}
	if err := n.checkLock(ctx); err != nil {
		return fmt.Errorf("open the node: %w", err)
	}
	if n.Cosigned, err = cosigned.Open(ctx, n.private.Path(local.CosignedFile), cosigned.Options{Now: n.opts.Now}); err != nil {
		return err
	}
	if err := n.alarms.load(n.private); err != nil {
		return err
	}
	if err := n.openDoor(ctx); err != nil {
		return err
	}
	if err := n.promoteKeys(); err != nil {
		return err
	}
	if n.Copies, err = blobstore.Open(n.private.Path(local.CopiesFolder), n.opts.Now()); err != nil {
		return fmt.Errorf("open the node: %w", err)
	}
	if n.Projection, err = projection.Open(ctx, n.private.Path(local.ProjectionFile)); err != nil {
		return err
	}
	if err := n.catchUp(ctx); err != nil {
		return fmt.Errorf("open the node: %w", err)
	}
	if n.Office, err = office.Open(ctx, n.private.Path(local.OfficeFile), office.Options{Now: n.opts.Now, Rand: n.opts.Rand}); err != nil {
		return err
	}
	followCtx, cancel := context.WithCancel(context.Background())
	n.follow = cancel
	n.wg.Go(func() { n.followLedger(followCtx) })
	n.feeding = &feeding{n: n}
	if n.Registry != nil && !n.opts.Manual {
		n.wg.Go(func() { n.feeding.run(followCtx) })
	}
	if n.member != nil && !n.opts.Manual {
		n.wg.Go(func() { n.member.run(followCtx) })
	}
	if !n.opts.Manual {
		n.wg.Go(func() { n.keepTime(followCtx) })
	}
	return nil
}

// openLedger opens what the tables are computed from, and changes nothing.
func (n *Node) openLedger(ctx context.Context, priv *local.Store) (err error) {
	if n.verifier, err = ledger.NewVerifier(n.Config.LogKey); err != nil {
		return err
	}
	if err := n.loadSigners(priv); err != nil {
		return err
	}
	if n.store, err = sqlite.Open(ctx, priv.Path(local.LedgerFile)); err != nil {
		return err
	}
	if n.Config.Member != "" {
		return n.openCopy(ctx, priv)
	}
	skey, err := priv.Key(logKeyName)
	if err != nil {
		return err
	}
	signer, err := ledger.NewSigner(skey)
	if err != nil {
		return err
	}
	n.heads = n.verifier
	n.Registry, err = registry.Open(ctx, registry.Config{
		Store: n.store, LogSigner: signer, LogVerifier: n.verifier, Signer: n.signers[n.Config.Registry],
		Now: n.opts.Now, Rand: n.opts.Rand, Progress: n.progress("fold the ledger"),
	})
	if err == nil {
		n.ledger = n.Registry.Replica
	}
	return err
}

// openDoor makes the door through which this node files.
func (n *Node) openDoor(ctx context.Context) error {
	if n.Config.Member == "" {
		g := newGuarded(n)
		n.door = g
		_ = g.ready() // who files is told why not
		return nil
	}
	return n.openMember(ctx)
}

// Head is the newest signed head of the log of which this node has every record.
func (n *Node) Head() ledgerstore.Head {
	if n.member != nil {
		return n.member.heldHead()
	}
	return n.ledger.Head()
}

// judged is up to where records were admitted by the rules: all that pages show.
func (n *Node) judged() int64 {
	size := n.ledger.Head().Size
	if b := n.ledger.Broken(); b != nil {
		size = min(size, b.Index)
	}
	return size
}

func (n *Node) ledgerHealthy() error {
	if n.Registry != nil {
		return n.Registry.Healthy()
	}
	return n.ledger.Healthy()
}

func (n *Node) progress(what string) func(done, total int64) {
	if n.opts.Progress == nil {
		return nil
	}
	return func(done, total int64) { n.opts.Progress(what, done, total) }
}

func (n *Node) loadSigners(priv *local.Store) error {
	names, err := priv.Keys()
	if err != nil {
		return err
	}
	for _, name := range names {
		code, ok := cutPrefix(name, memberKeyName(""))
		if !ok {
			continue
		}
		secret, err := priv.Key(name)
		if err != nil {
			return err
		}
		seed, err := base64.StdEncoding.DecodeString(secret)
		if err == nil {
			n.signers[code], err = record.NewSigner(seed)
		}
		if err != nil {
			return fmt.Errorf("read key %s: it is damaged: %w; restore it from a backup", name, err)
		}
	}
	if own := n.Config.Member; own != "" {
		if n.signers[own] == nil {
			return fmt.Errorf("open the node: the key of %s is not here; restore the keys from a backup, or, if it is lost, go on with the recovery key: truceline recover", own)
		}
		return nil
	}
	if n.signers[n.Config.Registry] == nil {
		return fmt.Errorf("open the node: the key of the registry %s is not here; restore the keys from a backup", n.Config.Registry)
	}
	return nil
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return "", false
}

// Close stops following, lets the commit under way end, and releases the files.
func (n *Node) Close() error {
	var errs []error
	if n.follow != nil {
		n.follow()
		n.wg.Wait()
	}
	if n.Registry != nil {
		errs = append(errs, n.Registry.Close())
		if n.follow != nil { // not for a ledger that was only looked at, or refused
			errs = append(errs, n.keepHead())
		}
	}
	if g, ok := n.door.(*guarded); ok {
		g.close()
	}
	if n.member != nil {
		errs = append(errs, n.member.close())
	}
	if n.Cosigned != nil {
		errs = append(errs, n.Cosigned.Close())
	}
	if n.Projection != nil {
		errs = append(errs, n.Projection.Close())
	}
	if n.public != nil {
		errs = append(errs, n.public.Close())
	}
	if n.Office != nil {
		errs = append(errs, n.Office.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}

// pollInterval is how often a node looks for records that another process has
// appended to the same ledger, such as a command run beside the server.
const pollInterval = 500 * time.Millisecond

// gather is how long the tables wait for more records before they follow.
const gather = 25 * time.Millisecond

func (n *Node) followLedger(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		changed := n.ledger.Changed()
		if n.catching.Load() {
			select {
			case <-ctx.Done():
				return
			case <-time.After(gather):
			}
			continue
		}
		if err := n.catchUp(ctx); err != nil && ctx.Err() == nil {
			n.opts.Log.Error("the projection does not follow the ledger", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
			// Under load, fold many records in one go rather than race the registry for
			// the processor after each.
			select {
			case <-ctx.Done():
				return
			case <-time.After(gather):
			}
		case <-tick.C:
			if err := n.ledger.Refresh(ctx); err != nil && ctx.Err() == nil {
				n.opts.Log.Error("the ledger cannot be read", "err", err)
			}
			if err := n.keepHead(); err != nil {
				n.opts.Log.Error("a ledger that goes back in time may not be noticed", "err", err)
			}
			if err := n.away.keep(ctx); err != nil && ctx.Err() == nil {
				n.opts.Log.Error("nothing is admitted", "err", err)
			}
		}
	}
}

func (n *Node) catchUp(ctx context.Context) error {
	err := n.catchUpTables(ctx)
	n.mu.Lock()
	n.lagging = err
	n.mu.Unlock()
	return err
}

// catchUpTables brings the tables up to what was judged: first those of everybody, so that
// nobody is shown from the node's own what is not for everybody.
func (n *Node) catchUpTables(ctx context.Context) error {
	size := n.judged()
	if err := n.catchUpPublic(ctx, size); err != nil {
		return err
	}
	return n.catchUpOwn(ctx, size)
}

// Sync waits until the projection shows everything that was acknowledged before the call.
func (n *Node) Sync(ctx context.Context) error {
	size := n.judged()
	for {
		done, err := n.Projection.Applied(ctx)
		if err != nil || done >= size {
			return err
		}
		n.mu.Lock()
		err = n.lagging
		n.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Healthy is nil while the node admits records and its tables follow.
func (n *Node) Healthy(ctx context.Context) error {
	n.mu.Lock()
	err := n.lagging
	n.mu.Unlock()
	if err = errors.Join(err, n.ledgerHealthy(), n.away.failed()); err != nil {
		return err
	}
	applied, err := n.Projection.Applied(ctx)
	if err != nil {
		return err
	}
	// Read after the tables: another process may append and fold meanwhile.
	head, err := n.store.Head(ctx)
	if err == nil && applied > head.Size {
		err = fmt.Errorf("%w: they have %d and the ledger %d: %s", projection.ErrAhead, applied, head.Size, projection.Ahead)
	}
	return err
}

// Store is the node's ledger, for reading.
func (n *Node) Store() ledgerstore.Store { return n.store }

// Path is where a file or folder of the node stands.
func (n *Node) Path(name string) string { return n.private.Path(name) }

// Now is the node's clock.
func (n *Node) Now() time.Time { return n.opts.Now() }

// Mission is the id of the mission the node serves.
func (n *Node) Mission() record.ID { return n.Config.Mission }

// Pack is the agreement in force. It must not be changed.
func (n *Node) Pack() (p *agreement.Pack) {
	n.ledger.View(func(s *mechanism.State) { p = s.Pack() })
	return p
}
