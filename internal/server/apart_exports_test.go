// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/intake"
	"truceline/internal/peer"
	"truceline/internal/takeout"
)

// exported is all that a node gives out as files: to its member, or to everybody.
func exported(t *testing.T, s *teller, code string, members bool) map[string]string {
	t.Helper()
	n := s.node(code)
	dir := t.TempDir()
	ctx := context.Background()
	viewer, source := takeout.Public, n.Public()
	if members {
		viewer, source = takeout.Own(n), n.Projection
	}
	_, err := takeout.Write(ctx, n, filepath.Join(dir, "bag"), takeout.Options{Viewer: viewer, Now: s.f.Clock.Now()})
	s.must(err)
	if !members {
		_, err = peer.Export(ctx, n, filepath.Join(dir, "log"), nil)
		s.must(err)
	}
	var csv bytes.Buffer
	_, err = intake.Export(ctx, source, &csv)
	s.must(err)
	out := map[string]string{"accounts.csv": csv.String()}
	if !members {
		checked, err := takeout.Check(ctx, filepath.Join(dir, "bag"), takeout.CheckOptions{})
		s.must(err)
		out["what a check says"] = fmt.Sprintf("%d of %d lines, compared %v, %d opened, %v", checked.Lines, checked.Records, checked.Compared, checked.Opened, checked.Problems)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var b []byte
			b, err = os.ReadFile(path)
			name, _ := filepath.Rel(dir, path)
			out[filepath.ToSlash(name)] = string(b)
		}
		return err
	})
	s.must(err)
	return out
}

// sameFiles compares two exports: a manifest's hash of a file that may differ follows from it.
func sameFiles(t *testing.T, a, b map[string]string, ma, mb *mask) {
	t.Helper()
	names := func(files map[string]string, m *mask) map[string]string {
		out := map[string]string{}
		for name, content := range files {
			out[m.text([]byte(name))] = content
		}
		return out
	}
	a, b = names(a, ma), names(b, mb)
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("only one has %s", name)
		}
	}
	plain := func(files map[string]string, m *mask, name string) string {
		text := m.text([]byte(files[name]))
		for _, other := range []string{"bag/", ""} {
			for file, content := range files {
				if inside, ok := strings.CutPrefix(file, other); ok && m.text([]byte(content)) != content || strings.HasPrefix(inside, "manifest") {
					sum := sha256.Sum256([]byte(content))
					text = strings.ReplaceAll(text, hex.EncodeToString(sum[:])+"  "+inside, "‹of the file›  "+inside)
				}
			}
		}
		return text
	}
	for name := range a {
		if d := differs(plain(a, ma, name), plain(b, mb, name)); d != "" {
			t.Errorf("%s differs %s", name, d)
		}
	}
}

// exports wants the same files from histories that differ in what a viewer may not read.
func exports(t *testing.T, one, loud, silent, apart *teller) {
	for _, x := range []struct {
		code    string
		members bool
		others  []*teller
	}{{"NOR", false, []*teller{loud, silent}}, {"SUD", true, []*teller{apart}}} {
		a := exported(t, one, x.code, x.members)
		for _, y := range x.others {
			ma, mb := newMasks(t, one, y, x.members)
			sameFiles(t, a, exported(t, y, x.code, x.members), ma, mb)
		}
	}
	var a, b bytes.Buffer
	_, err := intake.Export(context.Background(), one.node("NOR").Projection, &a)
	one.must(err)
	_, err = intake.Export(context.Background(), apart.node("NOR").Projection, &b)
	apart.must(err)
	if a.String() == b.String() {
		t.Error("who may read it gets the same accounts")
	}
}
