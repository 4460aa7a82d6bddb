// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"maps"
	"slices"

	"github.com/a-h/templ"

	"truceline/internal/projection"
	"truceline/when"
)

// brush is the strip of time above the list: how many incidents may fall in each month,
// or in each year where there are many years. Each bar narrows the list to its time.
type brush struct {
	Bars   []bar
	Months bool
	Most   int           // incidents of the highest bar
	All    templ.SafeURL // the same list of all times; empty where it is that already
}

// bar is one month or one year.
type bar struct {
	Date   when.Date
	N      int
	Chosen bool // the list is narrowed to a time that holds it
	Href   templ.SafeURL
}

// mostMonths is how many months the strip shows before it shows years.
const mostMonths = 60

// Sizes of the strip, in units of its SVG. It is stretched to the width of the page.
const (
	brushWidth  = 720
	brushHeight = 48
)

func newBrush(v *view, f filter, o projection.Overview) brush {
	months := slices.Sorted(maps.Keys(o.Months))
	if len(months) == 0 {
		return brush{}
	}
	first, last := months[0], months[len(months)-1]
	since, until := when.Date(f.Since), when.Date(f.Until)
	b := brush{}
	if since != "" || until != "" {
		all := f
		all.Since, all.Until = "", ""
		b.All = v.link("/", all.query())
	}
	// What is narrowed to is shown within its whole years.
	if since != "" {
		first = since[:4] + "-01"
	}
	if until != "" {
		last = until[:4] + "-12"
	}
	b.Months = monthsBetween(first, last) <= mostMonths
	dates, counts := yearsOf(slices.Sorted(maps.Keys(o.Years))), o.Years
	if b.Months {
		dates, counts = monthsOf(first, last), o.Months
	}
	for _, d := range dates {
		n := counts[d]
		to := f
		to.Since, to.Until = string(d), string(d)
		b.Bars = append(b.Bars, bar{Date: d, N: n, Href: v.link("/", to.query()),
			Chosen: b.All != "" && (since == "" || !d.Last().Before(since.First())) && (until == "" || !until.Last().Before(d.First()))})
		b.Most = max(b.Most, n)
	}
	return b
}

func monthsBetween(first, last when.Date) int {
	a, z := first.First(), last.First()
	return (z.Year()-a.Year())*12 + int(z.Month()) - int(a.Month()) + 1
}

func monthsOf(first, last when.Date) (out []when.Date) {
	for t := first.First(); !t.After(last.First()); t = t.AddDate(0, 1, 0) {
		out = append(out, when.Date(t.Format("2006-01")))
	}
	return out
}

// yearsOf lists all years between the first and the last.
func yearsOf(years []when.Date) (out []when.Date) {
	for y := years[0].First().Year(); y <= years[len(years)-1].First().Year(); y++ {
		out = append(out, when.Date(fmt.Sprintf("%04d", y)))
	}
	return out
}

// width is that of a bar with the gap beside it.
func (b brush) width() float64 { return float64(brushWidth) / float64(len(b.Bars)) }

func (b brush) x(i int) float64 { return float64(i) * b.width() }

// height is a bar's; one that stands for any incident can be seen.
func (b brush) height(n int) float64 {
	if n == 0 {
		return 0
	}
	return max(2, float64(n)/float64(b.Most)*(brushHeight-4))
}

// first and last are what the ends of the strip are called.
func (b brush) first() when.Date { return b.Bars[0].Date }
func (b brush) last() when.Date  { return b.Bars[len(b.Bars)-1].Date }
