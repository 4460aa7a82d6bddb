// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"fmt"
	"strings"

	"truceline/when"
)

// Mission is the body of mission.opened, the first record of a ledger. It is
// signed by the registry's key that it names.
type Mission struct {
	// Continues is the log that this one takes the place of, where there was one.
	Continues *Continued `json:"continues,omitempty"`
	// LogKey is the verifier key of the log's checkpoints, as C2SP signed-note
	// writes it.
	LogKey string `json:"log_key"`
	// Registry is the member that puts records in order.
	Registry Admission `json:"registry"`
	// Title is the mission's working title, in English.
	Title string `json:"title"`
}

// Validate implements Body.
func (m *Mission) Validate() error {
	if m.Title == "" || m.LogKey == "" {
		return fmt.Errorf("title and log_key are needed")
	}
	if m.Continues != nil {
		if err := m.Continues.validate(); err != nil {
			return err
		}
	}
	if m.Registry.Role != RegistryRole || len(m.Registry.Keys) == 0 {
		return fmt.Errorf("the registry needs the role %s and a key", RegistryRole)
	}
	return m.Registry.Validate()
}

// MemberRole says what a member of the mechanism is.
type MemberRole string

// Roles of members.
const (
	RegistryRole   MemberRole = "registry"    // puts records in order, asserts nothing
	PartyRole      MemberRole = "party"       // bound by the agreement
	ThirdPartyRole MemberRole = "third_party" // facilitator, guarantor, secretariat
	MonitorRole    MemberRole = "monitor"     // observes in the field
	ObserverRole   MemberRole = "observer"    // reads, and may file what it is told
	DeskRole       MemberRole = "desk"        // records public statements it did not make
)

// MemberRoles lists the roles in the order pages show them.
var MemberRoles = []MemberRole{PartyRole, ThirdPartyRole, MonitorRole, ObserverRole, DeskRole, RegistryRole}

// Admission is the body of member.admitted: an organisation enters the roster.
// A member without keys can be named as a claimant and cannot file.
type Admission struct {
	Code string     `json:"code"`
	Keys []Key      `json:"keys,omitempty"`
	Name string     `json:"name"`
	Role MemberRole `json:"role"`
}

// Validate implements Body.
func (a *Admission) Validate() error {
	if !ValidCode(a.Code) || a.Name == "" {
		return fmt.Errorf("member %.80q: a code and a name are needed", a.Code)
	}
	for _, r := range MemberRoles {
		if r == a.Role {
			return validKeys(a.Keys)
		}
	}
	return fmt.Errorf("member %s: role %.40q is not known", a.Code, a.Role)
}

// KeyAddition is the body of key.added. The key may sign from the next record on.
type KeyAddition struct {
	Key    Key    `json:"key"`
	Member string `json:"member"`
}

// Validate implements Body.
func (k *KeyAddition) Validate() error {
	if !ValidCode(k.Member) {
		return fmt.Errorf("member %.80q is not a code", k.Member)
	}
	return k.Key.Validate()
}

// KeyRotation is the body of key.rotated, signed by the old key and by the new.
// From the next record on the new key signs and the old does not.
type KeyRotation struct {
	New Key   `json:"new"`
	Old KeyID `json:"old"`
}

// Validate implements Body.
func (k *KeyRotation) Validate() error {
	if k.New.ID() == k.Old {
		return fmt.Errorf("the new key is the old one")
	}
	return k.New.Validate()
}

// KeyRevocation is the body of key.revoked. From the next record on the key does
// not sign; what it signed before stays valid.
type KeyRevocation struct {
	Key    KeyID  `json:"key"`
	Member string `json:"member"`
	Note   string `json:"note,omitempty"`
	// Reason is "lost", "compromised" or "retired".
	Reason string `json:"reason"`
}

// Validate implements Body.
func (k *KeyRevocation) Validate() error {
	if !ValidCode(k.Member) {
		return fmt.Errorf("member %.80q is not a code", k.Member)
	}
	return oneOf("reason", k.Reason, "lost", "compromised", "retired")
}

// Enrolment is the body of officer.enrolled. Who the officer is stands nowhere in
// the ledger; the filing member keeps it.
type Enrolment struct {
	Key     *Key `json:"key,omitempty"` // the officer's own key, where there is one
	Officer ID   `json:"officer"`
}

// Validate implements Body.
func (e *Enrolment) Validate() error {
	if e.Officer.IsZero() {
		return fmt.Errorf("officer is missing")
	}
	if e.Key != nil {
		return e.Key.Validate()
	}
	return nil
}

// Naming is the body of officer.named: who an officer is. It is the member's own: the
// record commits to it, and only the member's node holds it, until it is erased.
type Naming struct {
	Name    string `json:"name"`
	Officer ID     `json:"officer"`
}

// Validate implements Body.
func (n *Naming) Validate() error {
	if n.Officer.IsZero() || strings.TrimSpace(n.Name) == "" {
		return fmt.Errorf("officer and name are needed")
	}
	return nil
}

// Adoption is the body of agreement.adopted: one part of one version of the
// agreement's pack. The version takes effect at the record that brings its last
// part; parts come in order and name the digest of the whole.
type Adoption struct {
	Pack   json.RawMessage `json:"pack"` // canonical JSON; see docs/formats/agreement.md
	Part   int             `json:"part"` // from 1
	Parts  int             `json:"parts"`
	SHA256 Digest          `json:"sha256"` // of the whole pack's canonical bytes
	// Version counts from 1 and goes up by one.
	Version int `json:"version"`
}

// Validate implements Body.
func (a *Adoption) Validate() error {
	if a.Part < 1 || a.Parts < a.Part || a.Parts > 999 || a.Version < 1 || a.SHA256.IsZero() {
		return fmt.Errorf("part %d of %d, version %d: parts and versions count from 1 and the digest is needed", a.Part, a.Parts, a.Version)
	}
	return nil
}

// Report is the body of report.filed: a document in which one or more accounts
// were told, as published.
type Report struct {
	Carrier string `json:"carrier,omitempty"` // the outlet that carries it
	// Copies are archived copies of the document, held by the recorder.
	Copies []Copy `json:"copies,omitempty"`
	// Language is the document's, as a BCP 47 tag, where known.
	Language    string    `json:"language,omitempty"`
	Note        string    `json:"note,omitempty"`
	Origins     []string  `json:"origins,omitempty"` // the agencies it came from
	PublishedOn when.Date `json:"published_on,omitempty"`
	Title       string    `json:"title"`
	URL         string    `json:"url,omitempty"`
}

// Validate implements Body.
func (r *Report) Validate() error {
	if r.Title == "" {
		return fmt.Errorf("title is missing")
	}
	if err := validURL(r.URL); err != nil {
		return err
	}
	for i := range r.Copies {
		if err := r.Copies[i].validate(); err != nil {
			return fmt.Errorf("copy %d: %w", i+1, err)
		}
	}
	if _, err := when.ParseDate(string(r.PublishedOn)); err != nil {
		return fmt.Errorf("published_on: %w", err)
	}
	return nil
}

// Copy is an archived copy of a document. The record holds its hash; the file stays
// with the recorder, or at an archive.
type Copy struct {
	Media  string `json:"media,omitempty"` // media type, such as text/html
	SHA256 Digest `json:"sha256"`
	Size   int    `json:"size"`          // in bytes
	URL    string `json:"url,omitempty"` // where an archive keeps it
}

func (c *Copy) validate() error {
	if c.SHA256.IsZero() || c.Size < 0 || c.Size > MaxInt {
		return fmt.Errorf("sha256 and the size in bytes are needed")
	}
	return validURL(c.URL)
}

func validURL(u string) error {
	if u != "" && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") {
		return fmt.Errorf("address %.80q does not start with https:// or http://", u)
	}
	for _, r := range u {
		if r <= ' ' || r == 0x7f {
			return fmt.Errorf("address %.80q holds a space or a control character", u)
		}
	}
	return nil
}

// Reason is the body of kinds that only say why: account.withdrawn,
// batch.withdrawn, incident.unlinked, incident.aliased, account.set_aside, act.undone.
type Reason struct {
	Reason string `json:"reason"`
}

// Validate implements Body.
func (r *Reason) Validate() error {
	if strings.TrimSpace(r.Reason) == "" {
		return fmt.Errorf("a reason is needed")
	}
	return nil
}

// Batch is the body of batch.opened: the manifest of a file that is taken in as
// one. Its statements name it and count only once it is closed.
type Batch struct {
	FileSHA256 Digest `json:"file_sha256"`
	Name       string `json:"name"`
	Rows       int    `json:"rows"` // data rows of the file
}

// Validate implements Body.
func (b *Batch) Validate() error {
	if b.Name == "" || b.FileSHA256.IsZero() || b.Rows < 0 || b.Rows > MaxInt {
		return fmt.Errorf("name, file_sha256 and the number of rows are needed")
	}
	return nil
}

// BatchEnd is the body of batch.closed. Accepted + Present + Rejected = the
// manifest's Rows.
type BatchEnd struct {
	Accepted int `json:"accepted"`
	Present  int `json:"present"` // rows that were in the ledger before
	Rejected int `json:"rejected"`
}

// Validate implements Body.
func (b *BatchEnd) Validate() error {
	if b.Accepted < 0 || b.Present < 0 || b.Rejected < 0 {
		return fmt.Errorf("counts are not negative")
	}
	return nil
}

// Grade is the body of source.graded.
type Grade struct {
	Grade  string `json:"grade"`  // code of the agreement's grading scheme
	Reason string `json:"reason"` // why
	Source string `json:"source"` // claimant or carrier, as accounts name it
}

// Validate implements Body.
func (g *Grade) Validate() error {
	if !ValidCode(g.Grade) || g.Source == "" || g.Reason == "" {
		return fmt.Errorf("source, grade and reason are needed")
	}
	return nil
}

func oneOf(field, v string, allowed ...string) error {
	for _, a := range allowed {
		if v == a {
			return nil
		}
	}
	return fmt.Errorf("%s %.40q is not one of %s", field, v, strings.Join(allowed, ", "))
}
