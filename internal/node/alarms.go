// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"truceline/evidence"
	"truceline/internal/local"
	"truceline/record"
)

// AlarmKind says what was noticed. Pages have a text for each.
type AlarmKind string

// What a node notices.
const (
	TwoHistories  AlarmKind = "two_histories"  // the log's key has signed two trees
	OlderHead     AlarmKind = "older_head"     // the registry shows fewer records than it has signed
	LoggedTwice   AlarmKind = "logged_twice"   // a record stands in the log twice
	FalseTime     AlarmKind = "false_time"     // a logged time is off others' clocks
	DeadKey       AlarmKind = "revoked_key"    // a record is signed with a key that was ended
	BrokenRule    AlarmKind = "broken_rule"    // a record is in the log that the rules refuse
	WrongRecords  AlarmKind = "wrong_records"  // what the registry served is not what it has signed
	UpdateNeeded  AlarmKind = "update_needed"  // a record is of a later version than this program
	Withheld      AlarmKind = "withheld"       // the registry does not take or show what others hold
	BehindWitness AlarmKind = "behind_witness" // the registry's own ledger is behind what it has signed
	FarOffClock   AlarmKind = "far_off_clock"  // a member's claimed time is far from when it was logged
)

// AlarmKinds lists the kinds, the gravest first.
var AlarmKinds = []AlarmKind{TwoHistories, BehindWitness, WrongRecords, DeadKey, LoggedTwice, BrokenRule, FalseTime, Withheld, OlderHead, FarOffClock, UpdateNeeded}

// Alarm is something this node found wrong with another. It stays until the node's
// operator removes it by hand: nothing that happens later makes it untrue.
type Alarm struct {
	// Accuses: the evidence shows to whoever knows the log's key, the policy and the bound on
	// clocks that somebody broke the protocol, and nobody else could have made it.
	Accuses  bool      `json:"accuses,omitempty"`
	At       int64     `json:"at"` // this node's clock, Unix milliseconds
	Evidence string    `json:"evidence,omitempty"`
	Index    int64     `json:"index"` // the record; -1 where it is about none
	Kind     AlarmKind `json:"kind"`
	Member   string    `json:"member,omitempty"` // who did it; empty: the registry
	Record   record.ID `json:"record,omitzero"`  // a record that is not in the log
	What     string    `json:"what"`             // in English, for the operator
}

// Evidenced is a portable proof: a file that truceline verify evidence checks.
func (a Alarm) Evidenced() bool { return a.Evidence != "" }

// alarms are those of a node, in a file of its folder.
type alarms struct {
	mu   sync.Mutex
	priv *local.Store
	list []Alarm
	open map[Alarm]bool // whether everybody may know of it, once that is known
}

func (a *alarms) load(priv *local.Store) error {
	a.priv = priv
	b, err := os.ReadFile(priv.Path(local.AlarmFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &a.list)
	}
	if err != nil {
		return fmt.Errorf("read what this node found wrong with others: %w; restore %s from a backup", err, local.AlarmFile)
	}
	return nil
}

// maxAlarms bounds how many of a kind are kept: what comes after so many tells nothing new,
// and must not keep out what is of another kind.
const maxAlarms = 100

// same tells that two alarms are of one thing. Of a member's clock one says all.
func (a Alarm) same(b Alarm) bool {
	return a.Kind == b.Kind && a.Member == b.Member && a.Record == b.Record && (a.Index == b.Index || a.Kind == FarOffClock)
}

// Alarms lists what this node found wrong with others, the oldest first.
func (n *Node) Alarms() []Alarm {
	n.alarms.mu.Lock()
	defer n.alarms.mu.Unlock()
	return append([]Alarm(nil), n.alarms.list...)
}

// Evidence reads a proof by the name that an alarm gives.
func (n *Node) Evidence(name string) ([]byte, error) {
	for _, a := range n.Alarms() {
		if a.Evidence == name && name != "" {
			return os.ReadFile(filepath.Join(n.private.Path(local.EvidenceFolder), name))
		}
	}
	return nil, fmt.Errorf("read the evidence %.80q: %w", name, os.ErrNotExist)
}

// PublicAlarms are those of Alarms that rest on nothing but what is for everybody, without
// the words for the operator, which may say more. The others are for who may read the
// records that they are about: neither they nor their files tell anybody else that there
// are such records, who filed them, or what stands in them.
func (n *Node) PublicAlarms(ctx context.Context) ([]Alarm, error) {
	var out []Alarm
	for _, a := range n.Alarms() {
		n.alarms.mu.Lock()
		open, known := n.alarms.open[a]
		n.alarms.mu.Unlock()
		if !known {
			var err error
			if open, known, err = n.openAlarm(ctx, a); err != nil {
				return nil, err
			}
		}
		if known { // else the record is not here yet
			n.alarms.mu.Lock()
			if n.alarms.open == nil {
				n.alarms.open = map[Alarm]bool{}
			}
			n.alarms.open[a] = open
			n.alarms.mu.Unlock()
		}
		if open {
			a.What = ""
			out = append(out, a)
		}
	}
	return out, nil
}

// openAlarm tells whether everybody may know of an alarm; known is false while the record
// is not here that it is about.
func (n *Node) openAlarm(ctx context.Context, a Alarm) (open, known bool, err error) {
	var envelopes [][]byte
	if a.Evidenced() {
		file, err := n.Evidence(a.Evidence)
		if err == nil {
			envelopes, err = evidence.Envelopes(file)
		}
		if err != nil {
			return false, false, fmt.Errorf("who may know of an alarm: %w", err)
		}
	}
	switch a.Kind {
	case TwoHistories, OlderHead, BehindWitness, WrongRecords: // about the log, and no record
	case Withheld: // its record is in the file alone
		if !a.Evidenced() {
			return false, true, nil
		}
	default:
		for e, err := range n.store.Entries(ctx, a.Index, a.Index+1) {
			if err != nil {
				return false, false, fmt.Errorf("who may know of an alarm: %w", err)
			}
			envelopes = append(envelopes, e.Envelope)
		}
		if len(envelopes) == 0 {
			return false, false, nil
		}
	}
	return !slices.ContainsFunc(envelopes, func(b []byte) bool { return !openTo(b) }), true, nil
}

// raise notes an alarm once, durably, with its evidence if there is some; again where there
// was none, or where what there is now proves more. It tells whether it is new.
func (n *Node) raise(_ context.Context, a Alarm, file []byte) (bool, error) {
	a.Accuses = false
	if file != nil {
		l := n.evidenceLog()
		found, err := evidence.Check(file, evidence.Options{LogKey: l.Key, Policy: l.Policy, ClockBoundMS: l.BoundMS})
		if err != nil {
			return false, fmt.Errorf("keep evidence: %w", err)
		}
		a.Accuses = len(found.Accused) > 0
	}
	n.alarms.mu.Lock()
	defer n.alarms.mu.Unlock()
	rest, of := n.alarms.list, 0
	for i, old := range n.alarms.list {
		if old.same(a) {
			if file == nil || old.Index != a.Index || old.Evidence != "" && (old.Accuses || !a.Accuses) {
				return false, nil
			}
			rest = append(n.alarms.list[:i:i], n.alarms.list[i+1:]...) // now it can be proved, or proved better
			a.At, of = old.At, 0
			break
		}
		if old.Kind == a.Kind {
			of++
		}
	}
	if of >= maxAlarms {
		return false, nil
	}
	if file != nil {
		a.Evidence = fmt.Sprintf("%s-%x.json", a.Kind, sha256.Sum256(file))
		folder := n.private.Path(local.EvidenceFolder)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return false, fmt.Errorf("keep evidence: %w", err)
		}
		if err := local.WriteFile(filepath.Join(folder, a.Evidence), file, 0o600); err != nil {
			return false, err
		}
	}
	if len(rest) == len(n.alarms.list) {
		a.At = n.opts.Now().UnixMilli()
	}
	n.alarms.list = append(rest[:len(rest):len(rest)], a)
	b, err := json.MarshalIndent(n.alarms.list, "", " ")
	if err == nil {
		err = local.WriteFile(n.private.Path(local.AlarmFile), append(b, '\n'), 0o600)
	}
	n.opts.Log.Error("something is wrong with another node", "kind", a.Kind, "what", a.What, "evidence", a.Evidence)
	return true, err
}
