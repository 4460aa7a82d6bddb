// SPDX-License-Identifier: Apache-2.0

package office_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/internal/office"
	"truceline/record"
)

func TestDrafts(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	me, other := addOfficer(t, d), addOfficer(t, d)
	values := map[string][]string{"claimant": {"Example <b> speaker"}, "places": {"north", "south"}, "claim.1.words": {"خط\nline two"}, "empty": {}}
	first, err := d.SaveDraft(ctx, office.Draft{Officer: me, Kind: office.DraftStatement, Title: "First", Values: values})
	must(t, err)
	// Durable and seen by others before the call returned.
	got, err := open(t, path, c).Draft(ctx, me, first.ID)
	must(t, err)
	if got.Title != "First" || got.Kind != office.DraftStatement || !maps.EqualFunc(got.Values, values, slices.Equal) || !got.Created.Equal(c.now()) || got.Officer != me {
		t.Errorf("kept %+v", got)
	}
	c.add(time.Minute)
	second, err := d.SaveDraft(ctx, office.Draft{Officer: me, Kind: office.DraftAmendment, Title: "Second"})
	must(t, err)
	c.add(time.Minute)
	first.Title, first.Values = "First, changed", map[string][]string{"a": {"b"}}
	changed, err := d.SaveDraft(ctx, first)
	must(t, err)
	if !changed.Created.Equal(got.Created) || !changed.Changed.Equal(c.now()) {
		t.Errorf("changed %+v", changed)
	}
	list, err := d.Drafts(ctx, me)
	must(t, err)
	if len(list) != 2 || list[0].ID != first.ID || list[0].Title != "First, changed" || list[1].ID != second.ID || list[0].Values != nil {
		t.Errorf("list %+v", list)
	}

	// Another officer's drafts are not there.
	_, err = d.Draft(ctx, other, first.ID)
	want(t, "reading another's", err, office.ErrNotFound)
	want(t, "deleting another's", d.DeleteDraft(ctx, other, first.ID), office.ErrNotFound)
	stolen := first
	stolen.Officer = other
	_, err = d.SaveDraft(ctx, stolen)
	want(t, "overwriting another's", err, office.ErrNotFound)
	if list, err := d.Drafts(ctx, other); err != nil || len(list) != 0 {
		t.Errorf("another's list %+v %v", list, err)
	}
	must(t, d.DeleteDraft(ctx, me, first.ID))
	want(t, "deleting again", d.DeleteDraft(ctx, me, first.ID), office.ErrNotFound)
	_, err = d.SaveDraft(ctx, first)
	want(t, "saving one that is deleted", err, office.ErrNotFound)
}

func TestDraftLimits(t *testing.T) {
	ctx := context.Background()
	d, _, _ := fresh(t)
	me := addOfficer(t, d)
	save := func(title string, size int) error {
		// {"v":["..."]} has ten bytes besides.
		_, err := d.SaveDraft(ctx, office.Draft{Officer: me, Kind: office.DraftStatement, Title: title, Values: map[string][]string{"v": {strings.Repeat("x", size-10)}}})
		return err
	}
	must(t, save("", office.MaxDraft))
	want(t, "one byte more", save("", office.MaxDraft+1), office.ErrLimit)
	must(t, save(strings.Repeat("ü", office.MaxTitle), 100))
	want(t, "a longer title", save(strings.Repeat("ü", office.MaxTitle+1), 100), office.ErrLimit)
	for range office.MaxDrafts - 2 {
		must(t, save("", 100))
	}
	want(t, "one draft more", save("", 100), office.ErrLimit)
	list, err := d.Drafts(ctx, me)
	must(t, err)
	if len(list) != office.MaxDrafts {
		t.Errorf("%d drafts", len(list))
	}
	if _, err := d.SaveDraft(ctx, list[0]); err != nil {
		t.Errorf("changing one when there are as many as there may be: %v", err)
	}
	if _, err := d.SaveDraft(ctx, office.Draft{Officer: me, Kind: "poem"}); err == nil {
		t.Error("a draft of an unknown kind")
	}
	_, err = d.SaveDraft(ctx, office.Draft{Officer: newID(t), Kind: office.DraftStatement})
	want(t, "nobody's draft", err, office.ErrNotFound)
}

// TestManyWriteAtOnce: two processes, many writers; nothing is lost and nothing fails.
func TestManyWriteAtOnce(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	handles := []*office.DB{d, open(t, path, c)}
	me := addOfficer(t, d)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 8 {
				_, err := handles[i%2].SaveDraft(ctx, office.Draft{Officer: me, Kind: office.DraftStatement, Title: strconv.Itoa(i) + "/" + strconv.Itoa(j)})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, h := range handles {
		if list, err := h.Drafts(ctx, me); err != nil || len(list) != 32 {
			t.Errorf("%d drafts, error %v", len(list), err)
		}
	}
}

func TestLists(t *testing.T) {
	ctx := context.Background()
	d, _, c := fresh(t)
	me, other := addOfficer(t, d), addOfficer(t, d)
	save := func(name, page, query string) (office.List, error) {
		return d.SaveList(ctx, office.List{Officer: me, Name: name, Page: page, Query: query})
	}
	first, err := save("  Night   shift ", "/search", "q=shelling&who=A")
	must(t, err)
	if first.Name != "Night shift" || first.ID.IsZero() || !first.Created.Equal(c.now()) {
		t.Errorf("saved %+v", first)
	}
	again, err := save("Night shift", "/", "what=clash")
	must(t, err)
	if again.ID != first.ID {
		t.Error("the list of the same name is another one")
	}
	_, err = save("Day shift", "/", "")
	must(t, err)
	list, err := d.Lists(ctx, me)
	must(t, err)
	if len(list) != 2 || list[0].Name != "Day shift" || list[1].Query != "what=clash" || list[1].Page != "/" || list[1].Officer != me {
		t.Errorf("lists %+v", list)
	}
	for what, l := range map[string]office.List{
		"no name": {Name: "  ", Page: "/"}, "no page": {Name: "x"}, "another host": {Name: "x", Page: "//other.example/"}, "another site": {Name: "x", Page: "https://other.example/"},
		"a query in the page": {Name: "x", Page: "/?q=x"}, "no query": {Name: "x", Page: "/", Query: "%zz"}, "a backslash": {Name: "x", Page: `/\other.example`},
	} {
		l.Officer = me
		if _, err := d.SaveList(ctx, l); err == nil {
			t.Errorf("%s: saved", what)
		}
	}
	_, err = save(strings.Repeat("n", office.MaxName+1), "/", "")
	want(t, "a long name", err, office.ErrLimit)
	_, err = save("long", "/", "q="+strings.Repeat("n", office.MaxQuery))
	want(t, "a long search", err, office.ErrLimit)
	want(t, "deleting another's", d.DeleteList(ctx, other, first.ID), office.ErrNotFound)
	must(t, d.DeleteList(ctx, me, first.ID))
	want(t, "deleting again", d.DeleteList(ctx, me, first.ID), office.ErrNotFound)
	for i := range office.MaxLists - 1 {
		_, err := save("list "+strconv.Itoa(i), "/", "")
		must(t, err)
	}
	_, err = save("one more", "/", "")
	want(t, "one list more", err, office.ErrLimit)
	_, err = save("list 0", "/search", "q=x")
	must(t, err)
	if list, err := d.Lists(ctx, other); err != nil || len(list) != 0 {
		t.Errorf("another's lists %+v %v", list, err)
	}
}

func TestPostponed(t *testing.T) {
	ctx := context.Background()
	d, _, c := fresh(t)
	me := addOfficer(t, d)
	a, b, e := newID(t), newID(t), newID(t)
	put := func(account record.ID, member string, until time.Time, note string) {
		must(t, d.Postpone(ctx, office.Later{Account: account, Member: member, Officer: me, Until: until, Note: note}))
	}
	put(a, "desk", time.Time{}, "waits for a second source")
	put(b, "desk", c.now().Add(48*time.Hour), "")
	put(e, "desk", c.now().Add(96*time.Hour), "")
	put(e, "desk", c.now().Add(24*time.Hour), "sooner")
	put(a, "observer", time.Time{}, "theirs")
	list, err := d.Postponed(ctx, "desk")
	must(t, err)
	if len(list) != 3 || list[0].Account != e || list[0].Note != "sooner" || !list[0].Until.Equal(c.now().Add(24*time.Hour)) ||
		list[1].Account != b || list[2].Account != a || !list[2].Until.IsZero() || list[2].Officer != me || list[2].Member != "desk" {
		t.Errorf("postponed %+v", list)
	}
	must(t, d.TakeUp(ctx, "desk", a))
	want(t, "taking up again", d.TakeUp(ctx, "desk", a), office.ErrNotFound)
	if list, err := d.Postponed(ctx, "observer"); err != nil || len(list) != 1 || list[0].Note != "theirs" {
		t.Errorf("another member's %+v %v", list, err)
	}
	want(t, "a long note", d.Postpone(ctx, office.Later{Account: a, Member: "desk", Officer: me, Note: strings.Repeat("n", office.MaxNote+1)}), office.ErrLimit)
	want(t, "nobody", d.Postpone(ctx, office.Later{Account: a, Member: "desk", Officer: newID(t)}), office.ErrNotFound)
	if err := d.Postpone(ctx, office.Later{Member: "desk", Officer: me}); err == nil {
		t.Error("no account was put off")
	}
}

// BenchmarkSaveDraft is one durable write of a usual size.
func BenchmarkSaveDraft(b *testing.B) {
	ctx := context.Background()
	d, _, _ := fresh(b)
	draft, err := d.SaveDraft(ctx, office.Draft{Officer: addOfficer(b, d), Kind: office.DraftStatement, Values: map[string][]string{"words": {strings.Repeat("x", 4000)}}})
	must(b, err)
	for b.Loop() {
		if _, err := d.SaveDraft(ctx, draft); err != nil {
			b.Fatal(err)
		}
	}
}
