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
	"sync"

	"truceline/internal/local"
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
	At       int64     `json:"at"` // this node's clock, Unix milliseconds
	Evidence string    `json:"evidence,omitempty"`
	Index    int64     `json:"index"` // the record; -1 where it is about none
	Kind     AlarmKind `json:"kind"`
	Member   string    `json:"member,omitempty"` // who did it; empty: the registry
	What     string    `json:"what"`             // in English, for the operator
}

// Evidenced is a portable proof: a file that truceline verify evidence checks.
func (a Alarm) Evidenced() bool { return a.Evidence != "" }

// alarms are those of a node, in a file of its folder.
type alarms struct {
	mu   sync.Mutex
	priv *local.Store
	list []Alarm
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

// maxAlarms bounds the list: what comes after so many tells nothing new.
const maxAlarms = 1000

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

// raise notes an alarm once, with its evidence if there is some, durably. It tells
// whether it is new.
func (n *Node) raise(_ context.Context, a Alarm, evidence []byte) (bool, error) {
	n.alarms.mu.Lock()
	defer n.alarms.mu.Unlock()
	for i, old := range n.alarms.list {
		if old.Kind == a.Kind && old.Index == a.Index && old.Member == a.Member {
			if old.Evidence != "" || evidence == nil {
				return false, nil
			}
			n.alarms.list = append(n.alarms.list[:i:i], n.alarms.list[i+1:]...) // now it can be proved
			break
		}
	}
	if len(n.alarms.list) >= maxAlarms {
		return false, nil
	}
	if evidence != nil {
		a.Evidence = fmt.Sprintf("%s-%x.json", a.Kind, sha256.Sum256(evidence))
		folder := n.private.Path(local.EvidenceFolder)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return false, fmt.Errorf("keep evidence: %w", err)
		}
		if err := local.WriteFile(filepath.Join(folder, a.Evidence), evidence, 0o600); err != nil {
			return false, err
		}
	}
	a.At = n.opts.Now().UnixMilli()
	n.alarms.list = append(n.alarms.list, a)
	b, err := json.MarshalIndent(n.alarms.list, "", " ")
	if err == nil {
		err = local.WriteFile(n.private.Path(local.AlarmFile), append(b, '\n'), 0o600)
	}
	n.opts.Log.Error("something is wrong with another node", "kind", a.Kind, "what", a.What, "evidence", a.Evidence)
	return true, err
}
