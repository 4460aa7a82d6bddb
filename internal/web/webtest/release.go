// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"context"
	"fmt"

	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/record"
)

// Releases implements web.Releases.
func (s *Source) Releases(_ context.Context, limit, offset int) ([]projection.Release, int, error) {
	var out []projection.Release
	for _, x := range s.Released {
		if x.Audience == record.AudiencePublic {
			out = append(out, x)
		}
	}
	return part(out, limit, offset), len(out), nil
}

// Release implements web.Releases.
func (s *Source) Release(_ context.Context, id record.ID) (projection.Release, error) {
	for _, x := range s.Released {
		if x.ID == id {
			return x, nil
		}
	}
	return projection.Release{}, fmt.Errorf("release %s: %w", id, web.ErrNotFound)
}
