// SPDX-License-Identifier: Apache-2.0

// Package reprint makes an empty folder into a node that reads: from a bag of everything that
// one reader may have (docs/formats/bag.md). It is a copy, and stays as it is. It has no keys,
// signs nothing, hands nothing in and talks to nobody; its pages, its log and what is
// exported from it are those of the bag.
//
// In the folder stand the bag itself, byte for byte as it was checked, a small file that says
// what the folder is, and tables, which are computed from the bag and can be thrown away.
package reprint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/local"
	"truceline/internal/projection"
	"truceline/internal/takeout"
	"truceline/mechanism"
	"truceline/record"
)

// bagFolder is where the bag stands.
const bagFolder = "bag"

// BagFolder is where the bag stands from which the copy in dir was made.
func BagFolder(dir string) string { return filepath.Join(dir, bagFolder) }

// config says what the folder is.
type config struct {
	Format int    `json:"format"`  // 1
	LogKey string `json:"log_key"` // with which the bag was checked
}

// Is tells whether the folder was made from a bag.
func Is(dir string) bool {
	_, err := os.Stat(local.New(dir).Path(local.ReprintFile))
	return err == nil
}

func readConfig(dir string) (*config, error) {
	path := local.New(dir).Path(local.ReprintFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open the copy: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	c := new(config)
	if err := dec.Decode(c); err != nil {
		return nil, fmt.Errorf("open the copy: %s is not what truceline wrote: %w; make the copy again from its bag", path, err)
	}
	if c.Format != 1 {
		return nil, fmt.Errorf("open the copy: %s has format %d, this program knows 1: update truceline", path, c.Format)
	}
	return c, nil
}

// Reprint is a copy that is open. Tables, Line, Read, Proof and Filing are safe for
// concurrent use.
type Reprint struct {
	*takeout.Payload
	Tables  *projection.DB
	Mission record.ID
	Origin  string

	state *mechanism.State // of what was given; nil where nobody asks for it, or it is not to be had
}

// Open opens the copy in dir, and brings its tables up to the bag if they are not.
func Open(ctx context.Context, dir string, progress func(what string, done, total int64)) (*Reprint, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	r := new(Reprint)
	if err := r.open(ctx, dir, c, progress); err != nil {
		return nil, errors.Join(fmt.Errorf("open the copy in %s: %w; if the disk has lost something, make the copy again from its bag", dir, err), r.Close())
	}
	return r, nil
}

func (r *Reprint) open(ctx context.Context, dir string, c *config, progress func(what string, done, total int64)) (err error) {
	if r.Payload, err = takeout.OpenPayload(ctx, BagFolder(dir), c.LogKey); err != nil {
		return err
	}
	for l, err := range r.Logged(ctx) {
		if err != nil {
			return err
		}
		st, err := statement(l)
		if err != nil {
			return err
		}
		r.Mission, r.Origin = st.Mission, st.Origin
		break
	}
	if r.Tables, err = projection.Open(ctx, filepath.Join(dir, local.ProjectionFile)); err != nil {
		return err
	}
	head, _ := r.Head(ctx)
	step := func(done, total int64) {
		if progress != nil {
			progress("fold the records", done, total)
		}
	}
	if err := r.Tables.CatchUp(ctx, r.Payload, head.Size, step); err != nil {
		return err
	}
	return r.fold(ctx)
}

// Close ends the reading.
func (r *Reprint) Close() error {
	var errs []error
	if r.Tables != nil {
		errs = append(errs, r.Tables.Close())
	}
	if r.Payload != nil {
		errs = append(errs, r.Payload.Close())
	}
	return errors.Join(errs...)
}

func statement(l *record.Line) (*record.Statement, error) {
	e, err := record.ParseEnvelope(l.Envelope)
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", l.Index, err)
	}
	st, err := e.Statement()
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", l.Index, err)
	}
	return st, nil
}
