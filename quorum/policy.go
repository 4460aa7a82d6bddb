// SPDX-License-Identifier: Apache-2.0

// Package quorum reads the rule by which a log's head counts as witnessed: a C2SP
// tlog-policy (https://c2sp.org/tlog-policy). It checks heads against it, and says what
// a rule stands up to.
//
// A policy names logs, witnesses, groups of witnesses with a threshold each, and one
// witness or group that must have cosigned: the quorum. [Policy.Lint] computes how many
// dishonest witnesses it takes to show two people different records, and who can hold up
// the rest.
//
// The package is pure and safe for concurrent use while nobody changes a Policy. In the
// tests transparency-dev/formats reads the same policies and comes to the same answers.
package quorum

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// MaxPolicyBytes is the longest policy read.
	MaxPolicyBytes = 256 << 10
	// MaxEntries is the most logs, the most witnesses and the most groups of a policy. The
	// standard asks for 32 of each; together with the logs' lines the cosignatures of 48
	// witnesses fit a checkpoint.
	MaxEntries = 48
	// MaxNameBytes is the longest name of a witness or group, MaxURLBytes the longest URL.
	MaxNameBytes = 512
	MaxURLBytes  = 2048
	// None is the quorum that asks for no witness.
	None = "none"
)

// Policy is a C2SP tlog-policy.
type Policy struct {
	Logs      []Log
	Witnesses []Witness
	// Groups come after what they name: a member is a witness or an earlier group.
	Groups []Group
	// Quorum is the name of a witness or group, or [None].
	Quorum string
}

// Log is a log whose heads are accepted. URL, which may be empty, is a way to reach it.
type Log struct{ VKey, URL string }

// Witness is one cosigner. Name is what groups and the quorum call it, nothing else. URL,
// which may be empty, is the prefix under which it takes checkpoints.
type Witness struct{ Name, VKey, URL string }

// Group has witnessed a head when at least Threshold of its members have.
type Group struct {
	Name      string
	Threshold int // 1 to the number of members
	Members   []string
}

// String writes the policy in its one spelling: the logs, the witnesses, the groups, each
// in their order, and the quorum; one space between words, no comments, no blank lines;
// thresholds as numbers, also where the text said "any" or "all". What [Parse] reads from
// it is equal to p, if p is valid.
func (p *Policy) String() string {
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.TrimRight(strings.Join(words, " "), " ") + "\n") }
	for _, l := range p.Logs {
		line("log", l.VKey, l.URL)
	}
	for _, w := range p.Witnesses {
		line("witness", w.Name, w.VKey, w.URL)
	}
	for _, g := range p.Groups {
		line(append([]string{"group", g.Name, strconv.Itoa(g.Threshold)}, g.Members...)...)
	}
	line("quorum", p.Quorum)
	return b.String()
}

// Parse reads a policy.
//
// Words on a line are separated by spaces and tabs. Blank lines, and lines whose first
// word begins with "#", are comments: they are dropped, and [Policy.String] does not give
// them back. Groups and the quorum name only what stands above them. Names are bytes:
// nothing is folded.
//
// Programs that read policies differ, and a rule of trust must have one reading. So Parse
// refuses what others read in two ways: a "#" further on in a line (a comment to some, a
// part of a URL or name to others), control characters, thresholds of zero or with a
// sign or leading zeros, a second quorum line, a name in two groups, and
// witnesses' keys of the type of plain Ed25519 signatures (0x01).
//
// Keys are those of Ed25519: 0x01 for logs, 0x04 for witnesses. Keys of ML-DSA-44 (0x06),
// which the standard allows for both, are read and kept, and their signatures are never
// counted: see [Policy.Check].
func Parse(text string) (*Policy, error) {
	if len(text) > MaxPolicyBytes {
		return nil, fmt.Errorf("quorum: the policy has %d bytes; at most %d are read", len(text), MaxPolicyBytes)
	}
	p := new(Policy)
	b := newBuilder()
	for i, line := range strings.Split(text, "\n") {
		if at := strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); at >= 0 {
			return nil, fmt.Errorf("quorum: line %d: it holds the control character %#x", i+1, line[at])
		}
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if strings.Contains(line, "#") {
			return nil, fmt.Errorf(`quorum: line %d: "#" begins a comment only at the start of a line; put the comment on a line of its own`, i+1)
		}
		if err := p.add(b, words); err != nil {
			return nil, fmt.Errorf("quorum: line %d: %w", i+1, err)
		}
	}
	if p.Quorum == "" {
		return nil, fmt.Errorf(`quorum: the policy has no quorum line; "quorum none" asks for no witness`)
	}
	return p, nil
}

// add reads one line into p.
func (p *Policy) add(b *builder, words []string) error {
	kind, args := words[0], words[1:]
	optional := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch kind {
	case "log":
		if len(args) < 1 || len(args) > 2 {
			return fmt.Errorf(`a log is written "log <vkey> [<url>]"`)
		}
		l := Log{args[0], optional(1)}
		p.Logs = append(p.Logs, l)
		return b.log(l)
	case "witness":
		if len(args) < 2 || len(args) > 3 {
			return fmt.Errorf(`a witness is written "witness <name> <vkey> [<url>]"`)
		}
		w := Witness{args[0], args[1], optional(2)}
		p.Witnesses = append(p.Witnesses, w)
		return b.witness(w)
	case "group":
		if len(args) < 3 {
			return fmt.Errorf(`a group is written "group <name> all|any|<k> <member>...", with one member or more`)
		}
		g := Group{Name: args[0], Members: args[2:]}
		var err error
		if g.Threshold, err = threshold(args[1], len(g.Members)); err != nil {
			return err
		}
		p.Groups = append(p.Groups, g)
		return b.group(g)
	case "quorum":
		if len(args) != 1 {
			return fmt.Errorf(`the quorum is written "quorum <name>" or "quorum none"`)
		}
		if p.Quorum != "" {
			return fmt.Errorf("a policy has one quorum line; this is the second")
		}
		p.Quorum = args[0]
		return b.quorum(p.Quorum)
	}
	return fmt.Errorf("a line begins with log, witness, group or quorum, not %.40q", kind)
}

// threshold reads how many of n members a group asks for.
func threshold(word string, n int) (int, error) {
	switch word {
	case "any":
		return 1, nil
	case "all":
		return n, nil
	}
	k, err := strconv.Atoi(word)
	if err != nil || strconv.Itoa(k) != word {
		return 0, fmt.Errorf("a group asks for all, any or a number of its members, not %.40q", word)
	}
	return k, nil
}
