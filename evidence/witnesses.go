// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"
	"math"
	"strings"
	"time"

	"truceline/quorum"
)

// lastSecond is the last time of a cosignature that is taken for one, the end of the year
// 9999 in Unix seconds. A witness that wrote milliseconds into its cosignatures has times
// after it, and says nothing here.
const lastSecond = 253_402_300_799

// cosigners are the witnesses of the policy that cosigned a checkpoint, at times that can
// be. Lines of other keys are nobody's.
func (c *checker) cosigners(what string, checkpoint []byte) ([]quorum.Cosigned, error) {
	if c.policy == nil {
		return nil, nil
	}
	r, err := c.policy.Check(checkpoint)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if r.LogKey != c.file.LogKey {
		return nil, fmt.Errorf("%s: it is signed by another log", what)
	}
	var out []quorum.Cosigned
	for _, w := range r.Cosigned {
		if w.At >= 1 && w.At <= lastSecond {
			out = append(out, w)
		}
	}
	return out, nil
}

// word is what some witnesses say.
type word struct {
	who    []quorum.Cosigned
	quorum bool
}

// wordOf picks the witnesses of whose times yes is true.
func (c *checker) wordOf(all []quorum.Cosigned, yes func(at int64) bool) (word, error) {
	var w word
	var keys []string
	for _, x := range all {
		if yes(x.At) {
			w.who, keys = append(w.who, x), append(keys, x.VKey)
		}
	}
	if len(keys) == 0 || c.policy.Quorum == quorum.None {
		return w, nil // where no witness is asked for, no words are enough
	}
	var err error
	w.quorum, err = c.policy.Met(keys...)
	return w, err
}

// String names the witnesses by the names of their keys.
func (w word) String() string {
	names := make([]string, len(w.who))
	for i, x := range w.who {
		names[i], _, _ = strings.Cut(x.VKey, "+")
	}
	what := "no quorum of the policy"
	if w.quorum {
		what = "a quorum of the policy"
	}
	return fmt.Sprintf("%s (%s; %s)", count(len(names), "witness"), what, strings.Join(names, ", "))
}

// firstAt and lastAt are the earliest and the latest of their times, Unix seconds.
func (w word) firstAt() int64 {
	at := int64(math.MaxInt64)
	for _, x := range w.who {
		at = min(at, x.At)
	}
	return at
}

func (w word) lastAt() int64 {
	at := int64(0)
	for _, x := range w.who {
		at = max(at, x.At)
	}
	return at
}

// bound is the bound on clocks in force, in milliseconds, and whether it is the caller's.
func (c *checker) bound() (ms int64, given bool, err error) {
	ms = c.file.BoundMS
	if ms < 1 || ms > MaxBoundMS {
		return 0, false, fmt.Errorf("bound_ms is %d, and an agreement can have 1 to %d", ms, MaxBoundMS)
	}
	if c.options.ClockBoundMS > 0 {
		return c.options.ClockBoundMS, true, nil
	}
	return ms, false, nil
}

// against weighs a difference of clocks: offset says by how much a witness's time speaks
// against the file's, in milliseconds. firm tells that it holds by the word of a quorum
// which the caller knows, and by a bound that the caller gave or that no agreement can
// exceed.
func (c *checker) against(what string, checkpoint []byte, offset func(at int64) int64) (w word, firm bool, err error) {
	if c.policy == nil {
		return w, false, incomplete("the file rests on witnesses, and neither it nor the call says who they are: give the policy")
	}
	bound, given, err := c.bound()
	if err != nil {
		return w, false, err
	}
	all, err := c.cosigners(what, checkpoint)
	if err != nil {
		return w, false, err
	}
	if w, err = c.wordOf(all, func(at int64) bool { return offset(at) > bound }); err != nil {
		return w, false, err
	}
	if len(w.who) == 0 {
		return w, false, fmt.Errorf("%s: no witness of the policy cosigned it at a time that is off by more than %s", what, span(bound))
	}
	sure := w
	if !given {
		if sure, err = c.wordOf(all, func(at int64) bool { return offset(at) > MaxBoundMS }); err != nil {
			return w, false, err
		}
	}
	if !c.pinned {
		c.finding.unchecked("Whose the witnesses' keys are: the policy comes from the file, and anybody can write one. Get the policy from somebody else.")
	}
	if !given && !sure.quorum {
		c.finding.unchecked("Which bound between clocks is agreed: %s is the word of the file. Get the bound from somebody else.", span(bound))
	}
	if c.pinned && (given || sure.quorum) && !w.quorum {
		c.finding.notProved("That it was so by more than the word of %s: the others of the policy said nothing, or something else.", count(len(w.who), "witness"))
	}
	return w, c.pinned && w.quorum && (given || sure.quorum), nil
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func second(s int64) string { return time.Unix(s, 0).UTC().Format("2006-01-02T15:04:05Z") }

// span writes milliseconds for people, exactly.
func span(ms int64) string {
	if ms%1000 == 0 {
		return fmt.Sprintf("%d s", ms/1000)
	}
	return fmt.Sprintf("%d.%03d s", ms/1000, ms%1000)
}
