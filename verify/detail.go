// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"strconv"
	"strings"

	"truceline/record"
)

// Detail is one record, as far as it was given.
type Detail struct {
	Index     int64
	Statement *record.Statement // nil if the envelope could not be read
	LoggedAt  int64             // Unix milliseconds
	Keys      []KeyUse
	Layers    map[Layer]string // what was found: "good", or why not
	Body      []byte           // as given; nil if it was not

	byWord map[Layer]bool // the layers that the members' word settles, if it is there
}

// KeyUse is one signature of a record.
type KeyUse struct {
	ID          record.KeyID
	Member      string    // whose key it is; empty if it is not on the roster
	Officer     record.ID // zero: the key of the member's node
	From, Until int64     // the indexes at which it signs, as known then; Until -1: on
}

// wanted tells whether o asks for the record.
func (o *Options) wanted(index int64, id string) bool {
	return o.Record != "" && (o.Record == id || o.Record == strconv.FormatInt(index, 10))
}

func (d *Detail) write(p *printer) {
	p.line("\nrecord %d", d.Index)
	if st := d.Statement; st != nil {
		p.line("  id          %s", st.ID)
		p.line("  kind        %s", st.Kind)
		p.line("  filed by    %s", st.Member)
		if !st.Officer.IsZero() {
			p.line("  officer     %s", st.Officer)
		}
		p.line("  audience    %s", strings.Join(append([]string{st.Audience}, st.Readers...), " "))
		p.line("  claimed at  %s by the author's clock", clock(st.ClaimedAt))
		for _, sub := range st.Subjects {
			p.line("  %-11s %s", sub.Role, sub.ID)
		}
		if !st.Supersedes.IsZero() {
			p.line("  supersedes  %s", st.Supersedes)
		}
	}
	p.line("  logged at   %s by the registry's clock", clock(d.LoggedAt))
	for _, k := range d.Keys {
		switch {
		case k.Member == "":
			p.line("  signed      %s, which is not on the roster", k.ID)
		case k.Officer.IsZero():
			p.line("  signed      %s of %s, valid from index %d%s", k.ID, k.Member, k.From, untilText(k.Until))
		default:
			p.line("  signed      %s of officer %s of %s, valid from index %d%s", k.ID, k.Officer, k.Member, k.From, untilText(k.Until))
		}
	}
	for _, l := range layers {
		p.line("  %-11s %s", l, d.Layers[l])
	}
	switch {
	case d.Statement != nil && d.Statement.Boxed():
		p.line("  says        what is encrypted for those who may read it, and was not judged")
	case d.Body != nil:
		p.line("  says        %s", d.Body)
	}
}
