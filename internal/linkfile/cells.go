// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"truceline/linkage"
)

// precisionM is the radius in metres of each geo_prec from 1 on. The first three are
// those of lists that tell a point, a place near it, and the middle of a district; from 4
// on they follow the codes of lists that go on to the region, the province and the country.
var precisionM = [...]int32{2000, 8000, 15_000, 40_000, 60_000, 150_000, 500_000}

const (
	defaultPrecisionM = 5000
	maxPrecisionM     = 20_000_000 // half around the earth
	maxPlaces         = 100        // of a record
	maxCount          = 1e12
)

// readPlaces takes the places of the row. A precision is of all of them, or there are as
// many.
func (rd *reader) readPlaces(r *linkage.Record) {
	lat, lon := rd.cell(colLat), rd.cell(colLon)
	switch {
	case !said(lat) && !said(lon):
		return
	case !said(lat):
		rd.fault(colLat, lat, fmt.Sprintf("a latitude, where column %s has a longitude", rd.columnName(colLon)))
		return
	case !said(lon):
		rd.fault(colLon, lon, fmt.Sprintf("a longitude, where column %s has a latitude", rd.columnName(colLat)))
		return
	}
	n := 1 + bytes.Count(lat, []byte{';'})
	if m := 1 + bytes.Count(lon, []byte{';'}); m != n || n > maxPlaces {
		rd.fault(colLon, lon, fmt.Sprintf("as many longitudes as there are latitudes, %d, and at most %d", n, maxPlaces))
		return
	}
	col := colPrecM
	for col < colGeoPrec && !said(rd.cell(col)) {
		col++
	}
	prec := rd.cell(col)
	precs := 1 + bytes.Count(prec, []byte{';'})
	if precs != 1 && precs != n {
		rd.fault(col, prec, fmt.Sprintf("one precision, or as many as there are places: %d", n))
		return
	}
	places := rd.places.take(n)
	within, one := int32(0), []byte(nil)
	for i := range places {
		var a, o []byte
		var ok bool
		a, lat = cut(lat)
		o, lon = cut(lon)
		if places[i].Lat, ok = parseDecimal(a, -90, 90); !ok {
			rd.fault(colLat, a, "a latitude in degrees, -90 to 90, with a decimal point")
			return
		}
		if places[i].Lon, ok = parseDecimal(o, -180, 180); !ok {
			rd.fault(colLon, o, "a longitude in degrees, -180 to 180, with a decimal point")
			return
		}
		if i < precs {
			one, prec = cut(prec)
			var want string
			if within, want = precision(col, one); want != "" {
				rd.fault(col, one, want)
				return
			}
		}
		places[i].PrecisionM, places[i].Point = within, true
	}
	r.Places = places
}

// cut is b up to a semicolon, and what is after it.
func cut(b []byte) (head, tail []byte) {
	if i := bytes.IndexByte(b, ';'); i >= 0 {
		return trim(b[:i]), b[i+1:]
	}
	return trim(b), nil
}

// precision reads a radius, in metres.
func precision(col column, b []byte) (int32, string) {
	if !said(b) {
		return defaultPrecisionM, ""
	}
	switch col {
	case colPrecM, colPrecKM:
		unit := 1.0
		if col == colPrecKM {
			unit = 1000
		}
		if v, ok := parseDecimal(b, 0, maxPrecisionM/unit); ok {
			return int32(math.Round(v * unit)), ""
		}
		return 0, fmt.Sprintf("a number from 0 to %g", maxPrecisionM/unit)
	}
	if len(b) == 1 && b[0] >= '1' && int(b[0]-'1') < len(precisionM) {
		return precisionM[b[0]-'1'], ""
	}
	return 0, fmt.Sprintf("a code from 1 to %d", len(precisionM))
}

// readCounts takes the counts of the row.
func (rd *reader) readCounts(r *linkage.Record) {
	var found [2]linkage.Count
	n := 0
	for i, measure := range [...]string{"killed", "injured"} {
		c, ok := rd.count(colKilled + column(i)*(colInjured-colKilled))
		if ok {
			c.Measure = measure
			found[n] = c
			n++
		}
	}
	if n > 0 {
		r.Counts = rd.counts.take(n)
		copy(r.Counts, found[:n])
	}
}

// count reads the figure of a column and of the two after it, its low and high end.
func (rd *reader) count(col column) (c linkage.Count, ok bool) {
	var v [3]int64
	for i := range v {
		v[i] = -1
		b := rd.cell(col + column(i))
		if !said(b) {
			continue
		}
		n, ok := parseInt(b, -1, maxCount)
		if !ok {
			rd.fault(col+column(i), b, "a whole number, or -1 where it is not said")
			return c, false
		}
		v[i] = n
	}
	one, lo, hi := v[0], v[1], v[2]
	switch {
	case lo < 0 && hi < 0:
		return linkage.Count{Low: one, High: one}, one >= 0
	case hi < 0:
		hi = linkage.Open
	case lo < 0:
		lo = 0
	case lo > hi:
		rd.fault(col+2, rd.cell(col+2), fmt.Sprintf("no fewer than column %s has: %d", rd.columnName(col+1), lo))
		return c, false
	}
	if one >= 0 && (one < lo || one > hi) {
		rd.fault(col, rd.cell(col), fmt.Sprintf("a figure within the range of columns %s and %s", rd.columnName(col+1), rd.columnName(col+2)))
		return c, false
	}
	return linkage.Count{Low: lo, High: hi}, true
}

// digits reads a number that is written in digits alone, few enough not to overflow.
func digits(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, len(b) > 0 && len(b) <= 18
}

// parseInt reads a whole number within bounds.
func parseInt(b []byte, low, high int64) (int64, bool) {
	minus := len(b) > 0 && b[0] == '-'
	if minus {
		b = b[1:]
	}
	n, ok := digits(b)
	v := int64(n)
	if minus {
		v = -v
	}
	return v, ok && v >= low && v <= high
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// parseDecimal reads a number within bounds: digits with at most one point among or
// before them, and a minus.
func parseDecimal(b []byte, low, high float64) (float64, bool) {
	all := b
	minus := len(b) > 0 && b[0] == '-'
	if minus {
		b = b[1:]
	}
	var n int64
	count, after, point := 0, 0, false
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			if count++; count <= 15 {
				n = 10*n + int64(c-'0')
			}
			if point {
				after++
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
		}
	}
	if count == 0 || point && after == 0 || len(all) > 100 {
		return 0, false
	}
	var v float64
	if count <= 15 {
		v = float64(n) / powers[after] // both exact, so that the quotient is the nearest
		if minus {
			v = -v
		}
	} else {
		var err error
		if v, err = strconv.ParseFloat(string(all), 64); err != nil {
			return 0, false
		}
	}
	return v, v >= low && v <= high
}
