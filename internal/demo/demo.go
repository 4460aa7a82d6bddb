// SPDX-License-Identifier: Apache-2.0

// Package demo loads an example mission into a node through the doors that users
// have: the import of accounts, and the filing of records by a desk.
package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"truceline/acts"
	"truceline/example"
	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

// sheet is an example's incidents.json.
type sheet struct {
	Incidents []opening `json:"incidents"`
	Links     []link    `json:"links"`
	Unlinked  []string  `json:"unlinked"`
}

type opening struct {
	Ref       string       `json:"ref"`
	Class     record.Class `json:"class"`
	Label     string       `json:"label"`
	Types     []string     `json:"types"`
	When      when.Span    `json:"when"`
	Places    []string     `json:"places"`
	PlaceText string       `json:"place_text"`
}

type link struct {
	StatementID string          `json:"statement_id"`
	Ref         string          `json:"ref"`
	Role        record.LinkRole `json:"role"`
	Claims      []string        `json:"claims"`
	Reason      string          `json:"reason"`
}

// Load files an example's accounts, incidents and links. What is in the ledger
// already is not filed again, so that a load that was cut short can be repeated.
func Load(ctx context.Context, n *node.Node, set *example.Set, progress func(what string, done, total int64)) error {
	desks := n.Pack().MembersWith(record.DeskRole)
	if len(desks) == 0 {
		return errors.New("load the example: its agreement has no desk to file the accounts; its members file for themselves, each from its own node")
	}
	desk := desks[0]
	step := func(what string) func(done, total int64) {
		return func(done, total int64) { progress(what, done, total) }
	}
	report, err := intake.Import(ctx, n, bytes.NewReader(set.Accounts), intake.Options{Member: desk, Name: "accounts.csv", Progress: step("import accounts")})
	if err != nil {
		return fmt.Errorf("load the example: %w", err)
	}
	defer report.Close()
	if report.Rejected > 0 {
		return fmt.Errorf("load the example: %d rows of its accounts were rejected: %v", report.Rejected, report)
	}
	dec := json.NewDecoder(bytes.NewReader(set.Incidents))
	dec.DisallowUnknownFields()
	var s sheet
	if err := dec.Decode(&s); err != nil {
		return fmt.Errorf("load the example: incidents: %w", err)
	}
	l := &loader{node: n, desk: desk}
	if err := l.load(ctx, &s, step("file incidents and links")); err != nil {
		return fmt.Errorf("load the example: %w", err)
	}
	if err := n.Sync(ctx); err != nil {
		return err
	}
	if err := fit(ctx, n, desk); err != nil {
		return fmt.Errorf("load the example: %w", err)
	}
	return n.Sync(ctx)
}

// fit files the model by which the queue weighs accounts, unless there is one, or too few
// accounts to learn it from.
func fit(ctx context.Context, n *node.Node, desk string) error {
	history, err := n.Projection.LinkageHistory(ctx)
	if err != nil || len(history) > 0 {
		return err
	}
	act, _ := acts.Find("linkage.fit")
	_, err = n.Do(ctx, node.Officer{Member: desk, Roles: []string{acts.Operations}}, act, acts.Values{"reason": {"first model, from the example's accounts"}})
	var little *mechanism.Refusal
	if errors.As(err, &little) && little.Code == mechanism.StateForbids {
		return nil
	}
	return err
}

type loader struct {
	node *node.Node
	desk string
}

func (l *loader) load(ctx context.Context, s *sheet, progress func(done, total int64)) error {
	accounts, err := l.accounts(ctx)
	if err != nil {
		return err
	}
	total := int64(len(s.Incidents) + len(s.Links))
	done := int64(0)
	file := func(d node.Draft) error {
		if err := l.file(ctx, d); err != nil {
			return err
		}
		done++
		progress(done, total)
		return nil
	}
	for _, in := range s.Incidents {
		body := &record.Opening{Class: in.Class, External: in.Ref, Label: in.Label, PlaceText: in.PlaceText, Places: in.Places, Types: in.Types, When: in.When}
		if err := file(node.Draft{ID: l.id("incident", in.Ref), Kind: record.IncidentOpened, Member: l.desk, Body: body}); err != nil {
			return fmt.Errorf("incident %s: %w", in.Ref, err)
		}
	}
	for _, k := range s.Links {
		acc, ok := accounts[k.StatementID]
		if !ok {
			return fmt.Errorf("link of %s: there is no such account", k.StatementID)
		}
		claims, err := claimNumbers(acc.claims, k.Claims)
		if err != nil {
			return fmt.Errorf("link of %s: %w", k.StatementID, err)
		}
		if err := file(node.Draft{
			ID: l.id("link", k.StatementID+"\n"+k.Ref), Kind: record.IncidentLinked, Member: l.desk,
			Body:     &record.Link{Claims: claims, Reason: k.Reason, Role: k.Role},
			Subjects: []record.Subject{{ID: acc.id, Role: record.RoleAccount}, {ID: l.id("incident", k.Ref), Role: record.RoleIncident}},
		}); err != nil {
			return fmt.Errorf("link of %s to %s: %w", k.StatementID, k.Ref, err)
		}
	}
	return nil
}

// file files a draft unless its id is in the ledger.
func (l *loader) file(ctx context.Context, d node.Draft) error {
	if _, ok, err := l.node.Find(ctx, d.ID); ok || err != nil {
		return err
	}
	_, err := l.node.File(ctx, d)
	return err
}

func (l *loader) id(what, key string) record.ID { return exampleID(l.node.Mission(), what, key) }

// exampleID is the same each time an example is loaded into a mission.
func exampleID(mission record.ID, what, key string) record.ID {
	h := sha256.Sum256([]byte("truceline-example/v1\n" + mission.String() + "\n" + what + "\n" + key))
	return record.ID(h[:16])
}

type filed struct {
	id     record.ID
	claims map[string]int // the file's name of a claim to its number
}

// accounts finds what the import filed, by the file's own names.
func (l *loader) accounts(ctx context.Context) (map[string]filed, error) {
	if err := l.node.Sync(ctx); err != nil {
		return nil, err
	}
	out := map[string]filed{}
	for a, err := range l.node.Projection.Accounts(ctx) {
		if err != nil {
			return nil, err
		}
		f := filed{id: a.ID, claims: map[string]int{}}
		for _, c := range a.Body.Claims {
			f.claims[c.External] = c.N
		}
		out[a.Body.External] = f
	}
	return out, nil
}

func claimNumbers(known map[string]int, names []string) ([]int, error) {
	var out []int
	for _, name := range names {
		n, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("it has no claim %s", name)
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out, nil
}
