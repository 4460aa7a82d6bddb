// SPDX-License-Identifier: Apache-2.0

package linkage

import "math"

// A pattern is how two records meet in all fields: for each field the number of its
// class and level, counted from 1, and 0 where one record does not say. Pairs of one
// pattern are alike to the model, so that it is learnt from counts of patterns.
type pattern uint64

// Bits of a pattern, by field.
const (
	bitDays    = 0
	bitPlace   = 5
	bitType    = 13
	bitTarget  = 18
	bitWeapon  = 21
	bitCounts  = 24 // 4 for each measure
	bitKinds   = bitCounts + 4*MaxMeasures
	bitWords   = bitKinds + 2
	bitCrowd   = bitWords + 4 // how crowded the surroundings are, 4
	bitTwin    = bitCrowd + 4 // both are of one source
	patternEnd = bitTwin + 1
)

// layout says where the fields stand in a pattern, and which number begins each class.
type layout struct {
	specs []fieldSpec
	shift []int
	mask  []pattern
	first [][]int // by field and class: the number of the class's first level
	slots []int   // by field: how many numbers there are, with 0
}

func newLayout(measures []string) *layout {
	l := &layout{specs: specsFor(measures)}
	for i := range l.specs {
		s := &l.specs[i]
		var shift, bits int
		switch s.field {
		case FieldDays:
			shift, bits = bitDays, 5
		case FieldPlace:
			shift, bits = bitPlace, 8
		case FieldType:
			shift, bits = bitType, 5
		case FieldTarget:
			shift, bits = bitTarget, 3
		case FieldWeapon:
			shift, bits = bitWeapon, 3
		case FieldKinds:
			shift, bits = bitKinds, 2
		case FieldWords:
			shift, bits = bitWords, 4
		default:
			shift, bits = bitCounts+4*(i-5), 4
		}
		n, first := 1, []int(nil)
		for _, c := range s.classes {
			first = append(first, n)
			n += len(c.levels)
		}
		if n > 1<<bits {
			panic("linkage: field " + string(s.field) + " has too many levels for its bits")
		}
		l.shift = append(l.shift, shift)
		l.mask = append(l.mask, 1<<bits-1)
		l.first = append(l.first, first)
		l.slots = append(l.slots, n)
	}
	return l
}

// slot is the number that a pattern has of a field.
func (l *layout) slot(p pattern, field int) int { return int(p >> l.shift[field] & l.mask[field]) }

// comparer compares items. It is read only once made, and safe for concurrent use.
type comparer struct {
	*layout
	measures int
	// rarity of values by their numbers: how far from common, 0 to 3.
	types   []uint8
	targets []uint8
	weapons []uint8
	common  []bool // words that are no sign
}

// near gives the part of the pattern that says how two items lie in time and space; ok is
// false where they lie too far apart to be of one event.
func (c *comparer) near(a, b *item) (p pattern, ok bool) {
	days, ok := c.days(a, b)
	if !ok {
		return 0, false
	}
	place, ok := c.place(a, b)
	if !ok {
		return 0, false
	}
	p = pattern(days)<<bitDays | pattern(place)<<bitPlace
	if a.src == b.src {
		p |= 1 << bitTwin
	}
	return p, true
}

// rest gives the part of the pattern that near leaves out, but for the crowd.
func (c *comparer) rest(a, b *item) (p pattern) {
	if len(a.types) > 0 && len(b.types) > 0 {
		p |= pattern(c.kind(a, b)) << bitType
	}
	if len(a.targets) > 0 && len(b.targets) > 0 {
		p |= pattern(code(a.targets, b.targets, c.targets)) << bitTarget
	}
	if len(a.weapons) > 0 && len(b.weapons) > 0 {
		p |= pattern(code(a.weapons, b.weapons, c.weapons)) << bitWeapon
	}
	if len(a.counts) > 0 && len(b.counts) > 0 {
		for m := range c.measures {
			p |= pattern(counts(a, b, int8(m))) << (bitCounts + 4*m)
		}
	}
	if a.kinds != 0 && b.kinds != 0 {
		if a.kinds&b.kinds != 0 {
			p |= 1 << bitKinds
		} else {
			p |= 2 << bitKinds
		}
	}
	if len(a.words) > 0 && len(b.words) > 0 {
		p |= pattern(c.words(a, b)) << bitWords
	}
	return p
}

// maxGap is how many days may lie between records of one event.
const maxGap = 3

// daysGap is the number of days between two spans; 0 where they overlap or touch the
// same day.
func daysGap(a, b Days) int32 { return max(0, max(a.First, b.First)-min(a.Last, b.Last)) }

func (c *comparer) days(a, b *item) (slot int, ok bool) {
	const field = 0
	if !a.days.Known || !b.days.Known {
		return c.told(a, b)
	}
	gap := daysGap(a.days, b.days)
	if gap > maxGap {
		return 0, false
	}
	if a.days.First == a.days.Last && b.days.First == b.days.Last {
		return c.first[field][daysSharp] + int(gap), true
	}
	same := a.days.First == b.days.First && a.days.Last == b.days.Last
	if a.days.Vague || b.days.Vague {
		first := c.first[field][daysVague]
		switch {
		case gap > 0:
			return first + 1 + int(gap), true
		case same:
			return first, true
		}
		return first + 1, true
	}
	first := c.first[field][daysSpan]
	if gap > 0 {
		return first + 4 + int(gap), true
	}
	shared := int64(min(a.days.Last, b.days.Last)-max(a.days.First, b.days.First)) + 1
	longer := int64(max(a.days.Last-a.days.First, b.days.Last-b.days.First)) + 1
	switch {
	case same:
		return first, true
	case a.days.First == b.days.First && a.days.First < min(a.days.Last, b.days.Last):
		return first + 1, true
	case 5*shared >= 4*longer:
		return first + 2, true
	case 4*shared >= longer:
		return first + 3, true
	}
	return first + 4, true
}

// told compares where a record gives no day: what was told was over then. Where neither
// gives any day, nothing is known.
func (c *comparer) told(a, b *item) (slot int, ok bool) {
	if a.days.Known {
		a, b = b, a
	}
	first := c.first[0][daysTold]
	switch {
	case !a.told.Known || !b.days.Known && !b.told.Known:
		return 0, true
	case !b.days.Known: // neither gives its day: how close together they were told
		switch gap := daysGap(a.told, b.told); {
		case gap <= 2:
			return first, true
		case gap <= 7:
			return first + 1, true
		case gap <= 30:
			return first + 2, true
		}
		return first + 3, true
	case b.days.First > a.told.Last+1: // a day for time zones
		return first + 4, true
	}
	switch gap := a.told.First - b.days.Last; {
	case gap <= 2:
		return first, true
	case gap <= 7:
		return first + 1, true
	case gap <= 30:
		return first + 2, true
	}
	return first + 3, true
}

// place compares the two places that fit best. Where a record names several places, its
// event was at one of them or at all: the best pair decides.
func (c *comparer) place(a, b *item) (slot int, ok bool) {
	if len(a.places) == 0 || len(b.places) == 0 {
		return 0, true
	}
	best, near, names := -1, false, false
	var bestRatio float64
	for i := range a.places {
		x := &a.places[i]
		for j := range b.places {
			y := &b.places[j]
			if x.point && y.point {
				d := x.metres(y)
				if d > reach(x, y) && (x.code < 0 || x.code != y.code) {
					continue
				}
				ratio := d / math.Sqrt(float64(x.radius*x.radius)+float64(y.radius*y.radius))
				if x.code >= 0 && x.code == y.code {
					d, ratio = 0, 0
				}
				level := placeLevel(d, ratio)
				if !near || ratio < bestRatio || ratio == bestRatio && placeSlot(c, x, y, level) < best {
					near, bestRatio, best = true, ratio, placeSlot(c, x, y, level)
				}
				continue
			}
			if x.code >= 0 && y.code >= 0 {
				if x.code == y.code {
					return c.first[1][placeNames], true
				}
				if !x.point && !y.point {
					names = true
				} else {
					return 0, true // a line or a country, and a point: not known
				}
			}
		}
	}
	switch {
	case near:
		return best, true
	case names:
		return c.first[1][placeNames] + 1, true
	}
	for i := range a.places { // all of both are points, and far apart
		if !a.places[i].point {
			return 0, true
		}
	}
	for j := range b.places {
		if !b.places[j].point {
			return 0, true
		}
	}
	return 0, false
}

func placeSlot(c *comparer, x, y *spot, level int) int {
	return c.first[1][pairClass(int(x.class), int(y.class))] + level
}

// samePoint is the distance in metres up to which two positions are the same: the one
// that a gazetteer gives.
const samePoint = 60

func placeLevel(metres, ratio float64) int {
	if metres <= samePoint {
		return 0
	}
	for i, cut := range placeCuts {
		if ratio <= cut {
			return i + 1
		}
	}
	return len(placeCuts) + 1
}

// kind compares types: of several, the two that are closest.
func (c *comparer) kind(a, b *item) int {
	best, depthOf := 1<<8, 0
	for i := range a.types {
		x := &a.types[i]
		for j := range b.types {
			y := &b.types[j]
			depth := int(min(x.depth, y.depth))
			level := int(3 + depth) // other
			if x.level[0] == y.level[0] {
				level = rarityLevel(c.types, x.level[0])
			} else {
				for k := 1; k < depth; k++ {
					if x.level[k] == y.level[k] {
						level = 3 + k
						break
					}
				}
			}
			if level < best || level == best && depth > depthOf {
				best, depthOf = level, depth
			}
		}
	}
	return c.first[2][depthOf-1] + best
}

// rarityLevel is 0 for the rarest and 3 for the commonest.
func rarityLevel(rarity []uint8, value int32) int {
	if int(value) < len(rarity) {
		return int(rarity[value])
	}
	return 0
}

// code compares lists of codes: one in common is enough.
func code(a, b []int32, rarity []uint8) int {
	best := 4
	for _, x := range a {
		for _, y := range b {
			if x == y {
				best = min(best, rarityLevel(rarity, x))
			}
		}
	}
	return 1 + best
}

// counts compares the figures of a measure: of several, the two that are closest. A
// figure whose group was not said may be of any.
func counts(a, b *item, measure int8) int {
	best := 1 << 8
	for i := range a.counts {
		x := &a.counts[i]
		if x.measure != measure {
			continue
		}
		for j := range b.counts {
			y := &b.counts[j]
			if y.measure != measure || x.of != y.of && x.of != 0 && y.of != 0 {
				continue
			}
			best = min(best, countLevel(x, y))
		}
	}
	if best == 1<<8 {
		return 0
	}
	return 1 + best
}

// many is the middle from which on a count is called many: such counts are rare, so
// that agreeing in one says more.
const many = 4

func countLevel(x, y *count) int {
	noneX, noneY := x.hi == 0, y.hi == 0
	switch {
	case noneX && noneY:
		return 7
	case noneX && y.lo == 0 || noneY && x.lo == 0:
		return 8
	case noneX || noneY:
		return 9
	}
	few := 0
	if max(x.middle, y.middle) < many {
		few = 1
	}
	if x.lo == y.lo && x.hi == y.hi {
		return few
	}
	less, more := min(x.middle, y.middle), max(x.middle, y.middle)
	switch {
	case more <= 1.6*less:
		return 2 + few
	case more <= 3*less:
		return 4
	case x.lo <= y.hi && y.lo <= x.hi:
		return 5
	}
	return 6
}

// words counts the words in common that few records have; where there are none, others.
func (c *comparer) words(a, b *item) int {
	n, weak := 0, false
	for i, j := 0, 0; i < len(a.words) && j < len(b.words); {
		switch x, y := a.words[i], b.words[j]; {
		case x < y:
			i++
		case y < x:
			j++
		default:
			if int(x) >= len(c.common) || !c.common[x] {
				n++
			} else {
				weak = true
			}
			i++
			j++
		}
	}
	class := 0
	if min(len(a.words), len(b.words)) <= labelWords {
		class = 1
	}
	first := c.first[len(c.first)-1][class]
	switch {
	case n >= 6:
		return first
	case n >= 3:
		return first + 1
	case n >= 1:
		return first + 2
	case weak:
		return first + 3
	}
	return first + 4
}
