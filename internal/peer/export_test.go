// SPDX-License-Identifier: Apache-2.0

package peer

// For the tests of the parser.
var (
	FormatAddCheckpoint = formatAddCheckpoint
	ParseAddCheckpoint  = parseAddCheckpoint
)

const MaxAddCheckpoint = maxAddCheckpoint
