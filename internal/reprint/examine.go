// SPDX-License-Identifier: Apache-2.0

package reprint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/internal/takeout"
	"truceline/verify"
)

// Examine checks the copy in dir from its files up, and tells each finding as it is made. It
// changes nothing in it. The error is for an examination that could not be made at all.
func Examine(ctx context.Context, dir string, progress func(what string, done, total int64), tell func(node.Finding)) error {
	c, err := readConfig(dir)
	if err != nil {
		return err
	}
	tell(node.Finding{What: "configuration", Note: local.New(dir).Path(local.ReprintFile) + ": a copy that was made from a bag; it has no keys"})
	report, err := takeout.Check(ctx, BagFolder(dir), takeout.CheckOptions{Log: verify.Options{Key: c.LogKey}, Progress: progress})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := node.Finding{What: "bag", Err: err}
	if err == nil {
		f.Note = fmt.Sprintf("whole; %d of %d records, verified, and every table is what they say", report.Lines, report.Records)
		if report.Outcome() != verify.Good && !report.OnlyMissing() {
			f.Err = fmt.Errorf("%w; truceline verify bag %s names what is wrong; make the copy again from its bag", ErrWrong, BagFolder(dir))
		}
	}
	tell(f)
	if f.Err != nil {
		return nil
	}
	err = examineTables(ctx, dir, c.LogKey)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	tell(node.Finding{What: "tables", Err: err, Note: "they are what the bag gives"})
	return nil
}

// examineTables computes the tables again elsewhere, and compares.
func examineTables(ctx context.Context, dir, key string) (err error) {
	path := filepath.Join(dir, local.ProjectionFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil // they are made at the next start
	}
	have, err := projection.OpenExisting(ctx, path)
	if errors.Is(err, projection.ErrOther) {
		return nil // as above
	}
	if err != nil {
		return err
	}
	defer have.Close()
	p, err := takeout.OpenPayload(ctx, BagFolder(dir), key)
	if err != nil {
		return err
	}
	defer p.Close()
	tmp, err := os.MkdirTemp("", "truceline-tables-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	want, err := projection.Open(ctx, filepath.Join(tmp, local.ProjectionFile))
	if err != nil {
		return err
	}
	defer want.Close()
	head, _ := p.Head(ctx)
	if err := want.CatchUp(ctx, p, head.Size, nil); err != nil {
		return err
	}
	var sums [2][]byte
	for i, db := range []*projection.DB{have, want} {
		h := sha256.New()
		if err := db.Dump(ctx, h); err != nil {
			return err
		}
		sums[i] = h.Sum(nil)
	}
	if !bytes.Equal(sums[0], sums[1]) {
		return fmt.Errorf("they are not what the bag gives: stop the server, remove %s and start it again", path)
	}
	return nil
}
