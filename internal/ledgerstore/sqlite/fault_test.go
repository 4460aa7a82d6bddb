// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	driver "modernc.org/sqlite"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/ledgerstoretest"
	"truceline/ledger"
)

// copyFile copies one file as it is at the moment; a missing source is no file.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// requireWhole opens a ledger and checks all of it.
func requireWhole(t *testing.T, path string, log *ledgerstoretest.Log, atLeast int64) {
	t.Helper()
	store := open(t, path)
	defer store.Close()
	head, _, err := ledgerstore.SelfCheck(t.Context(), store, log.Verifier)
	if err == nil {
		err = ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if head.Size < atLeast {
		t.Fatalf("the ledger has %d entries, %d were acknowledged", head.Size, atLeast)
	}
	ledgerstoretest.RequireEntries(t, store, 0, head.Size)
}

// The database file and its log, copied between appends, open as a whole ledger with
// everything acknowledged, whatever was folded into the file by then.
func TestCopyTakenWhileRunning(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	store, log := create(t, path), ledgerstoretest.NewLog(t)
	for round := range 8 {
		for range 40 {
			log.Grow(t, store, 1+round*3)
		}
		to := filepath.Join(dir, fmt.Sprintf("copy-%d.db", round))
		copyFile(t, path, to)
		copyFile(t, path+"-wal", to+"-wal")
		requireWhole(t, to, log, log.Edge.Size())
	}
}

// A log cut off or damaged at its end, as after a loss of power before an acknowledgement,
// opens at an earlier commit, whole.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	store, log := create(t, path), ledgerstoretest.NewLog(t)
	for range 30 {
		log.Grow(t, store, 9)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		to := filepath.Join(dir, fmt.Sprintf("torn-%d.db", i))
		copyFile(t, path, to)
		torn := append([]byte(nil), wal[:len(wal)-i*len(wal)/25-i]...)
		if i%2 == 1 {
			torn[len(torn)-100] ^= 1
		}
		if err := os.WriteFile(to+"-wal", torn, 0o600); err != nil {
			t.Fatal(err)
		}
		requireWhole(t, to, log, 0)
	}
}

// Killed at any moment, the ledger keeps every acknowledged entry and checks.
func TestKilled(t *testing.T) {
	if path := os.Getenv("TRUCELINE_TEST_KILLED_LEDGER"); path != "" {
		appendUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	create(t, path).Close()
	log := ledgerstoretest.NewLog(t)
	for round := range 5 {
		acknowledged := runAndKill(t, path, time.Duration(60+35*round)*time.Millisecond)
		if acknowledged == 0 {
			t.Fatal("nothing was appended before the kill")
		}
		requireWhole(t, path, log, acknowledged)
	}
}

// runAndKill starts a process that appends and prints every acknowledged size, kills it some
// time after the first, and returns the last size printed.
func runAndKill(t *testing.T, path string, after time.Duration) (acknowledged int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "TRUCELINE_TEST_KILLED_LEDGER="+path)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		size, ok := strings.CutPrefix(lines.Text(), "acknowledged ")
		if !ok {
			t.Error(lines.Text())
			continue
		}
		if acknowledged == 0 {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		if acknowledged, err = strconv.ParseInt(size, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	return acknowledged
}

func appendUntilKilled(t *testing.T, path string) {
	store, log := open(t, path), ledgerstoretest.NewLog(t)
	_, edge, err := ledgerstore.SelfCheck(t.Context(), store, log.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	log.Edge = edge
	for i := 0; ; i++ {
		head := log.Grow(t, store, 1+i%7)
		if _, err := fmt.Printf("acknowledged %d\n", head.Size); err != nil {
			t.Fatal(err)
		}
	}
}

// Each fault in the file is noticed: by the full check always, by the check at every start
// where the fault touches the right edge or the head.
func TestFaultsAreNoticed(t *testing.T) {
	dir := t.TempDir()
	sound := filepath.Join(dir, "sound.db")
	store, log := create(t, sound), ledgerstoretest.NewLog(t)
	for range 14 {
		log.Grow(t, store, 50) // 700 entries: tiles 0 and 1, 188 entries on the edge
	}
	old := log.Prepare(t, 0).Head.Checkpoint
	log.Grow(t, store, 1)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	flipped := func(column, where string) string {
		return "SET " + column + " = flip_bit(" + column + ") WHERE " + where
	}
	for name, tt := range map[string]struct {
		edit  string
		start bool // noticed by SelfCheck
	}{
		"envelope on the edge":   {"UPDATE entry " + flipped("envelope", "idx = 650"), true},
		"envelope further left":  {"UPDATE entry " + flipped("envelope", "idx = 17"), false},
		"salt on the edge":       {"UPDATE entry " + flipped("leaf_salt", "idx = 512"), true},
		"salt further left":      {"UPDATE entry " + flipped("leaf_salt", "idx = 511"), false},
		"leaf hash on the edge":  {"UPDATE entry " + flipped("leaf_hash", "idx = 700"), true},
		"leaf hash further left": {"UPDATE entry " + flipped("leaf_hash", "idx = 0"), false},
		"time on the edge":       {"UPDATE entry SET logged_at = logged_at + 1 WHERE idx = 600", true},
		"time further left":      {"UPDATE entry SET logged_at = logged_at - 1 WHERE idx = 100", false},
		"last row gone":          {"DELETE FROM entry WHERE idx = 700", true},
		"row on the edge gone":   {"DELETE FROM entry WHERE idx = 513", true},
		"row further left gone":  {"DELETE FROM entry WHERE idx = 77", false},
		"tile changed":           {"UPDATE tile " + flipped("data", "n = 1"), true},
		"tile gone":              {"DELETE FROM tile WHERE n = 0", true},
		"tiles exchanged":        {"UPDATE tile SET data = (SELECT data FROM tile AS other WHERE other.n = 1 - tile.n)", true},
		"head size":              {"UPDATE head SET size = 700", true},
		"head root":              {"UPDATE head " + flipped("root", "1"), true},
		"head time":              {"UPDATE head SET logged_at = logged_at + 1", true},
		"checkpoint":             {"UPDATE head " + flipped("checkpoint", "1"), true},
		"checkpoint gone":        {"UPDATE head SET checkpoint = NULL", true},
		"head gone":              {"DELETE FROM head", true},
		"index damaged":          {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_tile_1') WHERE name = 'entry_id'", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			copyFile(t, sound, path)
			edit(t, path, tt.edit)
			requireNoticed(t, path, log, tt.start)
		})
	}
	t.Run("head of an earlier state", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		copyFile(t, sound, path)
		edit(t, path, fmt.Sprintf("UPDATE head SET checkpoint = x'%x'", old))
		requireNoticed(t, path, log, true)
	})
	t.Run("another log's key", func(t *testing.T) {
		stranger := &ledgerstoretest.Log{Verifier: strangersKey(t)}
		requireNoticed(t, sound, stranger, true)
	})
	requireWhole(t, sound, log, 701)
}

// flip_bit returns a blob with one bit of its third byte changed, in the tests' SQL.
func init() {
	driver.MustRegisterDeterministicScalarFunction("flip_bit", 1, func(_ *driver.FunctionContext, args []sqldriver.Value) (sqldriver.Value, error) {
		blob, ok := args[0].([]byte)
		if !ok || len(blob) < 3 {
			return nil, errors.New("no blob to change")
		}
		blob = bytes.Clone(blob)
		blob[2] ^= 1
		return blob, nil
	})
}

func strangersKey(t *testing.T) note.Verifier {
	t.Helper()
	_, vkey, err := ledger.GenerateKey(bytes.NewReader(make([]byte, 32)), ledgerstoretest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := ledger.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// requireNoticed checks that a faulty ledger is found out.
func requireNoticed(t *testing.T, path string, log *ledgerstoretest.Log, atStart bool) {
	t.Helper()
	store := open(t, path)
	defer store.Close()
	if _, _, err := ledgerstore.SelfCheck(t.Context(), store, log.Verifier); atStart != errors.Is(err, ledgerstore.ErrDamaged) || !atStart && err != nil {
		t.Errorf("SelfCheck: %v, want ErrDamaged: %v", err, atStart)
	}
	if err := ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{}); !errors.Is(err, ledgerstore.ErrDamaged) {
		t.Errorf("FullCheck: %v, want ErrDamaged", err)
	}
}

// A row beyond the head, which no append of ours can leave, stops the next append.
func TestRowBeyondTheHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	store, log := create(t, path), ledgerstoretest.NewLog(t)
	log.Grow(t, store, 5)
	edit(t, path, "INSERT INTO entry SELECT 5, zeroblob(16), logged_at, leaf_hash, leaf_salt, body_salt, envelope, body FROM entry WHERE idx = 4")
	b := log.Prepare(t, 1)
	if err := b.AppendTo(t.Context(), store); !errors.Is(err, ledgerstore.ErrDamaged) {
		t.Errorf("Append: %v, want ErrDamaged", err)
	}
}
