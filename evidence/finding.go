// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"errors"
	"fmt"

	"truceline/record"
)

// Options are what the caller knows on other ways than from the file.
type Options struct {
	// LogKey is the log's verifier key. Empty: that of the file is taken, and the finding
	// says so: it then shows what the holder of that key did, and not whose log it is.
	LogKey string
	// Policy is the C2SP tlog-policy by which the log's witnesses are known. Empty: that
	// of the file is taken, which anybody can write; nothing that rests on witnesses is
	// then held against anybody.
	Policy string
	// ClockBoundMS is the agreed bound between clocks, in milliseconds. 0: that of the file
	// is taken, and a difference below MaxBoundMS is held against nobody.
	ClockBoundMS int64
}

// OptionError says that the call was wrong, not the file.
type OptionError struct{ err error }

func (e *OptionError) Error() string { return "evidence: " + e.err.Error() }

// Unwrap gives what was wrong.
func (e *OptionError) Unwrap() error { return e.err }

// IncompleteError says why a file can be neither held to be good nor bad: it, or a record
// in it, is of a later version, or needs what the caller did not give.
type IncompleteError struct{ Why string }

func (e *IncompleteError) Error() string { return "evidence: " + e.Why }

func incomplete(format string, a ...any) error {
	return &IncompleteError{fmt.Sprintf(format, a...)}
}

// orLater gives what cannot be judged for being of a later version its own error.
func orLater(what string, err error) error {
	if later := (*record.UpdateError)(nil); errors.As(err, &later) {
		return incomplete("%s: %v", what, later)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Role says what a party is.
type Role string

// Roles of parties.
const (
	RoleLog     Role = "log"     // whoever holds the log's key: the registry
	RoleWitness Role = "witness" // whoever holds a key of the policy
	RoleMember  Role = "member"
)

// Party is somebody that a finding accuses or is about.
type Party struct {
	Role Role
	Name string // of a log its origin, of a witness its key's name, of a member its code
	Key  string // of a log or a witness the verifier key, of a member the id of the key that signed
}

// Finding is what a file that holds shows.
type Finding struct {
	Kind   Kind
	Origin string
	LogKey string
	// KeyFromFile is true when no key was given: whose log it is, is not shown.
	KeyFromFile bool
	// Sentence says who did what.
	Sentence string
	// Accused are those whom the file proves to have broken the protocol. Nobody else
	// could have made it. It may be empty.
	Accused []Party
	// About are those of whom the file says something that may have another reason.
	About []Party
	// Proved and NotProved say what the file shows, and what it does not, a sentence each.
	Proved, NotProved []string
	// Unchecked says what would have to be known to tell more: keys, a bound, the log. While
	// it is not empty the file is not checked in full.
	Unchecked []string

	// Statement is the record that it is about, and Index its place; the zero id and -1
	// where there is none.
	Statement record.ID
	Index     int64
	// Envelope is the digest of that record's envelope; zero where there is none.
	Envelope record.Digest
	// Look is set where only the log can tell the rest: whether it has Statement.
	Look *Look
}

// Look is what to look for in the log: Statement within its first Size records, which a
// checkpoint with the root Root signs.
type Look struct {
	Statement record.ID
	Size      int64
	Root      string
}

func (f *Finding) proved(format string, a ...any) {
	f.Proved = append(f.Proved, fmt.Sprintf(format, a...))
}

func (f *Finding) notProved(format string, a ...any) {
	f.NotProved = append(f.NotProved, fmt.Sprintf(format, a...))
}

func (f *Finding) unchecked(format string, a ...any) {
	f.Unchecked = append(f.Unchecked, fmt.Sprintf(format, a...))
}

// accuseLog accuses whoever holds the log's key.
func (f *Finding) accuseLog() {
	f.Accused = append(f.Accused, Party{RoleLog, f.Origin, f.LogKey})
}

func (f *Finding) aboutLog() {
	f.About = append(f.About, Party{RoleLog, f.Origin, f.LogKey})
}

func (f *Finding) aboutMember(code string, key record.KeyID) {
	f.About = append(f.About, Party{RoleMember, code, key.String()})
}
