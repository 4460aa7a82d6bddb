// SPDX-License-Identifier: Apache-2.0

// Package scripts holds the second checker of bundles as browsers load it: the files that
// Node runs too, but for what each needs of the program that runs it, which package
// internal/assets has for browsers.
package scripts

import "embed"

// Checker holds check-core.mjs and what it loads, without check-primitives.mjs.
//
//go:embed check-core.mjs check-parts.mjs
var Checker embed.FS
