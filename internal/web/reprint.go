// SPDX-License-Identifier: Apache-2.0

package web

// Reprint says of pages that they show a copy of a record, made from what one reader was
// given: whose word it is, for whom, and as of when. Every page says it.
type Reprint struct {
	Organization string // whose node gave it out, in the words of what was given
	Date         string // YYYY-MM-DD, on which it was given out, in UTC
	Member       string // code of the member that it was given out for; empty: everybody
	Records      int64  // of the log
	LeftOut      int64  // of them that it has not
	LoggedAt     int64  // of the last record that it has, Unix milliseconds
}
