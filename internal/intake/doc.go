// SPDX-License-Identifier: Apache-2.0

// Package intake takes accounts in from files. Import reads CSV, one row a claim, and
// Export writes the same form; docs/formats/accounts-csv.md has its rules. ImportGED reads
// the events of a data set, one row an account; docs/formats/ucdp-ged.md has what differs.
// Both share everything but the reading of a row. Jobs runs imports of uploaded files in
// the background.
//
// # What an import promises
//
// The reading is tolerant of how a file is written (column order, letters of column
// names and codes, delimiter, byte order mark, line ends) and strict on what it says:
// a cell that means nothing makes a bad row, listed with its row, its line, its column
// and the reason. Nothing is corrected in silence.
//
// The rows of one statement are one account, and go in whole or not at all. One file
// is one batch. Every id is derived from the mission and the file's own names, so that
// filing a row twice is one record: a run that was cut short is finished by running
// the same file again, and a run of a finished file files nothing.
//
// The rows are counted so that, always,
//
//	Accepted + Present + Rejected + NotReached = Total
//
// where NotReached are the rows whose turn did not come because the import was
// cancelled or failed. A line that a misplaced quote takes in is counted as a row.
//
// Rows are kept in a temporary database on disk while an import runs; memory use does
// not grow with the size of the file. It may hold a few hundred statements and one
// account at a time.
package intake
