// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// whoReads tells who shows an account on its own pages.
func whoReads(t *testing.T, f *fleet.Fleet, id record.ID) string {
	t.Helper()
	var out []string
	for _, code := range fleet.Codes {
		n := f.Nodes[code]
		if n == nil {
			continue
		}
		if err := n.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Projection.Account(t.Context(), id); err == nil {
			out = append(out, code)
		}
	}
	return strings.Join(out, " ")
}

func whispered(t *testing.T, f *fleet.Fleet, code, audience string, readers ...string) record.ID {
	t.Helper()
	id, err := whispers(f, code, audience, readers...)
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	return id
}

func epochs(f *fleet.Fleet) (out []mechanism.Epoch) {
	f.Registry().Look(func(s *mechanism.State) { out = s.Epochs() })
	return out
}

func shared(t *testing.T, f *fleet.Fleet) (by []string) {
	t.Helper()
	for _, e := range entries(t, f.Registry()) {
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := env.Statement(); err != nil {
			t.Fatal(err)
		} else if st.Kind == record.AudienceShared {
			by = append(by, st.Member)
		}
	}
	return by
}

// TestJoining: who joins later reads what the members said before, without a restart; of the
// mechanism's what is of it, and of what some were told nothing.
func TestJoining(t *testing.T) {
	f := fleet.New(t, 72)
	f.Join("NOR", "fac")
	f.Settle()
	all := whispered(t, f, "NOR", record.AudienceMembers)
	some := whispered(t, f, "NOR", record.AudienceMechanism)
	one := whispered(t, f, "NOR", record.AudienceNamed, "fac")
	f.Join("SUD", "mon")
	until(t, f, "those who joined were handed the keys", func() bool {
		return whoReads(t, f, all) == "NOR SUD fac mon" && whoReads(t, f, some) == "NOR fac mon"
	})
	if who := whoReads(t, f, one); who != "NOR fac" {
		t.Errorf("what one was told is read by %s", who)
	}
	f.Clock.Advance(time.Hour)
	f.Settle()
	if by := shared(t, f); strings.Join(by, " ") != "NOR NOR" {
		t.Errorf("keys were handed over by %v, and once each by NOR does", by)
	}
	// What is filed next is for those who are there now, and nobody goes back to a key that
	// others were handed.
	next := whispered(t, f, "fac", record.AudienceMembers)
	if who := whoReads(t, f, next); who != "NOR SUD fac mon" {
		t.Errorf("what is filed next is read by %s", who)
	}
	f.Stop("NOR") // after a start, it has its keys from the ledger
	f.Start("NOR")
	if who := whoReads(t, f, next); who != "NOR SUD fac mon" {
		t.Errorf("after a start it is read by %s", who)
	}
}

// TestJoiningWithoutTheFirst: when the node that should hand keys over does not, another does.
func TestJoiningWithoutTheFirst(t *testing.T) {
	f := fleet.New(t, 73)
	f.Join("NOR", "fac")
	f.Settle()
	all := whispered(t, f, "NOR", record.AudienceMembers)
	f.Stop("NOR")
	f.Join("SUD")
	f.Settle()
	if by := shared(t, f); len(by) != 0 {
		t.Errorf("handed over by %v, whose turn it is not", by)
	}
	f.Clock.Advance(11 * time.Minute)
	until(t, f, "the other has handed them over", func() bool { return whoReads(t, f, all) == "SUD fac" })
}

// TestLeavingAnAudience: who has left reads nothing new, and what it read before stays.
func TestLeavingAnAudience(t *testing.T) {
	f := begin(t, 74)
	before := whispered(t, f, "NOR", record.AudienceMembers)
	if _, err := f.File("mon", node.Draft{Kind: record.MemberLeft, Member: "mon", Body: &record.Departure{Member: "mon", Reason: "EXERCISE: over"}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Round("mon"); err != nil {
		t.Log(err) // others answer it no more once it has left
	}
	f.Stop("mon")
	f.Settle()
	after := whispered(t, f, "NOR", record.AudienceMembers)
	list := epochs(f)
	if last := list[len(list)-1]; len(list) != 2 || strings.Join(last.Readers, " ") != "NOR SUD fac" {
		t.Fatalf("the epochs are %+v", list)
	}
	f.Start("mon")
	if who := whoReads(t, f, before); who != "NOR SUD fac mon" {
		t.Errorf("what was said before is read by %s", who)
	}
	if who := whoReads(t, f, after); who != "NOR SUD fac" {
		t.Errorf("what was said after it is read by %s", who)
	}
}

// TestRenewReading: once a node has changed the key with which it reads, a copy of its folder
// from before reads nothing new, and the node still reads all that it could.
func TestRenewReading(t *testing.T) {
	f := begin(t, 75)
	before := whispered(t, f, "NOR", record.AudienceMembers)
	sud := f.Nodes["SUD"]
	named := func() (is string) {
		f.Registry().Look(func(s *mechanism.State) { is = s.Recipient("SUD") })
		return is
	}
	first := named()
	// The line is cut when it is to be filed: the next call goes on.
	cut(f, "SUD")
	if _, err := sud.RenewReading(t.Context(), "SUD"); err == nil {
		t.Fatal("changed without a line")
	}
	f.Net.Lose = nil
	got, err := sud.RenewReading(t.Context(), "SUD")
	if err != nil {
		t.Fatal(err)
	}
	if named() != got || got == first {
		t.Fatalf("named is %.20s, the new key is %.20s", named(), got)
	}
	f.Stop("SUD")
	var keys []string
	files, err := os.ReadDir(f.Path("SUD") + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasPrefix(file.Name(), "age") {
			keys = append(keys, file.Name())
		}
	}
	if fmt.Sprint(keys) != "[age-SUD.key age2-SUD.key]" {
		t.Errorf("the keys are %v", keys)
	}
	f.Start("SUD")
	if who := whoReads(t, f, before); who != "NOR SUD fac mon" {
		t.Errorf("what was said before is read by %s", who)
	}
	f.Settle()
	after := whispered(t, f, "NOR", record.AudienceMembers)
	if who := whoReads(t, f, after); who != "NOR SUD fac mon" {
		t.Errorf("what was said after is read by %s", who)
	}
	list := epochs(f)
	if len(list) != 2 {
		t.Fatalf("%d epochs", len(list))
	}
	// Without its new key the node is the copy that somebody took.
	f.Stop("SUD")
	if err := os.Remove(f.Path("SUD") + "/keys/age2-SUD.key"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.Path("SUD") + "/projection.db"); err != nil {
		t.Fatal(err)
	}
	f.Start("SUD")
	if a, b := whoReads(t, f, before), whoReads(t, f, after); a != "NOR SUD fac mon" || b != "NOR fac mon" {
		t.Errorf("with the former key alone: %s and %s", a, b)
	}
}

// madeUp is an age file with a key that is not an epoch's, to a member.
func madeUp(t *testing.T, f *fleet.Fleet, to string, fill byte) string {
	t.Helper()
	var recipient string
	f.Registry().Look(func(s *mechanism.State) { recipient = s.Recipient(to) })
	file, err := vault.Encrypt(bytes.Repeat([]byte{fill}, 32), recipient)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(file)
}

// TestAnEpochMadeToShutOthersOut: a member makes an epoch that names all as readers, and gives
// its key to one alone. What that one files next is read by all the same.
func TestAnEpochMadeToShutOthersOut(t *testing.T) {
	f := begin(t, 76)
	id, err := f.File("SUD", node.Draft{Kind: record.AudienceKeyed, Member: "SUD", Audience: record.AudienceMembers,
		Body: &record.Epoch{Audience: record.AudienceMembers, Key: madeUp(t, f, "SUD", 1), Readers: fleet.Codes}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.File("SUD", node.Draft{Kind: record.AudienceShared, Member: "SUD", Audience: record.AudienceMembers,
		Body: &record.Handover{Epochs: []record.ID{id}, Keys: madeUp(t, f, "NOR", 1), Member: "NOR"}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if who := whoReads(t, f, whispered(t, f, "NOR", record.AudienceMembers)); who != "NOR SUD fac mon" {
		t.Errorf("it is read by %s", who)
	}
	if who := whoReads(t, f, whispered(t, f, "SUD", record.AudienceMembers)); who != "NOR SUD" {
		t.Errorf("what its maker files under it is read by %s", who)
	}
	settled(t, f)
}

// TestAKeyThatIsNone: who joins is handed what is not the key of an epoch, before its maker
// gives it the right one.
func TestAKeyThatIsNone(t *testing.T) {
	f := fleet.New(t, 77)
	f.Join("NOR", "fac")
	f.Settle()
	all := whispered(t, f, "NOR", record.AudienceMembers)
	f.Join("SUD")
	for fill := range byte(3) {
		if _, err := f.File("fac", node.Draft{Kind: record.AudienceShared, Member: "fac", Audience: record.AudienceMembers,
			Body: &record.Handover{Epochs: []record.ID{epochs(f)[0].ID}, Keys: madeUp(t, f, "SUD", fill), Member: "SUD"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Round("fac", "SUD"); err != nil {
		t.Fatal(err)
	}
	if by := shared(t, f); strings.Join(by, " ") != "fac fac fac" {
		t.Fatalf("keys were handed over by %v", by)
	}
	if who := whoReads(t, f, all); who != "NOR fac" {
		t.Fatalf("it is read by %s", who)
	}
	f.Settle()
	f.Clock.Advance(time.Hour)
	f.Settle()
	if who := whoReads(t, f, all); who != "NOR SUD fac" {
		t.Errorf("it is read by %s", who)
	}
	if by := shared(t, f); strings.Join(by, " ") != "fac fac fac NOR" {
		t.Errorf("keys were handed over by %v", by)
	}
}
