// SPDX-License-Identifier: Apache-2.0

package quorum

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
)

const (
	algEd25519     = 1
	algCosignature = 4
	algMLDSA       = 6
	// mldsaPublicKeySize is the length of an ML-DSA-44 public key (FIPS 204).
	mldsaPublicKeySize = 1312
)

// builder checks a policy entry by entry. Parse and Check use the same one, so that a
// Policy made by hand is held to what a text is held to.
type builder struct {
	logs      []key // in the policy's order
	witnesses []key
	nodes     map[string]*node  // by name; witnesses and groups share the names
	taken     map[string]string // name of a member to the group it is in
	ids       map[string]bool   // key name and hash
	publics   map[string]bool   // kind of entry and public key
	root      *node             // nil: no witness is asked for
	quorums   int
	groups    int
}

// key is one parsed public key. Verifier is nil where its signatures cannot be checked.
type key struct {
	vkey     string
	name     string
	public   string // bytes of the public key, without its type
	verifier note.Verifier
}

// node is a witness or a group.
type node struct {
	name      string
	witness   int  // place in the policy, or -1
	countable bool // of a witness: its signatures can be checked
	threshold int
	members   []*node
}

func newBuilder() *builder {
	return &builder{
		nodes: make(map[string]*node), taken: make(map[string]string), ids: make(map[string]bool), publics: make(map[string]bool),
	}
}

// build checks the whole policy.
func (p *Policy) build() (*builder, error) {
	b := newBuilder()
	err := func() error {
		for i, l := range p.Logs {
			if err := b.log(l); err != nil {
				return fmt.Errorf("log %d: %w", i+1, err)
			}
		}
		for i, w := range p.Witnesses {
			if err := b.witness(w); err != nil {
				return fmt.Errorf("witness %d: %w", i+1, err)
			}
		}
		for i, g := range p.Groups {
			if err := b.group(g); err != nil {
				return fmt.Errorf("group %d: %w", i+1, err)
			}
		}
		return b.quorum(p.Quorum)
	}()
	if err != nil {
		return nil, fmt.Errorf("quorum: the policy is not valid: %w", err)
	}
	return b, nil
}

// Validate tells whether p is a policy that [Parse] could have read.
func (p *Policy) Validate() error {
	if _, err := p.build(); err != nil {
		return err
	}
	if n := len(p.String()); n > MaxPolicyBytes {
		return fmt.Errorf("quorum: the policy has %d bytes; at most %d are read", n, MaxPolicyBytes)
	}
	return nil
}

func (b *builder) log(l Log) error {
	k, err := parseKey(l.VKey, algEd25519)
	if err != nil {
		return err
	}
	b.logs = append(b.logs, k)
	return b.enter("log", k, l.URL, len(b.logs))
}

func (b *builder) witness(w Witness) error {
	k, err := parseKey(w.VKey, algCosignature)
	if err != nil {
		return err
	}
	if err := b.define(w.Name, &node{name: w.Name, witness: len(b.witnesses), countable: k.verifier != nil}); err != nil {
		return err
	}
	b.witnesses = append(b.witnesses, k)
	return b.enter("witness", k, w.URL, len(b.witnesses))
}

// enter refuses what would make two entries one.
func (b *builder) enter(kind string, k key, url string, count int) error {
	id := k.vkey[:len(k.name)+len("+01234567")]
	switch {
	case count > MaxEntries:
		return fmt.Errorf("a policy has at most %d of its kind", MaxEntries)
	case url != "" && !validWord(url, MaxURLBytes):
		return fmt.Errorf("%.40q is no URL of at most %d bytes", url, MaxURLBytes)
	case b.publics[kind+k.public]:
		return fmt.Errorf("the same public key stands there twice, under %q last", k.name)
	case b.ids[id]:
		return fmt.Errorf("two keys of the name %q have the same hash; no checkpoint could tell them apart", k.name)
	}
	b.publics[kind+k.public], b.ids[id] = true, true
	return nil
}

func (b *builder) define(name string, n *node) error {
	switch {
	case name == None:
		return fmt.Errorf("%q cannot be the name of a witness or group: it is the quorum without witnesses", None)
	case !validWord(name, MaxNameBytes):
		return fmt.Errorf("%.40q cannot be a name: 1 to %d bytes without white space, control characters and \"#\"", name, MaxNameBytes)
	case b.nodes[name] != nil:
		return fmt.Errorf("there is a witness or group named %q already", name)
	}
	b.nodes[name] = n
	return nil
}

func (b *builder) group(g Group) error {
	n := &node{name: g.Name, witness: -1, threshold: g.Threshold}
	if b.groups++; b.groups > MaxEntries {
		return fmt.Errorf("a policy has at most %d groups", MaxEntries)
	}
	if g.Threshold < 1 || g.Threshold > len(g.Members) {
		return fmt.Errorf("group %q asks for %d of %d members", g.Name, g.Threshold, len(g.Members))
	}
	for _, name := range g.Members {
		member := b.nodes[name]
		if member == nil {
			return fmt.Errorf("group %q names %.40q, which no line above defines", g.Name, name)
		}
		if other, ok := b.taken[name]; ok {
			return fmt.Errorf("%q is a member of %q already; a name is in one group at most", name, other)
		}
		b.taken[name] = g.Name
		n.members = append(n.members, member)
	}
	return b.define(g.Name, n)
}

func (b *builder) quorum(name string) error {
	if b.quorums++; name == None {
		return nil
	}
	if b.root = b.nodes[name]; b.root == nil {
		return fmt.Errorf("the quorum is %.40q, which no line above defines", name)
	}
	return nil
}

// validWord tells whether a name or URL can stand in a line and be read back.
func validWord(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' })
}

// parseKey reads a public key: an Ed25519 one of the type that entry wants, or ML-DSA-44.
func parseKey(vkey string, alg byte) (key, error) {
	if raw, ok := mldsaKey(vkey); ok {
		name, _, _ := strings.Cut(vkey, "+")
		return key{vkey: vkey, name: name, public: string(raw)}, nil
	}
	open := ledger.NewVerifier
	if alg == algCosignature {
		open = cosign.NewVerifier
	}
	v, err := open(vkey)
	if err != nil {
		return key{}, err
	}
	raw, err := publicKey(vkey)
	return key{vkey, v.Name(), string(raw), v}, err
}

// publicKey is what follows the type byte of a key that was read before.
func publicKey(vkey string) ([]byte, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%.40q is no public key", vkey)
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) < 2 {
		return nil, fmt.Errorf("%.40q is no public key", vkey)
	}
	return raw[1:], nil
}

// mldsaKey reads a public key of type 0x06 in its one spelling.
func mldsaKey(vkey string) (public []byte, ok bool) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 || parts[0] == "" || len(parts[0]) > cosign.MaxNameBytes || !utf8.ValidString(parts[0]) || !validWord(parts[0], cosign.MaxNameBytes) {
		return nil, false
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+mldsaPublicKeySize || raw[0] != algMLDSA || base64.StdEncoding.EncodeToString(raw) != parts[2] {
		return nil, false
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	return raw[1:], hex.EncodeToString(sum[:4]) == parts[1]
}
