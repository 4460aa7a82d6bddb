// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"slices"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// press is a room in which OMB, DRN and scribe release, two of them together.
type press struct {
	*room
	filings map[record.ID]verifytest.Filing
	index   map[record.ID]int64
	logged  map[record.ID]int64
}

const reply = 48 * hour

func openPress(t *testing.T, edit func(*agreement.Release)) *press {
	m := verifytest.NewMission("release")
	terms := &agreement.Release{Bodies: []string{"DRN", "OMB", "scribe"}, Need: 2, ReplyHours: 48}
	if edit != nil {
		edit(terms)
	}
	m.Pack.Release = terms
	p := &press{room: &room{door: &door{TB: t, Mission: m, state: mechanism.New(), at: verifytest.Start}, keys: escrowKeys,
		secrets: map[record.ID]*vault.Secret{}, bodies: map[record.ID]*record.Sealed{}, audience: record.AudienceMembers},
		filings: map[record.ID]verifytest.Filing{}, index: map[record.ID]int64{}, logged: map[record.ID]int64{}}
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	for _, f := range m.Opening() {
		p.good(f)
	}
	return p
}

func (p *press) put(f verifytest.Filing) record.ID {
	p.Helper()
	p.index[f.ID()] = p.state.Size()
	p.filings[f.ID()] = f
	id := p.good(f)
	p.logged[id] = p.at
	return id
}

// told is an account for members alone.
func (p *press) told(by string) record.ID {
	return p.put(p.file(by, record.AccountFiled, says(by, 4)))
}

func proposal(records ...record.ID) *record.Release {
	r := &record.Release{Audience: record.AudiencePublic, Title: "What is known"}
	for _, id := range records {
		r.Items = append(r.Items, record.ReleaseItem{Record: id, Fields: []string{"/claimant/name", "/claims[0]/words"}})
	}
	return r
}

func (p *press) proposed(by string, r *record.Release) verifytest.Filing {
	return p.file(by, record.ReleaseProposed, r)
}

func (p *press) consent(by string, id record.ID) verifytest.Filing {
	return p.file(by, record.ReleaseConsented, nil, verifytest.About(record.RoleRelease, id))
}

func (p *press) answer(by string, id record.ID) verifytest.Filing {
	return p.file(by, record.ReleaseAnswered, &record.Reply{Text: by + " says otherwise"}, verifytest.About(record.RoleRelease, id))
}

// released shows what was proposed and the replies.
func (p *press) released(id record.ID) *record.Released {
	p.Helper()
	x, _ := p.state.Proposal(id)
	items := slices.Clone(x.Items)
	for _, s := range x.Replies {
		items = append(items, record.ReleaseItem{Record: s.Record, Fields: []string{"/text"}})
	}
	out := &record.Released{Title: x.Title, Replaces: x.Replaces}
	for _, item := range items {
		f := p.filings[item.Record]
		d, err := vault.Disclose(f.Envelope, f.Body, f.BodySalt, ledger.Salt{1}, p.index[item.Record], p.logged[item.Record], item.Fields)
		if err != nil {
			p.Fatal(err)
		}
		out.Items = append(out.Items, *d)
	}
	return out
}

func (p *press) made(by string, id record.ID, b *record.Released) verifytest.Filing {
	return p.File(by, record.ReleaseMade, b, verifytest.About(record.RoleRelease, id))
}

// TestRelease tells one release from its proposal to the one that replaces it.
func TestRelease(t *testing.T) {
	p := openPress(t, nil)
	a, b := p.told("OMB"), p.told("watch")
	id := p.put(p.proposed("scribe", proposal(a, b)))
	at := p.at
	p.refused("without the second consent", mechanism.StateForbids, p.made("scribe", id, p.released(id)))
	p.refused("the proposer again", mechanism.StateForbids, p.consent("scribe", id))
	p.refused("of who has no say", mechanism.NoRight, p.consent("watch", id))
	p.put(p.consent("DRN", id))
	p.refused("while the parties may reply", mechanism.StateForbids, p.made("scribe", id, p.released(id)))
	p.put(p.answer("DRN", id))
	p.refused("replying twice", mechanism.StateForbids, p.answer("DRN", id))
	p.refused("of whom nothing is shown", mechanism.NoRight, p.answer("clerk", id))
	p.put(p.answer("watch", id))
	p.after(at + reply - 1)
	p.refused("in the last moment of the time for replies", mechanism.StateForbids, p.made("scribe", id, p.released(id)))
	p.after(at + reply)
	p.refused("by who has no say", mechanism.NoRight, p.made("watch", id, p.released(id)))

	for what, edit := range map[string]func(*record.Released){
		"less than proposed":     func(r *record.Released) { r.Items = r.Items[:3] },
		"without a reply":        func(r *record.Released) { r.Items = append(r.Items[:2], r.Items[3]) },
		"a reply before another": func(r *record.Released) { r.Items[2], r.Items[3] = r.Items[3], r.Items[2] },
		"a record twice":         func(r *record.Released) { r.Items[1] = r.Items[0] },
		"a field less":           func(r *record.Released) { r.Items[0].Fields = r.Items[0].Fields[:1] },
		"another figure":         func(r *record.Released) { r.Items[0].Fields[1].Value = `"nothing happened"` },
		"another salt":           func(r *record.Released) { r.Items[0].Fields[1].Salt[0] ^= 1 },
		"another path":           func(r *record.Released) { r.Items[0].Fields[1].Path = "/claims[1]/words" },
		"another time":           func(r *record.Released) { r.Items[0].LoggedAt += 3600_000 },
		"another index":          func(r *record.Released) { r.Items[0].Index++ },
		"another envelope":       func(r *record.Released) { r.Items[0].Envelope = r.Items[1].Envelope },
		"other commitments":      func(r *record.Released) { r.Items[0].Commitments = r.Items[1].Commitments },
		"another title":          func(r *record.Released) { r.Title = "What is hidden" },
		"in the place of one":    func(r *record.Released) { r.Replaces = a },
	} {
		r := p.released(id)
		edit(r)
		code := mechanism.BodyMismatch
		switch what {
		case "less than proposed", "without a reply", "a field less", "another title", "in the place of one":
			code = mechanism.StateForbids
		}
		p.refused(what, code, p.made("OMB", id, r))
	}
	p.refused("for members", mechanism.StateForbids, p.file("OMB", record.ReleaseMade, p.released(id), verifytest.About(record.RoleRelease, id)))

	first := p.put(p.made("OMB", id, p.released(id)))
	x, _ := p.state.Proposal(id)
	if n, ok := p.state.ReleaseNumber(first); !ok || n != "R001/2026" || x.Made != first || x.Number != n || len(x.Consents) != 2 || len(x.Replies) != 2 {
		t.Errorf("%+v", x)
	}
	p.refused("twice", mechanism.StateForbids, p.made("OMB", id, p.released(id)))
	p.refused("consent to what is made", mechanism.StateForbids, p.consent("OMB", id))
	p.refused("reply to what is made", mechanism.StateForbids, p.answer("OMB", id))

	// A second one takes its place, and a third cannot.
	again := func() *record.Release { r := proposal(a); r.Replaces = first; return r }
	for i, want := range []bool{true, false} {
		if !want {
			p.refused("in the place of what was replaced", mechanism.StateForbids, p.proposed("OMB", again()))
			break
		}
		id := p.put(p.proposed("OMB", again()))
		other := p.put(p.proposed("DRN", again()))
		p.put(p.consent("DRN", id))
		p.put(p.consent("OMB", other))
		for _, id := range []record.ID{id, other} {
			p.put(p.answer("OMB", id))
			p.put(p.answer("DRN", id))
		}
		second := p.put(p.made("DRN", id, p.released(id))) // all parties have replied
		if by, ok := p.state.ReplacedBy(first); !ok || by != second {
			t.Errorf("%d: replaced by %s", i, by)
		}
		p.refused("two in one's place", mechanism.StateForbids, p.made("DRN", other, p.released(other)))
	}
}

func TestProposalRefused(t *testing.T) {
	p := openPress(t, nil)
	a := p.told("OMB")
	public := p.put(p.File("OMB", record.AccountFiled, says("OMB", 4)))
	in := p.put(p.file("OMB", record.NoticeFiled, notice("DRN")))
	sealed := p.put(p.sealed(in, "OMB"))
	for what, tt := range map[string]struct {
		code mechanism.Code
		by   string
		r    *record.Release
	}{
		"by who has no say":              {mechanism.NoRight, "watch", proposal(a)},
		"of nothing here":                {mechanism.UnknownSubject, "OMB", proposal(record.ID{1})},
		"of what everybody reads":        {mechanism.StateForbids, "OMB", proposal(public)},
		"of what is sealed":              {mechanism.StateForbids, "OMB", proposal(sealed)},
		"in the place of no release":     {mechanism.UnknownSubject, "OMB", func() *record.Release { r := proposal(a); r.Replaces = a; return r }()},
		"after replies, and nobody asks": {mechanism.StateForbids, "OMB", func() *record.Release { r := proposal(a); r.BothReplied = true; return r }()},
	} {
		p.refused(what, tt.code, p.proposed(tt.by, tt.r))
	}
	p.put(p.file("OMB", record.BodyErased, &record.Reason{Reason: "r"}, verifytest.About(record.RoleRecord, a)))
	p.refused("of what was erased", mechanism.StateForbids, p.proposed("OMB", proposal(a)))

	m := verifytest.NewMission("release")
	d := &door{TB: t, Mission: m, state: mechanism.New(), at: verifytest.Start}
	for _, f := range m.Opening() {
		d.good(f)
	}
	m.Epoch = record.ID{7}
	told := d.good(d.File("OMB", record.AccountFiled, says("OMB", 4), verifytest.For(record.AudienceMembers)))
	d.refused("where nobody may release", mechanism.NotInAgreement, d.File("OMB", record.ReleaseProposed, proposal(told), verifytest.For(record.AudienceMembers)))
}

// TestReleaseWaits: for the embargo, and until all who were asked have replied.
func TestReleaseWaits(t *testing.T) {
	for _, byAgreement := range []bool{false, true} {
		p := openPress(t, func(r *agreement.Release) { r.Need, r.BothReplied = 1, byAgreement })
		in := p.put(p.file("OMB", record.NoticeFiled, notice("DRN", "watch")))
		a := p.put(p.sealed(in, "OMB"))
		d := p.put(p.declined(in, "watch"))
		f, _ := p.state.Filing(in)
		p.after(f.Deadline)
		p.tick() // DRN is silent
		open := p.put(p.opened(a, "OMB"))
		r := &record.Release{Audience: record.AudiencePublic, BothReplied: !byAgreement, Title: "t", Items: []record.ReleaseItem{
			{Record: in, Fields: []string{"/places[0]", "/when/start"}}, {Record: open, Fields: []string{"/account/claims[0]/words"}}, {Record: d, Fields: []string{"/reason"}}}}
		r.Embargo = p.at + 1000*hour
		id := p.put(p.proposed("OMB", r))
		p.after(r.Embargo - 2)
		p.refused("under embargo", mechanism.StateForbids, p.made("OMB", id, p.released(id)))
		p.after(r.Embargo)
		p.refused("before all have replied", mechanism.StateForbids, p.made("OMB", id, p.released(id)))
		late := p.put(p.sealed(in, "DRN"))
		p.refused("before the last is opened", mechanism.StateForbids, p.made("OMB", id, p.released(id)))
		p.put(p.opened(late, "DRN"))
		if err := p.state.MayMake("OMB", id, p.at); err != nil {
			t.Error(err)
		}
		p.put(p.made("OMB", id, p.released(id)))
	}
}

// TestReleaseErased: what was erased before it was shown is not shown.
func TestReleaseErased(t *testing.T) {
	p := openPress(t, func(r *agreement.Release) { r.Need = 1 })
	a := p.told("OMB")
	id := p.put(p.proposed("OMB", proposal(a)))
	p.after(p.at + reply + 1)
	p.put(p.file("OMB", record.BodyErased, &record.Reason{Reason: "r"}, verifytest.About(record.RoleRecord, a)))
	p.refused("erased", mechanism.StateForbids, p.made("OMB", id, p.released(id)))
}

// TestTermsOfTheDay: the terms of a proposal are those of its day.
func TestTermsOfTheDay(t *testing.T) {
	p := openPress(t, nil)
	a := p.told("OMB")
	id := p.put(p.proposed("OMB", proposal(a)))
	for _, f := range p.Adopt(2, func(x *agreement.Pack) {
		x.Release = &agreement.Release{Bodies: []string{"scribe"}, Need: 1, ReplyHours: 1}
	}) {
		p.good(f)
	}
	p.refused("by the terms of now", mechanism.NoRight, p.proposed("OMB", proposal(a)))
	x, _ := p.state.Proposal(id)
	if x.Need != 2 || strings.Join(x.Bodies, " ") != "DRN OMB scribe" || x.ReplyUntil-x.LoggedAt != reply {
		t.Errorf("%+v", x)
	}
}

// TestRepliesAreNoVeto: however those who may reply fill their replies, there is room left
// for what was proposed.
func TestRepliesAreNoVeto(t *testing.T) {
	p := openPress(t, nil)
	a := p.told("watch")
	id := p.put(p.proposed("scribe", proposal(a)))
	p.put(p.consent("DRN", id))
	says := func(by, text string, o ...verifytest.Option) verifytest.Filing {
		return p.file(by, record.ReleaseAnswered, &record.Reply{Text: text}, append(o, verifytest.About(record.RoleRelease, id))...)
	}
	if err := (&record.Reply{Text: strings.Repeat("\u067e", record.MaxReply+1)}).Validate(); err == nil {
		t.Error("a reply of more letters than one has")
	}
	padded := func(n int) verifytest.Option {
		return verifytest.Edit(func(st *record.Statement) { st.Ext = map[string]string{"note": strings.Repeat("x", n)} })
	}
	p.refused("in a long envelope", mechanism.StateForbids, says("OMB", "no", padded(2000)))
	for _, by := range []string{"OMB", "DRN", "watch"} {
		p.put(says(by, strings.Repeat(`"`, record.MaxReply), padded(1200))) // each letter is four in the release
	}
	p.put(p.made("scribe", id, p.released(id)))
}
