// SPDX-License-Identifier: Apache-2.0

package example

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
)

// Deed is an act that an officer does by its form. A value may name what an earlier deed
// filed: @REF is its record, @REF! what was opened of the account that it sealed.
type Deed struct {
	Ref    string              `json:"ref"` // the example's own name of what is filed
	Member string              `json:"member"`
	Role   string              `json:"role"` // of the officer
	Act    string              `json:"act"`  // of the catalogue of acts
	Values map[string][]string `json:"values"`
}

var deedRE = regexp.MustCompile(`@([A-Za-z0-9-]+)(!?)`)

// Names gives the references in a value to what was filed before, by their texts.
func (d Deed) Names(value string) (refs map[string]string, opened map[string]bool) {
	refs, opened = map[string]string{}, map[string]bool{}
	for _, m := range deedRE.FindAllStringSubmatch(value, -1) {
		refs[m[0]], opened[m[0]] = m[1], m[2] != ""
	}
	return refs, opened
}

// Deeds reads the acts of the set, in their order; none where it has none. It looks that
// what they name was filed before; whether the values are good ones is for their forms.
func (s *Set) Deeds() ([]Deed, error) {
	if len(s.Acts) == 0 {
		return nil, nil
	}
	fail := func(format string, a ...any) ([]Deed, error) {
		return nil, fmt.Errorf("read the acts of the example: "+format, a...)
	}
	var file struct {
		Acts  int    `json:"acts"` // format: 1
		Steps []Deed `json:"steps"`
	}
	dec := json.NewDecoder(bytes.NewReader(s.Acts))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return fail("byte %d: %w", dec.InputOffset(), err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fail("something follows at byte %d", dec.InputOffset())
	}
	if file.Acts != 1 || len(file.Steps) == 0 {
		return fail(`it needs "acts": 1 and "steps"`)
	}
	var before []string
	for i, d := range file.Steps {
		if d.Ref == "" || d.Member == "" || d.Role == "" || d.Act == "" || slices.Contains(before, d.Ref) {
			return fail("step %d (%.40q): ref, member, role and act are needed, the ref once", i+1, d.Ref)
		}
		for _, name := range slices.Sorted(maps.Keys(d.Values)) {
			for _, v := range d.Values[name] {
				refs, _ := d.Names(v)
				for _, ref := range refs {
					if !slices.Contains(before, ref) {
						return fail("step %s names %s, which no step before it files", d.Ref, ref)
					}
				}
			}
		}
		before = append(before, d.Ref)
	}
	return file.Steps, nil
}
