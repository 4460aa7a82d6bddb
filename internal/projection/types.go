// SPDX-License-Identifier: Apache-2.0

// Package projection is a node's view of the ledger: what the records say, folded
// into tables that pages and exports read. It can be deleted at any time and
// computed again; the fold of the same records gives the same rows, byte for byte.
//
// A projection holds only what one named audience may read; here the public
// record. It decides nothing.
package projection

import (
	"truceline/record"
	"truceline/when"
)

// Incident is an id that accounts are linked to, with the labels its opener gave
// it. Class tells incidents from agreements, talks and aggregates.
type Incident struct {
	ID        record.ID
	Number    string // NNN/YYYY, counted by the fold within class and year
	Class     record.Class
	State     string // alleged, open, merged, retracted
	Label     string
	Types     []string // codes of the pack
	Places    []string // codes of the pack
	PlaceText string
	When      when.Span
	External  string
	AliasOf   record.ID // zero unless merged, and that incident may be read
	OpenedBy  string    // member code
	OpenedAt  int64     // logged_at of the opening, Unix ms
	Index     int64     // of the opening record
	Accounts  int       // accounts linked and not withdrawn
	LastIndex int64     // of the newest record that concerns it
}

// Account is one claimant's version in its latest form.
type Account struct {
	ID        record.ID // of account.filed; never changes
	Current   record.ID // of the statement whose body this is
	Index     int64     // of Current
	Recorder  string    // member code of who filed; need not be the claimant
	Officer   record.ID
	LoggedAt  int64 // of Current, Unix ms
	ClaimedAt int64
	State     string // recorded, amended, withdrawn
	Reason    string // of the withdrawal
	Aside     bool   // said to be about no incident
	Undone    int64  // of a version: index of the record that undid it; -1: none did
	Report    record.ID
	Batch     record.ID
	Body      record.Account
	Links     []Link
}

// Link ties an account to an incident.
type Link struct {
	ID       record.ID // of incident.linked
	Account  record.ID
	Incident record.ID
	// Root is what Incident was merged into at the last; Incident itself if not merged.
	Root     record.ID
	Role     record.LinkRole
	Claims   []int // empty: the whole account
	Reason   string
	Recorder string
	Index    int64
}

// Report is a document accounts were told in.
type Report struct {
	ID       record.ID
	Index    int64
	Recorder string
	LoggedAt int64
	Body     record.Report
	Accounts []record.ID // told in it
}

// Record is one entry of the ledger as pages list it.
type Record struct {
	Index     int64
	ID        record.ID
	Kind      record.Kind
	Member    string
	Officer   record.ID
	Audience  string
	ClaimedAt int64 // Unix ms, the author's clock
	LoggedAt  int64 // Unix ms, the registry's clock
	Subjects  []record.Subject
	HasBody   bool
	Counted   bool      // false while its batch is not closed, or its batch was withdrawn
	Act       record.ID // shared by records filed as one act; zero: none
	Undone    int64     // index of the record that undid it; -1: none did
	Reason    string    // that its body gives; empty where it gives none
}

// Batch is a file that was taken in.
type Batch struct {
	ID                          record.ID
	Member, Name, File          string // File is its SHA-256
	Rows                        int64
	Accepted, Present, Rejected int64  // Accepted is -1 until it is closed
	State                       string // open, closed, withdrawn
	Reason                      string // of the withdrawal
	Index                       int64
	Records                     int64 // that name it
	Links                       int64 // standing links to its accounts and incidents
}

// Grade is one grading of a source.
type Grade struct {
	ID                            record.ID
	Source, Grade, Reason, Member string
	Index                         int64
	Undone                        int64 // index of the record that undid it; -1: none did
}

// Filter narrows a list of incidents. Empty fields do not narrow. Values within a
// field are alternatives; fields narrow together.
type Filter struct {
	Class    []record.Class
	Type     []string // incident type codes
	Place    []string // place codes
	Party    []string // parties whose claimants speak of it; "other" for the rest
	Claimant string   // exact claimant name
	Since    when.Date
	Until    when.Date
	Text     string // words in label, place or claims; letters compared without case; MaxWords at most
	Limit    int    // 0: all
	Offset   int
}

// Counts are the totals of what the viewer may read.
type Counts struct {
	Records    int64
	Reports    int64
	Accounts   int64 // counted, withdrawn ones not
	Claims     int64
	Incidents  int64 // class incident
	Others     int64 // other classes
	Unlinked   int64 // accounts without a link
	LastIndex  int64 // -1 when the ledger is empty
	LastLogged int64 // Unix ms
}
