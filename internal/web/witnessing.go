// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// witnessing is what the ledger's page says of those who watch the log.
type witnessing struct {
	Cosigning
	beyond  int64 // records that no witnessed head holds yet
	members []memberRow
	policy  *policyView
}

// memberRow is a member with what its node has signed of the log.
type memberRow struct {
	agreement.Member
	registry bool
	url      string // where its node is reached; empty where that is not known
	roles    []roleCell
}

// roleCell is what a member's keys of one role have signed last.
type roleCell struct {
	role record.CosignerRole
	keys []keyView
}

// keyView is one cosigner's key.
type keyView struct {
	mechanism.Cosigner
	name    string // of a witness from outside; empty for the member's own
	size    int64  // of the newest head that it signed; 0: none that is known
	at      int64  // when, Unix milliseconds by its own clock
	behind  int64  // records of the newest head here that it has not signed
	named   int64  // when it was named, Unix milliseconds; 0: not known
	counted bool   // the policy counts it; for witnesses
}

// columns of the table of members.
var cosignerColumns = []record.CosignerRole{record.WitnessCosigner, record.MirrorCosigner, record.RulesCosigner}

// column is under which head a role's keys stand: witnesses from outside with the member
// that vouches for them.
func column(role record.CosignerRole) record.CosignerRole {
	if role == record.OutsideCosigner {
		return record.WitnessCosigner
	}
	return role
}

// witnessingOf gathers who watches the log, of which size records are here.
func (s *server) witnessingOf(ctx context.Context, v *view, size int64) (*witnessing, error) {
	if s.Nodes == nil {
		return nil, nil
	}
	c, err := s.Nodes.Cosigning(ctx)
	if err != nil {
		return nil, err
	}
	w := &witnessing{Cosigning: c, beyond: size}
	if c.Witnessed != nil {
		w.beyond = max(0, size-c.Witnessed.Size)
	}
	for _, m := range v.pack.Members {
		row := memberRow{Member: m, registry: m.Role == record.RegistryRole}
		if row.registry {
			row.url = c.RegistryURL
		}
		for _, role := range cosignerColumns {
			cell := roleCell{role: role}
			for _, k := range c.Keys {
				if k.Member != m.Code || column(k.Role) != role {
					continue
				}
				one, err := s.keyView(ctx, &c, k, size)
				if err != nil {
					return nil, err
				}
				if k.Role != record.OutsideCosigner && row.url == "" {
					row.url = k.URL
				}
				cell.keys = append(cell.keys, one)
			}
			row.roles = append(row.roles, cell)
		}
		w.members = append(w.members, row)
	}
	w.policy = v.policyView(c.Policy)
	return w, nil
}

func (s *server) keyView(ctx context.Context, c *Cosigning, k mechanism.Cosigner, size int64) (keyView, error) {
	out := keyView{Cosigner: k, counted: c.counts(k.VKey)}
	if k.Role == record.OutsideCosigner {
		_, _, out.name = cosignerName(s.Origin, k.VKey)
	}
	if seen, ok := c.Last[k.VKey]; ok {
		out.size, out.at = seen.Size, seen.At*1000
	}
	out.behind = max(0, size-out.size)
	if out.size == 0 && k.From > 0 {
		rec, err := s.Source.RecordAt(ctx, k.From-1)
		if err != nil {
			return out, ignoreAbsent(err)
		}
		out.named = rec.LoggedAt
	}
	return out, nil
}

// policyView is the rule by which a head counts as witnessed, and what it stands up to.
type policyView struct {
	text   string
	root   *quorumNode // nil where no witness is asked for
	report *quorum.Report
	stall  int      // how many witnesses must be silent, at the least, to hold all up
	alone  []string // who can do that alone, in words
	idle   []string // who is named and not needed, in words
}

// quorumNode is a witness, or a group of which so many must have cosigned.
type quorumNode struct {
	name    string
	need    int
	members []*quorumNode // none for a witness
}

// flat tells whether a group is of witnesses alone, as most are.
func (n *quorumNode) flat() bool {
	return !slices.ContainsFunc(n.members, func(m *quorumNode) bool { return m.members != nil })
}

func (v *view) policyView(p *quorum.Policy) *policyView {
	if p == nil {
		return nil
	}
	out := &policyView{text: p.String(), report: p.Lint()}
	nodes := map[string]*quorumNode{}
	for _, w := range p.Witnesses {
		nodes[w.Name] = &quorumNode{name: v.policyWitness(p, w.Name)}
	}
	for _, g := range p.Groups { // they come after what they name
		n := &quorumNode{name: g.Name, need: g.Threshold}
		for _, m := range g.Members {
			n.members = append(n.members, nodes[m])
		}
		nodes[g.Name] = n
	}
	out.root = nodes[p.Quorum]
	if len(out.report.Stall.Sets) > 0 {
		out.stall = len(out.report.Stall.Sets[0])
	}
	for _, name := range out.report.Alone {
		out.alone = append(out.alone, v.policyWitness(p, name))
	}
	for _, name := range out.report.Idle {
		out.idle = append(out.idle, v.policyWitness(p, name))
	}
	return out
}

// lint is what the linter found, line by line, as its command prints it.
func (p *policyView) lint() string {
	var b strings.Builder
	for _, f := range p.report.Findings {
		fmt.Fprintf(&b, "%s: %s\n", f.Level, f.Text)
	}
	return b.String()
}
