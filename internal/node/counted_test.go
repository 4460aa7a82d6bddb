// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/projection"
	"truceline/record"
)

// A link to an incident that is not counted leads nowhere; one to an incident
// that was merged into another leads to that one.
func TestLinksToWhatIsNotCounted(t *testing.T) {
	dir := nodetest.Create(t)
	n := nodetest.Open(t, dir)
	ctx := context.Background()
	file := func(kind record.Kind, body record.Body, subjects ...record.Subject) record.ID {
		return nodetest.MustFile(t, n, node.Draft{Kind: kind, Member: nodetest.Desk(n), Body: body, Subjects: subjects})
	}
	because := &record.Reason{Reason: "because"}
	link := func(name string, incident record.ID) record.ID {
		account := nodetest.MustFile(t, n, nodetest.Account(n, name, 1))
		file(record.IncidentLinked, &record.Link{Reason: "same day", Role: record.LinkAbout},
			record.Subject{ID: account, Role: record.RoleAccount}, record.Subject{ID: incident, Role: record.RoleIncident})
		return account
	}
	merge := func(from, into record.ID) {
		file(record.IncidentAliased, because, record.Subject{ID: from, Role: record.RoleIncident}, record.Subject{ID: into, Role: record.RoleInto})
	}
	open := func(label string) record.ID { return nodetest.MustFile(t, n, nodetest.Incident(n, label)) }
	gone, stays, goneAndMerged, mergedIntoGone := open("gone"), open("stays"), open("gone and merged"), open("merged into gone")
	lost, kept, lostToo := link("lost", gone), link("kept", goneAndMerged), link("lost too", mergedIntoGone)
	merge(goneAndMerged, stays)
	merge(mergedIntoGone, gone)
	if err := n.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	// The rules keep a batch that others lean on from being withdrawn. The tables do
	// not rely on it.
	db, err := sql.Open("sqlite", filepath.Join(dir, local.ProjectionFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE incidents SET counted = 0 WHERE id IN (?, ?)", gone[:], goneAndMerged[:]); err != nil {
		t.Fatal(err)
	}

	list, total, err := n.Projection.Unlinked(ctx, 0, 0)
	if err != nil || total != 2 || len(list) != 2 || list[0].ID != lost || list[1].ID != lostToo {
		t.Errorf("unlinked: %d, %v, %v", total, list, err)
	}
	if c, err := n.Projection.Counts(ctx); err != nil || c.Unlinked != 2 || c.Incidents != 1 {
		t.Errorf("counts %+v, %v", c, err)
	}
	for id, links := range map[record.ID]int{lost: 0, kept: 1, lostToo: 0} {
		a, err := n.Projection.Account(ctx, id)
		if err != nil || len(a.Links) != links {
			t.Fatalf("account %s: %d links, %v", id, len(a.Links), err)
		}
		// What a page shows of each link can be read.
		for _, l := range a.Links {
			in, err := n.Projection.Incident(ctx, l.Incident)
			if err != nil || l.Root != stays || in.AliasOf != stays || in.State != "merged" {
				t.Errorf("link to %s: %+v, %v", l.Incident, in, err)
			}
		}
	}
	in, err := n.Projection.Incident(ctx, mergedIntoGone)
	if err != nil || in.State != "merged" || !in.AliasOf.IsZero() {
		t.Errorf("merged into what is not counted: %+v, %v", in, err)
	}
	if _, err := n.Projection.Incident(ctx, gone); !errors.Is(err, projection.ErrNotFound) {
		t.Error("an incident that is not counted is shown")
	}
	if list, _, err := n.Projection.Incidents(ctx, projection.Filter{}); err != nil || len(list) != 1 || list[0].Accounts != 1 {
		t.Errorf("incidents %+v, %v", list, err)
	}
}
