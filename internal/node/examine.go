// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/ledgerstore"
	"truceline/internal/local"
	"truceline/internal/projection"
	"truceline/ledger"
)

// Rebuild throws the tables away and folds the ledger again.
func (n *Node) Rebuild(ctx context.Context) error {
	n.follow() // nobody else may fold meanwhile
	n.wg.Wait()
	if err := n.Projection.Reset(ctx); err != nil {
		return err
	}
	return n.catchUp(ctx)
}

// Finding is what one examination found.
type Finding struct {
	What string // what was examined
	Err  error  // what is wrong and what to do; nil if nothing
	Note string
}

func (f Finding) String() string {
	switch {
	case f.Err != nil:
		return f.What + ": " + f.Err.Error()
	case f.Note != "":
		return f.What + ": " + f.Note
	}
	return f.What
}

// Examine checks the node in dir from its files up, and tells each finding as it is
// made. It changes nothing. The error is for an examination that could not be made
// at all.
func Examine(ctx context.Context, dir string, opts Options, tell func(Finding)) error {
	priv, _, err := local.Open(dir)
	if err != nil {
		return err
	}
	tell(Finding{What: "configuration", Note: priv.Path(local.ConfigFile)})
	tell(examineKeys(priv))
	n, err := Open(ctx, dir, opts)
	if err != nil {
		tell(Finding{What: "open the node", Err: err})
		return nil
	}
	defer n.Close()
	head := n.Registry.Head()
	tell(Finding{What: "rules", Note: fmt.Sprintf("all %d records are admitted by them", head.Size)})
	verifier, err := ledger.NewVerifier(n.Config.LogKey)
	if err == nil {
		err = ledgerstore.FullCheck(ctx, n.store, verifier, ledgerstore.FullCheckOptions{Progress: n.progress("check the ledger")})
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	tell(Finding{What: "ledger", Err: err, Note: fmt.Sprintf("every leaf, tile and the signed head of %d records", head.Size)})
	tell(n.examineProjection(ctx))
	return ctx.Err()
}

// examineKeys looks that nobody else can read the secret keys.
func examineKeys(priv *local.Store) Finding {
	f := Finding{What: "keys"}
	names, err := priv.Keys()
	if err != nil {
		f.Err = err
		return f
	}
	for _, name := range names {
		path := priv.Path(filepath.Join("keys", name+".key"))
		if info, err := os.Stat(path); err != nil {
			f.Err = err
		} else if info.Mode().Perm()&0o077 != 0 {
			f.Err = fmt.Errorf("others can read %s: run chmod 600 on it, and rotate the key if they may have", path)
		}
	}
	f.Note = fmt.Sprintf("%d, readable by their owner only", len(names))
	return f
}

// examineProjection folds the ledger into tables of its own and compares.
func (n *Node) examineProjection(ctx context.Context) Finding {
	f := Finding{What: "tables"}
	f.Err = func() error {
		if err := n.Sync(ctx); err != nil {
			return err
		}
		dir, err := os.MkdirTemp("", "truceline-doctor-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		fresh, err := projection.Open(ctx, filepath.Join(dir, local.ProjectionFile))
		if err != nil {
			return err
		}
		defer fresh.Close()
		size, err := n.Projection.Applied(ctx)
		if err != nil {
			return err
		}
		if err := fresh.CatchUp(ctx, n.store, size, n.progress("fold the ledger again")); err != nil {
			return err
		}
		have, want := sha256.New(), sha256.New()
		if err := n.Projection.Dump(ctx, have); err != nil {
			return err
		}
		if err := fresh.Dump(ctx, want); err != nil {
			return err
		}
		if !bytes.Equal(have.Sum(nil), want.Sum(nil)) {
			return fmt.Errorf("they are not what the ledger gives: run truceline rebuild")
		}
		return nil
	}()
	f.Note = "equal to a new fold of the ledger"
	return f
}
