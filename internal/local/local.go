// SPDX-License-Identifier: Apache-2.0

// Package local is a node's private, durable store: its configuration and its keys.
// Nothing in it can be computed from the ledger, and nothing in it belongs there.
// It is a folder of small files, each written whole or not at all.
package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"truceline/record"
)

// Names of what stands in a node's folder.
const (
	ConfigFile     = "truceline.json"
	ReprintFile    = "reprint.json" // in its place, in a folder made from a bag
	LedgerFile     = "ledger.db"
	ProjectionFile = "projection.db"
	SealedFolder   = "sealed"          // what opens accounts that were sealed here
	AttestedFolder = "attested"        // of a member: for which sealed account of others it gave its word
	PublicFile     = "public.db"       // tables of what everybody may read, where that is less
	OfficeFile     = "office.db"       // officers, sign-ins, drafts: precious, in no ledger
	CopiesFolder   = "copies"          // archived copies of documents, by their SHA-256
	ImportsFolder  = "imports"         // files handed in through the pages, and their reports
	CheckpointFile = "checkpoint.lock" // the newest head this node has seen signed
	HeldFile       = "held.note"       // of a member's copy: the newest signed head of which it has all
	OutboxFile     = "outbox.db"       // of a member: signed records that wait for the registry
	WitnessFile    = "witness.db"      // of a member: what its witness has cosigned
	CosignedFile   = "cosigned.db"     // checkpoints with their cosignatures
	AlarmFile      = "alarms.json"     // what this node found wrong with others
	LineFile       = "line.json"       // of a member: when the registry last answered
	EvidenceFolder = "evidence"        // proofs of it, to show to others
	useFile        = "serving.lock"    // empty; commands hold a lock on it while they use the folder
	keyFolder      = "keys"
	refusalFolder  = "refusals"
)

// Config is what a node knows about itself. It holds no secret.
type Config struct {
	Format  int       `json:"format"` // 1
	LogKey  string    `json:"log_key"`
	Mission record.ID `json:"mission"`
	// Officers maps member codes to the officer that files from this node when nobody
	// is signed in.
	Officers map[string]record.ID `json:"officers,omitempty"`
	Origin   string               `json:"origin"`
	Registry string               `json:"registry"` // member code
	// Member is whose node this is; empty in the registry's own.
	Member string `json:"member,omitempty"`
	// RegistryURL is where a member's node reaches the registry, without a slash at the end.
	RegistryURL string `json:"registry_url,omitempty"`
	// URL is where others reach this node, without a slash at the end; empty: not at all.
	URL string `json:"url,omitempty"`
	// Lock is a file on another disk or machine that keeps the newest signed head, too.
	Lock string `json:"lock,omitempty"`
}

// Store is the folder of one node.
type Store struct{ dir string }

// Open returns the store in dir, which must have been made by truceline init.
func Open(dir string) (*Store, *Config, error) {
	s := &Store{dir}
	b, err := os.ReadFile(s.Path(ConfigFile))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(s.Path(ReprintFile)); err == nil {
			return nil, nil, fmt.Errorf("open the node in %s: it is a copy made from a bag, has no keys and can only be read: truceline serve, doctor and export all work on it; to go on as a member, join or restore", dir)
		}
		return nil, nil, fmt.Errorf("open the node in %s: there is no %s; make a node with: truceline init --data %s --agreement FILE --origin HOST/PATH", dir, ConfigFile, dir)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open the node: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	c := new(Config)
	if err := dec.Decode(c); err != nil {
		return nil, nil, fmt.Errorf("open the node: %s is not what truceline wrote: %w; restore it from a backup", s.Path(ConfigFile), err)
	}
	if c.Format != 1 {
		return nil, nil, fmt.Errorf("open the node: %s has format %d, this program knows 1: update truceline", s.Path(ConfigFile), c.Format)
	}
	return s, c, nil
}

// New is the store of a node that is being made in dir, an existing folder.
func New(dir string) *Store { return &Store{dir} }

// Path is where a file of the node stands.
func (s *Store) Path(name string) string { return filepath.Join(s.dir, name) }

// SaveConfig writes the configuration.
func (s *Store) SaveConfig(c *Config) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(s.Path(ConfigFile), append(b, '\n'), 0o600)
}

// SaveKey writes a secret key under a name, for the owner's eyes only.
func (s *Store) SaveKey(name, secret string) error {
	if err := os.MkdirAll(s.Path(keyFolder), 0o700); err != nil {
		return fmt.Errorf("save key %s: %w", name, err)
	}
	return WriteFile(s.keyPath(name), []byte(secret+"\n"), 0o600)
}

// Key reads a secret key.
func (s *Store) Key(name string) (string, error) {
	b, err := os.ReadFile(s.keyPath(name))
	if err != nil {
		return "", fmt.Errorf("read key %s: %w; without it this node cannot sign: restore the folder %s from a backup", name, err, s.Path(keyFolder))
	}
	return strings.TrimSuffix(string(b), "\n"), nil
}

// Keys lists the names of the keys here.
func (s *Store) Keys() ([]string, error) {
	entries, err := os.ReadDir(s.Path(keyFolder))
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".key"); ok {
			out = append(out, name)
		}
	}
	return out, nil
}

func (s *Store) keyPath(name string) string {
	return filepath.Join(s.dir, keyFolder, name+".key")
}

// SaveRefusal keeps a registry's signed refusal, and tells where.
func (s *Store) SaveRefusal(name string, signed []byte) (string, error) {
	if err := os.MkdirAll(s.Path(refusalFolder), 0o700); err != nil {
		return "", fmt.Errorf("keep the signed refusal: %w", err)
	}
	path := filepath.Join(s.dir, refusalFolder, name)
	return path, WriteFile(path, signed, 0o600)
}

// WriteFile writes a file so that after a crash it is either the old one or the new
// one, whole: temporary file, fsync, rename, fsync of the folder.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // fails once renamed
	_, err = io.Copy(f, bytes.NewReader(data))
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// SyncDir makes renames and new files in dir durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// TakePlace gives the folder tmp the name dir, durably: the commit point of whatever makes
// a folder whole or not at all. A folder of that name may be there if it is empty, which
// os.Rename would refuse; if it is not, nothing is changed.
func TakePlace(tmp, dir string) error {
	if err := syscall.Rename(tmp, dir); err != nil {
		return &os.LinkError{Op: "rename", Old: tmp, New: dir, Err: err}
	}
	return SyncDir(filepath.Dir(dir))
}
