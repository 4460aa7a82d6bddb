// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"truceline/ledger"
)

const testOrigin = "ledger.example.org/mission-7"

type keyPair struct {
	signer   note.Signer
	verifier note.Verifier
	skey     string
}

// newKey makes the same key for the same name.
func newKey(t testing.TB, name string) keyPair {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey(rand.NewChaCha8([32]byte{1}), name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := ledger.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{signer, verifier, skey}
}

// signText signs any text, as a note.
func signText(t testing.TB, text string, signers ...note.Signer) string {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

func testCheckpoint() ledger.Checkpoint {
	return ledger.Checkpoint{Origin: testOrigin, Size: 20852163, Root: ledger.LeafHash([]byte("a root"))}
}

func TestCheckpointRoundTrip(t *testing.T) {
	key := newKey(t, testOrigin)
	rapid.Check(t, func(t *rapid.T) {
		c := ledger.Checkpoint{Origin: testOrigin, Size: rapid.Int64Range(1, ledger.MaxSize).Draw(t, "size")}
		copy(c.Root[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "root"))
		signed, err := ledger.Sign(c, key.signer)
		if err != nil {
			t.Fatal(err)
		}
		got, n, err := ledger.ParseCheckpoint(signed, key.verifier)
		if err != nil || got != c || len(n.Sigs) != 1 || n.Text != c.Text() {
			t.Fatalf("ParseCheckpoint = %+v, %+v, %v, want %+v", got, n, err, c)
		}
		theirs, _, _, err := log.ParseCheckpoint(signed, testOrigin, key.verifier)
		if err != nil || theirs.Size != uint64(c.Size) || !bytes.Equal(theirs.Hash, c.Root[:]) {
			t.Fatalf("formats reads %+v, %v", theirs, err)
		}
	})
}

// No bit of a checkpoint with the log's own signature can be changed, and no byte added,
// removed or replaced.
func TestCheckpointIsOneSpelling(t *testing.T) {
	key := newKey(t, testOrigin)
	for _, c := range []ledger.Checkpoint{testCheckpoint(), {Origin: testOrigin, Size: 0, Root: ledger.NewEdge().Root()}} {
		signed, err := ledger.Sign(c, key.signer)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(what string, changed []byte) {
			if _, _, err := ledger.ParseCheckpoint(changed, key.verifier); err == nil {
				t.Fatalf("%s: accepted %q", what, changed)
			}
		}
		for at := range signed {
			for value := range 256 {
				if changed := bytes.Clone(signed); byte(value) != signed[at] {
					changed[at] = byte(value)
					refused(fmt.Sprintf("byte %d set to %d", at, value), changed)
				}
			}
			refused(fmt.Sprintf("byte %d removed", at), append(bytes.Clone(signed[:at]), signed[at+1:]...))
			refused(fmt.Sprintf("byte %d doubled", at), append(bytes.Clone(signed[:at+1]), signed[at:]...))
			for _, extra := range []string{"\n", " ", "\r", "\t", "0", "=", "\x00", "\ufeff"} {
				refused(fmt.Sprintf("%q before byte %d", extra, at), append(append(bytes.Clone(signed[:at]), extra...), signed[at:]...))
			}
			refused(fmt.Sprintf("cut at %d", at), signed[:at])
		}
		refused("line feed after the end", append(bytes.Clone(signed), '\n'))
		refused("twice", append(bytes.Clone(signed), signed...))
	}
}

// Notes that are rightly signed by the log's key and still no checkpoints.
func TestCheckpointForms(t *testing.T) {
	key := newKey(t, testOrigin)
	root := testCheckpoint().Root.String()
	empty := ledger.NewEdge().Root().String()
	loose := root[:42] + string(root[42]+1) + "=" // the same 32 bytes, other unused bits
	if a, _ := base64.StdEncoding.DecodeString(loose); !bytes.Equal(a, func() []byte { r := testCheckpoint().Root; return r[:] }()) {
		t.Fatal("the loose spelling is of another root")
	}
	for name, text := range map[string]string{
		"extension line": testOrigin + "\n5\n" + root + "\nextension\n",
		"two lines":      testOrigin + "\n5\n",
		"one line":       testOrigin + "\n",
		"blank origin":   "\n5\n" + root + "\n",
		"spaced origin":  "ledger example\n5\n" + root + "\n",
		"leading zero":   testOrigin + "\n05\n" + root + "\n",
		"plus size":      testOrigin + "\n+5\n" + root + "\n",
		"negative size":  testOrigin + "\n-5\n" + root + "\n",
		"minus zero":     testOrigin + "\n-0\n" + empty + "\n",
		"hex size":       testOrigin + "\n0x5\n" + root + "\n",
		"underscore":     testOrigin + "\n1_0\n" + root + "\n",
		"arabic digits":  testOrigin + "\n٥\n" + root + "\n",
		"spaced size":    testOrigin + "\n5 \n" + root + "\n",
		"too large":      testOrigin + "\n72057594037927937\n" + root + "\n",
		"overflow":       testOrigin + "\n18446744073709551621\n" + root + "\n",
		"short root":     testOrigin + "\n5\n" + root[:40] + "\n",
		"unpadded root":  testOrigin + "\n5\n" + root[:43] + "\n",
		"loose root":     testOrigin + "\n5\n" + loose + "\n",
		"spaced root":    testOrigin + "\n5\n" + root + " \n",
		"empty tree":     testOrigin + "\n0\n" + root + "\n",
		"blank line":     testOrigin + "\n5\n" + root + "\n\nmore\n",
	} {
		if c, _, err := ledger.ParseCheckpoint([]byte(signText(t, text, key.signer)), key.verifier); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
	if _, _, err := ledger.ParseCheckpoint([]byte(signText(t, testOrigin+"\n5\n"+root+"\n", key.signer)), key.verifier); err != nil {
		t.Errorf("the right form is refused: %v", err)
	}
}

func TestCheckpointSignatures(t *testing.T) {
	own, witness, stranger := newKey(t, testOrigin), newKey(t, "witness.example.net"), newKey(t, "stranger.example.com")
	signed, err := ledger.Sign(testCheckpoint(), own.signer, witness.signer, stranger.signer)
	if err != nil {
		t.Fatal(err)
	}
	text := testCheckpoint().Text()
	lines := strings.SplitAfter(strings.TrimPrefix(string(signed), text+"\n"), "\n")
	ownLine, witnessLine, strangerLine := lines[0], lines[1], lines[2]
	corrupt := func(line string) string { // the last signature byte
		at := len(line) - 5
		return line[:at] + map[bool]string{true: "B", false: "A"}[line[at] == 'A'] + line[at+1:]
	}
	both := []note.Verifier{own.verifier, witness.verifier}
	for name, tt := range map[string]struct {
		lines string
		known []note.Verifier
		good  int // good signatures, 0 for refused
	}{
		"all known":                  {ownLine + witnessLine + strangerLine, append(both, stranger.verifier), 3},
		"stranger ignored":           {ownLine + witnessLine + strangerLine, both, 2},
		"stranger first":             {strangerLine + ownLine, both, 1},
		"bad stranger ignored":       {ownLine + corrupt(strangerLine), both, 1},
		"only strangers":             {strangerLine, both, 0},
		"nobody known":               {ownLine, nil, 0},
		"no signature":               {"", both, 0},
		"bad known among good":       {ownLine + corrupt(witnessLine), both, 0},
		"same line twice":            {ownLine + ownLine, both, 0},
		"stranger's line twice":      {ownLine + strangerLine + strangerLine, both, 0},
		"known key twice":            {ownLine + corrupt(ownLine), both, 0},
		"known key bad, then good":   {corrupt(ownLine) + ownLine, both, 0},
		"no base64 of a stranger":    {ownLine + "— stranger.example.com !!!\n", both, 0},
		"loose base64 of a stranger": {ownLine + "— stranger.example.com AAAAAAB=\n", both, 0},
		"key hash only":              {ownLine + "— stranger.example.com AAAAAA==\n", both, 0},
		"plus in a name":             {ownLine + "— stranger+1 AAAAAAA=\n", both, 0},
		"no name":                    {ownLine + "—  AAAAAAA=\n", both, 0},
		"space after":                {ownLine + "— stranger.example.com AAAAAAA= \n", both, 0},
		"hyphen":                     {ownLine + "- stranger.example.com AAAAAAA=\n", both, 0},
		"blank line":                 {ownLine + "\n" + strangerLine, both, 0},
		"blank line at the end":      {ownLine + "\n", both, 0},
		"no line feed":               {strings.TrimSuffix(ownLine, "\n"), both, 0},
		"carriage return":            {strings.TrimSuffix(ownLine, "\n") + "\r\n", both, 0},
		"65 signatures":              {ownLine + manyLines(64), both, 0},
		"64 signatures":              {ownLine + manyLines(63), both, 1},
	} {
		_, n, err := ledger.ParseCheckpoint([]byte(text+"\n"+tt.lines), tt.known...)
		good := 0
		if err == nil {
			good = len(n.Sigs)
		}
		if good != tt.good {
			t.Errorf("%s: %d good signatures, %v, want %d", name, good, err, tt.good)
		}
	}
	long := text + "\n" + ownLine + "— stranger.example.com " + base64.StdEncoding.EncodeToString(make([]byte, 200<<10)) + "\n"
	if _, _, err := ledger.ParseCheckpoint([]byte(long), own.verifier); err == nil {
		t.Error("an overlong checkpoint is accepted")
	}
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "— stranger-%d.example.com AAAAAAA=\n", i)
	}
	return b.String()
}

// A checkpoint carries cosignatures of witnesses, whose keys are of other types.
func TestCheckpointWithCosignature(t *testing.T) {
	own, witness := newKey(t, testOrigin), newKey(t, "witness.example.net")
	cosigner, err := fnote.NewSignerForCosignatureV1(witness.skey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := ledger.Sign(testCheckpoint(), own.signer, cosigner)
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := ledger.ParseCheckpoint(signed, own.verifier, cosigner.Verifier()); err != nil || len(n.Sigs) != 2 {
		t.Errorf("ParseCheckpoint = %+v, %v, want two signatures", n, err)
	}
	if _, n, err := ledger.ParseCheckpoint(signed, own.verifier); err != nil || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 1 {
		t.Errorf("ParseCheckpoint without the witness = %+v, %v", n, err)
	}
}

func TestSignRefuses(t *testing.T) {
	key := newKey(t, testOrigin)
	for name, c := range map[string]ledger.Checkpoint{
		"origin":     {Origin: "two words", Size: 1},
		"size":       {Origin: testOrigin, Size: -1},
		"big size":   {Origin: testOrigin, Size: ledger.MaxSize + 1},
		"empty tree": {Origin: testOrigin, Size: 0, Root: tlog.Hash{1}},
	} {
		if _, err := ledger.Sign(c, key.signer); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	if _, err := ledger.Sign(testCheckpoint()); err == nil {
		t.Error("signed by nobody")
	}
}
