// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"truceline/internal/node"
)

type leaveCmd struct {
	dataFlag
	Reason string `help:"Why, for all members to read." required:""`
	Yes    bool   `help:"File it. Without this it is only shown what would be left."`
}

func (leaveCmd) Help() string {
	return `Files that this member leaves the mechanism. From the next record on its keys sign nothing and its cosignatures count nothing; what it said stays. It may come back with a new invitation and new keys.

Example: truceline leave --reason "our mandate has ended" --yes --data ./north`
}

func (c leaveCmd) Run(e *env) error {
	return c.with(e, func(n *node.Node) error {
		own := n.Config.Member
		if own == "" {
			return errors.New("leave: this is the registry's node, and without the registry nobody could file. A former member leaves with: truceline member former CODE")
		}
		if c.Yes {
			if err := filed(e, n.Leave(e.ctx, own, c.Reason), own+" has left. Keep the folder: it is a mirror of the record, and proves what was said."); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(e.stdout, "Nothing was filed: say --yes. Without %s the policy in force would stand like this.\n", own)
		}
		return standing(e, n, own)
	})
}

type memberCmd struct {
	Former memberFormerCmd `cmd:"" help:"Have the agreement call a member a former one, and end its keys; on the registry's node."`
}

type memberFormerCmd struct {
	dataFlag
	Code   string `arg:"" help:"Code of the member."`
	Reason string `help:"Why, for all members to read." required:""`
}

func (memberFormerCmd) Help() string {
	return `Adopts the agreement in force with the member as a former one, as its next version, and files that it leaves. That the others have agreed is for them to show: every member sees the new version, and who entered it.

Example: truceline member former NORTH --reason "by decision of the joint commission" --data ./registry`
}

func (c memberFormerCmd) Run(e *env) error {
	return c.with(e, func(n *node.Node) error {
		if err := filed(e, n.Former(e.ctx, c.Code, c.Reason), c.Code+" is a former member"); err != nil {
			return err
		}
		return standing(e, n, c.Code)
	})
}
