// SPDX-License-Identifier: Apache-2.0

//go:build long

package server_test

// everyMorning: every language on every screen, and not each of them once for one of the two.
const everyMorning = true
