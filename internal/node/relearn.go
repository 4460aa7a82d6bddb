// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"truceline/internal/local"
	"truceline/internal/projection"
	"truceline/record"
)

// ErrOtherModel is what Relearn says where the numbers of a model are not those that its
// records give.
var ErrOtherModel = errors.New("the model is not what its records give")

// Relearn learns a model again from the records of the ledger that it names, in tables of
// their own that are thrown away, and compares the numbers and the root. It is nil where
// they are the same, an ErrOtherModel where they are not, and a *record.UpdateError where
// the model is of a schema that is not known here. It changes nothing, may take minutes,
// and ends when ctx does.
func (n *Node) Relearn(ctx context.Context, f *projection.Fitted, progress func(done, total int64)) error {
	if err := f.Known(); err != nil {
		return err
	}
	if f.Size < 1 || f.Size > n.Log().Head().Size {
		return fmt.Errorf("%w: it names %d records, and the ledger here has %d", ErrOtherModel, f.Size, n.Log().Head().Size)
	}
	root, err := n.Log().Root(ctx, f.Size)
	if err != nil {
		return err
	}
	if record.Digest(root) != f.Root {
		return fmt.Errorf("%w: the ledger's tree of %d records has another root", ErrOtherModel, f.Size)
	}
	dir, err := os.MkdirTemp("", "truceline-relearn-*")
	if err != nil {
		return fmt.Errorf("make tables to learn from: %w", err)
	}
	defer os.RemoveAll(dir)
	tables, err := projection.Open(ctx, filepath.Join(dir, "tables.db"))
	if err != nil {
		return err
	}
	defer tables.Close()
	if err := tables.CatchUp(ctx, n.Store(), f.Size, progress); err != nil {
		return err
	}
	p, size, err := tables.FitLinkage(ctx)
	if err != nil {
		return err
	}
	if size != f.Size || !reflect.DeepEqual(p.Record(), f.Params.Record()) {
		return fmt.Errorf("%w: learnt again, the numbers are others", ErrOtherModel)
	}
	return nil
}

// examineModel learns the model in force again and compares.
func (n *Node) examineModel(ctx context.Context) Finding {
	f := Finding{What: "model", Note: "none was fitted"}
	tables, err := projection.OpenExisting(ctx, n.private.Path(local.ProjectionFile))
	if errors.Is(err, projection.ErrOther) {
		f.Note = "not looked at: there are no tables of this version of the program"
		return f
	}
	if err != nil {
		f.Err = err
		return f
	}
	defer tables.Close()
	m, ok, err := tables.LinkageInForce(ctx)
	switch {
	case err != nil:
		f.Err = err
	case ok:
		f.Note = fmt.Sprintf("record %d, what the first %d records give", m.Index, m.Size)
		if f.Err = n.Relearn(ctx, &m, n.progress("learn the model again")); errors.Is(f.Err, ErrOtherModel) {
			f.Err = fmt.Errorf("record %d: %w: ask the member %s that filed it, and undo it with truceline do act.undo", m.Index, f.Err, m.Member)
		}
	}
	return f
}
