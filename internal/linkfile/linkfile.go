// SPDX-License-Identifier: Apache-2.0

// Package linkfile reads lists of records that are to be linked from CSV files, and
// writes and reads files of what was found.
//
// # Records
//
// The first line names the columns, in any order and in capitals or not. Only source and
// id are needed; id is unique within source. A column of another name is ignored, and the
// caller is told. A cell is not said, whatever its column, where it is empty or has
// "unknown", "na", "n/a", "null", "-" or "none given"; only source and id are taken as
// they stand.
//
//	source, id        the record's name
//	day, date         the number of a day, or 2026-02-27; 2026-02 and 2026 for a day in it
//	day_end, date_end, end_date   the last day, of what took several
//	day_prec, date_prec           days by which these may be off, either way
//	told              when the source told it, as a day
//	lat, latitude     degrees, WGS 84; several places are divided by ";"
//	lon, lng, longitude
//	precision_m       metres within which the place is, or
//	precision_km      kilometres, or
//	geo_prec          a code: see below. 5 km where none of them is said
//	type              the kind of incident, in its finest name; several divided by ";"
//	type_l2, type_l3, type_l4     the coarser kinds that it belongs to
//	target, weapon    codes; several divided by ";"
//	killed_lo, killed_hi          how many; no end where only lo is said, from 0 where only
//	                  hi is; -1 is not said
//	killed            one figure; if there is a range too, it is within it
//	injured_lo, injured_hi, injured
//	truth             which incident it is, where that is known; no part of the record
//
// A file gives days as numbers or as dates, not as both. Four digits are a year where
// another row has a date, and a number where another has a number; where none says, they
// are a year if the column is named date. Dates are counted from 1 January 1970.
//
// A geo_prec is a radius in km: 1 the point (2), 2 near it (8), 3 a town or district's
// middle (15), 4 a district (40), 5 a region without bounds (60), 6 a province (150), 7 the
// country (500).
//
// A finer type that is not said where a coarser one is takes its name, as a kind of its own.
//
// # Results
//
// Pairs have the columns source_a,id_a,source_b,id_b,probability and clusters
// source,id,cluster. Rows are sorted, so that the same result is the same file.
package linkfile

import (
	"context"
	"fmt"
	"io"
	"os"

	"truceline/linkage"
)

// List is what a file of records says.
type List struct {
	// Records are in the order of the file. Those of the same types, targets or weapons
	// share memory: it is only to be read.
	Records []linkage.Record
	// Truth has the incident of each record, "" where it is not said. It is nil if the file
	// has no such column.
	Truth   []string
	Ignored []string // names of columns that were not read
	Dated   bool     // days are dates, counted from 1 January 1970
}

// Options say how to read.
type Options struct {
	// Size is that of the file in bytes; 0 if it is not known. It saves memory and is for
	// Progress; nothing hangs on it.
	Size int64
	// Progress is told how many bytes were read, of Size; nil for nobody.
	Progress func(done, total int64)
}

// Read reads records. If any row cannot be read it returns a *Refused, which tells of all
// that are bad, and nothing else; so it does if a source has an id twice.
func Read(ctx context.Context, r io.Reader, o Options) (*List, error) {
	rd := newReader(r, o)
	list, err := rd.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	return list, nil
}

// ReadFile is Read of a file.
func ReadFile(ctx context.Context, path string, progress func(done, total int64)) (*List, error) {
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := newReader(f, Options{Size: size, Progress: progress}).read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return list, nil
}

func open(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}
