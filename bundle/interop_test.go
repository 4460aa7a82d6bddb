// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	flog "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	fproof "github.com/transparency-dev/formats/proof"
	fwitness "github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// stranger reads the example with programs of others alone.
type stranger struct {
	Record struct{ Line, Proof string }
	Before struct {
		Consistency []string
		Head        string
	}
	Records []struct {
		Hashes []string
		Line   string
	}
	vkey, policy string
}

type strangersLine struct {
	Body     json.RawMessage
	Envelope json.RawMessage
	Index    uint64
	LeafSalt string `json:"leaf_salt"`
	LoggedAt uint64 `json:"logged_at"`
}

func readStranger(t *testing.T) *stranger {
	t.Helper()
	s := new(stranger)
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(vectors, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := json.Unmarshal(read("example.truceline-bundle.json"), s); err != nil {
		t.Fatal(err)
	}
	s.vkey, s.policy = strings.TrimSpace(string(read("example.vkey"))), string(read("example.policy"))
	return s
}

// leaf is the hash of a line's leaf, by the formula of docs/formats/ledger.md.
func (l *strangersLine) leaf(t *testing.T) []byte {
	t.Helper()
	salt, err := hex.DecodeString(l.LeafSalt)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte("truceline-entry/v1\n"))
	mac.Write(binary.BigEndian.AppendUint64(nil, l.LoggedAt))
	mac.Write(l.Envelope)
	return rfc6962.DefaultHasher.HashLeaf(append([]byte("truceline-leaf/v1\n"), mac.Sum(nil)...))
}

func lineOf(t *testing.T, text string) *strangersLine {
	t.Helper()
	l := new(strangersLine)
	if err := json.Unmarshal([]byte(text), l); err != nil {
		t.Fatal(err)
	}
	return l
}

func hashOf(t *testing.T, list []string) (out [][]byte) {
	t.Helper()
	for _, s := range list {
		h, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, h)
	}
	return out
}

// TestOthersReadTheExample checks head, places, policy and signature of the example without
// any of our own code: formats, merkle and x/mod do it all.
func TestOthersReadTheExample(t *testing.T) {
	s := readStranger(t)
	log, err := note.NewVerifier(s.vkey)
	if err != nil {
		t.Fatal(err)
	}
	var p fproof.TLogProof
	if err := p.Unmarshal([]byte(s.Record.Proof)); err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open(p.Checkpoint, note.VerifierList(log)); err != nil || len(n.Sigs) != 1 {
		t.Fatalf("x/mod opens the head: %v", err)
	}
	head, _, _, err := flog.ParseCheckpoint(p.Checkpoint, log.Name(), log)
	if err != nil {
		t.Fatal(err)
	}
	own := lineOf(t, s.Record.Line)
	path := make([][]byte, len(p.Hashes))
	for i := range p.Hashes {
		path[i] = p.Hashes[i][:]
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, head.Size, own.leaf(t), path, head.Hash); err != nil || own.Index != p.Index {
		t.Errorf("record %d: %v", own.Index, err)
	}
	for _, r := range s.Records {
		l := lineOf(t, r.Line)
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, l.Index, head.Size, l.leaf(t), hashOf(t, r.Hashes), head.Hash); err != nil {
			t.Errorf("record %d: %v", l.Index, err)
		}
	}
	before, _, _, err := flog.ParseCheckpoint([]byte(s.Before.Head), log.Name(), log)
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, before.Size, head.Size, hashOf(t, s.Before.Consistency), before.Hash, head.Hash); err != nil {
		t.Errorf("the head does not continue the one before: %v", err)
	}
	s.policies(t, &p)
	s.signature(t, own)
}

// policies: formats comes to the same of the policy, of that given and of that in the file.
func (s *stranger) policies(t *testing.T, p *fproof.TLogProof) {
	t.Helper()
	agreement := lineOf(t, s.Records[len(s.Records)-1].Line)
	var adopted struct{ Pack struct{ Policy string } }
	if err := json.Unmarshal(agreement.Body, &adopted); err != nil {
		t.Fatal(err)
	}
	fewer := regexp.MustCompile(`(?m)^— \S+/witness/(DRN|OMB) .*\n`).ReplaceAll(p.Checkpoint, nil)
	for name, text := range map[string]string{"given": s.policy, "in the file": adopted.Pack.Policy} {
		// Its reader wants addresses, which a policy may leave out.
		text = regexp.MustCompile(`(?m)^(witness \S+ \S+)$`).ReplaceAllStringFunc(text, func(line string) string {
			return fmt.Sprintf("%s https://%x.example/", line, sha256.Sum256([]byte(line)))
		})
		policy, err := fwitness.ParsePolicy([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !policy.Satisfied(p.Checkpoint) || policy.Satisfied(fewer) {
			t.Errorf("the policy %s: satisfied %t, with one witness %t", name, policy.Satisfied(p.Checkpoint), policy.Satisfied(fewer))
		}
	}
	// And of the rules keys, whose lines are cosignatures like others.
	m := regexp.MustCompile(`(?m)^witness rules/OMB (\S+)$`).FindStringSubmatch(s.policy)
	if m == nil {
		t.Fatal("the policy names no rules key of OMB")
	}
	rules, err := fnote.NewVerifierForCosignatureV1(m[1])
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open(p.Checkpoint, note.VerifierList(rules)); err != nil || len(n.Sigs) != 1 {
		t.Errorf("the rules statement: %v", err)
	}
}

// signature: the statement is signed with the key that the admission brings.
func (s *stranger) signature(t *testing.T, own *strangersLine) {
	t.Helper()
	var e struct {
		Payload     []byte
		PayloadType string
		Signatures  []struct {
			Keyid string
			Sig   []byte
		}
	}
	var admission struct {
		Code string
		Keys []struct{ Public []byte }
	}
	for v, b := range map[any][]byte{&e: own.Envelope, &admission: lineOf(t, s.Records[1].Line).Body} {
		if err := json.Unmarshal(b, v); err != nil {
			t.Fatal(err)
		}
	}
	key := admission.Keys[0].Public
	id := sha256.Sum256(append([]byte("truceline-key/v1\ned25519\n"), key...))
	pae := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(e.Payload), e.Payload)
	if e.Signatures[0].Keyid != hex.EncodeToString(id[:16]) || !ed25519.Verify(key, pae, e.Signatures[0].Sig) || !bytes.Contains(e.Payload, []byte(`"member":"`+admission.Code+`"`)) {
		t.Error("the signature is not that of the member's key")
	}
}

// page is docs/formats/bundle.md in its blocks of code.
func page(t *testing.T) (whole string, blocks []string) {
	t.Helper()
	b, err := os.ReadFile("../docs/formats/bundle.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(b), "```")
	for i := 1; i < len(parts); i += 2 {
		blocks = append(blocks, parts[i])
	}
	return string(b), blocks
}

// TestPage: what the page says of the example is so.
func TestPage(t *testing.T) {
	s := readStranger(t)
	whole, blocks := page(t)
	_, head, _ := strings.Cut(s.Record.Proof, "\n\n")
	found := false
	for _, b := range blocks {
		found = found || strings.TrimPrefix(b, "\n") == head
	}
	if !found {
		t.Error("the head on the page is not that of the example")
	}
	for _, say := range []string{
		s.vkey, s.Records[0].Hashes[0][:8], s.Before.Consistency[0][:8], "2026-03-01 00:00:12 and 00:00:13 UTC", "00:00:10.300", "00:00:11.000",
		fmt.Sprint("of record ", lineOf(t, s.Record.Line).Index, " of a log of 14"), "16,777,216", "1577836800",
	} {
		if !strings.Contains(whole, say) {
			t.Errorf("the page does not say %q", say)
		}
	}
	b, o := goodFile(t)
	w := &world{t: t}
	r := w.check(b, o)
	if r.Bracket.NotYet != second(12) || r.Bracket.By != second(13) || r.Record.Statement.ClaimedAt != second(10)*1000+300 || r.Record.LoggedAt != second(11)*1000 {
		t.Errorf("the times of the example are %+v, claimed %d", r.Bracket, r.Record.Statement.ClaimedAt)
	}
}

// TestRecipe runs the shell commands of the page on the example, where OpenSSL is there, and
// on one whose time was changed.
func TestRecipe(t *testing.T) {
	_, blocks := page(t)
	var recipe string
	for _, b := range blocks {
		if text, ok := strings.CutPrefix(b, "sh\n"); ok {
			recipe = text
		}
	}
	first, rest, _ := strings.Cut(recipe, "\n")
	if first != `jq -j .record.proof bundle.json | sed '1,/^$/d' > head.txt` || !strings.Contains(rest, "openssl pkeyutl -verify") {
		t.Fatalf("the recipe is another: %s", recipe)
	}
	for _, tool := range []string{"openssl", "sh", "sed", "od", "base64"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("the recipe was not run: %v", err)
			return
		}
	}
	s := readStranger(t)
	_, head, _ := strings.Cut(s.Record.Proof, "\n\n")
	if _, err := exec.LookPath("jq"); err != nil {
		recipe = rest // head.txt is written below
	}
	bad := moved([]byte(head), "/witness/DRN ")
	for _, tt := range []struct {
		head string
		good bool
	}{{head, true}, {string(bad), false}} {
		dir := t.TempDir()
		b, err := json.Marshal(map[string]any{"record": map[string]string{"proof": "c2sp.org/tlog-proof@v1\nindex 11\nx\n\n" + tt.head}})
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "bundle.json", b)
		write(t, dir, "head.txt", []byte(tt.head))
		write(t, dir, "policy.txt", []byte(s.policy))
		cmd := exec.Command("sh", "-ec", recipe)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if (err == nil) != tt.good || tt.good && (!strings.Contains(string(out), "Signature Verified Successfully") || !strings.Contains(string(out), "00:00:14")) {
			t.Errorf("good %t: %v\n%s", tt.good, err, out)
		}
	}
}
