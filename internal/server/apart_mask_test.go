// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/cosigned"
	"truceline/internal/node"
	"truceline/record"
)

// What may differ between the answers of two nodes whose logs differ in what the viewer may
// not read. A mask knows every such value of one log by itself and puts a name in its
// place, the same in both; whatever else differs is a finding.
//
//   - hashes of the tree, and what is signed over them: they commit to all records;
//   - the commitment of a record's body, and so its envelope: it binds the body and hides it;
//   - what is encrypted (ciphertexts): as long as in the other log;
//   - the token of a form, drawn anew each time a form is shown;
//   - the names of files that prove something, which are their hashes;
//   - the id, and the salt of the leaf, of what a node says of itself once its tables hold
//     nothing of a body: it draws the id at that moment, and no clock of a test says when.
//
// A mask is made of two logs, so that a value that is the same in both stays in sight. For
// who reads no line of a record nothing of it is masked but its entry in the log.
type mask struct {
	names *strings.Replacer
	asks  *strings.Replacer // puts names of this log in the place of the other's, in what is asked
	seen  map[string]bool   // of values, so that none stands for two things
	pairs []string
}

// ciphertexts are the fields of bodies and boxes that hold what only somebody's key opens,
// or what was drawn for it.
var ciphertexts = map[string]bool{
	"body": true, "wraps.key": true, // of a box
	"key": true, "keys": true, // of audience.keyed and audience.shared
	"box": true, "commitment": true, "escrow.age": true, // of account.sealed
	"age": true, "token": true, // of identity.filed and identity.released
	"account.nonce": true, "share": true, "attestations": true,
}

// newMasks makes the masks of two logs of one size, for who reads every line or only those
// that everybody reads.
func newMasks(t testing.TB, a, b *teller, members bool) (na, nb *mask) {
	t.Helper()
	na, nb = &mask{seen: map[string]bool{}}, &mask{seen: map[string]bool{}}
	both := func(name, x, y string) {
		if x != y && !na.seen[x] && !nb.seen[y] {
			na.add(t, name, x)
			nb.add(t, name, y)
		}
	}
	ea, eb := entriesOf(t, a), entriesOf(t, b)
	if len(ea) != len(eb) {
		t.Fatalf("%s has %d records, %s %d", a.how.name, len(ea), b.how.name, len(eb))
	}
	for i := range ea {
		both(fmt.Sprint("entry ", i), string(ea[i].Leaf()), string(eb[i].Leaf()))
		if !members && (!everybody(t, ea[i]) || !everybody(t, eb[i])) {
			continue
		}
		if st := statementOf(t, ea[i].Envelope); st.Kind == record.ErasureConfirmed {
			both(fmt.Sprint("id ", i), st.ID.String(), statementOf(t, eb[i].Envelope).ID.String())
			both(fmt.Sprint("salt ", i), hex.EncodeToString(ea[i].salt), hex.EncodeToString(eb[i].salt))
		}
		if !bytes.Equal(ea[i].Envelope, eb[i].Envelope) {
			bothEnvelopes(t, both, i, ea[i].Envelope, eb[i].Envelope)
		}
		if ea[i].Body != nil && eb[i].Body != nil {
			bothBodies(both, i, ea[i].Body, eb[i].Body)
		}
	}
	ha, hb := hashesOf(t, a), hashesOf(t, b)
	for span, x := range ha {
		y := hb[span]
		name := fmt.Sprint("hash ", span)
		both(name+" raw", string(x[:]), string(y[:]))
		both(name, x.String(), y.String())
		both(name+" hex", hex.EncodeToString(x[:]), hex.EncodeToString(y[:]))
		both(name+" HEX", strings.ToUpper(hex.EncodeToString(x[:])), strings.ToUpper(hex.EncodeToString(y[:])))
	}
	sa, sb := signaturesOf(t, a), signaturesOf(t, b)
	for _, name := range slices.Sorted(maps.Keys(sa)) {
		x := sa[name]
		if y, ok := sb[name]; ok {
			both(name, x, y)
		}
	}
	var renamed []string
	for code, n := range a.f.Nodes {
		theirs := b.f.Nodes[code].Alarms()
		for i, x := range n.Alarms() {
			if i < len(theirs) && x.Evidenced() && theirs[i].Evidenced() {
				both(fmt.Sprint("proof ", code, i), x.Evidence, theirs[i].Evidence)
				renamed = append(renamed, x.Evidence, theirs[i].Evidence)
				sa, sb := signedIn(t, n, x.Evidence), signedIn(t, b.f.Nodes[code], theirs[i].Evidence)
				for j := range min(len(sa), len(sb)) {
					both(fmt.Sprint("signature ", j, " in proof ", code, i), sa[j], sb[j])
				}
			}
		}
	}
	na.asks, nb.asks = strings.NewReplacer(), strings.NewReplacer(renamed...)
	na.names, nb.names = strings.NewReplacer(na.pairs...), strings.NewReplacer(nb.pairs...)
	return na, nb
}

func (n *mask) add(t testing.TB, name, value string) {
	if len(value) < 16 {
		t.Fatalf("%s is %q: too short to be told from other words", name, value)
	}
	if !n.seen[value] {
		n.seen[value] = true
		n.pairs = append(n.pairs, value, "‹"+name+"›")
	}
}

type entry struct {
	Envelope, Body []byte
	leaf, salt     []byte
}

func (e entry) Leaf() []byte { return e.leaf }

func entriesOf(t testing.TB, s *teller) (out []entry) {
	t.Helper()
	reg := s.f.Registry()
	for e, err := range reg.Store().Entries(context.Background(), 0, reg.Head().Size) {
		if err != nil {
			t.Fatal(err)
		}
		x := entry{leaf: e.Leaf(), salt: slices.Clone(e.LeafSalt[:]), Envelope: slices.Clone(e.Envelope)}
		if e.Body != nil {
			x.Body = slices.Clone(e.Body)
		}
		out = append(out, x)
	}
	return out
}

func everybody(t testing.TB, e entry) bool {
	t.Helper()
	switch statementOf(t, e.Envelope).Audience {
	case record.AudiencePublic, record.AudienceOwn:
		return true
	}
	return false
}

// bothEnvelopes names the bytes of envelopes that differ, and wants the statements to differ
// in the commitment alone.
func bothEnvelopes(t testing.TB, both func(name, x, y string), i int, a, b []byte) {
	t.Helper()
	sa, sb := statementOf(t, a), statementOf(t, b)
	x, y := *sa, *sb
	if x.Body != nil && y.Body != nil {
		both(fmt.Sprint("commitment ", i), x.Body.Commitment.String(), y.Body.Commitment.String())
		x.Body, y.Body = &record.BodyRef{Alg: x.Body.Alg}, &record.BodyRef{Alg: y.Body.Alg}
	}
	if x.Kind == record.ErasureConfirmed {
		y.ID = x.ID
	}
	if p, q := mustEncode(t, &x), mustEncode(t, &y); p != q {
		t.Errorf("record %d, whose statement the viewer reads, differs:\n%s\n%s", i, p, q)
	}
	ea, err := record.ParseEnvelope(a)
	eb, err2 := record.ParseEnvelope(b)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	both(fmt.Sprint("statement ", i), base64.StdEncoding.EncodeToString(ea.Payload), base64.StdEncoding.EncodeToString(eb.Payload))
	for j := range min(len(ea.Signatures), len(eb.Signatures)) {
		both(fmt.Sprint("signature ", i, j), base64.StdEncoding.EncodeToString(ea.Signatures[j].Sig), base64.StdEncoding.EncodeToString(eb.Signatures[j].Sig))
	}
}

func mustEncode(t testing.TB, st *record.Statement) string {
	t.Helper()
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// bothBodies names the ciphertexts in two bodies, or boxes.
func bothBodies(both func(name, x, y string), i int, a, b []byte) {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return
	}
	var walk func(path string, x, y any)
	walk = func(path string, x, y any) {
		switch x := x.(type) {
		case string:
			if y, ok := y.(string); ok && len(x) == len(y) && ciphertexts[path] {
				both(fmt.Sprint(path, " ", i), x, y)
			}
		case []any:
			if y, ok := y.([]any); ok {
				for j := range min(len(x), len(y)) {
					walk(path, x[j], y[j])
				}
			}
		case map[string]any:
			if y, ok := y.(map[string]any); ok {
				for k := range x {
					walk(strings.TrimPrefix(path+"."+k, "."), x[k], y[k])
				}
			}
		}
	}
	walk("", x, y)
}

// span is a part of the log of which the tree has a hash.
type span struct{ from, to int64 }

// hashesOf are the hashes of all parts that stand in tiles and proofs, of trees of any size.
func hashesOf(t testing.TB, s *teller) map[span]tlog.Hash {
	t.Helper()
	size := s.f.Registry().Head().Size
	leaves, err := s.f.Registry().Store().LeafHashes(context.Background(), 0, size)
	if err != nil {
		t.Fatal(err)
	}
	out := map[span]tlog.Hash{}
	var of func(from, to int64) tlog.Hash
	of = func(from, to int64) tlog.Hash {
		if h, ok := out[span{from, to}]; ok {
			return h
		}
		h := leaves[from]
		if to-from > 1 {
			k := int64(1)
			for k*2 < to-from {
				k *= 2
			}
			h = tlog.NodeHash(of(from, from+k), of(from+k, to))
		}
		out[span{from, to}] = h
		return h
	}
	for n := range size {
		of(0, n+1)
	}
	return out
}

var signatureLine = regexp.MustCompile(`(?m)^— (\S+) (\S+)$`)

// signaturesOf are the signatures over heads that any node knows, by size, name and time.
func signaturesOf(t testing.TB, s *teller) map[string]string {
	t.Helper()
	out := map[string]string{}
	take := func(size int64, what string, note []byte) {
		for _, m := range signatureLine.FindAllSubmatch(note, -1) {
			out[fmt.Sprint("signature of ", string(m[1]), " on ", size, what)] = string(m[2])
		}
	}
	for code, n := range s.f.Nodes {
		head := n.Head()
		take(head.Size, "", head.Checkpoint)
		for size := range s.f.Registry().Head().Size + 1 {
			h, ok, err := n.Cosigned.At(context.Background(), size)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				takeHead(take, h, code)
			}
		}
	}
	return out
}

var proofLine = regexp.MustCompile(`— \S+ ([A-Za-z0-9+/]+=*)`)

// signedIn are the signatures over heads in a file that proves something.
func signedIn(t testing.TB, n *node.Node, name string) (out []string) {
	t.Helper()
	b, err := n.Evidence(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range proofLine.FindAllSubmatch(b, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

func takeHead(take func(int64, string, []byte), h cosigned.Head, code string) {
	take(h.Size, " at "+code, h.Note)
	take(h.Size, " first at "+code, h.FirstNote)
}

var token = regexp.MustCompile(`name="form" value="[0-9a-f]{32}"`)

func (n *mask) text(b []byte) string {
	return n.names.Replace(string(token.ReplaceAll(b, []byte(`name="form" value="‹token›"`))))
}
