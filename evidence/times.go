// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"
)

// Side says which way a time is off.
type Side string

// Sides.
const (
	// SideLate: the time is after a witness had seen the record in the log.
	SideLate Side = "late"
	// SideEarly: the time is before a witness cosigned a head that had not the record.
	SideEarly Side = "early"
	// SideBack: the logged time is before that of an earlier record.
	SideBack Side = "back"
)

// Whose clock a claimed time is held against.
const (
	ByWitnesses = "witnesses"
	ByRegistry  = "registry"
)

// afterSeen is by how much a time, in milliseconds, is after the whole second in which a
// witness cosigned: the witness's time is cut to seconds, and gets the benefit of it.
func afterSeen(ms int64) func(at int64) int64 {
	return func(at int64) int64 { return ms - (at*1000 + 999) }
}

// beforeSeen is by how much a time is before the second in which a witness cosigned.
func beforeSeen(ms int64) func(at int64) int64 {
	return func(at int64) int64 { return at*1000 - ms }
}

// falseTime: a logged time that is not the time at which the record was logged.
func (c *checker) falseTime() error {
	p, err := c.bareAt("record", c.file.Record)
	if err != nil {
		return err
	}
	if err := p.open(); err != nil {
		return err
	}
	c.is(p)
	c.inLog(p)
	switch side := Side(c.file.Side); {
	case side == SideBack && c.file.Earlier != nil:
		return c.timeGoesBack(p)
	case side == SideLate && c.file.Before == "" && c.file.Earlier == nil:
		return c.loggedLate(p)
	case side == SideEarly && c.file.Before != "":
		return c.loggedEarly(p)
	}
	return fmt.Errorf("side %.40q does not go with the fields of the file", c.file.Side)
}

func (c *checker) timeGoesBack(p *place) error {
	earlier, err := c.bareAt("earlier", c.file.Earlier)
	if err != nil {
		return err
	}
	if earlier.line.Index >= p.line.Index || earlier.line.LoggedAt <= p.line.LoggedAt {
		return fmt.Errorf("record %d has the time %d and record %d the time %d: that does not go back", earlier.line.Index, earlier.line.LoggedAt, p.line.Index, p.line.LoggedAt)
	}
	out := c.finding
	out.Sentence = fmt.Sprintf("The log %s says that it logged record %d at %s, and record %d, which stands before it, at %s.",
		c.origin, p.line.Index, clock(p.line.LoggedAt), earlier.line.Index, clock(earlier.line.LoggedAt))
	c.inLog(earlier)
	out.proved("The time of a record is never below that of the record before it; here it is %s below.", span(earlier.line.LoggedAt-p.line.LoggedAt))
	out.accuseLog()
	c.oneLog(earlier, p)
	out.notProved("Which of the two times is false.")
	return nil
}

// loggedLate: a witness had seen the record in the log well before it was logged.
func (c *checker) loggedLate(p *place) error {
	at := p.line.LoggedAt
	w, firm, err := c.against("record", p.checkpoint, afterSeen(at))
	if err != nil {
		return err
	}
	out := c.finding
	off := afterSeen(at)(w.lastAt())
	out.Sentence = fmt.Sprintf("The log %s says that it logged record %d at %s, %s after it had been seen in the log by %s.", c.origin, p.line.Index, clock(at), span(off), w)
	out.proved("A head that holds the record was cosigned at %s at the latest, by the clocks of those that cosigned it.", second(w.lastAt()))
	if firm {
		out.accuseLog()
	} else {
		out.aboutLog()
	}
	out.notProved("That the clocks of those that cosigned were right: it is their word against the log's.")
	return nil
}

// loggedEarly: witnesses cosigned a head without the record well after it was logged, as
// the log says. That is no proof of a lie: anybody can show a witness an old head late.
func (c *checker) loggedEarly(p *place) error {
	at := p.line.LoggedAt
	w, err := c.notYet(p, at)
	if err != nil {
		return err
	}
	out := c.finding
	out.Sentence = fmt.Sprintf("The log %s says that it logged record %d at %s; %s later the newest head known to %s did not hold it.", c.origin, p.line.Index, clock(at), span(beforeSeen(at)(w.firstAt())), w)
	out.aboutLog()
	out.notProved("That the time is false. The log dated the record back, or it had logged it and had not shown a head that holds it to those witnesses: a broken line does that too, and anybody can show a witness an old head late.")
	return nil
}

// notYet checks the head in before: it has not the record, and was cosigned later than at,
// in milliseconds, by more than the bound.
func (c *checker) notYet(p *place, at int64) (word, error) {
	head, err := c.checkpoint("before", c.file.Before)
	if err != nil {
		return word{}, err
	}
	if head.Size > p.line.Index {
		return word{}, fmt.Errorf("before: a head of %s may hold record %d", count(int(head.Size), "record"), p.line.Index)
	}
	w, _, err := c.against("before", []byte(c.file.Before), beforeSeen(at))
	if err != nil {
		return w, err
	}
	c.finding.proved("A head of %s, which cannot hold record %d, was cosigned at %s or later. A cosignature says that this was the newest head that the witness had seen.", count(int(head.Size), "record"), p.line.Index, second(w.firstAt()))
	return w, nil
}

// farOffClock: a claimed time that is far from when the record was seen. It is about a
// member, and accuses nobody.
func (c *checker) farOffClock() error {
	brought, err := c.bringing("brought", c.file.Brought)
	if err != nil {
		return err
	}
	p, err := c.bareAt("record", c.file.Record)
	if err != nil {
		return err
	}
	if err := p.open(); err != nil {
		return err
	}
	if brought.member != p.statement.Member {
		return fmt.Errorf("%s: it is filed by %s, and %s brings a key of %s", p, p.statement.Member, brought, brought.member)
	}
	id, ok := brought.signed(p.envelope)
	if !ok {
		return fmt.Errorf("%s: no key that %s brings signed it", p, brought)
	}
	c.is(p)
	c.inLog(brought.place, p)
	c.finding.proved("The statement, which key %s signed, claims the time %s.", id, clock(p.statement.ClaimedAt))
	c.finding.aboutMember(brought.member, id)
	if err := c.farOff(p); err != nil {
		return err
	}
	c.oneLog(brought.place, p)
	c.whose(brought, id)
	return nil
}

func (c *checker) farOff(p *place) error {
	out, at := c.finding, p.statement.ClaimedAt
	side, by := Side(c.file.Side), c.file.By
	if (c.file.Before != "") != (by == ByWitnesses && side == SideEarly) {
		return fmt.Errorf("side %.40q, by %.40q: before is missing or does not belong there", side, by)
	}
	early := "That the time is false: a record may be signed and wait to be sent, and a log may hold it back."
	late := "That the member meant it: its clock may be wrong, and so may the others'."
	switch {
	case by == ByRegistry && (side == SideLate || side == SideEarly):
		bound, given, err := c.bound()
		if err != nil {
			return err
		}
		off, word, note := at-p.line.LoggedAt, "after", late
		if side == SideEarly {
			off, word, note = -off, "before", early
		}
		if off <= bound {
			return fmt.Errorf("%s: the claimed time is not %s the logged time by more than %s", p, word, span(bound))
		}
		if !given && off <= MaxBoundMS {
			out.unchecked("Which bound between clocks is agreed: %s is the word of the file. Get the bound from somebody else.", span(bound))
		}
		out.Sentence = fmt.Sprintf("%s signed record %d with the time %s, %s %s the log says that it logged it.", p.statement.Member, p.line.Index, clock(at), span(off), word)
		out.notProved("%s", note)
		out.notProved("That the log's clock was right: no witness's time is in the file.")
	case by == ByWitnesses && side == SideLate:
		w, _, err := c.against("record", p.checkpoint, afterSeen(at))
		if err != nil {
			return err
		}
		out.Sentence = fmt.Sprintf("%s signed record %d with the time %s, %s after it had been seen in the log by %s.", p.statement.Member, p.line.Index, clock(at), span(afterSeen(at)(w.lastAt())), w)
		out.notProved("%s", late)
	case by == ByWitnesses && side == SideEarly:
		w, err := c.notYet(p, at)
		if err != nil {
			return err
		}
		out.Sentence = fmt.Sprintf("%s signed record %d with the time %s; %s later the newest head known to %s did not hold it.", p.statement.Member, p.line.Index, clock(at), span(beforeSeen(at)(w.firstAt())), w)
		out.notProved("%s", early)
	default:
		return fmt.Errorf("side %.40q and by %.40q do not go together", side, by)
	}
	out.notProved("It is a claim against the times of others, and no lie by itself.")
	return nil
}
