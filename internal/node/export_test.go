// SPDX-License-Identifier: Apache-2.0

package node

import "context"

// HandIn hands in what waits, as the loop of a node that serves does beside the one that
// follows the log.
func (n *Node) HandIn(ctx context.Context) error { return n.member.send(ctx) }
