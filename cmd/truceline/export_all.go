// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"truceline/internal/node"
	"truceline/internal/reprint"
	"truceline/internal/takeout"
)

type exportAllCmd struct {
	dataFlag
	Dir    string `arg:"" help:"Folder to write; it must not exist." type:"path"`
	Public bool   `help:"Write only what everybody may read, to be passed on to anybody."`
}

func (exportAllCmd) Help() string {
	return `Writes everything that the member whose node it is may read: the log with its heads and proofs, the agreement, accounts and incidents as tables, archived copies of documents, refusals and evidence. They are ordinary files, with a manifest of their hashes (a bag: BagIt, docs/formats/bag.md), and need no program of ours to be read, nor any node to be checked. There are no keys in it, no names of officers, no sign-ins and no drafts.

The folder has its name once everything is in it; if you stop the command, nothing is left. It may run beside the server. Without flags the node is ./truceline-data.

Example: truceline export all ./everything --data ./truceline-data`
}

func (c exportAllCmd) Run(e *env) error {
	if reprint.Is(c.Data) {
		return c.reprint(e)
	}
	return c.look(e, func(n *node.Node) error {
		viewer := takeout.Own(n)
		if c.Public {
			viewer = takeout.Public
		}
		out, err := takeout.Write(e.ctx, n, c.Dir, takeout.Options{Viewer: viewer, Now: e.now(), Progress: e.bar.Update})
		e.bar.Done()
		if err != nil {
			return err
		}
		return c.tell(e, out, viewer, n.Config.LogKey)
	})
}

// tell says what was written, and what not.
func (c exportAllCmd) tell(e *env, out *takeout.Written, viewer takeout.Viewer, key string) error {
	fmt.Fprintf(e.stdout, "wrote %d files with %d bytes to %s, for %s: %d of %d records, %d archived copies\n", out.Files, out.Bytes, c.Dir, reader(viewer), out.Lines, out.Records, out.Copies)
	if out.Elsewhere > 0 {
		fmt.Fprintf(e.stdout, "not in it: %d archived copies that this node does not keep\n", out.Elsewhere)
	}
	if out.Damaged > 0 {
		fmt.Fprintf(e.stderr, "truceline: %d archived copies are damaged on this node and were left out; put them back from a backup: %s doctor --data %s names them\n", out.Damaged, prog(), c.Data)
	}
	_, err := fmt.Fprintf(e.stdout, "Next: %s verify bag %s --key '%s'\n", prog(), c.Dir, key)
	return err
}

func reader(v takeout.Viewer) string {
	if v == takeout.Public {
		return "everybody"
	}
	return v.String()
}
