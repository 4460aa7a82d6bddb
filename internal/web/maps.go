// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/a-h/templ"

	"truceline/agreement"
	"truceline/internal/assets"
	"truceline/internal/basemap"
	"truceline/internal/projection"
	"truceline/record"
)

// bases keeps the base map of the agreement in force; it is made once for each.
type bases struct {
	mu     sync.Mutex
	pack   *agreement.Pack // the last one asked for
	digest record.Digest
	base   *basemap.Map // nil where it could not be made
}

// of gives the base map for the pack, nil without the files of other projects: maps
// then show rings and names on blank ground.
func (b *bases) of(s *server, pack *agreement.Pack) *basemap.Map {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pack == pack {
		return b.base
	}
	digest, err := pack.Digest()
	if err != nil {
		s.Log.Error("base map", "err", err)
		return nil
	}
	if b.pack == nil || digest != b.digest {
		b.base, b.digest = s.readBase(pack), digest
	}
	b.pack = pack
	return b.base
}

func (s *server) readBase(pack *agreement.Pack) *basemap.Map {
	atlas, err := assets.Atlas()
	if err != nil {
		s.Log.Warn("maps have no ground", "err", err)
		return nil
	}
	m, err := basemap.New(atlas, pack)
	if closeErr := atlas.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		s.Log.Error("maps have no ground", "err", err)
		return nil
	}
	return m
}

// mapView is a map ready to draw.
type mapView struct {
	*basemap.Paths
	Ground bool // land and lines are there
	Rings  []ring
	// Squares are the areas of what is known only so far.
	Squares []square
	Names   []label
	Lines   []lineLegend
	Scale   scaleBar
	Nobody  bool // nothing on it has a position
	Left    int  // places that are not drawn because there are too many
	Box     agreement.Box
	// Feed is the address of the places for the map that moves; empty where this one
	// only stands still.
	Feed string
}

// ring is a place as wide as it is uncertain.
type ring struct {
	Code      string
	Name      string
	X, Y, R   float64
	Precision int64
	Count     int // incidents there
}

// wide tells that the ring has no middle worth a dot: the place may lie anywhere in it.
func (r ring) wide() bool { return r.R > 12 }

// label is a name on the map.
type label struct {
	X, Y   float64
	Anchor string // of SVG: start, middle, end
	Text   string
	Class  string
}

// lineLegend says how each party calls a line.
type lineLegend struct {
	Name  string
	Names []partyName
}

type partyName struct{ Party, Name string }

type scaleBar struct {
	Km    int
	Width float64
}

// Widths of maps, in pixels of the SVG.
const (
	wideMap  = 640
	insetMap = 480
)

// situationMap shows where all the incidents were that the filter finds, whichever of
// them are listed.
func situationMap(v *view, f filter, places map[string]int) mapView {
	counts := maps.Clone(places)
	box, _ := v.boxOf(nil)
	for code := range counts {
		box = v.around(box, code)
	}
	m := v.drawMap(box, wideMap, counts)
	m.Feed = string(v.link("/map/places.json", f.query()))
	return m
}

// incidentMap shows the places of one incident and of what is said of it.
func incidentMap(v *view, inc projection.Incident, accounts []projection.Account) mapView {
	counts := placesOf(inc, accounts)
	// The map shows where the incident was; what is said of places farther off is on it
	// only as far as it reaches.
	own := map[string]int{}
	for _, p := range inc.Places {
		own[p] = 1
	}
	box, ok := v.boxOf(own)
	if !ok {
		box, ok = v.boxOf(counts)
	}
	areas := areasOf(inc, accounts)
	if !ok {
		box, ok = boxOfAreas(areas)
	}
	if !ok {
		return mapView{Nobody: true}
	}
	m := v.drawMap(box, insetMap, counts)
	m.squares(areas)
	m.Feed = string(v.to("/map/places.json", "incident", inc.ID.String()))
	return m
}

// placesOf are the places of an incident and of what is said of it.
func placesOf(inc projection.Incident, accounts []projection.Account) map[string]int {
	counts := map[string]int{}
	for _, p := range inc.Places {
		counts[p] = 1
	}
	for _, a := range accounts {
		for _, c := range a.Body.Claims {
			for _, p := range c.Places {
				if linked(a, inc.ID, c.N) && counts[p] == 0 {
					counts[p] = 1
				}
			}
		}
	}
	return counts
}

// boxOf is the area that holds the rings of places; the agreement's view for none
// asked. It is not narrower than a degree, so that some of the country shows.
func (v *view) boxOf(places map[string]int) (agreement.Box, bool) {
	if places == nil {
		if m := v.server.bases.of(v.server, v.pack); m != nil {
			return m.View(), true
		}
		if v.pack.View != nil {
			return *v.pack.View, true
		}
		places = map[string]int{}
		for _, p := range v.pack.Places {
			places[p.Code] = 1
		}
	}
	b := agreement.Box{West: math.MaxInt64, South: math.MaxInt64, East: math.MinInt64, North: math.MinInt64}
	for code := range places {
		p := v.names.places[code]
		if p == nil || p.LatE6 == nil || p.LonE6 == nil {
			continue
		}
		dLat := p.PrecisionM * 9 // a metre is some 9 micro-degrees of latitude
		dLon := int64(float64(dLat) / math.Max(0.1, math.Cos(float64(*p.LatE6)/1e6*math.Pi/180)))
		b.West, b.East = min(b.West, *p.LonE6-dLon), max(b.East, *p.LonE6+dLon)
		b.South, b.North = min(b.South, *p.LatE6-dLat), max(b.North, *p.LatE6+dLat)
	}
	if b.West > b.East {
		return b, false
	}
	dx, dy := max((b.East-b.West)/6, (1_600_000-(b.East-b.West))/2), max((b.North-b.South)/6, (1_000_000-(b.North-b.South))/2)
	return agreement.Box{West: max(b.West-dx, -180_000_000), East: min(b.East+dx, 180_000_000),
		South: max(b.South-dy, -80_000_000), North: min(b.North+dy, 80_000_000)}, true
}

// around widens box so that the ring of a place in it is not cut, as far as there is
// ground.
func (v *view) around(box agreement.Box, code string) agreement.Box {
	p := v.names.places[code]
	if p == nil || p.LatE6 == nil || p.LonE6 == nil || *p.LatE6 < box.South || *p.LatE6 > box.North || *p.LonE6 < box.West || *p.LonE6 > box.East {
		return box
	}
	dLat := p.PrecisionM * 9
	dLon := int64(float64(dLat) / math.Max(0.1, math.Cos(float64(*p.LatE6)/1e6*math.Pi/180)))
	out := agreement.Box{West: min(box.West, *p.LonE6-dLon), South: min(box.South, *p.LatE6-dLat),
		East: max(box.East, *p.LonE6+dLon), North: max(box.North, *p.LatE6+dLat)}
	if base := v.server.bases.of(v.server, v.pack); base != nil && !base.Covers(out) {
		return box
	}
	return out
}

// shownRings is how many places a drawn map shows, those with most incidents first.
const shownRings = 400

func (v *view) drawMap(box agreement.Box, width int, counts map[string]int) mapView {
	m := mapView{Box: box}
	if base := v.server.bases.of(v.server, v.pack); base != nil {
		m.Paths, m.Ground = base.SVG(box, width), true
	} else {
		m.Paths = &basemap.Paths{Projection: basemap.NewProjection(box, width)}
	}
	for code, n := range counts {
		p := v.names.places[code]
		if p == nil || p.LatE6 == nil || p.LonE6 == nil {
			continue
		}
		x, y := m.XY(*p.LatE6, *p.LonE6)
		if x < 0 || y < 0 || x > float64(m.Width) || y > float64(m.Height) {
			continue
		}
		m.Rings = append(m.Rings, ring{Code: code, Name: v.names.place(code), X: x, Y: y,
			R: max(4, m.Pixels(*p.LatE6, float64(p.PrecisionM))), Precision: p.PrecisionM, Count: n})
	}
	if m.Left = max(0, len(m.Rings)-shownRings); m.Left > 0 {
		slices.SortFunc(m.Rings, func(a, b ring) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code)) })
		m.Rings = m.Rings[:shownRings]
	}
	// Wide rings lie below, so that every ring can be reached.
	slices.SortFunc(m.Rings, func(a, b ring) int { return cmp.Or(cmp.Compare(b.R, a.R), cmp.Compare(a.Code, b.Code)) })
	m.Nobody = len(m.Rings) == 0
	v.nameLines(&m)
	v.namePlaces(&m)
	m.Scale = m.scale(width)
	return m
}

// mapAttributes are what the map's script needs; without ground or beyond the base
// map there is nothing to move. Data attributes mark the map in any case, for its style.
func (v *view) mapAttributes(m mapView) templ.Attributes {
	base := v.server.bases.of(v.server, v.pack)
	if m.Feed == "" || base == nil || !base.Covers(m.Box) || v.server.static.Missing() != nil {
		return templ.Attributes{"data-map": ""}
	}
	degrees := func(e6 int64) string { return strconv.FormatFloat(float64(e6)/1e6, 'f', -1, 64) }
	return templ.Attributes{
		"data-map": "", "data-geojson": string(v.to("/map/base.json")), "data-places": m.Feed,
		"data-view": degrees(m.Box.West) + " " + degrees(m.Box.South) + " " + degrees(m.Box.East) + " " + degrees(m.Box.North),
		"data-open": v.T("map.open"), "data-label": v.T("map.label", "n", len(m.Rings)),
		"data-zoom-in": v.T("map.closer"), "data-zoom-out": v.T("map.farther"), "data-km": v.T("map.unit_km"), "data-m": v.T("map.unit_m"),
	}
}

// nameLines puts each party's name of a line on that party's side of it.
func (v *view) nameLines(m *mapView) {
	for _, l := range v.pack.Lines {
		legend := lineLegend{Name: v.names.in(l.Name, l.Code), Names: v.lineNames(l)}
		for _, path := range m.Paths.Lines {
			if path.Code != l.Code {
				continue
			}
			if !inView(path.Anchors) {
				continue
			}
			m.Lines = append(m.Lines, legend)
			at := path.Anchors[0]
			// Names of one side stack up, each as far out as its own box needs.
			high := map[int]float64{1: 4, -1: 4}
			for i, n := range legend.Names {
				side := at.Sides[n.Party]
				if side == 0 {
					side = 1 - 2*(i%2)
				}
				const height = 16
				l := label{Anchor: "middle", Text: n.Name, Class: "map-line-text"}
				out := high[side] + (math.Abs(at.NX)*l.width()+math.Abs(at.NY)*height)/2
				l.X, l.Y = at.X+float64(side)*at.NX*out, at.Y+float64(side)*at.NY*out+4
				high[side] += math.Abs(at.NX)*l.width() + math.Abs(at.NY)*height
				// A name is never cut off by the edge.
				l.X = min(max(l.X, l.width()/2), float64(m.Width)-l.width()/2)
				l.Y = min(max(l.Y, height), float64(m.Height)-4)
				m.Names = append(m.Names, l)
			}
		}
	}
}

// inView tells whether enough of a line is seen to be named: more than a corner of it.
func inView(on []basemap.Anchor) bool {
	const least = 40
	return slices.ContainsFunc(on, func(a basemap.Anchor) bool { return math.Hypot(a.X-on[0].X, a.Y-on[0].Y) > least })
}

// lineNames are what each party calls a line, in the order of the pack.
func (v *view) lineNames(l agreement.Line) []partyName {
	var out []partyName
	for _, p := range v.pack.Parties {
		if s := l.PartyNames[p.Code].In(v.Tag); s != "" {
			out = append(out, partyName{p.Code, s})
		}
	}
	return out
}

// shownNames is how many names of places a map carries at most.
const shownNames = 24

// namePlaces names places where there is room, those with most incidents first.
func (v *view) namePlaces(m *mapView) {
	order := slices.Clone(m.Rings)
	slices.SortStableFunc(order, func(a, b ring) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.R, b.R)) })
	var taken []area
	for _, n := range m.Names {
		taken = append(taken, n.area())
	}
	for _, r := range order {
		if len(taken) >= shownNames {
			break
		}
		gap := min(r.R, 12) + 3
		for _, l := range []label{
			{r.X + gap, r.Y + 4, "start", r.Name, "map-text"}, {r.X - gap, r.Y + 4, "end", r.Name, "map-text"},
			{r.X, r.Y - gap - 2, "middle", r.Name, "map-text"}, {r.X, r.Y + gap + 10, "middle", r.Name, "map-text"},
		} {
			a := l.area()
			if a.x0 < 0 || a.y0 < 0 || a.x1 > float64(m.Width) || a.y1 > float64(m.Height) || slices.ContainsFunc(taken, a.meets) {
				continue
			}
			taken = append(taken, a)
			m.Names = append(m.Names, l)
			break
		}
	}
}

// area is where a label lies, by a rough width of its letters.
type area struct{ x0, y0, x1, y1 float64 }

func (a area) meets(b area) bool { return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 }

func (l label) width() float64 { return 6.5 * float64(utf8.RuneCountInString(l.Text)) }

func (l label) area() area {
	w := l.width()
	a := area{l.X, l.Y - 12, l.X + w, l.Y + 4}
	switch l.Anchor {
	case "end":
		a.x0, a.x1 = l.X-w, l.X
	case "middle":
		a.x0, a.x1 = l.X-w/2, l.X+w/2
	}
	return a
}

// scale is a round distance about a sixth of the map wide.
func (m *mapView) scale(width int) scaleBar {
	lat := (m.Box.South + m.Box.North) / 2
	best := scaleBar{}
	for _, km := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if w := m.Pixels(lat, float64(km)*1000); w <= float64(width)/5 {
			best = scaleBar{km, w}
		}
	}
	return best
}

func (m mapView) scalePath() string {
	y := px(float64(m.Height - 12))
	return "M10 " + y + " h" + px(m.Scale.Width) + " m0 -4 v8 M10 " + y + " m0 -4 v8"
}

// within says how far from the point a place may lie.
func (v *view) within(metres int64) string {
	if metres < 1000 {
		return v.T("map.m", "n", metres)
	}
	return v.T("map.km", "n", (metres+500)/1000)
}
