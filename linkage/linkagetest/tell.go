// SPDX-License-Identifier: Apache-2.0

package linkagetest

import (
	"math"

	"truceline/linkage"
)

// tell is what a source says of an incident, and the day on which its list has it.
func (g *generator) tell(e *incident, source int) (linkage.Record, int) {
	day := max(0, e.day-1+g.pick(g.Late))
	r := linkage.Record{Source: g.Sources[source].Name, Days: g.days(e, day)}
	if !r.Days.Known {
		r.Told = linkage.On(int32(day + g.geometric(0.6)))
	}
	if g.Float64() >= g.NoPlace {
		r.Places = append(r.Places, g.place(e.place, e.spot))
		for _, p := range e.also {
			if g.Float64() < 0.8 {
				r.Places = append(r.Places, g.place(p, e.spot))
			}
		}
	}
	if g.Float64() >= g.NoType {
		r.Types = [][]string{types[g.told(e.typ)]}
	}
	if g.Float64() >= g.TargetUnknown {
		t := e.target
		if g.Float64() < g.TargetAny {
			t = g.IntN(len(targets))
		}
		r.Targets = []string{targets[t]}
	}
	if g.Weapons && g.Float64() < 0.7 {
		w := e.weapon
		if g.Float64() < 0.1 {
			w = g.IntN(len(weapons))
		}
		r.Weapons = []string{weapons[w]}
	}
	if g.Float64() >= g.NoCount {
		r.Counts = append(r.Counts, g.count("killed", e.killed, g.Sources[source].Counts))
	}
	if g.Injured && g.Float64() >= max(0.2, g.NoCount) {
		r.Counts = append(r.Counts, g.count("injured", e.injured, g.Sources[source].Counts))
	}
	return r, day
}

const month = 31

func (g *generator) days(e *incident, day int) linkage.Days {
	switch {
	case g.Float64() < g.NoDay:
		return linkage.Days{}
	case g.Float64() < g.MonthOnly:
		first := day - day%month
		return linkage.Days{First: int32(first), Last: int32(first + month - 1), Vague: true, Known: true}
	case e.last > e.day && g.Float64() < 0.8: // else only its beginning is told
		last := max(day, e.last-1+g.pick(g.Late))
		return linkage.Days{First: int32(day), Last: int32(last), Known: true}
	}
	return linkage.On(int32(day))
}

// place is where a source says that it was, to four places of a degree.
func (g *generator) place(at point, spot *point) linkage.Place {
	code := g.pick(g.Precision[:])
	if code == 2 && spot != nil {
		at = *spot
	}
	km := errorKM[code]
	if code == 2 && spot == nil {
		km = spotSpread // nothing whose middle could stand for it
	}
	at = g.around(at, km*g.Noise)
	if len(g.towns) > 0 {
		at = g.nearest(at)
	}
	return linkage.Place{Lat: math.Round(at.lat*1e4) / 1e4, Lon: math.Round(at.lon*1e4) / 1e4, PrecisionM: precisionM[code], Point: true}
}

func (g *generator) nearest(at point) point {
	best, near := point{}, math.Inf(1)
	for _, t := range g.towns {
		north, east := t.lat-at.lat, (t.lon-at.lon)*math.Cos(at.lat*math.Pi/180)
		if d := north*north + east*east; d < near {
			best, near = t, d
		}
	}
	return best
}

func (g *generator) told(typ int) int {
	switch u := g.Float64(); {
	case u < g.TypeNear:
		return typ ^ 1
	case u < g.TypeNear+g.TypeAny:
		return g.IntN(len(types))
	}
	return typ
}

// count is a range about what a source believes: a fifth either way, and none where it
// believes that there were none.
func (g *generator) count(measure string, n int, factor float64) linkage.Count {
	v := math.Round(float64(n)*factor*math.Exp(g.NormFloat64()*g.CountNoise) + g.NormFloat64()*smallCount)
	v = max(0, v)
	about := math.Ceil(v / 5)
	return linkage.Count{Measure: measure, Low: int64(v - about), High: int64(v + about)}
}
