// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/takeout"
	"truceline/record"
)

// forms are the shapes in which a text may lie in a file.
func forms(text string) (out [][]byte) {
	add := func(s string) { out = append(out, []byte(s)) }
	add(text)
	add(hex.EncodeToString([]byte(text)))
	add(strings.ToUpper(hex.EncodeToString([]byte(text))))
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for pad := range 3 { // wherever it begins in what is encoded
			s := enc.EncodeToString(append(make([]byte, pad), text...))
			add(s[4 : len(s)-4])
		}
	}
	var little, big []byte
	escaped := ""
	for _, u := range utf16.Encode([]rune(text)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
		escaped += fmt.Sprintf(`\u%04x`, u)
	}
	add(string(little))
	add(string(big))
	add(escaped)
	add(url.QueryEscape(text))
	return out
}

// canaries looks for what was said in classes of records.
type canaries map[string][][]byte // by class

func newCanaries() canaries {
	out := canaries{}
	for _, class := range []string{record.AudienceMembers, record.AudienceMechanism, record.AudienceNamed, record.AudienceOwn, sealedClass} {
		for _, which := range []string{"one", "two"} {
			out[class] = append(out[class], forms(marker(class, which))...)
		}
	}
	return out
}

// in tells of which classes there is something in b, or in what is compressed in it.
func (c canaries) in(b []byte) (classes []string) {
	for class, list := range c {
		for _, f := range list {
			if bytes.Contains(b, f) {
				classes = append(classes, class)
				break
			}
		}
	}
	for at := 0; ; at += 3 {
		i := bytes.Index(b[at:], []byte{0x1f, 0x8b, 8})
		if i < 0 {
			return classes
		}
		at += i
		z, err := gzip.NewReader(bytes.NewReader(b[at:]))
		if err != nil {
			continue
		}
		z.Multistream(false)
		if inside, _ := io.ReadAll(z); len(inside) > 0 { // what can be read of it
			classes = append(classes, c.in(inside)...)
		}
	}
}

// files looks through all files of a folder.
func (c canaries) files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, class := range c.in(b) {
			found[class] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unread are the classes that a member's node may not read. What its own officers are called
// and what waits in its own box is its own.
func unread(code string) []string {
	switch code {
	case "NOR":
		return nil
	case "mon":
		return []string{sealedClass}
	}
	return []string{record.AudienceMechanism, record.AudienceNamed, record.AudienceOwn, sealedClass}
}

// leftBehind looks for what was said in all that nodes keep, write and give out.
func leftBehind(t *testing.T, s *teller) {
	c := newCanaries()
	ctx := context.Background()
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		n := s.f.Nodes[code]
		dir := t.TempDir()
		if _, err := node.Backup(ctx, s.f.Path(code), filepath.Join(dir, "backup"), node.BackupOptions{Now: s.f.Clock.Now}); err != nil {
			t.Fatal(err)
		}
		if code != fleet.RegistryCode {
			stick, err := os.Create(filepath.Join(dir, "stick"))
			if err == nil {
				_, err = n.CarryOut(ctx, stick, 0)
				stick.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := takeout.Write(ctx, n, filepath.Join(dir, "bag"), takeout.Options{Viewer: takeout.Own(n), Now: s.f.Clock.Now()}); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, "everybody")
		if _, err := takeout.Write(ctx, n, filepath.Join(out, "bag"), takeout.Options{Viewer: takeout.Public, Now: s.f.Clock.Now()}); err != nil {
			t.Fatal(err)
		}
		if _, err := peer.Export(ctx, n, filepath.Join(out, "log"), nil); err != nil {
			t.Fatal(err)
		}
		for class, where := range c.files(t, out) {
			t.Errorf("what %s gives to everybody holds what was said for %s: %s", code, class, where)
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		for _, place := range []string{s.f.Path(code), dir} {
			found := c.files(t, place)
			for _, class := range unread(code) {
				if found[class] != "" {
					t.Errorf("%s may not read what was said for %s, and it is in %s", code, class, found[class])
				}
			}
			if code == "NOR" && (found[record.AudienceNamed] == "" || found[record.AudienceMembers] == "") {
				t.Errorf("nothing is found in %s where all of it is: %v", place, found)
			}
		}
	}
}

// TestCanaryForms: what is looked for is found in each shape.
func TestCanaryForms(t *testing.T) {
	c := newCanaries()
	text := "before " + canary(record.AudienceNamed, "two") + " after"
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte(text))
	w.Close()
	for name, b := range map[string]string{
		"clear": text, "base64": base64.StdEncoding.EncodeToString([]byte(text)), "shifted": base64.StdEncoding.EncodeToString([]byte("x" + text)), "url": base64.URLEncoding.EncodeToString([]byte("xy" + text)),
		"hex": hex.EncodeToString([]byte(text)), "gzip": "ab" + z.String() + "cd",
	} {
		if got := c.in([]byte(b)); len(got) != 1 || got[0] != record.AudienceNamed {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := c.in([]byte(strings.ReplaceAll(text, "5d2e", "5d2f"))); len(got) != 0 {
		t.Error(got)
	}
}
