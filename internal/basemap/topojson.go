// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// maxAtlas is the largest atlas that is read, in bytes.
const maxAtlas = 64 << 20

// topology is what the map needs of an atlas: lines between junctions, and which
// countries lie beside each.
type topology struct {
	arcs      []arc
	countries []country
	land      []polygon
}

// arc is a line between two junctions. Of an arc outside the region only both ends
// are kept: the straight way between them lies as far outside, and a ring that takes
// it encloses the same part of the region.
type arc struct {
	points []point
	bounds bounds
	far    bool
}

// country is a feature of the atlas. Some have no id: what ISO 3166 knows no country
// for is mostly what somebody disputes.
type country struct {
	id       string
	name     string
	polygons []polygon
}

// polygon is an outer ring and its holes, ring a list of arcs: i is arc i, -i-1 is
// arc i backwards.
type (
	polygon []ring
	ring    []int32
)

// transform turns the atlas's whole numbers into degrees.
type transform struct {
	scale, translate [2]float64
}

// decode reads a quantised TopoJSON topology with the objects countries and land and
// keeps the arcs that reach into region. Where the file gives its transform before
// the arcs, arcs outside are dropped as they are read.
func decode(r io.Reader, region bounds) (*topology, error) {
	d := &decoder{scanner: newScanner(io.LimitReader(r, maxAtlas)), region: region}
	seen := map[string]bool{}
	err := d.object(func(key string) error {
		if seen[key] {
			return d.fail("a second %.20q", key)
		}
		seen[key] = true
		switch key {
		case "type":
			kind, err := d.string()
			if err == nil && kind != "Topology" {
				err = d.fail("the type is %.20q, not Topology", kind)
			}
			return err
		case "transform":
			return d.transform()
		case "objects":
			return d.objects()
		case "arcs":
			return d.array(d.arc)
		}
		return d.skip()
	})
	if err == nil {
		err = d.end()
	}
	for _, key := range []string{"type", "transform", "objects", "arcs"} {
		if err == nil && !seen[key] {
			err = fmt.Errorf("it has no %q", key)
		}
	}
	if err == nil {
		err = d.finish()
	}
	if err != nil {
		return nil, fmt.Errorf("atlas: %w", err)
	}
	return &d.topology, nil
}

type decoder struct {
	*scanner
	topology
	region bounds
	grid   *transform  // nil until it was read
	raw    [][]gridded // arcs read before grid
	one    []gridded   // of the arc being read
}

// gridded is a point in the atlas's whole numbers.
type gridded struct{ x, y int32 }

func (d *decoder) transform() error {
	var t transform
	have := map[string]bool{}
	err := d.object(func(key string) error {
		pair := &t.scale
		switch key {
		case "scale":
		case "translate":
			pair = &t.translate
		default:
			return d.skip()
		}
		have[key] = true
		n := 0
		err := d.array(func() (err error) {
			if n == 2 {
				return d.fail("%s has more than two numbers", key)
			}
			pair[n], err = d.float()
			n++
			return err
		})
		if err == nil && n != 2 {
			err = d.fail("%s has not two numbers", key)
		}
		return err
	})
	if err == nil && len(have) != 2 {
		err = d.fail("the transform needs scale and translate")
	}
	d.grid = &t
	return err
}

// arc reads one arc: a list of steps from point to point.
func (d *decoder) arc() error {
	var x, y int64
	d.one = d.one[:0]
	err := d.array(func() error {
		n := 0
		err := d.array(func() error {
			v, err := d.int()
			switch n {
			case 0:
				x += v
			case 1:
				y += v
			}
			n++
			return err
		})
		if err == nil && n < 2 {
			err = d.fail("a point has not two numbers")
		}
		if err == nil && (x != int64(int32(x)) || y != int64(int32(y))) {
			err = d.fail("a point lies outside the world")
		}
		d.one = append(d.one, gridded{int32(x), int32(y)})
		return err
	})
	if err != nil {
		return err
	}
	if len(d.one) < 2 {
		return d.fail("arc %d has fewer than two points", len(d.arcs)+len(d.raw))
	}
	if d.grid == nil {
		d.raw = append(d.raw, append([]gridded(nil), d.one...))
		return nil
	}
	return d.keep(d.one)
}

// keep adds an arc to the topology.
func (d *decoder) keep(steps []gridded) error {
	b := nowhere
	place := func(g gridded) (point, bool) {
		lon := d.grid.translate[0] + d.grid.scale[0]*float64(g.x)
		lat := d.grid.translate[1] + d.grid.scale[1]*float64(g.y)
		ok := math.Abs(lon) <= 180.0001 && math.Abs(lat) <= 90.0001 // false for what is no number, too
		if !ok {
			return point{}, false
		}
		return point{int32(math.Round(max(-180, min(180, lon)) * 1e6)), int32(math.Round(max(-90, min(90, lat)) * 1e6))}, true
	}
	for _, g := range steps {
		p, ok := place(g)
		if !ok {
			return fmt.Errorf("arc %d: a point lies outside the world", len(d.arcs))
		}
		b = b.with(p)
	}
	if !b.meets(d.region) {
		steps = []gridded{steps[0], steps[len(steps)-1]}
	}
	a := arc{points: make([]point, 0, len(steps)), bounds: b, far: !b.meets(d.region)}
	for _, g := range steps {
		p, _ := place(g)
		if n := len(a.points); n == 0 || a.points[n-1] != p || len(steps) == 2 {
			a.points = append(a.points, p)
		}
	}
	d.arcs = append(d.arcs, a)
	return nil
}

func (d *decoder) objects() error {
	have := map[string]bool{}
	err := d.object(func(key string) error {
		if key != "countries" && key != "land" {
			return d.skip()
		}
		have[key] = true
		list, err := d.collection()
		if key == "countries" {
			d.countries = list
			return err
		}
		for _, c := range list {
			d.land = append(d.land, c.polygons...)
		}
		return err
	})
	if err == nil && (!have["countries"] || !have["land"]) {
		err = d.fail("the objects countries and land are not there")
	}
	return err
}

func (d *decoder) collection() ([]country, error) {
	var list []country
	err := d.object(func(key string) error {
		if key != "geometries" {
			return d.skip()
		}
		return d.array(func() error {
			c, err := d.geometry()
			list = append(list, c)
			return err
		})
	})
	return list, err
}

// geometry reads a feature. Its arcs may stand before its type, so that the depth of
// their nesting says which type it is.
func (d *decoder) geometry() (country, error) {
	var c country
	var kind string
	levels := 0
	err := d.object(func(key string) (err error) {
		switch key {
		case "type":
			kind, err = d.string()
		case "id":
			c.id, err = d.string()
		case "properties":
			err = d.object(func(key string) (err error) {
				if key != "name" {
					return d.skip()
				}
				c.name, err = d.string()
				return err
			})
		case "arcs":
			c.polygons, levels, err = d.polygons()
		default:
			err = d.skip()
		}
		return err
	})
	if err != nil {
		return c, err
	}
	if want := map[string]int{"Polygon": 2, "MultiPolygon": 3}[kind]; want != levels || want == 0 {
		return c, d.fail("the geometry of %.40q is not a Polygon or MultiPolygon", c.name)
	}
	c.id = strings.TrimSpace(c.id)
	return c, nil
}

// polygons reads arrays of arc numbers, two or three deep.
func (d *decoder) polygons() (list []polygon, levels int, err error) {
	var flat polygon // rings that are not in a polygon of their own
	err = d.array(func() error {
		r, nested, err := d.ringOrPolygon()
		if err != nil {
			return err
		}
		depth := 2
		if nested != nil {
			depth = 3
			list = append(list, nested)
		} else {
			flat = append(flat, r)
		}
		if levels != 0 && levels != depth {
			return d.fail("rings and polygons are mixed")
		}
		levels = depth
		return nil
	})
	if flat != nil {
		list = append(list, flat)
	}
	return list, levels, err
}

func (d *decoder) ringOrPolygon() (r ring, nested polygon, err error) {
	err = d.array(func() error {
		c, err := d.next()
		if err != nil {
			return err
		}
		d.unread()
		if c != '[' {
			if nested != nil {
				return d.fail("arc numbers and rings are mixed")
			}
			return d.arcNumber(&r)
		}
		if r != nil {
			return d.fail("arc numbers and rings are mixed")
		}
		var inner ring
		if err := d.array(func() error { return d.arcNumber(&inner) }); err != nil {
			return err
		}
		nested = append(nested, inner)
		return nil
	})
	return r, nested, err
}

func (d *decoder) arcNumber(r *ring) error {
	v, err := d.int()
	if err == nil && v != int64(int32(v)) {
		err = d.fail("there is no arc %d", v)
	}
	*r = append(*r, int32(v))
	return err
}

// finish places the arcs that came before the transform and checks that all arcs
// that rings name are there.
func (d *decoder) finish() error {
	for _, steps := range d.raw {
		if err := d.keep(steps); err != nil {
			return err
		}
	}
	check := func(list []polygon) error {
		for _, p := range list {
			for _, r := range p {
				for _, i := range r {
					if n, _ := direction(i); n >= len(d.arcs) {
						return fmt.Errorf("there is no arc %d", i)
					}
				}
			}
		}
		return nil
	}
	for _, c := range d.countries {
		if err := check(c.polygons); err != nil {
			return fmt.Errorf("%.40q: %w", c.name, err)
		}
	}
	return check(d.land)
}

// direction gives the number of the arc that a ring names as i, and whether the ring
// takes it backwards.
func direction(i int32) (n int, backwards bool) {
	if i < 0 {
		return int(^i), true
	}
	return int(i), false
}
