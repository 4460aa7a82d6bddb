// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"

	"truceline/example"
	"truceline/record"
)

// IDOf is the id of what an example files in a mission.
func IDOf(mission record.ID, what, key string) record.ID { return exampleID(mission, what, key) }

// Tell tells a story on nodes that tests make up, without officers.
func Tell(ctx context.Context, steps []example.Step, members map[string]Member) error {
	if err := present(steps, members); err != nil {
		return err
	}
	return newTeller(members, nil).tell(ctx, steps, nil)
}
