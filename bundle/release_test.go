// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"truceline/bundle"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// caseNamed is a case of the list, as others test with it.
func caseNamed(t testing.TB, name string) caseFile {
	t.Helper()
	for i := range bundleCases {
		if bundleCases[i].name == name {
			return bundleCases[i].file(t)
		}
	}
	t.Fatalf("there is no case %s", name)
	return caseFile{}
}

// TestReleaseSaysWhatItShows: both checkers print each field that is proved, and none that
// is not.
func TestReleaseSaysWhatItShows(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]map[string]bool{
		"release":        {`/claims[1]/low  7`: true, `/label  "shots at the ford"`: true, "filed by    DRN": true, "filed by    OMB": true, "release     good": true},
		"release-figure": {`/claims[1]/low  70`: false, `/label  "shots at the ford"`: true, "release     FAILED: record 11, field /claims[1]/low: the record's body has another value there, or none": true},
	} {
		f := caseNamed(t, name)
		r, err := bundle.Check([]byte(f.Bundle), bundle.Options{Key: f.Key, Policy: f.Policy})
		if err != nil {
			t.Fatal(err)
		}
		second := secondChecker(t, f.disk(t, dir, name))[0].Out
		for line, is := range want {
			if strings.Contains(text(r), line) != is {
				t.Errorf("%s: %q, want %t:\n%s", name, line, is, text(r))
			}
		}
		for _, x := range r.Shown {
			for _, v := range x.Fields {
				line := fmt.Sprintf("shows %d %s %s\n", x.Index, v.Path, v.Value)
				if strings.Contains(second, line) != strings.Contains(text(r), "  "+v.Path+"  "+v.Value+"\n") {
					t.Errorf("%s: the checkers do not agree on %q:\n%s", name, line, second)
				}
			}
		}
	}
}

// TestMakeRelease: a bundle of a release holds the paths of what it shows, and the keys of
// who filed that.
func TestMakeRelease(t *testing.T) {
	w := newWorld(t, "bundle")
	w.Epoch, w.EpochKey = record.ID{7}, vault.EpochKey{7}
	s, officer := verifytest.Signer("an officer"), w.NewID()
	key := s.Key()
	enrolled := w.file("watch", record.OfficerEnrolled, &record.Enrolment{Key: &key, Officer: officer})
	i := w.file("watch", record.IncidentOpened, verifytest.Incident("smoke"), verifytest.For(record.AudienceMembers), verifytest.By(officer), verifytest.SignedBy(w.Signer("watch"), s))
	e := w.log.Entries[i]
	d, err := vault.Disclose(e.Envelope, e.Body, e.BodySalt, e.LeafSalt, int64(i), e.LoggedAt, []string{"/label"})
	w.must(err)
	made := w.file("scribe", record.ReleaseMade, &record.Released{Title: "Smoke", Items: []record.Disclosure{*d}}, verifytest.About(record.RoleRelease, w.NewID()))
	b := w.whole(made)
	r := w.check(b, w.known())
	is(t, r, bundle.Good, none, none)
	if len(r.Shown) != 1 || r.Shown[0].Statement.Member != "watch" || r.Shown[0].Fields[0].Value != `"smoke"` || r.Layers[bundle.Release].Good != 1 {
		t.Error(text(r))
	}
	for _, needed := range []int{enrolled, w.admission("watch")} {
		if !slices.ContainsFunc(w.parsed(b).Records, func(p formPlaced) bool { return p.index() == int64(needed) }) {
			t.Errorf("record %d is not in the bundle", needed)
		}
	}
	// A head from before what is shown has no path to it.
	w.log.Entries[made].Body = nil
	if f := w.parsed(w.whole(made)); f.Released != nil {
		t.Error("a bundle without the body of a release proves what that shows")
	}
}
