// SPDX-License-Identifier: Apache-2.0

// Package when holds times as people state them: a day, a month, a year, or a
// span of these, never sharper than what was said.
//
// The written form is the part of ISO 8601-2 (EDTF level 0) that the accounts of
// a truce need: YYYY, YYYY-MM, YYYY-MM-DD. There is one spelling for each value.
// Days are calendar days of the place; no clock and no zone is implied.
package when

import (
	"fmt"
	"time"
)

// Date is a calendar date of day, month or year precision, in its written form.
// The empty Date means "not said".
type Date string

// Precision says how sharp a Date is.
type Precision int

// The precisions of a Date, from none to a single day.
const (
	None Precision = iota
	Year
	Month
	Day
)

// ParseDate accepts YYYY, YYYY-MM and YYYY-MM-DD with years 1000 to 9999 and
// nothing else; "" is the date that was not said.
func ParseDate(s string) (Date, error) {
	d := Date(s)
	if s == "" {
		return d, nil
	}
	if _, err := time.Parse(layout(d.Precision()), s); err != nil || d.Precision() == None || s[0] == '0' {
		return "", fmt.Errorf("date %q is not YYYY, YYYY-MM or YYYY-MM-DD: write for example 2025-10-15, or 2025-10 if only the month is known", clip(s))
	}
	return d, nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

func layout(p Precision) string {
	switch p {
	case Year:
		return "2006"
	case Month:
		return "2006-01"
	}
	return "2006-01-02"
}

// Precision tells whether d names a day, a month, a year or nothing.
func (d Date) Precision() Precision {
	switch len(d) {
	case 4:
		return Year
	case 7:
		return Month
	case 10:
		return Day
	}
	return None
}

// First is midnight UTC at the start of the first day that d may mean. It is the
// zero time for the empty or a malformed Date.
func (d Date) First() time.Time {
	t, err := time.Parse(layout(d.Precision()), string(d))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Last is midnight UTC at the start of the last day that d may mean.
func (d Date) Last() time.Time {
	t := d.First()
	switch d.Precision() {
	case Year:
		return t.AddDate(1, 0, -1)
	case Month:
		return t.AddDate(0, 1, -1)
	}
	return t
}

// Span is a stated stretch of time. End may be empty: then the span is Start
// alone. Note keeps what the source said that a date cannot hold ("about 05:00").
type Span struct {
	End   Date   `json:"end,omitempty"`
	Note  string `json:"note,omitempty"`
	Start Date   `json:"start,omitempty"`
}

// Validate checks both dates and their order.
func (s Span) Validate() error {
	for _, d := range []Date{s.Start, s.End} {
		if _, err := ParseDate(string(d)); err != nil {
			return err
		}
	}
	if s.Start == "" && s.End != "" {
		return fmt.Errorf("time has an end (%s) but no start: give the start too", s.End)
	}
	if s.End != "" && s.End.Last().Before(s.Start.First()) {
		return fmt.Errorf("time ends (%s) before it starts (%s)", s.End, s.Start)
	}
	return nil
}

// First is the first day the span may mean; zero if nothing was said.
func (s Span) First() time.Time { return s.Start.First() }

// Last is the last day the span may mean; zero if nothing was said.
func (s Span) Last() time.Time {
	if s.End != "" {
		return s.End.Last()
	}
	return s.Start.Last()
}

// Overlaps tells whether the two spans may share a day. A span of which nothing
// was said overlaps nothing.
func (s Span) Overlaps(o Span) bool {
	if s.Start == "" || o.Start == "" {
		return false
	}
	return !s.Last().Before(o.First()) && !o.Last().Before(s.First())
}
