// SPDX-License-Identifier: Apache-2.0

package node

import (
	"sync"

	"truceline/agreement"
	"truceline/internal/assets"
	"truceline/internal/basemap"
	"truceline/place"
)

// courses remembers where the lines of the agreement in force run: those that are taken from
// the base map cost the reading of all of it.
type courses struct {
	mu    sync.Mutex
	pack  *agreement.Pack
	lines []place.Line
}

// of is where the lines of a pack run. A pack is not changed once it is in force.
func (c *courses) of(pack *agreement.Pack) ([]place.Line, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pack == pack && pack != nil {
		return c.lines, nil
	}
	lines, err := basemap.Lines(assets.Atlas, pack)
	if err != nil {
		return nil, err
	}
	c.pack, c.lines = pack, lines
	return lines, nil
}
