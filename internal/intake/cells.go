// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

// head is what all rows of one statement say alike.
type head struct {
	Carrier, Claimant, Kind, Party string
	Origins                        []string
	SaidOn                         when.Date
	Title, URL                     string
	Row                            int64 // that says it

	// Document is told of the document alone, where that is another's than the account.
	Document *record.Report `json:",omitempty"`
}

// account makes the account of a statement, without its claims.
func (h *head) account(statement string) *record.Account {
	return &record.Account{
		Carrier:  h.Carrier,
		Claimant: record.Claimant{Kind: h.Kind, Name: h.Claimant, Party: h.Party},
		External: statement,
		Origins:  h.Origins,
		SaidOn:   h.SaidOn,
	}
}

// document is the document the statement was told in.
func (h *head) document() *record.Report {
	if h.Document != nil {
		return h.Document
	}
	return &record.Report{Carrier: h.Carrier, Origins: h.Origins, Title: h.Title, URL: h.URL}
}

// differences lists the columns in which two rows of one statement differ.
func (h *head) differences(o *head) []column {
	var out []column
	for _, f := range []struct {
		c    column
		a, b string
	}{
		{colClaimant, h.Claimant, o.Claimant}, {colClaimantKind, h.Kind, o.Kind}, {colSpeaksFor, h.Party, o.Party},
		{colCarrier, h.Carrier, o.Carrier}, {colSaidOn, string(h.SaidOn), string(o.SaidOn)},
		{colSourceTitle, h.Title, o.Title}, {colSourceURL, h.URL, o.URL},
	} {
		if f.a != f.b {
			out = append(out, f.c)
		}
	}
	if !slices.Equal(h.Origins, o.Origins) {
		out = append(out, colOrigin)
	}
	return out
}

// fault is one thing wrong with a row.
type fault struct {
	column column
	rule   mechanism.Code // where a rule of the mechanism is broken
	reason string
}

// parsedRow is a row that was understood, or what is wrong with it.
type parsedRow struct {
	statement string // empty when it cannot be told
	claimID   string
	head      head
	claims    []record.Claim // without their numbers
	faults    []fault
	flags     []string   // what is odd about it and kept
	unmapped  []unmapped // what no code stands for
	// unknownPlace is a text for a place that means no place of the agreement.
	unknownPlace string
}

// unmapped is a text of a file for which the agreement has no code.
type unmapped struct {
	column column
	text   string
}

// failFunc notes what is wrong with a row.
type failFunc func(c column, rule mechanism.Code, format string, a ...any)

// rowParser reads rows under one layout and one agreement.
type rowParser struct {
	*layout
	book    *codebook
	delim   byte
	respell func(c column, written, read string) // hears of codes in another spelling
}

func (rp *rowParser) parse(r *rawRow) *parsedRow {
	p := &parsedRow{}
	fail := func(c column, rule mechanism.Code, format string, a ...any) {
		p.faults = append(p.faults, fault{c, rule, fmt.Sprintf(format, a...)})
	}
	if r.fault != "" || r.n != len(rp.columns) {
		if id, ok := rp.statement(r); ok && (r.fault == "" || rp.at[rp.form.statement] < r.faultAt) {
			p.statement = id
		}
		if r.fault == "" {
			fail(noColumn, "", "the row has %d cells and the header %d: put cells that hold the delimiter in quotes", r.n, len(rp.columns))
			return p
		}
		c := noColumn
		if r.faultAt < len(rp.columns) {
			c = rp.columns[r.faultAt]
		}
		fail(c, "", "%s", r.fault)
		return p
	}
	var cell [numColumns]string
	for c := rp.form.first; c < rp.form.end; c++ {
		cell[c] = rp.cell(r, c)
		if why := checkText(c, cell[c]); why != "" {
			fail(c, "", "%s", why)
			cell[c] = ""
			continue
		}
		if columns[c].required && cell[c] == "" {
			fail(c, "", "the cell is blank, and must not be")
		}
	}
	if id := cell[rp.form.statement]; id != "" {
		p.statement = rp.form.name(id)
	}
	rp.form.read(rp, &cell, p, fail)
	slices.SortStableFunc(p.faults, func(a, b fault) int { return int(a.column - b.column) })
	return p
}

// statement is the name of the statement that a row which cannot be read belongs to.
func (rp *rowParser) statement(r *rawRow) (string, bool) {
	id := rp.cell(r, rp.form.statement)
	if id == "" || checkText(rp.form.statement, id) != "" {
		return "", false
	}
	return rp.form.name(id), true
}

// readAccount reads a row of accounts: one claim.
func readAccount(rp *rowParser, cell *[numColumns]string, p *parsedRow, fail failFunc) {
	rp.codes(cell, fail)
	p.claimID = cell[colClaim]
	p.head = head{
		Carrier: cell[colCarrier], Claimant: cell[colClaimant], Kind: cell[colClaimantKind], Party: cell[colSpeaksFor],
		Origins: splitOrigins(cell[colOrigin]), SaidOn: date(cell[colSaidOn], colSaidOn, fail),
		Title: cell[colSourceTitle], URL: cell[colSourceURL],
	}
	claim := record.Claim{
		Bound: cell[colBound], Element: record.Element(cell[colElement]), External: p.claimID,
		Derived:   yesNo(cell[colDerived], colDerived, "no", fail) == "yes",
		FirstHand: yesNo(cell[colFirstHand], colFirstHand, "unknown", fail),
		Group:     cell[colGroup], Measure: cell[colMeasure], N: 1, Note: cell[colNote],
		High: count(cell[colHigh], colHigh, fail), Low: count(cell[colLow], colLow, fail),
		PlaceText: cell[colPlaceText], Scope: record.Scope(cell[colScope]), Stance: cell[colStance], Subset: cell[colSubset],
		When:  when.Span{Start: date(cell[colEventStart], colEventStart, fail), End: date(cell[colEventEnd], colEventEnd, fail), Note: cell[colTimeNote]},
		Words: cell[colWords],
	}
	var known bool
	if claim.Places, known = rp.book.places(claim.PlaceText); !known {
		p.unknownPlace = claim.PlaceText
	}
	if len(p.faults) == 0 {
		p.validate(&claim, fail)
	}
	p.claims = []record.Claim{claim}
}

// validate asks the record package, and names the column as well as it can.
func (p *parsedRow) validate(claim *record.Claim, fail failFunc) {
	if err := claim.When.Validate(); err != nil {
		c := colEventEnd
		if claim.When.Start == "" {
			c = colEventStart
		}
		fail(c, "", "%v", err)
	} else if err := claim.Validate(); err != nil {
		c := colBound
		if low, high := claim.Low, claim.High; claim.Bound != "" && low != nil && high != nil && *low > *high {
			c = colLow
		}
		fail(c, "", "%v", err)
	}
	if err := p.head.document().Validate(); err != nil {
		fail(colSourceURL, "", "%v", err)
	}
}

// codes replaces the cells that hold a code by the code they mean.
func (rp *rowParser) codes(cell *[numColumns]string, fail failFunc) {
	for c := rp.form.first; c < rp.form.end; c++ {
		list := rp.book.lists[c]
		if list == nil || cell[c] == "" {
			continue
		}
		code, ok := list.find(cell[c])
		switch {
		case ok && code != cell[c]:
			rp.respell(c, cell[c], code)
			cell[c] = code
		case !ok && rp.book.format[c] != "":
			fail(c, "", "%.60q is not one of %s", cell[c], rp.book.format[c])
		case !ok:
			fail(c, mechanism.NotInAgreement, "%s %.60q is not in the agreement: correct it, or have the agreement extended", c, cell[c])
		}
	}
}

func splitOrigins(cell string) []string {
	var out []string
	for s := range strings.SplitSeq(cell, ";") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func date(cell string, c column, fail failFunc) when.Date {
	d, err := when.ParseDate(cell)
	if err != nil {
		fail(c, "", "%v", err)
	}
	return d
}

var countRE = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

func count(cell string, c column, fail failFunc) *int64 {
	if cell == "" {
		return nil
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil || !countRE.MatchString(cell) || n > record.MaxInt {
		fail(c, "", "%.40q is not a count: write digits only, or leave the cell blank if no figure was said", cell)
		return nil
	}
	return &n
}

// yesNo reads yes, no and what stands for them; and "unknown" where that is what a
// blank cell means.
func yesNo(cell string, c column, blank string, fail failFunc) string {
	switch s := strings.ToLower(cell); {
	case s == "" || s == blank:
		return blank
	case s == "yes" || s == "true" || s == "1":
		return "yes"
	case s == "no" || s == "false" || s == "0":
		return "no"
	}
	fail(c, "", "%.40q is not yes or no", cell)
	return blank
}
