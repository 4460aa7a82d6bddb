// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"truceline/when"
)

// form is one form of file that accounts come in. It says how the cells of a row are
// read; everything before and after that is the same for all.
type form struct {
	first, end column // its columns
	statement  column // names the statement that a row belongs to
	claim      column // names the claim of a row; noColumn where rows have no name of their own
	single     bool   // each row is a statement

	// signed tells whether a text may stand in the column sign: if it does, behind as many
	// delimiters as that, a line of text is taken for a row.
	sign   column
	signed func(rp *rowParser, text string) bool
	// name makes the name of a statement from its cell.
	name func(cell string) string
	// tags tells whether the first row after the header is not data, but tags of the columns.
	tags func(l *layout, r *rawRow) bool
	// read fills in what a row says, from cells that are text.
	read func(rp *rowParser, cell *[numColumns]string, p *parsedRow, fail failFunc)
	// edition is told apart in the names of batches: one file may be read in several ways.
	edition string
}

func accountsForm() *form {
	return &form{
		first: colClaim, end: gedFirst, statement: colStatement, claim: colClaim,
		sign: colElement,
		signed: func(rp *rowParser, text string) bool {
			_, ok := rp.book.lists[colElement].find(text)
			return ok
		},
		name: func(cell string) string { return cell },
		read: readAccount,
	}
}

// gedForm is the form of UCDP GED, read under a map that is complete.
func gedForm(g *gedReader) *form {
	return &form{
		first: gedFirst, end: numColumns, statement: gedID, claim: noColumn, single: true,
		sign: gedStart,
		signed: func(_ *rowParser, text string) bool {
			d, err := when.ParseDate(day(text))
			return err == nil && d.Precision() == when.Day
		},
		name: g.name,
		tags: func(l *layout, r *rawRow) bool { return len(l.cell(r, gedID)) > 1 && l.cell(r, gedID)[0] == '#' },
		read: g.read, edition: g.edition,
	}
}
