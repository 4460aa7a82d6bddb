// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"errors"
	"fmt"
	"slices"

	"truceline/record"
)

// Rule says in which way a record is wrong by itself.
type Rule string

// The rules of a broken-rule.
const (
	RuleEnvelope  Rule = "envelope"  // envelope or statement has not its form
	RuleBody      Rule = "body"      // the body committed to has not the form of its kind
	RuleOrigin    Rule = "origin"    // the statement is for another log
	RuleMission   Rule = "mission"   // the statement is for another mission than record 0
	RuleOpening   Rule = "opening"   // record 0 opens no mission, or a later one does
	RuleSignature Rule = "signature" // a signature is not by the key that it names
	RuleMember    Rule = "member"    // it is signed with a key of another member than files it
)

// knownRules is the version of the rules whose records are judged here.
const knownRules = 1

// brokenRule: a record in the log that is wrong whatever else the log holds.
//
// That the body in a line is not the one committed to is none of these: a line is signed
// by nobody, and whoever passes it on can put any body into it.
func (c *checker) brokenRule() error {
	p, err := c.at("record", c.file.Record)
	if err != nil {
		return err
	}
	rule := Rule(c.file.Rule)
	if rule != RuleBody {
		if err := p.bare(); err != nil {
			return err
		}
	}
	if wants := rule == RuleSignature || rule == RuleMember; wants != (c.file.Brought != nil) {
		return fmt.Errorf("rule %q: brought is missing or does not belong there", rule)
	}
	if wants := rule == RuleMission; wants != (c.file.Opening != nil) {
		return fmt.Errorf("rule %q: opening is missing or does not belong there", rule)
	}
	check, ok := brokenRules[rule]
	if !ok {
		return incomplete("the rule %.40q is not known here: update truceline and check again", rule)
	}
	if rule != RuleEnvelope {
		if err := p.open(); err != nil {
			return err
		}
		if st := p.statement; st.Rules != knownRules || !slices.Contains(record.Audiences, st.Audience) {
			return incomplete("%s follows rules version %d and has the audience %s: update truceline and check again", p, st.Rules, st.Audience)
		}
		c.is(p)
	}
	c.finding.Index, c.finding.Envelope = p.line.Index, p.digest()
	c.inLog(p)
	what, err := check(c, p)
	if err != nil {
		return err
	}
	c.finding.Sentence = fmt.Sprintf("The log %s holds at index %d a record that no log may hold: %s.", c.origin, p.line.Index, what)
	c.finding.accuseLog()
	c.finding.notProved("Why it was let in. Whoever made the record may have handed in something wrong; that it stands in the log is the log's doing.")
	return nil
}

// brokenRules say what is wrong, in words, or that nothing is.
var brokenRules = map[Rule]func(c *checker, p *place) (string, error){
	RuleEnvelope:  (*checker).brokenEnvelope,
	RuleBody:      (*checker).brokenBody,
	RuleOrigin:    (*checker).brokenOrigin,
	RuleMission:   (*checker).brokenMission,
	RuleOpening:   (*checker).brokenOpening,
	RuleSignature: (*checker).brokenSignature,
	RuleMember:    (*checker).brokenMember,
}

func (c *checker) brokenEnvelope(p *place) (string, error) {
	e, err := record.ParseEnvelope(p.line.Envelope)
	if err == nil {
		_, err = e.Statement()
	}
	switch {
	case err == nil:
		return "", fmt.Errorf("%s: the envelope and the statement have their form", p)
	case errors.As(err, new(*record.UpdateError)):
		return "", orLater(p.String(), err)
	}
	return fmt.Sprintf("it has not the form of a statement in its envelope (%.300v)", err), nil
}

// brokenBody holds for what a registry sees before it logs a record: never for a body
// that is its member's own, or encrypted for those who may read it.
func (c *checker) brokenBody(p *place) (string, error) {
	if err := p.committed(); err != nil {
		return "", err
	}
	kind := p.statement.Kind
	switch {
	case kind.Own():
		return "", fmt.Errorf("%s: the body of a %s is its member's own, and no log ever sees it", p, kind)
	case p.statement.Boxed():
		return "", fmt.Errorf("%s: the body is encrypted for the audience %s, and no log ever sees what it says", p, p.statement.Audience)
	}
	_, err := record.ParseBody(kind, p.line.Body)
	if err == nil {
		return "", fmt.Errorf("%s: the body has the form of the kind %s", p, kind)
	}
	if later := (*record.UpdateError)(nil); errors.As(err, &later) {
		return "", orLater(p.String(), err)
	}
	c.finding.proved("The body is the one that %s committed to in the statement.", p.statement.Member)
	return fmt.Sprintf("its body has not the form of the kind %s (%.300v)", kind, err), nil
}

func (c *checker) brokenOrigin(p *place) (string, error) {
	if p.statement.Origin == c.origin {
		return "", fmt.Errorf("%s: the statement is for this log", p)
	}
	return fmt.Sprintf("its statement is for the log %s", p.statement.Origin), nil
}

func (c *checker) brokenMission(p *place) (string, error) {
	opening, _, err := c.opening()
	if err != nil {
		return "", err
	}
	if p.statement.Mission == opening.statement.Mission {
		return "", fmt.Errorf("%s: the statement is for the mission of this log", p)
	}
	c.inLog(opening.place)
	c.oneLog(opening.place, p)
	return fmt.Sprintf("its statement is for the mission %s, and this log is that of %s", p.statement.Mission, opening.statement.Mission), nil
}

func (c *checker) brokenOpening(p *place) (string, error) {
	switch kind := p.statement.Kind; {
	case p.line.Index == 0 && kind != record.MissionOpened:
		return fmt.Sprintf("it is the first, and a %s instead of a %s", kind, record.MissionOpened), nil
	case p.line.Index > 0 && kind == record.MissionOpened:
		return fmt.Sprintf("it is a %s, and another record is the first", kind), nil
	}
	return "", fmt.Errorf("%s: a %s may stand there", p, p.statement.Kind)
}

func (c *checker) brokenSignature(p *place) (string, error) {
	brought, err := c.bringing("brought", c.file.Brought)
	if err != nil {
		return "", err
	}
	for _, s := range p.envelope.Signatures {
		k, ok := brought.key(s.KeyID)
		if !ok || k.Verify(record.PAE(p.envelope.Type, p.envelope.Payload), s.Sig) {
			continue
		}
		c.inLog(brought.place)
		c.finding.proved("Record %d (%s) brings the key with the id %s. The signature under that id in record %d is not good under it.", brought.line.Index, brought.statement.Kind, s.KeyID, p.line.Index)
		c.oneLog(brought.place, p)
		c.finding.notProved("That %s, whose key it names, made the record: nothing shows that.", brought.member)
		return fmt.Sprintf("it names key %s of %s, and the signature is not by it", s.KeyID, brought.member), nil
	}
	return "", fmt.Errorf("%s: no signature names a key that %s brings and fails under it", p, brought)
}

func (c *checker) brokenMember(p *place) (string, error) {
	brought, err := c.bringing("brought", c.file.Brought)
	if err != nil {
		return "", err
	}
	if brought.member == p.statement.Member {
		return "", fmt.Errorf("%s: it is filed by %s, whose key %s brings", p, p.statement.Member, brought)
	}
	id, ok := brought.signed(p.envelope)
	if !ok {
		return "", fmt.Errorf("%s: no key that %s brings signed it", p, brought)
	}
	c.inLog(brought.place)
	c.oneLog(brought.place, p)
	c.whose(brought, id)
	c.finding.aboutMember(brought.member, id)
	return fmt.Sprintf("it is filed by %s and signed with key %s of %s", p.statement.Member, id, brought.member), nil
}
