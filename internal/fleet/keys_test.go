// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/peer"
)

func onNet(f *fleet.Fleet, code string) node.Options {
	return node.Options{Now: f.Clock.Now, Rand: rand.Reader, Manual: true, Dial: peer.Dial(&http.Client{Transport: f.Net.From(code)})}
}

// A member whose node is lost goes on with its recovery key, and nobody with what was lost.
func TestRecovery(t *testing.T) {
	f := mission(t, 51)
	lost := t.TempDir()
	f.Stop("NOR")
	if err := os.CopyFS(lost, os.DirFS(f.Path("NOR"))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(f.Path("NOR")); err != nil {
		t.Fatal(err)
	}
	key, err := node.ReadRecoveryKey(f.Seen["NOR"])
	if err != nil {
		t.Fatal(err)
	}
	others, err := node.ReadRecoveryKey(f.Seen["SUD"])
	if err != nil {
		t.Fatal(err)
	}
	book := f.Registry()
	r := node.Recovering{Key: key, LogKey: book.Config.LogKey, RegistryURL: fleet.URL(fleet.RegistryCode), URL: fleet.URL("NOR"), Options: onNet(f, "NOR")}
	cut(f, "NOR")
	if err := node.PrepareRecovered(t.Context(), f.Path("NOR"), r); err == nil {
		t.Fatal("made without the log's first record")
	}
	f.Net.Lose = nil
	if err := node.PrepareRecovered(t.Context(), f.Path("NOR"), r); err != nil {
		t.Fatal(err)
	}
	nor := f.Start("NOR")
	if _, err := nor.Recover(t.Context(), others, "lost"); err == nil {
		t.Fatal("recovered with another's key")
	}
	// The answer to its first record is lost: it goes on where it was cut short.
	f.Net.Lose = func(from, _ string, r *http.Request) (bool, bool) {
		return true, from != "NOR" || r.URL.Path != "/peer/submit"
	}
	if _, err := nor.Recover(t.Context(), key, "lost"); !errors.As(err, new(*node.Queued)) {
		t.Fatalf("the line was cut: %v", err)
	}
	f.Net.Lose = nil
	got, err := nor.Recover(t.Context(), key, "lost")
	if err != nil || len(got.Revoked) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	size := book.Head().Size
	if again, err := nor.Recover(t.Context(), key, "lost"); err != nil || len(again.Revoked) != 0 || book.Head().Size != size {
		t.Fatalf("once more: %+v, %v, and %d records more", again, err, book.Head().Size-size)
	}
	id := file(t, f, "NOR", f.Account("NOR", 3))
	f.Settle()
	wantState(t, nor, id, outbox.Receipted)
	quiet(t, f, fleet.Codes...)
	// Its new witness counts once a policy names it; three of three were needed till then.
	f.Adopt(4)
	f.Settle()
	if h, err := book.Witnessed(t.Context()); err != nil || h.Size != book.Head().Size {
		t.Errorf("witnessed %d of %d, %v", h.Size, book.Head().Size, err)
	}

	// Whoever found the lost folder can say nothing any more.
	thief, err := node.Open(t.Context(), lost, onNet(f, "NOR"))
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	size = book.Head().Size
	_, err = thief.File(context.Background(), f.Account("NOR", 99))
	if !errors.As(err, new(*node.Queued)) {
		t.Fatal(err)
	}
	_ = thief.Round(t.Context())
	if counts, err := thief.Box.Counts(t.Context()); err != nil || counts[outbox.Refused] != 1 || book.Head().Size != size {
		t.Errorf("the lost key still signs: %v, %v", counts, err)
	}
}

func TestReadRecoveryKey(t *testing.T) {
	f := fleet.New(t, 52)
	f.Join("NOR")
	good := f.Seen["NOR"]
	if _, err := node.ReadRecoveryKey(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, good[:len(good)-1], append(bytes.Clone(good), '\n'), bytes.Replace(good, []byte("mission "), []byte("mission x"), 1), bytes.Replace(good, []byte("="), []byte("=="), 1), bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n"))} {
		if _, err := node.ReadRecoveryKey(bad); err == nil {
			t.Errorf("read %q", bad)
		} else if strings.Contains(err.Error(), strings.Split(string(good), "\n")[1]) {
			t.Error("the error shows the key")
		}
	}
}

// A planned change of key, of a member and of the registry, cut short at the worst moment.
func TestRotateKeys(t *testing.T) {
	f := mission(t, 53)
	nor, book := f.Nodes["NOR"], f.Registry()
	before := nor.NodeKeys("NOR")
	f.Net.Lose = func(from, _ string, r *http.Request) (bool, bool) {
		return true, from != "NOR" || r.URL.Path != "/peer/submit"
	}
	if _, err := nor.RotateKey(t.Context(), "NOR"); !errors.As(err, new(*node.Queued)) {
		t.Fatalf("the line was cut: %v", err)
	}
	f.Net.Lose = nil
	if err := f.Round("NOR"); err != nil {
		t.Fatal(err)
	}
	f.Stop("NOR")
	nor = f.Start("NOR")
	id := file(t, f, "NOR", f.Account("NOR", 3))
	f.Settle()
	wantState(t, nor, id, outbox.Receipted)
	after := nor.NodeKeys("NOR")
	if len(after) != len(before) || !after[0].Here && !after[1].Here {
		t.Fatalf("%+v became %+v", before, after)
	}
	for _, k := range after {
		if was := k.ID; k.Here && (was == before[0].ID || was == before[1].ID) {
			t.Error("it signs with an old key")
		}
		if !k.Here { // the recovery key
			if err := nor.RevokeKey(t.Context(), "NOR", k.ID, "compromised", ""); !errors.As(err, new(*node.Queued)) {
				t.Fatal(err)
			}
		} else if err := nor.RevokeKey(t.Context(), "NOR", k.ID, "retired", ""); err == nil {
			t.Error("it revoked the key it signs with")
		}
	}
	f.Settle()
	if keys := nor.NodeKeys("NOR"); len(keys) != 1 || !keys[0].Here {
		t.Errorf("%+v", keys)
	}
	if _, err := book.RotateKey(t.Context(), fleet.RegistryCode); err != nil {
		t.Fatal(err)
	}
	f.Adopt(2)
	f.Stop(fleet.RegistryCode)
	f.Start(fleet.RegistryCode)
	f.Settle()
	quiet(t, f, fleet.Codes...)
}

// A member leaves; what is left of the policy is told; and it comes back.
func TestLeaving(t *testing.T) {
	f := mission(t, 54)
	s, err := f.Registry().Standing("NOR")
	if err != nil || !s.Met || len(s.Gone) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := f.Nodes["NOR"].Leave(t.Context(), "NOR", "EXERCISE"); !errors.As(err, new(*node.Queued)) {
		t.Fatal(err)
	}
	f.Settle()
	if s, err = f.Registry().Standing(""); err != nil || !s.Met || len(s.Gone) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	// No agreement is adopted with a policy that names one who is gone.
	if err := f.Registry().Former(t.Context(), "mon", "EXERCISE"); err == nil || !strings.Contains(err.Error(), "policy adopt") {
		t.Fatal(err)
	}
	f.Adopt(3)
	if err := f.Registry().Former(t.Context(), "mon", "EXERCISE"); err != nil {
		t.Fatal(err)
	}
	_ = f.Round(fleet.Codes...)
	if s, err = f.Registry().Standing(""); err != nil || s.Met || len(s.Gone) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	f.Adopt(2)
	_ = f.Round("SUD", "fac", "SUD", "fac")
	if h, err := f.Registry().Witnessed(t.Context()); err != nil || h.Size != f.Registry().Head().Size {
		t.Fatalf("witnessed %d of %d, %v", h.Size, f.Registry().Head().Size, err)
	}
	// What it files now is refused.
	id := file(t, f, "NOR", f.Account("NOR", 3))
	_ = f.Round("NOR", "NOR")
	wantState(t, f.Nodes["NOR"], id, outbox.Refused)
	f.Stop("NOR")
	if err := os.RemoveAll(f.Path("NOR")); err != nil {
		t.Fatal(err)
	}
	f.Join("NOR")
	back := file(t, f, "NOR", f.Account("NOR", 4))
	_ = f.Round("NOR", "SUD", "fac", "NOR")
	wantState(t, f.Nodes["NOR"], back, outbox.Receipted)
	quiet(t, f, "NOR", "SUD", "fac")
}
