// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"slices"
	"testing"

	"truceline/record"
	"truceline/verify/verifytest"
)

func TestOfKinds(t *testing.T) {
	d := open(t)
	if got := d.state.OfKinds(record.MemberAdmitted); !slices.Equal(got, []int64{3, 4, 5, 6, 7, 8}) {
		t.Errorf("the admissions are %v", got)
	}
	if got := d.state.OfKinds(record.MemberAdmitted, record.MissionOpened, record.ClockTicked); !slices.Equal(got, []int64{0, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("with the opening: %v", got)
	}
	if got := d.state.OfKinds(); got != nil {
		t.Errorf("of no kind: %v", got)
	}
}

func TestNumbered(t *testing.T) {
	d := open(t)
	talks := verifytest.Incident("x")
	talks.Class = "talks"
	d.good(d.File("clerk", record.IncidentOpened, talks))
	if _, ok := d.state.Numbered("001/2026"); ok {
		t.Error("talks are taken for an incident")
	}
	want := d.good(d.File("clerk", record.IncidentOpened, verifytest.Incident("x")))
	if got, ok := d.state.Numbered("001/2026"); !ok || got != want {
		t.Errorf("001/2026 is %s, %t; want %s", got, ok, want)
	}
	if _, ok := d.state.Numbered(""); ok {
		t.Error("nothing is a number")
	}
}
