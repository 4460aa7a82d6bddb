// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"truceline/linkage"
	"truceline/record"
	"truceline/when"
)

// model is the body of a model that can be compared by, learnt from the first records.
func model(size int64, reason string) *record.Linkage {
	p := linkage.Default([]string{"killed"})
	p.Shares = []linkage.Share{{Field: linkage.FieldType, Code: "raid", Share: 400_000}, {Field: linkage.FieldWeapon, Code: "mortar", Share: 50_000}}
	p.Common = []string{"بازار", "ديره"}
	p.Records, p.Pairs, p.Expected = 3, 2, 1_250
	return &record.Linkage{Params: *p.Record(), Prefix: record.Prefix{Root: record.Digest{byte(size)}, Size: size}, Reason: reason, Schema: linkage.SchemaVersion}
}

// The latest model that stands is in force, and each is listed as it was filed.
func TestLinkageInForce(t *testing.T) {
	ctx := context.Background()
	s := newStory(t, "lakes")
	d := s.folded(t.TempDir())
	inForce := func(want record.ID) {
		t.Helper()
		s.follow(d)
		f, ok, err := d.LinkageInForce(ctx)
		if err != nil || f.ID != want || ok == want.IsZero() {
			t.Errorf("%s is in force (%t), want %s; %v", f.ID, ok, want, err)
		}
	}
	if list, err := d.LinkageHistory(ctx); err != nil || len(list) > 0 {
		t.Errorf("before anything was learnt: %+v, %v", list, err)
	}
	inForce(record.ID{})
	officer := record.ID{5}
	first := s.file(record.LinkageFitted, model(1, "first"), func(st *record.Statement) { st.Officer = officer })
	inForce(first)
	s.account(record.ID{}, record.Claimant{Kind: s.pack.ClaimantKinds[0].Code, Name: "a"}, "x")
	second := s.file(record.LinkageFitted, model(3, "second"), nil)
	inForce(second)
	later := model(2, "later")
	later.Schema = linkage.SchemaVersion + 1
	s.file(record.LinkageFitted, later, nil)
	inForce(second)
	s.because(record.ActUndone, about(record.RoleAct, second))
	inForce(first)
	inForce(first) // and nothing new to fold
	undone := int64(len(s.entries)) - 1

	list, err := d.LinkageHistory(ctx)
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	for i, want := range []struct {
		reason       string
		schema       int
		size, undone int64
		officer      record.ID
		known        bool
	}{
		{"later", linkage.SchemaVersion + 1, 2, -1, record.ID{}, false},
		{"second", linkage.SchemaVersion, 3, undone, record.ID{}, true},
		{"first", linkage.SchemaVersion, 1, -1, officer, true},
	} {
		f := list[i]
		if f.Reason != want.reason || f.Schema != want.schema || f.Size != want.size || f.Root != (record.Digest{byte(want.size)}) || f.Undone != want.undone ||
			f.Officer != want.officer || f.Member != s.pack.MembersWith(record.DeskRole)[0] || (f.Known() == nil) != want.known {
			t.Errorf("%d: %+v, want %+v", i, f, want)
		}
		if b := model(want.size, want.reason); !reflect.DeepEqual(*f.Params.Record(), b.Params) {
			t.Errorf("%d: the numbers are %+v, filed were %+v", i, f.Params.Record(), b.Params)
		}
		r, err := d.Record(ctx, f.ID)
		if err != nil || r.Index != f.Index || r.Reason != want.reason || r.Undone != want.undone {
			t.Errorf("%d: record %+v, %v", i, r, err)
		}
	}
	if dump(t, d) != dump(t, s.folded(t.TempDir())) {
		t.Error("the tables folded at once differ from those folded record by record")
	}
}

// The numbers have one spelling, wherever they are written, and none is lost on the way.
func TestOneSpellingOfNumbers(t *testing.T) {
	b := model(1, "x")
	filed, err := record.Canonical(b.Params)
	if err != nil {
		t.Fatal(err)
	}
	p := linkage.ParamsOf(&b.Params)
	written, err := json.Marshal(*p)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := record.Canonical(json.RawMessage(written))
	if err != nil || !bytes.Equal(canonical, filed) {
		t.Errorf("%v: %s, filed %s", err, canonical, filed)
	}
	var again linkage.Params
	if err := json.Unmarshal(written, &again); err != nil || !reflect.DeepEqual(&again, p) || again.Validate() != nil {
		t.Errorf("read again: %+v, %v, %v", again, err, again.Validate())
	}
	if err := json.Unmarshal([]byte(`{"ask":"x"}`), &again); err == nil {
		t.Error("text for a number is taken")
	}
	if none := (&linkage.Params{}).Record(); none.Measures == nil {
		t.Error("that no measures are compared is not said")
	}
}

// Of more than can be learnt from while an officer waits, a model is learnt from what was
// filed last: nothing older changes it, and nothing newer is left out.
func TestModelIsOfTheNewest(t *testing.T) {
	ctx := context.Background()
	const most = 40
	// fit learns from accounts and openings of one day, filed after older ones of another.
	fit := func(older, newer int) *linkage.Params {
		f := newTableFiller(t, gridPack(4))
		add := func(i int, day when.Date, place string, dead int64) {
			c := dayClaim(1, day, place)
			c.Measure, c.Group, c.Bound, c.Low, c.High = "killed", "people", "exact", &dead, &dead
			f.account(fillerID('a', i), sayingOf(c), nil)
			f.incident(fillerID('i', i), openingOf(day, "", place), nil)
		}
		for i := range older {
			add(i, "2030-01-05", "town-1-1", 3)
		}
		for i := range newer {
			add(1000+i, "2030-03-31", "town-0-0", int64(i))
		}
		p, _, err := f.open().FitLinkageOf(ctx, most)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	alone := fit(0, most)
	if got := fit(25, most); alone.Records != 2*most || !reflect.DeepEqual(got, alone) {
		t.Errorf("older accounts changed what is learnt from %d records:\n%+v\n%+v", alone.Records, got, alone)
	}
	if got := fit(25, most-10); got.Records != 2*most || reflect.DeepEqual(got, alone) {
		t.Errorf("learnt from %d records, the same: older ones are left out while there is room", got.Records)
	}
}
