// SPDX-License-Identifier: Apache-2.0

//go:build long

package fleet_test

// schedules is how many random schedules are run.
const schedules = 2000
