// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"

	"truceline/mechanism"
	"truceline/record"
)

// A line that is not there may have been left out because its record is not for everybody.
// Then it changed no keys: the kinds that do are for everybody. Or somebody kept it back.
// Nothing in the log tells one from the other. So nothing after it is sure to be signed as
// it should be, and the roster of what is sure ends there. A second roster goes on as if
// nothing had been kept back, and tells what then is good: see docs/formats/records.md,
// "Lines that are left out".

// leaveOut notes a line that was left out. Record 0 is for everybody.
func (v *verifier) leaveOut(index int64) {
	if v.report.LeftOut++; v.report.LeftOut == 1 {
		v.report.FirstLeftOut = index
	}
	if v.given == nil && index > 0 {
		v.given = v.roster.clone()
	}
}

// current is the roster that knows most.
func (v *verifier) current() *roster {
	if v.given != nil {
		return v.given
	}
	return v.roster
}

// lookup finds a key, sure or not. It is read by several goroutines while nothing is folded.
func (v *verifier) lookup(id record.KeyID) (record.Key, bool) { return v.current().lookup(id) }

// envelopeAsGiven judges the signatures of a record of which it is not sure that they are
// good.
func (v *verifier) envelopeAsGiven(e *mechanism.Entry) outcome {
	err, unsure := v.given.check(e)
	switch {
	case err != nil:
		return outcome{unsure: v.unlessKeptBack(err)}
	case unsure != "":
		return outcome{unsure: unsure}
	}
	return outcome{unsure: fmt.Sprintf("good, if what was left out from record %d on is not for everybody", v.report.FirstLeftOut), asGiven: true}
}

func (v *verifier) unlessKeptBack(err error) string {
	return fmt.Sprintf("wrong, unless what was left out from record %d on is for everybody, and was kept back: %v", v.report.FirstLeftOut, err)
}

// restsOnLeftOut tells that what could not be checked is what was left out and what is good
// if that is not for everybody.
func (r *Report) restsOnLeftOut() bool {
	for _, l := range layers {
		if l == Rule && !r.RulesChecked {
			continue
		}
		if t := r.Layers[l]; t.Unchecked != t.AsGiven+r.LeftOut-r.Vouched {
			return false
		}
	}
	return r.LeftOut > 0
}

func (r *Report) writeLeftOut(p *printer) {
	if r.LeftOut == 0 {
		return
	}
	p.line("")
	p.line("left out  %s, from record %d on: not for everybody, or kept back.", plural(r.LeftOut, "record"), r.FirstLeftOut)
	if r.Vouched > 0 {
		p.line("          Of the first %s %s say that all passed the rules. So what is given", plural(r.Word.Size, "record"), r.Word.members())
		p.line("          of these, and is good as it is given, is good, whatever %s left out among them.", was(r.Vouched))
		p.line("          Whether that is for everybody they do not say, and this copy cannot show: if it is,")
		p.line("          other copies have it.")
		if r.resting > 0 {
			p.line("          %s given could not be judged by the rules without these: that they passed is", plural(r.resting, "record"))
			p.line("          their word alone.")
		}
	}
	if r.Vouched == r.LeftOut && r.Layers[Envelope].AsGiven == 0 && r.Layers[Rule].AsGiven == 0 {
		return
	}
	if r.Vouched > 0 {
		p.line("          Of what comes after these, if nothing was kept back,")
	} else {
		p.line("          If nothing was kept back,")
	}
	p.line("          the signatures of %s more are good, for only what is for everybody changes keys;", plural(r.Layers[Envelope].AsGiven, "record"))
	if r.RulesChecked {
		p.line("          and %s more passed the rules. That nothing was kept back this copy cannot show:", plural(r.Layers[Rule].AsGiven, "record"))
	} else {
		p.line("          that nothing was kept back this copy cannot show:")
	}
	p.line("          the members' nodes have every line, and those with rules keys say what they found")
	if r.PolicyAsked {
		p.line("          (below, rules)")
	} else {
		p.line("          (--policy, with a policy that names these keys: truceline policy show)")
	}
}

// was says how many records.
func was(n int64) string {
	if n == 1 {
		return "1 record was"
	}
	return fmt.Sprintf("%d records were", n)
}
