// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"truceline/record"
	"truceline/when"
)

func number(n int64) *int64 { return &n }

func key(n byte) record.Key {
	seed := make([]byte, 32)
	seed[0] = n
	s, err := record.NewSigner(seed)
	if err != nil {
		panic(err)
	}
	return s.Key()
}

// bodies is one full body of each kind that has one.
func bodies() map[record.Kind]record.Body {
	k := key(1)
	account := &record.Account{
		Carrier: "c", Claimant: record.Claimant{Kind: "k", Name: "n", Party: "p"}, External: "x", Origins: []string{"o"}, Quote: &record.Quote{Language: "ps", Text: "q"}, SaidOn: "2026-03",
		Claims: []record.Claim{
			{Area: &record.Area{LatE6: -100, LonE6: 179_900_000, SizeE6: 100_000, Side: "undetermined"}, Bound: "range", Derived: true, Element: record.Harm, External: "e", FirstHand: "unknown", Group: "g", High: number(4), Low: number(0), Measure: "m", N: 1, Note: "n", PlaceText: "t", Places: []string{"a", "b"}, Point: &record.Point{LatE6: -1, LonE6: 180e6, PrecisionM: 1}, Scope: record.ScopePart, Stance: "s", Subset: "u", When: when.Span{Start: "2026", End: "2027", Note: "about"}, Words: "w \"\n\u2028"},
			{Element: record.Event, FirstHand: "no", N: 2, Scope: record.ScopeIncident, Stance: "s"},
		},
	}
	reason := &record.Reason{Reason: "because"}
	return map[record.Kind]record.Body{
		record.MissionOpened:    &record.Mission{Continues: &record.Continued{LogKey: "d+e+f", Origin: "a.example/b", Root: record.Digest{3}, Size: 7}, LogKey: "a+b+c", Registry: record.Admission{Code: "book", Keys: []record.Key{k}, Name: "B", Role: record.RegistryRole}, Title: "T"},
		record.MemberAdmitted:   &record.Admission{Code: "OMB", Keys: []record.Key{k, key(2)}, Name: "O", Role: record.PartyRole},
		record.KeyAdded:         &record.KeyAddition{Key: k, Member: "OMB"},
		record.KeyRotated:       &record.KeyRotation{New: k, Old: record.KeyID{1}},
		record.KeyRevoked:       &record.KeyRevocation{Key: record.KeyID{1}, Member: "OMB", Note: "n", Reason: "lost"},
		record.CosignerNamed:    &record.Cosigner{Role: record.WitnessCosigner, URL: "https://b.example/", VKey: "a/witness/OMB+01234567+BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"},
		record.MemberLeft:       &record.Departure{Member: "OMB", Reason: "r"},
		record.OfficerEnrolled:  &record.Enrolment{Key: &k, Officer: record.ID{4}},
		record.AgreementAdopted: &record.Adoption{Pack: json.RawMessage(`{"format":1}`), Part: 1, Parts: 2, SHA256: record.Digest{1}, Version: 1},
		record.ReportFiled:      &record.Report{Carrier: "c", Copies: []record.Copy{{Media: "text/html", SHA256: record.Digest{5}, Size: 9, URL: "https://a.example/"}}, Language: "en", Note: "n", Origins: []string{"o"}, PublishedOn: "2026-03-01", Title: "t", URL: "https://x.example/"},
		record.AccountFiled:     account,
		record.AccountAmended:   account,
		record.AccountWithdrawn: reason,
		record.BatchOpened:      &record.Batch{FileSHA256: record.Digest{2}, Name: "f.csv", Rows: 0},
		record.BatchClosed:      &record.BatchEnd{Accepted: 1},
		record.BatchWithdrawn:   reason,
		record.IncidentOpened:   &record.Opening{Class: record.ClassTalks, External: "x", Label: "l", PlaceText: "t", Places: []string{"a"}, Types: []string{"b"}, When: when.Span{Start: "2026-03-01"}},
		record.IncidentLinked:   &record.Link{Claims: []int{1, 3}, Reason: "r", Role: record.LinkPartOf},
		record.IncidentUnlinked: reason,
		record.IncidentAliased:  reason,
		record.AccountSetAside:  reason,
		record.ActUndone:        reason,
		record.OfficerNamed:     &record.Naming{Name: "n", Officer: record.ID{4}},
		record.SourceGraded:     &record.Grade{Grade: "B2", Reason: "r", Source: "s"},
		record.LinkageFitted:    linkageBody(),
		record.NoticeFiled:      &record.Notice{Invited: []string{"DRN", "OMB"}, Places: []string{"b", "a"}, Severe: true, Types: []string{"t"}, When: when.Span{Start: "2026-03-01", End: "2026-03-02"}},
		record.AccountSealed:    &record.Sealed{Box: base64Of(record.SealedBytes), Commitment: record.Digest{6}, Escrow: []record.EscrowShare{{Age: ageFile, Member: "DRN"}, {Age: ageFile, Member: "mon"}}},
		record.FilingDeclined:   reason,
		record.FilingVouched:    &record.Vouching{Attestations: []string{base64Of(9), base64Of(10)}},
		record.ShareReleased:    &record.Share{Share: "AQ" + base64Of(33)[2:]},
		record.AccountOpened:    &record.Opened{Account: *account, Nonce: record.Digest{9}},
		record.RecipientNamed:   &record.Recipient{Age: "age1pq1" + strings.Repeat("q", 1800)},
		record.AudienceKeyed:    &record.Epoch{Audience: "named", Key: ageFile, Readers: []string{"DRN", "OMB"}},
		record.AudienceShared:   &record.Handover{Epochs: []record.ID{{1}, {2}}, Keys: ageFile, Member: "DRN"},
		record.BodyErased:       reason,
		record.IdentityFiled:    &record.Identity{Age: ageFile, Role: "witness", Token: record.ID{5}},
		record.IdentityAsked:    reason,
		record.IdentityReleased: &record.IdentityAnswer{Age: ageFile},
		record.IdentityRead:     reason,
		record.ReleaseProposed:  release(),
		record.ReleaseAnswered:  &record.Reply{Text: "t"},
		record.ReleaseMade:      released(),
	}
}

// release proposes all that one may propose.
func release() *record.Release {
	return &record.Release{Audience: "public", BothReplied: true, Embargo: 5, Replaces: record.ID{9}, Title: "t",
		Items: []record.ReleaseItem{{Fields: []string{"/claims[0]/area/lat_e6", "/claims[10]/low"}, Record: record.ID{2}}, {Fields: []string{"/text"}, Record: record.ID{1}}}}
}

// released shows two fields of one record.
func released() *record.Released {
	return &record.Released{Replaces: record.ID{9}, Title: "t", Items: []record.Disclosure{{Commitments: base64Of(64), Envelope: base64Of(3), Index: 4, LeafSalt: record.Digest{5}, LoggedAt: 6,
		Fields: []record.DisclosedField{{Path: "/a", Salt: record.Digest{1}, Value: `"x"`}, {Path: "/b[0]/c", Salt: record.Digest{2}, Value: "-3"}}}}}
}

// ageFile begins as one, which is all that can be seen of it without its keys.
var ageFile = base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n"))

// base64Of is base64 of so many bytes that are zero.
func base64Of(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }

// box is a full one.
func box() *record.Box {
	return &record.Box{Alg: record.BoxAlg, Body: base64Of(52), Wraps: []record.Wrap{{Epoch: record.ID{1}, Key: base64Of(72)}, {Epoch: record.ID{2}, Key: base64Of(72)}}}
}

// linkageBody is a model of two fields, with all that one may hold.
func linkageBody() *record.Linkage {
	return &record.Linkage{
		Params: record.LinkageParams{
			Ask: 1, Common: []string{"a", "ب"}, Expected: 1500,
			Fields: []record.LinkageField{
				{Field: "days", Classes: []record.LinkageClass{
					{Class: "day", Levels: []record.LinkageLevel{{Level: "same", M: 900_000_000, U: 1}, {Level: "one", M: 1, U: record.LinkageParts}}},
					{Class: "span", Levels: []record.LinkageLevel{{Level: "same", M: 2, U: 3}}},
				}},
				{Field: "count:hurt", Classes: []record.LinkageClass{{Class: "both", Levels: []record.LinkageLevel{{Level: "in_1/8", M: 5, U: 7}}}}},
			},
			Link: 450_000, Measures: []string{"hurt", "damaged"}, Pairs: 12, Prior: -record.MaxLogOdds, PriorSame: record.MaxLogOdds, Records: 9,
			Shares: []record.LinkageShare{{Code: "shots", Field: "type", Share: 1}, {Code: "raid", Field: "weapon", Share: record.Millionths}}, Strong: record.Millionths,
		},
		Prefix: record.Prefix{Root: record.Digest{7}, Size: 40}, Reason: "r", Schema: 1,
	}
}

// statement is a valid one of kind k, with the subjects it needs.
func statement(k record.Kind) *record.Statement {
	s := &record.Statement{
		Audience: "public", ClaimedAt: 1, ID: record.ID{1}, Kind: k, KindVersion: 1, Member: "OMB",
		Mission: record.ID{2}, Origin: "ledger.example.org/x", Rules: 1, V: 1,
	}
	if k.HasBody() {
		s.Body = &record.BodyRef{Alg: record.BodyAlg, Commitment: record.Digest{3}}
	}
	for _, r := range needs[k] {
		s.Subjects = append(s.Subjects, record.Subject{ID: record.ID{byte(len(s.Subjects) + 1)}, Role: r})
	}
	if !k.MayHave(s.Audience) {
		s.Audience = audiences[k][0]
	}
	if s.Body != nil {
		s.Body.Alg = record.AlgFor(s.Audience)
	}
	if k == record.AccountAmended {
		s.Supersedes = record.ID{8}
	}
	return s
}

// needs is written down again from docs/formats/records.md.
var needs = map[record.Kind][]record.Role{
	record.AccountAmended:   {"account"},
	record.AccountWithdrawn: {"account"},
	record.AccountSetAside:  {"account"},
	record.ActUndone:        {"act"},
	record.BatchClosed:      {"batch"},
	record.BatchWithdrawn:   {"batch"},
	record.IncidentLinked:   {"account", "incident"},
	record.IncidentUnlinked: {"link"},
	record.IncidentAliased:  {"incident", "into"},
	record.AccountSealed:    {"incident"},
	record.FilingDeclined:   {"incident"},
	record.FilingVouched:    {"account"},
	record.ShareReleased:    {"account"},
	record.AccountOpened:    {"account"},
	record.BodyErased:       {"record"},
	record.ErasureConfirmed: {"record"},
	record.IdentityFiled:    {"account"},
	record.IdentityAsked:    {"identity"},
	record.IdentityReleased: {"request"},
	record.IdentityRead:     {"identity"},
	record.ReleaseConsented: {"release"},
	record.ReleaseAnswered:  {"release"},
	record.ReleaseMade:      {"release"},
}

// audiences is written down again from docs/formats/records.md, for kinds that may have
// another audience than public.
var audiences = map[record.Kind][]string{
	record.OfficerNamed:     {"own"},
	record.ReportFiled:      {"public", "members", "mechanism", "named"},
	record.AccountFiled:     {"public", "members", "mechanism", "named"},
	record.AccountAmended:   {"public", "members", "mechanism", "named"},
	record.AccountWithdrawn: {"public", "members"},
	record.AccountSetAside:  {"public", "members"},
	record.IncidentOpened:   {"public", "members"},
	record.IncidentLinked:   {"public", "members"},
	record.IncidentUnlinked: {"public", "members"},
	record.IncidentAliased:  {"public", "members"},
	record.ActUndone:        {"public", "members"},
	record.NoticeFiled:      {"public", "members"},
	record.AccountSealed:    {"public", "members"},
	record.FilingDeclined:   {"public", "members"},
	record.FilingVouched:    {"public", "members"},
	record.ShareReleased:    {"public", "members"},
	record.AccountOpened:    {"public", "members"},
	record.AudienceKeyed:    {"members"},
	record.AudienceShared:   {"members"},
	record.BodyErased:       {"members"},
	record.ErasureConfirmed: {"members"},
	record.IdentityFiled:    {"named"},
	record.IdentityAsked:    {"named"},
	record.IdentityReleased: {"named"},
	record.IdentityRead:     {"named"},
	record.ReleaseProposed:  {"members"},
	record.ReleaseConsented: {"members"},
	record.ReleaseAnswered:  {"members"},
	record.ReleaseMade:      {"public", "members"},
}

// examples is a pointer to at least one value of every type that is read strictly.
func examples() []any {
	full := statement(record.AccountAmended)
	full.Officer, full.Exercise, full.Ext = record.ID{6}, true, map[string]string{"a": "", "b.c": "x"}
	full.Crit, full.Audience, full.Readers = []string{"a"}, "named", []string{"DRN", "mon"}
	out := []any{
		full, statement(record.ClockTicked),
		&record.Refusal{At: 1, Code: "no_right", Envelope: record.Digest{1}, Mission: record.ID{2}, Origin: "o", Reason: "r", Rules: 1, Statement: record.ID{3}, V: 1},
		&record.Refusal{Code: "malformed", Origin: "o", Reason: "r", Rules: 1, V: 1},
		attestation(),
		&record.Line{Body: json.RawMessage(`{"a":[1]}`), BodySalt: record.Digest{1}, Enc: "none", Envelope: json.RawMessage(`{}`), Index: 3, LeafSalt: record.Digest{2}, LoggedAt: 4},
		&record.Line{Envelope: json.RawMessage(`{}`)},
		&record.Line{Body: json.RawMessage(`{"a":[1]}`), Enc: "box", Envelope: json.RawMessage(`{}`), Index: 3, LeafSalt: record.Digest{2}, LoggedAt: 4},
		box(),
	}
	for _, k := range record.Kinds() {
		if b, ok := bodies()[k]; ok {
			if s, ok := b.(*record.Sealed); ok {
				s.Box = base64Of(1) // its form is not for these tests, and its size would slow them
			}
			out = append(out, b)
		}
	}
	return out
}
