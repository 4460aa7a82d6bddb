// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"encoding/base64"

	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// The records of the release cases: 0 to 10 as in vouched, and then these.
const (
	heldAccount  = 11 // of DRN, for all members, boxed
	heldIncident = 12 // of OMB, for all members
	theRelease   = 13 // by scribe
)

// The fields that the release cases show of them.
var (
	accountFields  = []string{"/claims[1]/high", "/claims[1]/low", "/claims[1]/measure"}
	incidentFields = []string{"/label"}
)

// held logs what is not for everybody, under a head that members will vouch for.
func (c *caseWorld) held() {
	c.Epoch, c.EpochKey = record.ID{7}, vault.EpochKey{7}
	c.opening(c.members()...)
	c.nameAll()
	c.needs(c.adoptPolicy(1, c.policyOf(2, c.members()...)))
	c.file("DRN", record.AccountFiled, bodyOf(7), verifytest.For(record.AudienceMembers))
	c.file("OMB", record.IncidentOpened, verifytest.Incident("shots at the ford"), verifytest.For(record.AudienceMembers))
	c.cosignedBy("witness", "rules")
}

// discloses shows fields of a record that is logged.
func (c *caseWorld) discloses(index int, paths ...string) record.Disclosure {
	e := c.log.Entries[index]
	d, err := vault.Disclose(e.Envelope, e.Body, e.BodySalt, e.LeafSalt, int64(index), e.LoggedAt, paths)
	c.must(err)
	return *d
}

// releases files a release of items, and makes the bundle about it.
func (c *caseWorld) releases(items []record.Disclosure, options ...verifytest.Option) {
	body := &record.Released{Items: items, Title: "The shots at the ford"}
	c.Clock = verifytest.Start + int64(c.size())*1000 - 1700
	c.target = c.file("scribe", record.ReleaseMade, body, append(options, verifytest.About(record.RoleRelease, c.NewID()))...)
	for _, d := range items {
		c.shows = append(c.shows, int(d.Index))
	}
}

func (c *caseWorld) both() []record.Disclosure {
	return []record.Disclosure{c.discloses(heldAccount, accountFields...), c.discloses(heldIncident, incidentFields...)}
}

// released is a release of fields of two records that is good in every way, but for what
// change makes of what is shown.
func (c *caseWorld) released(change func(items []record.Disclosure)) {
	c.held()
	items := c.both()
	if change != nil {
		change(items)
	}
	c.releases(items)
}

func shown(x string) []string { return []string{x + " release"} }

func bits(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	b[len(b)/2] ^= 1
	return base64.StdEncoding.EncodeToString(b)
}

// releaseCases are of records that show fields of others.
var releaseCases = []bundleCase{
	{"ok", "release", "a release that shows fields of two records which not everybody may read", none, none, func(c *caseWorld) {
		c.released(nil)
		c.policy = c.withRules(c.world.policy, c.members()...)
	}},
	{"ok", "release-for-members", "the same for members alone", none, none, func(c *caseWorld) {
		c.held()
		c.releases(c.both(), verifytest.For(record.AudienceMembers))
	}},
	{"ok", "release-out-of-order", "what is shown stands in another order than the log's", none, none, func(c *caseWorld) {
		c.held()
		x := c.both()
		c.releases([]record.Disclosure{x[1], x[0]})
	}},
	{"ok", "release-by-an-officer", "a record that is shown is signed by an officer's key too, whose enrolment the file holds", none, none, func(c *caseWorld) { c.byOfficer(true) }},
	{"incomplete", "release-officer-unknown", "the same, and the enrolment is left out", none, []string{"14 release"}, func(c *caseWorld) { c.byOfficer(false) }},
	{"incomplete", "release-without-paths", "the file does not say where what is shown stands in the log", none, shown("13"), func(c *caseWorld) {
		c.released(nil)
		c.shows = nil
	}},
	{"incomplete", "release-not-given", "the body of the release was not given", none, []string{"13 body", "13 release"}, func(c *caseWorld) {
		c.released(nil)
		c.log.Entries[theRelease].Body = nil
	}},
	{"failed", "release-body-changed", "the body of the release is another than its author committed to", []string{"13 body"}, shown("13"), func(c *caseWorld) {
		c.released(nil)
		c.edited(func(f *form) { f.Record.Line = replace("The shots", "The shouts")(f.Record.Line) })
	}},
	{"failed", "release-one-path", "there is a path of one of the two records", shown("13"), none, func(c *caseWorld) {
		c.released(nil)
		c.shows = c.shows[:1]
	}},
	{"failed", "release-paths-of-none", "a record that is no release has paths of what it shows", shown("11"), none, func(c *caseWorld) {
		c.vouched()
		c.shows = []int{5}
	}},
	{"failed", "release-path-of-another", "the path of the first record is that of the second", shown("11"), none, func(c *caseWorld) {
		c.released(nil)
		c.shows = []int{heldIncident, heldIncident}
	}},
	{"failed", "release-figure", "a figure is not the one that was filed", shown("11"), none, func(c *caseWorld) {
		c.released(func(x []record.Disclosure) { x[0].Fields[1].Value = "70" })
	}},
	{"failed", "release-path-of-a-field", "a value stands under another field than it was filed under", shown("11"), none, func(c *caseWorld) {
		c.released(func(x []record.Disclosure) { x[0].Fields[1].Path = "/claims[1]/lower" })
	}},
	{"failed", "release-salt", "the salt of a field is another", shown("11"), none, func(c *caseWorld) {
		c.released(func(x []record.Disclosure) { x[0].Fields[2].Salt[9] ^= 1 })
	}},
	{"failed", "release-commitments", "the commitments are not those of the statement", shown("12"), none, func(c *caseWorld) {
		c.released(func(x []record.Disclosure) { x[1].Commitments = bits(x[1].Commitments) })
	}},
	{"failed", "release-envelope", "the envelope that is shown is not the one in the log", shown("11"), none, func(c *caseWorld) {
		c.released(func(x []record.Disclosure) { x[0].Envelope = bits(x[0].Envelope) })
	}},
	{"failed", "release-leaf-salt", "the salt of the record's place is another", shown("11"), none, func(c *caseWorld) {
		c.released(func(x []record.Disclosure) { x[0].LeafSalt[3] ^= 1 })
	}},
	{"failed", "release-logged-at", "a record is said to have been logged earlier than it was", shown("12"), none, func(c *caseWorld) {
		c.released(func(x []record.Disclosure) { x[1].LoggedAt -= 5 })
	}},
	{"failed", "release-time-goes-back", "a record that is shown has an earlier time than one before it", shown("12"), none, func(c *caseWorld) {
		c.held()
		c.log.Entries[heldIncident].LoggedAt = verifytest.Start
		c.releases(c.both())
	}},
	{"failed", "release-of-what-came-later", "it shows a record that came after it", shown("13"), none, func(c *caseWorld) {
		c.held()
		c.releases(c.both())
		c.file("book", record.ClockTicked, nil)
		c.rewritten(func(b *record.Released) { b.Items[1].Index = theRelease + 1 })
	}},
	{"failed", "release-twice", "it shows one record twice", shown("13"), none, func(c *caseWorld) {
		c.held()
		c.releases([]record.Disclosure{c.discloses(heldAccount, accountFields...), c.discloses(heldAccount, accountFields...)})
	}},
	{"failed", "release-of-a-strangers", "a record that is shown is signed by nobody of the mission", shown("14"), none, func(c *caseWorld) {
		c.signedShown(verifytest.SignedBy(c.Signer("OMB")))
	}},
	{"failed", "release-of-another-mission", "a record that is shown is of another mission", shown("14"), none, func(c *caseWorld) {
		c.signedShown(verifytest.Edit(func(st *record.Statement) { st.Mission[3]++ }))
	}},
	{"incomplete", "release-author-unknown", "no record in the file brings the key of who filed what is shown", none, shown("14"), func(c *caseWorld) {
		c.signedShown(verifytest.SignedBy(verifytest.Signer("a key of nobody")))
	}},
	{"failed", "release-among-others", "a release stands among the records that the file rests on", []string{"13 envelope"}, none, func(c *caseWorld) {
		c.held()
		c.releases(c.both())
		c.shows = nil
		c.needs(theRelease)
		c.about("DRN")
	}},
	{"failed", "release-of-what-everybody-reads", "it shows fields of a record that does not commit to them one by one", shown("13"), none, func(c *caseWorld) {
		c.held()
		x := c.discloses(heldAccount, accountFields...)
		i := c.file("DRN", record.AccountFiled, bodyOf(7))
		e := c.log.Entries[i]
		x.Envelope, x.Index, x.LoggedAt, x.LeafSalt = base64.StdEncoding.EncodeToString(e.Envelope), int64(i), e.LoggedAt, record.Digest(e.LeafSalt)
		c.releases([]record.Disclosure{x})
	}},
}

// rewritten files the release anew with another body.
func (c *caseWorld) rewritten(change func(b *record.Released)) {
	b := parsed[record.Released](c, c.log.Entries[theRelease].Body)
	change(b)
	rest := c.log.Entries[theRelease+1:]
	c.log.Entries = c.log.Entries[:theRelease]
	c.file("scribe", record.ReleaseMade, b, verifytest.About(record.RoleRelease, c.NewID()))
	c.log.Entries = append(c.log.Entries, rest...)
}

// signedShown is a release of a third record, 14, of DRN, which is filed so.
func (c *caseWorld) signedShown(o verifytest.Option) {
	c.held()
	c.file("book", record.ClockTicked, nil)
	i := c.file("DRN", record.IncidentOpened, verifytest.Incident("smoke"), verifytest.For(record.AudienceMembers), o)
	c.releases([]record.Disclosure{c.discloses(heldAccount, accountFields...), c.discloses(i, "/label")})
}

// byOfficer is a release of a record that an officer of DRN signed, record 14.
func (c *caseWorld) byOfficer(known bool) {
	c.held()
	s, officer := verifytest.Signer("an officer"), c.NewID()
	key := keyOf(s)
	i := c.file("DRN", record.OfficerEnrolled, &record.Enrolment{Key: &key, Officer: officer})
	if known {
		c.needs(i)
	}
	i = c.file("DRN", record.IncidentOpened, verifytest.Incident("smoke"), verifytest.For(record.AudienceMembers), verifytest.By(officer), verifytest.SignedBy(c.Signer("DRN"), s))
	c.releases([]record.Disclosure{c.discloses(i, "/label")})
}
