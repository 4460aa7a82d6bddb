// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/record"
	"truceline/when"
)

// marks tells which of its cosigners a node has put under a head of this size.
func marks(t *testing.T, f *fleet.Fleet, code string, size int64) map[record.CosignerRole]bool {
	t.Helper()
	n := f.Nodes[code]
	head, ok, err := n.Cosigned.At(context.Background(), size)
	if err != nil {
		t.Fatal(err)
	}
	out := map[record.CosignerRole]bool{}
	if !ok {
		return out
	}
	for _, m := range head.Marks {
		for _, c := range n.Cosigners() {
			if c.VKey == m.VKey && c.Member == code {
				out[c.Role] = true
			}
		}
	}
	return out
}

// The registry shows one history to two members and another to the others. Neither is
// witnessed; as soon as two members of different sides speak, both have the proof.
func TestTwoHistoriesAreShown(t *testing.T) {
	f := signedMission(t, 11)
	ctx := context.Background()
	before := f.Registry().Head().Size
	l := newLiar(t, f)
	l.log(l.submission("SUD", 7), f.Clock.Now().UnixMilli())
	l.show("SUD", "mon")
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		return to == fleet.RegistryCode, true // members do not reach each other
	}
	if _, err := f.File("NOR", f.Account("NOR", 1)); err != nil {
		t.Fatal(err)
	}
	f.Clock.Advance(time.Minute)
	_ = f.Round(fleet.Codes...)
	_ = f.Round(fleet.Codes...)
	noAlarms(t, f, fleet.Codes...)
	for _, code := range []string{"NOR", "SUD"} {
		if got := f.Nodes[code].Head().Size; got != before+1 {
			t.Fatalf("%s has %d records, want %d", code, got, before+1)
		}
	}
	if h, err := f.Registry().Witnessed(ctx); err != nil || h.Size != before {
		t.Errorf("%d records are witnessed, %v; want %d: two of three have cosigned", h.Size, err, before)
	}
	f.Net.Lose = nil
	f.Clock.Advance(time.Minute)
	_ = f.Round("NOR")
	noticed(t, f, "NOR", node.TwoHistories, true)
	f.Clock.Advance(time.Minute)
	_ = f.Round("SUD", "fac", "mon")
	for _, code := range []string{"SUD", "fac", "mon"} {
		noticed(t, f, code, node.TwoHistories, true)
	}
	// From here nobody says any more that the rules were kept.
	f.Clock.Advance(time.Hour)
	_ = f.Round("NOR")
	if h, err := f.Registry().Witnessed(ctx); err != nil || h.Size != before {
		t.Errorf("%d records are witnessed, %v", h.Size, err)
	}
}

// The registry drops a record that it gave a receipt for, and signs another tree at the
// size that it had published, as a database put back in time would.
func TestAReceiptedRecordIsDropped(t *testing.T) {
	for _, more := range []int{1, 2, 5} {
		f := signedMission(t, uint64(20+more))
		l := newLiar(t, f)
		id, err := f.File("NOR", f.Account("NOR", 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Round("NOR"); err != nil {
			t.Fatal(err)
		}
		if act, _, err := f.Nodes["NOR"].Box.Find(context.Background(), id); err != nil || len(act.Receipts) != 1 {
			t.Fatalf("no receipt: %+v, %v", act, err)
		}
		held := f.Nodes["NOR"].Head()
		for range more {
			l.log(l.submission("SUD", 7), f.Clock.Now().UnixMilli())
		}
		l.show(fleet.Codes...)
		if err := f.Round("NOR"); !errors.Is(err, node.ErrTwoHistories) {
			t.Errorf("%d records later: %v", more, err)
		}
		noticed(t, f, "NOR", node.TwoHistories, true)
		if got := f.Nodes["NOR"].Head(); got.Size != held.Size || got.Root != held.Root {
			t.Errorf("the copy went along: %d records", got.Size)
		}
		if w, err := f.Nodes["NOR"].Witness().Held(context.Background(), f.Registry().Config.Origin); err != nil || w.Root != held.Root {
			t.Errorf("the witness went along: %+v, %v", w, err)
		}
	}
}

// The registry shows fewer records than it has signed. That may be a machine that lags; it
// is an alarm when it lasts, and no proof of anything.
func TestAnOlderHeadIsShown(t *testing.T) {
	f := signedMission(t, 30)
	l := newLiar(t, f)
	if _, err := f.File("NOR", f.Account("NOR", 1)); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	l.show("fac")
	_ = f.Round("fac")
	noAlarms(t, f, "fac")
	f.Clock.Advance(time.Hour)
	_ = f.Round("fac")
	noticed(t, f, "fac", node.OlderHead, false)
}

// The registry says that it logged a record at a time that others' clocks contradict.
func TestAFalseTime(t *testing.T) {
	for _, c := range []struct {
		what  string
		shift time.Duration
	}{{"in the future", time.Hour}, {"long ago", 0}} {
		f := signedMission(t, 40)
		l := newLiar(t, f)
		f.Clock.Advance(3 * time.Hour)
		f.Settle() // all cosign the same head again, three hours later
		at := f.Clock.Now().Add(c.shift).UnixMilli()
		if c.shift == 0 {
			at = l.last() + 1
		}
		index := l.log(l.submission("SUD", 7), at)
		l.show(fleet.Codes...)
		_ = f.Round(fleet.Codes...)
		_ = f.Round(fleet.Codes...)
		for _, code := range fleet.Codes {
			if a := noticed(t, f, code, node.FalseTime, true); a.Index != index {
				t.Errorf("%s: %s: %+v, want record %d", c.what, code, a, index)
			}
			got := marks(t, f, code, index+1)
			if !got[record.WitnessCosigner] || !got[record.MirrorCosigner] || got[record.RulesCosigner] {
				t.Errorf("%s: %s has cosigned as %v: the witness and the mirror do, the rules do not", c.what, code, got)
			}
		}
	}
}

// A record stands in the log a second time.
func TestARecordIsReplayed(t *testing.T) {
	f := signedMission(t, 50)
	if _, err := f.File("NOR", f.Account("NOR", 1)); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	l := newLiar(t, f)
	old := l.entries[len(l.entries)-1]
	index := l.log(registry.Submission{Envelope: old.Envelope, Body: old.Body, BodySalt: old.BodySalt}, f.Clock.Now().UnixMilli())
	l.show("SUD")
	_ = f.Round("SUD")
	if a := noticed(t, f, "SUD", node.LoggedTwice, true); a.Index != index {
		t.Errorf("%+v, want record %d", a, index)
	}
}

// A record is signed with a key that its member had ended.
func TestARevokedKey(t *testing.T) {
	f := signedMission(t, 60)
	stolen, err := record.NewSigner(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	key := stolen.Key()
	if _, err := f.File("SUD", node.Draft{Kind: record.KeyAdded, Member: "SUD", Body: &record.KeyAddition{Key: stolen.Key(), Member: "SUD"}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if _, err := f.File("SUD", node.Draft{Kind: record.KeyRevoked, Member: "SUD", Body: &record.KeyRevocation{Key: key.ID(), Member: "SUD", Reason: "compromised"}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	l := newLiar(t, f)
	s := l.submission("SUD", 9)
	env, err := record.ParseEnvelope(s.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	if s.Envelope, err = record.Seal(env.Type, env.Payload, stolen); err != nil {
		t.Fatal(err)
	}
	index := l.log(s, f.Clock.Now().UnixMilli())
	l.show("NOR")
	_ = f.Round("NOR")
	if a := noticed(t, f, "NOR", node.DeadKey, true); a.Index != index {
		t.Errorf("%+v, want record %d", a, index)
	}
	// Its state stands still before the record, its copy does not.
	if got := f.Nodes["NOR"].Head().Size; got != index+1 {
		t.Errorf("the copy has %d records", got)
	}
	if got := marks(t, f, "NOR", index+1); !got[record.WitnessCosigner] || got[record.RulesCosigner] {
		t.Errorf("cosigned as %v", got)
	}
}

// A record is in the log that the rules refuse: where one record shows it there is a proof.
func TestARuleIsBroken(t *testing.T) {
	for _, c := range []struct {
		what  string
		spoil func(l *liar) registry.Submission
		proof bool
	}{
		{"a bad signature", func(l *liar) registry.Submission {
			s := l.submission("SUD", 9)
			env, _ := record.ParseEnvelope(s.Envelope)
			env.Signatures[0].Sig[3] ^= 1
			s.Envelope, _ = env.Encode()
			return s
		}, true},
		{"a right that the role has not", func(l *liar) registry.Submission {
			d := node.Draft{Kind: record.IncidentOpened, Member: "SUD", Body: &record.Opening{Class: record.ClassIncident, Label: "EXERCISE", PlaceText: "x", Types: []string{"shots"}, When: when.Span{Start: "2031-03-01"}}}
			s, err := l.f.Nodes["SUD"].Sign(d, true)
			if err != nil {
				l.t.Fatal(err)
			}
			return s
		}, false},
	} {
		f := signedMission(t, 70)
		l := newLiar(t, f)
		index := l.log(c.spoil(l), f.Clock.Now().UnixMilli())
		l.show("NOR")
		_ = f.Round("NOR")
		if a := noticed(t, f, "NOR", node.BrokenRule, c.proof); a.Index != index {
			t.Errorf("%s: %+v, want record %d", c.what, a, index)
		}
	}
}

// What comes over the line is garbage: nothing is taken over, nobody is accused of what
// the line may have done, and the node goes on when it is good again.
func TestGarbage(t *testing.T) {
	f := signedMission(t, 80)
	l := newLiar(t, f)
	l.log(l.submission("SUD", 7), f.Clock.Now().UnixMilli())
	l.show("NOR")
	held := f.Nodes["NOR"].Head()
	flip := func(b []byte) []byte { // a letter stays one: what is text is read, and found wrong
		b = bytes.Clone(b)
		for i := len(b) / 2; i < len(b); i++ {
			if c := b[i] | 0x20; c >= 'a' && c <= 'z' {
				b[i] ^= 0x20
				break
			}
		}
		return b
	}
	spoil := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)/2] = '!'
		return b
	}
	for _, c := range []struct {
		what   string
		garble func(path string, b []byte) []byte
	}{
		{"a flipped proof", func(p string, b []byte) []byte { return pick(p, "consistency/", b, flip) }},
		{"a proof that cannot be read", func(p string, b []byte) []byte { return pick(p, "consistency/", b, spoil) }},
		{"no proof and no tiles", func(p string, b []byte) []byte { return pick(p, "consistency/", pick(p, "tile/", b, flip), flip) }},
		{"noise", func(string, []byte) []byte { return []byte("<html>busy</html>") }},
		{"nothing", func(string, []byte) []byte { return nil }},
		{"a flipped record", func(p string, b []byte) []byte {
			return pick(p, "records/", b, func(b []byte) []byte { // the last, which is the new one
				at := bytes.LastIndexByte(bytes.TrimSuffix(b, []byte("\n")), '\n') + 1
				return append(bytes.Clone(b[:at]), flip(b[at:])...)
			})
		}},
		{"a flipped head", func(p string, b []byte) []byte { return pick(p, "checkpoint", b, flip) }},
		{"half of the records", func(p string, b []byte) []byte {
			return pick(p, "records/", b, func(b []byte) []byte { return b[:len(b)/2] })
		}},
		{"much too much", func(p string, b []byte) []byte {
			return pick(p, "checkpoint", b, func(b []byte) []byte { return bytes.Repeat([]byte("x"), ledger.MaxCheckpointBytes+2) })
		}},
	} {
		what := c.what
		l.garble = c.garble
		err := f.Round("NOR")
		if err == nil || errors.Is(err, node.ErrTwoHistories) || f.Nodes["NOR"].Head().Size != held.Size {
			t.Errorf("%s: %v, and the copy has %d records", what, err, f.Nodes["NOR"].Head().Size)
		}
		for _, a := range f.Nodes["NOR"].Alarms() {
			if a.Kind != node.WrongRecords {
				t.Errorf("%s: an alarm: %+v", what, a)
			}
		}
	}
	l.garble = nil
	if err := f.Round("NOR"); err != nil {
		t.Fatal(err)
	}
	if got := f.Nodes["NOR"].Head().Size; got != held.Size+1 {
		t.Errorf("%d records, want %d", got, held.Size+1)
	}
}

func pick(path, prefix string, b []byte, f func([]byte) []byte) []byte {
	if strings.HasPrefix(path, prefix) {
		return f(b)
	}
	return b
}
