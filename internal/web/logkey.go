// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"strings"

	"truceline/ledger"
	"truceline/quorum"
)

// keyShown is what two people compare by voice, so that neither is shown another log than
// the other: fingerprints of the log's key and of its witnesses' keys, by the policy in force.
type keyShown struct {
	log       namedKey
	witnesses []namedKey // none where nobody is to witness
	policy    bool       // there is one
}

// namedKey is a public key as people can read it out.
type namedKey struct {
	whose string // in words; empty for the log's
	name  string // of the key
	print string
}

func keyNamed(whose, vkey string) namedKey {
	name, _, _ := strings.Cut(vkey, "+")
	return namedKey{whose: whose, name: name, print: ledger.Fingerprint(vkey)}
}

// keyShown gathers the keys by which this log is known. What has no node, such as a copy
// from a bag, has the policy of the agreement in force.
func (s *server) keyShown(ctx context.Context, v *view) (keyShown, error) {
	out := keyShown{log: keyNamed("", s.LogVKey)}
	var policy *quorum.Policy
	switch {
	case s.Nodes != nil:
		c, err := s.Nodes.Cosigning(ctx)
		if err != nil {
			return out, err
		}
		policy = c.Policy
	case v.pack != nil && v.pack.Policy != "":
		var err error
		if policy, err = quorum.Parse(v.pack.Policy); err != nil {
			return out, fmt.Errorf("read the policy of the agreement: %w", err)
		}
	}
	if policy == nil {
		return out, nil
	}
	out.policy = true
	for _, w := range policy.Witnesses {
		out.witnesses = append(out.witnesses, keyNamed(v.cosigner(w.VKey), w.VKey))
	}
	return out, nil
}
