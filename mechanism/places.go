// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"truceline/place"
	"truceline/record"
)

// CheckPlaces tells whether the places of an account are as coarse as the agreement in force
// wants them, if it does: every area is a unit of its grid, and what is for everybody has no
// point. It returns a *Refusal that names the first claim that is not so.
//
// What came in a batch is not asked: a data set that others have published keeps what it
// published. Nor is what was sealed when it is opened: it was bound before, and a refusal
// would keep back a version.
func (s *State) CheckPlaces(b *record.Account, public bool) error {
	grid := s.pack.GridE6()
	if grid == 0 {
		return nil
	}
	for i := range b.Claims {
		c := &b.Claims[i]
		if public && c.Point != nil {
			return refuse(StateForbids, "claim %d has a position, and the agreement keeps positions coarse: file the area alone, or the account for fewer", c.N)
		}
		if c.Area == nil {
			continue
		}
		a := place.Area{LatE6: c.Area.LatE6, LonE6: c.Area.LonE6, SizeE6: c.Area.SizeE6, Undetermined: c.Area.Side == record.SideUndetermined}
		if !a.IsUnit(grid) {
			return refuse(StateForbids, "claim %d: its area is no unit of the agreement's grid of %d micro-degrees: fill in the position anew", c.N, grid)
		}
	}
	return nil
}
