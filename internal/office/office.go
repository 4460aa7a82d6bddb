// SPDX-License-Identifier: Apache-2.0

// Package office is one node's private book: who its officers are, their invitations
// and sign-ins, and what they have not filed yet: drafts, saved lists, accounts put off.
//
// It is one SQLite file in the node's folder, readable by its owner alone. Nothing in it
// stands in the ledger and nothing in it can be computed from the ledger, so it is backed
// up and never thrown away. The ledger knows an officer by an opaque id; who that is
// stands here alone and can be erased.
//
// # Durability
//
// The file is in write-ahead-log mode with synchronous=FULL: what a method has written is
// on disk when it returns. Several processes on one machine may have the file open, such as
// a server and a command; each sees what the others have written.
//
// # Secrets
//
// An invitation and a sign-in are each known by 32 random bytes, of which the file holds
// only the SHA-256: a copy of the file signs nobody in. Names are plain, because they are
// shown; [DB.EraseName] destroys one and every copy of it in the file and beside it. Copies
// in backups, and what a disk keeps of bytes overwritten, are out of its reach.
package office

import (
	"slices"
	"time"

	"truceline/record"
)

// Roles of officers: what an officer may do on this node. They are not the roles of
// members, which the agreement gives.
const (
	RoleDesk          = "desk"          // records statements, imports files
	RoleOperations    = "operations"    // works the queue: links accounts to incidents
	RoleAdministrator = "administrator" // invites officers, ends their sign-ins
	RoleReader        = "reader"        // reads, and keeps lists
)

// Roles lists the roles in the order pages show them.
var Roles = []string{RoleDesk, RoleOperations, RoleAdministrator, RoleReader}

// State says where an officer stands.
type State string

// States of an officer, in this order; none goes back.
const (
	Invited State = "invited" // has never signed in
	Active  State = "active"
	Left    State = "left" // has no sign-in and gets none
)

// Officer is somebody who acts for a member on this node.
type Officer struct {
	ID     record.ID // the opaque id that records name
	Member string    // code of the member
	Roles  []string  // some of Roles, in that order, at least one
	Name   string    // as named last; empty where never named, or erased
	// NameErased is when the name was erased; zero where it was not.
	NameErased time.Time
	State      State
	Created    time.Time
	Changed    time.Time // roles, state or name
}

// Has tells whether the officer has a role. One who has left has none.
func (o Officer) Has(role string) bool {
	return o.State != Left && slices.Contains(o.Roles, role)
}

// Lifetimes.
const (
	// InvitationLife is how long an invitation waits, unless said otherwise.
	InvitationLife = 7 * 24 * time.Hour
	// SignInIdle ends a sign-in that was not used for this long.
	SignInIdle = 12 * time.Hour
	// SignInLife ends a sign-in this long after it began, however much it was used.
	SignInLife = 7 * 24 * time.Hour
	// seenStep is the least time between two writings of when a sign-in was last used.
	seenStep = time.Minute
	// endedKept is how long a sign-in that ended stays in the lists.
	endedKept = 30 * 24 * time.Hour
)

// Invitation is a link by which one officer signs in.
type Invitation struct {
	ID       record.ID
	Officer  record.ID
	By       record.ID // the officer who invites; zero: whoever runs the node
	Created  time.Time
	Expires  time.Time
	Reusable bool // may be used until it expires; for demonstrations only
}

// By says who ended a sign-in.
type By string

// Who may end a sign-in.
const (
	ByOfficer       By = "officer"       // the officer, from this sign-in or another
	ByAdministrator By = "administrator" // an administrator, whoever runs the node, or because the officer left
	ByExpiry        By = "expiry"
)

// SignIn is one officer's sign-in on one device.
type SignIn struct {
	ID      record.ID
	Officer record.ID
	Created time.Time
	// ConfirmedAt is when the officer last showed who they are: at acceptance of the
	// invitation, until a stronger confirmation exists.
	ConfirmedAt time.Time
	Seen        time.Time // last used, to the minute
	Expires     time.Time // ends then however much it is used; not used, it ends earlier
	Agent       string    // what the browser said it is, cut short
	Ended       time.Time // zero while it lasts
	EndedBy     By
}

// Kinds of drafts.
const (
	DraftStatement = "statement"
	DraftAmendment = "amendment"
	DraftSealing   = "sealing" // of a version that is to be sealed
)

// Draft is a form that is not filed yet. It is its officer's alone.
type Draft struct {
	ID      record.ID
	Officer record.ID
	Kind    string              // DraftStatement, DraftAmendment or DraftSealing
	Title   string              // for the list of drafts; at most MaxTitle runes
	Values  map[string][]string // of the form's fields; at most MaxDraft bytes as JSON
	Created time.Time
	Changed time.Time
}

// List is a saved search. It is its officer's alone.
type List struct {
	ID      record.ID
	Officer record.ID
	Name    string // one officer's lists have different names
	Page    string // path of the page that searches, such as /search
	Query   string // of its address, without the question mark
	Created time.Time
}

// Later is an account that a member's officers have put off in their queue.
type Later struct {
	Account record.ID
	Member  string
	Officer record.ID // who put it off
	Until   time.Time // zero: until somebody takes it up again
	Note    string
	Created time.Time
}

// Limits.
const (
	MaxDraft  = 1 << 20 // bytes of a draft's values
	MaxDrafts = 200     // of one officer
	MaxTitle  = 300     // runes of a draft's title
	MaxLists  = 200     // of one officer
	MaxName   = 200     // runes of the name of a list
	MaxQuery  = 8 << 10 // bytes of a list's query
	MaxNote   = 2000    // runes of a note
	maxAgent  = 120     // runes of what a browser says it is
)
