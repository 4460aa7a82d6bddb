// SPDX-License-Identifier: Apache-2.0

package office_test

import (
	"context"
	"testing"

	"truceline/internal/office"
	"truceline/record"
)

// TestDraftsOfAnErasedRecord: drafts that name it are gone, those that were filed and deleted
// before have left no byte, and others stay.
func TestDraftsOfAnErasedRecord(t *testing.T) {
	ctx := context.Background()
	d, path, _ := fresh(t)
	me := addOfficer(t, d)
	id := record.ID{0xab, 0xcd}
	save := func(words string, account string) office.Draft {
		t.Helper()
		kept, err := d.SaveDraft(ctx, office.Draft{Officer: me, Kind: office.DraftAmendment, Title: "t", Values: map[string][]string{"account": {account}, "quote": {words}}})
		must(t, err)
		return kept
	}
	filed := save("EXERCISE words of the filed draft", "")
	must(t, d.DeleteDraft(ctx, me, filed.ID))
	save("EXERCISE words of the amendment", id.String())
	other := save("EXERCISE words of another", record.ID{1}.String())
	if len(holds(t, path, []byte("EXERCISE words of the amendment"))) == 0 {
		t.Fatal("the draft is not to be found before: the search is worth nothing")
	}
	must(t, d.DropDraftsOf(ctx, id))
	for _, words := range []string{"EXERCISE words of the filed draft", "EXERCISE words of the amendment"} {
		if in := holds(t, path, []byte(words)); len(in) > 0 {
			t.Errorf("%q stands in %v", words, in)
		}
	}
	if list, err := d.Drafts(ctx, me); err != nil || len(list) != 1 || list[0].ID != other.ID {
		t.Errorf("left are %+v, %v", list, err)
	}
}
