// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/projection"
)

var options = node.Options{Now: time.Now, Rand: rand.Reader}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func putFile(t *testing.T, path string, b []byte) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if b != nil {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func fileAndClose(t *testing.T, dir string, titles ...string) {
	t.Helper()
	n := nodetest.Open(t, dir)
	for _, title := range titles {
		nodetest.MustFile(t, n, nodetest.Report(n, title))
	}
	if err := n.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

// refuses wants the node not to open, with this error, and no file of it changed.
func refuses(t *testing.T, dir string, want error) {
	t.Helper()
	names := []string{local.ProjectionFile, local.CheckpointFile, local.LedgerFile}
	before := map[string][]byte{}
	for _, name := range names {
		before[name], _ = os.ReadFile(filepath.Join(dir, name))
	}
	n, err := node.Open(context.Background(), dir, options)
	if err == nil {
		n.Close()
	}
	if !errors.Is(err, want) || !strings.Contains(err.Error(), "do not file anything; put back the newest ledger.db") {
		t.Errorf("opening gives %v, want %v and what to do", err, want)
	}
	for _, name := range names {
		if after, _ := os.ReadFile(filepath.Join(dir, name)); !bytes.Equal(before[name], after) {
			t.Errorf("a start that was refused changed %s", name)
		}
	}
}

func examine(t *testing.T, dir string) (findings []node.Finding) {
	t.Helper()
	if err := node.Examine(context.Background(), dir, options, func(f node.Finding) { findings = append(findings, f) }); err != nil {
		t.Fatal(err)
	}
	return findings
}

func finding(t *testing.T, findings []node.Finding, what string) node.Finding {
	t.Helper()
	for _, f := range findings {
		if f.What == what {
			return f
		}
	}
	t.Fatalf("no finding on the %s in %v", what, findings)
	return node.Finding{}
}

func TestALedgerThatWentBackIsRefused(t *testing.T) {
	dir := nodetest.Create(t)
	ledger, tables, lock := filepath.Join(dir, local.LedgerFile), filepath.Join(dir, local.ProjectionFile), filepath.Join(dir, local.CheckpointFile)
	fileAndClose(t, dir, "a", "b")
	old := readFile(t, ledger)
	fileAndClose(t, dir, "c", "d")
	newLedger, newTables, newLock := readFile(t, ledger), readFile(t, tables), readFile(t, lock)

	putFile(t, ledger, old)
	refuses(t, dir, node.ErrBehind)
	findings := examine(t, dir)
	if err := finding(t, findings, "history").Err; !errors.Is(err, node.ErrBehind) {
		t.Errorf("doctor on the history: %v", err)
	}
	if err := finding(t, findings, "tables").Err; !errors.Is(err, projection.ErrAhead) {
		t.Errorf("doctor on the tables: %v", err)
	}
	for _, f := range findings {
		if strings.Contains(f.String(), "rebuild") {
			t.Errorf("doctor advises to destroy what shows the fault: %s", f)
		}
	}
	putFile(t, tables, nil)
	refuses(t, dir, node.ErrBehind)
	putFile(t, tables, newTables)
	putFile(t, lock, nil)
	refuses(t, dir, projection.ErrAhead)

	// Another history, longer than the one that was seen.
	putFile(t, tables, nil)
	fileAndClose(t, dir, "e", "f", "g", "h")
	putFile(t, lock, newLock)
	refuses(t, dir, node.ErrBehind)
	putFile(t, lock, nil)
	putFile(t, tables, newTables)
	refuses(t, dir, projection.ErrAhead)

	// The newest ledger put back, all is well.
	putFile(t, lock, newLock)
	putFile(t, ledger, newLedger)
	fileAndClose(t, dir, "i")
}

func TestTheHeadIsKept(t *testing.T) {
	dir := nodetest.Create(t)
	lock := filepath.Join(dir, local.CheckpointFile)
	n := nodetest.Open(t, dir)
	if !bytes.Equal(readFile(t, lock), n.Registry.Head().Checkpoint) {
		t.Error("a new node has not kept its head")
	}
	nodetest.MustFile(t, n, nodetest.Report(n, "a"))
	for deadline := time.Now().Add(10 * time.Second); !bytes.Equal(readFile(t, lock), n.Registry.Head().Checkpoint); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the head that moved was not kept while the node was open")
		}
	}
	nodetest.MustFile(t, n, nodetest.Report(n, "b"))
	n.Close()
	if !bytes.Equal(readFile(t, lock), n.Registry.Head().Checkpoint) {
		t.Error("the head was not kept at the end")
	}
	for _, bad := range []string{"", "rubbish\n", strings.Replace(string(n.Registry.Head().Checkpoint), "\n", "\n1", 1)} {
		putFile(t, lock, []byte(bad))
		if _, err := node.Open(context.Background(), dir, options); err == nil || !strings.Contains(err.Error(), "remove it only when you are sure") {
			t.Errorf("with a lock of %q: %v", bad, err)
		}
	}
	putFile(t, lock, nil)
	nodetest.Open(t, dir)
}

func dump(t *testing.T, n *node.Node) string {
	t.Helper()
	var b bytes.Buffer
	if err := errors.Join(n.Sync(context.Background()), n.Projection.Dump(context.Background(), &b)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTablesOfAnotherMissionAreFoldedAnew(t *testing.T) {
	mine, other := nodetest.Create(t), nodetest.Create(t)
	fileAndClose(t, other, "a", "b", "c")
	n := nodetest.Open(t, mine)
	want := dump(t, n)
	n.Close()
	putFile(t, filepath.Join(mine, local.ProjectionFile), readFile(t, filepath.Join(other, local.ProjectionFile)))
	if f := finding(t, examine(t, mine), "tables"); f.Err == nil || !strings.Contains(f.Err.Error(), "another mission") {
		t.Errorf("doctor: %v", f)
	}
	n = nodetest.Open(t, mine)
	if got := dump(t, n); got != want {
		t.Errorf("the tables are not this mission's:\n%s", got)
	}
	if p, err := n.Projection.Pack(context.Background()); err != nil || p == nil {
		t.Errorf("no agreement: %v", err)
	}
}

func TestTablesThatChangeMissionForgetTheAgreement(t *testing.T) {
	ctx := context.Background()
	d, err := projection.Open(ctx, filepath.Join(t.TempDir(), local.ProjectionFile))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	follow := func() any {
		t.Helper()
		n := nodetest.Open(t, nodetest.Create(t))
		if err := d.CatchUp(ctx, n.Store(), n.Registry.Head().Size, nil); err != nil {
			t.Fatal(err)
		}
		p, err := d.Pack(ctx)
		if err != nil || p == nil {
			t.Fatalf("%v, %v", p, err)
		}
		return p
	}
	if one, other := follow(), follow(); one == other {
		t.Error("the agreement is still the other mission's")
	}
}

func TestDoctorChangesNothing(t *testing.T) {
	dir := nodetest.Create(t)
	tables := filepath.Join(dir, local.ProjectionFile)
	db, err := sql.Open("sqlite", tables)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	before := readFile(t, tables)
	if f := finding(t, examine(t, dir), "tables"); f.Err != nil || !strings.Contains(f.Note, "next start") {
		t.Errorf("%s", f)
	}
	if !bytes.Equal(before, readFile(t, tables)) {
		t.Error("doctor replaced the tables of another version")
	}
	putFile(t, tables, nil)
	examine(t, dir)
	if _, err := os.Stat(tables); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("doctor made tables: %v", err)
	}
	// A running server may fold while doctor looks.
	n := nodetest.Open(t, dir)
	nodetest.MustFile(t, n, nodetest.Report(n, "a"))
	for _, f := range examine(t, dir) {
		if f.Err != nil {
			t.Error(f)
		}
	}
}

func TestDoctorLooksAtTheRoster(t *testing.T) {
	dir := nodetest.Create(t)
	n := nodetest.Open(t, dir)
	desk := nodetest.Desk(n)
	n.Close()
	if f := finding(t, examine(t, dir), "roster"); f.Err != nil {
		t.Error(f)
	}
	seed := []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{5}, 32)) + "\n")
	for code, says := range map[string]string{"nobody": "no member nobody on the roster", desk: "is not one of member " + desk} {
		path := filepath.Join(dir, "keys", "member-"+code+".key")
		kept, _ := os.ReadFile(path)
		putFile(t, path, seed)
		if f := finding(t, examine(t, dir), "roster"); f.Err == nil || !strings.Contains(f.Err.Error(), says) {
			t.Errorf("%s, want: %s", f, says)
		}
		putFile(t, path, kept)
	}
}
