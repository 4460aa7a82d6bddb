// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/cosign"
	"truceline/evidence"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify/verifytest"
)

// TestVerifyEvidence checks the published files as strangers do.
func TestVerifyEvidence(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "vectors", "evidence")
	b, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected struct {
		Files map[string]struct {
			Exit    int
			Finding string
		}
	}
	if err := json.Unmarshal(b, &expected); err != nil || len(expected.Files) < 15 {
		t.Fatal(len(expected.Files), err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "log.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	given := []string{"--key", strings.TrimSpace(string(key)), "--policy", filepath.Join(dir, "policy"), "--bound", "120s"}
	run := func(exit int, name string, flags ...string) (out, errs string) {
		t.Helper()
		out, errs, got := truceline(t, append([]string{"verify", "evidence", name}, flags...)...)
		if got != exit {
			t.Errorf("%s %q exits %d, not %d\n%s%s", filepath.Base(name), flags, got, exit, out, errs)
		}
		return out, errs
	}
	for name, x := range expected.Files {
		path := filepath.Join(dir, name+".json")
		out, _ := run(x.Exit, path, given...)
		if x.Exit == 1 && strings.Contains(out, "IT DOES NOT HOLD") {
			continue
		}
		if !strings.Contains(out, "\nfinding   "+x.Finding+"\n") || !strings.Contains(out, "\nnot proved\n") || strings.Contains(out, "WARNING") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	late := filepath.Join(dir, "false-time-late.json")
	if out, _ := run(3, late); !strings.Contains(out, "WARNING: no key was given") || !strings.Contains(out, "could not be checked") || !strings.Contains(out, "verdict   INCOMPLETE") {
		t.Error(out)
	}
	if out, _ := run(0, filepath.Join(dir, "two-histories-one-size.json")); !strings.Contains(out, "WARNING: no key was given") || !strings.Contains(out, "IT HOLDS, against the log") {
		t.Error(out)
	}

	changed := filepath.Join(t.TempDir(), "changed.json")
	good, err := os.ReadFile(late)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(changed, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(bytes.Replace(good, []byte(`\"logged_at\":`), []byte(`\"logged_at\":1`), 1))
	if out, errs := run(1, changed, given...); !strings.Contains(out, "IT DOES NOT HOLD") || errs == "" {
		t.Error(out, errs)
	}
	write(bytes.Replace(good, []byte(`"v":1`), []byte(`"v":2`), 1))
	if out, errs := run(3, changed, given...); !strings.Contains(out, "NOT CHECKED") || !strings.Contains(errs, "update truceline") {
		t.Error(out, errs)
	}
	write(bytes.Repeat([]byte("x"), evidence.MaxFile+1))
	run(3, changed, given...)
	run(3, filepath.Join(dir, "nothing.json"), given...)
	run(2, late, "--key", "rubbish")
	run(2, late, "--policy", late)
	run(2, late, "--policy", filepath.Join(dir, "nothing"))
	run(2, late, "--bound", "48h")
	run(2, late, "--bound", "-1s")
	run(2, late, append(given, "--log", dir)...)
	run(2, late, "--nonsense")
}

// TestVerifyWithheld looks for a record in the log from which members say it was withheld.
func TestVerifyWithheld(t *testing.T) {
	m := verifytest.NewMission("withheld")
	l := &verifytest.Log{Mission: m}
	l.Append(m.Opening()...)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	skey, vkey, err := cosign.GenerateKey(m.Rand, cosign.KeyName(verifytest.Origin, cosign.Witness, "scribe"))
	ok(err)
	witness, err := cosign.NewSigner(skey)
	ok(err)
	policy := (&quorum.Policy{Logs: []quorum.Log{{VKey: m.LogKey}}, Witnesses: []quorum.Witness{{Name: "scribe", VKey: vkey}}, Quorum: "scribe"}).String()
	tree := func() ledger.HashReader {
		edge := ledger.NewEdge()
		for _, e := range l.Entries {
			edge.Append(ledger.LeafHash(ledger.LeafData(e.LeafSalt, e.LoggedAt, e.Envelope)))
		}
		return ledger.HashReader{Edge: edge}
	}
	proven := func(i int) evidence.Proven {
		t.Helper()
		hashes, err := tree().InclusionProof(int64(i), int64(len(l.Entries)))
		ok(err)
		p, err := ledger.TLogProof{Index: int64(i), Hashes: hashes, Checkpoint: l.Checkpoint()}.Marshal()
		ok(err)
		return evidence.Prove(l.Line(i), p)
	}
	admission := func(code string) evidence.Proven {
		t.Helper()
		for i, e := range l.Entries {
			if e.Statement.Kind == record.MemberAdmitted && bytes.Contains(e.Body, []byte(`"code":"`+code+`"`)) {
				return proven(i)
			}
		}
		t.Fatal("no admission of ", code)
		return evidence.Proven{}
	}
	lost := m.File("OMB", record.AccountFiled, verifytest.Account(7))
	attest := func(member string) evidence.Attested {
		t.Helper()
		b, err := record.SealAttestation(&record.Attestation{
			At: verifytest.Start + 60_000, Envelope: sha256.Sum256(lost.Envelope), Member: member, Mission: m.ID, Origin: verifytest.Origin,
			Outcome: record.OutcomeNoAnswer, Statement: lost.ID(), V: 1,
		}, m.Signer(member))
		ok(err)
		return evidence.Attested{Attestation: b, Brought: admission(member)}
	}
	dir := t.TempDir()
	file, policyFile := filepath.Join(dir, "withheld.json"), filepath.Join(dir, "policy")
	ok(os.WriteFile(policyFile, []byte(policy), 0o644))
	write := func() { // with the head of the log as it stands
		t.Helper()
		size := int64(len(l.Entries))
		root, err := tree().TreeHash(size)
		ok(err)
		sig, err := witness.Cosign(ledger.Checkpoint{Origin: verifytest.Origin, Size: size, Root: root}.Text(), verifytest.Start/1000+4000)
		ok(err)
		head, err := cosign.AddSignatures(l.Checkpoint(), sig)
		ok(err)
		b, err := evidence.NewWithheld(evidence.Log{Key: m.LogKey, Policy: policy}, lost.Envelope, proven(0), admission("OMB"), []evidence.Attested{attest("OMB"), attest("DRN")}, head, 3_600_000)
		ok(err)
		ok(os.WriteFile(file, b, 0o644))
	}
	write()
	export := func(name string, edit func(map[string][]byte)) string {
		t.Helper()
		to := filepath.Join(dir, name)
		files := l.Files()
		if edit != nil {
			edit(files)
		}
		for path, b := range files {
			ok(os.MkdirAll(filepath.Dir(filepath.Join(to, path)), 0o755))
			ok(os.WriteFile(filepath.Join(to, path), b, 0o644))
		}
		return to
	}
	look := func(exit int, log string, words ...string) {
		t.Helper()
		args := []string{"verify", "evidence", file, "--key", m.LogKey, "--policy", policyFile}
		if log != "" {
			args = append(args, "--log", log)
		}
		out, errs, got := truceline(t, args...)
		if got != exit {
			t.Errorf("%s: exits %d, not %d\n%s%s", filepath.Base(log), got, exit, out, errs)
		}
		for _, w := range words {
			if !strings.Contains(out+errs, w) {
				t.Errorf("%s: no word %q in\n%s%s", filepath.Base(log), w, out, errs)
			}
		}
	}
	look(3, "", "Whether the log has the record", "INCOMPLETE")
	look(0, export("absent", nil), "has not the record among its 9 records", "accuses nobody")
	look(3, filepath.Join(dir, "nowhere"))
	look(3, export("bad", func(f map[string][]byte) { f["tile/0/000.p/9"][0] ^= 1 }), "does not verify")
	look(3, export("short", func(f map[string][]byte) {
		i := bytes.IndexByte(f["records/000.p/9"], '\n')
		f["records/000.p/9"] = f["records/000.p/9"][i+1:]
	}), "get a whole copy")

	l.Append(m.File("OMB", record.AccountFiled, verifytest.Account(8)))
	look(0, export("longer", nil), "has not the record among its 10 records")
	l.Append(lost)
	look(0, export("later", nil), "at index 10: it came in after the head of 9 records")

	whole := l.Entries
	l.Entries = whole[:5]
	look(3, export("earlier", nil), "get a later copy")
	// Another history, which has the record where the head has none.
	l.Entries = append(append([]verifytest.Entry(nil), whole[:8]...), whole[10])
	look(3, export("forked", nil), "evidence of two histories")

	// Members that say so of a record which is there do not tell the truth.
	l.Entries = whole
	write()
	look(1, filepath.Join(dir, "later"), "IT DOES NOT HOLD", "at index 10", "nothing was withheld")
}
