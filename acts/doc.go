// SPDX-License-Identifier: Apache-2.0

// Package acts is the one catalogue of what officers can do: each act with its form, the
// officers' roles that may do it, the kinds of records it files, and how its records are
// made. Pages, the command line and tests read the same entries; the words for them stand
// in the catalogue of texts under act.NAME and field.NAME.
//
// An act asks and plans; it decides nothing. Whether its records are admitted is decided
// at the door by the mechanism's rules. [Act.Offer] asks the same rules beforehand, so that
// pages show only what may be done, and a refusal gives the rule's own reason.
//
// Nothing here files anything by itself: every act is some officer's, and each record that
// can be argued about carries the officer's reason.
package acts

import (
	"slices"

	"truceline/record"
)

// Roles of officers on their node.
const (
	Desk          = "desk"          // records statements, takes files in
	Operations    = "operations"    // works the queue: links, splits, merges
	Administrator = "administrator" // invites officers, ends their sign-ins
	Reader        = "reader"        // reads, and keeps lists
)

// On says what an act is done on.
type On string

// What acts are done on. Nothing means that the act begins something.
const (
	OnNothing  On = ""
	OnAccount  On = "account"
	OnIncident On = "incident"
	OnLink     On = "link"
	OnRecord   On = "record" // any record: an act to undo
	OnBatch    On = "batch"
	OnOfficer  On = "officer"
	OnIdentity On = "identity" // of a person, kept apart
	OnRequest  On = "request"  // for an identity
	OnRelease  On = "release"  // what is proposed to be released
)

// Act is one entry of the catalogue. It must not be changed.
type Act struct {
	Name   string // such as account.link; texts stand under act.NAME
	On     On     // the value of the field with this name is what it is done on
	Kinds  []record.Kind
	Roles  []string // officers need one of them
	Fields []Field  // the form, in its order
	// Sensitive acts ask the officer to confirm who he is, where the node asks for it.
	Sensitive bool
	// Local acts file no record: they concern the officers' own work. Job acts run for
	// long and are done by the import. Both have no plan here.
	Local, Job bool

	plan  func(*planner) error
	offer func(*offer) error
}

// Type says how a field is filled in.
type Type string

// Types of fields.
const (
	Line    Type = "line"   // a line of text
	Text    Type = "text"   // more than a line
	URL     Type = "url"    // an address on the web
	Day     Type = "date"   // YYYY, YYYY-MM or YYYY-MM-DD
	Code    Type = "code"   // a code of the list Codes of the agreement
	Choice  Type = "choice" // one of Choices
	ID      Type = "id"     // of a record; of the kind that the name says
	Figure  Type = "figure" // a number or a range as people write it: 12, 12+, 15-20, ~40
	Check   Type = "check"  // yes or nothing
	Claims  Type = "claims" // the claims of an account, see ClaimFields
	Numbers Type = "numbers"
	File    Type = "file"
)

// Field is one thing that an act asks.
type Field struct {
	Name     string
	Type     Type
	Codes    string   // the list of the pack for Type Code: places, measures, ...
	Choices  []string // for Type Choice, the usual one first; texts stand under Group.CHOICE
	Group    string
	Required bool
	Many     bool // may have several values
	Max      int  // letters; 0: the format's limit alone
	File     bool // what it holds may be brought in files, too
}

// Values are what was filled in, by field; trimmed of nothing.
type Values map[string][]string

// Get is the first value of a field.
func (v Values) Get(name string) string {
	if len(v[name]) == 0 {
		return ""
	}
	return v[name][0]
}

// Find looks an act up by its name.
func Find(name string) (*Act, bool) {
	for _, a := range catalogue {
		if a.Name == name {
			return a, true
		}
	}
	return nil, false
}

// All lists the acts, in the order in which help shows them.
func All() []*Act { return slices.Clone(catalogue) }

// For lists the acts that officers of one of the roles may do on something.
func For(on On, roles []string) []*Act {
	var out []*Act
	for _, a := range catalogue {
		if a.On == on && a.Allows(roles) {
			out = append(out, a)
		}
	}
	return out
}

// Allows tells whether one of the roles may do the act.
func (a *Act) Allows(roles []string) bool {
	return slices.ContainsFunc(a.Roles, func(r string) bool { return slices.Contains(roles, r) })
}

// Field looks a field up.
func (a *Act) Field(name string) (Field, bool) {
	for _, f := range a.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}
