// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"truceline/internal/cosigned"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// Nodes tells how this node stands with the others of the mission: whose it is, what it
// found wrong, who has cosigned how much. Its methods are safe for concurrent use.
type Nodes interface {
	// Standing is what every page says of this node. It is asked for each page.
	Standing(ctx context.Context) (Standing, error)
	// Evidence gives a proof by the name that an alarm of Standing gives. The error is
	// ErrNotFound for a name that none gives.
	Evidence(ctx context.Context, name string) ([]byte, error)
	// Cosigning is who has cosigned how much of the log, as far as is known here.
	Cosigning(ctx context.Context) (Cosigning, error)
	// Bracket gives the witnessed heads next to a record, as cosigned.Store does.
	Bracket(ctx context.Context, index int64) (before, after *cosigned.Head, err error)
}

// Outbox is the box of what a member's node has signed. What Forget has written is
// durable; the other methods only read. The error of Forget is an *outbox.Impossible for
// an act that was not refused.
type Outbox interface {
	List(ctx context.Context, f outbox.Filter) ([]outbox.Act, error)
	Find(ctx context.Context, id record.ID) (act outbox.Act, ok bool, err error)
	Counts(ctx context.Context) (map[outbox.State]int, error)
	Waiting(ctx context.Context) iter.Seq2[outbox.Act, error]
	Forget(ctx context.Context, seq int64) (outbox.Act, error)
}

var _ Outbox = (*outbox.Box)(nil)

// Standing is how a node stands with the others.
type Standing struct {
	// Member is the code of the member whose node this is, of the registry too.
	Member   string
	Registry bool // it is the registry's
	// Cut tells that the registry gives a member's node no answer, and Contact when it last
	// did: zero for never since the node was started.
	Cut     bool
	Contact time.Time
	// Restored is when a member's node was put back from a backup, while it cosigns nothing
	// because it does not know yet what it has cosigned; else zero.
	Restored time.Time
	// Hold is why the registry's node admits nothing; empty where it admits.
	Hold Hold
	// Silent are the members whose witnesses HoldWitnesses waits for, by code; of a witness
	// from outside the policy's name.
	Silent []string
	Alarms []node.Alarm // the oldest first
}

// Hold is why a registry's node admits nothing.
type Hold string

// Holds.
const (
	HoldWitnesses Hold = "witnesses" // not enough of them have told yet what they hold
	HoldBehind    Hold = "behind"    // its ledger is not what was signed
	HoldOther     Hold = "other"     // its operator knows more
)

// Holds lists them.
var Holds = []Hold{HoldWitnesses, HoldBehind, HoldOther}

// Cosigning is who has cosigned how much of the log.
type Cosigning struct {
	Keys []mechanism.Cosigner     // that stand, by member and role
	Last map[string]cosigned.Seen // by verifier key, the newest head that it signed
	// Witnessed is the newest head that met the policy in force when it did; nil while
	// there is none.
	Witnessed *cosigned.Head
	Policy    *quorum.Policy // of the agreement in force; nil where nobody is to witness
	// RegistryURL is where the registry's node is reached; empty where that is not known.
	RegistryURL string
}

// counts tells whether the policy counts cosignatures under a key.
func (c *Cosigning) counts(vkey string) bool {
	return c.Policy != nil && slices.ContainsFunc(c.Policy.Witnesses, func(w quorum.Witness) bool { return w.VKey == vkey })
}

// cosignerName is what a verifier key says of itself: the role and the member's code. A
// key of a witness from outside has its own name, and no member.
func cosignerName(origin, vkey string) (role record.CosignerRole, member, name string) {
	name, _, _ = strings.Cut(vkey, "+")
	rest, ok := strings.CutPrefix(name, origin+"/")
	head, tail, two := strings.Cut(rest, "/")
	if !ok || !two || tail == "" {
		return record.OutsideCosigner, "", name
	}
	return record.CosignerRole(head), tail, name
}

// cosigner is whose key this is, in words: a member's name, or the name of the key.
func (v *view) cosigner(vkey string) string {
	if _, member, name := cosignerName(v.server.Origin, vkey); member == "" {
		return name
	} else {
		return v.memberName(member)
	}
}

// policyWitness is whose witness the policy calls by a name, in words.
func (v *view) policyWitness(p *quorum.Policy, name string) string {
	if p != nil {
		for _, w := range p.Witnesses {
			if w.Name == name {
				return v.cosigner(w.VKey)
			}
		}
	}
	return name
}

// silentNames are the witnesses that the registry waits for, in words.
func (v *view) silentNames() templ.Component {
	var names []string
	for _, name := range v.standing.Silent {
		names = append(names, v.memberName(name))
	}
	return nameList(names)
}

// nameList writes names one after the other, each isolated.
func nameList(names []string) templ.Component {
	var b strings.Builder
	b.WriteString("<span>")
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("<bdi>" + templ.EscapeString(name) + "</bdi>")
	}
	b.WriteString("</span>")
	return templ.Raw(b.String())
}

// stand finds out how this node stands with the others, for every page.
func (v *view) stand(ctx context.Context) error {
	if v.server.Nodes == nil {
		return nil
	}
	st, err := v.server.Nodes.Standing(ctx)
	if err != nil {
		return err
	}
	v.standing = &st
	if v.who == nil || v.server.Outbox == nil {
		return nil
	}
	n, err := v.server.Outbox.Counts(ctx)
	for state, of := range n {
		if state.Waiting() {
			v.waiting += of
		}
	}
	return err
}

// memberName is a member's name, or its code where the agreement is not there.
func (v *view) memberName(code string) string {
	if v.names == nil {
		return code
	}
	return v.names.member(code)
}

// nodeName says whose node this is, without markup; empty where the pages do not know.
func (v *view) nodeName() string {
	switch {
	case v.standing == nil:
		return ""
	case v.standing.Registry:
		return v.T("node.registry")
	}
	return v.T("node.of", "member", attr(v.memberName(v.standing.Member)))
}

// gravest is the alarm that every page begins with: of the gravest kind, the newest.
func (s *Standing) gravest() node.Alarm {
	best := s.Alarms[0]
	for _, a := range s.Alarms[1:] {
		if slices.Index(node.AlarmKinds, a.Kind) <= slices.Index(node.AlarmKinds, best.Kind) {
			best = a
		}
	}
	return best
}

// accused is about whom an alarm is, in words; empty for one that is about nobody.
func (v *view) accused(a node.Alarm) string {
	switch {
	case a.Kind == node.UpdateNeeded:
		return ""
	case a.Member != "":
		return v.memberName(a.Member)
	case v.standing.Registry && v.names != nil:
		return v.names.member(v.standing.Member)
	}
	return v.T("alarm.the_registry")
}

// alarmed is the record that an alarm is about; not ok where it is about none. Of some
// kinds the index is the size of a head.
func alarmed(a node.Alarm) (index int64, ok bool) {
	switch a.Kind {
	case node.TwoHistories, node.OlderHead, node.BehindWitness:
		return 0, false
	}
	return a.Index, a.Index >= 0
}

// since is how long ago a time in Unix milliseconds was.
func (v *view) since(ms int64) string { return v.Ago(v.now.Sub(time.UnixMilli(ms))) }

// lastingFor says how long d is, in the largest unit that it fills.
func (v *view) lastingFor(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Minute:
		return v.T("span.seconds", "n", int64(d/time.Second))
	case d < time.Hour:
		return v.T("span.minutes", "n", int64(d/time.Minute))
	case d < 48*time.Hour:
		return v.T("span.hours", "n", int64(d/time.Hour))
	}
	return v.T("span.days", "n", int64(d/(24*time.Hour)))
}
