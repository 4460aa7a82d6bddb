// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// incidentRow is one line of incidents.json. The names of its fields are specified in
// docs/formats/bag.md; they stand in canonical order.
type incidentRow struct {
	Accounts  []linkRow    `json:"accounts"`
	Class     record.Class `json:"class"`
	External  string       `json:"external,omitempty"`
	ID        record.ID    `json:"id"`
	Index     int64        `json:"index"` // of the record that opened it
	Label     string       `json:"label,omitempty"`
	LoggedAt  int64        `json:"logged_at"`
	Member    string       `json:"member"` // who opened it
	MergedIn  record.ID    `json:"merged_into,omitzero"`
	Number    string       `json:"number"`
	PlaceText string       `json:"place_text,omitempty"`
	Places    []string     `json:"places"`
	State     string       `json:"state"`
	Types     []string     `json:"types"`
	When      when.Span    `json:"when"`
}

// linkRow is an account that is linked to an incident itself, not to one merged into it.
type linkRow struct {
	Account     record.ID       `json:"account"`
	Claims      []int           `json:"claims,omitempty"` // none: the whole account
	Index       int64           `json:"index"`            // of the link
	Link        record.ID       `json:"link"`
	Member      string          `json:"member"` // who linked it
	Reason      string          `json:"reason,omitempty"`
	Role        record.LinkRole `json:"role"`
	State       string          `json:"state"`                  // of the account
	StatementID string          `json:"statement_id,omitempty"` // of the account in accounts.csv
}

// incidents writes what the record says of incidents, and which accounts tell of each.
type incidents struct {
	db    *projection.DB
	given *given
	names map[record.ID]string
	about about
}

// page is how many records are looked through at once.
const page = 1000

// write writes one JSON object with an incident a line, in the order in which they were
// opened, so that two files can be compared line by line.
func (x *incidents) write(ctx context.Context, w io.Writer) error {
	head, err := record.Canonical(x.about)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "{\"about\":%s,\"incidents\":[", head); err != nil {
		return err
	}
	between := "\n"
	for from := int64(0); from < x.given.count(); from += page {
		list, err := x.db.Records(ctx, from, page)
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.Kind != record.IncidentOpened && r.Kind != record.NoticeFiled {
				continue
			}
			row, err := x.row(ctx, r.ID)
			if errors.Is(err, projection.ErrNotFound) {
				continue // its batch is not closed, or was withdrawn
			}
			if err != nil {
				return err
			}
			b, err := record.Canonical(row)
			if err != nil {
				return fmt.Errorf("incident %s: %w", r.ID, err)
			}
			if _, err := fmt.Fprintf(w, "%s%s", between, b); err != nil {
				return err
			}
			between = ",\n"
		}
	}
	_, err = io.WriteString(w, "\n]}\n")
	return err
}

func (x *incidents) row(ctx context.Context, id record.ID) (*incidentRow, error) {
	in, err := x.db.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	row := &incidentRow{
		Accounts: []linkRow{}, Class: in.Class, External: in.External, ID: in.ID, Index: x.given.index(in.Index), Label: in.Label, LoggedAt: in.OpenedAt,
		Member: in.OpenedBy, MergedIn: in.AliasOf, Number: in.Number, PlaceText: in.PlaceText, Places: some(in.Places), State: in.State, Types: some(in.Types), When: in.When,
	}
	root, err := x.root(ctx, in)
	if err != nil {
		return nil, err
	}
	told, err := x.db.AccountsOf(ctx, root)
	if err != nil {
		return nil, err
	}
	for i := range told {
		for _, l := range told[i].Links {
			if l.Incident == id {
				row.Accounts = append(row.Accounts, linkRow{
					Account: l.Account, Claims: l.Claims, Index: x.given.index(l.Index), Link: l.ID, Member: l.Recorder, Reason: l.Reason, Role: l.Role,
					State: told[i].State, StatementID: x.names[l.Account],
				})
			}
		}
	}
	slices.SortFunc(row.Accounts, func(a, b linkRow) int { return int(a.Index - b.Index) })
	return row, nil
}

// root is what an incident was merged into at the last; itself if it was not merged.
func (x *incidents) root(ctx context.Context, in projection.Incident) (record.ID, error) {
	for !in.AliasOf.IsZero() {
		next, err := x.db.Incident(ctx, in.AliasOf)
		if err != nil {
			return record.ID{}, err
		}
		in = next
	}
	return in.ID, nil
}

func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
