// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/local"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

// RestoreRegistry makes a registry's node again whose folder is lost and whose keys are
// not: the ledger comes from a copy of the log that is whole, the keys from a folder of key
// files. It goes on under the same origin; its start waits for the witnesses. dir must not
// exist or be empty, and either the whole node is there afterwards or nothing.
func RestoreRegistry(ctx context.Context, dir, keys string, from verify.Fetcher, opts Options) (out *CaughtUpLog, err error) {
	fail := func(err error) (*CaughtUpLog, error) {
		return nil, fmt.Errorf("make the registry's node again in %s: %w", dir, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fail(err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fail(errors.New("the folder is not empty; choose another"))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fail(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(tmp) // gone once renamed
	priv := local.New(tmp)
	if err := copyKeys(priv, keys); err != nil {
		return fail(err)
	}
	cfg, err := registryConfig(ctx, priv, from)
	if err != nil {
		return fail(err)
	}
	if err := priv.SaveConfig(cfg); err != nil {
		return fail(err)
	}
	store, err := sqlite.Create(ctx, priv.Path(local.LedgerFile))
	if err != nil {
		return fail(err)
	}
	if err := store.Close(); err != nil {
		return fail(err)
	}
	n := newNode(priv, cfg, opts)
	if err = n.openLedger(ctx, priv); err == nil {
		out, err = n.catchUpFrom(ctx, from)
	}
	if err == nil {
		cfg.Officers, err = n.ownOfficers(ctx)
	}
	if err = errors.Join(err, n.Close()); err != nil {
		return fail(err)
	}
	if err := priv.SaveConfig(cfg); err != nil {
		return fail(err)
	}
	if err := local.TakePlace(tmp, dir); err != nil {
		return fail(err)
	}
	return out, nil
}

// copyKeys copies the key files of a folder.
func copyKeys(to *local.Store, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".key")
		if !ok || !validBackupName(keysFolder+"/"+e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return fmt.Errorf("read the keys: %w", err)
		}
		if err := to.SaveKey(name, strings.TrimSuffix(string(b), "\n")); err != nil {
			return err
		}
	}
	return nil
}

// registryConfig makes the configuration of a registry's node from its log key and the
// first record of its log.
func registryConfig(ctx context.Context, priv *local.Store, from verify.Fetcher) (*local.Config, error) {
	skey, err := priv.Key(logKeyName)
	if err != nil {
		return nil, fmt.Errorf("%w. Without the log's key this log ends here: a new one takes its place, see truceline init --continues", err)
	}
	vkey, err := ledger.VerifierKey(skey)
	if err != nil {
		return nil, err
	}
	signed, err := from.Read(ctx, "checkpoint")
	if err != nil {
		return nil, fmt.Errorf("read the log's signed head: %w", err)
	}
	v, err := ledger.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	c, _, err := ledger.ParseCheckpoint(signed, v)
	if err != nil {
		return nil, fmt.Errorf("the copy's head is not one that this log key has signed: %w", err)
	}
	lines, err := recordLines(ctx, from, 0, min(c.Size, ledger.TileWidth))
	if err != nil {
		return nil, err
	}
	st := statementIn(lines[0])
	body, err := record.ParseBody(record.MissionOpened, lines[0].Body)
	if err != nil || st == nil {
		return nil, fmt.Errorf("the log's first record: %w", err)
	}
	code := body.(*record.Mission).Registry.Code
	return &local.Config{Format: 1, LogKey: vkey, Mission: st.Mission, Origin: v.Name(), Registry: code, Officers: map[string]record.ID{}}, nil
}

// ownOfficers finds the first officer of each member whose key is here, which files from
// this node when nobody is signed in.
func (n *Node) ownOfficers(ctx context.Context) (map[string]record.ID, error) {
	out := map[string]record.ID{}
	for e, err := range n.store.Entries(ctx, 0, n.ledger.Head().Size) {
		if err != nil {
			return nil, err
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			return nil, err
		}
		st, err := env.Statement()
		if err != nil {
			return nil, err
		}
		if st.Kind != record.OfficerEnrolled || n.signers[st.Member] == nil || !out[st.Member].IsZero() {
			continue
		}
		body, err := record.ParseBody(st.Kind, e.Body)
		if err != nil {
			return nil, err
		}
		out[st.Member] = body.(*record.Enrolment).Officer
	}
	return out, nil
}

// ReadContinued reads what a log that takes the place of another says of it: its last
// signed head. The former log is verified; bodies may be missing.
func ReadContinued(ctx context.Context, from verify.Fetcher, logKey string) (*record.Continued, error) {
	report, err := verify.Log(ctx, from, verify.Options{Key: logKey})
	if err != nil {
		return nil, err
	}
	if report.Outcome() != verify.Good && !report.OnlyMissing() {
		return nil, fmt.Errorf("continue another log: its copy does not verify: %s", report.Verdict())
	}
	root, err := tlog.ParseHash(report.Root)
	if err != nil {
		return nil, err
	}
	return &record.Continued{LogKey: report.Key, Origin: report.Origin, Root: record.Digest(root), Size: report.Size}, nil
}
