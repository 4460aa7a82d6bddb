// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/json"
	"strings"

	"truceline/record"
)

// shownAreas are the areas that a release shows, each once.
func shownAreas(b *record.Released) (out []record.Area) {
	for _, item := range b.Items {
		x := areasIn{}
		for _, f := range item.Fields {
			x.take(f.Path, f.Value)
		}
		out = append(out, x.whole()...)
	}
	return distinct(out)
}

// areasIn puts the areas of one record together again from its fields.
type areasIn struct {
	order []string // paths of areas, as they came
	parts map[string]map[string]string
}

func (x *areasIn) take(path, value string) {
	at, field, ok := strings.Cut(path, "/area/")
	if !ok {
		return
	}
	if x.parts == nil {
		x.parts = map[string]map[string]string{}
	}
	if x.parts[at] == nil {
		x.order = append(x.order, at)
		x.parts[at] = map[string]string{}
	}
	x.parts[at][field] = value
}

// whole are those of which corner and size are there and can be drawn: of what was
// encrypted when it was filed nobody has checked the form. The side is empty where it is
// not shown.
func (x *areasIn) whole() (out []record.Area) {
	for _, at := range x.order {
		var a record.Area
		fields := x.parts[at]
		number := func(name string, into *int64, least, most int64) bool {
			return json.Unmarshal([]byte(fields[name]), into) == nil && *into >= least && *into <= most
		}
		if !number("lat_e6", &a.LatE6, -90_000_000, 89_999_999) || !number("lon_e6", &a.LonE6, -180_000_000, 179_999_999) || !number("size_e6", &a.SizeE6, 1, record.MaxAreaSize) {
			continue
		}
		var side string
		if json.Unmarshal([]byte(fields["side"]), &side) == nil && (side == record.SideOne || side == record.SideUndetermined) {
			a.Side = side
		}
		out = append(out, a)
	}
	return out
}

// areasMap draws areas, with the lines that parties claim, and nothing else.
func (v *view) areasMap(list []record.Area) mapView {
	box, _ := boxOfAreas(list)
	m := v.drawMap(box, insetMap, nil)
	m.squares(list)
	return m
}
