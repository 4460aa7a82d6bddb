// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"truceline/internal/bag"
	"truceline/internal/blobstore"
	"truceline/internal/node"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

// Options say what is written.
type Options struct {
	Viewer Viewer
	Now    time.Time // the day stands in the bag
	// Progress, if set, hears of each step: what, how much of how much.
	Progress func(what string, done, total int64)
}

// Written is what was written.
type Written struct {
	Files, Bytes int64 // of the payload
	Records      int64 // in the log
	Lines        int64 // of them that the reader may have
	Copies       int   // archived copies of documents
	// Elsewhere are copies that a document names and that this node has not, and Damaged
	// those that it has and that are not what their names say.
	Elsewhere, Damaged int
}

// Write makes a bag in dir, which must not exist, of everything that the viewer may have.
// The node may be in use meanwhile: the bag is of one state of its log. After an error, or
// when ctx ends, there is nothing under the name.
func Write(ctx context.Context, n *node.Node, dir string, o Options) (*Written, error) {
	return write(ctx, nodeSource{n, n.MembersLog()}, dir, o)
}

func write(ctx context.Context, from source, dir string, o Options) (*Written, error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	b, err := bag.Create(dir)
	if err != nil {
		return nil, fmt.Errorf("export all: %w", err)
	}
	w := &writer{from: from, bag: b, o: o, out: new(Written)}
	err = w.all(ctx)
	if err = errors.Join(err, b.Discard()); err != nil {
		return nil, fmt.Errorf("export all: %w; nothing was written", err)
	}
	return w.out, nil
}

type writer struct {
	from source
	bag  *bag.Writer
	o    Options
	out  *Written
}

func (w *writer) all(ctx context.Context) error {
	if err := w.from.check(w.o.Viewer); err != nil {
		return err
	}
	if w.from.size() == 0 {
		return errors.New("this node has no records yet")
	}
	if err := w.writeLog(ctx); err != nil {
		return err
	}
	if err := w.writeOpened(ctx); err != nil {
		return err
	}
	size, err := w.from.judged(ctx)
	if err != nil {
		return err
	}
	g, err := openGiven(ctx, verify.Dir(filepath.Join(w.bag.Folder(), logFolder)), filepath.Join(w.bag.Folder(), openedFile), size)
	if err != nil {
		return err
	}
	defer g.Close()
	t, err := computeTables(ctx, g, w.o.Progress)
	if err != nil {
		return err
	}
	defer t.close()
	w.out.Lines = g.count()
	for _, name := range t.names {
		if err := w.addFile(ctx, name, t.path(name)); err != nil {
			return err
		}
	}
	if w.o.Viewer != Public { // what a node has of its own is its member's
		if err := w.writeCopies(ctx, g); err != nil {
			return err
		}
		add := func(folder string) func(string, []byte) error {
			return func(name string, b []byte) error { return w.bag.AddBytes(ctx, folder+"/"+name, b) }
		}
		if err := w.from.refusals(ctx, add(refusalsFolder)); err != nil {
			return err
		}
		if err := w.from.evidence(ctx, add(evidenceFolder)); err != nil {
			return err
		}
	}
	readme := readme(t, w.o.Viewer, w.from.logKey())
	if err := w.bag.AddBytes(ctx, readmeFile, []byte(readme)); err != nil {
		return err
	}
	w.out.Files, w.out.Bytes = w.bag.Totals()
	return w.bag.Commit(ctx, w.info(t))
}

// writeLog writes the files of the log, the lines of the records as far as the viewer may
// have them, and the newest head that met the policy.
func (w *writer) writeLog(ctx context.Context) error {
	w.out.Records = w.from.size()
	files, err := w.from.files()
	if err != nil {
		return err
	}
	for i, path := range files {
		p, err := ledger.ParsePath(path)
		if err != nil && w.o.Viewer == Public {
			continue // whatever it is, nobody can say that it is for everybody
		}
		lines := err == nil && p.Kind == ledger.KindRecords
		b, err := w.from.read(ctx, path)
		if err != nil {
			return err
		}
		if lines {
			if b, err = allowed(b, w.o.Viewer); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		if err := w.bag.AddBytes(ctx, logFolder+"/"+path, b); err != nil {
			return err
		}
		w.o.Progress("write the log", int64(i+1), int64(len(files)))
	}
	note, err := w.from.witnessed(ctx)
	if err != nil || note == nil {
		return err
	}
	return w.bag.AddBytes(ctx, logFolder+"/"+verify.WitnessedPath, note)
}

// allowed leaves out the lines that the viewer may not have.
func allowed(bundle []byte, v Viewer) (out []byte, err error) {
	for line := range bytes.Lines(bundle) {
		l, err := record.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, err
		}
		// What cannot be read is for an update, and is given to nobody before.
		if st, err := statementOf(l.Envelope); err == nil && v.mayHave(st) || err != nil && v != Public {
			out = append(out, line...)
		}
	}
	return out, nil
}

// writeOpened writes the bodies that stand in boxes and that the viewer can open.
func (w *writer) writeOpened(ctx context.Context) error {
	if w.o.Viewer == Public {
		return nil
	}
	next, stop := iter.Pull2(w.from.opened(ctx))
	defer stop()
	first, err, there := next()
	if !there || err != nil {
		return err
	}
	return w.bag.Add(ctx, openedFile, io.MultiReader(bytes.NewReader(first), &lines{next: next}))
}

// lines reads lines as they come.
type lines struct {
	next func() ([]byte, error, bool)
	rest []byte
}

func (l *lines) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		line, err, more := l.next()
		switch {
		case !more:
			return 0, io.EOF
		case err != nil:
			return 0, err
		}
		l.rest = line
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (w *writer) addFile(ctx context.Context, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return w.bag.Add(ctx, name, f)
}

// writeCopies writes the archived copies that documents in the bag name, as far as this
// node keeps them.
func (w *writer) writeCopies(ctx context.Context, g *given) error {
	named, err := g.copies(ctx)
	if err != nil {
		return err
	}
	sums := slices.SortedFunc(maps.Keys(named), func(a, b record.Digest) int { return bytes.Compare(a[:], b[:]) })
	for i, sum := range sums {
		w.o.Progress("write the copies of documents", int64(i+1), int64(len(sums)))
		f, err := w.from.copyOf(ctx, sum)
		switch {
		case errors.Is(err, blobstore.ErrNotFound):
			w.out.Elsewhere++
			continue
		case errors.Is(err, blobstore.ErrDamaged):
			w.out.Damaged++
			continue
		case err != nil:
			return err
		}
		err = w.bag.Add(ctx, copiesFolder+"/"+sum.String(), f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		w.out.Copies++
	}
	return nil
}

// info is what bag-info.txt says.
func (w *writer) info(t *tables) []bag.Field {
	list := []bag.Field{
		{Label: organizationLabel, Value: w.from.organization(t.pack)},
		{Label: identifierLabel, Value: t.about.Mission.String()},
		{Label: identifierLabel, Value: t.about.Origin},
		{Label: readerLabel, Value: w.o.Viewer.String()},
		{Label: recordsLabel, Value: fmt.Sprint(w.out.Records)},
		bag.Date(w.o.Now),
	}
	if t.about.Exercise != "" {
		list = append(list, bag.Field{Label: exerciseLabel, Value: t.about.Exercise})
	}
	return list
}

// oneLine puts a text that may have line feeds and tabs on one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
