// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"

	"truceline/record"
)

// TestReleasedAreasAreDrawn: the areas that a release shows are on a drawn map and in words,
// on the list and on its own page; what is no whole area is not drawn, and without one there
// is no map.
func TestReleasedAreasAreDrawn(t *testing.T) {
	l := newReleaseLog(t)
	page, list := "/public/"+l.made[0].ID.String(), "/public"
	h := l.handler(t, newSource(t, "lakes"), nil)
	for _, path := range []string{page, list} {
		if strings.Contains(get(h, path).Body.String(), "map-square") {
			t.Errorf("%s has an area where none was shown", path)
		}
	}
	area := func(at, lat, lon, size string) (out []record.DisclosedField) {
		for name, value := range map[string]string{"lat_e6": lat, "lon_e6": lon, "size_e6": size} {
			if value != "" {
				out = append(out, record.DisclosedField{Path: at + "/area/" + name, Value: value})
			}
		}
		return out
	}
	for name, x := range map[string]struct {
		fields []record.DisclosedField
		n      int
	}{
		"one":                    {area("/claims[0]", "10000000", "20000000", "500000"), 1},
		"of what was sealed":     {area("/account/claims[3]", "10000000", "20000000", "500000"), 1},
		"twice the same":         {append(area("/claims[0]", "10000000", "20000000", "500000"), area("/claims[1]", "10000000", "20000000", "500000")...), 1},
		"two":                    {append(area("/claims[0]", "10000000", "20000000", "500000"), area("/claims[1]", "10500000", "20000000", "500000")...), 2},
		"its size is not shown":  {area("/claims[0]", "10000000", "20000000", ""), 0},
		"its place is not shown": {area("/claims[0]", "", "20000000", "500000"), 0},
		"of no size":             {area("/claims[0]", "10000000", "20000000", "0"), 0},
		"not on the earth":       {area("/claims[0]", "10000000", "180000000", "500000"), 0},
		"words":                  {area("/claims[0]", `"10000000"`, "20000000", "500000"), 0},
		"parts of two":           {append(area("/claims[0]", "10000000", "", "500000"), area("/claims[1]", "", "20000000", "")...), 0},
	} {
		body := *l.made[0].Body
		body.Items = append([]record.Disclosure(nil), body.Items...)
		body.Items[0].Fields = append(append([]record.DisclosedField(nil), body.Items[0].Fields...), x.fields...)
		old := l.made[0].Body
		l.made[0].Body = &body
		h := l.handler(t, newSource(t, "lakes"), nil)
		for _, path := range []string{page, list} {
			got := get(h, path+"?lang=en").Body.String()
			if n := strings.Count(got, `class="map-ring map-square"`); n != x.n {
				t.Errorf("%s, %s: %d areas are drawn, want %d", name, path, n, x.n)
			}
			if words := strings.Count(got, `<bdi dir="ltr">20.5</bdi>`); words != x.n {
				t.Errorf("%s, %s: %d areas in words, want %d", name, path, words, x.n)
			}
			if strings.Contains(got, "on one side") || strings.Contains(got, "side undetermined") {
				t.Errorf("%s, %s: the side is told and was not released", name, path)
			}
			if strings.Contains(got, "map-point") {
				t.Errorf("%s, %s: a point is drawn", name, path)
			}
		}
		l.made[0].Body = old
	}
}

// TestFieldsInReadingOrder: the least of a figure comes before the most, the first day before
// the last, and claims one after the other.
func TestFieldsInReadingOrder(t *testing.T) {
	l := newReleaseLog(t)
	page := get(l.handler(t, newSource(t, "lakes"), nil), "/public/"+l.made[0].ID.String()+"?lang=en").Body.String()
	at := -1
	for _, label := range []string{"In short</dt>", "At least</dt>", "At most</dt>"} {
		i := strings.Index(page, label)
		if i < at || i < 0 {
			t.Errorf("%q stands at %d, what comes before it at %d", label, i, at)
		}
		at = i
	}
}
