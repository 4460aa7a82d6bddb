// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// apart is a mission in which OMB, DRN, scribe and watch can be encrypted to; of these the
// last two are the mechanism.
type apart struct {
	*door
	account record.ID // of OMB
}

func openApart(t *testing.T) apart {
	d := apart{door: open(t)}
	d.Epoch = record.ID{7}
	for _, code := range []string{"OMB", "DRN", "scribe", "watch"} {
		id, err := vault.ParseIdentity(verifytest.Readers[code])
		if err != nil {
			t.Fatal(err)
		}
		d.good(d.File(code, record.RecipientNamed, &record.Recipient{Age: id.Recipient()}))
	}
	d.account = d.good(d.File("OMB", record.AccountFiled, verifytest.Account(1)))
	return d
}

var someAge = base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n"))

func (d apart) identity(by string, account record.ID, readers ...string) verifytest.Filing {
	return d.File(by, record.IdentityFiled, &record.Identity{Age: someAge, Role: "witness", Token: record.ID{1}},
		verifytest.For(record.AudienceNamed, readers...), verifytest.About(record.RoleAccount, account))
}

func (d apart) asked(by string, identity record.ID, readers ...string) verifytest.Filing {
	return d.File(by, record.IdentityAsked, &record.Reason{Reason: "to protect"}, verifytest.For(record.AudienceNamed, readers...), verifytest.About(record.RoleIdentity, identity))
}

func (d apart) released(by string, request record.ID, readers ...string) verifytest.Filing {
	return d.File(by, record.IdentityReleased, &record.IdentityAnswer{Age: someAge}, verifytest.For(record.AudienceNamed, readers...), verifytest.About(record.RoleRequest, request))
}

func (d apart) reads(by string, identity record.ID, readers ...string) verifytest.Filing {
	return d.File(by, record.IdentityRead, &record.Reason{Reason: "to protect"}, verifytest.For(record.AudienceNamed, readers...), verifytest.About(record.RoleIdentity, identity))
}

// TestIdentityApart tells one identity from its filing to its erasure.
func TestIdentityApart(t *testing.T) {
	d := openApart(t)
	id := d.good(d.identity("OMB", d.account, "DRN"))
	ask := d.good(d.asked("watch", id, "DRN", "scribe"))
	d.refused("asked twice", mechanism.StateForbids, d.asked("watch", id, "DRN", "scribe"))
	d.refused("read before it is answered", mechanism.NoRight, d.reads("watch", id, "DRN", "scribe"))
	own := d.good(d.asked("OMB", id, "DRN", "scribe", "watch"))
	answer := d.good(d.released("DRN", ask, "scribe", "watch"))
	d.refused("answered twice", mechanism.StateForbids, d.released("DRN", ask, "scribe", "watch"))
	d.refused("read by who is not answered yet", mechanism.NoRight, d.reads("OMB", id, "DRN", "scribe", "watch"))
	read := d.good(d.reads("watch", id, "DRN", "scribe"))
	kept := d.good(d.reads("DRN", id, "scribe", "watch"))
	again := d.good(d.asked("watch", id, "DRN", "scribe"))

	got, ok := d.state.Identity(id)
	if !ok || got.Account != d.account || got.Member != "OMB" || got.Custodian != "DRN" || got.Erased ||
		!slices.Equal(got.Readings, []record.ID{read, kept}) ||
		!slices.Equal(got.Requests, []mechanism.IdentityRequest{{ID: ask, Identity: id, Member: "watch", Answer: answer}, {ID: own, Identity: id, Member: "OMB"}, {ID: again, Identity: id, Member: "watch"}}) {
		t.Errorf("%+v", got)
	}
	if list := d.state.IdentitiesOf(d.account); !slices.Equal(list, []record.ID{id}) {
		t.Errorf("the account has the identities %v", list)
	}
	for code, knows := range map[string]bool{"OMB": true, "DRN": true, "watch": true, "scribe": true, "clerk": false, "book": false} {
		if d.state.Knows(id, code) != knows {
			t.Errorf("%s is shown it: %t", code, !knows)
		}
	}
	if got := d.state.IdentityReaders(id, "DRN", "OMB"); !slices.Equal(got, []string{"OMB", "scribe", "watch"}) {
		t.Errorf("an answer is for %v", got)
	}
	for _, undone := range []record.ID{id, ask, answer, read} {
		d.refused("undone", mechanism.StateForbids, d.File("DRN", record.ActUndone, &record.Reason{Reason: "r"}, verifytest.For(record.AudienceMembers), verifytest.About(record.RoleAct, undone)))
	}

	erased := func(by string, id record.ID) verifytest.Filing {
		return d.File(by, record.BodyErased, &record.Reason{Reason: "at this person's wish"}, verifytest.For(record.AudienceMembers), verifytest.About(record.RoleRecord, id))
	}
	d.refused("erased by a third", mechanism.NoRight, erased("watch", id))
	d.refused("an answer erased by another than the custodian", mechanism.NoRight, erased("OMB", answer))
	by := d.good(erased("DRN", id))
	for _, gone := range []record.ID{id, answer} {
		if at, _, ok := d.state.Erased(gone); !ok || at != by {
			t.Errorf("record %s is not erased", gone)
		}
	}
	d.refused("erased twice", mechanism.StateForbids, erased("OMB", id))
	for what, f := range map[string]verifytest.Filing{
		"asked for": d.asked("scribe", id, "DRN", "watch"), "answered": d.released("DRN", own, "OMB", "scribe", "watch"), "read": d.reads("DRN", id, "scribe", "watch"),
	} {
		d.refused("erased and "+what, mechanism.StateForbids, f)
	}
}

// TestCustodianHasLeft: nobody asks any more, and who was answered before still reads.
func TestCustodianHasLeft(t *testing.T) {
	d := openApart(t)
	id := d.good(d.identity("OMB", d.account, "DRN"))
	ask := d.good(d.asked("watch", id, "DRN", "scribe"))
	d.good(d.released("DRN", ask, "scribe", "watch"))
	d.good(d.File("DRN", record.MemberLeft, &record.Departure{Member: "DRN", Reason: "over"}))
	d.refused("asked", mechanism.StateForbids, d.asked("scribe", id, "watch"))
	d.refused("read as if it were there", mechanism.UnknownAudience, d.reads("watch", id, "DRN", "scribe"))
	d.good(d.reads("watch", id, "scribe"))
}

// TestIdentityForItself: who files an identity may keep it, and still reads it with a record.
func TestIdentityForItself(t *testing.T) {
	d := openApart(t)
	id := d.good(d.identity("OMB", d.account))
	if got, _ := d.state.Identity(id); got.Custodian != "OMB" {
		t.Errorf("%+v", got)
	}
	d.refused("asked by the custodian", mechanism.StateForbids, d.asked("OMB", id, "scribe", "watch"))
	d.good(d.reads("OMB", id, "scribe", "watch"))
	ask := d.good(d.asked("scribe", id, "OMB", "watch"))
	d.good(d.released("OMB", ask, "scribe", "watch"))
	// What was filed for less than everybody has identities, too.
	told := d.good(d.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.For(record.AudienceNamed, "DRN")))
	d.good(d.identity("OMB", told))
}

func TestIdentityRefused(t *testing.T) {
	d := openApart(t)
	id := d.good(d.identity("OMB", d.account, "DRN"))
	ask := d.good(d.asked("watch", id, "DRN", "scribe"))
	gone := d.good(d.File("OMB", record.AccountFiled, verifytest.Account(1)))
	d.good(d.File("OMB", record.AccountWithdrawn, &record.Reason{Reason: "r"}, verifytest.About(record.RoleAccount, gone)))
	for what, tt := range map[string]struct {
		code mechanism.Code
		f    verifytest.Filing
	}{
		"with another's account":               {mechanism.NoRight, d.identity("DRN", d.account)},
		"with a withdrawn account":             {mechanism.StateForbids, d.identity("OMB", gone)},
		"with no account":                      {mechanism.UnknownSubject, d.identity("OMB", id)},
		"two custodians":                       {mechanism.UnknownAudience, d.identity("OMB", d.account, "DRN", "watch")},
		"a custodian without a key":            {mechanism.StateForbids, d.identity("OMB", d.account, "clerk")},
		"the registry as custodian":            {mechanism.NoRight, d.identity("OMB", d.account, "book")},
		"a custodian who is no member":         {mechanism.UnknownAudience, d.identity("OMB", d.account, "nobody")},
		"asked by who has nothing to do":       {mechanism.NoRight, d.asked("clerk", id, "DRN", "scribe", "watch")},
		"asked without the mechanism":          {mechanism.UnknownAudience, d.asked("scribe", id, "DRN")},
		"asked past the custodian":             {mechanism.UnknownAudience, d.asked("scribe", id, "watch")},
		"asked before others":                  {mechanism.UnknownAudience, d.asked("scribe", id, "DRN", "OMB", "watch")},
		"asked of an account":                  {mechanism.UnknownSubject, d.asked("scribe", d.account, "DRN", "watch")},
		"released by who filed it":             {mechanism.NoRight, d.released("OMB", ask, "DRN", "scribe", "watch")},
		"released by the mechanism":            {mechanism.NoRight, d.released("scribe", ask, "DRN", "watch")},
		"released past who asked":              {mechanism.UnknownAudience, d.released("DRN", ask, "scribe")},
		"released without a request":           {mechanism.UnknownSubject, d.released("DRN", id, "scribe", "watch")},
		"read by who filed it":                 {mechanism.NoRight, d.reads("OMB", id, "DRN", "scribe", "watch")},
		"read where the mechanism sees it not": {mechanism.UnknownAudience, d.reads("DRN", id, "watch")},
	} {
		d.refused(what, tt.code, tt.f)
	}
}

// TestIdentityHash: what the rules know of identities is in the hash of the state.
func TestIdentityHash(t *testing.T) {
	d := openApart(t)
	d.state.Begin()
	before := d.state.Hash()
	id := d.good(d.identity("OMB", d.account, "DRN"))
	ask := d.good(d.asked("watch", id, "DRN", "scribe"))
	d.good(d.released("DRN", ask, "scribe", "watch"))
	d.good(d.reads("DRN", id, "scribe", "watch"))
	d.state.Rollback()
	if d.state.Hash() != before {
		t.Error("taking it back leaves something")
	}
	if _, ok := d.state.Identity(id); ok || len(d.state.IdentitiesOf(d.account)) > 0 {
		t.Error("taking it back leaves the identity")
	}
}
