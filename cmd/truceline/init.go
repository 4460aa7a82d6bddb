// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"truceline/internal/node"
)

type initCmd struct {
	dataFlag
	Agreement string   `help:"Agreement file; its first part, the pack, makes the mission (docs/formats/agreement.md)." required:"" type:"existingfile" placeholder:"FILE"`
	Origin    string   `help:"Name of the log: a host and path of yours without scheme, such as truce.example/line. It never changes. {mission} stands for the first digits of the mission's random id." required:"" placeholder:"HOST/PATH"`
	Invite    []string `help:"Members that are to join from nodes of their own, with keys of their own; several with commas. They are not on the roster until they have joined." placeholder:"CODE,..."`
	Continues string   `help:"Copy of a log that this one takes the place of, such as rebuild-log has written: the first record says where it ended." placeholder:"DIR-or-URL"`
	Lock      string   `help:"File on another disk or machine that keeps the newest signed head, too. The registry then signs nothing that the file does not know of, and nothing without it." type:"path" placeholder:"FILE"`
}

func (initCmd) Help() string {
	return `Makes a folder with a new ledger, new keys for the registry and for each desk of the agreement, and files the records that open the mission. The keys are made here and leave the folder only with you: back it up.

Members named with --invite join later with: truceline invite, truceline join. Others that are neither the registry nor a desk are on the roster at once, and have no keys: they file nothing.

Example: truceline init --data ./registry --agreement agreement.json --origin truce.example/line --invite NORTH,SOUTH,OBSERVERS --lock /mnt/other-machine/head.note`
}

func (c initCmd) Run(e *env) error {
	b, err := os.ReadFile(c.Agreement)
	if err != nil {
		return fmt.Errorf("read the agreement: %w", err)
	}
	creation := node.Creation{Agreement: b, Origin: c.Origin, Invited: c.Invite, Lock: c.Lock, Now: e.now, Rand: e.rand}
	if c.Continues != "" {
		if creation.Continues, err = node.ReadContinued(e.ctx, fetcher(c.Continues), ""); err != nil {
			return err
		}
	}
	if err := node.Create(e.ctx, c.Data, creation); err != nil {
		return err
	}
	for _, left := range node.Leftovers(c.Data) {
		fmt.Fprintf(e.stderr, "note: %s is what an init that was cut short has left, with keys in it that nothing uses; if no other init is running, delete it\n", left)
	}
	if c.Lock != "" && sameDisk(c.Data, filepath.Dir(c.Lock)) {
		fmt.Fprintf(e.stderr, "note: %s is on the same file system as the node: when that is put back from an older copy, both go back and nobody notices; to move it, stop the node, move the file, and change \"lock\" in truceline.json\n", c.Lock)
	}
	return c.look(e, func(n *node.Node) error {
		fmt.Fprintf(e.stdout, "The mission is open.\n\n  folder   %s\n  mission  %s\n  origin   %s\n  log key  %s\n\n", c.Data, n.Config.Mission, n.Config.Origin, n.Config.LogKey)
		if p := creation.Continues; p != nil {
			fmt.Fprintf(e.stdout, "It takes the place of %s, which ended with %d records.\n", p.Origin, p.Size)
		}
		fmt.Fprintf(e.stdout, "Give the log key to everybody who is to check the record, on paper too.\nNext: %s serve --data %s\n", prog(), c.Data)
		if len(c.Invite) > 0 {
			fmt.Fprintf(e.stdout, "Then for each member: %s invite %s --data %s --url https://ADDRESS-OF-THIS-NODE --out FILE\n", prog(), c.Invite[0], c.Data)
		}
		return nil
	})
}

// sameDisk tells whether two paths are known to be on one file system.
func sameDisk(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	if err1 != nil || err2 != nil {
		return false
	}
	s, ok1 := x.Sys().(*syscall.Stat_t)
	t, ok2 := y.Sys().(*syscall.Stat_t)
	return ok1 && ok2 && s.Dev == t.Dev
}
