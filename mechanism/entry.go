// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"crypto/sha256"
	"fmt"

	"truceline/ledger"
	"truceline/record"
)

// Entry is a record at the door or in the ledger, taken apart. Make it with Open.
type Entry struct {
	Index    int64 // its place in the ledger
	LoggedAt int64 // the registry's clock, Unix milliseconds

	Envelope  *record.Envelope
	Statement *record.Statement
	Body      record.Body // nil when the kind has none, or the rules may not read it; see Reveal
	Box       *record.Box // of a boxed body, where it was given

	digest   [32]byte // SHA-256 of the envelope's bytes
	size     int      // of the envelope, in bytes
	verified map[record.KeyID]bool
}

// Open takes an envelope and its body apart and checks all that needs no state:
// their one spelling, the statement's schema, the body's commitment and schema.
// body is nil for kinds without one. It is safe to call concurrently.
func Open(envelope, body []byte, bodySalt ledger.Salt) (*Entry, error) {
	e, err := OpenEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	if err := e.AddBody(body, bodySalt); err != nil {
		return nil, err
	}
	return e, nil
}

// OpenEnvelope is the first half of Open: the entry without its body, as a reader has
// it who may not have the body. It is admitted only once AddBody has succeeded.
func OpenEnvelope(envelope []byte) (*Entry, error) {
	env, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, malformed(err)
	}
	st, err := env.Statement()
	if err != nil {
		return nil, malformed(err)
	}
	return &Entry{Envelope: env, Statement: st, digest: sha256.Sum256(envelope), size: len(envelope)}, nil
}

// AddBody checks a body against the statement's commitment and its kind's schema.
// body is nil for kinds without one.
func (e *Entry) AddBody(body []byte, bodySalt ledger.Salt) error {
	st := e.Statement
	if st.Body == nil {
		if body != nil {
			return refuse(BodyMismatch, "kind %s has no body and one was handed in", st.Kind)
		}
		return nil
	}
	if st.Kind.Own() {
		if body != nil {
			return refuse(BodyMismatch, "the body of a %s is its member's own and never leaves its node: hand in the record without it", st.Kind)
		}
		return nil
	}
	if st.Boxed() {
		return e.addBox(body, bodySalt)
	}
	if body == nil {
		return refuse(BodyMismatch, "the body of this %s was not handed in", st.Kind)
	}
	if len(body) > record.MaxBody {
		return refuse(Malformed, "body has %d bytes, more than %d: hand larger content in as evidence", len(body), record.MaxBody)
	}
	if !ledger.Commits(st.Body, bodySalt, body) {
		return refuse(BodyMismatch, "the body or its salt is not the one the statement commits to")
	}
	parsed, err := record.ParseBody(st.Kind, body)
	if err != nil {
		return malformed(err)
	}
	e.Body = parsed
	return nil
}

// addBox takes the box of a body that is not for everybody. That it is not there is no
// fault: it may have been erased.
func (e *Entry) addBox(box []byte, salt ledger.Salt) (err error) {
	switch {
	case box == nil:
		return nil
	case salt != ledger.Salt{}:
		return refuse(BodyMismatch, "the body of this %s is for the audience %s and was given in the clear: hand it in in its box", e.Statement.Kind, e.Statement.Audience)
	}
	if e.Box, err = record.ParseBox(box); err != nil {
		return malformed(err)
	}
	return nil
}

// Reveal puts in the body that was in the box, for a view of those who may read it. The
// rules never see it. An error says that it is not what the statement commits to, or not of
// the kind's schema: a defect of the record, which stands in the ledger all the same.
func (e *Entry) Reveal(body []byte, salt ledger.Salt) error {
	st := e.Statement
	if !ledger.Commits(st.Body, salt, body) {
		return refuse(BodyMismatch, "the body or its salt is not the one the statement commits to")
	}
	parsed, err := record.ParseBody(st.Kind, body)
	if err != nil {
		return malformed(err)
	}
	e.Body = parsed
	return nil
}

func (e *Entry) seen(index int64) seen {
	st := e.Statement
	return seen{index: index, kind: st.Kind, member: st.Member, digest: e.digest, logged: e.LoggedAt, boxed: st.Boxed(),
		restricted: st.Audience != record.AudiencePublic && st.Audience != record.AudienceOwn}
}

// Verify checks e's signatures under those of its keys that lookup knows, ahead of
// Admit, which then need not do so again. It may run while a State is busy, as long
// as lookup may.
func (e *Entry) Verify(lookup func(record.KeyID) (record.Key, bool)) {
	for _, sig := range e.Envelope.Signatures {
		if key, ok := lookup(sig.KeyID); ok {
			e.SignedBy(key, sig)
		}
	}
}

// SignedBy verifies sig under key, which must be the one its id names. The id is a
// hash of the key, so a verdict is kept. It says nothing about whether the key may sign.
func (e *Entry) SignedBy(key record.Key, sig record.Signature) bool {
	if ok, known := e.verified[sig.KeyID]; known {
		return ok
	}
	if e.verified == nil {
		e.verified = map[record.KeyID]bool{}
	}
	ok := key.Verify(record.PAE(e.Envelope.Type, e.Envelope.Payload), sig.Sig)
	e.verified[sig.KeyID] = ok
	return ok
}

func (e *Entry) batch() (record.ID, bool) { return e.Statement.Subject(record.RoleBatch) }

// String names the entry in messages.
func (e *Entry) String() string {
	return fmt.Sprintf("%s %s", e.Statement.Kind, e.Statement.ID)
}
