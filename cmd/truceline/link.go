// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"truceline/internal/linkfile"
	"truceline/linkage"
)

type linkCmd struct {
	In       string  `help:"CSV file of records: one row a report of a source (docs/methods/linkage.md)." type:"existingfile" placeholder:"FILE.csv"`
	Out      string  `help:"Write pairs that likely tell of one event, with their probability, to this CSV file; - for standard output." placeholder:"PAIRS.csv"`
	Clusters string  `help:"Write which records are of one event to this CSV file." placeholder:"CLUSTERS.csv"`
	Least    float64 `help:"Least probability of the pairs that are written; without it, the one at which clusters are cut." placeholder:"P"`
	Model    string  `help:"Use the model in this file in place of learning one." type:"existingfile" placeholder:"MODEL.json"`
	Save     string  `help:"Write the model to this file." name:"save-model" type:"path" placeholder:"MODEL.json"`
	Evaluate string  `help:"Compare what was found with the truth in this CSV file (source,id,truth). Without --in, the files named by --out and --clusters are read." type:"existingfile" placeholder:"TRUTH.csv"`
}

func (linkCmd) Help() string {
	return `A model is learnt from the records alone; a column truth is never looked at. Who is blamed is not compared. The same records give the same files, in whatever order they stand.

Example: truceline link --in reports.csv --out pairs.csv --clusters clusters.csv
Example: truceline link --in reports.csv --evaluate truth.csv
Example: truceline link --evaluate truth.csv --out pairs.csv --clusters clusters.csv`
}

// measures are what the columns of figures are called.
var linkMeasures = []string{"killed", "injured"}

func (c *linkCmd) Run(e *env) error {
	switch {
	case !(c.Least >= 0 && c.Least <= 1):
		return fmt.Errorf("--least %g is no probability: give one from 0 to 1", c.Least)
	case c.In == "" && c.Evaluate == "":
		return errors.New("nothing to link: name a file of records with --in, or files to judge with --evaluate")
	case c.In != "" && c.Out == "" && c.Clusters == "" && c.Evaluate == "" && c.Save == "":
		return errors.New("nowhere to put the result: name a file with --out or --clusters")
	case c.In == "" && c.Out == "" && c.Clusters == "":
		return errors.New("nothing to judge: name records with --in, or files with --out and --clusters")
	case c.In == "":
		return c.judgeFiles(e)
	}
	if err := c.checkFiles(); err != nil {
		return err
	}
	return c.link(e)
}

// checkFiles refuses, before any work, files that would overwrite each other or what is
// read, and folders that are not there.
func (c *linkCmd) checkFiles() error {
	files := []struct {
		flag, path string
		out        bool
	}{{"--in", c.In, false}, {"--model", c.Model, false}, {"--evaluate", c.Evaluate, false}, {"--out", c.Out, true}, {"--clusters", c.Clusters, true}, {"--save-model", c.Save, true}}
	for i, f := range files {
		if f.path == "" || !f.out {
			continue
		}
		if f.path == "-" {
			if f.flag != "--out" {
				return fmt.Errorf("%s cannot be standard output: name a file", f.flag)
			}
			continue
		}
		if dir := filepath.Dir(f.path); !isDir(dir) {
			return fmt.Errorf("%s %s: there is no folder %s; nothing was done", f.flag, f.path, dir)
		}
		for _, o := range files[:i] {
			if o.path != "" && sameFile(o.path, f.path) {
				return fmt.Errorf("%s and %s are one file, %s: name another; nothing was done", o.flag, f.flag, f.path)
			}
		}
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func sameFile(a, b string) bool {
	x, err1 := filepath.Abs(a)
	y, err2 := filepath.Abs(b)
	if err1 == nil && err2 == nil && x == y {
		return true
	}
	i, err1 := os.Stat(a)
	j, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(i, j)
}

// link links the records of a file, and judges the result if a truth is given.
func (c *linkCmd) link(e *env) error {
	// Much is made and little thrown away: collecting seldom saves a fifth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	var model *linkage.Model
	if c.Model != "" {
		var err error
		if model, err = readModel(c.Model); err != nil {
			return err
		}
	}
	list, err := linkfile.ReadFile(e.ctx, c.In, e.bar.Step("read"))
	if err != nil {
		return fmt.Errorf("read %s: %w", c.In, err)
	}
	step := e.bar.Step("link")
	res, model, err := linkage.Link(e.ctx, list.Records, model, linkage.Options{
		Measures: linkMeasures, Least: c.Least, Progress: func(done float64) { step(int64(100*done), 100) },
	})
	if err != nil {
		return err
	}
	e.bar.Done()
	var labels []string // before anything is written
	if c.Evaluate != "" {
		truth, err := readLabels(e, c.Evaluate)
		if err != nil {
			return err
		}
		if labels, err = linkfile.Align(list.Records, truth); err != nil {
			return fmt.Errorf("compare with %s: %w", c.Evaluate, err)
		}
	}
	if err := c.write(e, list.Records, res, model); err != nil {
		return err
	}
	out := e.stdout
	if c.Out == "-" {
		out = e.stderr
	}
	c.summary(out, list, res, model)
	if c.Evaluate == "" {
		return nil
	}
	found := make([]string, len(labels))
	for i, k := range res.Cluster {
		found[i] = fmt.Sprint(k)
	}
	writeScores(out, "clusters", linkage.Measure(found, labels))
	p, same := make([]float64, len(res.Pairs)), make([]bool, len(res.Pairs))
	for i, x := range res.Pairs {
		p[i], same[i] = x.Probability, labels[x.A] == labels[x.B]
	}
	writeReliability(out, linkage.Calibration(p, same))
	return nil
}

func (c *linkCmd) write(e *env, records []linkage.Record, res *linkage.Result, m *linkage.Model) error {
	if c.Out == "-" {
		if err := linkfile.EncodePairs(e.stdout, records, res.Pairs); err != nil {
			return err
		}
	}
	// Both at once: each sorts its rows by name, which takes a while.
	errs := make([]error, 2)
	var both sync.WaitGroup
	if c.Out != "" && c.Out != "-" {
		both.Go(func() { errs[0] = linkfile.WritePairs(c.Out, records, res.Pairs) })
	}
	if c.Clusters != "" {
		both.Go(func() { errs[1] = linkfile.WriteClusters(c.Clusters, records, res.Cluster) })
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if c.Save == "" {
		return nil
	}
	f, err := createOut(c.Save)
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	defer f.discard()
	enc := json.NewEncoder(f)
	enc.SetIndent("", " ")
	return f.commit(enc.Encode(m.Params()))
}

func readModel(path string) (*linkage.Model, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := new(linkage.Params)
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("read the model %s: %w; --save-model writes such a file", path, err)
	}
	m, err := linkage.NewModel(p)
	if err != nil {
		return nil, fmt.Errorf("read the model %s: %w", path, err)
	}
	return m, nil
}

func (c *linkCmd) summary(w io.Writer, list *linkfile.List, res *linkage.Result, m *linkage.Model) {
	sources, size := map[string]bool{}, map[int]int{}
	for i := range list.Records {
		sources[list.Records[i].Source] = true
		size[res.Cluster[i]]++
	}
	several, strong := 0, 0
	for _, n := range size {
		if n > 1 {
			several++
		}
	}
	for _, p := range res.Pairs {
		if m.Band(p.Probability) == linkage.Strong {
			strong++
		}
	}
	least := c.Least
	if least <= 0 {
		least = m.Link()
	}
	p := m.Params()
	fmt.Fprintf(w, "%d records of %d sources, %d pairs compared\n", len(list.Records), len(sources), res.Compared)
	fmt.Fprintf(w, "%d pairs of probability %.2f or more, %d of them strong (%.2f or more); ask from %.2f on\n", len(res.Pairs), least, strong, float64(p.Strong)/1e6, float64(p.Ask)/1e6)
	fmt.Fprintf(w, "%d clusters, %d of them of several records\n", len(size), several)
	if res.Crowded > 0 {
		fmt.Fprintf(w, "%d records have more than 8,000 others around them and were compared with nobody\n", res.Crowded)
	}
	if len(list.Ignored) > 0 {
		fmt.Fprintf(w, "columns that were not read: %s\n", strings.Join(list.Ignored, ", "))
	}
}

// judgeFiles compares files that were written before with the truth.
func (c *linkCmd) judgeFiles(e *env) error {
	truth, err := readLabels(e, c.Evaluate)
	if err != nil {
		return err
	}
	of := make(map[linkfile.Name]string, len(truth))
	for _, l := range truth {
		of[l.Name] = l.Cluster
	}
	if c.Clusters != "" {
		found, err := readLabels(e, c.Clusters)
		if err != nil {
			return err
		}
		a, b := make([]string, len(found)), make([]string, len(found))
		for i, l := range found {
			label, ok := of[l.Name]
			if !ok {
				return fmt.Errorf("%s has no truth for %s of %s: every record needs one", c.Evaluate, l.ID, l.Source)
			}
			a[i], b[i] = l.Cluster, label
		}
		writeScores(e.stdout, "clusters", linkage.Measure(a, b))
	}
	if c.Out == "" {
		return nil
	}
	f, err := os.Open(c.Out)
	if err != nil {
		return err
	}
	defer f.Close()
	pairs, err := linkfile.ReadPairs(e.ctx, f)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.Out, err)
	}
	p, same := make([]float64, len(pairs)), make([]bool, len(pairs))
	var tally linkage.Tally
	for i, x := range pairs {
		a, okA := of[x.A]
		b, okB := of[x.B]
		if !okA || !okB {
			return fmt.Errorf("%s has no truth for a record of the pair %v: every record needs one", c.Evaluate, x)
		}
		p[i], same[i] = x.Probability, a == b
		tally.Said++
		if a == b {
			tally.Both++
		}
	}
	size := map[string]int64{}
	for _, l := range truth {
		size[l.Cluster]++
	}
	for _, n := range size {
		tally.True += n * (n - 1) / 2
	}
	writeRates(e.stdout, "pairs listed", tally.Rates())
	writeReliability(e.stdout, linkage.Calibration(p, same))
	return nil
}

func readLabels(e *env, path string) ([]linkfile.Label, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	labels, err := linkfile.ReadLabels(e.ctx, f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return slices.Clip(labels), nil
}

func writeRates(w io.Writer, what string, r linkage.Rates) {
	fmt.Fprintf(w, "%-20s precision %.4f  recall %.4f  F1 %.4f\n", what, r.Precision, r.Recall, r.F1)
}

func writeScores(w io.Writer, what string, s linkage.Scores) {
	writeRates(w, what+", pairwise", s.Pairs.Rates())
	writeRates(w, what+", B-cubed", s.BCubed)
	writeRates(w, what+", exact", s.Exact.Rates())
}

func writeReliability(w io.Writer, r linkage.Reliability) {
	fmt.Fprintf(w, "%-20s %.4f of %d pairs listed\n", "calibration error", r.ECE, r.Of)
	for _, b := range r.Bins {
		if b.Count > 0 {
			fmt.Fprintf(w, "  %.1f to %.1f  %7d pairs  said %.3f  so %.3f\n", b.Low, b.High, b.Count, b.Mean, b.Share())
		}
	}
}
