// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify"
	"truceline/verify/verifytest"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors")

const vectors = "../testdata/vectors"

// written by hand, or by the tests of package vault: everything else in the folder is made
// by TestVectors.
var byHand = []string{"README.md", "canonical.json", "fields.json", "identity.json", "sealed.json"}

// made by the tests of other packages, each in a folder of its package's name.
var ofOthers = []string{"evidence", "bundle"}

// TestVectors makes the test vectors again and compares them with the files that
// other implementations test with. With -update it writes them.
func TestVectors(t *testing.T) {
	files := map[string][]byte{}
	put := func(name string, v any) {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	keyVectors(put)
	recordVectors(t, put)
	boxVectors(t, put)
	treeVectors(put)
	logVectors(t, put, files)
	caseVectors(t, put)

	found := map[string][]byte{}
	err := filepath.WalkDir(vectors, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(vectors, path)
		if err == nil && e.IsDir() && slices.Contains(ofOthers, name) {
			return filepath.SkipDir
		}
		if err != nil || e.IsDir() {
			return err
		}
		if name = filepath.ToSlash(name); slices.Contains(byHand, name) {
			return nil
		}
		found[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		for name := range found {
			if err := os.Remove(filepath.Join(vectors, name)); err != nil {
				t.Fatal(err)
			}
		}
		for name, b := range files {
			write(t, vectors, name, b)
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !bytes.Equal(found[name], files[name]) {
			t.Errorf("%s is not what is made today; if the format was meant to change, it has a new version, and -update writes the file", name)
		}
		delete(found, name)
	}
	for name := range found {
		t.Errorf("%s is made by nothing", name)
	}
}

type putter func(name string, v any)

func seedOf(label string) string {
	s := sha256.Sum256([]byte(label))
	return hex.EncodeToString(s[:])
}

func keyVectors(put putter) {
	type key struct {
		Seed   string       `json:"seed_hex"`
		Alg    string       `json:"alg"`
		Public string       `json:"public"`
		ID     record.KeyID `json:"keyid"`
	}
	var keys []key
	for _, label := range []string{"truceline test key 1", "truceline test key 2", "story clerk"} {
		k := verifytest.Signer(label).Key()
		keys = append(keys, key{seedOf(label), k.Alg, k.Public, k.ID()})
	}
	put("keys.json", keys)

	type pae struct {
		Type    string `json:"type"`
		Payload string `json:"payload"`
		PAE     string `json:"pae_hex"`
	}
	var paes []pae
	for _, p := range []pae{{Type: "http://example.com/HelloWorld", Payload: "hello world"}, {Type: record.StatementType, Payload: ""}, {Type: record.RefusalType, Payload: `{"v":1}`}, {Type: "", Payload: "لیکن"}} {
		p.PAE = hex.EncodeToString(record.PAE(p.Type, []byte(p.Payload)))
		paes = append(paes, p)
	}
	put("pae.json", paes)

	type path struct {
		Kind  string `json:"kind"`
		Level int    `json:"level"`
		N     int64  `json:"n"`
		Width int    `json:"width"`
		Path  string `json:"path"`
	}
	kinds := map[string]ledger.Kind{"tile": ledger.KindTile, "entries": ledger.KindEntries, "records": ledger.KindRecords}
	var paths []path
	for _, p := range []path{{"tile", 0, 0, 256, ""}, {"tile", 0, 0, 1, ""}, {"tile", 1, 7, 40, ""}, {"tile", 0, 1234067, 256, ""}, {"tile", 0, 1000, 3, ""}, {"entries", 0, 999, 255, ""}, {"entries", 0, 1234067, 256, ""}, {"records", 0, 0, 20, ""}, {"records", 0, 1234067, 256, ""}} {
		p.Path = ledger.Path{Kind: kinds[p.Kind], Level: p.Level, N: p.N, Width: p.Width}.String()
		paths = append(paths, p)
	}
	put("paths.json", paths)
}

// boxVectors are a body on its way into its box, and out of it.
func boxVectors(t *testing.T, put putter) {
	m := verifytest.NewMission("boxes")
	m.Epoch = m.NewID()
	var err error
	if m.EpochKey, err = vault.NewEpochKey(m.Rand); err != nil {
		t.Fatal(err)
	}
	f := m.File("clerk", record.AccountFiled, verifytest.Account(3), verifytest.For(record.AudienceNamed, "DRN", "OMB"))
	box, err := record.ParseBox(f.Box)
	if err != nil {
		t.Fatal(err)
	}
	body, salt, err := vault.Unbox(f.ID(), f.Statement.Body, box, func(id record.ID) (vault.EpochKey, bool) { return m.EpochKey, id == m.Epoch })
	if err != nil || !bytes.Equal(body, f.Body) || salt != f.BodySalt {
		t.Errorf("%s, %x: %v", body, salt, err)
	}
	put("box.json", map[string]any{
		"statement":     f.ID(),
		"body":          string(f.Body),
		"body_salt":     record.Digest(f.BodySalt),
		"commitment":    f.Statement.Body.Commitment,
		"epoch":         m.Epoch,
		"epoch_key_hex": hex.EncodeToString(m.EpochKey[:]),
		"box":           string(f.Box),
	})
}

// recordVectors follow one account from its body to its leaf, and one to its refusal.
func recordVectors(t *testing.T, put putter) {
	m := verifytest.NewMission("vectors")
	two := []*record.Signer{verifytest.Signer("truceline test key 1"), verifytest.Signer("truceline test key 2")}
	f := m.File("clerk", record.AccountFiled, verifytest.Account(3), verifytest.SignedBy(two...), verifytest.About(record.RoleReport, m.NewID()),
		verifytest.Edit(func(s *record.Statement) { s.Ext = map[string]string{"later.thing": "kept, not understood"} }))
	e, err := record.ParseEnvelope(f.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	salt, at := m.Salt(), verifytest.Start
	leaf := ledger.LeafData(salt, at, f.Envelope)
	h := ledger.LeafHash(leaf)
	line := record.Line{Body: f.Body, BodySalt: record.Digest(f.BodySalt), Enc: record.EncPlain, Envelope: f.Envelope, Index: 5, LeafSalt: record.Digest(salt), LoggedAt: at}
	encoded, err := line.Encode()
	if err != nil {
		t.Fatal(err)
	}
	put("record.json", map[string]any{
		"seeds_hex":     []string{seedOf("truceline test key 1"), seedOf("truceline test key 2")},
		"body":          string(f.Body),
		"body_salt":     record.Digest(f.BodySalt),
		"commitment":    f.Statement.Body.Commitment,
		"statement":     string(e.Payload),
		"pae_hex":       hex.EncodeToString(record.PAE(e.Type, e.Payload)),
		"envelope":      string(f.Envelope),
		"leaf_salt":     record.Digest(salt),
		"logged_at":     at,
		"leaf_data_hex": hex.EncodeToString(leaf),
		"leaf_hash_hex": hex.EncodeToString(h[:]),
		"index":         5,
		"line":          string(encoded),
	})

	registry := verifytest.Signer("vectors book")
	refused := m.File("OMB", record.IncidentOpened, verifytest.Incident("x"))
	doc := &record.Refusal{At: at, Code: string(mechanism.NoRight), Envelope: sha256.Sum256(refused.Envelope), Mission: m.ID, Origin: verifytest.Origin,
		Reason: "OMB has the role party, which may not file incident.opened", Rules: mechanism.RulesVersion, Statement: refused.ID(), V: 1}
	signed, err := record.SealRefusal(doc, registry)
	if err != nil {
		t.Fatal(err)
	}
	e, _ = record.ParseEnvelope(signed)
	put("refusal.json", map[string]any{
		"refused_envelope": string(refused.Envelope),
		"refusal":          string(e.Payload),
		"envelope":         string(signed),
		"key":              registry.Key(),
	})
}

func treeVectors(put putter) {
	type root struct {
		Size int64  `json:"size"`
		Root string `json:"root_hex"`
	}
	edge := ledger.NewEdge()
	var roots []root
	for _, size := range []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 255, 256, 257, 511, 512, 1000, 65536, 65537} {
		for edge.Size() < size {
			edge.Append(tlog.RecordHash([]byte("entry " + itoa(edge.Size()))))
		}
		h := edge.Root()
		roots = append(roots, root{size, hex.EncodeToString(h[:])})
	}
	put("tree.json", map[string]any{"entries": `entry i is the ASCII text "entry " and i in decimal`, "roots": roots})
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

// logVectors is a whole log of twenty records, with a proof.
func logVectors(t *testing.T, put putter, files map[string][]byte) {
	m := verifytest.NewMission("vectors log")
	l := &verifytest.Log{Mission: m}
	l.Append(m.Story()[:20]...)
	for path, b := range l.Files() {
		files["log/"+path] = b
	}
	r := check(t, memory(l.Files()), verify.Options{Key: m.LogKey, Rules: true})
	if !r.OK() || !r.Complete() {
		t.Fatal(text(r))
	}
	type expected struct {
		Index     int64       `json:"index"`
		ID        record.ID   `json:"id"`
		Kind      record.Kind `json:"kind"`
		Member    string      `json:"member"`
		LeafHash  string      `json:"leaf_hash_hex"`
		ClaimedAt int64       `json:"claimed_at"`
		LoggedAt  int64       `json:"logged_at"`
	}
	var records []expected
	edge := ledger.NewEdge()
	for i, e := range l.Entries {
		h := ledger.LeafHash(ledger.LeafData(e.LeafSalt, e.LoggedAt, e.Envelope))
		edge.Append(h)
		records = append(records, expected{int64(i), e.ID(), e.Statement.Kind, e.Statement.Member, hex.EncodeToString(h[:]), e.Statement.ClaimedAt, e.LoggedAt})
	}
	root := edge.Root()
	put("log.expected.json", map[string]any{
		"vkey": m.LogKey, "size": 20, "root_hex": hex.EncodeToString(root[:]), "state_hash": r.StateHash, "records": records,
	})
	files["log.vkey"] = []byte(m.LogKey + "\n")
	hashes, err := ledger.HashReader{Edge: edge}.InclusionProof(10, 20)
	if err != nil {
		t.Fatal(err)
	}
	proof := ledger.TLogProof{Index: 10, Hashes: hashes, Checkpoint: l.Checkpoint()}
	verifier, err := ledger.NewVerifier(m.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := proof.Check(ledger.LeafData(l.Entries[10].LeafSalt, l.Entries[10].LoggedAt, l.Entries[10].Envelope), verifytest.Origin, verifier); err != nil {
		t.Fatal(err)
	}
	files["record-10.tlog-proof"], err = proof.Marshal()
	if err != nil {
		t.Fatal(err)
	}
}

// caseVectors are small logs that each show one thing, right or wrong.
func caseVectors(t *testing.T, put putter) {
	for _, x := range logCases {
		put("cases/"+x.name+".json", x.build())
	}
	for _, x := range ruledCases(t) {
		put("cases/"+x.name+".json", x.caseFile)
	}
}

// TestGoodVectors opens the logs that are right as others will, from the files.
func TestGoodVectors(t *testing.T) {
	key, err := os.ReadFile(filepath.Join(vectors, "log.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	if r := check(t, verify.Dir(filepath.Join(vectors, "log")), verify.Options{Key: strings.TrimSpace(string(key)), Rules: true}); !r.OK() || !r.Complete() || r.KeyFromLog {
		t.Error(text(r))
	}
}
