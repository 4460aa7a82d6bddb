// SPDX-License-Identifier: Apache-2.0

package ledgerstore

import (
	"context"
	"fmt"

	"truceline/ledger"
	"truceline/record"
)

// RecordLine writes one entry as it is served to those who may read its body: a
// canonical JSON object (docs/formats/ledger.md) without a line feed.
func RecordLine(e *Entry) ([]byte, error) {
	l := record.Line{Envelope: e.Envelope, Index: e.Index, LeafSalt: record.Digest(e.LeafSalt), LoggedAt: e.LoggedAt}
	if e.Body != nil {
		l.Body, l.BodySalt, l.Enc = e.Body, record.Digest(e.BodySalt), record.EncPlain
		if e.BodySalt == (ledger.Salt{}) { // in its box
			l.Enc = record.EncBox
		}
	}
	b, err := l.Encode()
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w: %w", e.Index, err, ErrDamaged)
	}
	return b, nil
}

// RecordBundle returns the record bundle n cut to width records: a line each, every
// one ended by a line feed. The lines of records that shows refuses are left out; nil shows all.
func RecordBundle(ctx context.Context, store Store, n int64, width int, shows func(*Entry) bool) ([]byte, error) {
	var out []byte
	from := n * ledger.TileWidth
	for e, err := range store.Entries(ctx, from, from+int64(width)) {
		if err != nil {
			return nil, fmt.Errorf("reading records from %d: %w", from, err)
		}
		if shows != nil && !shows(&e) {
			continue
		}
		line, err := RecordLine(&e)
		if err != nil {
			return nil, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}
