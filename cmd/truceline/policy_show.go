// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"

	"truceline/bundle"
	"truceline/internal/node"
	"truceline/record"
)

type policyShowCmd struct{ dataFlag }

func (policyShowCmd) Help() string {
	return `Writes the policy of the agreement in force to standard output, with the members' rules keys beside the witnesses: all that somebody else needs, with the log's key, to check a bundle or a log. The rules keys stand outside the quorum, so that other programs read the policy as they read that of the agreement. Hand it over on another way than the bundles. A fingerprint of every key goes to standard error, to be compared by voice with what the other sees: it is the one on the page Agreement, in groups that are the same in every language.

Example: truceline policy show --data ./truceline-data > policy.txt`
}

func (c policyShowCmd) Run(e *env) error {
	return c.with(e, func(n *node.Node) error {
		p, err := n.Policy()
		if err != nil {
			return err
		}
		if p == nil {
			return errors.New("the agreement in force has no policy: nobody is asked to witness. Adopt one on the registry's node: policy adopt")
		}
		var keys []string
		for _, x := range n.Cosigners() {
			if x.Role == record.RulesCosigner {
				keys = append(keys, x.VKey)
			}
		}
		p, err = bundle.NameRules(p, n.Config.Origin, keys...)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(e.stdout, p.String()); err != nil {
			return err
		}
		return writeFingerprints(e.stderr, p) // a file that said so of itself would prove nothing
	})
}
