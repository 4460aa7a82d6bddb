// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/cosign"
	"truceline/quorum"
	"truceline/record"
)

// adoptions gathers the parts of an agreement. The version in force is the last of which
// every part is there.
type adoptions struct {
	parts []*record.Adoption // of the version that is not complete
	whole []*record.Adoption
	at    int64 // index of the last part of whole
}

func (a *adoptions) add(index int64, b *record.Adoption) {
	if b.Part == 1 {
		a.parts = nil // a first part starts its version over
	}
	if len(a.parts) != b.Part-1 || b.Part > 1 && (b.Parts != a.parts[0].Parts || b.SHA256 != a.parts[0].SHA256 || b.Version != a.parts[0].Version) {
		a.parts = nil // a part before it is not here
		return
	}
	if a.parts = append(a.parts, b); b.Part == b.Parts {
		a.whole, a.parts, a.at = a.parts, nil, index
	}
}

// agreement settles which policy counts: the caller's, else that of the agreement.
func (c *checker) agreement() {
	c.boundMS = agreement.DefaultClockBoundS * 1000
	var pack *agreement.Pack
	switch whole := c.adoptions.whole; {
	case whole == nil:
		c.noPolicy = "none was given, and no agreement is whole in the file"
	default:
		var err error
		if pack, err = agreement.Merge(whole); err != nil {
			c.noPolicy = fmt.Sprintf("none was given, and the agreement in the file cannot be read: %v", err)
		}
	}
	if pack != nil {
		c.boundMS = pack.ClockBoundMS()
	}
	if c.policy == nil && pack != nil {
		c.fromPack(pack)
	}
	if c.policy != nil {
		c.policy.Logs = []quorum.Log{{VKey: c.file.LogKey}}
		c.report.Policy = c.policy.String()
	}
}

func (c *checker) fromPack(pack *agreement.Pack) {
	version := c.adoptions.whole[0].Version
	if pack.Policy == "" {
		c.noPolicy = fmt.Sprintf("none was given, and version %d of the agreement, which the file holds, has none", version)
		return
	}
	p, err := quorum.Parse(pack.Policy)
	if err == nil && !names(p, c.file.LogKey) {
		err = fmt.Errorf("it is for another log")
	}
	if err != nil {
		c.noPolicy = fmt.Sprintf("none was given, and that of version %d of the agreement, which the file holds, cannot be used: %v", version, err)
		return
	}
	c.policy, c.report.PolicyFromFile, c.report.PolicyVersion = p, true, version
}

// witnesses holds the cosignatures of the head against the policy.
func (c *checker) witnesses() {
	r := c.report
	if c.policy == nil {
		r.unchecked(-1, Witness, "no policy says who the witnesses are: %s", c.noPolicy)
		return
	}
	found, err := c.policy.Check(c.file.proof.Checkpoint)
	if err != nil {
		r.problem(-1, Witness, "%v", err)
		return
	}
	for _, w := range c.policy.Witnesses {
		if _, role := cosign.MemberOf(c.head.Origin, w.VKey); role == cosign.Rules {
			continue // it stands there to make the key known
		}
		if i := slices.IndexFunc(found.Cosigned, func(x quorum.Cosigned) bool { return x.VKey == w.VKey }); i >= 0 {
			r.Cosigned = append(r.Cosigned, Word{w.Name, found.Cosigned[i].At})
		} else {
			r.Missing = append(r.Missing, w.Name)
		}
	}
	switch {
	case c.policy.Quorum == quorum.None:
		r.unchecked(-1, Witness, "the policy asks for no witness: that others saw the same log is not shown")
	case !found.Witnessed:
		r.unchecked(-1, Witness, "not witnessed yet: %s", split(r.Cosigned, r.Missing, "cosigned the head"))
	default:
		r.Bracket.By = c.metAt(found.Cosigned)
		r.good(Witness)
	}
}

// split says who did something, and who did not.
func split(did []Word, not []string, what string) string {
	var who []string
	for _, w := range did {
		who = append(who, w.Name)
	}
	if who == nil {
		who = []string{"nobody"}
	}
	if not == nil {
		not = []string{"nobody"}
	}
	return fmt.Sprintf("of the policy's witnesses %s %s, and not %s", strings.Join(who, ", "), what, strings.Join(not, ", "))
}

// times narrows down when the record was logged, by the heads beside.
func (c *checker) times() {
	b := &c.report.Bracket
	if found, ok := c.besides("before", c.file.Before, 0, c.file.index); ok {
		b.NotYet = c.sureAt(found)
		c.shows("before", b.NotYet)
	}
	if found, ok := c.besides("after", c.file.After, c.file.index+1, c.head.Size-1); ok {
		by := c.metAt(found)
		if c.shows("after", by); by > 0 {
			b.By = by
		}
	}
	c.compareTimes()
}

// shows notes that a head beside shows no time, if it shows none.
func (c *checker) shows(name string, at int64) {
	if at == 0 {
		c.report.note("The head %s shows no time: it is not cosigned by a quorum of a policy, at times that can be.", name)
	}
}

// besides checks a head beside, of least to most records: the log signed it, and the head
// that everything is proved against continues it. It gives the witnesses that cosigned it.
func (c *checker) besides(name string, b *beside, least, most int64) (found []quorum.Cosigned, ok bool) {
	if b == nil {
		return nil, false
	}
	fail := func(format string, a ...any) ([]quorum.Cosigned, bool) {
		c.report.problem(-1, Time, name+": "+format, a...)
		return nil, false
	}
	head, err := c.consistent(b)
	switch {
	case err != nil:
		return fail("%v", err)
	case head.Size < least || head.Size > most:
		return fail("it is a head of %s, and record %d asks for one of %d to %d", plural(int(head.Size), "record"), c.file.index, least, most)
	case c.policy == nil:
	default:
		r, err := c.policy.Check([]byte(b.Head))
		if err != nil {
			return fail("%v", err)
		}
		found = r.Cosigned
	}
	c.report.good(Time)
	return found, true
}

// earliest and latest are the times of cosignatures that say something of time, in Unix
// seconds: from 2020, before which no log of this kind existed, to the end of the year 9999.
// Others come from clocks that were not set.
const (
	earliest = 1_577_836_800
	latest   = 253_402_300_799
)

// metAt is the smallest time by which those who had cosigned were a quorum; 0 if there is
// none.
func (c *checker) metAt(all []quorum.Cosigned) int64 {
	return c.turn(all, func(a, b quorum.Cosigned) int { return int(min(max(a.At-b.At, -1), 1)) })
}

// sureAt is the largest time at or after which a quorum cosigned; 0 if there is none.
func (c *checker) sureAt(all []quorum.Cosigned) int64 {
	return c.turn(all, func(a, b quorum.Cosigned) int { return int(min(max(b.At-a.At, -1), 1)) })
}

// turn gives the time with which the witnesses become a quorum, taken in order. Where no
// witness is asked for, no time is shown.
func (c *checker) turn(all []quorum.Cosigned, order func(a, b quorum.Cosigned) int) int64 {
	if c.policy == nil || c.policy.Quorum == quorum.None {
		return 0
	}
	all = slices.Clone(all)
	slices.SortFunc(all, order)
	var keys []string
	for _, w := range all {
		if w.At < earliest || w.At > latest {
			continue
		}
		keys = append(keys, w.VKey)
		if met, err := c.policy.Met(keys...); err == nil && met {
			return w.At
		}
	}
	return 0
}

// compareTimes says where the logged time does not fit what the witnesses' clocks say.
func (c *checker) compareTimes() {
	b, at := c.report.Bracket, c.report.Record.LoggedAt
	switch {
	case b.By > 0 && at > b.By*1000+999+c.boundMS:
		c.report.note("THE LOGGED TIME DOES NOT FIT: it is %s, and by %s a quorum of witnesses had cosigned a head with the record; the agreed bound between clocks is %d s.", clock(at), second(b.By), c.boundMS/1000)
	case b.NotYet > 0 && at < b.NotYet*1000-c.boundMS:
		c.report.note("THE LOGGED TIME DOES NOT FIT: it is %s, and at %s a quorum of witnesses had cosigned no head with the record, which may have come to them late; the agreed bound between clocks is %d s.", clock(at), second(b.NotYet), c.boundMS/1000)
	}
}
