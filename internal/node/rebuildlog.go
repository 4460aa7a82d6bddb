// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/internal/local"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify"
)

// RebuiltLog is a log that was put together from mirrors.
type RebuiltLog struct {
	Head      ledger.Checkpoint
	Witnessed bool  // by the policy that was given
	Larger    int64 // size of a larger signed head that could not be used; 0: there is none
	Missing   int64 // records of which something is missing everywhere; see missing.jsonl
	First     []MissingRecord
	Own       int64    // own bodies, which no mirror can have; they are not missing
	Notes     []string // what was wrong with mirrors
	Report    *verify.Report
}

// RebuildOptions say how a log is put together.
type RebuildOptions struct {
	LogKey   string
	Policy   *quorum.Policy // asks for a head that it is met by; nil: any signed head
	Progress func(what string, done, total int64)
}

// Names of what RebuildLog writes in its folder.
const (
	RebuiltFolder = "log"           // the log, as an export has it
	MissingFile   = "missing.jsonl" // what nobody holds: a line of JSON each
)

// RebuildLog puts a log together from any number of mirrors, each of which may lack
// something, be damaged, or lie. It takes the largest signed head whose tree the mirrors
// together have, the largest witnessed one where a policy is given; every tile, entry and
// envelope from any mirror whose bytes lead to its root; and each body from any that has
// the one committed to. The log and the list of what nobody holds are in dir afterwards,
// which must not exist or be empty; after an error or a cancelled ctx there is nothing.
func RebuildLog(ctx context.Context, dir string, mirrors []*Mirror, o RebuildOptions) (out *RebuiltLog, err error) {
	fail := func(err error) (*RebuiltLog, error) { return nil, fmt.Errorf("rebuild the log: %w", err) }
	if dir, err = filepath.Abs(dir); err != nil {
		return fail(err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fail(fmt.Errorf("the folder %s is not empty; name a new one", dir))
	}
	v, err := ledger.NewVerifier(o.LogKey)
	if err != nil {
		return fail(err)
	}
	out = &RebuiltLog{}
	heads := out.heads(ctx, mirrors, v)
	if len(heads) == 0 {
		return fail(fmt.Errorf("no mirror has a head that this log has signed (%v)", out.Notes))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fail(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(tmp) // gone once renamed
	var reasons []error
	for _, h := range heads {
		witnessed := false
		if o.Policy != nil {
			r, err := o.Policy.Check(h.signed)
			if witnessed = err == nil && r.Witnessed; !witnessed {
				out.Larger = max(out.Larger, h.Size)
				continue
			}
		}
		tree, err := openMirrored(ctx, mirrors, h.Checkpoint)
		if err == nil {
			err = out.write(ctx, tmp, tree, h.signed, o.Progress)
		}
		if err == nil {
			out.Head, out.Witnessed = h.Checkpoint, witnessed
			break
		}
		if ctx.Err() != nil {
			return fail(ctx.Err())
		}
		out.Larger = max(out.Larger, h.Size)
		reasons = append(reasons, fmt.Errorf("the head of %d records: %w", h.Size, err))
		if err := os.RemoveAll(filepath.Join(tmp, RebuiltFolder)); err != nil {
			return fail(err)
		}
	}
	if out.Head.Size == 0 {
		if o.Policy != nil && len(reasons) == 0 {
			reasons = append(reasons, errors.New("no signed head meets the policy; without --policy the largest signed one is taken"))
		}
		return fail(errors.Join(reasons...))
	}
	if out.Larger < out.Head.Size {
		out.Larger = 0
	}
	for _, err := range reasons {
		out.Notes = append(out.Notes, err.Error())
	}
	if out.Report, err = verify.Log(ctx, verify.Dir(filepath.Join(tmp, RebuiltFolder)), verify.Options{Key: o.LogKey, Rules: true}); err != nil {
		return fail(err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fail(err)
	}
	if err := local.TakePlace(tmp, dir); err != nil {
		return fail(err)
	}
	return out, nil
}

// heads collects the signed heads that mirrors show, the largest first, each with all the
// cosignatures that any of them has.
func (r *RebuiltLog) heads(ctx context.Context, mirrors []*Mirror, v note.Verifier) (out []signedHead) {
	for _, m := range mirrors {
		for _, path := range []string{"checkpoint", "witnessed"} {
			signed, err := m.From.Read(ctx, path)
			if err != nil {
				if path == "checkpoint" {
					r.Notes = append(r.Notes, fmt.Sprintf("%s: no head could be read: %v", m.Name, err))
				}
				continue
			}
			c, log, err := ledger.ParseCheckpoint(signed, v)
			if err == nil && c.Origin != v.Name() {
				err = fmt.Errorf("it is of the log %s", c.Origin)
			}
			if err != nil {
				r.Notes = append(r.Notes, fmt.Sprintf("%s: its %s is not a head that this log has signed: %v", m.Name, path, err))
				continue
			}
			m.size = max(m.size, c.Size)
			at := slices.IndexFunc(out, func(h signedHead) bool { return h.Checkpoint == c })
			if at < 0 {
				for _, h := range out {
					if h.Size == c.Size {
						r.Notes = append(r.Notes, fmt.Sprintf("TWO HISTORIES: the log's key has signed two heads of %d records; keep every mirror as it is, they are the proof", c.Size))
					}
				}
				out = append(out, signedHead{c, signed})
				continue
			}
			if more, err := cosign.AddSignatures(out[at].signed, append(log.Sigs, log.UnverifiedSigs...)...); err == nil {
				out[at].signed = more
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Size > out[j].Size })
	return out
}

// write writes the whole log of a head.
func (r *RebuiltLog) write(ctx context.Context, dir string, t *mirrored, signed []byte, progress func(string, int64, int64)) error {
	r.Missing, r.Own, r.First = 0, 0, nil
	list, err := os.Create(filepath.Join(dir, MissingFile))
	if err != nil {
		return err
	}
	defer list.Close()
	put := func(p ledger.Path, b []byte) error {
		path := filepath.Join(dir, RebuiltFolder, filepath.FromSlash(p.String()))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		return errors.Join(err, f.Sync(), f.Close())
	}
	size := t.head.Size
	for n := int64(0); n*ledger.TileWidth < size; n++ {
		g, err := t.group(ctx, n)
		if err != nil {
			return err
		}
		if err := r.writeGroup(g, put); err != nil {
			return err
		}
		for _, m := range g.missing {
			b, err := record.Canonical(m)
			if err == nil {
				_, err = list.Write(append(b, '\n'))
			}
			if err != nil {
				return err
			}
			if len(r.First) < 20 {
				r.First = append(r.First, m)
			}
		}
		r.Missing += int64(len(g.missing))
		r.Own += g.own
		if progress != nil {
			progress("rebuild the log", n*ledger.TileWidth+int64(g.width), size)
		}
	}
	for level := 1; size>>(ledger.TileHeight*level) > 0; level++ {
		for n, b := range t.tiles[level] {
			if err := put(ledger.Path{Kind: ledger.KindTile, Level: level, N: n, Width: ledger.TileWidth}, b); err != nil {
				return err
			}
		}
		if w := t.width(level); w > 0 {
			if err := put(ledger.Path{Kind: ledger.KindTile, Level: level, N: size >> (ledger.TileHeight * (level + 1)), Width: w}, t.edge[level]); err != nil {
				return err
			}
		}
	}
	for name, n := range t.damaged {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: %d of its files or records are not those that the log has signed; they were left out", name, n))
	}
	slices.Sort(r.Notes)
	if err := put(ledger.Path{Kind: ledger.KindCheckpoint}, signed); err != nil {
		return err
	}
	if err := errors.Join(list.Sync(), list.Close()); err != nil || r.Missing > 0 {
		return err
	}
	return os.Remove(list.Name())
}

func (r *RebuiltLog) writeGroup(g *group, put func(ledger.Path, []byte) error) error {
	var lines []byte
	for _, l := range g.lines {
		if l == nil {
			continue
		}
		b, err := l.Encode()
		if err != nil {
			return err
		}
		lines = append(append(lines, b...), '\n')
	}
	if err := put(ledger.Path{Kind: ledger.KindRecords, N: g.n, Width: g.width}, lines); err != nil {
		return err
	}
	if err := put(ledger.Path{Kind: ledger.KindTile, N: g.n, Width: g.width}, g.tile); err != nil {
		return err
	}
	if containsNil(g.entries) {
		return nil // the verification names the file
	}
	bundle, err := ledger.EncodeEntryBundle(g.entries)
	if err != nil {
		return err
	}
	return put(ledger.Path{Kind: ledger.KindEntries, N: g.n, Width: g.width}, bundle)
}
