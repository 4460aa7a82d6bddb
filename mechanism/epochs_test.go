// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// anAgeFile is one for the rules, which open none.
var anAgeFile = base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n"))

func (d *door) recipient(member string) {
	d.Helper()
	id, err := vault.NewIdentity()
	if err != nil {
		d.Fatal(err)
	}
	d.good(d.File(member, record.RecipientNamed, &record.Recipient{Age: id.Recipient()}))
}

func (d *door) keyed(member, audience string, readers ...string) verifytest.Filing {
	return d.File(member, record.AudienceKeyed, &record.Epoch{Audience: audience, Key: anAgeFile, Readers: readers}, verifytest.For(record.AudienceMembers))
}

func (d *door) shared(by, to string, epochs ...record.ID) verifytest.Filing {
	slices.SortFunc(epochs, func(a, b record.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	return d.File(by, record.AudienceShared, &record.Handover{Epochs: epochs, Keys: anAgeFile, Member: to}, verifytest.For(record.AudienceMembers))
}

// TestCurrentEpoch: what is filed next goes under a key that exactly its readers have, under
// keys that nobody has put away since.
func TestCurrentEpoch(t *testing.T) {
	d := open(t)
	want := func(what string, id record.ID) {
		t.Helper()
		e, ok := d.state.Current(record.AudienceMembers, "OMB", nil)
		if ok == id.IsZero() || e.ID != id {
			t.Errorf("%s: the current epoch is %s, %t, want %s", what, e.ID, ok, id)
		}
	}
	d.recipient("DRN")
	d.recipient("OMB")
	want("before there is one", record.ID{})
	first := d.good(d.keyed("OMB", record.AudienceMembers, "DRN", "OMB"))
	want("the first", first)
	d.recipient("watch")
	want("another has joined", record.ID{})
	d.good(d.keyed("DRN", record.AudienceMembers, "DRN", "OMB", "watch"))
	want("another member's, under which only that one files", record.ID{})
	second := d.good(d.keyed("OMB", record.AudienceMembers, "DRN", "OMB", "watch"))
	d.good(d.keyed("DRN", record.AudienceMembers, "DRN", "OMB", "watch"))
	want("with the other", second)

	d.state.Begin()
	d.good(d.shared("OMB", "watch", first))
	d.state.Rollback()
	d.good(d.File("watch", record.MemberLeft, &record.Departure{Member: "watch", Reason: "over"}))
	want("it has left, and never had the key before", first)
	if owed := d.state.Owed(first); !slices.Equal(slices.Sorted(maps.Keys(owed)), []string{"DRN", "OMB"}) {
		t.Errorf("the first is owed to %v", owed)
	}
	d.recipient("DRN")
	want("a reader has another key", record.ID{})
	third := d.good(d.keyed("OMB", record.AudienceMembers, "DRN", "OMB"))
	want("under the other key", third)

	d.recipient("scribe")
	if at, ok := d.state.Owed(third)["scribe"]; !ok || at != d.state.Size()-1 {
		t.Errorf("scribe is owed the third since %d, %t", at, ok)
	}
	d.good(d.shared("OMB", "DRN", third))
	d.good(d.shared("OMB", "scribe", third))
	d.good(d.File("scribe", record.MemberLeft, &record.Departure{Member: "scribe", Reason: "over"}))
	want("who was handed it has left", record.ID{})
}

func TestHandoverRefused(t *testing.T) {
	d := open(t)
	for _, m := range []string{"DRN", "OMB", "scribe"} {
		d.recipient(m)
	}
	all := d.good(d.keyed("OMB", record.AudienceMembers, "DRN", "OMB", "scribe"))
	some := d.good(d.keyed("OMB", record.AudienceMechanism, "OMB", "scribe"))
	two := d.good(d.keyed("OMB", record.AudienceNamed, "DRN", "OMB"))
	for _, m := range []string{"watch", "clerk"} {
		d.recipient(m)
	}
	d.refused("an epoch that is none", mechanism.UnknownSubject, d.shared("OMB", "watch", record.ID{9}))
	d.refused("to a stranger", mechanism.NotAMember, d.shared("OMB", "pal", all))
	d.refused("by one who has not the key", mechanism.NoRight, d.shared("clerk", "watch", all))
	d.refused("the mechanism's to another", mechanism.NoRight, d.shared("OMB", "clerk", some))
	d.refused("what two were told, to a third", mechanism.NoRight, d.shared("OMB", "scribe", two))
	d.refused("one that may be given with one that may not", mechanism.NoRight, d.shared("OMB", "scribe", all, two))
	if d.state.Owed(two) != nil || slices.Contains(slices.Collect(maps.Keys(d.state.Owed(some))), "clerk") {
		t.Error("epochs are owed that nobody may hand over")
	}
	d.good(d.shared("scribe", "watch", all, some))
	d.good(d.shared("OMB", "DRN", two)) // again, to one who was named
}

func TestErasures(t *testing.T) {
	d := open(t)
	d.recipient("OMB")
	d.Epoch = d.good(d.keyed("OMB", record.AudienceMembers, "OMB"))
	var want []record.ID
	for range 3 {
		id := d.good(d.File("OMB", record.ReportFiled, &record.Report{Title: "What the guards say"}, verifytest.For(record.AudienceMembers)))
		want = append([]record.ID{id}, want...)
	}
	for _, id := range want {
		d.good(d.File("OMB", record.BodyErased, &record.Reason{Reason: "agreed"}, verifytest.For(record.AudienceMembers), verifytest.About(record.RoleRecord, id)))
	}
	if got := d.state.Erasures(); !slices.Equal(got, want) {
		t.Errorf("erased are %v, want %v", got, want)
	}
}
