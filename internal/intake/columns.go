// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// column is a column of one of the forms. Those of accounts are in the order of an
// export.
type column int

const (
	colClaim column = iota
	colStatement
	colClaimant
	colClaimantKind
	colSpeaksFor
	colCarrier
	colOrigin
	colSaidOn
	colEventStart
	colEventEnd
	colTimeNote
	colPlaceText
	colElement
	colMeasure
	colGroup
	colSubset
	colLow
	colHigh
	colBound
	colScope
	colStance
	colDerived
	colFirstHand
	colWords
	colNote
	colSourceTitle
	colSourceURL
	gedFirst // the columns of UCDP GED follow
)

// Columns of UCDP GED that are read.
const (
	gedID column = gedFirst + iota
	gedStatus
	gedViolence
	gedSideA
	gedSideB
	gedArticle
	gedOffice
	gedDate
	gedHeadline
	gedOriginal
	gedWherePrec
	gedWhereName
	gedWhereWords
	gedAdm1
	gedAdm2
	gedLatitude
	gedLongitude
	gedCountry
	gedClarity
	gedDatePrec
	gedStart
	gedEnd
	gedDeathsA
	gedDeathsB
	gedDeathsCivilians
	gedDeathsUnknown
	gedBest
	gedHigh
	gedLow
	numColumns
)

var columns = [numColumns]struct {
	name     string
	required bool // the column must be there, and no cell of it blank
	lines    bool // a cell may hold line ends and tabs
	plain    bool // a name or code: no cell holds a character that is not seen
}{
	{name: "claim_id", plain: true},
	{name: "statement_id", required: true, plain: true},
	{name: "claimant", required: true, plain: true},
	{name: "claimant_kind", required: true, plain: true},
	{name: "speaks_for", plain: true},
	{name: "carrier"},
	{name: "origin"},
	{name: "said_on"},
	{name: "event_start"},
	{name: "event_end"},
	{name: "time_note"},
	{name: "place_text"},
	{name: "element", required: true, plain: true},
	{name: "measure", plain: true},
	{name: "group", plain: true},
	{name: "subset", plain: true},
	{name: "low"},
	{name: "high"},
	{name: "bound", plain: true},
	{name: "scope", required: true, plain: true},
	{name: "stance", required: true, plain: true},
	{name: "derived"},
	{name: "first_hand"},
	{name: "words", lines: true},
	{name: "note", lines: true},
	{name: "source_title", required: true},
	{name: "source_url"},

	{name: "id", required: true, plain: true},
	{name: "code_status"},
	{name: "type_of_violence"},
	{name: "side_a", required: true},
	{name: "side_b", required: true},
	{name: "source_article", lines: true},
	{name: "source_office", lines: true},
	{name: "source_date", lines: true},
	{name: "source_headline", lines: true},
	{name: "source_original", lines: true},
	{name: "where_prec", required: true},
	{name: "where_coordinates", lines: true},
	{name: "where_description", lines: true},
	{name: "adm_1"},
	{name: "adm_2"},
	{name: "latitude", required: true},
	{name: "longitude", required: true},
	{name: "country"},
	{name: "event_clarity"},
	{name: "date_prec", required: true},
	{name: "date_start", required: true},
	{name: "date_end", required: true},
	{name: "deaths_a", required: true},
	{name: "deaths_b", required: true},
	{name: "deaths_civilians", required: true},
	{name: "deaths_unknown", required: true},
	{name: "best", required: true},
	{name: "high", required: true},
	{name: "low", required: true},
}

func (c column) String() string {
	if c < 0 || c >= numColumns {
		return ""
	}
	return columns[c].name
}

const noColumn column = -1

// fold makes spellings of one name equal: letters without case, and no spaces,
// underscores and hyphens.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '_', '-', '\u00a0':
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))
}

// columnNamed is the column of the form that a cell of the header names, or noColumn.
func (f *form) columnNamed(cell string) column {
	name := fold(cell)
	for c := f.first; c < f.end; c++ {
		if fold(columns[c].name) == name {
			return c
		}
	}
	return noColumn
}

// layout is what the header line says about the file.
type layout struct {
	form    *form
	columns []column // of each cell of a row; noColumn: ignored
	ignored []string // names of the columns that are not read
	at      [numColumns]int
}

const (
	// maxHeader bounds the header line, in bytes, and maxNamed what is told of the
	// columns that are ignored.
	maxHeader = 64 << 10
	maxNamed  = 50
)

var utf8BOM = []byte("\xef\xbb\xbf")

// detectDelimiter takes comma, semicolon or tab: whichever gives the header line the
// most columns that are known here.
func (f *form) detectDelimiter(start []byte) byte {
	best, most := byte(','), -1
	for _, d := range []byte{',', ';', '\t'} {
		row, err := newParser(bytes.NewReader(start), d).next()
		if err != nil {
			continue
		}
		known := 0
		for _, cell := range row.cells {
			if f.columnNamed(cell) != noColumn {
				known++
			}
		}
		if known > most {
			best, most = d, known
		}
	}
	return best
}

// readHeader maps the header's cells to columns. An unknown column is ignored; a
// known one that is there twice, or a required one that is missing, is an error.
func (f *form) readHeader(row *rawRow) (*layout, error) {
	if row.fault != "" {
		return nil, fmt.Errorf("the header line cannot be read: %s", row.fault)
	}
	l := &layout{form: f, columns: make([]column, len(row.cells))}
	for c := range l.at {
		l.at[c] = -1
	}
	for i, cell := range row.cells {
		c := f.columnNamed(cell)
		l.columns[i] = c
		switch {
		case c == noColumn:
			if cell = strings.TrimSpace(cell); cell != "" && len(l.ignored) < maxNamed {
				l.ignored = append(l.ignored, clip(strings.ToValidUTF8(cell, "\ufffd")))
			}
		case l.at[c] >= 0:
			return nil, fmt.Errorf("the header names the column %s twice, as cell %d and cell %d: remove or rename one", c, l.at[c]+1, i+1)
		default:
			l.at[c] = i
		}
	}
	var missing []string
	for c := f.first; c < f.end; c++ {
		if columns[c].required && l.at[c] < 0 {
			missing = append(missing, c.String())
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the header line lacks the column %s: the first line names the columns, divided by commas, semicolons or tabs", strings.Join(missing, ", "))
	}
	return l, nil
}

// keep tells which cells of a row are worth keeping.
func (l *layout) keep() []bool {
	k := make([]bool, len(l.columns))
	for i, c := range l.columns {
		k[i] = c != noColumn
	}
	return k
}

// cell is the row's cell in column c, trimmed and with line feeds for all line ends, as
// records hold them; empty where the file has no such column.
func (l *layout) cell(r *rawRow, c column) string {
	if i := l.at[c]; i >= 0 && i < len(r.cells) {
		return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(r.cells[i], "\r\n", "\n"), "\r", "\n"))
	}
	return ""
}

// checkText says what is wrong with a cell as text, if anything.
func checkText(c column, s string) string {
	switch {
	case len(s) > maxCell:
		return fmt.Sprintf("the cell has more than %d bytes: shorten it, or hand the text in as a document of its own", maxCell)
	case !utf8.ValidString(s):
		return "the cell is not UTF-8 text: save the file as CSV UTF-8"
	}
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			if !columns[c].lines {
				return fmt.Sprintf("the cell holds the control character %U: remove it", r)
			}
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			return fmt.Sprintf("the cell holds the control character %U: remove it", r)
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return fmt.Sprintf("the cell holds %U, which turns the direction of the text so that it reads otherwise than it is: remove it", r)
		case r == 0x200c || r == 0x200d: // Persian and Urdu words need them
			if columns[c].plain && c != colClaimant {
				return fmt.Sprintf("the cell holds the invisible character %U, and a name that looks like another is none: remove it", r)
			}
		case r >= 0x200b && r <= 0x200f || r == 0xfeff:
			if columns[c].plain {
				return fmt.Sprintf("the cell holds the invisible character %U, and a name that looks like another is none: remove it", r)
			}
		}
	}
	return ""
}

// clip shortens what a message repeats.
func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "..."
	}
	return s
}
