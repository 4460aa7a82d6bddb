// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"truceline/internal/blobstore"
	"truceline/internal/ledgerstore"
	"truceline/internal/local"
	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/mechanism"
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
	priv, cfg, err := local.Open(dir)
	if err != nil {
		return err
	}
	tell(Finding{What: "configuration", Note: priv.Path(local.ConfigFile)})
	tell(examineKeys(priv))
	n := newNode(priv, cfg, opts)
	defer n.Close()
	if err := n.openLedger(ctx, priv); err != nil {
		tell(Finding{What: "open the node", Err: err})
		return nil
	}
	tell(Finding{What: "rules", Note: fmt.Sprintf("all %d records are admitted by them", n.Head().Size)})
	tell(n.examineSigners())
	err = ledgerstore.FullCheck(ctx, n.store, n.heads, ledgerstore.FullCheckOptions{Progress: n.progress("check the ledger")})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	tell(Finding{What: "ledger", Err: err, Note: fmt.Sprintf("every leaf, tile and the signed head of %d records", n.Head().Size)})
	tell(Finding{What: "history", Err: n.checkLock(ctx), Note: "it continues what this node has seen signed"})
	tell(n.examineProjection(ctx))
	tell(n.examineModel(ctx))
	tell(n.examineOffice(ctx))
	tell(n.examineCopies(ctx))
	return n.examineOthers(ctx, tell)
}

// examineCopies looks that every archived copy is what its name says.
func (n *Node) examineCopies(ctx context.Context) Finding {
	files, err := blobstore.Check(ctx, n.private.Path(local.CopiesFolder))
	return Finding{What: "archived copies", Err: err, Note: fmt.Sprintf("%d, each what its hash says", files)}
}

// examineOffice looks at the officers' book.
func (n *Node) examineOffice(ctx context.Context) Finding {
	f := Finding{What: "office"}
	officers, err := office.Check(ctx, n.private.Path(local.OfficeFile))
	switch {
	case errors.Is(err, office.ErrNone):
		f.Note = "none: nobody was enrolled from this node"
	case err != nil:
		f.Err = err
	default:
		f.Note = fmt.Sprintf("whole, %d officers", officers)
	}
	return f
}

// examineSigners looks that every member key here may sign.
func (n *Node) examineSigners() Finding {
	f := Finding{What: "roster", Note: fmt.Sprintf("%d member keys here, each of a member and valid", len(n.signers))}
	n.ledger.View(func(s *mechanism.State) {
		for _, code := range slices.Sorted(maps.Keys(n.signers)) {
			key := "the key keys/" + memberKeyName(code) + ".key"
			public := n.signers[code].Key()
			owner, _, until, ok := s.KeyOf(public.ID())
			switch _, member := s.Member(code); {
			case !member:
				f.Err = errors.Join(f.Err, fmt.Errorf("%s: there is no member %s on the roster: the registry refuses what it signs; move it away, or have the member admitted", key, code))
			case !ok || owner != code:
				f.Err = errors.Join(f.Err, fmt.Errorf("%s is not one of member %s's in the ledger: the registry refuses what it signs; put the member's key back from a backup", key, code))
			case until >= 0:
				f.Err = errors.Join(f.Err, fmt.Errorf("%s is not valid since record %d: the registry refuses what it signs; put the member's newest key here", key, until))
			}
		}
	})
	return f
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

// examineProjection folds the ledger into tables of its own and compares. A running
// server may use the tables meanwhile.
func (n *Node) examineProjection(ctx context.Context) Finding {
	f := Finding{What: "tables", Note: "equal to a new fold of the ledger"}
	tables, err := projection.OpenExisting(ctx, n.private.Path(local.ProjectionFile))
	if errors.Is(err, projection.ErrOther) {
		f.Note = "none of this version of the program; the next start makes them"
		return f
	}
	if err != nil {
		f.Err = fmt.Errorf("%w; look whether another program holds the file; if it is damaged, stop the server and run truceline rebuild", err)
		return f
	}
	defer tables.Close()
	if f.Err = n.compare(ctx, tables); errors.Is(f.Err, errDiffers) {
		f.Err = fmt.Errorf("%w: stop the server and run truceline rebuild", f.Err)
	}
	return f
}

var errDiffers = errors.New("they are not what the ledger gives")

func (n *Node) compare(ctx context.Context, tables *projection.DB) error {
	ours, err := tables.Continues(ctx, n.store)
	if err != nil {
		return err
	}
	if !ours {
		return fmt.Errorf("%w, but another mission's", errDiffers)
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
	for range 20 {
		size, err := tables.Applied(ctx)
		if err != nil {
			return err
		}
		if err := fresh.CatchUp(ctx, n.readable(), size, n.progress("fold the ledger again")); err != nil {
			return err
		}
		have, want := sha256.New(), sha256.New()
		if err := errors.Join(tables.Dump(ctx, have), fresh.Dump(ctx, want)); err != nil {
			return err
		}
		if bytes.Equal(have.Sum(nil), want.Sum(nil)) {
			return nil
		}
		// They may have moved on while they were read.
		now, err := tables.Applied(ctx)
		if err != nil {
			return err
		}
		if now == size {
			return errDiffers
		}
	}
	return errors.New("they grow too fast to be compared: try again when less is filed, or stop the server")
}
