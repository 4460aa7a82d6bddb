// SPDX-License-Identifier: Apache-2.0

// Package independence says from how many independent origins a set of tellings comes,
// and why some of them count once. Ten outlets that carry one spokesman are one origin.
// It computes and decides nothing: no telling is weighed, dropped or called true.
//
// # The rule
//
// Two tellings are joined by an [Edge] for each reason why they may be one voice. Reasons are
// of two sorts: who speaks, and the [Channels] on which it came. Each sort is followed through
// others of its own, and never through the other: that one office is quoted in three papers
// makes neither the papers one, nor the others quoted in them.
//
// Origins are independent if they have neither a speaker nor a channel in common, and
// [Result.Count] is how many such can be found at most. A [Group] is what came on one
// channel, together with all channels on which the same speaker alone is heard.
//
//   - near_duplicate: at least half of the runs of five words of what both said are the same.
//   - contained: at least six tenths of the runs of the shorter text are in the longer.
//   - copied_document: their documents' own texts are one or the other, as when two papers
//     print one dispatch, or quote it in an article.
//   - same_origin: both name one agency, or one names what the other was carried or said by.
//   - same_claimant: the same person or office.
//   - same_document: told in the same document.
//   - same_side: offices that speak for one party. They never corroborate each other.
//   - rare_values: together they share odd figures, or an odd figure and an odd spelling,
//     that who counts and writes for himself would hardly share.
//
// Tellings of which no origin is known count as one at most, however many they are.
//
// Documents and agencies are ways as well as origins: two rivals quoted in one dispatch are
// one group here, since all that is known of both came through one hand. For who trusts
// that hand, [Result.Without] the [Channels] is what the speakers alone would be.
//
// # Two errors
//
// An edge too many hides corroboration that is there; an edge too few invents one that is
// not. docs/methods/independence.md says where each is to be expected.
//
// # What does not matter
//
// The edges of two tellings depend on these two and on the frequencies of the [Context],
// never on which others there are; so nobody can part or join two tellings by filing a
// third that shares nothing with them. The order of the input does not matter. Who is
// blamed is never looked at: figures of elements that name an author are left out.
// Exchanging the parties exchanges their codes in the reasons, and nothing else.
//
// Scores are whole thousandths, computed on whole numbers, so that every machine comes to
// the same groups.
package independence
