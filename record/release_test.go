// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"testing"

	"truceline/record"
)

func TestReleaseRefused(t *testing.T) {
	if err := release().Validate(); err != nil {
		t.Fatal(err)
	}
	items := func(list ...record.ReleaseItem) func(*record.Release) {
		return func(r *record.Release) { r.Items = list }
	}
	fields := func(list ...string) func(*record.Release) {
		return items(record.ReleaseItem{Record: record.ID{1}, Fields: list})
	}
	for name, edit := range map[string]func(*record.Release){
		"for another audience":    func(r *record.Release) { r.Audience = "mechanism" },
		"without a title":         func(r *record.Release) { r.Title = " \n" },
		"an embargo before 1970":  func(r *record.Release) { r.Embargo = -1 },
		"of nothing":              items(),
		"of too much":             func(r *record.Release) { r.Items = make([]record.ReleaseItem, record.MaxReleaseItems+1) },
		"of no record":            items(record.ReleaseItem{Fields: []string{"/a"}}),
		"of a record twice":       items(record.ReleaseItem{Fields: []string{"/a"}, Record: record.ID{1}}, record.ReleaseItem{Fields: []string{"/b"}, Record: record.ID{1}}),
		"of no field":             fields(),
		"fields in no order":      fields("/b", "/a"),
		"a field twice":           fields("/a", "/a"),
		"no path":                 fields("a"),
		"a path with zeros":       fields("/a[01]"),
		"a path to everything":    fields(""),
		"an exact place":          fields("/claims[0]/point/lat_e6"),
		"an exact place, further": fields("/account/claims[12]/point/precision_m"),
	} {
		r := release()
		if edit(r); r.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	r := release()
	r.Audience, r.Items = "members", []record.ReleaseItem{{Record: record.ID{1}, Fields: []string{"/claims[0]/point/lat_e6"}}}
	if err := r.Validate(); err != nil {
		t.Error("members may be given an exact place:", err)
	}
}

func TestReleasedRefused(t *testing.T) {
	if err := released().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*record.Released, *record.Disclosure){
		"without a title":     func(r *record.Released, _ *record.Disclosure) { r.Title = "" },
		"of nothing":          func(r *record.Released, _ *record.Disclosure) { r.Items = nil },
		"no envelope":         func(_ *record.Released, d *record.Disclosure) { d.Envelope = "" },
		"loose base64":        func(_ *record.Released, d *record.Disclosure) { d.Envelope = "AAB=" },
		"half a commitment":   func(_ *record.Released, d *record.Disclosure) { d.Commitments = base64Of(48) },
		"before the ledger":   func(_ *record.Released, d *record.Disclosure) { d.Index = -1 },
		"before its time":     func(_ *record.Released, d *record.Disclosure) { d.LoggedAt = -1 },
		"without a field":     func(_ *record.Released, d *record.Disclosure) { d.Fields = nil },
		"fields in no order":  func(_ *record.Released, d *record.Disclosure) { d.Fields[0].Path = "/c" },
		"no path":             func(_ *record.Released, d *record.Disclosure) { d.Fields[0].Path = "" },
		"no value":            func(_ *record.Released, d *record.Disclosure) { d.Fields[0].Value = "" },
		"not canonical":       func(_ *record.Released, d *record.Disclosure) { d.Fields[0].Value = `"x" ` },
		"more than one value": func(_ *record.Released, d *record.Disclosure) { d.Fields[0].Value = `["x"]` },
	} {
		r := released()
		if edit(r, &r.Items[0]); r.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if (&record.Reply{Text: " "}).Validate() == nil {
		t.Error("a reply of nothing is taken")
	}
}
