// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	fproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// proofOf makes a proof file of one entry in a log of the given size, entries being decimal
// numbers as in leafHashes.
func proofOf(t testing.TB, size, index int64, extra []byte) (text, entry []byte, key keyPair) {
	t.Helper()
	key = newKey(t, testOrigin)
	entries := make([][]byte, size)
	tr := newTree(nil)
	for i := range entries {
		entries[i] = []byte{byte(i >> 8), byte(i)}
		tr.append(ledger.LeafHash(entries[i]))
	}
	signed, err := ledger.Sign(ledger.Checkpoint{Origin: testOrigin, Size: size, Root: tr.edge.Root()}, key.signer)
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := tr.reader().InclusionProof(index, size)
	if err != nil {
		t.Fatal(err)
	}
	text, err = ledger.TLogProof{Extra: extra, Index: index, Hashes: hashes, Checkpoint: signed}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return text, entries[index], key
}

func TestTLogProof(t *testing.T) {
	for _, tt := range []struct {
		size, index int64
		extra       string
	}{{1, 0, ""}, {7, 3, ""}, {300, 299, "hint"}, {1000, 0, "\x00\xff"}} {
		text, entry, key := proofOf(t, tt.size, tt.index, []byte(tt.extra))
		p, err := ledger.ParseTLogProof(text)
		if err != nil {
			t.Fatal(err)
		}
		if c, n, err := p.Check(entry, testOrigin, key.verifier); err != nil || c.Size != tt.size || len(n.Sigs) != 1 {
			t.Errorf("Check = %+v, %+v, %v", c, n, err)
		}
		if string(p.Extra) != tt.extra || p.Index != tt.index {
			t.Errorf("parsed index %d, extra %q", p.Index, p.Extra)
		}
		var theirs fproof.TLogProof
		if err := theirs.Unmarshal(text); err != nil {
			t.Fatalf("formats refuses the proof: %v", err)
		}
		if theirs.Index != uint64(tt.index) || string(theirs.ExtraData) != tt.extra || !bytes.Equal(theirs.Checkpoint, p.Checkpoint) || !bytes.Equal(theirs.Marshal(), text) {
			t.Errorf("formats reads another proof: %+v", theirs)
		}
		c, _, _ := ledger.ParseCheckpoint(theirs.Checkpoint, key.verifier)
		var path [][]byte
		for _, h := range theirs.Hashes {
			path = append(path, h[:])
		}
		leaf := ledger.LeafHash(entry)
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, theirs.Index, uint64(c.Size), leaf[:], path, c.Root[:]); err != nil {
			t.Errorf("merkle refuses the path: %v", err)
		}
	}
}

// Without extra data every byte of a proof counts.
func TestTLogProofTampering(t *testing.T) {
	text, entry, key := proofOf(t, 77, 42, nil)
	check := func(text, entry []byte) error {
		p, err := ledger.ParseTLogProof(text)
		if err == nil {
			_, _, err = p.Check(entry, testOrigin, key.verifier)
		}
		return err
	}
	if err := check(text, entry); err != nil {
		t.Fatal(err)
	}
	for at := range text {
		for bit := range 8 {
			changed := bytes.Clone(text)
			if changed[at] ^= 1 << bit; check(changed, entry) == nil {
				t.Fatalf("bit %d of byte %d changed: accepted %q", bit, at, changed)
			}
		}
		if check(text[:at], entry) == nil || check(append(bytes.Clone(text[:at]), text[at+1:]...), entry) == nil {
			t.Fatalf("accepted with byte %d and more missing", at)
		}
	}
	if check(text, []byte("another")) == nil {
		t.Error("the proof holds for another entry")
	}
	p, _ := ledger.ParseTLogProof(text)
	if _, _, err := p.Check(entry, "example.net/other", key.verifier); err == nil {
		t.Error("the proof holds for another log")
	}
	if _, _, err := p.Check(entry, testOrigin, newKey(t, "example.net").verifier); err == nil {
		t.Error("the proof holds with another key")
	}
}

func TestTLogProofForms(t *testing.T) {
	text, _, _ := proofOf(t, 7, 3, []byte("hint"))
	good := string(text)
	for name, bad := range map[string]string{
		"empty":            "",
		"header only":      "c2sp.org/tlog-proof@v1\n",
		"other version":    strings.Replace(good, "@v1", "@v2", 1),
		"no index":         strings.Replace(good, "index 3\n", "", 1),
		"index zero-led":   strings.Replace(good, "index 3", "index 03", 1),
		"index signed":     strings.Replace(good, "index 3", "index +3", 1),
		"index negative":   strings.Replace(good, "index 3", "index -3", 1),
		"index too large":  strings.Replace(good, "index 3", "index 7", 1),
		"bare index":       strings.Replace(good, "index 3", "3", 1),
		"empty extra":      strings.Replace(good, "extra aGludA==", "extra ", 1),
		"loose extra":      strings.Replace(good, "extra aGludA==", "extra aGludB==", 1),
		"extra not base64": strings.Replace(good, "extra aGludA==", "extra !", 1),
		"extra twice":      strings.Replace(good, "extra aGludA==\n", "extra aGludA==\nextra aGludA==\n", 1),
		"extra after":      strings.Replace(good, "extra aGludA==\nindex 3\n", "index 3\nextra aGludA==\n", 1),
		"carriage returns": strings.ReplaceAll(good, "\n", "\r\n"),
		"no blank line":    strings.Replace(good, "\n\n", "\n", 1),
		"line after":       good + "more\n",
		"no checkpoint":    good[:strings.Index(good, "\n\n")+2],
	} {
		if bad == good {
			t.Fatalf("%s: nothing changed", name)
		}
		if p, err := ledger.ParseTLogProof([]byte(bad)); err == nil {
			t.Errorf("%s: parsed as %+v", name, p)
		}
	}
	p, err := ledger.ParseTLogProof(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ledger.TLogProof){
		"index":      func(p *ledger.TLogProof) { p.Index = 7 },
		"checkpoint": func(p *ledger.TLogProof) { p.Checkpoint = p.Checkpoint[:len(p.Checkpoint)-1] },
		"hashes":     func(p *ledger.TLogProof) { p.Hashes = make([]tlog.Hash, 64) },
		"extra":      func(p *ledger.TLogProof) { p.Extra = make([]byte, 65<<10) },
	} {
		bad := p
		bad.Hashes = slices.Clone(p.Hashes)
		if change(&bad); bad.Index < 0 {
			t.Fatal(name)
		}
		if _, err := bad.Marshal(); err == nil {
			t.Errorf("%s: encoded a proof that cannot be", name)
		}
	}
}
