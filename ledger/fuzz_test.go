// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// Every parser either refuses its input or gives back, encoded, exactly what it read.

func FuzzParsePath(f *testing.F) {
	for _, path := range []string{"checkpoint", "tile/0/000", "tile/3/x001/x234/067.p/8", "tile/entries/999.p/255", "records/x001/000", "tile/0/0x1", "tile/7/000.p/1"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, err := ledger.ParsePath(path)
		if err != nil {
			return
		}
		if p.String() != path || !p.Valid() || p.Size() < 0 || p.Size() > ledger.MaxSize {
			t.Fatalf("%q was read as %+v, which is spelled %q and has size %d", path, p, p, p.Size())
		}
	})
}

func FuzzParseEntryBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 0, 0, 2, 'b', 'c'}, 3)
	f.Add([]byte{0xff, 0xff, 0}, 1)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, bundle []byte, width int) {
		entries, err := ledger.ParseEntryBundle(bundle, width)
		if err != nil {
			return
		}
		again, err := ledger.EncodeEntryBundle(entries)
		if err != nil || len(entries) != width || !bytes.Equal(again, bundle) {
			t.Fatalf("a bundle of %d came back as %x, %v", width, again, err)
		}
	})
}

func FuzzParseTile(f *testing.F) {
	f.Add(make([]byte, 64), 2)
	f.Add(make([]byte, ledger.TileSize), 256)
	f.Add(make([]byte, 33), 1)
	f.Fuzz(func(t *testing.T, data []byte, width int) {
		hashes, err := ledger.ParseTile(data, width)
		if err != nil {
			return
		}
		var again []byte
		for _, h := range hashes {
			again = append(again, h[:]...)
		}
		if len(hashes) != width || !bytes.Equal(again, data) {
			t.Fatalf("a tile of %d came back as %x", width, again)
		}
		if root, err := ledger.TileRoot(data); err == nil && root != compactRoot(hashes) {
			t.Fatal("wrong tile root")
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	key, witness := newKey(f, testOrigin), newKey(f, "witness.example.net")
	signed, err := ledger.Sign(testCheckpoint(), key.signer)
	if err != nil {
		f.Fatal(err)
	}
	cosigned, err := ledger.Sign(testCheckpoint(), witness.signer, key.signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add(cosigned)
	f.Add([]byte(testCheckpoint().Text() + "\n— x AAAAAAA=\n"))
	f.Add([]byte("\n\n\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, n, err := ledger.ParseCheckpoint(text, key.verifier)
		if err != nil {
			return
		}
		if c != testCheckpoint() {
			t.Fatalf("accepted a checkpoint nobody signed: %+v", c)
		}
		if !bytes.HasPrefix(text, []byte(c.Text()+"\n— ")) || len(n.Sigs) != 1 {
			t.Fatalf("accepted another spelling: %q", text)
		}
		if bytes.HasPrefix(text, signed) && len(n.UnverifiedSigs) == 0 && !bytes.Equal(text, signed) {
			t.Fatalf("accepted something added: %q", text)
		}
	})
}

func FuzzParseTLogProof(f *testing.F) {
	text, entry, key := proofOf(f, 77, 42, nil)
	f.Add(text)
	withExtra, _, _ := proofOf(f, 3, 1, []byte("hint"))
	f.Add(withExtra)
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ledger.ParseTLogProof(data)
		if err != nil {
			return
		}
		again, err := p.Marshal()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%q came back as %q, %v", data, again, err)
		}
		if _, _, err := p.Check(entry, testOrigin, key.verifier); err == nil && p.Index != 42 {
			t.Fatalf("proved the entry at index %d", p.Index)
		}
	})
}

func FuzzKeys(f *testing.F) {
	key := newKey(f, testOrigin)
	vkey, err := ledger.VerifierKey(key.skey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key.skey)
	f.Add(vkey)
	f.Add("PRIVATE+KEY+x+00000000+AQ==")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ledger.NewSigner(text); err == nil {
			if _, err := ledger.VerifierKey(text); err != nil {
				t.Fatal(err)
			}
		}
		if v, err := ledger.NewVerifier(text); err == nil && v.Name() == "" {
			t.Fatal("a key without a name")
		}
	})
}

// Proof checks must end, without panic, whatever the numbers.
func FuzzCheckProofs(f *testing.F) {
	f.Add(int64(3), int64(7), make([]byte, 96))
	f.Add(int64(1)<<62, int64(1)<<62+1, make([]byte, 32))
	f.Add(int64(-1), int64(1)<<56, make([]byte, 64*32))
	f.Fuzz(func(t *testing.T, a, b int64, raw []byte) {
		hashes := make([]tlog.Hash, len(raw)/32)
		for i := range hashes {
			copy(hashes[i][:], raw[32*i:])
		}
		if ledger.CheckInclusion(hashes, b, tlog.Hash{9}, a, tlog.Hash{}) == nil {
			t.Fatal("proved inclusion under a root nobody computed")
		}
		if ledger.CheckConsistency(hashes, a, tlog.Hash{8}, b, tlog.Hash{9}) == nil {
			t.Fatal("proved consistency of roots nobody computed")
		}
	})
}
