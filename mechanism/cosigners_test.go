// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/cosign"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// witness is a witness key of the member.
func (d *door) witness(member, label string) *cosign.Signer {
	return d.Cosigner(member, record.WitnessCosigner, label)
}

// names files a cosigner.named that is good, and gives its index.
func (d *door) names(member string, role record.CosignerRole, vkey, url string) int64 {
	d.Helper()
	at := d.state.Size()
	d.good(d.Named(member, role, vkey, url))
	return at
}

// stands wants a cosigner as it is said to be.
func (d *door) stands(what string, want mechanism.Cosigner) {
	d.Helper()
	got, ok := d.state.Cosigner(want.VKey)
	if !ok || got != want {
		d.Errorf("%s: %+v, %t, want %+v", what, got, ok, want)
	}
}

// respelt changes the parts of a verifier key, and nothing else of it.
func respelt(vkey string, name, hash, key func(string) string) string {
	parts := strings.SplitN(vkey, "+", 3)
	for i, f := range []func(string) string{name, hash, key} {
		if f != nil {
			parts[i] = f(parts[i])
		}
	}
	return strings.Join(parts, "+")
}

func TestCosignersAreRefused(t *testing.T) {
	d := open(t)
	const W, M, R, O = record.WitnessCosigner, record.MirrorCosigner, record.RulesCosigner, record.OutsideCosigner
	first, second := d.witness("OMB", "first"), d.witness("OMB", "second")
	d.names("OMB", W, first.VKey(), "")
	d.names("OMB", W, second.VKey(), "") // the first has ended
	mirror := d.Cosigner("OMB", M, "first")
	d.names("OMB", M, mirror.VKey(), "")
	outside := verifytest.Cosigner("outside", "witness.example/w")
	d.names("scribe", O, outside.VKey(), "")
	fresh := d.witness("DRN", "fresh").VKey()
	shorter := func(b64 string) string {
		raw, _ := base64.StdEncoding.DecodeString(b64)
		return base64.StdEncoding.EncodeToString(raw[:32])
	}
	otherType := func(b64 string) string {
		raw, _ := base64.StdEncoding.DecodeString(b64)
		raw[0] = 1
		return base64.StdEncoding.EncodeToString(raw)
	}
	weak := func(name string) string { // a point of order 2, under its right hash
		key := append([]byte{4, 0}, make([]byte, 31)...)
		h := sha256.Sum256(append([]byte(name+"\n"), key...))
		return fmt.Sprintf("%s+%x+%s", name, h[:4], base64.StdEncoding.EncodeToString(key))
	}
	fixed := func(s string) func(string) string { return func(string) string { return s } }
	under := func(label, name string) string { return verifytest.Cosigner(label, name).VKey() }
	name := func(role record.CosignerRole, member string) string {
		return cosign.KeyName(verifytest.Origin, cosign.Role(role), member)
	}
	for _, tt := range []struct {
		what   string
		code   mechanism.Code
		member string
		role   record.CosignerRole
		vkey   string
	}{
		{"another hash", mechanism.Malformed, "DRN", W, respelt(fresh, nil, fixed("01234567"), nil)},
		{"another name under its hash", mechanism.Malformed, "DRN", W, respelt(fresh, fixed(name(W, "OMB")), nil, nil)},
		{"a key too short", mechanism.Malformed, "DRN", W, respelt(fresh, nil, nil, shorter)},
		{"the type of a log's key", mechanism.Malformed, "DRN", W, respelt(fresh, nil, nil, otherType)},
		{"the log's key", mechanism.Malformed, "DRN", O, d.LogKey},
		{"a key under which anybody can sign", mechanism.Malformed, "DRN", W, weak(name(W, "DRN"))},
		{"another spelling of the base64", mechanism.Malformed, "DRN", O, strings.TrimRight(under("x", "w.example/1"), "=") + "="},

		{"another member's name", mechanism.StateForbids, "DRN", W, under("x", name(W, "OMB"))},
		{"another role's name", mechanism.StateForbids, "DRN", W, under("x", name(M, "DRN"))},
		{"a rules key under the witness's name", mechanism.StateForbids, "DRN", R, under("x", name(W, "DRN"))},
		{"a mirror key under the rules' name", mechanism.StateForbids, "DRN", M, under("x", name(R, "DRN"))},
		{"the origin alone", mechanism.StateForbids, "DRN", W, under("x", verifytest.Origin)},
		{"another origin", mechanism.StateForbids, "DRN", W, under("x", cosign.KeyName("other.example/lakes", cosign.Witness, "DRN"))},

		{"bytes in another role", mechanism.StateForbids, "OMB", R, under("second witness OMB", name(R, "OMB"))},
		{"bytes as an outside witness", mechanism.StateForbids, "OMB", O, under("second witness OMB", "w.example/omb")},
		{"the same key as an outside witness", mechanism.StateForbids, "OMB", O, second.VKey()},
		{"bytes of another member", mechanism.StateForbids, "DRN", W, under("second witness OMB", name(W, "DRN"))},
		{"bytes of another member's mirror", mechanism.StateForbids, "DRN", M, under("first mirror OMB", name(M, "DRN"))},
		{"another's key vouched for", mechanism.StateForbids, "DRN", O, second.VKey()},
		{"an outside witness that another vouches for", mechanism.StateForbids, "DRN", O, outside.VKey()},
		{"an outside witness under a second name", mechanism.StateForbids, "scribe", O, under("outside", "witness.example/v")},
		{"an ended key comes back", mechanism.StateForbids, "OMB", W, first.VKey()},
		{"an ended key in another role", mechanism.StateForbids, "OMB", M, under("first witness OMB", name(M, "OMB"))},
		{"an ended key of another", mechanism.StateForbids, "DRN", W, under("first witness OMB", name(W, "DRN"))},
	} {
		f := d.Named(tt.member, tt.role, tt.vkey, "")
		if _, err := mechanism.Open(f.Envelope, f.Body, f.BodySalt); err != nil {
			t.Errorf("%s: it does not come as far as the guard: %v", tt.what, err)
		}
		d.refused(tt.what, tt.code, f)
	}
}

func TestCosigners(t *testing.T) {
	d := open(t)
	const W, M, O = record.WitnessCosigner, record.MirrorCosigner, record.OutsideCosigner
	if d.state.LogKey() != d.LogKey || d.state.Registry() != "book" || d.state.Policy() != "" || mechanism.New().Policy() != "" || len(d.state.Cosigners()) != 0 {
		t.Error(d.state.LogKey(), d.state.Registry(), d.state.Policy(), d.state.Cosigners())
	}
	if c, ok := d.state.Cosigner("x"); ok {
		t.Error(c)
	}
	omb, drn := d.witness("OMB", "first").VKey(), d.witness("DRN", "first").VKey()
	at := d.names("OMB", W, omb, "https://a.example/")
	d.stands("named", mechanism.Cosigner{Member: "OMB", Role: W, VKey: omb, URL: "https://a.example/", From: at + 1, Until: -1})
	theirs := d.names("DRN", W, drn, "")
	mirror := d.Cosigner("OMB", M, "first").VKey()
	mirrors := d.names("OMB", M, mirror, "")
	// Neither another member's key nor one of another role ends it.
	d.stands("beside others", mechanism.Cosigner{Member: "OMB", Role: W, VKey: omb, URL: "https://a.example/", From: at + 1, Until: -1})

	d.names("OMB", W, omb, "https://b.example/")
	d.stands("with another address", mechanism.Cosigner{Member: "OMB", Role: W, VKey: omb, URL: "https://b.example/", From: at + 1, Until: -1})
	d.names("OMB", W, omb, "")
	d.stands("without an address", mechanism.Cosigner{Member: "OMB", Role: W, VKey: omb, From: at + 1, Until: -1})

	next := d.witness("OMB", "second").VKey()
	replaced := d.names("OMB", W, next, "")
	d.stands("replaced", mechanism.Cosigner{Member: "OMB", Role: W, VKey: omb, From: at + 1, Until: replaced + 1})
	d.stands("in its place", mechanism.Cosigner{Member: "OMB", Role: W, VKey: next, From: replaced + 1, Until: -1})
	again := d.names("OMB", W, d.witness("OMB", "third").VKey(), "")
	d.stands("replaced long ago", mechanism.Cosigner{Member: "OMB", Role: W, VKey: omb, From: at + 1, Until: replaced + 1})
	d.stands("replaced again", mechanism.Cosigner{Member: "OMB", Role: W, VKey: next, From: replaced + 1, Until: again + 1})
	d.stands("another's", mechanism.Cosigner{Member: "DRN", Role: W, VKey: drn, From: theirs + 1, Until: -1})
	d.stands("another role's", mechanism.Cosigner{Member: "OMB", Role: M, VKey: mirror, From: mirrors + 1, Until: -1})

	// Outside witnesses stand side by side, each with its own name.
	var outside []string
	var from []int64
	for i := range 3 {
		outside = append(outside, verifytest.Cosigner(fmt.Sprint("outside ", i), fmt.Sprintf("w%d.example", i)).VKey())
		from = append(from, d.names("OMB", O, outside[i], ""))
	}
	d.names("OMB", O, outside[0], "https://w0.example/")
	d.stands("outside, with an address", mechanism.Cosigner{Member: "OMB", Role: O, VKey: outside[0], URL: "https://w0.example/", From: from[0] + 1, Until: -1})
	d.stands("outside", mechanism.Cosigner{Member: "OMB", Role: O, VKey: outside[1], From: from[1] + 1, Until: -1})
	d.names("book", W, d.witness("book", "first").VKey(), "") // the registry may have one; it does not count

	list := d.state.Cosigners()
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprintf("%s %s %d", c.Member, c.Role, c.From))
		if one, ok := d.state.Cosigner(c.VKey); !ok || one != c {
			t.Errorf("%+v is %+v when it is looked up", c, one)
		}
	}
	want := []string{
		fmt.Sprint("DRN witness ", theirs+1), fmt.Sprint("OMB mirror ", mirrors+1), fmt.Sprint("OMB outside ", from[0]+1), fmt.Sprint("OMB outside ", from[1]+1), fmt.Sprint("OMB outside ", from[2]+1),
		fmt.Sprint("OMB witness ", at+1), fmt.Sprint("OMB witness ", replaced+1), fmt.Sprint("OMB witness ", again+1), fmt.Sprint("book witness ", d.state.Size()),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// TestEffectsShowInTheHash passes over each record of a story in turn: but for a tick of the
// clock, which does nothing, the state is another than if it was folded.
func TestEffectsShowInTheHash(t *testing.T) {
	story := verifytest.NewMission("effects").Turnover()
	for i, f := range story {
		folded, passed := mechanism.New(), mechanism.New()
		for j, g := range story[:i+1] {
			for _, s := range []*mechanism.State{folded, passed} {
				e, err := mechanism.Open(g.Envelope, g.Body, g.BodySalt)
				if err != nil {
					t.Fatal(err)
				}
				if s == passed && j == i {
					s.Skip(e, verifytest.Start+int64(j))
				} else if err := s.Admit(e, verifytest.Start+int64(j)); err != nil {
					t.Fatalf("record %d: %v", j, err)
				}
			}
		}
		if same := folded.Hash() == passed.Hash(); same != (f.Statement.Kind == record.ClockTicked) {
			t.Errorf("record %d, %s: that it does nothing is %t by the hash", i, f.Statement.Kind, same)
		}
	}
}

// adopt files the parts of a next version; want is the code by which the last is refused,
// or none. The pack of the mission changes only if it is admitted.
func (d *door) adopt(what string, want mechanism.Code, edit func(p *agreement.Pack)) {
	d.Helper()
	before := d.Pack
	parts := d.Adopt(d.state.PackVersion()+1, edit)
	for _, f := range parts[:len(parts)-1] {
		d.good(f)
	}
	if last := parts[len(parts)-1]; want == "" {
		d.good(last)
	} else {
		d.refused(what, want, last)
		d.Pack = before
	}
}

func TestPolicies(t *testing.T) {
	d := open(t)
	const W, M, R, O = record.WitnessCosigner, record.MirrorCosigner, record.RulesCosigner, record.OutsideCosigner
	named := func(member string, role record.CosignerRole, s *cosign.Signer) *cosign.Signer {
		d.names(member, role, s.VKey(), "")
		return s
	}
	drn, scribe, clerk := named("DRN", W, d.witness("DRN", "first")), named("scribe", W, d.witness("scribe", "first")), named("clerk", W, d.witness("clerk", "first"))
	ended := named("OMB", W, d.witness("OMB", "first"))
	omb := named("OMB", W, d.witness("OMB", "second"))
	outside := named("scribe", O, verifytest.Cosigner("outside", "witness.example"))
	registry, vouched := named("book", W, d.witness("book", "first")), named("book", O, verifytest.Cosigner("the registry's", "friend.example"))
	mirror, rules := named("OMB", M, d.Cosigner("OMB", M, "first")), named("OMB", R, d.Cosigner("OMB", R, "first"))
	d.good(d.File("clerk", record.MemberLeft, &record.Departure{Member: "clerk", Reason: "r"}))
	policy := func(text string) func(p *agreement.Pack) { return func(p *agreement.Pack) { p.Policy = text } }
	good := d.Policy(2, drn, omb, scribe)
	other := verifytest.NewMission("another log").LogKey
	for _, tt := range []struct{ what, text string }{
		{"no policy", "all of us\n"},
		{"no quorum", strings.Split(good, "quorum")[0]},
		{"a group of nobody known", good + "group more 1 w9\n"},
		{"another log", strings.Replace(good, d.LogKey, other, 1)},
		{"another log beside it", "log " + other + "\n" + good},
		{"no log", good[strings.Index(good, "witness"):]},
		{"a witness that nobody named", d.Policy(1, drn, d.witness("DRN", "second"))},
		{"a witness of nobody", d.Policy(1, drn, verifytest.Cosigner("x", "witness.example/x"))},
		{"a witness that another took the place of", d.Policy(1, drn, ended)},
		{"a witness of a member that left", d.Policy(1, drn, clerk)},
		{"the registry's witness", d.Policy(1, drn, registry)},
		{"an outside witness of the registry", d.Policy(1, drn, vouched)},
		{"a mirror as witness", d.Policy(1, drn, mirror)},
		{"a rules key as witness", d.Policy(1, drn, rules)},
	} {
		d.adopt(tt.what, mechanism.NotInAgreement, policy(tt.text))
		if d.state.Policy() != "" || d.state.PackVersion() != 1 {
			t.Errorf("%s: version %d with the policy %q is in force", tt.what, d.state.PackVersion(), d.state.Policy())
		}
	}
	for i, text := range []string{good, d.Policy(3, drn, omb, outside), "log " + d.LogKey + "\nquorum none\n", "", "# ours\n" + good} {
		d.adopt("", "", func(p *agreement.Pack) { p.Policy, p.ClockBoundS = text, int64(i) })
		if d.state.Policy() != text || d.state.PackVersion() != i+2 || d.state.Pack().ClockBoundMS() != []int64{120_000, 1000, 2000, 3000, 4000}[i] {
			t.Errorf("version %d with the policy %q is in force, want %q", d.state.PackVersion(), d.state.Policy(), text)
		}
	}
	// A witness that ends later stays in the policy in force, and cannot stand in the next.
	named("DRN", W, d.witness("DRN", "third"))
	if d.state.Policy() != "# ours\n"+good {
		t.Error(d.state.Policy())
	}
	d.adopt("the same policy, of which a witness has ended", mechanism.NotInAgreement, func(p *agreement.Pack) {})
}
