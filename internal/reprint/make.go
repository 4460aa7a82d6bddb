// SPDX-License-Identifier: Apache-2.0

package reprint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"truceline/internal/bag"
	"truceline/internal/local"
	"truceline/internal/takeout"
	"truceline/verify"
)

// Errors of Make.
var (
	ErrNotEmpty = errors.New("the folder is not empty; choose another, or move what is there away")
	// ErrWrong: the bag is not what it should be. The report says what is wrong.
	ErrWrong = errors.New("the bag does not verify")
)

// Options say how a copy is made.
type Options struct {
	// Log are the options with which the log in the bag is verified: its key, the policy.
	Log verify.Options
	// Progress, if set, hears of each step: what, how much of how much.
	Progress func(what string, done, total int64)
}

// Made is what was made.
type Made struct {
	Report *takeout.Report // of the check, which found nothing wrong
	// Named are archived copies that documents name, and Missing those that the bag has not.
	Named, Missing int
	Organization   string // whose node wrote the bag
	Date           string // YYYY-MM-DD
	Reader         takeout.Viewer
	LoggedAt       int64 // of the last record given, Unix milliseconds
}

// Make makes the folder dir, which must not exist or be empty, into a copy of what is in the
// bag. The bag is copied, the copy is checked, the tables are made; then the folder gets its
// name. After an error, or when ctx ends, dir is as it was. A process that dies leaves a
// folder beside it, which the next one throws away. With ErrWrong the report is in Made.
func Make(ctx context.Context, from, dir string, o Options) (*Made, error) {
	m, err := makeIn(ctx, from, dir, o)
	if err != nil {
		err = fmt.Errorf("make a copy of the bag %s in %s: %w", from, dir, err)
	}
	return m, err
}

func makeIn(ctx context.Context, from, dir string, o Options) (m *Made, err error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := empty(dir); err != nil {
		return nil, err
	}
	if err := apart(from, dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	tmp := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+"-import")
	mark, err := begin(tmp)
	if err != nil {
		return nil, err
	}
	defer mark.Close()
	defer os.RemoveAll(tmp) // gone once renamed
	if err := bag.Copy(ctx, from, BagFolder(tmp), func(done, total int64) { o.Progress("copy the files", done, total) }); err != nil {
		return nil, err
	}
	m = new(Made)
	if m.Report, err = takeout.Check(ctx, BagFolder(tmp), takeout.CheckOptions{Log: o.Log, Progress: o.Progress}); err != nil {
		return nil, err
	}
	if m.Report.Outcome() != verify.Good && !m.Report.OnlyMissing() {
		return m, ErrWrong
	}
	if err := write(tmp, &config{Format: 1, LogKey: m.Report.Log.Key}); err != nil {
		return nil, err
	}
	if err := m.describe(ctx, tmp, o); err != nil {
		return nil, err
	}
	if err := errors.Join(local.SyncDir(tmp), ctx.Err()); err != nil {
		return nil, err
	}
	// The commit point. It fails if something was put into the folder meanwhile.
	if err := local.TakePlace(tmp, dir); err != nil {
		return nil, fmt.Errorf("give the folder its name: %w", err)
	}
	return m, nil
}

// empty wants no folder, or an empty one.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && len(entries) > 0:
		return ErrNotEmpty
	}
	return err
}

// apart wants the folder outside of the bag, which would be another one with it.
func apart(from, dir string) error {
	from, err := filepath.Abs(from)
	if err == nil {
		from, err = filepath.EvalSymlinks(from)
	}
	if err != nil {
		return err
	}
	up := dir // as far as it is there
	for {
		if real, err := filepath.EvalSymlinks(up); err == nil {
			up = real
			break
		}
		if filepath.Dir(up) == up {
			break
		}
		up = filepath.Dir(up)
	}
	rel, err := filepath.Rel(from, up)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return errors.New("the folder is inside of the bag; choose another")
	}
	return nil
}

// begin makes the folder in which the copy is made, and throws away what a process that died
// has left of another there. One process has it until the file returned is closed.
func begin(tmp string) (*os.File, error) {
	if err := os.Mkdir(tmp, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	mark, err := local.New(tmp).Use(true)
	if errors.Is(err, local.ErrInUse) {
		return nil, fmt.Errorf("another import makes this folder now: %w", local.ErrInUse)
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(tmp)
	for _, e := range entries {
		if path := filepath.Join(tmp, e.Name()); path != mark.Name() {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	if err != nil {
		return nil, errors.Join(err, mark.Close())
	}
	return mark, nil
}

func write(dir string, c *config) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return local.WriteFile(local.New(dir).Path(local.ReprintFile), append(b, '\n'), 0o600)
}

// describe makes the tables, and finds out what there is to say.
func (m *Made) describe(ctx context.Context, dir string, o Options) error {
	r, err := Open(ctx, dir, o.Progress)
	if err != nil {
		return err
	}
	head, _ := r.Head(ctx)
	m.Organization, m.Date, m.Reader, m.LoggedAt = r.Organization, r.Date, r.Reader, head.LoggedAt
	m.Named, m.Missing, err = r.Copies(ctx)
	return errors.Join(err, r.Close())
}
