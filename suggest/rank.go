// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"bytes"
	"cmp"
	"slices"

	"truceline/record"
)

// LikelyScore is the score from which on a suggestion is called likely. In the worked
// example docs/suggestions.md says how many of those are what the coder linked.
const LikelyScore = 750

// Suggestion is an incident that an account may be about, and why.
type Suggestion struct {
	ID    record.ID
	Class record.Class
	Score int64 // 0 to 1000
	// Claims are the numbers of the claims that the incident fits: those of every
	// mention for which it is likely, or of the one that it fits best. Ascending.
	Claims  []int
	Reasons []Reason // one a criterion, in the order of Criteria, of the best mention
	// Weighed is what the mission's fitted model says; nil where there is none, or it
	// cannot tell.
	Weighed *Weighed
}

// Likely tells whether the incident is called likely: by the model where it was weighed,
// else by the score.
func (s *Suggestion) Likely() bool {
	if s.Weighed != nil {
		return s.Weighed.Probability >= s.Weighed.link
	}
	return s.Score >= LikelyScore
}

// Rank puts candidates in order, the likeliest first, those of one score by id. The
// score of each depends on nothing but the mentions and itself.
func (r *Rule) Rank(mentions []Mention, candidates []Candidate) []Suggestion {
	out := make([]Suggestion, 0, len(candidates))
	for i := range candidates {
		out = append(out, r.Compare(mentions, &candidates[i]))
	}
	Sort(out)
	return out
}

// Sort puts suggestions in the order of Rank, after some were compared again.
func Sort(list []Suggestion) {
	slices.SortFunc(list, compare)
}

func compare(a, b Suggestion) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), bytes.Compare(a.ID[:], b.ID[:]))
}

// Compare scores one candidate.
func (r *Rule) Compare(mentions []Mention, c *Candidate) Suggestion {
	out := Suggestion{ID: c.ID, Class: c.Class, Score: -1}
	var best []int
	for i := range mentions {
		m := &mentions[i]
		reasons := [...]Reason{m.time(c), m.distance(c), m.class(c), r.kind(m, c), m.figures(c), m.common(c)}
		var sum int64
		for _, why := range reasons {
			sum += Weights[why.Criterion] * why.Score
		}
		score := sum / 100
		if score >= LikelyScore {
			out.Claims = append(out.Claims, m.Claims...)
		}
		if score > out.Score {
			out.Score, out.Reasons, best = score, slices.Clone(reasons[:]), m.Claims
		}
	}
	if len(out.Claims) == 0 {
		out.Claims = slices.Clone(best)
	}
	slices.Sort(out.Claims)
	return out
}

// Several picks, from suggestions in their order, those that are likely and that fit
// claims no likelier one fits. More than one means that the account seems to speak of
// several incidents, and which claims of each.
func Several(suggestions []Suggestion) []Suggestion {
	var out []Suggestion
	taken := map[int]bool{}
	for _, s := range suggestions {
		if !s.Likely() {
			break
		}
		own := false
		for _, n := range s.Claims {
			own = own || !taken[n]
			taken[n] = true
		}
		if own {
			out = append(out, s)
		}
	}
	return out
}
