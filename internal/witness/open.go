// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"embed"

	"truceline/internal/tables"
)

// migrations bring the tables from one version to the next.
//
//go:embed migrations
var migrations embed.FS

var kind = tables.Kind{
	Name:       "witness",
	ID:         0x54726357, // "TrcW"
	Migrations: migrations,
	Lost:       "a witness that has lost its file has lost its memory: make a new key for it, declare that, and begin with an empty file",
}
