// SPDX-License-Identifier: Apache-2.0

package bag

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"truceline/record"
)

// manifest gives the SHA-256 of files by their paths, relative to the bag.
type manifest map[string]record.Digest

// encode writes the lines, in the order of the paths.
func (m manifest) encode() []byte {
	var b bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s  %s\n", m[path], path)
	}
	return b.Bytes()
}

// parseManifest reads a manifest and tells what is wrong with its lines. Those that are
// wrong count as none.
func parseManifest(name string, b []byte, tell func(path, format string, a ...any)) manifest {
	m := manifest{}
	seen := spellings{}
	if len(b) == 0 || b[len(b)-1] != '\n' {
		tell(name, "it is empty, or its last line has no end")
	}
	number := 0
	for line := range strings.Lines(string(b)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		sum, path, ok := strings.Cut(line, "  ")
		raw, err := hex.DecodeString(sum)
		switch {
		case !ok || err != nil || len(raw) != 32 || hex.EncodeToString(raw) != sum:
			tell(name, "line %d is not 64 hexadecimal digits, two spaces and a path", number)
			continue
		case checkPath(path) != nil:
			tell(name, "line %d: %v", number, checkPath(path))
			continue
		case strings.HasPrefix(path, payload) != (name == manifestFile):
			tell(name, "line %d: %.80q is not for this manifest", number, path)
			continue
		}
		if _, twice := m[path]; twice {
			tell(path, "it stands twice in %s", name)
			continue
		}
		if err := seen.add(path); err != nil {
			tell(path, "%v", err)
			continue
		}
		m[path] = record.Digest(raw)
	}
	return m
}
