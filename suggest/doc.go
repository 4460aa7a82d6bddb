// SPDX-License-Identifier: Apache-2.0

// Package suggest says which incidents an account is likely about, in what order, and
// why. It is a help for people who link accounts: it links nothing, and nothing that it
// says is kept.
//
// # The rule
//
// An account is compared with one incident at a time, by six criteria. Each gives a
// score from 0 to 1000 and a reason, or cannot tell; what cannot be told counts 500,
// which is neither for nor against. The score of the pair is the mean of the six,
// weighted by the published Weights. So the score of one incident never depends on
// which others there are, and every part of it can be shown.
//
//   - time: the days that are told against the days of the incident, as spans: a month
//     is a span of its days, and the vaguer of the two limits the score. Where no day is
//     told, the day on which the account was given, which an incident cannot follow.
//   - distance: the great-circle distance between the places less their stated
//     precisions. Rings that overlap are no distance apart.
//   - class: whether the account tells of something that happened, reads a text, or
//     counts over a period, and whether an incident, an agreement or talks, or an
//     aggregate was opened.
//   - type: words of the names that the agreement's pack gives to types, in every
//     language of the mission, in the words of the account.
//   - figures: whether the ranges of figures of the same measure and group meet those of
//     the accounts linked before.
//   - words: words in common with the label and the place of the incident. They speak
//     for it; that there are none is no sign.
//
// Who says it, for whom, through which outlet, and who is named as author, beginner or
// actor is never looked at, and words that name a party or a group are left out.
//
// An account may tell of several things. Its claims are taken in groups of the same
// time, its mentions; an incident scores what the mention that fits it best gives.
//
// Scores are whole thousandths and distances whole metres, so that every machine comes
// to the same order; incidents of one score stand in the order of their ids.
package suggest
