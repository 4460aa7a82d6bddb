// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"context"
	"encoding/json"
	"testing"

	"truceline/example"
	"truceline/internal/projection"
	"truceline/record"
)

// In the tables as in the rule alone, what the coder linked an account to comes first
// among its suggestions: with nothing linked, and with all linked but itself.
func TestSuggestionsInTheExamples(t *testing.T) {
	ctx := context.Background()
	for _, name := range example.Recorded() {
		for _, warm := range []bool{false, true} {
			set := open(t, name)
			var sheet map[string]json.RawMessage
			var links []struct {
				Account string `json:"statement_id"`
				Ref     string `json:"ref"`
			}
			if err := json.Unmarshal(set.Incidents, &sheet); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(sheet["links"], &links); err != nil {
				t.Fatal(err)
			}
			if !warm {
				sheet["links"] = json.RawMessage("[]")
				b, err := json.Marshal(sheet)
				if err != nil {
					t.Fatal(err)
				}
				set.Incidents = b
			}
			answers := map[string]map[string]bool{}
			for _, l := range links {
				if answers[l.Account] == nil {
					answers[l.Account] = map[string]bool{}
				}
				answers[l.Account][l.Ref] = true
			}
			n := load(t, set)
			refs := map[record.ID]string{}
			for _, class := range record.Classes {
				list, _, err := n.Projection.Incidents(ctx, projection.Filter{Class: []record.Class{class}})
				if err != nil {
					t.Fatal(err)
				}
				for _, in := range list {
					refs[in.ID] = in.External
				}
			}
			asked, first, third := 0, 0, 0
			for a, err := range n.Projection.Accounts(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				if len(answers[a.Body.External]) == 0 {
					continue
				}
				got, err := n.Projection.Suggestions(ctx, a.ID)
				if err != nil {
					t.Fatal(err)
				}
				asked++
				for i, s := range got.List {
					if !answers[a.Body.External][refs[s.ID]] {
						continue
					}
					if i == 0 {
						first++
					}
					if i < 3 {
						third++
					}
					break
				}
			}
			t.Logf("%s, others linked: %v: %d accounts, first %.3f, among three %.3f", name, warm, asked, float64(first)/float64(asked), float64(third)/float64(asked))
			if float64(first) < 0.9*float64(asked) {
				t.Errorf("%s, others linked: %v: the coder's incident comes first for %d of %d accounts", name, warm, first, asked)
			}
		}
	}
}
