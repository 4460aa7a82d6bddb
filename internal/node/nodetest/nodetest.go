// SPDX-License-Identifier: Apache-2.0

// Package nodetest makes real nodes for tests: real files, real keys, real records.
package nodetest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"truceline/example"
	"truceline/internal/node"
	"truceline/record"
	"truceline/when"
)

// Desk is the code of the member that files in the invented example.
func Desk(n *node.Node) string { return n.Pack().MembersWith(record.DeskRole)[0] }

// Create makes a node of the invented example in a new folder.
func Create(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir() + "/node"
	set, err := example.Open("lakes")
	if err != nil {
		t.Fatal(err)
	}
	c := node.Creation{Agreement: set.Agreement, Origin: "test.truceline.invalid/{mission}", Now: time.Now, Rand: rand.Reader}
	if err := node.Create(context.Background(), dir, c); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Open opens the node in dir until the test ends.
func Open(t testing.TB, dir string) *node.Node {
	t.Helper()
	n, err := node.Open(context.Background(), dir, node.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// Report is a draft of a document with a title.
func Report(n *node.Node, title string) node.Draft {
	return node.Draft{Kind: record.ReportFiled, Member: Desk(n), Body: &record.Report{Title: title}}
}

// Account is a draft of an account with one claim of so many killed, in codes of the
// agreement.
func Account(n *node.Node, claimant string, killed int64) node.Draft {
	p := n.Pack()
	return node.Draft{Kind: record.AccountFiled, Member: Desk(n), Body: &record.Account{
		Claimant: record.Claimant{Kind: p.ClaimantKinds[0].Code, Name: claimant, Party: p.Parties[0].Code},
		Claims: []record.Claim{{
			Bound: "exact", Element: record.Harm, FirstHand: "unknown", Group: p.Groups[0].Code, Low: &killed, High: &killed,
			Measure: p.Measures[0].Code, N: 1, Scope: record.ScopeIncident, Stance: p.Stances[0].Code,
		}},
	}}
}

// Incident is a draft of an incident with a label.
func Incident(n *node.Node, label string) node.Draft {
	return node.Draft{Kind: record.IncidentOpened, Member: Desk(n), Body: &record.Opening{Class: record.ClassIncident, Label: label, When: span}}
}

// MustFile files a draft.
func MustFile(t testing.TB, n *node.Node, d node.Draft) record.ID {
	t.Helper()
	r, err := n.File(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

var span = when.Span{Start: "2031-05-04"}
