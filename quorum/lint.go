// SPDX-License-Identifier: Apache-2.0

package quorum

import (
	"fmt"
	"slices"
	"strings"
)

// Level says how much a finding weighs.
type Level string

const (
	// Error: the policy does not do what a policy is for.
	Error Level = "error"
	// Warning: it does, with a weakness that its authors should know.
	Warning Level = "warning"
)

// Finding is one remark on a policy.
type Finding struct {
	Level Level
	Text  string
}

// Sets are minimal sets of witnesses: none holds another. Count is how many there are, at
// most the largest uint64; Sets lists them, the smallest first, unless there are more
// than [MaxSets]. Names are in the policy's order.
type Sets struct {
	Count uint64
	Sets  [][]string
}

// Report says what a policy stands up to.
//
// The arithmetic is that of quorum intersection: D. Malkhi and M. Reiter, Byzantine Quorum
// Systems, Distributed Computing 11 (1998), the condition for dissemination quorum systems.
// An honest witness cosigns one of two diverging heads and never the other. So a log can
// get both cosigned by quorums only if every witness that the two quorums share is
// dishonest. With k of n witnesses two quorums share at least 2k-n, and the policy
// withstands f = 2k-n-1 dishonest witnesses.
type Report struct {
	// Witnesses are those that the quorum can count.
	Witnesses []string
	// Smallest is the least number of witnesses that are a quorum.
	Smallest int
	// Shared is the least number of witnesses that any two quorums have in common.
	Shared int
	// Faults is f, the most dishonest witnesses, whoever they are, that the policy
	// withstands: Shared-1. With -1 the log needs no dishonest witness to show two records.
	Faults int
	// Split are the sets of witnesses that can, together with the log, show two records.
	Split Sets
	// Stall are the sets of witnesses whose silence leaves every new head unwitnessed.
	Stall Sets
	// Alone are the witnesses that can do that alone.
	Alone []string
	// Idle are the witnesses of the policy on which the quorum does not depend.
	Idle []string
	// Findings are what is wrong with the policy, errors first.
	Findings []Finding
}

// Failed tells whether the report has an error.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Level == Error })
}

// Lint says what the policy stands up to. Operator are public keys that belong to whoever
// runs the log, of any type; a witness with such a key does not watch the operator. The
// keys of the policy's logs are among them by themselves. All numbers are exact for every
// valid policy; of an invalid one the report holds the fault alone.
func (p *Policy) Lint(operator ...string) *Report {
	r := new(Report)
	b, err := p.build()
	if err != nil {
		r.find(Error, "%v", err)
		return r
	}
	if len(b.logs) == 0 {
		r.find(Warning, "the policy names no log, so that it accepts no checkpoint by itself")
	}
	reached := make(map[int]bool)
	if b.root != nil {
		b.root.witnesses(reached)
	}
	r.operators(p, b, reached, operator)
	for i, w := range p.Witnesses {
		switch k := b.witnesses[i]; {
		case !reached[i]:
			r.Idle = append(r.Idle, w.Name)
		case k.verifier == nil:
			r.find(Warning, "the key of %q is of type ML-DSA-44 (0x06), which this program does not count: the numbers are those without it, and a program that counts it comes to others", w.Name)
		default:
			r.Witnesses = append(r.Witnesses, w.Name)
		}
	}
	if len(r.Idle) > 0 {
		r.find(Warning, "in the policy, and not needed by its quorum: %s", strings.Join(r.Idle, ", "))
	}
	switch {
	case b.root == nil:
		r.Faults = -1
		r.find(Warning, "the quorum is none: the log's word is taken alone, and it can show different people different records")
	case !b.root.usable():
		r.Faults = -1
		r.find(Error, "the quorum can never be met: it needs keys that are not counted")
	default:
		r.compute(p, b.root)
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return strings.Compare(string(a.Level), string(b.Level)) })
	return r
}

// operators finds the keys that count and belong to whoever runs the log.
func (r *Report) operators(p *Policy, b *builder, reached map[int]bool, operator []string) {
	own := make(map[string]string)
	for _, k := range b.logs {
		own[k.public] = "is also the log's own key"
	}
	for _, vkey := range operator {
		public, err := publicKey(vkey)
		if err != nil {
			r.find(Error, "a key given as the operator's cannot be read: %v", err)
			continue
		}
		own[string(public)] = "belongs to the log's operator"
	}
	for i, k := range b.witnesses {
		if why, ok := own[k.public]; ok && reached[i] {
			r.find(Error, "the key of witness %q %s: a log does not witness itself", p.Witnesses[i].Name, why)
		}
	}
}

// compute works out the numbers of a policy whose quorum can be met.
func (r *Report) compute(p *Policy, root *node) {
	r.Smallest = root.family(quorums).size
	split, stall := root.family(splits), root.family(stalls)
	r.Shared, r.Faults = split.size, split.size-1
	r.Split, r.Stall = p.named(split), p.named(stall)
	if stall.size == 1 {
		r.Alone = root.alone(nil)
	}
	switch {
	case r.Shared == 0:
		r.find(Error, "two quorums can be met without a witness in common: the log alone can show two people different records, each of them witnessed; let the quorum ask for more than half of its witnesses")
	case r.Faults == 0:
		r.find(Warning, "one dishonest witness is enough for the log to show two people different records")
	}
	if len(r.Alone) > 0 {
		r.find(Warning, "whoever of these is silent, alone, leaves every new head unwitnessed: %s", strings.Join(r.Alone, ", "))
	}
}

// alone adds the witnesses without any of whom n cannot be met.
func (n *node) alone(names []string) []string {
	if n.witness >= 0 {
		return append(names, n.name)
	}
	var members []*node
	for _, m := range n.members {
		if m.usable() {
			members = append(members, m)
		}
	}
	if stalls(n.threshold, len(members)) == 1 {
		for _, m := range members {
			names = m.alone(names)
		}
	}
	return names
}

// named gives sets the names of their witnesses.
func (p *Policy) named(f family) Sets {
	out := Sets{Count: f.count}
	if f.count > MaxSets {
		return out
	}
	slices.SortFunc(f.sets, compareSets)
	for _, set := range f.sets {
		names := []string{}
		for i, w := range p.Witnesses {
			if set&(1<<i) != 0 {
				names = append(names, w.Name)
			}
		}
		out.Sets = append(out.Sets, names)
	}
	return out
}

func (r *Report) find(level Level, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{level, fmt.Sprintf(format, args...)})
}
