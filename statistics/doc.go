// SPDX-License-Identifier: Apache-2.0

// Package statistics counts incidents, and adds up what each claimant says of many.
//
// A figure in a table belongs to one claimant. It is the sum of that claimant's own
// latest figures, one for each incident, of one measure and one group; it is never
// added to, averaged with or set off against anybody else's. Beside it stands of how
// many incidents the claimant gave a figure, because two sums over different incidents
// are not comparable.
//
// # What is added
//
// Claims of harm, damage or capture with a measure, about the whole incident and the
// whole group, in the latest version of an account linked as being about that one
// incident. Read takes each claimant's latest value as package reconcile does, so that
// a cell of a table and the rows of the incidents below it say the same.
//
// # What is never added
//
// Parts, other sets of places, running and period totals, subsets, a recorder's sums,
// words without a measure, and figures told of several incidents at once: they overlap,
// or nobody said them. Claims without a number and denials are counted beside the sum.
//
// Why gives the reason for one claim; docs/statistics.md says all of it in plain words.
// Everything here is a pure function of its input; the order of the input does not
// matter.
package statistics
