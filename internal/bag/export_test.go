// SPDX-License-Identifier: Apache-2.0

package bag

// CreateFaulty is Create on a disk that asks before each step.
var CreateFaulty = create
