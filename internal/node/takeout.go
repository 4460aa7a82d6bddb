// SPDX-License-Identifier: Apache-2.0

package node

import "truceline/internal/ledgerstore"

// Readable is the ledger as this node may read it, for its member: bodies are out of their
// boxes where the key is here.
func (n *Node) Readable() ledgerstore.Store { return n.readable() }
