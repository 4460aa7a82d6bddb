// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"testing"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/record"
)

func doAct(n *node.Node, role, name string, kv ...string) (node.Done, error) {
	a, _ := acts.Find(name)
	v := acts.Values{}
	for i := 0; i < len(kv); i += 2 {
		v[kv[i]] = append(v[kv[i]], kv[i+1])
	}
	return n.Do(context.Background(), node.Officer{Member: nodetest.Desk(n), Roles: []string{role}}, a, v)
}

// An account that was linked again is not tied twice by the undo of the unlinking.
func TestUndoOfUnlinkingAfterLinkingAgain(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	acc, in := nodetest.MustFile(t, n, nodetest.Account(n, "a", 4)), nodetest.MustFile(t, n, nodetest.Incident(n, "i"))
	link := func() record.ID {
		d, err := doAct(n, acts.Operations, "account.link", "account", acc.String(), "incident", in.String(), "role", "about", "reason", "r")
		if err != nil {
			t.Fatal(err)
		}
		return d.Receipts[0].ID
	}
	u, err := doAct(n, acts.Operations, "link.undo", "link", link().String(), "reason", "x")
	if err != nil {
		t.Fatal(err)
	}
	second := link()
	if _, err = doAct(n, acts.Operations, "act.undo", "record", u.Receipts[0].ID.String(), "reason", "x"); err == nil {
		t.Error("the account is linked twice to one incident")
	}
	if _, err = doAct(n, acts.Operations, "link.undo", "link", second.String(), "reason", "x"); err != nil {
		t.Fatal(err)
	}
	if _, err = doAct(n, acts.Operations, "act.undo", "record", u.Receipts[0].ID.String(), "reason", "x"); err != nil {
		t.Error(err)
	}
}

// Whichever of its records is named, the withdrawal of a file is undone by the role that
// withdraws files and by no other.
func TestUndoOfAWithdrawalByRole(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	in := func(id record.ID) []record.Subject { return []record.Subject{{ID: id, Role: record.RoleBatch}} }
	b := nodetest.MustFile(t, n, node.Draft{Member: nodetest.Desk(n), Kind: record.BatchOpened, Body: &record.Batch{Name: "b", FileSHA256: record.Digest{1}}})
	d := nodetest.Account(n, "a", 4)
	d.Subjects = in(b)
	acc := nodetest.MustFile(t, n, d)
	nodetest.MustFile(t, n, node.Draft{Member: nodetest.Desk(n), Kind: record.BatchClosed, Body: &record.BatchEnd{}, Subjects: in(b)})
	incident := nodetest.MustFile(t, n, nodetest.Incident(n, "i"))
	if _, err := doAct(n, acts.Operations, "account.link", "account", acc.String(), "incident", incident.String(), "role", "about", "reason", "r"); err != nil {
		t.Fatal(err)
	}
	w, err := doAct(n, acts.Desk, "batch.withdraw", "batch", b.String(), "reason", "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range w.Receipts {
		if _, err := doAct(n, acts.Operations, "act.undo", "record", r.ID.String(), "reason", "x"); err == nil {
			t.Errorf("operations undid the withdrawal by record %s", r.ID)
		}
	}
	if _, err := doAct(n, acts.Desk, "act.undo", "record", w.First(record.IncidentUnlinked).String(), "reason", "x"); err != nil {
		t.Error(err)
	}
}
