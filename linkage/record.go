// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"fmt"
	"math"
)

// Record is what one source tells of one event, as far as it can be compared. What a
// record does not say is left empty; an empty field speaks neither for nor against.
//
// There is no field for who is blamed: parties disagree about that by design, and a
// program that used it would put apart what they tell of one night.
type Record struct {
	Source string // who tells it; one source tells of one incident twice only by mistake
	ID     string // unique within Source
	Days   Days   // when it happened
	Told   Days   // when it was told; compared where one record gives no day
	Places []Place
	// Types are the kinds of incident that the record may mean. Each is a path in a
	// taxonomy, the finest name first, of at most MaxLevels names.
	Types   [][]string
	Targets []string // codes of what was aimed at or hit; several where several were told
	Weapons []string
	Counts  []Count
	Kinds   []string // what sort of thing it speaks of: an event, a text, a total
	Words   []string // stems of words, for records that have any
}

// MaxLevels is the greatest depth of a type's path.
const MaxLevels = 4

// Days is a span of days, both ends in it, counted from any one day for all records.
type Days struct {
	First, Last int32
	// Vague: one of these days is meant, as of a month that was named. Not vague, the
	// record tells of all of them: an episode.
	Vague bool
	Known bool
}

// On is a single day.
func On(day int32) Days { return Days{First: day, Last: day, Known: true} }

// Place is a position and the radius within which it lies.
type Place struct {
	Lat, Lon   float64 // WGS 84, degrees
	PrecisionM int32   // radius in metres, 0 or more
	// Code names a place; records of one code are at the same place, also where
	// it has no position, as a line has none (Point is false then).
	Code  string
	Point bool
}

// Count is a figure of one measure, as the range it was told in.
type Count struct {
	Measure   string // what is counted: killed, injured
	Of        string // of whom; "" for all, or where it was not said
	Low, High int64  // both ends in it; High is Open where it was left open
}

// Open is the upper end of a count that has none.
const Open = math.MaxInt64

// validate tells what of a record cannot be compared.
func (r *Record) validate() error {
	switch {
	case r.Source == "" || r.ID == "":
		return fmt.Errorf("a record needs a source and an id")
	case r.Days.Known && r.Days.First > r.Days.Last:
		return fmt.Errorf("record %s of %s ends on day %d, before it begins on day %d", r.ID, r.Source, r.Days.Last, r.Days.First)
	}
	for _, p := range r.Places {
		if p.Point && !(p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180 && p.PrecisionM >= 0) {
			return fmt.Errorf("record %s of %s: %g, %g within %d m is no place on the earth", r.ID, r.Source, p.Lat, p.Lon, p.PrecisionM)
		}
	}
	for _, t := range r.Types {
		if len(t) == 0 || len(t) > MaxLevels {
			return fmt.Errorf("record %s of %s: a type has %d levels, not 1 to %d", r.ID, r.Source, len(t), MaxLevels)
		}
	}
	for _, c := range r.Counts {
		if c.Low < 0 || c.Low > c.High {
			return fmt.Errorf("record %s of %s: %d to %d is no range of a count", r.ID, r.Source, c.Low, c.High)
		}
	}
	return nil
}
