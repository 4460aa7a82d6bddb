// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/cosigned"
	"truceline/record"
)

// Feeder offers a signed head to a witness elsewhere, as C2SP tlog-witness says, and gives
// its cosignatures, verified. It proves the way from what the witness holds. Where the
// witness holds more, the error has a method Ahead() int64 with its size; where it will not
// sign, one Refuses() that gives true.
type Feeder interface {
	Feed(ctx context.Context, checkpoint []byte, old int64, proofs interface {
		Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error)
	}) ([]note.Signature, error)
}

// feeding is how the registry's node offers its heads to witnesses outside the mission.
// Those of members come by themselves and are not offered anything: their nodes may stand
// where nobody reaches them.
type feeding struct {
	n  *Node
	mu sync.Mutex
	c  cosigned.Collector
}

// feedEvery is how long the registry gathers records before it offers the next head.
const feedEvery = 500 * time.Millisecond

// run offers heads until ctx ends.
func (f *feeding) run(ctx context.Context) {
	for {
		changed := f.n.ledger.Changed()
		f.step(ctx)
		f.mu.Lock()
		wake, ok := f.c.Wake()
		f.mu.Unlock()
		var due <-chan time.Time
		if ok {
			due = time.After(max(feedEvery, time.Duration(wake-f.n.opts.Now().UnixMilli())*time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return
		case <-due:
		case <-changed:
			select {
			case <-ctx.Done():
				return
			case <-time.After(feedEvery):
			}
		}
	}
}

// step offers what is to be offered now, to all at once, and waits for their answers.
func (f *feeding) step(ctx context.Context) {
	if f.n.opts.Feed == nil {
		return
	}
	last, err := f.n.Cosigned.Last(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		f.n.opts.Log.Error("witnesses outside are not offered the newest head", "err", err)
		return
	}
	var peers []cosigned.Peer
	for _, c := range f.n.Cosigners() {
		if c.Role == record.OutsideCosigner && c.URL != "" {
			peers = append(peers, cosigned.Peer{VKey: c.VKey, URL: c.URL, Cosigned: last[c.VKey].Size})
		}
	}
	f.next(cosigned.Event{Kind: cosigned.Named, Peers: peers})
	offers := f.next(cosigned.Event{Kind: cosigned.Grew, Size: f.n.Head().Size})
	offers = append(offers, f.next(cosigned.Event{Kind: cosigned.Ticked})...)
	var wg sync.WaitGroup
	for _, a := range offers {
		wg.Go(func() { f.offer(ctx, a) })
	}
	wg.Wait()
}

func (f *feeding) next(e cosigned.Event) (actions []cosigned.Action) {
	e.Now = f.n.opts.Now().UnixMilli()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.c, actions = f.c.Next(e)
	return actions
}

// offer makes one offer and whatever follows on it at once.
func (f *feeding) offer(ctx context.Context, a cosigned.Action) {
	e := cosigned.Event{VKey: a.VKey, Flight: a.Flight, Kind: cosigned.Failed}
	switch err := f.offerOnce(ctx, a); {
	case err == nil:
		e.Kind = cosigned.Answered
	case ahead(err) > 0:
		e.Kind, e.Held = cosigned.Conflicted, ahead(err)
		f.compare(ctx, a)
	case errors.As(err, new(interface{ Refuses() bool })):
		e.Kind = cosigned.Refused
		f.n.opts.Log.Warn("a witness does not cosign", "witness", a.VKey, "err", err)
	default:
		f.n.opts.Log.Info("a witness was not reached", "witness", a.VKey, "err", err)
	}
	for _, more := range f.next(e) {
		f.offer(ctx, more)
	}
}

func ahead(err error) int64 {
	var a interface{ Ahead() int64 }
	if errors.As(err, &a) {
		return a.Ahead()
	}
	return 0
}

func (f *feeding) offerOnce(ctx context.Context, a cosigned.Action) error {
	log := f.n.Log()
	head := log.Head()
	if head.Size < a.Flight.Size {
		return errors.New("the head is not here")
	}
	v, err := cosign.NewVerifier(a.VKey)
	if err != nil {
		return err
	}
	sigs, err := f.n.opts.Feed(a.URL, v).Feed(ctx, head.Checkpoint, a.Flight.Old, log)
	if err != nil {
		return err
	}
	signed, err := cosign.AddSignatures(head.Checkpoint, sigs...)
	if err != nil {
		return err
	}
	if g, ok := f.n.door.(*guarded); ok {
		return g.heardFrom(ctx, signed)
	}
	return nil
}

// compare looks at what a witness holds that says it holds more: if this log's key has
// signed it, the ledger here is not the newest.
func (f *feeding) compare(ctx context.Context, a cosigned.Action) {
	g, ok := f.n.door.(*guarded)
	if !ok || f.n.opts.Dial == nil {
		return
	}
	// It serves what it holds beside where it takes offers.
	signed, err := f.n.opts.Dial(strings.TrimSuffix(strings.TrimSuffix(a.URL, "/"), "/witness")).Seen(ctx, f.n.Config.Origin)
	if err == nil {
		err = g.told(ctx, signed)
	}
	f.n.opts.Log.Warn("a witness holds more than this ledger", "witness", a.VKey, "err", err)
}

// Feed offers the newest head to the witnesses outside the mission, once; for those who
// say themselves when, see Options.Manual.
func (n *Node) Feed(ctx context.Context) { n.feeding.step(ctx) }
