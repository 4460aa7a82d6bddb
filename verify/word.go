// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"
	"strings"

	"truceline/cosign"
	"truceline/quorum"
)

// Word is what members say by their rules keys of the first Size records: that all of them
// passed the rules. It is asked of those whose rules keys the caller's policy names, so that
// nothing of it rests on the log's own word: see docs/formats/ledger.md, "The members' word".
type Word struct {
	Size int64
	By   []string // the policy's witnesses whose members say so, by its names
	Not  []string // its other witnesses, each with the reason
	Met  bool     // those who say so are the policy's quorum

	newest  bool            // of the checkpoint itself, not of the witnessed head
	signed  map[string]bool // verifier keys that cosigned the head
	reached bool
	tallies map[Layer]Tally // of the first Size records
	leftOut int64           // of the first Size records
}

// word makes ready what a head may say; it is weighed when its records were read.
func (v *verifier) word(r *quorum.Result, newest bool) {
	w := &Word{Size: r.Checkpoint.Size, newest: newest, signed: map[string]bool{}}
	for _, c := range r.Cosigned {
		w.signed[c.VKey] = true
	}
	v.words = append(v.words, w)
}

// reach weighs the words of heads of so many records. Nothing after them is looked at: a
// key counts that stands there.
func (v *verifier) reach(size int64) {
	for _, w := range v.words {
		if w.Size != size || w.reached {
			continue
		}
		w.reached, w.tallies, w.leftOut = true, v.tallies(), v.report.LeftOut
		v.weigh(w)
	}
}

// tallies are those of each layer so far.
func (v *verifier) tallies() map[Layer]Tally {
	out := map[Layer]Tally{}
	for l, t := range v.report.Layers {
		out[l] = *t
	}
	return out
}

// weigh puts each member's word in the place of the cosignature of its witness.
func (v *verifier) weigh(w *Word) {
	p, keys := v.options.Policy, map[string][]string{}
	for _, x := range p.Witnesses {
		if member, role := cosign.MemberOf(v.report.Origin, x.VKey); role == cosign.Rules {
			keys[member] = append(keys[member], x.VKey)
		}
	}
	var count []string
	for _, x := range p.Witnesses {
		member, role := cosign.MemberOf(v.report.Origin, x.VKey)
		if role == cosign.Rules {
			continue
		}
		if why := v.silent(w, member, keys[member]); why != "" {
			w.Not = append(w.Not, x.Name+": "+why)
			continue
		}
		w.By, count = append(w.By, x.Name), append(count, x.VKey)
	}
	met, err := p.Met(count...)
	w.Met = err == nil && met && p.Quorum != quorum.None
}

// silent tells why a member's word on the rules is not there; empty if it is.
func (v *verifier) silent(w *Word, member string, keys []string) string {
	registry := v.current().registry
	switch {
	case member == "":
		return "it is no member's, and says nothing of rules"
	case registry == "":
		return "record 0, from which all keys come, is not here or not good"
	case member == registry:
		return "it is the log's own operator's, whose word counts for nothing"
	case keys == nil:
		return "the policy names no rules key of it"
	}
	why := "its rules key has not signed this head"
	for _, k := range keys {
		if !w.signed[k] {
			continue
		}
		if why = v.cosigners.standing(member, k); why == "" {
			return ""
		}
	}
	return why
}

// settleWord counts as good what is good as given, and what only lines that were left out keep
// the rules from judging, up to the largest head of whose records
// a quorum of members says that they passed the rules. It is called when the tree has been
// compared.
func (v *verifier) settleWord() {
	r := v.report
	for _, w := range v.words {
		if w.reached && (r.Word == nil || w.Met && (!r.Word.Met || w.Size > r.Word.Size)) && (w.newest || r.Witnesses != nil && r.Witnesses.Compared) {
			r.Word = w
		}
	}
	w := r.Word
	if w == nil || !w.Met || !r.OK() || r.UnreadCount > 0 || w.leftOut == 0 || r.FirstLeftOut == 0 {
		return // record 0 is for everybody: whoever leaves it out gives no log
	}
	for _, l := range layers {
		if t, then := r.Layers[l], w.tallies[l]; l != Rule || r.RulesChecked {
			settled := then.AsGiven + then.rests
			t.Good, t.AsGiven, t.rests, t.Unchecked = t.Good+settled, t.AsGiven-then.AsGiven, t.rests-then.rests, t.Unchecked-settled-w.leftOut
		}
	}
	r.Vouched, r.resting = w.leftOut, w.tallies[Rule].rests
	kept := r.Unchecked[:0]
	for _, u := range r.Unchecked {
		if u.given && u.From < w.Size {
			if u.From = w.Size; u.From > u.To {
				continue
			}
		}
		kept = append(kept, u)
	}
	r.Unchecked = kept
	for i := range r.Keys {
		if k := &r.Keys[i]; k.asGiven && k.Index < w.Size {
			k.Sure = true
		}
	}
	if d := r.Detail; d != nil && d.Index < w.Size {
		for l, is := range d.byWord {
			if is {
				d.Layers[l] = "good, by the members' word"
			}
		}
	}
}

// members says how many of those asked say so.
func (w *Word) members() string {
	return fmt.Sprintf("%d of %d members' rules keys", len(w.By), len(w.By)+len(w.Not))
}

// writeWord says whose word on the rules was taken, and whose is not there.
func (r *Report) writeWord(p *printer) {
	w := r.Word
	if w == nil || r.LeftOut == 0 && len(w.By) == 0 {
		return
	}
	if w.Met {
		p.line("rules     %s say that all of the first %s passed the rules:", w.members(), plural(w.Size, "record"))
	} else {
		p.line("rules     NO quorum: %s say that all of the first %s passed the rules:", w.members(), plural(w.Size, "record"))
	}
	if len(w.By) > 0 {
		p.line("          %s", strings.Join(w.By, ", "))
	}
	for _, not := range w.Not {
		p.line("          not %s", not)
	}
}
