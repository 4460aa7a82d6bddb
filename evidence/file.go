// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"truceline/record"
)

// Kind says what a file shows.
type Kind string

// The kinds of version 1.
const (
	TwoHistories Kind = "two-histories" // the log signed two heads that are not of one log
	LoggedTwice  Kind = "logged-twice"  // one id stands at two places of the log
	FalseTime    Kind = "false-time"    // a logged time that cannot be, or that others' times speak against
	RevokedKey   Kind = "revoked-key"   // a record signed with a key that had ended
	BrokenRule   Kind = "broken-rule"   // a record in the log that no log may hold
	Withheld     Kind = "withheld"      // members say that a record was handed in and not logged
	Refused      Kind = "refused"       // the registry refused a record, and signed that it did
	Dropped      Kind = "dropped"       // a record that was in the log, and is not where it was
	FarOffClock  Kind = "far-off-clock" // a member's claimed time that is far from when the record was seen
)

// Kinds lists the kinds of version 1.
var Kinds = []Kind{TwoHistories, LoggedTwice, FalseTime, RevokedKey, BrokenRule, Withheld, Refused, Dropped, FarOffClock}

// Version is the version of the form that this package writes and reads.
const Version = 1

// Limits of version 1.
const (
	MaxFile         = 2 << 20        // bytes of a file
	MaxPolicy       = 64 << 10       // bytes of its policy
	MaxAttestations = 16             // of a withheld
	MaxBoundMS      = 86_400_000     // the largest bound on clocks that an agreement can have
	MaxWaitMS       = 366 * 86400000 // the longest wait
)

// Proven is a record and the proof of its place: a line as [record.Line] writes it,
// without its line feed, and a C2SP tlog-proof.
type Proven struct {
	Line  string `json:"line"`
	Proof string `json:"proof"`
}

// attested is an attestation, and the record that brought its key into the log.
type attested struct {
	Attestation string  `json:"attestation"`
	Brought     *Proven `json:"brought"`
}

// file holds the fields of all kinds, in the order of their names. Which of them a kind
// has is in shapes.
type file struct {
	Again        *Proven    `json:"again,omitempty"`
	Attestations []attested `json:"attestations,omitempty"`
	Before       string     `json:"before,omitempty"`
	BoundMS      int64      `json:"bound_ms,omitempty"`
	Brought      *Proven    `json:"brought,omitempty"`
	By           string     `json:"by,omitempty"`
	Consistency  string     `json:"consistency,omitempty"`
	Earlier      *Proven    `json:"earlier,omitempty"`
	Ended        *Proven    `json:"ended,omitempty"`
	Envelope     string     `json:"envelope,omitempty"` // base64
	Evidence     Kind       `json:"evidence"`
	First        string     `json:"first,omitempty"`
	Later        string     `json:"later,omitempty"`
	Leaf         string     `json:"leaf,omitempty"` // base64
	LogKey       string     `json:"log_key"`
	Opening      *Proven    `json:"opening,omitempty"`
	Other        string     `json:"other,omitempty"`
	Policy       string     `json:"policy,omitempty"`
	PrefixRoot   string     `json:"prefix_root,omitempty"` // base64
	Record       *Proven    `json:"record,omitempty"`
	Refusal      string     `json:"refusal,omitempty"`
	Rule         string     `json:"rule,omitempty"`
	Second       string     `json:"second,omitempty"`
	Side         string     `json:"side,omitempty"`
	V            int        `json:"v"`
	WaitMS       int64      `json:"wait_ms,omitempty"`
}

// shape is which fields a file of some kind has beside evidence, log_key and v: what
// stands in one of the lists of needs, whole, and no other.
type shape struct{ needs []string }

// shapes are the forms of each kind. Where there is more than one, the first that fits is
// the file's. policy may stand in every one.
var shapes = map[Kind][]shape{
	TwoHistories: {{words("first second")}, {words("consistency first prefix_root second")}},
	LoggedTwice:  {{words("again record")}},
	FalseTime:    {{words("bound_ms record side")}, {words("before bound_ms record side")}, {words("earlier record side")}},
	RevokedKey:   {{words("brought ended record")}},
	BrokenRule:   {{words("record rule")}, {words("brought record rule")}, {words("opening record rule")}},
	Withheld:     {{words("attestations brought envelope later opening wait_ms")}},
	Refused:      {{words("envelope opening refusal")}, {words("brought envelope opening refusal")}},
	Dropped:      {{words("leaf other record")}},
	FarOffClock:  {{words("bound_ms brought by record side")}, {words("before bound_ms brought by record side")}},
}

func words(s string) []string { return strings.Fields(s) }

// fields are the names of the fields that are set, in order, but for those that every
// file has or may have.
func (f *file) fields() []string {
	var out []string
	v := reflect.ValueOf(*f)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		switch name {
		case "evidence", "log_key", "policy", "v":
		default:
			if !v.Field(i).IsZero() {
				out = append(out, name)
			}
		}
	}
	return out
}

// parse reads a file in its one spelling, and holds it to the shape of its kind.
func parse(b []byte) (*file, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("the file has %d bytes; at most %d are read", len(b), MaxFile)
	}
	f := new(file)
	if err := record.DecodeStrict(b, f); err != nil {
		if later := laterFile(b); later != nil {
			return nil, later
		}
		return nil, fmt.Errorf("this is not an evidence file in its one spelling: %w", err)
	}
	if later := laterFile(b); later != nil {
		return nil, later
	}
	if f.V != Version {
		return nil, fmt.Errorf("v is %d, not %d", f.V, Version)
	}
	if len(f.Policy) > MaxPolicy {
		return nil, fmt.Errorf("the policy has more than %d bytes", MaxPolicy)
	}
	fits := func(s shape) bool { return slices.Equal(f.fields(), s.needs) }
	if !slices.ContainsFunc(shapes[f.Evidence], fits) {
		return nil, fmt.Errorf("a file of the kind %.40q has not the fields %q", f.Evidence, f.fields())
	}
	return f, nil
}

// laterFile tells whether b is an evidence file of a later version, or of a kind that is
// not known here; nil if not.
func laterFile(b []byte) error {
	if record.CheckCanonical(b) != nil {
		return nil
	}
	var head struct {
		Evidence string `json:"evidence"`
		V        int64  `json:"v"`
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(b, &all) != nil || json.Unmarshal(all["evidence"], &head.Evidence) != nil || json.Unmarshal(all["v"], &head.V) != nil {
		return nil
	}
	switch {
	case !record.ValidCode(head.Evidence) || head.V < 1:
		return nil
	case head.V > Version:
		return incomplete("the file is of version %d, and this program knows version %d: update truceline and check again", head.V, Version)
	case !slices.Contains(Kinds, Kind(head.Evidence)):
		return incomplete("the kind of evidence %q is not known here: update truceline and check again", head.Evidence)
	}
	return nil
}

// encode writes the file.
func (f *file) encode() ([]byte, error) {
	f.V = Version
	b, err := record.Canonical(f)
	if err != nil {
		return nil, fmt.Errorf("writing the file: %w", err)
	}
	if len(b) > MaxFile {
		return nil, fmt.Errorf("the file would have %d bytes; at most %d are read", len(b), MaxFile)
	}
	return b, nil
}

var errBase64 = errors.New("it is not base64 in its one spelling")

// unbase64 reads standard base64 in its one spelling.
func unbase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || base64.StdEncoding.EncodeToString(b) != s {
		return nil, errBase64
	}
	return b, nil
}
