// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"

	"truceline/record"
)

// readersView is who can read something that is not for everybody.
type readersView struct {
	audience string
	author   string   // code of the member that filed it
	members  []string // codes, where they are named
}

// readers finds who can read the record at an index; nil where everybody can.
func (s *server) readers(ctx context.Context, index int64) (*readersView, error) {
	rec, err := s.Source.RecordAt(ctx, index)
	if notFound(err) || err == nil && (rec.Audience == "" || rec.Audience == record.AudiencePublic) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &readersView{audience: rec.Audience, author: rec.Member}
	if rec.Audience != record.AudienceNamed {
		return out, nil
	}
	raw, err := s.Ledger.Line(ctx, index)
	if err != nil {
		return nil, err
	}
	var p recordPage
	if err := p.read(raw); err != nil {
		return nil, fmt.Errorf("record %d: %w", index, err)
	}
	out.members = p.statement.Readers
	return out, nil
}
