// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"truceline/internal/local"
	"truceline/internal/node"
)

type inviteCmd struct {
	dataFlag
	Member string `arg:"" help:"Code of the member, as the agreement has it."`
	URL    string `help:"Where the member's node reaches this one: https://HOST, without a slash at the end." required:"" placeholder:"URL"`
	Out    string `help:"File to write the invitation to." required:"" type:"path" placeholder:"FILE"`
}

func (inviteCmd) Help() string {
	return `Writes an invitation for a member that joins from a node of its own. It holds a secret that works once and for 14 days: give it to the member by a way you trust. An earlier invitation of the same member that was not used is void from now on. It works beside a running server.

Example: truceline invite NORTH --data ./registry --url https://truce.example --out north.invitation`
}

func (c inviteCmd) Run(e *env) error {
	if err := node.CheckURL(c.URL); err != nil {
		return err
	}
	if err := vacant(c.Out); err != nil {
		return fmt.Errorf("invite %s: %w", c.Member, err)
	}
	return c.look(e, func(n *node.Node) error {
		inv, err := n.InviteMember(c.Member, c.URL)
		if err != nil {
			return err
		}
		b, err := json.MarshalIndent(inv, "", " ")
		if err != nil {
			return err
		}
		if err := local.WriteFile(c.Out, append(b, '\n'), 0o600); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "wrote %s, which works once and until %s\n", c.Out, time.UnixMilli(inv.Expires).UTC().Format(time.RFC3339))
		fmt.Fprintf(e.stdout, "Next, at %s: %s join --invitation FILE --data DIR --url https://ADDRESS-OF-ITS-NODE --recovery FILE\n", c.Member, prog())
		return nil
	})
}

// vacant tells that nothing stands at a path: a file that is there may be the only one.
func vacant(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("%s is there already; name another file", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

type admitCmd struct {
	dataFlag
	Reply string `arg:"" help:"File with the reply, as join --reply has written it." type:"existingfile"`
}

func (admitCmd) Help() string {
	return `Admits a member whose node has no line to this one, by the reply that was carried here. Members with a line need no admit: their join asks by itself. Admitting the same reply again changes nothing. It works beside a running server.

Example: truceline admit north.reply --data ./registry`
}

func (c admitCmd) Run(e *env) error {
	b, err := os.ReadFile(c.Reply)
	if err != nil {
		return err
	}
	return c.with(e, func(n *node.Node) error {
		var r node.Reply
		if err := n.Accept(e.ctx, b); err != nil {
			return err
		}
		if err := json.Unmarshal(b, &r); err != nil { // Accept has read it
			return err
		}
		fmt.Fprintf(e.stdout, "%s is on the roster, with the %d keys of its reply\n", r.Member, len(r.Keys))
		fmt.Fprintf(e.stdout, "Next, for a node without a line: %s carry out FILE --records-from 0 --data %s, and carry the file there\n", prog(), c.Data)
		return nil
	})
}
