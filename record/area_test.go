// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"testing"

	"truceline/record"
)

func TestArea(t *testing.T) {
	good := record.Area{LatE6: 34_100_000, LonE6: 70_900_000, SizeE6: 100_000, Side: record.SideOne}
	for _, tt := range []struct {
		name string
		edit func(c *record.Claim)
		ok   bool
	}{
		{"no point", func(c *record.Claim) {}, true},
		{"undetermined", func(c *record.Claim) { c.Area.Side = record.SideUndetermined }, true},
		{"the whole earth", func(c *record.Claim) { *c.Area = record.Area{-90_000_000, -180_000_000, "one", record.MaxAreaSize} }, true},
		{"its point", func(c *record.Claim) { c.Point = &record.Point{LatE6: 34_123_456, LonE6: 70_987_654, PrecisionM: 5} }, true},
		{"its edge", func(c *record.Claim) { c.Point = &record.Point{LatE6: 34_200_000, LonE6: 70_900_000, PrecisionM: 5} }, true},
		{"180 degrees east", func(c *record.Claim) {
			c.Area.LonE6, c.Point = -180_000_000, &record.Point{LatE6: 34_123_456, LonE6: 180_000_000, PrecisionM: 5}
		}, true},
		{"the other end of the earth", func(c *record.Claim) {
			c.Area.LonE6, c.Point = 179_900_000, &record.Point{LatE6: 34_123_456, LonE6: 180_000_000, PrecisionM: 5}
		}, true},
		{"north of it", func(c *record.Claim) { c.Point = &record.Point{LatE6: 34_200_001, LonE6: 70_987_654, PrecisionM: 5} }, false},
		{"west of it", func(c *record.Claim) { c.Point = &record.Point{LatE6: 34_123_456, LonE6: 70_899_999, PrecisionM: 5} }, false},
		{"no side", func(c *record.Claim) { c.Area.Side = "" }, false},
		{"a side of somebody", func(c *record.Claim) { c.Area.Side = "north" }, false},
		{"no size", func(c *record.Claim) { c.Area.SizeE6 = 0 }, false},
		{"more than the earth", func(c *record.Claim) { c.Area.SizeE6 = record.MaxAreaSize + 1 }, false},
		{"the pole for a corner", func(c *record.Claim) { c.Area.LatE6 = 90_000_000 }, false},
		{"below the pole", func(c *record.Claim) { c.Area.LatE6 = -90_000_001 }, false},
		{"180 degrees for a corner", func(c *record.Claim) { c.Area.LonE6 = 180_000_000 }, false},
		{"beyond them", func(c *record.Claim) { c.Area.LonE6 = -180_000_001 }, false},
	} {
		area := good
		c := record.Claim{Area: &area, Element: record.Event, FirstHand: "no", N: 1, Scope: record.ScopeIncident, Stance: "says"}
		tt.edit(&c)
		if err := c.Validate(); tt.ok != (err == nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
