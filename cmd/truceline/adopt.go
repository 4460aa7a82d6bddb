// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"truceline/agreement"
	"truceline/internal/node"
)

type policyAdoptCmd struct {
	dataFlag
	Quorum int  `help:"How many of the witnesses must have cosigned." required:"" placeholder:"K"`
	Force  bool `help:"Adopt it although the linter finds an error in it."`
	DryRun bool `help:"Show the policy and what it stands up to, and adopt nothing."`
}

func (policyAdoptCmd) Help() string {
	return `Writes the policy by which K of the witnesses that members have named must have cosigned, says what it stands up to, and files the agreement in force with it, as its next version. The registry's own witness never counts. On the registry's node; it works beside a running server.

Example: truceline policy adopt --data ./registry --quorum 3`
}

func (c policyAdoptCmd) Run(e *env) error {
	return c.with(e, func(n *node.Node) error {
		p, err := n.ProposePolicy(c.Quorum)
		if err != nil {
			return err
		}
		var own []string
		for _, x := range n.Cosigners() {
			if x.Member == n.Config.Registry {
				own = append(own, x.VKey)
			}
		}
		report := p.Lint(own...)
		fmt.Fprintf(e.stdout, "%s\n", p)
		if err := report.Write(e.stdout); err != nil {
			return err
		}
		switch {
		case report.Failed() && !c.Force && !c.DryRun:
			return errors.New("adopt the policy: the linter finds an error in it, see above; nothing was filed. Ask for another number of witnesses, or insist with --force")
		case c.DryRun:
			return nil
		}
		if err := n.Adopt(e.ctx, func(pack *agreement.Pack) { pack.Policy = p.String() }); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "\nadopted with record %d\n", n.Head().Size-1)
		return err
	})
}
