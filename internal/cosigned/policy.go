// SPDX-License-Identifier: Apache-2.0

package cosigned

import (
	"truceline/quorum"
)

// policy is a policy ready to be asked many times, without signatures.
type policy struct {
	text   string
	vkeys  map[string]string // name of a witness to its key
	groups map[string]quorum.Group
	quorum string
}

// newPolicy checks a policy and makes it ready.
func newPolicy(p *quorum.Policy) (*policy, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	out := &policy{text: p.String(), vkeys: make(map[string]string), groups: make(map[string]quorum.Group), quorum: p.Quorum}
	for _, w := range p.Witnesses {
		out.vkeys[w.Name] = w.VKey
	}
	for _, g := range p.Groups {
		out.groups[g.Name] = g
	}
	return out, nil
}

// met tells whether the keys are a quorum. A policy without witnesses is never met: what
// nobody has witnessed was witnessed at no time.
func (p *policy) met(keys map[string]bool) bool {
	return p.quorum != quorum.None && p.has(p.quorum, keys)
}

func (p *policy) has(name string, keys map[string]bool) bool {
	if vkey, ok := p.vkeys[name]; ok {
		return keys[vkey]
	}
	group, count := p.groups[name], 0
	for _, m := range group.Members {
		if p.has(m, keys) {
			count++
		}
	}
	return count >= group.Threshold
}
