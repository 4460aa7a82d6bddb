// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Release is the body of release.proposed: of these records these fields are to be shown to
// an audience that may not read them. A record never changes, so that what is proposed is a
// frozen version; the statement's id names the proposal.
type Release struct {
	Audience string `json:"audience"` // public or members: who may read it once it is made
	// BothReplied: it is made only if all who were asked for their version of the incident
	// have given it or declined.
	BothReplied bool `json:"both_replied,omitempty"`
	// Embargo is the time from which on it may be made, in Unix milliseconds; 0: at once.
	Embargo int64         `json:"embargo,omitempty"`
	Items   []ReleaseItem `json:"items"` // in the order in which they are read
	// Replaces is the release.made that this one takes the place of. Both stay.
	Replaces ID     `json:"replaces,omitzero"`
	Title    string `json:"title"`
}

// ReleaseItem is one record, and the fields of its body that are to be shown.
type ReleaseItem struct {
	Fields []string `json:"fields"` // paths as Leaves gives them, ascending
	Record ID       `json:"record"`
}

// maxPath is the most bytes of a path that can be released.
const maxPath = 256

// Bounds of a release. What it shows stands in one body.
const (
	MaxReleaseItems  = 32
	MaxReleaseFields = 256 // of one record
)

var pathRE = regexp.MustCompile(`^(/[A-Za-z0-9_.-]+|\[(0|[1-9][0-9]*)\])+$`)

// ExactPlace tells whether the field at a path is part of a position that is no coarser
// than its source gave it. No such field is released to everybody.
func ExactPlace(path string) bool { return strings.Contains(path, "/point/") }

// Validate implements Body.
func (r *Release) Validate() error {
	if err := oneOf("audience", r.Audience, AudiencePublic, AudienceMembers); err != nil {
		return err
	}
	if strings.TrimSpace(r.Title) == "" {
		return fmt.Errorf("a title is needed")
	}
	if r.Embargo < 0 || r.Embargo > MaxInt {
		return fmt.Errorf("embargo %d is not Unix milliseconds", r.Embargo)
	}
	if len(r.Items) == 0 || len(r.Items) > MaxReleaseItems {
		return fmt.Errorf("%d items are not 1 to %d", len(r.Items), MaxReleaseItems)
	}
	seen := map[ID]bool{}
	for _, item := range r.Items {
		if item.Record.IsZero() || seen[item.Record] {
			return fmt.Errorf("items: a record's id is missing, or stands twice")
		}
		seen[item.Record] = true
		if len(item.Fields) == 0 || len(item.Fields) > MaxReleaseFields {
			return fmt.Errorf("record %s: %d fields are not 1 to %d", item.Record, len(item.Fields), MaxReleaseFields)
		}
		for i, f := range item.Fields {
			if err := validPath(f); err != nil {
				return err
			}
			if i > 0 && f <= item.Fields[i-1] {
				return fmt.Errorf("record %s: fields are not in order, each once", item.Record)
			}
			if r.Audience == AudiencePublic && ExactPlace(f) {
				return fmt.Errorf("record %s: %s is part of an exact place, which is not released to everybody: release the area", item.Record, f)
			}
		}
	}
	return nil
}

func validPath(path string) error {
	if len(path) > maxPath || !pathRE.MatchString(path) {
		return fmt.Errorf("%.80q is not the path of a field, such as /claims[0]/low", path)
	}
	return nil
}

// Reply is the body of release.answered: what a party says to a release before it is made.
// It is shown with it.
type Reply struct {
	Text string `json:"text"`
}

// MaxReply is the most letters (Unicode code points) of a reply. Every reply stands in the
// release, which is one body: without a bound whoever may reply could leave it no room.
const MaxReply = 2000

// Validate implements Body.
func (r *Reply) Validate() error {
	if strings.TrimSpace(r.Text) == "" {
		return fmt.Errorf("text is missing")
	}
	if n := utf8.RuneCountInString(r.Text); n > MaxReply {
		return fmt.Errorf("the text has %d letters, and a reply has at most %d, for it is shown with the release", n, MaxReply)
	}
	return nil
}

// Released is the body of release.made: the fields that were proposed, and after them the
// text of every reply, each with what proves that it stands in its record and its record in
// the ledger.
type Released struct {
	Items    []Disclosure `json:"items"`
	Replaces ID           `json:"replaces,omitzero"` // of the proposal
	Title    string       `json:"title"`             // of the proposal
}

// Disclosure shows some fields of one record.
type Disclosure struct {
	// Commitments are base64 of those of all fields of the body, 32 bytes each, in byte order.
	Commitments string           `json:"commitments"`
	Envelope    string           `json:"envelope"` // base64 of its exact bytes
	Fields      []DisclosedField `json:"fields"`   // ascending by path
	Index       int64            `json:"index"`    // of the record in the ledger
	LeafSalt    Digest           `json:"leaf_salt"`
	LoggedAt    int64            `json:"logged_at"` // Unix milliseconds, by the registry's clock
}

// DisclosedField is one field with what proves it.
type DisclosedField struct {
	Path  string `json:"path"`
	Salt  Digest `json:"salt"`
	Value string `json:"value"` // canonical JSON
}

// Validate implements Body. Whether the fields are those of the record is for who checks.
func (r *Released) Validate() error {
	if strings.TrimSpace(r.Title) == "" || len(r.Items) == 0 {
		return fmt.Errorf("a title and at least one item are needed")
	}
	for i := range r.Items {
		if err := r.Items[i].validate(); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

func (d *Disclosure) validate() error {
	for field, s := range map[string]string{"commitments": d.Commitments, "envelope": d.Envelope} {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(b) == 0 || base64.StdEncoding.EncodeToString(b) != s {
			return fmt.Errorf("%s is not base64", field)
		}
		if field == "commitments" && len(b)%32 != 0 {
			return fmt.Errorf("commitments are %d bytes, not 32 each", len(b))
		}
	}
	if d.Index < 0 || d.Index > MaxInt || d.LoggedAt < 0 || d.LoggedAt > MaxInt {
		return fmt.Errorf("index %d or logged_at %d is not a count", d.Index, d.LoggedAt)
	}
	if len(d.Fields) == 0 || len(d.Fields) > MaxReleaseFields {
		return fmt.Errorf("%d fields are not 1 to %d", len(d.Fields), MaxReleaseFields)
	}
	for i, f := range d.Fields {
		if err := validPath(f.Path); err != nil {
			return err
		}
		if i > 0 && f.Path <= d.Fields[i-1].Path {
			return fmt.Errorf("fields are not in order, each once")
		}
		if leaves, err := Leaves([]byte(f.Value)); err != nil || len(leaves) != 1 || leaves[0].Path != "" {
			return fmt.Errorf("%s: the value is not one of a field, in canonical JSON", f.Path)
		}
	}
	return nil
}
