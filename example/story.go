// SPDX-License-Identifier: Apache-2.0

package example

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Step is one thing that a member files in the course of a story. Document and Body are
// bodies of records as docs/formats/records.md has them, in any layout.
type Step struct {
	Ref     string `json:"ref"`     // the story's own name of what is filed
	On      string `json:"on"`      // the invented day on which it is filed, YYYY-MM-DD
	Member  string `json:"member"`  // code of the member that files
	Officer string `json:"officer"` // who files for the member; invented
	Kind    string `json:"kind"`    // of the record, such as account.filed
	// Account and Incident are refs of earlier steps that this one is about: the first
	// filing of an account, the opening of an incident.
	Account  string `json:"account,omitempty"`
	Incident string `json:"incident,omitempty"`
	// Document is the body of the report.filed in which an account is told, if there is one.
	Document json.RawMessage `json:"document,omitempty"`
	Body     json.RawMessage `json:"body"`
}

// Steps reads the set's story, in its order. It looks that the story hangs together:
// every name once, and nothing about what was not filed before. Whether the records are
// good ones is for those who file them. A set without a story is an error.
func (s *Set) Steps() ([]Step, error) {
	var story struct {
		Story int    `json:"story"` // format: 1
		Steps []Step `json:"steps"`
	}
	fail := func(format string, a ...any) ([]Step, error) {
		return nil, fmt.Errorf("read the story: "+format, a...)
	}
	if len(s.Story) == 0 {
		return fail("the example has none: its accounts are recorded by a desk")
	}
	dec := json.NewDecoder(bytes.NewReader(s.Story))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&story); err != nil {
		return fail("byte %d: %w", dec.InputOffset(), err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fail("something follows it at byte %d", dec.InputOffset())
	}
	if story.Story != 1 || len(story.Steps) == 0 {
		return fail(`it needs "story": 1 and "steps"`)
	}
	var before []string
	for i, x := range story.Steps {
		if slices.Contains([]string{x.Ref, x.On, x.Member, x.Officer, x.Kind, string(x.Body)}, "") {
			return fail("step %d (%.40q): ref, on, member, officer, kind and body are needed", i+1, x.Ref)
		}
		if slices.Contains(before, x.Ref) {
			return fail("step %d: there is a step %s already", i+1, x.Ref)
		}
		for _, ref := range []string{x.Account, x.Incident} {
			if ref != "" && !slices.Contains(before, ref) {
				return fail("step %s is about %.40q, which no step before it files", x.Ref, ref)
			}
		}
		before = append(before, x.Ref)
	}
	return story.Steps, nil
}
