// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"truceline/record"
)

// handedIn opens an envelope that is not proved to be in the log.
func (c *checker) handedIn() ([]byte, record.Digest, error) {
	b, err := unbase64(c.file.Envelope)
	if err != nil {
		return nil, record.Digest{}, fmt.Errorf("envelope: %w", err)
	}
	if len(b) > record.MaxEnvelope {
		return nil, record.Digest{}, fmt.Errorf("envelope: it has %d bytes, more than %d", len(b), record.MaxEnvelope)
	}
	return b, sha256.Sum256(b), nil
}

// refused: the registry refused a record, and signed that it did.
func (c *checker) refused() error {
	opening, mission, err := c.opening()
	if err != nil {
		return err
	}
	brought := opening
	if c.file.Brought != nil {
		if brought, err = c.bringing("brought", c.file.Brought); err != nil {
			return err
		}
		if brought.line.Index == 0 {
			return fmt.Errorf("brought: record 0 stands in opening already")
		}
	}
	if brought.member != mission.Registry.Code || !brought.node {
		return fmt.Errorf("brought: it brings a key of %s, and the registry of this log is %s", brought.member, mission.Registry.Code)
	}
	envelope, digest, err := c.handedIn()
	if err != nil {
		return err
	}
	r, id, err := openRefusal(c.file.Refusal, brought)
	if err != nil {
		return err
	}
	switch {
	case r.V != 1 || r.At < 0:
		return fmt.Errorf("refusal: version %d is not 1, or its time is none", r.V)
	case r.Origin != c.origin:
		return fmt.Errorf("refusal: it is by the log %.300q", r.Origin)
	case r.Envelope != digest:
		return fmt.Errorf("refusal: it is about other bytes, with the digest %s", r.Envelope)
	}
	named := fmt.Sprintf("an envelope of %d bytes", len(envelope))
	out := c.finding
	out.Envelope = digest
	if e, err := record.ParseEnvelope(envelope); err == nil {
		if st, err := e.Statement(); err == nil {
			if !r.Statement.IsZero() && r.Statement != st.ID {
				return fmt.Errorf("refusal: it names the statement %s, and the envelope holds %s", r.Statement, st.ID)
			}
			out.Statement, named = st.ID, fmt.Sprintf("the record %s of %s (%s)", st.ID, st.Member, st.Kind)
		}
	}
	out.Sentence = fmt.Sprintf("The registry %s of the log %s refused %s at %s: %.80q, %.300q.", mission.Registry.Code, c.origin, named, clock(r.At), r.Code, r.Reason)
	out.proved("The refusal is about these bytes, and is signed with key %s of the registry's node, which record %d of the log brings.", id, brought.line.Index)
	out.aboutLog()
	out.notProved("That the refusal was wrong: the rule it names is in the formats, and what it needs of the log's state is in the log.")
	out.notProved("That the time is right, which is the registry's own, and that the key had not ended by then.")
	out.notProved("That the record is not in the log: it may have been let in later.")
	return nil
}

func openRefusal(text string, brought *bringing) (*record.Refusal, record.KeyID, error) {
	e, err := record.ParseEnvelope([]byte(text))
	if err != nil {
		return nil, record.KeyID{}, fmt.Errorf("refusal: %w", err)
	}
	id, ok := brought.signed(e)
	if !ok {
		return nil, id, fmt.Errorf("refusal: no key that %s brings signed it", brought)
	}
	key, _ := brought.key(id)
	r, err := record.OpenRefusal([]byte(text), key)
	return r, id, err
}

// withheld: members say that a record was handed in, and a head that the log signed well
// after may not hold it.
func (c *checker) withheld() error {
	opening, mission, err := c.opening()
	if err != nil {
		return err
	}
	envelope, digest, err := c.handedIn()
	if err != nil {
		return err
	}
	st, err := c.properly(envelope, opening)
	if err != nil {
		return err
	}
	out := c.finding
	out.Statement, out.Envelope = st.ID, digest
	list, err := c.attestations(st, digest, mission.Registry.Code)
	if err != nil {
		return err
	}
	// Seconds in the place of milliseconds would have waited for years.
	for _, a := range list {
		if a.At < opening.line.LoggedAt-MaxBoundMS {
			return fmt.Errorf("attestations: %s says %s, and the log began at %s", a.Member, clock(a.At), clock(opening.line.LoggedAt))
		}
	}
	first, last := list[0].At, list[0].At
	var members []string
	for _, a := range list {
		first, last = min(first, a.At), max(last, a.At)
		members = append(members, a.Member)
		out.proved("%s says that it handed the record in, or asked for it, at %s, and that the outcome was %s%s.", a.Member, clock(a.At), a.Outcome, remark(a.Note))
	}
	out.Sentence = fmt.Sprintf("%s say that the record %s of %s (%s) was handed in to the log %s from %s on, and that the log did not take it.",
		listed(members), st.ID, st.Member, st.Kind, c.origin, clock(first))
	out.aboutLog()
	if err := c.laterHead(last); err != nil {
		return err
	}
	out.notProved("That the members tell the truth: it is the word of those named, and of nobody else.")
	out.notProved("That the record would have passed the rules.")
	out.unchecked(lookFor)
	return nil
}

// lookFor is what a withheld leaves open.
const lookFor = "Whether the log has the record: only the log can tell. Look for it there."

// NotFound notes what whoever has checked the whole log found: of its records, size in
// number and the head's among them, none is the one that Look names.
func (f *Finding) NotFound(size int64) {
	f.looked()
	f.proved("The log, which was checked as it is now, has not the record among its %s.", count(int(size), "record"))
}

// Found notes that the log, which was checked, has the record at index. It tells whether
// the file still shows something: that the record came in only after the head of the file.
func (f *Finding) Found(index int64) bool {
	f.looked()
	if f.Look == nil || index < f.Look.Size {
		return false
	}
	f.proved("The log, which was checked as it is now, has the record at index %d: it came in after the head of %s.", index, count(int(f.Look.Size), "record"))
	return true
}

func (f *Finding) looked() {
	f.Unchecked = slices.DeleteFunc(f.Unchecked, func(s string) bool { return s == lookFor })
}

// listed writes names one after the other.
func listed(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func remark(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(" (%.300q)", s)
}

// properly reads a record that was handed in: of this mission, and signed with a key of
// the member that files it. What is not, no log takes.
func (c *checker) properly(envelope []byte, opening *bringing) (*record.Statement, error) {
	brought, err := c.bringing("brought", c.file.Brought)
	if err != nil {
		return nil, err
	}
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, orLater("envelope", err)
	}
	st, err := e.Statement()
	if err != nil {
		return nil, orLater("envelope", err)
	}
	if st.Mission != opening.statement.Mission || st.Origin != c.origin {
		return nil, fmt.Errorf("envelope: it is for the mission %s and the log %s", st.Mission, st.Origin)
	}
	id, ok := brought.signed(e)
	if !ok || brought.member != st.Member || !brought.node {
		return nil, fmt.Errorf("envelope: it is filed by %s, and no key of its node that %s brings signed it", st.Member, brought)
	}
	c.finding.proved("The record is signed with key %s of %s, which record %d of the log brings.", id, st.Member, brought.line.Index)
	return st, nil
}

// attestations opens what members say: each of another member, so that one at least is not
// the record's own; none the registry; all about these bytes.
func (c *checker) attestations(st *record.Statement, digest record.Digest, registry string) ([]*record.Attestation, error) {
	if n := len(c.file.Attestations); n < 2 || n > MaxAttestations {
		return nil, fmt.Errorf("attestations: there are %d, not 2 to %d", n, MaxAttestations)
	}
	var out []*record.Attestation
	for i := range c.file.Attestations {
		what := fmt.Sprintf("attestations, %d", i+1)
		brought, err := c.bringing(what, c.file.Attestations[i].Brought)
		if err != nil {
			return nil, err
		}
		text := []byte(c.file.Attestations[i].Attestation)
		e, err := record.ParseEnvelope(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		id, ok := brought.signed(e)
		if !ok {
			return nil, fmt.Errorf("%s: no key that %s brings signed it", what, brought)
		}
		key, _ := brought.key(id)
		a, err := record.OpenAttestation(text, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		switch {
		case a.Member != brought.member || !brought.node:
			return nil, fmt.Errorf("%s: it is by %s, and the key is not of its node", what, a.Member)
		case a.Outcome == record.OutcomeHeld:
			return nil, fmt.Errorf("%s: %s says that it held the record, and nothing of what the log answered: that accuses nobody", what, a.Member)
		case a.Member == registry:
			return nil, fmt.Errorf("%s: it is by the registry itself", what)
		case i > 0 && a.Member <= out[i-1].Member:
			return nil, fmt.Errorf("%s: the members are not in order, each once", what)
		case a.Envelope != digest || a.Statement != st.ID || a.Mission != st.Mission || a.Origin != c.origin:
			return nil, fmt.Errorf("%s: it is about another record, or another log", what)
		}
		c.finding.notProved("That %s holds key %s: record %d of the log says so, and the log put it there.", a.Member, id, brought.line.Index)
		out = append(out, a)
	}
	return out, nil
}

// laterHead checks the head that was cosigned the agreed wait after the last attestation.
func (c *checker) laterHead(last int64) error {
	wait := c.file.WaitMS
	if wait < 1 || wait > MaxWaitMS {
		return fmt.Errorf("wait_ms is %d, not 1 to %d", wait, int64(MaxWaitMS))
	}
	head, err := c.checkpoint("later", c.file.Later)
	if err != nil {
		return err
	}
	if c.policy == nil {
		return incomplete("the file rests on witnesses, and neither it nor the call says who they are: give the policy")
	}
	all, err := c.cosigners("later", []byte(c.file.Later))
	if err != nil {
		return err
	}
	w, err := c.wordOf(all, func(at int64) bool { return at*1000-last >= wait })
	if err != nil {
		return err
	}
	if len(w.who) == 0 {
		return fmt.Errorf("later: no witness of the policy cosigned it %s after the last attestation", span(wait))
	}
	out := c.finding
	out.proved("The log signed a head of %s, which was cosigned at %s by %s.", count(int(head.Size), "record"), second(w.firstAt()), w)
	if !c.pinned {
		out.unchecked("Whose the witnesses' keys are: the policy comes from the file, and anybody can write one. Get the policy from somebody else.")
	}
	out.notProved("That %s is the wait that was agreed: it is the word of the file.", span(wait))
	out.Look = &Look{Statement: out.Statement, Size: head.Size, Root: head.Root.String()}
	return nil
}
