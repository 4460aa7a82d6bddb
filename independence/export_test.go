// SPDX-License-Identifier: Apache-2.0

package independence

// Seams for tests.
var (
	ShinglesForTest    = shingles
	MilliBitsForTest   = milliBits
	SetForTest         = setOf
	ResemblanceForTest = func(a, b []uint64) int { return resemblance(common(a, b), len(a), len(b)) }
	ContainmentForTest = func(a, b []uint64) int { return containment(common(a, b), len(a), len(b)) }
)
