// SPDX-License-Identifier: Apache-2.0

package cosigned

import "slices"

// Waits after failures, in milliseconds: they double from FirstDelay to MaxDelay.
const (
	FirstDelay = 1_000
	MaxDelay   = 5 * 60 * 1_000
	// maxFailures is how many are counted: the wait grows no further.
	maxFailures = 10
)

// Collector is what a registry knows of the witnesses to which it offers its heads: the
// pure state machine of C2SP tlog-witness seen from the log's side. It does no I/O, reads no
// clock and knows no hashes. Whoever drives it calls [Collector.Next] for whatever happens,
// one event after the other, does the actions, and makes of the outcome of each exactly one
// event. It starts from the zero value and an event [Named] after every start of the
// process: what was in flight before is forgotten, and a witness that took it says so in
// the conflict that follows.
//
// What holds in every state, whatever the witnesses answer:
//   - Each witness has one offer in flight at most.
//   - An offer, when it goes out, is of the newest head, and goes from a size not above it.
//   - A head whose cosignature is kept is not offered to that witness again.
//   - A witness with an address whose newest cosignature is not of the newest head has an
//     offer in flight, or a time of at most MaxDelay from now before which it is left alone.
//   - Of two outcomes in a row without a cosignature, one makes the witness wait for at
//     least FirstDelay.
//
// A Collector is a value: Next changes none that it is called on.
type Collector struct {
	// Size is that of the log's newest head; 0: there is nothing to offer.
	Size  int64
	Peers []Peer // in the order in which they were named
}

// Peer is one witness.
type Peer struct {
	VKey string
	// URL is where it takes offers. Empty: it only hands in cosignatures by itself.
	URL string
	// Cosigned is the size of the newest head whose cosignature by it is kept here.
	Cosigned int64
	// Held is the size that it holds, as far as is known: by its newest cosignature, or by
	// its own word, which may be smaller when it has lost something.
	Held int64
	// Flight is the offer that has no outcome yet.
	Flight Flight
	// Fault is how the last offer went wrong; empty after one that did not.
	Fault Fault
	// Failures counts those that went wrong one after the other, up to where the wait grows
	// no further.
	Failures int
	// NotBefore is when the next offer may go out, in Unix milliseconds.
	NotBefore int64
	// Told: since its last cosignature, or silence, it has said what it holds, and was offered
	// at once what follows on that.
	Told bool
}

// Flight is an offer: the head of Size, with a proof from the tree of Old. Size 0: none.
type Flight struct{ Old, Size int64 }

// Fault is how an offer went wrong.
type Fault string

// Faults.
const (
	// Unreached: no answer came, or none that can be understood.
	Unreached Fault = "unreached"
	// Refusing: the witness will not, or its cosignature is bad. Waiting may not help.
	Refusing Fault = "refusing"
	// Ahead: it holds more than the log has. Either the log's growth is not known here yet,
	// or the log has gone back in time.
	Ahead Fault = "ahead"
	// Unsteady: it says again that it holds another size than the one it said.
	Unsteady Fault = "unsteady"
)

// EventKind is what happened.
type EventKind string

// Kinds of events, with the fields that count beside Now.
const (
	// Named: who the witnesses are now (Peers; of each VKey, URL and Cosigned).
	Named EventKind = "named"
	// Grew: the log has a signed head of Size. One that is not larger than before changes
	// nothing.
	Grew EventKind = "grew"
	// Came: a cosignature of the head of Size by VKey was kept that answers no offer. The
	// witness handed it in, or it was learnt from others.
	Came EventKind = "came"
	// Answered: the cosignature that an offer asked for was verified and kept (VKey, Flight).
	// It is kept first: what is in the collector is never more than what is on disk.
	Answered EventKind = "answered"
	// Conflicted: HTTP 409, the witness holds the size Held (VKey, Flight, Held).
	Conflicted EventKind = "conflicted"
	// Refused: HTTP 4xx of another kind, or a bad cosignature (VKey, Flight). Before HTTP 422
	// becomes this event, the caller looks whether it has met a fork.
	Refused EventKind = "refused"
	// Failed: no answer within the deadline, HTTP 5xx, or anything else (VKey, Flight). The
	// witness may have taken the head all the same.
	Failed EventKind = "failed"
	// Ticked: nothing but that time has passed. See [Collector.Wake].
	Ticked EventKind = "ticked"
)

// Event is what happened at a time. What does not fit the state is left out without harm:
// an unknown witness, or the outcome of an offer that is not in flight.
type Event struct {
	Kind   EventKind
	Now    int64 // Unix milliseconds; may go back
	VKey   string
	Size   int64
	Flight Flight
	Held   int64
	Peers  []Peer
}

// Action is an offer to make: POST add-checkpoint to the witness, with the checkpoint of
// Flight.Size and the consistency proof from Flight.Old.
type Action struct {
	VKey, URL string
	Flight    Flight
}

// Next gives the state that follows on an event and the offers to make, in the order of
// the peers. It is pure.
func (c Collector) Next(e Event) (Collector, []Action) {
	c.Peers = slices.Clone(c.Peers)
	switch e.Kind {
	case Named:
		c.named(e.Peers)
	case Grew:
		c.Size = max(c.Size, e.Size)
	}
	var actions []Action
	for i := range c.Peers {
		p := &c.Peers[i]
		if p.VKey == e.VKey {
			p.take(e, c.Size)
		}
		if p.Fault == Ahead && p.Held <= c.Size {
			p.Failures, p.NotBefore = 0, 0 // the log has come up to it
		}
		p.NotBefore = min(p.NotBefore, e.Now+MaxDelay) // the clock may have gone back
		if p.wants(c.Size) && p.NotBefore <= e.Now {
			p.Flight = Flight{Old: min(p.Held, c.Size), Size: c.Size}
			actions = append(actions, Action{p.VKey, p.URL, p.Flight})
		}
	}
	return c, actions
}

// Wake is when an event [Ticked] is due, in Unix milliseconds; false while there is nothing
// to wait for but outcomes and growth.
func (c Collector) Wake() (at int64, ok bool) {
	for i := range c.Peers {
		if p := &c.Peers[i]; p.wants(c.Size) && (!ok || p.NotBefore < at) {
			at, ok = p.NotBefore, true
		}
	}
	return at, ok
}

// wants tells whether a head is to be offered, now or later.
func (p *Peer) wants(size int64) bool {
	return p.URL != "" && p.Flight == Flight{} && p.Cosigned < size
}

// named takes over who the witnesses are. Those that stay keep what is known of them.
func (c *Collector) named(peers []Peer) {
	list := make([]Peer, 0, len(peers))
	for _, n := range peers {
		if slices.ContainsFunc(list, func(p Peer) bool { return p.VKey == n.VKey }) {
			continue
		}
		p := Peer{VKey: n.VKey, URL: n.URL, Cosigned: n.Cosigned, Held: n.Cosigned}
		if i := slices.IndexFunc(c.Peers, func(p Peer) bool { return p.VKey == n.VKey }); i >= 0 {
			p = c.Peers[i]
			p.cosigned(n.Cosigned)
			if p.URL != n.URL {
				p.URL, p.Fault, p.Failures, p.NotBefore = n.URL, "", 0, 0
			}
		}
		list = append(list, p)
	}
	c.Peers = list
}

// cosigned: its cosignature of a head is kept.
func (p *Peer) cosigned(size int64) {
	if size > p.Cosigned {
		p.Cosigned, p.Held = size, max(p.Held, size)
	}
}

// take is what happened to one witness.
func (p *Peer) take(e Event, size int64) {
	if e.Kind == Came {
		p.cosigned(e.Size) // says nothing of whether it is reached at its address
		return
	}
	outcome := e.Kind == Answered || e.Kind == Conflicted || e.Kind == Refused || e.Kind == Failed
	if !outcome || e.Flight == (Flight{}) || e.Flight != p.Flight {
		return
	}
	p.Flight = Flight{}
	switch e.Kind {
	case Answered:
		p.cosigned(e.Flight.Size)
		p.Fault, p.Failures, p.NotBefore, p.Told = "", 0, 0, false
	case Refused:
		p.fail(Refusing, maxFailures, e.Now)
	case Failed:
		p.fail(Unreached, p.Failures+1, e.Now)
		p.Told = false // who comes back after a silence may say anew what it holds
	case Conflicted:
		p.Held = max(e.Held, 0)
		switch {
		case p.Held > size:
			p.fail(Ahead, p.Failures+1, e.Now)
		case p.Told || p.Held == e.Flight.Old:
			p.fail(Unsteady, p.Failures+1, e.Now)
		default:
			p.Fault, p.Failures, p.NotBefore, p.Told = "", 0, 0, true
		}
	}
}

// fail makes the witness wait.
func (p *Peer) fail(f Fault, failures int, now int64) {
	p.Fault, p.Failures = f, min(failures, maxFailures)
	p.NotBefore = now + min(int64(FirstDelay)<<(p.Failures-1), MaxDelay)
}
