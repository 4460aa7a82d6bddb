// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"truceline/internal/local"
	"truceline/internal/node"
)

type backupCmd struct {
	dataFlag
	File        string `arg:"" help:"File to write." type:"path"`
	WithoutKeys bool   `help:"Leave the keys out: the file then gives nobody the right to sign. It cannot bring a node back without them."`
}

func (backupCmd) Help() string {
	return `Writes everything of the node that cannot be computed again to one file: the ledger, the officers' book, what waits, what was cosigned, archived copies, alarms with their proofs, the configuration and the keys. It works beside a running server. The file is for its owner alone; whoever reads it can sign in this member's name, unless the keys are left out. Keep it encrypted, and on other hardware.

Example: truceline backup /mnt/other/north.backup --data ./north`
}

func (c backupCmd) Run(e *env) error {
	folder, _, err := local.Open(c.Data)
	if err != nil {
		return err
	}
	mark, err := folder.Use(false)
	if err != nil {
		return err
	}
	defer mark.Close()
	m, err := node.Backup(e.ctx, c.Data, c.File, node.BackupOptions{WithoutKeys: c.WithoutKeys, Now: e.now, Progress: e.bar.Step("back up")})
	e.bar.Done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "wrote %s: %d files, a ledger of %d records\n", c.File, len(m.Files), m.Size)
	return err
}

type restoreCmd struct {
	dataFlag
	File string `arg:"" help:"File that backup has written." type:"existingfile"`
}

func (restoreCmd) Help() string {
	return `Puts a node back from a backup, whole or not at all, into a folder that does not exist or is empty. Make sure that the former node never runs again.

A member's node then files and follows as before, and cosigns nothing until it has learnt from the registry and from another member what it had cosigned after the backup. A registry's node admits nothing until its witnesses have told what they hold; where they hold more, truceline catch-up fetches it from a mirror.

Example: truceline restore /mnt/other/north.backup --data ./north`
}

func (c restoreCmd) Run(e *env) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := node.Restore(e.ctx, f, c.Data, node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update})
	e.bar.Done()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "The node of %s is back in %s, with a ledger of %d records.\n", m.Origin, c.Data, m.Size)
	switch {
	case m.WithoutKeys:
		fmt.Fprintf(e.stdout, "Its keys are not in the backup: put them into %s/keys before it starts.\n", c.Data)
	case m.Member != "":
		fmt.Fprintf(e.stdout, "It cosigns nothing until it has learnt what it cosigned after the backup: %s restored shows it.\n", prog())
	}
	_, err = fmt.Fprintf(e.stdout, "Next: %s serve --data %s\n", prog(), c.Data)
	return err
}

type restoredCmd struct {
	dataFlag
	Yes bool `help:"Let the node cosign now."`
}

func (restoredCmd) Help() string {
	return `Says whether a member's node waits, after it was put back from a backup, to learn what it had cosigned. With --yes it cosigns without having learnt it. Do that only if nobody can be asked, and you are sure that the registry has always shown one history: if it lies, your member's name may come to stand under two.`
}

func (c restoredCmd) Run(e *env) error {
	if c.Yes {
		if err := node.ForgetRestored(c.Data); err != nil {
			return err
		}
		_, err := fmt.Fprintln(e.stdout, "The node may cosign. A running server goes on with its next round.")
		return err
	}
	return c.look(e, func(n *node.Node) error {
		since, marked := n.Restored()
		if !marked {
			_, err := fmt.Fprintln(e.stdout, "The node cosigns: it is not marked as put back from a backup.")
			return err
		}
		fmt.Fprintf(e.stdout, "Put back %s. It cosigns nothing until the registry and one other member have shown what it had cosigned.\n", since.UTC().Format("2006-01-02 15:04:05Z"))
		return &quietError{errors.New("the node does not cosign yet")}
	})
}

type catchUpCmd struct {
	dataFlag
	From string `help:"Mirror of the log: a member's address with /log at the end, or a folder that export log or rebuild-log has written." required:"" placeholder:"URL-or-DIR"`
}

func (catchUpCmd) Help() string {
	return `For a registry's node that was put back from an older copy, and whose members hold more than it does. It reads the records that are missing from a mirror, verifies the mirror's whole log with the rules, and appends them under the log's own signed head, all or none. Stop the server first. Nothing is appended if the mirror's log does not continue the one here.

Example: truceline catch-up --from https://north.example/log --data ./registry`
}

func (c catchUpCmd) Run(e *env) error {
	folder, _, err := local.Open(c.Data)
	if err != nil {
		return err
	}
	mark, err := folder.Use(true)
	if err != nil {
		return err
	}
	defer mark.Close()
	got, err := node.CatchUp(e.ctx, c.Data, fetcher(c.From), node.Options{Now: e.now, Rand: e.rand, Log: e.log, Progress: e.bar.Update})
	e.bar.Done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%d records appended, the ledger has %d\nNext: %s serve --data %s\n", got.Records, got.Size, prog(), c.Data)
	return err
}
