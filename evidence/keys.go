// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"

	"truceline/record"
)

// bringing is a record that brought keys of one member into the log. What is known of
// whose a key is comes from there: the log's word, and that of whoever filed it.
type bringing struct {
	*place
	member string
	keys   []record.Key
	node   bool // keys of the member's node, not of an officer
}

// bringing opens a record that brings keys.
func (c *checker) bringing(what string, x *Proven) (*bringing, error) {
	p, err := c.at(what, x)
	if err != nil {
		return nil, err
	}
	if err := p.openBody(); err != nil {
		return nil, err
	}
	b := &bringing{place: p, node: true}
	switch body := p.body.(type) {
	case *record.Mission:
		b.member, b.keys = body.Registry.Code, body.Registry.Keys
	case *record.Admission:
		b.member, b.keys = body.Code, body.Keys
	case *record.KeyAddition:
		b.member, b.keys = body.Member, []record.Key{body.Key}
	case *record.KeyRotation:
		b.member, b.keys = p.statement.Member, []record.Key{body.New}
	case *record.Enrolment:
		if b.member, b.node = p.statement.Member, false; body.Key != nil {
			b.keys = []record.Key{*body.Key}
		}
	}
	if len(b.keys) == 0 {
		return nil, fmt.Errorf("%s: this %s brings no key", p, p.statement.Kind)
	}
	return b, nil
}

// key finds the key with an id among those brought.
func (b *bringing) key(id record.KeyID) (record.Key, bool) {
	for _, k := range b.keys {
		if k.ID() == id {
			return k, true
		}
	}
	return record.Key{}, false
}

// signed finds a signature in an envelope that is good under one of the keys.
func (b *bringing) signed(e *record.Envelope) (record.KeyID, bool) {
	for _, s := range e.Signatures {
		if k, ok := b.key(s.KeyID); ok && k.Verify(record.PAE(e.Type, e.Payload), s.Sig) {
			return s.KeyID, true
		}
	}
	return record.KeyID{}, false
}

// whose notes what is and is not shown of whose a key is.
func (c *checker) whose(b *bringing, id record.KeyID) {
	c.finding.proved("Key %s is named by record %d of the log (%s, filed by %s) as a key of %s.", id, b.line.Index, b.statement.Kind, b.statement.Member, b.member)
	c.finding.notProved("That %s holds key %s, and nobody else: record %d of the log says whose it is, and the log put it there.", b.member, id, b.line.Index)
}

// opening opens the record that opened the mission: the log's first.
func (c *checker) opening() (*bringing, *record.Mission, error) {
	b, err := c.bringing("opening", c.file.Opening)
	if err != nil {
		return nil, nil, err
	}
	m, ok := b.body.(*record.Mission)
	switch {
	case b.line.Index != 0 || !ok:
		return nil, nil, fmt.Errorf("%s: it is of the kind %s, and a mission is opened by record 0, of the kind %s", b, b.statement.Kind, record.MissionOpened)
	case m.LogKey != c.file.LogKey:
		return nil, nil, fmt.Errorf("%s: it names the log's key %.300q", b, m.LogKey)
	case b.statement.Origin != c.origin || b.statement.Member != m.Registry.Code:
		return nil, nil, fmt.Errorf("%s: it does not open this log", b)
	}
	return b, m, nil
}

// revokedKey: a record that is signed with a key which had ended.
func (c *checker) revokedKey() error {
	brought, err := c.bringing("brought", c.file.Brought)
	if err != nil {
		return err
	}
	ended, err := c.at("ended", c.file.Ended)
	if err != nil {
		return err
	}
	if err := ended.openBody(); err != nil {
		return err
	}
	p, err := c.bareAt("record", c.file.Record)
	if err != nil {
		return err
	}
	if err := p.open(); err != nil {
		return err
	}
	if brought.line.Index >= ended.line.Index || ended.line.Index >= p.line.Index {
		return fmt.Errorf("the key is brought by record %d, ended by record %d and signs record %d: that is not the order of a key that signs after its end", brought.line.Index, ended.line.Index, p.line.Index)
	}
	id, ok := c.usedAfterEnd(brought, ended, p)
	if !ok {
		return fmt.Errorf("%s ends no key that %s brings and that signs %s", ended, brought, p)
	}
	out := c.finding
	c.is(p)
	out.Sentence = fmt.Sprintf("The log %s holds at index %d a record of %s that is signed with key %s of %s, which had ended with record %d (%s).",
		c.origin, p.line.Index, p.statement.Member, id, brought.member, ended.line.Index, ended.statement.Kind)
	c.inLog(brought.place, ended, p)
	out.proved("Record %d (%s, filed by %s) ends the key, which signs nothing from record %d on.", ended.line.Index, ended.statement.Kind, ended.statement.Member, ended.line.Index+1)
	out.proved("The signature of key %s in record %d is good: whoever holds the key signed it. A log refuses it at that place.", id, p.line.Index)
	out.accuseLog()
	out.aboutMember(brought.member, id)
	c.oneLog(brought.place, ended, p)
	c.whose(brought, id)
	out.notProved("When it was signed: before the key ended, perhaps, and handed in after; by somebody else, where the key was lost or stolen.")
	return nil
}

// usedAfterEnd finds the key that one record brings, another ends, and that signs a third.
func (c *checker) usedAfterEnd(brought *bringing, ended, p *place) (record.KeyID, bool) {
	ends := func(id record.KeyID) bool {
		switch b := ended.body.(type) {
		case *record.KeyRevocation:
			return b.Key == id && b.Member == brought.member && ended.statement.Member == b.Member
		case *record.KeyRotation:
			return b.Old == id && ended.statement.Member == brought.member
		case *record.Departure:
			return b.Member == brought.member
		}
		return false
	}
	for _, s := range p.envelope.Signatures {
		k, ok := brought.key(s.KeyID)
		if ok && ends(s.KeyID) && k.Verify(record.PAE(p.envelope.Type, p.envelope.Payload), s.Sig) {
			return s.KeyID, true
		}
	}
	return record.KeyID{}, false
}
