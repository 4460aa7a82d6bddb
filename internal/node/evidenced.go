// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/record"
)

func evidenceOfFork(n *Node, older, newer []byte, proof []tlog.Hash) ([]byte, error) { return nil, nil }

func (m *member) evidenceOfBroken(ctx context.Context, b *replica.Broken, kind AlarmKind) ([]byte, AlarmKind, error) {
	return nil, kind, nil
}

func (m *member) evidenceOfTwice(ctx context.Context, first int64, again *record.Line, lines []*record.Line, c ledger.Checkpoint) ([]byte, error) {
	return nil, nil
}
