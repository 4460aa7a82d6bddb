// SPDX-License-Identifier: Apache-2.0

package when_test

import (
	"testing"

	"truceline/when"
)

func TestParseDateOneSpelling(t *testing.T) {
	for _, s := range []string{"", "2025", "2025-10", "2025-10-15", "2024-02-29"} {
		if d, err := when.ParseDate(s); err != nil || string(d) != s {
			t.Errorf("ParseDate(%q) = %q, %v", s, d, err)
		}
	}
	for _, s := range []string{"25", "2025-1", "2025-13", "2025-02-29", "2025-10-15T00:00", "15-10-2025", " 2025", "0025", "2025/10", "２０２５"} {
		if d, err := when.ParseDate(s); err == nil {
			t.Errorf("ParseDate(%q) = %q, want an error", s, d)
		}
	}
}

func TestSpanDays(t *testing.T) {
	tests := []struct {
		span        when.Span
		first, last string
	}{
		{when.Span{Start: "2025-10-15"}, "2025-10-15", "2025-10-15"},
		{when.Span{Start: "2024-02"}, "2024-02-01", "2024-02-29"},
		{when.Span{Start: "2025"}, "2025-01-01", "2025-12-31"},
		{when.Span{Start: "2025-10-11", End: "2025-10-12"}, "2025-10-11", "2025-10-12"},
		{when.Span{Start: "2025-10-01", End: "2025-12"}, "2025-10-01", "2025-12-31"},
	}
	for _, tt := range tests {
		if err := tt.span.Validate(); err != nil {
			t.Errorf("%v: %v", tt.span, err)
		}
		if f, l := tt.span.First().Format("2006-01-02"), tt.span.Last().Format("2006-01-02"); f != tt.first || l != tt.last {
			t.Errorf("%v: %s to %s, want %s to %s", tt.span, f, l, tt.first, tt.last)
		}
	}
	for _, bad := range []when.Span{{End: "2025"}, {Start: "2025-10-12", End: "2025-10-11"}, {Start: "x"}} {
		if bad.Validate() == nil {
			t.Errorf("%v accepted", bad)
		}
	}
}

func TestOverlaps(t *testing.T) {
	a := when.Span{Start: "2025-10"}
	if !a.Overlaps(when.Span{Start: "2025-10-31", End: "2025-11-02"}) || a.Overlaps(when.Span{Start: "2025-11"}) || a.Overlaps(when.Span{}) {
		t.Error("overlap is wrong")
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("2025-10-15")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := when.ParseDate(s)
		if err == nil && s != "" && (d.First().IsZero() || d.Last().Before(d.First())) {
			t.Fatalf("%q accepted without days", s)
		}
	})
}
