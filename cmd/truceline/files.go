// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"truceline/internal/intake"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/record"
)

type importCmd struct {
	Accounts importAccountsCmd `cmd:"" help:"Take accounts in from a CSV file: one row a claim (docs/formats/accounts-csv.md)."`
	UcdpGED  importGEDCmd      `cmd:"" name:"ucdp-ged" help:"Take events in from a CSV file of UCDP GED: one row an event, whose estimates are the data set's (docs/formats/ucdp-ged.md)."`
	Bag      importBagCmd      `cmd:"" help:"Make an empty folder into a copy that can be read, from a folder that export all has written (docs/formats/bag.md)."`
}

// importFlags are those of every import.
type importFlags struct {
	dataFlag
	File    string `arg:"" help:"CSV file." type:"existingfile"`
	Member  string `help:"Code of the member that records the accounts; the agreement's desk if it has one only." placeholder:"CODE"`
	DryRun  bool   `help:"Check everything and file nothing."`
	OnBad   string `help:"What to do when rows are bad: file nothing (stop), or file the statements that have none (skip)." enum:"stop,skip" default:"stop"`
	BadRows string `help:"Write the bad rows with their columns and reasons to this CSV file." type:"path" placeholder:"FILE"`
}

type importAccountsCmd struct {
	importFlags
}

func (importAccountsCmd) Help() string {
	return `The file goes in as one batch. Running the same file again files nothing twice, and finishes what was cut short. Every row is accepted, already present or rejected, or, where you stop the import, not reached; they always add up. Without flags the node is ./truceline-data, bad rows mean that nothing is filed (--on-bad stop), and the desk of the agreement records.

Example: truceline import accounts statements.csv --data ./truceline-data --dry-run`
}

func (c importAccountsCmd) Run(e *env) error {
	return c.run(e, "import accounts", "", func(n *node.Node, f *os.File, o intake.Options) (*intake.Report, error) {
		return intake.Import(e.ctx, n, f, o)
	})
}

type importGEDCmd struct {
	importFlags
	Edition     string `help:"Edition of the data set, such as 22.1; events of another edition are other accounts." required:"" placeholder:"N"`
	Map         string `help:"Map file: which codes of the agreement stand for the data set's sides, places and words; what the agreement leaves no choice about need not be in it." type:"existingfile" placeholder:"FILE"`
	FlaggedRows string `help:"Write the rows that are kept although they are odd to this CSV file." type:"path" placeholder:"FILE"`
}

func (importGEDCmd) Help() string {
	return `Each row becomes one account of the data set: that the event happened, and its estimates of the dead. They are the data set's own and nobody else's claim; a 0 means that nothing was coded and becomes no claim. Rows whose figures are not in order (low <= best <= high) are kept as they are, flagged and listed. Everything else is as in an import of accounts.

Example: truceline import ucdp-ged ged.csv --edition 22.1 --map ucdp-ged.map.json --data ./truceline-data --dry-run`
}

func (c importGEDCmd) Run(e *env) error {
	ged := intake.GED{Edition: c.Edition}
	if c.Map != "" {
		f, err := os.Open(c.Map)
		if err != nil {
			return err
		}
		ged.Map, err = intake.ReadGEDMap(f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return c.run(e, "import events", c.FlaggedRows, func(n *node.Node, f *os.File, o intake.Options) (*intake.Report, error) {
		return intake.ImportGED(e.ctx, n, f, ged, o)
	})
}

// run runs an import and says what became of the file.
func (c importFlags) run(e *env, step, flaggedRows string, imp func(*node.Node, *os.File, intake.Options) (*intake.Report, error)) error {
	return c.with(e, func(n *node.Node) error {
		member, err := c.recorder(n)
		if err != nil {
			return err
		}
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		lists, err := createLists(c.BadRows, flaggedRows) // before anything is filed
		if err != nil {
			return err
		}
		defer lists.discard()
		onBad := intake.Stop
		if c.OnBad == "skip" {
			onBad = intake.Skip
		}
		report, err := imp(n, f, intake.Options{
			Member: member, DryRun: c.DryRun, OnBad: onBad, Name: filepath.Base(c.File), Progress: e.bar.Step(step),
		})
		e.bar.Done()
		if report != nil {
			defer report.Close()
			report.Write(e.stdout)
			if err := lists.commit(report); err != nil {
				return err
			}
		}
		if report != nil && report.Cancelled {
			fmt.Fprintf(e.stderr, "truceline: stopped by you; %d rows filed; run the same command again to finish\n", report.Accepted)
			return &quietError{err}
		}
		if err != nil {
			return err
		}
		if report.Rejected > 0 {
			return &quietError{errors.New("rows were rejected")}
		}
		return nil
	})
}

// rowLists are the files in which an import lists rows; nil where none was asked for.
type rowLists struct{ bad, flagged *outFile }

func createLists(bad, flagged string) (l rowLists, err error) {
	if bad != "" {
		if l.bad, err = createOut(bad); err != nil {
			return l, fmt.Errorf("make the file for the bad rows: %w; nothing was filed: name another with --bad-rows FILE", err)
		}
	}
	if flagged != "" {
		if l.flagged, err = createOut(flagged); err != nil {
			l.discard()
			return l, fmt.Errorf("make the file for the flagged rows: %w; nothing was filed: name another with --flagged-rows FILE", err)
		}
	}
	return l, nil
}

func (l rowLists) discard() {
	for _, f := range []*outFile{l.bad, l.flagged} {
		if f != nil {
			f.discard()
		}
	}
}

func (l rowLists) commit(r *intake.Report) error {
	if l.bad != nil {
		if err := l.bad.commit(r.WriteBad(l.bad.File)); err != nil {
			return fmt.Errorf("write the bad rows: %w", err)
		}
	}
	if l.flagged != nil {
		if err := l.flagged.commit(r.WriteFlagged(l.flagged.File)); err != nil {
			return fmt.Errorf("write the flagged rows: %w", err)
		}
	}
	return nil
}

// recorder is the member that files: the one named, or the only desk.
func (c importFlags) recorder(n *node.Node) (string, error) {
	if c.Member != "" {
		return c.Member, nil
	}
	desks := n.Pack().MembersWith(record.DeskRole)
	if len(desks) != 1 {
		return "", fmt.Errorf("import: the agreement has %d desks; say who records the accounts with --member CODE", len(desks))
	}
	return desks[0], nil
}

type exportCmd struct {
	Accounts exportAccountsCmd `cmd:"" help:"Write all accounts as the CSV that import takes."`
	Log      exportLogCmd      `cmd:"" help:"Write the whole log to a folder that anybody can verify and any web server can serve."`
	All      exportAllCmd      `cmd:"" help:"Write everything that you may read, with its proofs, as ordinary files."`
}

type exportAccountsCmd struct {
	dataFlag
	Out string `help:"File to write; standard output if not given." type:"path" placeholder:"FILE"`
}

func (exportAccountsCmd) Help() string {
	return `Writes every account that counts, one row a claim, to standard output or to a file. Without flags the node is ./truceline-data.

Example: truceline export accounts --data ./truceline-data --out accounts.csv`
}

func (c exportAccountsCmd) Run(e *env) error {
	return c.look(e, func(n *node.Node) error {
		if err := n.Sync(e.ctx); err != nil {
			return err
		}
		export := func(w io.Writer) error {
			_, err := intake.Export(e.ctx, n.Projection, w)
			return err
		}
		if c.Out == "" {
			return export(e.stdout)
		}
		return writeTo(c.Out, func(f *os.File) error { return export(f) })
	})
}

type exportLogCmd struct {
	dataFlag
	Dir string `arg:"" help:"Folder to write; it must not exist or be empty." type:"path"`
}

func (exportLogCmd) Help() string {
	return `Writes the log's checkpoint, tiles and records. Without flags the node is ./truceline-data.

Example: truceline export log ./log --data ./truceline-data`
}

func (c exportLogCmd) Run(e *env) error {
	return c.look(e, func(n *node.Node) error {
		files, err := peer.Export(e.ctx, n, c.Dir, e.bar.Step("export the log"))
		e.bar.Done()
		if err != nil {
			return err
		}
		policy := ""
		if n.Pack() != nil && n.Pack().Policy != "" {
			policy = " --policy policy.txt # of another member: policy show"
		}
		_, err = fmt.Fprintf(e.stdout, "wrote %d files to %s\nNext: %s verify --log %s --key '%s' --rules%s\n", files, c.Dir, prog(), c.Dir, n.Config.LogKey, policy)
		return err
	})
}

// outFile is a file that appears under its name when it is whole, or not at all.
type outFile struct {
	*os.File
	path string
}

func createOut(path string) (*outFile, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is there and is not a file", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return nil, err
	}
	return &outFile{f, path}, nil
}

// commit gives the file its name, unless writing it failed.
func (f *outFile) commit(written error) error {
	err := errors.Join(written, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err == nil {
		err = local.SyncDir(filepath.Dir(f.path))
	}
	return err
}

// discard removes what was not committed.
func (f *outFile) discard() {
	f.Close()
	os.Remove(f.Name())
}

// writeTo writes a file whole or not at all.
func writeTo(path string, write func(*os.File) error) error {
	f, err := createOut(path)
	if err != nil {
		return err
	}
	defer f.discard()
	return f.commit(write(f.File))
}
