// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/record"
)

// cut takes members off the network.
func cut(f *fleet.Fleet, codes ...string) {
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		for _, c := range codes {
			if from == c || to == c {
				return false, false
			}
		}
		return true, true
	}
}

// carryOut writes a carry file on a node.
func carryOut(t *testing.T, n *node.Node, from int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := n.CarryOut(t.Context(), &b, from); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// carryIn takes a carry file in, and gives the answer.
func carryIn(t *testing.T, n *node.Node, file []byte) (*node.CarriedIn, []byte) {
	t.Helper()
	var reply bytes.Buffer
	in, err := n.CarryIn(t.Context(), bytes.NewReader(file), &reply)
	if err != nil {
		t.Fatal(err)
	}
	return in, reply.Bytes()
}

func file(t *testing.T, f *fleet.Fleet, code string, d node.Draft) record.ID {
	t.Helper()
	id, err := f.File(code, d)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func wantState(t *testing.T, n *node.Node, id record.ID, want outbox.State) {
	t.Helper()
	act, ok, err := n.Box.Find(context.Background(), id)
	if err != nil || !ok || act.State != want {
		t.Fatalf("the act of %s is %q, not %q (%t, %v)", id, act.State, want, ok, err)
	}
}

// quiet wants no alarm anywhere, and the same state everywhere.
func quiet(t *testing.T, f *fleet.Fleet, codes ...string) {
	t.Helper()
	want := hash(t, f, fleet.RegistryCode)
	for _, code := range codes {
		if got := hash(t, f, code); got != want {
			t.Errorf("%s has the state %s, the registry %s", code, got, want)
		}
		if a := f.Nodes[code].Alarms(); len(a) > 0 {
			t.Errorf("%s has alarms: %+v", code, a)
		}
	}
}

// mission is one in which all have joined and three of four must cosign.
func mission(t *testing.T, seed uint64) *fleet.Fleet {
	f := fleet.New(t, seed)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	return f
}

// A member without any line takes part with files alone; and what was carried is not sent
// again when the line comes.
func TestCarriedThereAndBack(t *testing.T) {
	f := mission(t, 31)
	nor, book := f.Nodes["NOR"], f.Registry()
	cut(f, "NOR")
	first, second := file(t, f, "NOR", f.Account("NOR", 3)), file(t, f, "NOR", f.Account("NOR", 4))
	// What the rules refuse must not stop the others.
	bad := file(t, f, "NOR", node.Draft{Kind: record.MemberAdmitted, Member: "NOR", Body: &record.Admission{Code: "xxx", Name: "EXERCISE", Role: record.MonitorRole}})
	file(t, f, "SUD", f.Account("SUD", 5))
	early := carryOut(t, nor, -1)
	wantState(t, nor, first, outbox.Sent)
	last := file(t, f, "NOR", f.Account("NOR", 6))
	late := carryOut(t, nor, -1)
	_ = f.Round("SUD", "fac", "mon", "SUD", "fac", "mon")

	size := book.Head().Size
	in, reply := carryIn(t, book, late) // the later file comes first
	if in.Admitted != 3 || in.Refused != 1 || len(in.Failed) != 0 || book.Head().Size != size+3 {
		t.Fatalf("%+v, and the log went from %d to %d", in, size, book.Head().Size)
	}
	again, sameReply := carryIn(t, book, early)
	if again.Admitted != 2 || again.Refused != 1 || book.Head().Size != size+3 {
		t.Fatalf("handed in twice: %+v, and the log has %d", again, book.Head().Size)
	}

	back, _ := carryIn(t, nor, reply)
	if back.Receipted != 3 || back.TurnedDown != 1 || len(back.Failed) != 0 || back.Size != book.Head().Size {
		t.Fatalf("%+v", back)
	}
	for _, id := range []record.ID{first, second, last} {
		wantState(t, nor, id, outbox.Receipted)
	}
	wantState(t, nor, bad, outbox.Refused)
	quiet(t, f, "NOR")
	for _, b := range [][]byte{reply, sameReply} {
		if again, _ := carryIn(t, nor, b); again.Receipted != 0 || again.TurnedDown != 0 || again.Records != 0 || len(again.Failed) != 0 {
			t.Fatalf("the answer taken in once more did %+v", again)
		}
	}

	// Its cosignatures travel, too, and make the head witnessed.
	_ = f.Round("SUD", "fac")
	if h, err := book.Witnessed(t.Context()); err == nil && h.Size == book.Head().Size {
		t.Fatal("witnessed by two of three")
	}
	carryIn(t, book, carryOut(t, nor, -1))
	if h, err := book.Witnessed(t.Context()); err != nil || h.Size != book.Head().Size {
		t.Fatalf("the head of %d is not witnessed: %d, %v", book.Head().Size, h.Size, err)
	}
	carryIn(t, nor, carryOut(t, book, -1))
	if act, _, err := nor.Box.Find(t.Context(), first); err != nil || !act.Witnessed() {
		t.Fatalf("the receipt is not witnessed: %v", err)
	}

	f.Net.Lose = nil
	f.Settle()
	carryIn(t, book, early)
	if book.Head().Size != size+3 {
		t.Errorf("the log has %d records after the line came back, not %d", book.Head().Size, size+3)
	}
	quiet(t, f, fleet.Codes...)
}

// A copy for one who cannot reach the registry; what it had carried there is found in it.
func TestCarriedFromMemberToMember(t *testing.T) {
	f := mission(t, 32)
	sud, nor := f.Nodes["SUD"], f.Nodes["NOR"]
	cut(f, "SUD")
	id := file(t, f, "SUD", f.Account("SUD", 7))
	has := sud.Head().Size
	carryIn(t, f.Registry(), carryOut(t, sud, -1))
	file(t, f, "NOR", f.Account("NOR", 8))
	_ = f.Round("NOR", "fac", "mon", "NOR")

	if _, err := sud.CarryIn(t.Context(), bytes.NewReader(carryOut(t, nor, has+1)), nil); err == nil {
		t.Error("a file that begins behind the end of the copy was taken in")
	}
	in, _ := carryIn(t, sud, carryOut(t, nor, has))
	if in.Receipted != 1 || in.Size != f.Registry().Head().Size {
		t.Fatalf("%+v", in)
	}
	wantState(t, sud, id, outbox.Receipted)
	quiet(t, f, "SUD")
	if in, _ := carryIn(t, sud, carryOut(t, nor, 0)); in.Records != 0 {
		t.Errorf("the whole copy again gave %+v", in)
	}
	quiet(t, f, "SUD")

	// A member with a line hands on what another has given it.
	cut(f, "SUD")
	next := file(t, f, "SUD", f.Account("SUD", 9))
	on, reply := carryIn(t, nor, carryOut(t, sud, -1))
	if on.Admitted != 1 {
		t.Fatalf("%+v", on)
	}
	_ = f.Round("NOR")
	if in, _ := carryIn(t, sud, reply); in.Receipted+len(in.Failed) != 1 {
		t.Fatalf("%+v", in)
	}
	carryIn(t, sud, carryOut(t, nor, has))
	wantState(t, sud, next, outbox.Receipted)
	quiet(t, f, "SUD")
}

// A file that was cut short or altered is refused whole, by both.
func TestCarriedFileAltered(t *testing.T) {
	f := mission(t, 33)
	nor, book := f.Nodes["NOR"], f.Registry()
	cut(f, "NOR")
	file(t, f, "NOR", f.Account("NOR", 3))
	_ = f.Round("SUD")
	there := carryOut(t, nor, -1)
	size := book.Head().Size
	_, reply := carryIn(t, book, there)
	has := nor.Head().Size
	for name, x := range map[string]struct {
		n    *node.Node
		file []byte
		size int64
	}{"there": {book, there, book.Head().Size}, "back": {nor, reply, has}} {
		for i := range 40 {
			b := bytes.Clone(x.file)
			at := i * (len(b) - 1) / 39
			b[at] ^= 1
			for _, b := range [][]byte{b, x.file[:at]} {
				if _, err := x.n.CarryIn(t.Context(), bytes.NewReader(b), nil); err == nil {
					t.Fatalf("%s: changed or cut at byte %d it was taken in", name, at)
				}
			}
		}
		if x.n.Head().Size != x.size {
			t.Errorf("%s: the ledger went from %d to %d", name, x.size, x.n.Head().Size)
		}
	}
	if book.Head().Size != size+1 {
		t.Errorf("the log has %d", book.Head().Size)
	}
	quiet(t, f)
	other := fleet.New(t, 34)
	if _, err := other.Registry().CarryIn(t.Context(), bytes.NewReader(there), nil); err == nil {
		t.Error("another mission took it in")
	}
}

// A registry that does not know yet that its ledger is the newest learns it from files, too.
func TestCarriedToARegistryThatWaits(t *testing.T) {
	f := mission(t, 35)
	cut(f, fleet.Codes...)
	f.Stop(fleet.RegistryCode)
	f.Clock.Advance(3600e9)
	book := f.Start(fleet.RegistryCode)
	file(t, f, "NOR", f.Account("NOR", 3))
	in, err := book.CarryIn(t.Context(), bytes.NewReader(carryOut(t, f.Nodes["NOR"], -1)), nil)
	if err != nil || in.Admitted != 0 || len(in.Failed) != 1 {
		t.Fatalf("%+v, %v", in, err)
	}
	carryIn(t, book, carryOut(t, f.Nodes["SUD"], -1))
	if in, _ := carryIn(t, book, carryOut(t, f.Nodes["NOR"], -1)); in.Admitted != 1 {
		t.Fatalf("%+v", in)
	}
}

// The registry shows another history, in a file.
func TestCarriedTwoHistories(t *testing.T) {
	f := mission(t, 36)
	nor := f.Nodes["NOR"]
	fork := t.TempDir()
	f.Stop(fleet.RegistryCode)
	if err := os.CopyFS(fork, os.DirFS(f.Path(fleet.RegistryCode))); err != nil {
		t.Fatal(err)
	}
	f.Start(fleet.RegistryCode)
	f.Settle()
	has := nor.Head().Size
	cut(f, "SUD") // it must not have seen the first history
	file(t, f, "NOR", f.Account("NOR", 3))
	_ = f.Round("NOR", "fac", "mon", "NOR")
	other, err := node.Open(t.Context(), fork, node.Options{Now: f.Clock.Now, Rand: rand.Reader, Manual: true, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	file(t, f, "SUD", f.Account("SUD", 8))
	file(t, f, "SUD", f.Account("SUD", 9))
	carryIn(t, other, carryOut(t, f.Nodes["SUD"], -1))
	size := nor.Head().Size
	if other.Head().Size <= size {
		t.Fatalf("the other history has %d records, the first %d", other.Head().Size, size)
	}
	// From the middle it cannot be told from a file that somebody has altered.
	if _, err := nor.CarryIn(t.Context(), bytes.NewReader(carryOut(t, other, size)), nil); err == nil || len(nor.Alarms()) > 0 {
		t.Fatalf("%v, %+v", err, nor.Alarms())
	}
	_, err = nor.CarryIn(t.Context(), bytes.NewReader(carryOut(t, other, has)), nil)
	if !errors.Is(err, node.ErrTwoHistories) || nor.Head().Size != size {
		t.Fatalf("%v, and the copy has %d", err, nor.Head().Size)
	}
	if a := nor.Alarms(); len(a) != 1 || a[0].Kind != node.TwoHistories || !a[0].Evidenced() {
		t.Fatalf("%+v", a)
	}
}
