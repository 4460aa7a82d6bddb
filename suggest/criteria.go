// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"math"
	"slices"

	"truceline/record"
)

// Criterion is one of the ways in which an account is compared with an incident.
type Criterion string

// The criteria, in the order in which reasons are given.
const (
	Time     Criterion = "time"
	Distance Criterion = "distance"
	Class    Criterion = "class"
	Type     Criterion = "type"
	Figures  Criterion = "figures"
	Words    Criterion = "words"
)

// Weights says what each criterion counts, in hundredths; together 100.
var Weights = map[Criterion]int64{Time: 30, Distance: 30, Class: 15, Type: 10, Figures: 10, Words: 5}

// Criteria lists the criteria in their order.
var Criteria = []Criterion{Time, Distance, Class, Type, Figures, Words}

// Level says in one word how a criterion was met. Pages have a text for each.
type Level string

// Levels of the criteria.
const (
	Unknown Level = "unknown" // of every criterion: cannot be told; counts 500

	SameDays    Level = "same_days"    // time: the same days exactly
	DaysOverlap Level = "overlap"      // time: the days overlap
	SameStart   Level = "same_start"   // time: counts that begin on the same day
	DaysNear    Level = "near"         // time: Reason.Days apart, a week at most
	DaysApart   Level = "apart"        // time: more than a week apart
	ToldAfter   Level = "told_after"   // time: no day is told; told Reason.Days after the incident
	ToldBefore  Level = "told_before"  // time: no day is told; told before the incident
	SamePlace   Level = "same_place"   // distance: a place in common
	RingsMeet   Level = "rings_meet"   // distance: as stated, they may be one place
	PlacesNear  Level = "near"         // distance: Reason.Metres apart beyond precision, 100 km at most
	PlacesApart Level = "apart"        // distance: further
	ClassFits   Level = "fits"         // class
	ClassOther  Level = "other"        // class
	SameType    Level = "same_type"    // type: the type whose name is most in the words
	AlikeType   Level = "alike"        // type: words of its name are in the words, of another more
	OtherType   Level = "other"        // type: the words name others alone
	FiguresMeet Level = "meet"         // figures: all that can be compared meet
	FiguresSome Level = "meet_in_part" // figures: some meet
	FiguresNot  Level = "differ"       // figures: none meets
	WordsCommon Level = "in_common"    // words
)

// Levels lists what levels each criterion may give, the best first.
var Levels = map[Criterion][]Level{
	Time:     {SameDays, SameStart, DaysOverlap, DaysNear, DaysApart, ToldAfter, ToldBefore, Unknown},
	Distance: {SamePlace, RingsMeet, PlacesNear, PlacesApart, Unknown},
	Class:    {ClassFits, ClassOther, Unknown},
	Type:     {SameType, AlikeType, OtherType, Unknown},
	Figures:  {FiguresMeet, FiguresSome, FiguresNot, Unknown},
	Words:    {WordsCommon, Unknown},
}

// Reason says how an account and an incident meet in one criterion.
type Reason struct {
	Criterion Criterion
	Level     Level
	Score     int64 // 0 to 1000; 500 where Level is Unknown
	// Linked tells that not the opening but accounts linked before gave the score.
	Linked     bool
	Days       int   // time: between the two; 0 where they overlap
	Metres     int64 // distance: between the two points that are nearest for their precision
	PrecisionM int64 // distance: their precisions added
	// Codes are, of distance, the place of the account and that of the incident ("" for
	// a position); of type, the incident's types that fit; of figures, measure, group and
	// subset of the figure that fits best.
	Codes []string
	// Account and Incident are, of figures, the ranges of that figure.
	Account, Incident [2]int64
	Words             []string // words: as the account has them, in alphabetical order
}

const neutral = 500

func unknown(c Criterion) Reason { return Reason{Criterion: c, Level: Unknown, Score: neutral} }

// nearDays are the scores of one to seven days apart: a night, a time zone, a day of
// publishing taken for the day of the event.
var nearDays = [...]int64{500, 350, 250, 150, 100, 50, 25}

// time compares spans of days: equal spans are certain, and of spans that overlap the
// days in common are set against the longer, so that a month says less than a day.
func (m *Mention) time(c *Candidate) Reason {
	if !m.Dated {
		return m.told(c)
	}
	best := m.span(c.Days, c.Class)
	for _, d := range c.When {
		if r := m.span(d, c.Class); r.Score > best.Score {
			best, best.Linked = r, true
		}
	}
	return best
}

func (m *Mention) span(d Days, class record.Class) Reason {
	r := Reason{Criterion: Time}
	shared := int64(min(m.Days.Last, d.Last) - max(m.Days.First, d.First) + 1)
	longer := int64(max(m.Days.Last-m.Days.First, d.Last-d.First) + 1)
	switch {
	case shared > 0 && class != record.ClassAggregate && longer > 1 && (m.Days.Vague || d.Vague):
		r.Level, r.Score = DaysOverlap, 600+400/longer // one day of the vague span is meant
	case shared == longer:
		r.Level, r.Score = SameDays, 1000
	case shared > 0 && class == record.ClassAggregate && m.kinds.running && m.Days.First == d.First:
		r.Level, r.Score = SameStart, 900+100*shared/longer
	case shared > 0:
		r.Level, r.Score = DaysOverlap, 600+400*shared/longer
	default:
		r.Days, r.Level = int(1-shared), DaysApart
		if r.Days <= len(nearDays) {
			r.Level, r.Score = DaysNear, nearDays[r.Days-1]
		}
	}
	return r
}

// told compares an account that gives no day: what it tells of was over when it was
// told, and more often lately than long before.
func (m *Mention) told(c *Candidate) Reason {
	if !m.ToldOn {
		return unknown(Time)
	}
	if c.Days.First > m.Told.Last+1 { // a day for time zones
		return Reason{Criterion: Time, Level: ToldBefore, Days: c.Days.First - m.Told.Last}
	}
	r := Reason{Criterion: Time, Level: ToldAfter, Days: max(0, m.Told.First-c.Days.Last)}
	switch {
	case r.Days <= 2:
		r.Score = 700
	case r.Days <= 7:
		r.Score = 600
	case r.Days <= 30:
		r.Score = 450
	default:
		r.Score = 300
	}
	return r
}

// ReachM is the distance in metres, beyond the precision of both places, from which on
// distance counts fully against an incident.
const ReachM = 100_000

// distance compares the places. Half of the score is of the two that fit best; a
// quarter each says how many of the account's places and of the incident's have one of
// the other near them.
func (m *Mention) distance(c *Candidate) Reason {
	best := meet(m.Spots, c.Spots)
	if len(c.Linked) > 0 {
		if r := meet(m.Spots, c.Linked); r.Level != Unknown && (best.Level == Unknown || r.Score > best.Score) {
			best, best.Linked = r, true
		}
	}
	return best
}

func meet(a, b []Spot) Reason {
	best := unknown(Distance)
	if len(a) == 0 || len(b) == 0 {
		return best
	}
	ofB := make([]int64, len(b))
	known := make([]bool, len(b))
	var sumA, sumB int64
	for _, x := range a {
		var of int64
		near := false
		for j, y := range b {
			r := pair(x, y)
			if r.Level == Unknown {
				continue
			}
			near, known[j] = true, true
			of, ofB[j] = max(of, r.Score), max(ofB[j], r.Score)
			if best.Level == Unknown || r.Score > best.Score || r.Score == best.Score && r.nearer(&best) {
				best = r
			}
		}
		if !near {
			of = neutral
		}
		sumA += of
	}
	if best.Level == Unknown {
		return best
	}
	for j := range b {
		if !known[j] {
			ofB[j] = neutral
		}
		sumB += ofB[j]
	}
	la, lb := int64(len(a)), int64(len(b))
	best.Score = (2*best.Score*la*lb + sumA*lb + sumB*la) / (4 * la * lb)
	return best
}

// nearer breaks ties of pairs, so that their order does not matter.
func (r *Reason) nearer(o *Reason) bool {
	if r.Metres != o.Metres {
		return r.Metres < o.Metres
	}
	return slices.Compare(r.Codes, o.Codes) < 0
}

// pair compares two spots: the wider the rings that overlap, the less it says.
func pair(x, y Spot) Reason {
	r := Reason{Criterion: Distance, PrecisionM: x.PrecisionM + y.PrecisionM, Codes: []string{x.Code, y.Code}}
	if x.Code != "" && x.Code == y.Code {
		r.Level, r.Score = SamePlace, 1000
		return r
	}
	if !x.Point || !y.Point {
		return unknown(Distance)
	}
	r.Metres = metres(x, y)
	switch beyond := r.Metres - r.PrecisionM; {
	case beyond <= 0:
		r.Level, r.Score = RingsMeet, 900-400*min(r.PrecisionM, 2*ReachM)/(2*ReachM)
	case beyond <= ReachM:
		r.Level, r.Score = PlacesNear, 500*(ReachM-beyond)/ReachM
	default:
		r.Level = PlacesApart
	}
	return r
}

// metres is the great-circle distance between two points by the haversine formula, on a
// sphere of the earth's mean radius; it is within 0.6 % of that on the ellipsoid.
func metres(x, y Spot) int64 {
	const earth, rad = 6371008.8, math.Pi / 180e6
	lat1, lat2 := float64(x.LatE6)*rad, float64(y.LatE6)*rad
	sinLat := math.Sin(float64(lat2-lat1) / 2)
	sinLon := math.Sin(float64(float64(y.LonE6-x.LonE6)*rad) / 2)
	h := float64(sinLat*sinLat) + float64(float64(math.Cos(lat1)*math.Cos(lat2))*float64(sinLon*sinLon))
	return int64(math.Round(2 * earth * math.Asin(math.Sqrt(min(h, 1)))))
}

// class compares what the claims speak of with what was opened. Who reads a text, or
// gives the total of a period, does not tell of an incident; a count that goes on may be
// of one that goes on, and a position alone may be about anything.
func (m *Mention) class(c *Candidate) Reason {
	k := m.kinds
	fits := func(ok bool) Reason {
		if ok {
			return Reason{Criterion: Class, Level: ClassFits, Score: 1000}
		}
		return Reason{Criterion: Class, Level: ClassOther}
	}
	switch c.Class {
	case record.ClassAggregate:
		return fits(k.totals)
	case record.ClassAgreement:
		if k.reads || k.happened || k.totals {
			return fits(k.reads)
		}
	case record.ClassTalks:
		if k.totals {
			return fits(false)
		}
	case record.ClassIncident:
		if k.happened || k.reads || k.totals && !k.running {
			return fits(k.happened)
		}
	}
	return unknown(Class)
}

// otherType is the score of an incident of whose types no word was told. It is little
// less than not knowing: who says "attack" may mean any of them.
const otherType = 400

// kind compares the types of the incident with those whose names are in the words.
func (r *Rule) kind(m *Mention, c *Candidate) Reason {
	if m.types == nil || len(c.Types) == 0 {
		return unknown(Type)
	}
	most := slices.Max(m.types)
	out := Reason{Criterion: Type, Level: OtherType, Score: otherType}
	for i, t := range r.types {
		if !slices.Contains(c.Types, t.code) || m.types[i] == 0 {
			continue
		}
		out.Codes = append(out.Codes, t.code)
		out.Score = max(out.Score, otherType+(1000-otherType)*m.types[i]/most)
	}
	switch {
	case out.Score == 1000:
		out.Level = SameType
	case len(out.Codes) > 0:
		out.Level = AlikeType
	}
	return out
}

// figures compares each figure of the account with the figure of the linked accounts
// that is nearest to it. Claimants differ: figures that do not meet count little
// against an incident.
func (m *Mention) figures(c *Candidate) Reason {
	out := unknown(Figures)
	var sum, compared, met int64
	best := int64(-1)
	for _, f := range m.Figures {
		nearest := int64(-1)
		for _, g := range c.Figures {
			s, ok := f.compare(g)
			if !ok {
				continue
			}
			nearest = max(nearest, s)
			if s > best {
				best = s
				out.Codes = []string{f.Measure, f.Group, f.Subset}
				out.Account, out.Incident = [2]int64{f.Low, f.High}, [2]int64{g.Low, g.High}
			}
		}
		if nearest < 0 {
			continue
		}
		compared++
		sum += nearest
		if nearest == 1000 {
			met++
		}
	}
	if compared == 0 {
		return out
	}
	out.Linked, out.Score = true, sum/compared
	switch met {
	case 0:
		out.Level = FiguresNot
	case compared:
		out.Level = FiguresMeet
	default:
		out.Level = FiguresSome
	}
	return out
}

// compare relates two figures of one measure and group; a group that was not said may
// be any. Ranges that meet score 1000, others by the ratio of the ends that are nearest.
func (f Figure) compare(g Figure) (score int64, ok bool) {
	if f.Measure != g.Measure || f.Subset != g.Subset || f.Total != g.Total || f.Group != g.Group && f.Group != "" && g.Group != "" {
		return 0, false
	}
	if f.Low <= g.High && g.Low <= f.High {
		return 1000, true
	}
	less, more := f.High, g.Low
	if g.High < f.Low {
		less, more = g.High, f.Low
	}
	return 250 + 500*less/more, true
}

// common compares words: the share of the shorter list that is in the other.
func (m *Mention) common(c *Candidate) Reason {
	out := unknown(Words)
	for s, w := range m.words {
		if _, ok := c.words[s]; ok {
			out.Words = append(out.Words, w)
		}
	}
	if len(out.Words) == 0 {
		return out
	}
	slices.Sort(out.Words)
	out.Level, out.Score = WordsCommon, 500+int64(500*len(out.Words)/min(len(m.words), len(c.words)))
	return out
}
