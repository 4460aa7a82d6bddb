// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"context"
	"os"

	"truceline/verify"
)

// Allowed is what is left of a record bundle for a viewer.
var Allowed = allowed

// Tables computes the tables of a log, by their names.
func Tables(ctx context.Context, log verify.Fetcher, openedPath string, size int64) (map[string]string, error) {
	g, err := openGiven(ctx, log, openedPath, size)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	t, err := computeTables(ctx, g, func(string, int64, int64) {})
	if err != nil {
		return nil, err
	}
	defer t.close()
	out := map[string]string{}
	for _, name := range t.names {
		b, err := os.ReadFile(t.path(name))
		if err != nil {
			return nil, err
		}
		out[name] = string(b)
	}
	return out, nil
}
