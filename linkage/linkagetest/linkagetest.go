// SPDX-License-Identifier: Apache-2.0

// Package linkagetest makes up lists of incidents as rival sources would keep them, and
// says which of their records tell of the same one.
//
// [Conflict] is the general one: incidents gather around hot spots, one follows another,
// and each source hears of some of them, on the day or later, here or near here, in its
// own words. With [Options] left as [Default] has them, its lists are in every figure
// that could be taken like those of three sources and some thousand records that were
// kept as a reference. [Triples] is a plain one, of incidents far apart that are told
// alike. [Scenarios] has what differs from both, under names.
//
// Nothing here is about any place or time: days count from 0.
package linkagetest

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"truceline/linkage"
)

// Set is lists of records, and of each record which incident it is about.
type Set struct {
	Records []linkage.Record
	Truth   []string // as long as Records; equal where the incident is
}

// reference are the columns of the reference lists.
var reference = []string{"source", "id", "day", "lat", "lon", "type", "type_l2", "type_l3", "target", "geo_prec", "killed_lo", "killed_hi", "truth"}

// more are columns that are written where a record has something for them.
var more = []string{"day_end", "day_prec", "told", "weapon", "injured_lo", "injured_hi"}

// WriteCSV writes the set in the columns of the reference lists. Columns for what these
// have no place for come after them, if there is any of it. What is not said is an empty
// cell. It fails where a record has what the columns cannot tell.
func (s Set) WriteCSV(w io.Writer) error {
	rows := make([]map[string]string, len(s.Records))
	used := map[string]bool{}
	for i := range s.Records {
		row, err := cells(&s.Records[i])
		if err != nil {
			return fmt.Errorf("write record %s of %s: %w", s.Records[i].ID, s.Records[i].Source, err)
		}
		row["truth"] = s.Truth[i]
		for c := range row {
			used[c] = true
		}
		rows[i] = row
	}
	columns := reference[:len(reference):len(reference)]
	for _, c := range more {
		if used[c] {
			columns = append(columns, c)
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	line := make([]string, len(columns))
	for _, row := range rows {
		for i, c := range columns {
			line[i] = row[c]
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cells are those of a record, by column; a column that is not there is empty.
func cells(r *linkage.Record) (map[string]string, error) {
	row := map[string]string{"source": r.Source, "id": r.ID}
	if d := r.Days; d.Known {
		first, last := int(d.First), int(d.Last)
		switch {
		case !d.Vague:
			row["day"] = strconv.Itoa(first)
			if first != last {
				row["day_end"] = strconv.Itoa(last)
			}
		case (last-first)%2 == 0:
			row["day"], row["day_prec"] = strconv.Itoa((first+last)/2), strconv.Itoa((last-first)/2)
		default:
			return nil, fmt.Errorf("days %d to %d have no middle", first, last)
		}
	}
	if r.Told.Known {
		row["told"] = strconv.Itoa(int(r.Told.First))
	}
	join := func(column, value string) {
		if row[column] != "" {
			value = row[column] + ";" + value
		}
		row[column] = value
	}
	for _, p := range r.Places {
		join("lat", strconv.FormatFloat(p.Lat, 'f', -1, 64))
		join("lon", strconv.FormatFloat(p.Lon, 'f', -1, 64))
		code := 0
		for i, within := range precisionM {
			if within == p.PrecisionM {
				code = i + 1
			}
		}
		if code == 0 {
			return nil, fmt.Errorf("there is no geo_prec for %d m", p.PrecisionM)
		}
		join("geo_prec", strconv.Itoa(code))
	}
	for _, path := range r.Types {
		for level, name := range path {
			join([]string{"type", "type_l2", "type_l3"}[level], name)
		}
	}
	for _, t := range r.Targets {
		join("target", t)
	}
	for _, w := range r.Weapons {
		join("weapon", w)
	}
	for _, c := range r.Counts {
		row[c.Measure+"_lo"] = strconv.FormatInt(c.Low, 10)
		if c.High != linkage.Open {
			row[c.Measure+"_hi"] = strconv.FormatInt(c.High, 10)
		}
	}
	return row, nil
}
