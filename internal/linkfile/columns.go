// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// column is what a column of a file of records says.
type column int

const (
	colSource column = iota
	colID
	colDay
	colEnd
	colDayPrec
	colTold
	colLat
	colLon
	colPrecM
	colPrecKM
	colGeoPrec
	colType // the finest level; the coarser ones follow
	colType2
	colType3
	colType4
	colTarget
	colWeapon
	colKilled // the figure, its low end and its high end; the same of injured
	colKilledLo
	colKilledHi
	colInjured
	colInjuredLo
	colInjuredHi
	colTruth
	nColumns
)

// columns are the names that each may have, the first the one by which it is told.
var columns = [nColumns][]string{
	colSource: {"source"}, colID: {"id"},
	colDay: {"day", "date"}, colEnd: {"day_end", "date_end", "end_date"}, colDayPrec: {"day_prec", "date_prec"}, colTold: {"told"},
	colLat: {"lat", "latitude"}, colLon: {"lon", "lng", "longitude"},
	colPrecM: {"precision_m"}, colPrecKM: {"precision_km"}, colGeoPrec: {"geo_prec"},
	colType: {"type"}, colType2: {"type_l2"}, colType3: {"type_l3"}, colType4: {"type_l4"},
	colTarget: {"target"}, colWeapon: {"weapon"},
	colKilled: {"killed"}, colKilledLo: {"killed_lo"}, colKilledHi: {"killed_hi"},
	colInjured: {"injured"}, colInjuredLo: {"injured_lo"}, colInjuredHi: {"injured_hi"},
	colTruth: {"truth"},
}

// header is the first row of a file.
type header struct {
	names   []string // as they stand in the file
	at      []int    // by the columns that are looked for: the cell; -1 if there is none
	ignored []string // names of others
}

// readHeader reads the first row. Of each wanted column it looks for any of its names.
func readHeader(s *rows, wanted [][]string) (*header, error) {
	err := s.skipMark()
	if err == nil {
		err = s.next()
	}
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("the file is empty: its first line is to name the columns")
	case err != nil:
		return nil, fmt.Errorf("line 1: %w", err)
	}
	first := bytes.Join(s.cells, []byte(","))
	if bytes.HasPrefix(first, []byte("\xff\xfe")) || bytes.HasPrefix(first, []byte("\xfe\xff")) || bytes.IndexByte(first, 0) >= 0 {
		return nil, fmt.Errorf("the file is UTF-16 or no text: save it as CSV in UTF-8")
	}
	h := &header{at: slices.Repeat([]int{-1}, len(wanted))}
	for i, cell := range s.cells {
		name := strings.TrimSpace(string(cell))
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("line %d: the name of column %d is not UTF-8: save the file as CSV in UTF-8", s.line, i+1)
		}
		h.names = append(h.names, name)
		lower := strings.ToLower(name)
		c := slices.IndexFunc(wanted, func(names []string) bool { return slices.Contains(names, lower) })
		switch {
		case c < 0:
			h.ignored = append(h.ignored, name)
		case h.at[c] >= 0:
			return nil, fmt.Errorf("line %d: columns %q and %q say the same thing: leave one of them", s.line, h.names[h.at[c]], name)
		default:
			h.at[c] = i
		}
	}
	return h, nil
}

// need refuses a file without the columns.
func (h *header) need(wanted [][]string, required ...int) error {
	for _, c := range required {
		if h.at[c] >= 0 {
			continue
		}
		hint := ""
		if len(h.names) == 1 && strings.ContainsAny(h.names[0], ";\t") {
			hint = "; cells are to be divided by commas"
		}
		return fmt.Errorf("line 1: there is no column %s among %.200q%s", strings.Join(wanted[c], " or "), strings.Join(h.names, ","), hint)
	}
	return nil
}

// notSaid are what stands in a cell of which nothing is known, in any case.
var notSaid = []string{"", "unknown", "na", "n/a", "null", "-", "none given"}

// said tells whether a cell says anything.
func said(b []byte) bool {
	switch len(b) {
	case 0:
		return false
	case 1:
		return b[0] != '-'
	case 2, 3, 4, 7, 10:
		for _, n := range notSaid[1:] {
			if len(b) == len(n) && strings.EqualFold(string(b), n) {
				return false
			}
		}
	}
	return true
}
