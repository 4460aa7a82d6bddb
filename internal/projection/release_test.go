// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"errors"
	"testing"

	"truceline/internal/projection"
	"truceline/ledger"
	"truceline/record"
)

// released is the body of a release; what it shows is not looked at here.
func released(title string, replaces record.ID) *record.Released {
	return &record.Released{Title: title, Replaces: replaces, Items: []record.Disclosure{{Commitments: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", Envelope: "e30=", Index: 1, LeafSalt: record.Digest{1}, LoggedAt: 1,
		Fields: []record.DisclosedField{{Path: "/label", Salt: record.Digest{2}, Value: `"x"`}}}}}
}

// What is released to everybody is listed, the newest first, with what took its place; what
// is released to members has numbers of its own and is in no list.
func TestReleases(t *testing.T) {
	ctx := context.Background()
	s := newStory(t, "lakes")
	d := s.folded(t.TempDir())
	file := func(b *record.Released, audience string) record.ID {
		return s.file(record.ReleaseMade, b, func(st *record.Statement) {
			st.Audience, st.Subjects = audience, []record.Subject{{ID: record.ID{3}, Role: record.RoleRelease}}
			if audience != record.AudiencePublic {
				body, err := record.EncodeBody(b)
				if err == nil {
					st.Body.Alg = record.FieldsAlg
					st.Body.Commitment, err = ledger.Commitment(record.FieldsAlg, ledger.Salt{1}, body)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	first := file(released("first", record.ID{}), record.AudiencePublic)
	inside := file(released("inside", first), record.AudienceMembers)
	second := file(released("second", first), record.AudiencePublic)
	s.follow(d)
	list, total, err := d.Releases(ctx, 10, 0)
	if err != nil || total != 2 || len(list) != 2 || list[0].ID != second || list[1].ID != first {
		t.Fatalf("%d, %v: %+v", total, err, list)
	}
	if x := list[1]; x.Number[:4] != "R001" || x.Title != "first" || x.ReplacedBy != second || x.Items != 1 || x.Body.Items[0].Fields[0].Path != "/label" {
		t.Errorf("%+v", x)
	}
	if x := list[0]; x.Number[:4] != "R002" || x.Replaces != first || !x.ReplacedBy.IsZero() {
		t.Errorf("%+v", x)
	}
	if x, err := d.Release(ctx, inside); err != nil || x.Number[:5] != "RM001" || x.Audience != record.AudienceMembers {
		t.Errorf("%+v, %v", x, err)
	}
	if list, _, err := d.Releases(ctx, 1, 1); err != nil || len(list) != 1 || list[0].ID != first {
		t.Errorf("the second page: %+v, %v", list, err)
	}
	if _, err := d.Release(ctx, record.ID{9}); !errors.Is(err, projection.ErrNotFound) {
		t.Error(err)
	}
}
