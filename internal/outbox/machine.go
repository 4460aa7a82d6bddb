// SPDX-License-Identifier: Apache-2.0

package outbox

import "fmt"

// State says where an act stands.
type State string

// States of an act.
const (
	// Queued: signed and durable here. As far as this file knows, it has never left this node.
	Queued State = "queued"
	// Sent: handed to the line or written to a file. Whether the registry has it is not known.
	Sent State = "sent"
	// Receipted: every record of the act is in the ledger, and that was verified. No state
	// follows.
	Receipted State = "receipted"
	// Refused: the registry has signed that it did not admit the act. No try follows.
	Refused State = "refused"
	// SetAside: refused, and an officer has seen it and wants no more of it.
	SetAside State = "set_aside"
)

// States lists the states in the order pages show them.
var States = []State{Queued, Sent, Receipted, Refused, SetAside}

// Waiting tells whether the act is still to be handed in: until a receipt or a refusal
// was verified. The registry answers a repeated try with the first receipt, so that a try
// too many does no harm.
func (s State) Waiting() bool { return s == Queued || s == Sent }

// Event is what happens to an act.
type Event string

// Events. Hand, Carried and PutAside are this node's own doing, and are impossible where
// they make no sense. The others come from outside, where messages are late, come twice
// and overtake each other: they are taken in every state in which they can come.
const (
	// Hand: the act is about to be handed to the line. It comes before the first byte leaves.
	Hand Event = "hand"
	// Carried: the act is about to be written to a file that leaves the node.
	Carried Event = "carried"
	// LineFailed: a try had no answer, or the line broke under it. The outcome is unknown.
	LineFailed Event = "line_failed"
	// ReceiptVerified: the registry gave a receipt for every record, and all were verified.
	ReceiptVerified Event = "receipt_verified"
	// RefusalVerified: the registry refused the act, and its signature was verified.
	RefusalVerified Event = "refusal_verified"
	// Found: every record of the act was seen in the verified ledger, however it came there.
	Found Event = "found"
	// PutAside: an officer sets a refused act aside.
	PutAside Event = "put_aside"
)

// Events lists the events.
var Events = []Event{Hand, Carried, LineFailed, ReceiptVerified, RefusalVerified, Found, PutAside}

// Impossible is the error of [Next] for an event that cannot happen in a state. Where two
// processes work on one file it also tells the slower one that the work is done.
type Impossible struct {
	State State
	Event Event
}

func (e *Impossible) Error() string {
	return fmt.Sprintf("an act that is %q takes no event %q", e.State, e.Event)
}

// transitions is the whole machine; what is not in it is impossible.
//
// An answer is taken in Queued too, because the file may have been restored from a backup
// that is older than the try. A receipt is taken after a refusal: the registry may have
// refused one try and admitted another that came later, over the line or from a file. A
// refusal after a receipt was overtaken, and changes nothing.
var transitions = map[State]map[Event]State{
	Queued:    {Hand: Sent, Carried: Sent, ReceiptVerified: Receipted, Found: Receipted, RefusalVerified: Refused},
	Sent:      {Hand: Sent, Carried: Sent, LineFailed: Sent, ReceiptVerified: Receipted, Found: Receipted, RefusalVerified: Refused},
	Receipted: {LineFailed: Receipted, ReceiptVerified: Receipted, Found: Receipted, RefusalVerified: Receipted},
	Refused:   {LineFailed: Refused, ReceiptVerified: Receipted, Found: Receipted, RefusalVerified: Refused, PutAside: SetAside},
	SetAside:  {LineFailed: SetAside, ReceiptVerified: Receipted, Found: Receipted, RefusalVerified: SetAside, PutAside: SetAside},
}

// Next gives the state that follows on an event. It is the one place that decides this,
// is pure, and knows nothing but its arguments. The error is an *[Impossible].
func Next(s State, e Event) (State, error) {
	next, ok := transitions[s][e]
	if !ok {
		return s, &Impossible{State: s, Event: e}
	}
	return next, nil
}
