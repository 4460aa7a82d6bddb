// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// GED says how a file of UCDP GED is read.
type GED struct {
	// Edition of the data set, such as 22.1. Events of another edition are other accounts.
	Edition string
	Map     *GEDMap // nil: everything is to be taken from the agreement
}

// ImportGED takes events in from a CSV file of UCDP GED: one row an event, one account
// of the data set, with its estimates as claims. docs/formats/ucdp-ged.md has the rules.
//
// The report and errors are those of Import.
func ImportGED(ctx context.Context, door Door, r io.Reader, ged GED, opts Options) (*Report, error) {
	return importForm(ctx, door, r, opts, func(p *agreement.Pack) (*form, error) {
		g, err := newGEDReader(ged, p)
		if err != nil {
			return nil, err
		}
		return gedForm(g), nil
	})
}

// maxRadius is the largest radius that a point may have, in metres.
const maxRadius = 5_000_000

// gedRadius are the radii in metres within which an event lies, by where_prec from 1.
// docs/formats/ucdp-ged.md tells where they come from.
var gedRadius = [...]int64{10_000, 25_000, 60_000, 320_000, 320_000, 1_000_000, 1_000_000}

// gedWheres say what where_prec means.
var gedWheres = [len(gedRadius)]string{
	"the place named", "near the place named", "somewhere in the district", "somewhere in the province",
	"along or around what is named", "somewhere in the country", "at sea or in the air",
}

// Values of where_prec that the codes of places depend on.
const (
	wherePrecNear    = 2
	wherePrecLine    = 5
	wherePrecCountry = 6
)

// gedDates say what date_prec, from 2, means.
var gedDates = [...]string{
	"on a day or days within 2 to 6 days",
	"on a day or days within a week",
	"on a day or days within about a month",
	"on a day or days within more than a month, up to a year",
}

var gedViolences = [...]string{"state-based conflict", "non-state conflict", "one-sided violence"}

type gedReader struct {
	edition string // with the name of the data set, as it stands before an event's id
	speaker string // the claimant
	m       *GEDMap
}

var editionRE = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,19}$`)

func newGEDReader(ged GED, p *agreement.Pack) (*gedReader, error) {
	if !editionRE.MatchString(ged.Edition) {
		return nil, fmt.Errorf("the edition %.40q is not one: give the data set's own, such as 22.1", ged.Edition)
	}
	m, err := ged.Map.complete(p)
	if err != nil {
		return nil, err
	}
	return &gedReader{edition: "ucdp-ged/" + ged.Edition, speaker: m.Claimant + " " + ged.Edition, m: m}, nil
}

func (g *gedReader) name(id string) string { return g.edition + "/" + id }

// gedEvent is a row that was understood.
type gedEvent struct {
	violence, clarity    int64 // 0: not given
	wherePrec, datePrec  int64
	start, end           when.Date
	lat, lon             int64 // micro-degrees
	low, best, high      int64
	a, b, civil, unknown int64 // deaths
}

func (g *gedReader) read(rp *rowParser, cell *[numColumns]string, p *parsedRow, fail failFunc) {
	if id := cell[gedID]; id != "" && !countRE.MatchString(id) {
		fail(gedID, "", "%.40q is not the number of an event", id)
	}
	var e gedEvent
	e.violence = oneTo(len(gedViolences), cell, gedViolence, fail)
	e.clarity = oneTo(2, cell, gedClarity, fail)
	e.wherePrec = oneTo(len(gedRadius), cell, gedWherePrec, fail)
	e.datePrec = oneTo(len(gedDates)+1, cell, gedDatePrec, fail)
	e.start, e.end = gedDay(cell, gedStart, fail), gedDay(cell, gedEnd, fail)
	if e.start != "" && e.end != "" {
		if err := (when.Span{Start: e.start, End: e.end}).Validate(); err != nil {
			fail(gedEnd, "", "%v", err)
		}
	}
	e.lat, e.lon = degrees(cell, gedLatitude, 90, fail), degrees(cell, gedLongitude, 180, fail)
	for _, f := range []struct {
		c    column
		into *int64
	}{{gedLow, &e.low}, {gedBest, &e.best}, {gedHigh, &e.high}, {gedDeathsA, &e.a}, {gedDeathsB, &e.b}, {gedDeathsCivilians, &e.civil}, {gedDeathsUnknown, &e.unknown}} {
		if n := count(cell[f.c], f.c, fail); n != nil {
			*f.into = *n
		}
	}
	if len(p.faults) > 0 {
		return
	}
	g.account(rp.book, &e, cell, p)
	for i := range p.claims {
		if err := p.claims[i].Validate(); err != nil {
			fail(noColumn, "", "%v", err)
			return
		}
	}
	if err := p.head.document().Validate(); err != nil {
		fail(gedHeadline, "", "%v", err)
	}
}

// oneTo reads a small number; 0 stands for a cell that is blank.
func oneTo(most int, cell *[numColumns]string, c column, fail failFunc) int64 {
	if cell[c] == "" {
		return 0 // where it must not be, that is said already
	}
	n, err := strconv.Atoi(cell[c])
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != cell[c] {
		fail(c, "", "%.40q is not a number from 1 to %d", cell[c], most)
		return 0
	}
	return int64(n)
}

var midnightRE = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00(:00(\.0{1,9})?)?$`)

// day leaves out the midnight that editions of the data set write after a day.
func day(cell string) string {
	if m := midnightRE.FindStringSubmatch(cell); m != nil {
		return m[1]
	}
	return cell
}

func gedDay(cell *[numColumns]string, c column, fail failFunc) when.Date {
	d := date(day(cell[c]), c, fail)
	if d != "" && d.Precision() != when.Day {
		fail(c, "", "%.40q is not a day: write YYYY-MM-DD, and how sharp it is in date_prec", cell[c])
	}
	return d
}

var degreesRE = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]{1,15})?$`)

// degrees reads decimal degrees as micro-degrees.
func degrees(cell *[numColumns]string, c column, most float64, fail failFunc) int64 {
	if cell[c] == "" {
		return 0
	}
	x, err := strconv.ParseFloat(cell[c], 64)
	if err != nil || !degreesRE.MatchString(cell[c]) || math.Abs(x) > most {
		fail(c, "", "%.40q is not degrees from -%v to %v, such as 34.5", cell[c], most, most)
		return 0
	}
	return int64(math.Round(x * 1e6))
}

// oneLine makes white space of every kind one space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// maxTitle bounds a title that is cut from a longer text, in letters.
const maxTitle = 200

func cut(s string, letters int) string {
	if utf8.RuneCountInString(s) <= letters {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:letters-1])) + "\u2026"
}

// document is what the data set names as its source. It never has an address.
func (g *gedReader) document(cell *[numColumns]string) (doc *record.Report, offices []string) {
	for s := range strings.SplitSeq(cell[gedOffice], ";") {
		if s = oneLine(s); s != "" {
			offices = append(offices, s)
		}
	}
	article, title := cell[gedArticle], oneLine(cell[gedHeadline])
	published, err := when.ParseDate(day(cell[gedDate]))
	single := len(offices) == 1 && err == nil && published != "" && title != ""
	if title == "" {
		title = oneLine(article)
	}
	if title == "" {
		title = g.speaker + ", event " + cell[gedID]
	}
	doc = &record.Report{Title: cut(title, maxTitle)}
	offices = unique(offices)
	if single {
		doc.Carrier, doc.PublishedOn = offices[0], published
	} else {
		doc.Origins = offices
	}
	if article != "" && article != doc.Title && (!single || doc.Title != title) {
		doc.Note = article
	}
	return doc, offices
}

func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
