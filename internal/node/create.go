// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"truceline/agreement"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/local"
	"truceline/ledger"
	"truceline/record"
)

// Creation says what mission a new node serves.
type Creation struct {
	Agreement []byte // the agreement file
	// Origin names the log: a URL prefix without scheme. "{mission}" in it stands for
	// the first eight digits of the mission's id.
	Origin string
	// Invited are members that join later, from nodes of their own: they are not on the
	// roster until then. Others without a node are admitted at once, without keys.
	Invited []string
	// Continues is the last signed head of a log that this one takes the place of.
	Continues *record.Continued
	// Lock is a file on another disk or machine that keeps the newest signed head, too.
	Lock string
	Now  func() time.Time
	Rand io.Reader
}

// Create makes a node in dir: keys for the registry and for the desks of the
// agreement, a ledger, and the records that open the mission. dir must not exist, or
// be empty. Either the whole node is there afterwards or nothing.
func Create(ctx context.Context, dir string, c Creation) (err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("make a node in %s: the folder is not empty; choose another, or serve the node that is there: truceline serve --data %s", dir, dir)
	}
	file, err := agreement.Load(bytes.NewReader(c.Agreement))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("make a node: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fmt.Errorf("make a node: %w", err)
	}
	defer os.RemoveAll(tmp) // gone once renamed
	if c.Lock != "" {
		if c.Lock, err = lockPath(dir, c.Lock); err != nil {
			return fmt.Errorf("make a node in %s: %w", dir, err)
		}
		defer func() {
			if err != nil {
				os.Remove(c.Lock) // it was not there before
			}
		}()
	}
	if err := create(ctx, tmp, file.Pack, c); err != nil {
		return fmt.Errorf("make a node in %s: %w", dir, err)
	}
	if err := local.TakePlace(tmp, dir); err != nil {
		return fmt.Errorf("make a node: %w", err)
	}
	return nil
}

// lockPath is where the second lock of a new node is to stand: not in its folder, and not
// where something stands.
func lockPath(dir, path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if in, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(in) {
		return "", fmt.Errorf("keep the newest head in %s, too: that is inside the node's folder, and goes back in time with it; name a file on another disk or machine", path)
	}
	switch _, err := os.Lstat(path); {
	case err == nil:
		return "", fmt.Errorf("keep the newest head in %s, too: there is such a file; it may guard another log: name another, or, if it is what an init that was cut short has left, remove it", path)
	case !os.IsNotExist(err):
		return "", fmt.Errorf("keep the newest head in %s, too: %w", path, err)
	}
	return path, nil
}

// Leftovers are folders beside dir that a Create of dir which was killed has left.
func Leftovers(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+"-*", local.ConfigFile))
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

func create(ctx context.Context, dir string, pack *agreement.Pack, c Creation) error {
	mission, err := record.NewID(c.Rand)
	if err != nil {
		return err
	}
	origin := string(bytes.ReplaceAll([]byte(c.Origin), []byte("{mission}"), []byte(mission.String()[:8])))
	if !record.ValidOrigin(origin) {
		return fmt.Errorf("origin %q is not a host and path without scheme and without a slash at the end: write for example truce.example/line", origin)
	}
	skey, vkey, err := ledger.GenerateKey(c.Rand, origin)
	if err != nil {
		return err
	}
	priv := local.New(dir)
	if err := priv.SaveKey(logKeyName, skey); err != nil {
		return err
	}
	cfg := &local.Config{Format: 1, Lock: c.Lock, LogKey: vkey, Mission: mission, Origin: origin, Officers: map[string]record.ID{}}
	for _, code := range c.Invited {
		if !slices.ContainsFunc(pack.Members, func(m agreement.Member) bool {
			return m.Code == code && m.Role != record.RegistryRole && m.Role != record.DeskRole
		}) {
			return fmt.Errorf("%s cannot be invited: the agreement names no such member, or it is the registry or a desk, whose keys are made here", code)
		}
	}
	seeds := map[string][]byte{}
	for _, m := range pack.Members {
		if m.Role == record.RegistryRole {
			cfg.Registry = m.Code
		}
		if m.Role != record.RegistryRole && m.Role != record.DeskRole {
			continue
		}
		seed := make([]byte, 32)
		if _, err := io.ReadFull(c.Rand, seed); err != nil {
			return fmt.Errorf("draw a key: %w", err)
		}
		if err := priv.SaveKey(memberKeyName(m.Code), base64.StdEncoding.EncodeToString(seed)); err != nil {
			return err
		}
		seeds[m.Code] = seed
		if m.Role == record.DeskRole {
			if cfg.Officers[m.Code], err = record.NewID(c.Rand); err != nil {
				return err
			}
		}
	}
	if err := priv.SaveConfig(cfg); err != nil {
		return err
	}
	store, err := sqlite.Create(ctx, priv.Path(local.LedgerFile))
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	n, err := Open(ctx, dir, Options{Now: c.Now, Rand: c.Rand})
	if err != nil {
		return err
	}
	return firstErr(n.openMission(ctx, pack, seeds, c), n.Close())
}

func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// openMission files the records with which every ledger begins.
func (n *Node) openMission(ctx context.Context, pack *agreement.Pack, seeds map[string][]byte, c Creation) error {
	admission := func(m agreement.Member) (*record.Admission, error) {
		a := &record.Admission{Code: m.Code, Name: m.Name.In("en"), Role: m.Role}
		if seed, ok := seeds[m.Code]; ok {
			signer, err := record.NewSigner(seed)
			if err != nil {
				return nil, err
			}
			a.Keys = []record.Key{signer.Key()}
		}
		return a, nil
	}
	var drafts []Draft
	add := func(kind record.Kind, body record.Body) {
		drafts = append(drafts, Draft{Kind: kind, Member: n.Config.Registry, Body: body})
	}
	for _, m := range pack.Members {
		if m.Role != record.RegistryRole {
			continue
		}
		a, err := admission(m)
		if err != nil {
			return err
		}
		add(record.MissionOpened, &record.Mission{Continues: c.Continues, LogKey: n.Config.LogKey, Registry: *a, Title: pack.Title.In("en")})
	}
	parts, err := pack.Parts(1)
	if err != nil {
		return err
	}
	for _, p := range parts {
		add(record.AgreementAdopted, p)
	}
	for _, m := range pack.Members {
		if m.Role == record.RegistryRole || slices.Contains(c.Invited, m.Code) {
			continue
		}
		a, err := admission(m)
		if err != nil {
			return err
		}
		add(record.MemberAdmitted, a)
	}
	for _, m := range pack.Members {
		if officer, ok := n.Config.Officers[m.Code]; ok {
			drafts = append(drafts, Draft{Kind: record.OfficerEnrolled, Member: m.Code, Body: &record.Enrolment{Officer: officer}})
		}
	}
	for _, d := range drafts {
		if _, err := n.file(ctx, d, pack.Exercise); err != nil {
			return fmt.Errorf("file %s: %w", d.Kind, err)
		}
	}
	return nil
}
