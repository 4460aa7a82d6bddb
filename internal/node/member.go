// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/internal/ledgerstore"
	"truceline/internal/local"
	"truceline/internal/outbox"
	"truceline/internal/replica"
	"truceline/internal/witness"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// headKeyName is the key that signs the heads of a member's own copy, for itself alone: a
// copy on its way to a signed head has sizes that the log never signed.
const headKeyName = "head"

// member is what only a member's node has: its copy follows a registry elsewhere.
type member struct {
	n       *Node
	link    Link
	other   bool // the link is not to the registry itself
	box     *outbox.Box
	witness *witness.Witness
	head    note.Signer
	mirror  *cosign.Signer
	rules   *cosign.Signer

	sending   sync.Mutex // one at a time, in order
	following sync.Mutex
	observing sync.Mutex // within following, where both are held

	talking  sync.Mutex
	talk     *os.File    // held while this process talks to the registry
	entering atomic.Bool // a caller that else says when to talk wants what it files to go out

	mu       sync.Mutex
	held     ledgerstore.Head // the newest signed head of which the copy has everything
	newest   []byte           // the newest checkpoint seen, whoever showed it
	session  string           // of the registry, in which the cosignatures were handed in
	told     int64            // size of the head whose cosignatures were handed in
	toldAt   time.Time
	contact  time.Time // when the registry last answered
	lineErr  error     // why it did not since
	line     lineState // as it was told last
	offered  int64     // size of the newest head that the registry called witnessed
	older    time.Time // since when it shows an older head
	gossiped map[string]time.Time

	learnt     map[string]int64 // notes whose cosignatures were kept, with the copy's size then
	later      [][]byte         // heads whose signature is good and that could not be compared yet
	far        []Alarm          // over members' clocks, noticed and not yet raised
	shownSize  int64            // of the head that the registry showed last
	shownAt    time.Time        // when it was asked for that; zero: not since the start
	wrongSince time.Time        // since when it gives answers that do not hold
	pressed    time.Time        // when what waits was handed in through others last; with sending
	suspect    suspicion        // with sending
	broken     int64            // 1 more than the record that was found broken; with following
	cosigned   int64            // size of the head that was cosigned last
	waited     [2]int64         // the sizes beyond which growth was waited for last; of run alone
}

// openCopy opens a member's copy of the ledger.
func (n *Node) openCopy(ctx context.Context, priv *local.Store) error {
	skey, err := priv.Key(headKeyName)
	if err != nil {
		return err
	}
	vkey, err := ledger.VerifierKey(skey)
	if err != nil {
		return err
	}
	if n.heads, err = ledger.NewVerifier(vkey); err != nil {
		return err
	}
	n.ledger, err = replica.Open(ctx, replica.Config{Store: n.store, Verifier: n.heads, Copied: true, Progress: n.progress("fold the ledger")})
	return err
}

func (n *Node) openMember(ctx context.Context) (err error) {
	m := &member{n: n, gossiped: map[string]time.Time{}}
	n.member = m
	if n.opts.Dial != nil {
		m.link = n.opts.Dial(n.Config.RegistryURL)
	}
	skey, err := n.private.Key(headKeyName)
	if err != nil {
		return err
	}
	if m.head, err = ledger.NewSigner(skey); err != nil {
		return err
	}
	signer := func(role cosign.Role) (*cosign.Signer, error) {
		skey, err := n.private.Key(string(role))
		if err != nil {
			return nil, err
		}
		return cosign.NewSigner(skey)
	}
	own, err := signer(cosign.Witness)
	if err != nil {
		return err
	}
	if m.mirror, err = signer(cosign.Mirror); err != nil {
		return err
	}
	if m.rules, err = signer(cosign.Rules); err != nil {
		return err
	}
	if m.witness, err = witness.Open(ctx, n.private.Path(local.WitnessFile), witness.Options{Signers: []*cosign.Signer{own}, Now: n.opts.Now}); err != nil {
		return err
	}
	if _, marked := n.Restored(); !marked {
		if err := m.witnessOwn(); err != nil {
			return err
		}
	}
	if m.box, err = outbox.Open(ctx, n.private.Path(local.OutboxFile), outbox.Options{Now: n.opts.Now}); err != nil {
		return err
	}
	n.Box, n.door = m.box, m
	if m.newest, err = m.readNote(local.CheckpointFile); err != nil {
		return err
	}
	return m.loadHeld(ctx)
}

func (m *member) close() error {
	var errs []error
	m.hushed()
	if m.box != nil {
		errs = append(errs, m.box.Close())
	}
	if m.witness != nil {
		errs = append(errs, m.witness.Close())
	}
	return errors.Join(errs...)
}

// readNote reads a checkpoint of the log from the node's folder; nil where there is none.
func (m *member) readNote(name string) ([]byte, error) {
	path := m.n.private.Path(name)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		_, err = m.parse(b)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not a head that this log has signed: %w; restore it from a backup", path, err)
	}
	return b, nil
}

func (m *member) parse(signed []byte) (ledger.Checkpoint, error) {
	return m.n.parseHead(signed)
}

// loadHeld finds the newest signed head of which this copy has everything.
func (m *member) loadHeld(ctx context.Context) error {
	signed, err := m.readNote(local.HeldFile)
	if err != nil || signed == nil {
		return err
	}
	c, err := m.parse(signed)
	if err != nil {
		return err
	}
	if c.Size > m.n.ledger.Head().Size {
		// The copy was put back from an earlier one. What it lacks is fetched again.
		return nil
	}
	return m.hold(ctx, c, signed)
}

// hold notes that the copy has everything of a signed head.
func (m *member) hold(ctx context.Context, c ledger.Checkpoint, signed []byte) error {
	root, err := m.n.rootAt(ctx, c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		return fmt.Errorf("hold the head of %d records: %w", c.Size, replica.ErrUnlike)
	}
	head := ledgerstore.Head{Size: c.Size, Root: c.Root, Checkpoint: signed}
	for e, err := range m.n.store.Entries(ctx, max(0, c.Size-1), c.Size) {
		if err != nil {
			return err
		}
		head.LoggedAt = e.LoggedAt
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if head.Size >= m.held.Size {
		m.held = head
	}
	return nil
}

func (m *member) heldHead() ledgerstore.Head {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held.Checkpoint == nil {
		return ledgerstore.Head{Root: ledger.NewEdge().Root()}
	}
	return m.held
}

// run keeps the node in touch with the others until ctx ends.
func (m *member) run(ctx context.Context) {
	wait := minRetry
	m.heed(ctx)
	for ctx.Err() == nil {
		err := m.round(ctx)
		if err != nil && ctx.Err() == nil {
			m.n.opts.Log.Warn("the line to the registry", "err", err)
			m.pause(ctx, wait)
			wait = min(2*wait, maxRetry)
			continue
		}
		wait = minRetry
		m.idle(ctx)
	}
}

const (
	minRetry = 500 * time.Millisecond
	maxRetry = 30 * time.Second
)

// pause waits, but not when something is put into the box: an officer may stand by.
func (m *member) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-m.box.Changed():
	case <-time.After(d):
	}
}

// idle waits until there is something to do: the log grows, the box has something, or a
// while has passed.
func (m *member) idle(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	grown := make(chan struct{})
	size, witnessed, since := m.heldHead().Size, m.knownWitnessed(ctx), time.Now()
	m.n.wg.Go(func() {
		defer close(grown)
		err := m.link.Wait(ctx, size, witnessed)
		if hurried := m.waited == [2]int64{size, witnessed} && time.Since(since) < minRetry; (err != nil || hurried) && ctx.Err() == nil {
			m.pause(ctx, minRetry)
		}
		m.waited = [2]int64{size, witnessed}
	})
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-m.box.Changed():
			done = true
		case <-grown:
			done = true
		case <-tick.C:
			done = m.waits(ctx)
		}
	}
	stop()
	<-grown
}

// knownWitnessed is the size of the newest head that is witnessed, as far as this node
// knows or was told.
func (m *member) knownWitnessed(ctx context.Context) int64 {
	m.mu.Lock()
	size := m.offered
	m.mu.Unlock()
	if h, ok, err := m.n.Cosigned.Witnessed(ctx); err == nil && ok {
		size = max(size, h.Size)
	}
	return size
}

// waits tells whether something is in the box to be sent: another process of this folder
// may have put it there.
func (m *member) waits(ctx context.Context) bool {
	counts, err := m.box.Counts(ctx)
	return err == nil && counts[outbox.Queued]+counts[outbox.Sent] > 0
}

// Witness is the witness of a member's node; nil in the registry's.
func (n *Node) Witness() *witness.Witness {
	if n.member == nil {
		return nil
	}
	return n.member.witness
}

// Round is one exchange of a member's node with the others: what waits is sent, the log is
// followed and cosigned, and what others have seen is compared. It is for those who say
// themselves when; see Options.Manual. The error is that of the line to the registry;
// what is wrong with what came over it is an alarm.
func (n *Node) Round(ctx context.Context) error {
	if n.member == nil {
		return errors.New("this is the registry's node: its members come to it")
	}
	return errors.Join(n.member.round(ctx), n.openDue(ctx), n.Due(ctx))
}

func (m *member) round(ctx context.Context) error {
	if m.link == nil {
		return errors.New("no line to the registry is given")
	}
	defer m.tellLine()
	// First what is held is told: a registry that has just started admits nothing before.
	err := m.keepUp(ctx)
	var sent error // what is not taken does not keep the node from seeing what is
	if err == nil && m.waits(ctx) {
		if sent = m.send(ctx); sent == nil {
			err = m.keepUp(ctx)
		}
	}
	if err == nil {
		err = m.learnWitnessed(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	noted := m.doubt(ctx, err)
	m.meet(ctx, err != nil)
	pressed := m.press(ctx)
	m.mu.Lock()
	switch {
	case err == nil:
		m.contact, m.lineErr = m.n.opts.Now(), nil
	case unreached(err):
		m.lineErr = err
	}
	m.mu.Unlock()
	return errors.Join(sent, err, noted, pressed)
}

// keepUp follows the log and cosigns what there is.
func (m *member) keepUp(ctx context.Context) error {
	if err := m.follow(ctx); err != nil {
		return err
	}
	return m.cosign(ctx)
}

// Line tells when the registry last answered, and why it does not since; for the pages of
// a member's node.
func (n *Node) Line() (contact time.Time, err error) {
	if n.member == nil {
		return n.opts.Now(), nil
	}
	m := n.member
	m.talking.Lock()
	mine := m.talk != nil || n.opts.Manual
	m.talking.Unlock()
	if !mine {
		contact, why, err := readLine(n.private)
		return contact, errors.Join(why, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.contact, m.lineErr
}

// Cosigners are the keys that members have named for cosigning and that stand.
func (n *Node) Cosigners() (out []mechanism.Cosigner) {
	n.ledger.View(func(s *mechanism.State) {
		for _, c := range s.Cosigners() {
			if c.Until < 0 {
				out = append(out, c)
			}
		}
	})
	return out
}

// policyWitness tells whether a cosigner is a witness of a member or from outside.
func policyWitness(c mechanism.Cosigner) bool {
	return c.Role == record.WitnessCosigner || c.Role == record.OutsideCosigner
}
