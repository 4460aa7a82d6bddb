// SPDX-License-Identifier: Apache-2.0

//go:build long

package main

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"truceline/example"
	"truceline/internal/node"
	"truceline/record"
)

// The exercise's first start may be cut short at any moment; the next one finishes it, and
// each step of the story is in the record once.
func TestDemoKilledWhileItStages(t *testing.T) {
	dir := t.TempDir() + "/d"
	args := []string{"demo", "--data", dir, "--listen", "127.0.0.1:0"}
	for i := range 15 {
		cmd := exec.Command(program(t), args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(mathrand.IntN(400+400*i)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	p := start(t, args...)
	x := readDemoFile(t, dir).Exercise
	exerciseRuns(t, x)
	p.stop(t)
	set, err := example.Open(x.Example)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := set.Steps()
	if err != nil {
		t.Fatal(err)
	}
	want := map[record.Kind]int{}
	for _, s := range steps {
		want[record.Kind(s.Kind)]++
	}
	n, err := node.Open(t.Context(), x.Nodes[0].Data, node.Options{Now: time.Now, Rand: rand.Reader, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	got := map[record.Kind]int{}
	for e, err := range n.Store().Entries(t.Context(), 0, n.Head().Size) {
		if err != nil {
			t.Fatal(err)
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		st, err := env.Statement()
		if err != nil {
			t.Fatal(err)
		}
		got[st.Kind]++
	}
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("%d of %s in the record, the story has %d", got[kind], kind, n)
		}
	}
	if members := len(x.Nodes) - 1; got[record.MemberAdmitted] != members || got[record.CosignerNamed] < 3*members {
		t.Errorf("%d admitted, %d cosigners named", got[record.MemberAdmitted], got[record.CosignerNamed])
	}
	for _, m := range x.Nodes {
		if out := must(t, "doctor", "--data", m.Data); testing.Verbose() {
			t.Logf("%s\n%s", filepath.Base(m.Data), out)
		}
	}
}
