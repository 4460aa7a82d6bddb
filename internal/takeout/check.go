// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"truceline/evidence"
	"truceline/internal/bag"
	"truceline/record"
	"truceline/verify"
)

// CheckOptions say with what a bag is checked.
type CheckOptions struct {
	// Log are the options for the log in the bag: its key, the policy.
	Log verify.Options
	// Progress, if set, hears of each step: what, how much of how much.
	Progress func(what string, done, total int64)
}

// OptionError is what is wrong with the options and not with the bag.
type OptionError struct{ error }

// Unwrap gives the reason.
func (e *OptionError) Unwrap() error { return e.error }

// Check checks a bag without a node: that it is whole, that the log in it verifies, and
// that the tables in it are what the records in that log say. What is wrong is in the
// report; the error is that the bag could not be read, that the options are wrong, or that
// ctx ended.
func Check(ctx context.Context, dir string, o CheckOptions) (*Report, error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	// Before all that takes its time: a key that is none.
	log := verify.Dir(filepath.Join(dir, bag.PayloadFolder, logFolder))
	o.Log.Rules = true
	o.Log.Progress = func(done, total int64) { o.Progress("verify the log", done, total) }
	r := new(Report)
	var err error
	if r.Log, err = verify.Log(ctx, log, o.Log); err != nil {
		if ctx.Err() == nil {
			err = &OptionError{err}
		}
		return nil, err
	}
	if r.Bag, err = bag.Check(ctx, dir, func(done, total int64) { o.Progress("check the files", done, total) }); err != nil {
		return nil, err
	}
	c := &checking{ctx: ctx, dir: filepath.Join(dir, bag.PayloadFolder), o: o, report: r}
	if err := c.run(log); err != nil {
		return nil, fmt.Errorf("check the bag in %s: %w", dir, err)
	}
	return r, nil
}

type checking struct {
	ctx    context.Context
	dir    string // of the payload
	o      CheckOptions
	report *Report
}

func (c *checking) run(log verify.Fetcher) error {
	r := c.report
	c.strangers()
	switch {
	case !r.Bag.OK():
		r.NotCompared = "the bag is not whole"
	case r.Log.NotRead != nil:
		r.problem(bag.PayloadFolder+"/"+logFolder, "there is no log in it: it is a bag, and not one that export all has written")
		r.NotCompared = "there is no log"
	case r.Log.Outcome() == verify.Wrong:
		r.NotCompared = "the log does not verify"
	case r.Log.Outcome() == verify.Outdated:
		r.NotCompared = "there are records of a later version than this program"
	default:
		return c.compare(log)
	}
	return nil
}

// strangers finds files that have no place in such a bag.
func (c *checking) strangers() {
	for _, path := range slices.Sorted(maps.Keys(c.report.Bag.Sums)) {
		folder, name, nested := strings.Cut(path, "/")
		switch {
		case path == readmeFile, path == openedFile, slices.Contains(tableFiles, path), nested && folder == logFolder:
		case nested && !strings.Contains(name, "/") && slices.Contains([]string{copiesFolder, refusalsFolder, evidenceFolder}, folder):
		default:
			c.report.problem(bag.PayloadFolder+"/"+path, "such a bag has no file of this name")
		}
	}
}

// compare computes the tables again, and looks at what stands beside them.
func (c *checking) compare(log verify.Fetcher) error {
	r := c.report
	g, err := openGiven(c.ctx, log, filepath.Join(c.dir, openedFile), r.Log.Size)
	if errors.As(err, new(*openedError)) {
		r.problem(bag.PayloadFolder+"/"+openedFile, "%v", err)
		r.NotCompared = "what was opened cannot be read"
		return nil
	}
	if err != nil {
		return err
	}
	defer g.Close()
	if err := c.opened(g); err != nil || r.NotCompared != "" {
		return err
	}
	t, err := computeTables(c.ctx, g, c.o.Progress)
	if err != nil {
		if c.ctx.Err() != nil {
			return err
		}
		r.NotCompared = fmt.Sprintf("they could not be computed from what was given: %v", err)
		return nil
	}
	defer t.close()
	r.Records, r.Lines = r.Log.Size, g.count()
	for _, name := range tableFiles {
		if err := c.table(t, name); err != nil {
			return err
		}
	}
	c.identity(t)
	if err := c.reader(g); err != nil {
		return err
	}
	if err := c.copies(t.given); err != nil {
		return err
	}
	return c.evidence(t)
}

// opened looks that what came out of boxes is what the statements commit to.
func (c *checking) opened(g *given) error {
	for _, index := range g.opened.indexes {
		good, err := g.commits(c.ctx, index)
		if err != nil {
			return err
		}
		if !good {
			c.report.problem(bag.PayloadFolder+"/"+openedFile, "record %d has not this body in its box", index)
			c.report.NotCompared = "what was opened is not what the log commits to"
			continue
		}
		c.report.Opened++
	}
	return nil
}

// table holds a file of the bag against what the log gives.
func (c *checking) table(t *tables, name string) error {
	path := bag.PayloadFolder + "/" + name
	got, there := c.report.Bag.Sums[name]
	if !slices.Contains(t.names, name) {
		if there {
			c.report.problem(path, "the log gives no such file")
		}
		return nil
	}
	if !there {
		c.report.problem(path, "it is missing, and the log gives one")
		return nil
	}
	want, err := sumOf(c.ctx, t.path(name))
	if err != nil {
		return err
	}
	if got != want {
		c.report.problem(path, "it is not what the records in the log say%s", c.shorter(name))
		return nil
	}
	c.report.Compared = append(c.report.Compared, name)
	return nil
}

// shorter adds what explains much: tables of fewer records than the log has.
func (c *checking) shorter(name string) string {
	if name != incidentsFile {
		return ""
	}
	f, err := os.Open(filepath.Join(c.dir, name))
	if err != nil {
		return ""
	}
	defer f.Close()
	first := make([]byte, 4096)
	n, _ := io.ReadFull(f, first)
	head, _, ok := strings.Cut(strings.TrimPrefix(string(first[:n]), `{"about":`), `,"incidents":[`)
	var a about
	if !ok || json.Unmarshal([]byte(head), &a) != nil || a.Records == c.report.Log.Size {
		return ""
	}
	return fmt.Sprintf(": by its own word it is of %d records, and the log has %d", a.Records, c.report.Log.Size)
}

// identity compares what bag-info.txt says with the log.
func (c *checking) identity(t *tables) {
	r := c.report
	say := func(label string, want ...string) {
		if got := r.Bag.Values(label); !slices.Equal(got, want) {
			r.problem("bag-info.txt", "%s is %.200q, and the log gives %q", label, got, want)
		}
	}
	say(identifierLabel, t.about.Mission.String(), t.about.Origin)
	say(recordsLabel, fmt.Sprint(r.Log.Size))
	if t.about.Exercise != "" {
		say(exerciseLabel, t.about.Exercise)
	} else {
		say(exerciseLabel)
	}
}

// reader looks that what says it is for everybody is.
func (c *checking) reader(g *given) error {
	r := c.report
	said := r.Bag.Values(readerLabel)
	code, member := strings.CutPrefix(strings.Join(said, ", "), memberPrefix)
	if len(said) != 1 || said[0] != Public.String() && !(member && record.ValidCode(code)) {
		r.problem("bag-info.txt", "%s is %.200q: it is %s, or %sand a code", readerLabel, said, Public, memberPrefix)
		return nil
	}
	if said[0] != Public.String() {
		return nil
	}
	for e, err := range g.Entries(c.ctx, 0, g.count()) {
		if err != nil {
			return err
		}
		if st, err := statementOf(e.Envelope); err == nil && !Public.mayHave(st) {
			r.problem("bag-info.txt", "it says that the bag is for everybody, and record %d in it is not", g.index(e.Index))
			return nil
		}
	}
	return nil
}

// copies looks that every archived copy is one that a document names.
func (c *checking) copies(g *given) error {
	named, err := g.copies(c.ctx)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(c.report.Bag.Sums)) {
		name, ok := strings.CutPrefix(path, copiesFolder+"/")
		if !ok {
			continue
		}
		sum := c.report.Bag.Sums[path]
		switch {
		case name != sum.String():
			c.report.problem(bag.PayloadFolder+"/"+path, "its SHA-256 is not its name")
		case !named[sum]:
			c.report.problem(bag.PayloadFolder+"/"+path, "no document in the log names it")
		default:
			c.report.Copies++
		}
	}
	return nil
}

// evidence says of each proof whether it holds by the agreement in force here. One that
// does not is no fault of the bag: it was kept under another agreement, or needs an update.
func (c *checking) evidence(t *tables) error {
	o := evidence.Options{LogKey: c.report.Log.Key}
	if t.pack != nil {
		o.Policy, o.ClockBoundMS = t.pack.Policy, t.pack.ClockBoundMS()
	}
	for _, path := range slices.Sorted(maps.Keys(c.report.Bag.Sums)) {
		if strings.HasPrefix(path, refusalsFolder+"/") {
			c.report.Refusals++
		}
		if !strings.HasPrefix(path, evidenceFolder+"/") {
			continue
		}
		p := Proof{Path: bag.PayloadFolder + "/" + path}
		b, err := readSmall(filepath.Join(c.dir, filepath.FromSlash(path)), evidence.MaxFile)
		var f *evidence.Finding
		if err == nil {
			f, err = evidence.Check(b, o)
		}
		if err != nil {
			p.Why = err.Error()
		} else {
			p.Holds = true
		}
		if p.Holds && len(f.Accused) == 0 {
			p.Why = "accuses nobody"
		}
		c.report.Proofs = append(c.report.Proofs, p)
	}
	return nil
}

func readSmall(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return b, err
}

func sumOf(ctx context.Context, path string) (sum record.Digest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, errors.Join(ctx.Err())
}
