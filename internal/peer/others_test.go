// SPDX-License-Identifier: Apache-2.0

package peer_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	fwitness "github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/peer"
	"truceline/ledger"
	"truceline/quorum"
)

// others builds the programs of other projects with which this one must work: a module of
// its own, whose versions are pinned there.
func others(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	build := exec.Command("go", "build", "-o", folder+string(filepath.Separator), "./...")
	build.Dir = "testdata/others"
	build.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the others' programs: %v; where the machine has no network, run go mod download in internal/peer/testdata/others once while it has\n%s", err, out)
	}
	return folder
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The witness of transparency-dev cosigns our log as it grows, and refuses a fork of it.
func TestOmniwitnessCosignsOurLog(t *testing.T) {
	ctx := t.Context()
	g := newGrowing(t, "ledger.example.org/mission-7")
	name := cosign.KeyName(g.origin, cosign.Witness, "XYZ")
	skey, vkey, err := cosign.GenerateKey(keySeed(name), name)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cosign.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	logs := fmt.Sprintf("Logs:\n  - Origin: %s\n    URL: http://127.0.0.1:1/\n    PublicKey: %s\n", g.origin, g.vkey)
	cmd := exec.Command(filepath.Join(others(t), "omniwitness"), writeFile(t, "key", skey), writeFile(t, "logs.yaml", logs))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("omniwitness did not begin: %v\n%s", err, stderr.String())
	}
	f := &peer.Feeder{URL: strings.TrimSpace(url), Keys: []note.Verifier{key}}
	policy := &quorum.Policy{Logs: []quorum.Log{{VKey: g.vkey}}, Witnesses: []quorum.Witness{{Name: "XYZ", VKey: vkey, URL: f.URL}}, Quorum: "XYZ"}
	theirs, err := fwitness.ParsePolicy([]byte(policy.String()))
	if err != nil {
		t.Fatal(err)
	}
	feed := func(head []byte, old int64, asked string) {
		t.Helper()
		g.asked = nil
		sigs, err := f.Feed(ctx, head, old, g)
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr.String())
		}
		if got := fmt.Sprint(g.asked); got != asked {
			t.Errorf("proofs were asked for from %s, want %s", got, asked)
		}
		witnessed, err := cosign.AddSignatures(head, sigs...)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := policy.Check(witnessed); err != nil || !r.Witnessed || !theirs.Satisfied(witnessed) {
			t.Fatalf("%s is not witnessed: %+v, %v", witnessed, r, err)
		}
	}
	feed(g.grow(t, 5, "a"), 0, "[]")
	feed(g.grow(t, 300, "b"), 5, "[5]")
	feed(g.grow(t, 700, "c"), 0, "[305]") // 409 with the size, then the proof from there
	feed(g.heads[1005], 1005, "[]")       // again
	if _, err := f.Feed(ctx, g.heads[5], 5, g); !errors.As(err, new(*peer.AheadError)) {
		t.Errorf("a stale head: %v", err)
	}
	fork := newGrowing(t, g.origin)
	fork.grow(t, 1005, "x")
	var refused *peer.RefusedError
	if _, err := f.Feed(ctx, fork.heads[1005], 1005, fork); !errors.As(err, &refused) || refused.Status != http.StatusConflict && refused.Status != http.StatusUnprocessableEntity {
		t.Errorf("a fork of the size held: %v", err)
	}
	if _, err := f.Feed(ctx, fork.grow(t, 100, "y"), 1005, fork); !errors.As(err, &refused) || refused.Status != http.StatusUnprocessableEntity {
		t.Errorf("a fork that grew: %v", err)
	}
	feed(g.grow(t, 1, "d"), 1005, "[1005]") // and it goes on with the log
}

// tessera is a log kept by transparency-dev's library.
type tessera struct {
	t      *testing.T
	binary string
	folder string
	key    string // path
}

func (l *tessera) run(args ...string) (string, error) {
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(l.t.Context(), l.binary, args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return out.String(), nil
}

// add appends entries and returns the published head.
func (l *tessera) add(text string, n int, policy ...string) string {
	l.t.Helper()
	out, err := l.run(append([]string{"add", l.folder, l.key, text, fmt.Sprint(n)}, policy...)...)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *tessera) Consistency(_ context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	out, err := l.run("proof", l.folder, fmt.Sprint(oldSize), fmt.Sprint(newSize))
	if err != nil {
		return nil, err
	}
	var hashes []tlog.Hash
	for line := range strings.Lines(out) {
		h, err := tlog.ParseHash(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// Our witness cosigns a log of Tessera, asked by Tessera's own client, and refuses its fork.
func TestWitnessOfTesseraLog(t *testing.T) {
	g := newGrowing(t, "tessera.example/log") // for its key
	s := serveWitness(t, map[string]note.Verifier{g.origin: g.verifier})
	key := writeFile(t, "key", g.skey)
	binary := filepath.Join(others(t), "tesseralog")
	policy := &quorum.Policy{Logs: []quorum.Log{{VKey: g.vkey}}, Witnesses: []quorum.Witness{{Name: "W", VKey: s.vkey, URL: s.url}}, Quorum: "W"}
	file := writeFile(t, "policy", policy.String())
	theirKey, err := fnote.NewVerifierForCosignatureV1(s.vkey)
	if err != nil {
		t.Fatal(err)
	}
	l := &tessera{t, binary, t.TempDir(), key}
	var size int64
	for i, n := range []int{300, 257} {
		size += int64(n)
		head := []byte(l.add(fmt.Sprint("entry ", i), n, file))
		r, err := policy.Check(head)
		if err != nil || !r.Witnessed || r.Checkpoint.Size != size {
			t.Fatalf("Tessera published %s: %+v, %v", head, r, err)
		}
		if _, err := note.Open(head, note.VerifierList(theirKey)); err != nil {
			t.Errorf("others' verifier: %v", err)
		}
		if c, _ := s.latest(t, g.origin, g.verifier); c != r.Checkpoint {
			t.Errorf("the witness serves %+v, Tessera published %+v", c, r.Checkpoint)
		}
	}
	before, _ := s.latest(t, g.origin, g.verifier)
	fork := &tessera{t, binary, t.TempDir(), key}
	f := s.feeder()
	var refused *peer.RefusedError
	for _, n := range []int{int(size), 100} {
		head := fork.add("other", n)
		if _, err := f.Feed(t.Context(), []byte(head), size, fork); !errors.As(err, &refused) || refused.Status != http.StatusUnprocessableEntity {
			t.Errorf("a fork, %d entries more: %v", n, err)
		}
	}
	if after, _ := s.latest(t, g.origin, g.verifier); after != before {
		t.Errorf("after the fork the witness serves %+v, before %+v", after, before)
	}
	if c, _, err := ledger.ParseCheckpoint([]byte(fork.add("again", 1)), g.verifier); err != nil || c.Size != size+101 {
		t.Errorf("the fork is at %+v, %v: it was not what was refused", c, err)
	}
	if !strings.Contains(s.log.String(), "two records of one size") {
		t.Error("the operator's log does not tell of the fork")
	}
}
