// SPDX-License-Identifier: Apache-2.0

package linkage

import "slices"

// FieldLevels are the levels of a field, by class of comparison, in the order of the
// schema: the closest first.
type FieldLevels struct {
	Field   Field
	Classes []ClassLevels
}

// ClassLevels are the levels of one class.
type ClassLevels struct {
	Class  string
	Levels []Level
}

// Levels lists all that records with these measures may be found to have in common, for
// pages and their texts. Missing, which every field has, is left out.
func Levels(measures []string) []FieldLevels {
	var out []FieldLevels
	for _, s := range specsFor(measures[:min(len(measures), MaxMeasures)]) {
		f := FieldLevels{Field: s.field}
		for _, c := range s.classes {
			f.Classes = append(f.Classes, ClassLevels{c.name, slices.Clone(c.levels)})
		}
		out = append(out, f)
	}
	return out
}

// Precisions are the radii in metres by which places are put into classes, ascending. A
// class of places is the names of two of them, with a stroke between.
func Precisions() (names []string, metres []int32) {
	for c := range nPrecision {
		names = append(names, precisionName(c))
	}
	return names, slices.Clone(precisionCuts)
}
