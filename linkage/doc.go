// SPDX-License-Identifier: Apache-2.0

// Package linkage says which records of different sources likely tell of one event, with
// what probability and why. It is told no answers: what agreement in a field says is learnt
// from the records themselves. It links nothing; people decide.
//
// # The model
//
// Two records are compared field by field: days, places with their precision, the kind of
// incident at several levels, target, weapon, ranges of figures, what sort of thing they
// speak of, and words. Each field gives a level. Pairs of one event meet on a level with
// probability m, others that lie as near with probability u; the logarithm of m/u is what
// the level says, and the fields add up (Fellegi and Sunter 1969). Expectation maximisation
// finds m, u and how many pairs are of one event from counts of patterns (Dempster, Laird
// and Rubin 1977; Winkler 1988). Agreeing in a rare code is a level of its own (Winkler 2000).
//
// Who is blamed is no field, and neither is who tells it, but for one thing: that a source
// tells of one event once, as a rule. Pairs of one source have a prior of their own, learnt
// like the rest, so that a source's own duplicates are found.
//
// The more records lie around, the less likely any one of them is of the same event: the
// prior of a pair falls with the crowd. Records of one source that may be meant by another
// are its rivals; see graph.share.
//
// Only pairs that lie within reach in days and over the ground are compared; see grid.
//
// # Clusters and cuts
//
// Clusters are made by average linkage over all pairs between two clusters, absent pairs
// counted. Where they are cut, what is called strong and what is left is found from the
// probabilities alone; see cuts.
//
// # Promises
//
// Same records, same bytes, in whatever order they come and on any number of processors
// (of one kind: floating point may differ in the last bit between kinds). A record that
// lies out of reach of all others changes no other result. A model's numbers are whole, so
// that a signed record of them gives everybody the same.
//
// Models are read only and an Index is safe for concurrent use. Nothing here does I/O,
// reads a clock or draws by chance. How good it is and what it cannot know is in
// docs/methods/linkage.md.
package linkage
