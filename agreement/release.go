// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"slices"

	"truceline/record"
)

// Release are the terms on which something of what is not for everybody is released.
type Release struct {
	// Bodies are codes of the members, ascending, whose consent counts. One of them makes
	// the release.
	Bodies []string `json:"bodies"`
	// BothReplied: every release of an incident that was filed blind waits until all who
	// were asked have given their version or declined, whatever its proposal says.
	BothReplied bool `json:"both_replied,omitempty"`
	// Need is how many of Bodies must consent, the one that proposes among them.
	Need int `json:"need"`
	// ReplyHours is how long the parties may reply before it is made, in hours; 0 stands
	// for DefaultReplyHours.
	ReplyHours int `json:"reply_hours,omitempty"`
}

// DefaultReplyHours is how long the parties may reply where the agreement does not say.
const DefaultReplyHours = 120

// MaxReplyHours is the longest time for replies.
const MaxReplyHours = 24 * 366

// ReleaseTerms are the terms in force, with what stands for what the agreement leaves out;
// false where the agreement names nobody who may release.
func (p *Pack) ReleaseTerms() (Release, bool) {
	if p == nil || p.Release == nil {
		return Release{}, false
	}
	r := *p.Release
	if r.ReplyHours == 0 {
		r.ReplyHours = DefaultReplyHours
	}
	return r, true
}

// release wants bodies that can consent. The registry asserts nothing.
func (c *checker) release(p *Pack) {
	r := p.Release
	if r == nil {
		return
	}
	if r.ReplyHours < 0 || r.ReplyHours > MaxReplyHours {
		c.fail("release: reply_hours is %d, not 1 to %d, or 0 for the usual", r.ReplyHours, MaxReplyHours)
	}
	if r.Need < 1 || r.Need > len(r.Bodies) {
		c.fail("release: need is %d, not 1 to the number of the bodies, %d", r.Need, len(r.Bodies))
	}
	for i, code := range r.Bodies {
		at := slices.IndexFunc(p.Members, func(m Member) bool { return m.Code == code })
		switch {
		case i > 0 && code <= r.Bodies[i-1]:
			c.fail("release: bodies: %.40q is not in order, each once", code)
		case at < 0:
			c.fail("release: bodies: %.40q is not in members", code)
		case p.Members[at].Former:
			c.fail("release: bodies: %s is a former member, and consents to nothing", code)
		case p.Members[at].Role == record.RegistryRole:
			c.fail("release: bodies: %s is the registry, which asserts nothing", code)
		}
	}
}
