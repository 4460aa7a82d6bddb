// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/peer"
	"truceline/verify"
)

// backup backs up a node's folder.
func backup(t *testing.T, f *fleet.Fleet, code string, withoutKeys bool) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup")
	if _, err := node.Backup(t.Context(), f.Path(code), path, node.BackupOptions{WithoutKeys: withoutKeys, Now: f.Clock.Now}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the backup has the mode %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// restore puts a node back in the place of the one that is there.
func restore(t *testing.T, f *fleet.Fleet, code string, file []byte) *node.BackupManifest {
	t.Helper()
	f.Stop(code)
	if err := errors.Join(os.RemoveAll(f.Path(code)), os.Mkdir(f.Path(code), 0o700)); err != nil {
		t.Fatal(err) // an empty folder may be there, and often is: a disk is mounted at it
	}
	m, err := node.Restore(t.Context(), bytes.NewReader(file), f.Path(code), node.Options{Now: f.Clock.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func ownHeads(t *testing.T, f *fleet.Fleet, code string) (size int64) {
	t.Helper()
	last, err := f.Registry().Cosigned.Last(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Registry().Cosigners() {
		if c.Member == code && c.Role == "witness" {
			size = last[c.VKey].Size
		}
	}
	return size
}

// A member that was put back goes on, and loses nothing that others have.
func TestRestoreAMember(t *testing.T) {
	f := mission(t, 41)
	cut(f, "NOR")
	waits := file(t, f, "NOR", f.Account("NOR", 3))
	kept := backup(t, f, "NOR", false) // while it runs
	f.Net.Lose = nil
	f.Settle()
	size := f.Registry().Head().Size
	file(t, f, "SUD", f.Account("SUD", 4))
	f.Settle()

	m := restore(t, f, "NOR", kept)
	if m.Member != "NOR" || m.Size >= size {
		t.Fatalf("%+v", m)
	}
	nor := f.Start("NOR")
	if _, marked := nor.Restored(); !marked {
		t.Fatal("it is not marked")
	}
	if st, err := node.Inspect(t.Context(), f.Path("NOR"), node.Options{Now: f.Clock.Now}); err != nil || st.Private.Restored.IsZero() {
		t.Errorf("its status does not say so: %v", err)
	}
	wantState(t, nor, waits, outbox.Queued)
	// With the registry alone it cosigns nothing.
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		alone := from == "NOR" && to != fleet.RegistryCode
		return !alone, !alone
	}
	if err := f.Round("NOR", "NOR"); err != nil {
		t.Fatal(err)
	}
	if w := nor.Witness(); w != nil {
		if held, err := w.Held(t.Context(), nor.Config.Origin); err != nil || held.Size >= size {
			t.Fatalf("its witness holds %d, %v", held.Size, err)
		}
	}
	if _, marked := nor.Restored(); !marked {
		t.Fatal("the mark went away without another member")
	}
	wantState(t, nor, waits, outbox.Receipted)
	f.Net.Lose = nil
	file(t, f, "SUD", f.Account("SUD", 5))
	f.Settle()
	if _, marked := nor.Restored(); marked {
		t.Fatal("the mark stays")
	}
	if got := ownHeads(t, f, "NOR"); got != f.Registry().Head().Size {
		t.Errorf("it has cosigned %d of %d", got, f.Registry().Head().Size)
	}
	quiet(t, f, fleet.Codes...)
}

// The danger: after the backup the member's witness cosigned a history. The registry lies,
// and shows the restored node another.
func TestRestoredWitnessIsNotMadeToSignAnotherHistory(t *testing.T) {
	f := mission(t, 42)
	kept := backup(t, f, "NOR", false)
	fork := f.Path("fork")
	f.Stop(fleet.RegistryCode)
	if err := os.CopyFS(fork, os.DirFS(f.Path(fleet.RegistryCode))); err != nil {
		t.Fatal(err)
	}
	f.Start(fleet.RegistryCode)
	f.Settle()
	cut(f, "mon") // it sees nothing of the first history
	file(t, f, "SUD", f.Account("SUD", 4))
	_ = f.Round("NOR", "SUD", "fac", "NOR", "SUD", "fac")
	first := ownHeads(t, f, "NOR")

	// The registry goes back, and signs something else.
	f.Stop(fleet.RegistryCode)
	if err := os.RemoveAll(f.Path(fleet.RegistryCode)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fork, f.Path(fleet.RegistryCode)); err != nil {
		t.Fatal(err)
	}
	f.Options = func(code string, o *node.Options) { o.Alone = code == fleet.RegistryCode }
	f.Start(fleet.RegistryCode)
	file(t, f, "mon", f.Account("mon", 5))
	f.Net.Lose = nil
	_ = f.Round("mon")
	if size := f.Registry().Head().Size; size != first {
		t.Fatalf("the second history has %d records, the first %d", size, first)
	}
	restore(t, f, "NOR", kept)
	nor := f.Start("NOR")
	_ = f.Round("NOR", "NOR", "NOR")
	held, err := nor.Witness().Held(t.Context(), nor.Config.Origin)
	if err != nil || held.Size >= first {
		t.Fatalf("its witness holds %d, %v: two roots at one size have its name", held.Size, err)
	}
	// Nor can it be asked from outside.
	if _, err := nor.Witness().AddCheckpoint(t.Context(), held.Size, nil, f.Registry().Head().Checkpoint); err == nil {
		t.Error("it cosigned what it was handed")
	}
	if _, marked := nor.Restored(); !marked {
		t.Error("the mark went away")
	}
	if a := nor.Alarms(); len(a) == 0 || a[0].Kind != node.TwoHistories {
		t.Errorf("nothing was noticed: %+v", a)
	}
	// Without the mark it would have been made to: that is what the mark is for.
	restore(t, f, "NOR", kept)
	if err := node.ForgetRestored(f.Path("NOR")); err != nil {
		t.Fatal(err)
	}
	nor = f.Start("NOR")
	cut(f, "SUD", "fac")
	_ = f.Round("NOR", "NOR")
	if held, err := nor.Witness().Held(t.Context(), nor.Config.Origin); err != nil || held.Size != first {
		t.Errorf("without the mark its witness holds %d, %v; this test shows nothing", held.Size, err)
	}
}

// exportLog writes a node's log to a folder.
func exportLog(t *testing.T, n *node.Node, dir string) {
	t.Helper()
	if _, err := peer.Export(t.Context(), n, filepath.Join(dir, "log"), nil); err != nil {
		t.Fatal(err)
	}
}

// A registry that was put back from an older backup signs nothing, is mended from a
// member's copy, and goes on.
func TestRollbackIsCaughtAtTheStart(t *testing.T) {
	f := mission(t, 43)
	kept := backup(t, f, fleet.RegistryCode, false)
	file(t, f, "NOR", f.Account("NOR", 3))
	f.Settle()
	size, root := f.Registry().Head().Size, f.Registry().Head().Root
	restore(t, f, fleet.RegistryCode, kept)
	book := f.Start(fleet.RegistryCode)
	if err := book.Waiting(); !errors.Is(err, node.ErrWaiting) {
		t.Fatalf("it waits for nobody: %v", err)
	}
	id := file(t, f, "SUD", f.Account("SUD", 4))
	_ = f.Round(fleet.Codes...)
	if err := book.Waiting(); !errors.Is(err, node.ErrBehind) || !strings.Contains(err.Error(), "catch-up") {
		t.Fatalf("it does not know that it is behind, or not what to do: %v", err)
	}
	if book.Head().Size >= size {
		t.Fatal("it went on")
	}
	f.Stop(fleet.RegistryCode)
	from := t.TempDir()
	exportLog(t, f.Nodes["fac"], from)
	got, err := node.CatchUp(t.Context(), f.Path(fleet.RegistryCode), verify.Dir(filepath.Join(from, "log")), node.Options{Now: f.Clock.Now, Rand: rand.Reader})
	if err != nil || got.Size != size || got.Records == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	again, err := node.CatchUp(t.Context(), f.Path(fleet.RegistryCode), verify.Dir(filepath.Join(from, "log")), node.Options{Now: f.Clock.Now, Rand: rand.Reader})
	if err != nil || again.Records != 0 {
		t.Fatalf("the second time: %+v, %v", again, err)
	}
	book = f.Start(fleet.RegistryCode)
	if h := book.Head(); h.Size != size || h.Root != root {
		t.Fatalf("%+v", h)
	}
	for range 3 {
		_ = f.Round(fleet.Codes...)
	}
	f.Settle()
	wantState(t, f.Nodes["SUD"], id, outbox.Receipted)
	quiet(t, f, fleet.Codes...)
}

// A backup that was cut short, altered or made up is refused whole.
func TestBackupAltered(t *testing.T) {
	f := mission(t, 44)
	file := backup(t, f, "NOR", false)
	try := func(b []byte) error {
		dir := filepath.Join(t.TempDir(), "back")
		_, err := node.Restore(t.Context(), bytes.NewReader(b), dir, node.Options{Now: f.Clock.Now, Rand: rand.Reader})
		if _, there := os.Stat(dir); err != nil && there == nil {
			t.Error("something was left")
		}
		return err
	}
	if err := try(file); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		at := 12 + i*(len(file)-13)/29 // the header's time and name count for nothing
		b := bytes.Clone(file)
		b[at] ^= 0x10
		if try(b) == nil {
			t.Errorf("changed at byte %d of %d it was taken", at, len(file))
		}
		if try(file[:at]) == nil {
			t.Errorf("cut at byte %d of %d it was taken", at, len(file))
		}
	}
	without := backup(t, f, "NOR", true)
	if bytes.Contains(without, []byte("PRIVATE")) || try(without) != nil {
		t.Error("a backup without keys cannot be put back")
	}
}
