// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/record"
	"truceline/verify"
)

// spoil changes one byte of every file that pick names.
func spoil(t *testing.T, dir string, pick func(path string) bool) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !pick(filepath.ToSlash(path)) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 1
		n++
		return os.WriteFile(path, b, 0o644)
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files spoilt, %v", n, err)
	}
	return n
}

// forgetBodies takes the bodies of some records out of an exported log.
func forgetBodies(t *testing.T, dir string, which func(index int64) bool) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "records"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var out []byte
		for line := range bytes.Lines(b) {
			l, err := record.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
			if err != nil {
				return err
			}
			if which(l.Index) {
				l.Body, l.BodySalt, l.Enc = nil, record.Digest{}, ""
			}
			again, err := l.Encode()
			if err != nil {
				return err
			}
			out = append(append(out, again...), '\n')
		}
		return os.WriteFile(path, out, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mirror(dir string) *node.Mirror {
	return &node.Mirror{Name: filepath.Base(filepath.Dir(dir)), From: verify.Dir(dir)}
}

func exported(t *testing.T, n *node.Node) string {
	t.Helper()
	dir := t.TempDir()
	exportLog(t, n, dir)
	return filepath.Join(dir, "log")
}

// The registry is lost. The log comes back from mirrors none of which is whole.
func TestRebuildFromMirrors(t *testing.T) {
	f := mission(t, 61)
	early := exported(t, f.Nodes["fac"])
	var drafts []node.Draft
	for i := range int64(300) {
		drafts = append(drafts, f.Account("NOR", i))
	}
	if _, err := f.Nodes["NOR"].FileTogether(t.Context(), drafts); !errors.As(err, new(*node.Queued)) {
		t.Fatal(err)
	}
	f.Settle()
	size := f.Registry().Head().Size
	first, second, third := exported(t, f.Nodes["NOR"]), exported(t, f.Nodes["SUD"]), exported(t, f.Nodes["mon"])
	key, keys := f.Registry().Config.LogKey, t.TempDir()
	if err := os.CopyFS(keys, os.DirFS(filepath.Join(f.Path(fleet.RegistryCode), "keys"))); err != nil {
		t.Fatal(err)
	}
	cut(f, fleet.Codes...)
	f.Adopt(3)
	larger := f.Registry().Head().Size
	unseen := exported(t, f.Registry()) // a head that nobody has cosigned
	policy, err := f.Registry().Policy()
	if err != nil {
		t.Fatal(err)
	}
	f.Stop(fleet.RegistryCode)

	// Each lacks or spoils something that another has.
	spoil(t, first, func(p string) bool {
		return strings.Contains(p, "/tile/0/") || strings.Contains(p, "/tile/entries/000")
	})
	forgetBodies(t, first, func(i int64) bool { return i%2 == 0 })
	spoil(t, second, func(p string) bool { return strings.Contains(p, "/tile/1/") || strings.HasSuffix(p, "checkpoint") })
	forgetBodies(t, second, func(i int64) bool { return i%2 == 1 })
	if err := os.RemoveAll(filepath.Join(third, "records")); err != nil {
		t.Fatal(err)
	}
	spoil(t, third, func(p string) bool { return strings.Contains(p, "/tile/entries/") })
	all := []*node.Mirror{mirror(early), mirror(first), mirror(second), mirror(third)}
	out := filepath.Join(t.TempDir(), "out")
	got, err := node.RebuildLog(t.Context(), out, all, node.RebuildOptions{LogKey: key})
	if err != nil {
		t.Fatal(err)
	}
	if got.Head.Size != size || got.Missing != 0 || got.Report.Outcome() != verify.Good || len(got.Notes) == 0 {
		t.Fatalf("%+v: %s", got, got.Report.Verdict())
	}

	// With a policy the newest witnessed head is taken, and a larger one is told of.
	whole := exported(t, f.Nodes["fac"])
	got, err = node.RebuildLog(t.Context(), filepath.Join(t.TempDir(), "out"), []*node.Mirror{mirror(unseen), mirror(whole)}, node.RebuildOptions{LogKey: key, Policy: policy})
	if err != nil || got.Head.Size != size || !got.Witnessed || got.Larger != larger {
		t.Fatalf("%+v, %v", got, err)
	}

	// What nobody holds is listed.
	forgetBodies(t, second, func(i int64) bool { return i%2 == 1 || i == size-1 })
	forgetBodies(t, first, func(i int64) bool { return i%2 == 0 || i == size-1 })
	lacking := filepath.Join(t.TempDir(), "out")
	got, err = node.RebuildLog(t.Context(), lacking, []*node.Mirror{mirror(first), mirror(second), mirror(third)}, node.RebuildOptions{LogKey: key})
	if err != nil || got.Missing != 1 || !got.Report.OnlyMissing() || got.First[0].Index != size-1 || got.First[0].Member != "NOR" || got.First[0].Kind != string(record.AccountFiled) {
		t.Fatalf("%+v, %v", got, err)
	}
	list, err := os.ReadFile(filepath.Join(lacking, node.MissingFile))
	if err != nil || !strings.Contains(string(list), `"member":"NOR","missing":"body"`) || bytes.Count(list, []byte("\n")) != 1 {
		t.Fatalf("%q, %v", list, err)
	}

	// With the keys the registry's node is made again, and waits for its witnesses.
	f.Net.Lose = nil
	if err := os.RemoveAll(f.Path(fleet.RegistryCode)); err != nil {
		t.Fatal(err)
	}
	log := verify.Dir(filepath.Join(out, node.RebuiltFolder))
	if _, err := node.RestoreRegistry(t.Context(), f.Path(fleet.RegistryCode), keys, verify.Dir(filepath.Join(lacking, node.RebuiltFolder)), node.Options{Now: f.Clock.Now, Rand: rand.Reader}); err == nil {
		t.Fatal("made again from a log that lacks a body")
	}
	back, err := node.RestoreRegistry(t.Context(), f.Path(fleet.RegistryCode), keys, log, node.Options{Now: f.Clock.Now, Rand: rand.Reader})
	if err != nil || back.Size != size {
		t.Fatalf("%+v, %v", back, err)
	}
	book := f.Start(fleet.RegistryCode)
	if err := book.Waiting(); !errors.Is(err, node.ErrWaiting) {
		t.Fatalf("it waits for nobody: %v", err)
	}
	file(t, f, "SUD", f.Account("SUD", 5))
	for range 2 {
		_ = f.Round(fleet.Codes...)
	}
	f.Settle()
	if book.Head().Size != size+1 {
		t.Errorf("the log has %d records, not %d", book.Head().Size, size+1)
	}
	quiet(t, f, fleet.Codes...)

	// Without its keys another log goes on in its place.
	pack, err := record.Canonical(agreement.File{Agreement: 1, Pack: fleet.Pack()})
	if err != nil {
		t.Fatal(err)
	}
	next := filepath.Join(t.TempDir(), "next")
	c, err := node.ReadContinued(t.Context(), verify.Dir(filepath.Join(lacking, node.RebuiltFolder)), key)
	if err != nil || c.Size != size {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := node.Create(t.Context(), next, node.Creation{Agreement: pack, Origin: "fleet.invalid/next", Invited: fleet.Codes, Continues: c, Now: f.Clock.Now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
}

// Mirrors that lie have nothing taken from them.
func TestRebuildFromLiars(t *testing.T) {
	f := mission(t, 62)
	key := f.Registry().Config.LogKey
	good := exported(t, f.Nodes["fac"])
	other := exported(t, fleet.New(t, 63).Registry())
	bad := exported(t, f.Nodes["NOR"])
	spoil(t, bad, func(string) bool { return true })
	got, err := node.RebuildLog(t.Context(), filepath.Join(t.TempDir(), "out"), []*node.Mirror{mirror(other), mirror(bad), mirror(good)}, node.RebuildOptions{LogKey: key})
	if err != nil || got.Report.Outcome() != verify.Good || got.Head.Size != f.Nodes["fac"].Head().Size {
		t.Fatalf("%+v, %v", got, err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := node.RebuildLog(t.Context(), out, []*node.Mirror{mirror(other), mirror(bad)}, node.RebuildOptions{LogKey: key}); err == nil {
		t.Error("a log was made of lies")
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was left")
	}
}
