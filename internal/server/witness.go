// SPDX-License-Identifier: Apache-2.0

package server

import (
	"log/slog"

	"truceline/internal/node"
	"truceline/internal/peer"
)

// witnessed adds the witness of a member's node.
func witnessed(mux Mux, n *node.Node, log *slog.Logger) {
	if w := n.Witness(); w != nil {
		mux.Handle("/witness/", peer.WitnessHandler(w, log))
	}
}
