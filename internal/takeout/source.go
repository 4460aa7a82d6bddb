// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/internal/ledgerstore"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/ledger"
	"truceline/record"
)

// source is what has what a bag is written of: a node, or a bag that was written before.
type source interface {
	// check wants a viewer for whom the source can speak.
	check(v Viewer) error
	size() int64 // of the log
	// files are those of the log, with the lines that the source has.
	files() ([]string, error)
	read(ctx context.Context, path string) ([]byte, error)
	// witnessed is the newest head that met the policy and is no longer than the log; nil
	// where there is none.
	witnessed(ctx context.Context) ([]byte, error)
	// opened are the lines of opened.jsonl.
	opened(ctx context.Context) iter.Seq2[[]byte, error]
	// judged is how many records the tables reach to.
	judged(ctx context.Context) (int64, error)
	// copyOf opens an archived copy, found to be what its hash says. The errors are
	// blobstore.ErrNotFound and ErrDamaged, and the disk's.
	copyOf(ctx context.Context, sum record.Digest) (io.ReadCloser, error)
	// refusals and evidence call f with the name and the bytes of each.
	refusals(ctx context.Context, f func(name string, b []byte) error) error
	evidence(ctx context.Context, f func(name string, b []byte) error) error
	// organization is whose node has written the bag first, by the agreement in force.
	organization(pack *agreement.Pack) string
	logKey() string
}

// nodeSource is a node.
type nodeSource struct {
	node *node.Node
	log  *node.Log // at one head
}

func (s nodeSource) check(v Viewer) error { return v.check(s.node) }

func (s nodeSource) size() int64 { return s.log.Head().Size }

func (s nodeSource) files() ([]string, error) { return slices.Collect(s.log.Files()), nil }

func (s nodeSource) read(ctx context.Context, path string) ([]byte, error) {
	return s.log.Read(ctx, path)
}

func (s nodeSource) witnessed(ctx context.Context) ([]byte, error) {
	switch h, err := s.node.Witnessed(ctx); {
	case err == nil && h.Size <= s.size():
		return h.Note, nil
	case err != nil && !errors.Is(err, ledgerstore.ErrNotFound):
		return nil, err
	}
	return nil, nil
}

func (s nodeSource) opened(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for e, err := range s.node.Readable().Entries(ctx, 0, s.size()) {
			if err == nil && e.BodySalt == (ledger.Salt{}) {
				continue
			}
			var st *record.Statement
			if err == nil {
				if st, err = statementOf(e.Envelope); err != nil || !st.Boxed() {
					continue
				}
			}
			var line []byte
			if err == nil {
				line, err = (&openedBody{Body: e.Body, BodySalt: record.Digest(e.BodySalt), Index: e.Index}).encode()
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

func (s nodeSource) judged(ctx context.Context) (int64, error) {
	if err := s.node.Sync(ctx); err != nil {
		return 0, err
	}
	size, err := s.node.Projection.Applied(ctx)
	return min(size, s.size()), err
}

func (s nodeSource) copyOf(ctx context.Context, sum record.Digest) (io.ReadCloser, error) {
	f, _, err := s.node.Copies.Open(ctx, sum)
	return f, err
}

// refusals are what the registry's signed refusals say that this node got.
func (s nodeSource) refusals(ctx context.Context, f func(string, []byte) error) error {
	folder := s.node.Path(refusalsFolder)
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".dsse.json") || strings.HasPrefix(e.Name(), ".") { // one that is being written
			continue
		}
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err == nil {
			err = f(e.Name(), b)
		}
		if err != nil {
			return err
		}
	}
	if s.node.Box == nil {
		return nil
	}
	for before := int64(0); ; {
		acts, err := s.node.Box.List(ctx, outbox.Filter{Before: before, Limit: outbox.MaxList})
		if err != nil {
			return err
		}
		for _, a := range acts {
			if a.Refusal != nil {
				if err := f("act-"+a.ID.String()+".dsse.json", a.Refusal); err != nil {
					return err
				}
			}
			before = a.Seq
		}
		if len(acts) < outbox.MaxList {
			return nil
		}
	}
}

// evidence are the proofs of what this node found wrong with others.
func (s nodeSource) evidence(_ context.Context, f func(string, []byte) error) error {
	seen := map[string]bool{}
	for _, a := range s.node.Alarms() {
		if !a.Evidenced() || seen[a.Evidence] {
			continue
		}
		seen[a.Evidence] = true
		b, err := s.node.Evidence(a.Evidence)
		if err == nil {
			err = f(a.Evidence, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s nodeSource) organization(pack *agreement.Pack) string {
	own := string(Own(s.node))
	if pack != nil {
		if i := slices.IndexFunc(pack.Members, func(m agreement.Member) bool { return m.Code == own }); i >= 0 {
			return fmt.Sprintf("%s (%s)", oneLine(pack.Members[i].Name.In("en")), own)
		}
	}
	return own
}

func (s nodeSource) logKey() string { return s.node.Config.LogKey }
