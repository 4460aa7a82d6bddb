// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/node"
	"truceline/quorum"
	"truceline/verify"
)

type rebuildLogCmd struct {
	From   []string `help:"Mirror of the log: a member's address with /log at the end, or a folder. Give as many as there are." required:"" sep:"none" placeholder:"URL-or-DIR"`
	Key    string   `help:"The log key, as everybody was given it." required:"" placeholder:"VKEY"`
	Policy string   `help:"File with the policy on witnesses: the largest head that meets it is taken, and not the largest signed one." type:"existingfile" placeholder:"FILE"`
	Out    string   `help:"Folder to write; it must not exist or be empty." required:"" type:"path" placeholder:"DIR"`
}

func (rebuildLogCmd) Help() string {
	return `Puts the log of a lost registry together from what others hold. Mirrors may lack parts, be damaged or lie: nothing is taken that does not lead to the signed head. The log is then in DIR/log, as export log writes it, verified; what nobody holds is listed, and stands in DIR/missing.jsonl, a line each.

If the registry's keys are saved: truceline restore-registry. If the log's key is lost: truceline init --continues DIR/log, a new log that begins where this one ends.

Example: truceline rebuild-log --from https://north.example/log --from ./south-export --key 'truce.example/line+1a2b3c4d+...' --out ./rebuilt`
}

func (c rebuildLogCmd) Run(e *env) error {
	var mirrors []*node.Mirror
	for _, from := range c.From {
		mirrors = append(mirrors, &node.Mirror{Name: from, From: fetcher(from)})
	}
	o := node.RebuildOptions{LogKey: c.Key, Progress: e.bar.Update}
	if c.Policy != "" {
		b, err := os.ReadFile(c.Policy)
		if err != nil {
			return err
		}
		if o.Policy, err = quorum.Parse(string(b)); err != nil {
			return fmt.Errorf("%s: %w", c.Policy, err)
		}
	}
	got, err := node.RebuildLog(e.ctx, c.Out, mirrors, o)
	e.bar.Done()
	if err != nil {
		return err
	}
	return c.report(e, got)
}

func (c rebuildLogCmd) report(e *env, got *node.RebuiltLog) error {
	fmt.Fprintf(e.stdout, "log       %s, %d records\n", got.Head.Origin, got.Head.Size)
	switch {
	case c.Policy == "":
	case got.Witnessed:
		fmt.Fprintln(e.stdout, "head      witnessed, by the policy given")
	}
	if got.Larger > 0 {
		fmt.Fprintf(e.stdout, "NOTE      there is a larger signed head, of %d records, which was not taken: it is not witnessed, or no mirrors together hold its tree\n", got.Larger)
	}
	for _, s := range got.Notes {
		fmt.Fprintf(e.stdout, "note      %s\n", s)
	}
	for _, m := range got.First {
		switch m.Missing {
		case "body":
			fmt.Fprintf(e.stdout, "missing   record %d, %s of %s: nobody has what it says; that it was filed, and when, is proved\n", m.Index, m.Kind, m.Member)
		default:
			fmt.Fprintf(e.stdout, "missing   record %d: nobody has it; that something stands there is proved\n", m.Index)
		}
	}
	if more := got.Missing - int64(len(got.First)); more > 0 {
		fmt.Fprintf(e.stdout, "          and %d more, see %s\n", more, filepath.Join(c.Out, node.MissingFile))
	}
	folder := filepath.Join(c.Out, node.RebuiltFolder)
	fmt.Fprintf(e.stdout, "verdict   %s\nwrote     %s\n", got.Report.Verdict(), folder)
	if got.Report.Outcome() != verify.Good && !got.Report.OnlyMissing() {
		return &quietError{errors.New("the log does not verify")}
	}
	_, err := fmt.Fprintf(e.stdout, "Next: %s restore-registry --log %s --keys DIR --data DIR; or, if the log's key is lost, %s init --continues %s ...\n", prog(), folder, prog(), folder)
	return err
}

type restoreRegistryCmd struct {
	dataFlag
	Log  string `help:"Copy of the log that is whole: a folder or an address." required:"" placeholder:"DIR-or-URL"`
	Keys string `help:"Folder with the registry's key files, from its keys folder: the log's, the registry's, the desks'." required:"" type:"existingdir" placeholder:"DIR"`
}

func (restoreRegistryCmd) Help() string {
	return `Makes the registry's node again, under the same origin, from a copy of its log and its saved keys. Every record is verified and admitted by the rules again. Its start then waits until enough witnesses have told that they hold nothing newer. The officers' book, archived copies and open invitations are not in the log: they come back from a backup only.

Example: truceline restore-registry --log ./rebuilt/log --keys /mnt/safe/keys --data ./registry`
}

func (c restoreRegistryCmd) Run(e *env) error {
	got, err := node.RestoreRegistry(e.ctx, c.Data, c.Keys, fetcher(c.Log), node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update})
	e.bar.Done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "The registry's node is in %s, with %d records.\nNext: %s serve --data %s\n", c.Data, got.Size, prog(), c.Data)
	return err
}
