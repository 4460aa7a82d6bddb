// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"testing"

	"truceline/evidence"
	"truceline/record"
	"truceline/verify/verifytest"
)

type attestedJSON struct {
	Attestation string          `json:"attestation"`
	Brought     evidence.Proven `json:"brought"`
}

func attestedOf(list ...evidence.Attested) []attestedJSON {
	var out []attestedJSON
	for _, a := range list {
		out = append(out, attestedJSON{string(a.Attestation), a.Brought})
	}
	return out
}

func TestWithheldFramed(t *testing.T) {
	w := newWorld(t, "withheld")
	f := w.File("OMB", record.AccountFiled, verifytest.Account(7))
	at := verifytest.Start + 300_000
	ok := func(member string) evidence.Attested { return w.attest(member, f, at, nil) }
	edited := func(member string, edit func(*record.Attestation)) evidence.Attested {
		return w.attest(member, f, at, edit)
	}
	base := fields{
		"envelope": base64.StdEncoding.EncodeToString(f.Envelope), "opening": w.proven(0, 20), "brought": w.proven(w.admission("OMB"), 20),
		"attestations": attestedOf(ok("OMB"), ok("scribe")), "later": string(w.head(w.size(), seen(second(4000))...)), "wait_ms": 3_600_000,
	}
	file := func(more fields) []byte {
		x := maps.Clone(base)
		maps.Copy(x, more)
		return w.craft(evidence.Withheld, x)
	}
	found, err := evidence.Check(file(nil), w.options())
	if err != nil || len(found.Accused) != 0 || found.Look == nil || found.Look.Statement != f.ID() || found.Look.Size != 40 || len(found.Unchecked) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	// Without a policy of the caller's the time of the later head is the file's word.
	if found, err = evidence.Check(file(nil), evidence.Options{}); err != nil || len(found.Unchecked) != 2 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := evidence.Check(file(fields{"policy": nil}), evidence.Options{}); !errors.As(err, new(*evidence.IncompleteError)) {
		t.Errorf("no policy at all: %v", err)
	}

	lent := ok("scribe")
	lent.Brought = w.proven(w.admission("watch"), 20)
	others := w.File("OMB", record.AccountFiled, verifytest.Account(8))
	registry := edited("scribe", func(a *record.Attestation) { a.Member = "watch" })
	byRegistry := evidence.Attested{Brought: w.proven(0, 20)}
	a := &record.Attestation{At: at, Envelope: found.Envelope, Member: "book", Mission: w.ID, Origin: verifytest.Origin, Outcome: record.OutcomeRefused, Statement: f.ID(), V: 1}
	byRegistry.Attestation, err = record.SealAttestation(a, w.Signer("book"))
	w.must(err)
	for what, x := range map[string]struct {
		list []evidence.Attested
		why  string
	}{
		"one":                      {[]evidence.Attested{ok("scribe")}, "not 2 to"},
		"one member twice":         {[]evidence.Attested{ok("scribe"), edited("scribe", func(a *record.Attestation) { a.At++ })}, "each once"},
		"out of order":             {[]evidence.Attested{ok("scribe"), ok("OMB")}, "each once"},
		"in another's name":        {[]evidence.Attested{ok("OMB"), registry}, "not of its node"},
		"with another's key":       {[]evidence.Attested{ok("OMB"), lent}, "no key that"},
		"by the registry":          {[]evidence.Attested{ok("OMB"), byRegistry}, "by the registry itself"},
		"that accuses nobody":      {[]evidence.Attested{ok("OMB"), edited("scribe", func(a *record.Attestation) { a.Outcome = record.OutcomeHeld })}, "accuses nobody"},
		"about another record":     {[]evidence.Attested{ok("OMB"), w.attest("scribe", others, at, nil)}, "another record"},
		"about other bytes":        {[]evidence.Attested{ok("OMB"), edited("scribe", func(a *record.Attestation) { a.Envelope[0] ^= 1 })}, "another record"},
		"about another mission":    {[]evidence.Attested{ok("OMB"), edited("scribe", func(a *record.Attestation) { a.Mission[0] ^= 1 })}, "another record"},
		"about another log":        {[]evidence.Attested{ok("OMB"), edited("scribe", func(a *record.Attestation) { a.Origin = "a.example" })}, "another record"},
		"seconds for milliseconds": {[]evidence.Attested{ok("OMB"), edited("scribe", func(a *record.Attestation) { a.At /= 1000 })}, "the log began"},
		"after the head":           {[]evidence.Attested{ok("OMB"), edited("scribe", func(a *record.Attestation) { a.At += 3_600_000 })}, "no witness of the policy"},
	} {
		w.refuse(what, file(fields{"attestations": attestedOf(x.list...)}), x.why)
	}
	plain := w.File("OMB", record.AccountFiled, verifytest.Account(7), verifytest.SignedBy(w.Signer("watch")))
	elsewhere := w.File("OMB", record.AccountFiled, verifytest.Account(7), verifytest.Edit(func(s *record.Statement) { s.Mission = record.ID{1} }))
	encode := base64.StdEncoding.EncodeToString
	w.refuse("a record that its member did not sign", file(fields{"envelope": encode(plain.Envelope)}), "no key of its node")
	w.refuse("a record that another signed, with its key", file(fields{"envelope": encode(plain.Envelope), "brought": w.proven(w.admission("watch"), 20)}), "no key of its node")
	w.refuse("a record of another mission", file(fields{"envelope": encode(elsewhere.Envelope)}), "for the mission")
	w.refuse("a record whose author's key is another's", file(fields{"brought": w.proven(w.admission("watch"), 20)}), "no key of its node")
	w.refuse("a record with a signature that is none", file(fields{"envelope": encode(w.unsigned(f).Envelope)}), "no key of its node")
	w.refuse("rubbish", file(fields{"envelope": encode([]byte("rubbish"))}), "envelope")
	w.refuse("another opening", file(fields{"opening": w.proven(1, 20)}), "brings no key")
	w.refuse("an admission for an opening", file(fields{"opening": w.proven(w.admission("OMB"), 20)}), "opened by record 0")
	w.refuse("a head before the wait is over", file(fields{"later": string(w.head(40, seen(second(3899))...))}), "no witness of the policy")
	w.refuse("no wait", file(fields{"wait_ms": -1}), "wait_ms")
	w.refuse("another log's head", file(fields{"later": string(w.impostor().head(40))}), "no verifiable signatures")
}

func TestRefusedFramed(t *testing.T) {
	w := newWorld(t, "refused")
	f := w.File("OMB", record.IncidentOpened, verifytest.Incident("x"))
	other := w.File("OMB", record.IncidentOpened, verifytest.Incident("y"))
	encode := base64.StdEncoding.EncodeToString
	base := fields{"envelope": encode(f.Envelope), "opening": w.proven(0, 20), "refusal": string(w.refusal(f, w.Signer("book"), nil))}
	file := func(more fields) []byte {
		x := maps.Clone(base)
		maps.Copy(x, more)
		return w.craft(evidence.Refused, x)
	}
	w.excuse("as it was", file(nil), w.options(), false)
	w.excuse("to who knows nothing", file(nil), evidence.Options{}, false)
	// An opening that is not this log's: in another place, or of another key.
	forged := newWorld(t, "refused forged")
	open := func(key string) verifytest.Filing {
		return w.File("book", record.MissionOpened, &record.Mission{LogKey: key, Registry: record.Admission{Code: "book", Keys: []record.Key{w.Signer("OMB").Key()}, Name: "x", Role: record.RegistryRole}, Title: "x"})
	}
	again := *w
	again.log = &verifytest.Log{Mission: w.Mission, Entries: slices.Clone(w.log.Entries)}
	again.log.Append(open(w.LogKey))
	w.refuse("a second opening", file(fields{"opening": again.proven(40, 41), "refusal": string(w.refusal(f, w.Signer("OMB"), nil))}), "opened by record 0")
	again.log = &verifytest.Log{Mission: w.Mission}
	again.log.Append(open(forged.LogKey))
	w.refuse("the opening of another log", file(fields{"opening": again.proven(0, 1), "refusal": string(w.refusal(f, w.Signer("OMB"), nil))}), "names the log's key")

	// Bytes that are no record are refused too.
	rubbish := verifytest.Filing{Statement: f.Statement, Envelope: []byte("rubbish\x00\xff")}
	w.excuse("rubbish", file(fields{"envelope": encode(rubbish.Envelope), "refusal": string(w.refusal(rubbish, w.Signer("book"), func(r *record.Refusal) { r.Statement, r.Mission = record.ID{}, record.ID{} }))}), w.options(), false)

	edited := func(edit func(*record.Refusal)) fields {
		return fields{"refusal": string(w.refusal(f, w.Signer("book"), edit))}
	}
	w.refuse("of another record", file(fields{"envelope": encode(other.Envelope)}), "about other bytes")
	w.refuse("by a member", file(fields{"refusal": string(w.refusal(f, w.Signer("OMB"), nil))}), "no key that")
	w.refuse("by a member, with the record of its key", file(fields{"refusal": string(w.refusal(f, w.Signer("OMB"), nil)), "brought": w.proven(w.admission("OMB"), 20)}), "the registry of this log is book")
	w.refuse("by an officer", file(fields{"refusal": string(w.refusal(f, verifytest.Signer("officer of watch"), nil)), "brought": w.proven(w.kind(record.OfficerEnrolled), 40)}), "the registry of this log is book")
	w.refuse("with record 0 twice", file(fields{"brought": w.proven(0, 20)}), "stands in opening already")
	w.refuse("by another log", file(edited(func(r *record.Refusal) { r.Origin = "a.example" })), "by the log")
	w.refuse("of another statement", file(edited(func(r *record.Refusal) { r.Statement[0] ^= 1 })), "names the statement")
	w.refuse("of a later version", file(edited(func(r *record.Refusal) { r.V = 2 })), "version 2")
	w.refuse("an attestation", file(fields{"refusal": string(w.attest("OMB", f, 1, nil).Attestation)}), "no key that")
	a := &record.Attestation{At: 1, Envelope: record.Digest{1}, Member: "book", Mission: w.ID, Origin: verifytest.Origin, Outcome: record.OutcomeRefused, Statement: f.ID(), V: 1}
	b, err := record.SealAttestation(a, w.Signer("book"))
	w.must(err)
	w.refuse("the registry's attestation", file(fields{"refusal": string(b)}), "not a refusal")
	w.refuse("a statement of the registry's", file(fields{"refusal": string(w.log.Entries[0].Envelope)}), "not a refusal")
	long := make([]byte, record.MaxEnvelope+1)
	w.refuse("too long", file(fields{"envelope": encode(long)}), "more than")
}

func TestFarOffClockFramed(t *testing.T) {
	w := newWorld(t, "clock")
	late := w.file("OMB", record.AccountFiled, verifytest.Account(1), verifytest.Edit(func(s *record.Statement) { s.ClaimedAt += 3_600_000 }))
	n, omb := w.size(), w.proven(w.admission("OMB"), 20)
	file := func(by string, side evidence.Side, brought, r evidence.Proven, more fields) []byte {
		x := fields{"by": by, "side": side, "brought": brought, "record": r, "bound_ms": bound}
		maps.Copy(x, more)
		return w.craft(evidence.FarOffClock, x)
	}
	seenAt := seen(second(int64(late) + 1))
	w.excuse("late", file("witnesses", "late", omb, w.bareProven(late, n, seenAt...), nil), w.options(), false)
	w.excuse("late, by the registry", file("registry", "late", omb, w.bareProven(late, n), nil), w.options(), false)
	w.excuse("late, by the file's own bound", file("registry", "late", omb, w.bareProven(late, n), nil), evidence.Options{LogKey: w.LogKey}, true)
	w.excuse("late, by the file's own witnesses", file("witnesses", "late", omb, w.bareProven(late, n, seenAt...), nil), evidence.Options{LogKey: w.LogKey, ClockBoundMS: bound}, true)
	w.refuse("early, by the registry", file("registry", "early", omb, w.bareProven(late, n), nil), "not before")
	w.refuse("nobody cosigned", file("witnesses", "late", omb, w.bareProven(late, n), nil), "no witness")
	w.refuse("another member's key", file("registry", "late", w.proven(w.admission("watch"), 20), w.bareProven(late, n), nil), "brings a key of watch")
	w.refuse("back", file("registry", "back", omb, w.bareProven(late, n), nil), "do not go together")
	w.refuse("by nobody", file("nobody", "late", omb, w.bareProven(late, n), nil), "do not go together")
	w.refuse("a head that does not belong", file("registry", "early", omb, w.bareProven(late, n), fields{"before": string(w.head(late))}), "before is missing or does not belong")
	i := w.kind(record.AccountFiled)
	w.refuse("an honest clock", file("registry", "late", w.proven(w.admission("clerk"), 20), w.bareProven(i, n), nil), "not after")

	// A log that forges a member's record shows nothing about the member.
	forged := w.file("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(verifytest.Signer("the log's own")), verifytest.Edit(func(s *record.Statement) { s.ClaimedAt += 3_600_000 }))
	w.refuse("a forged record", file("registry", "late", omb, w.bareProven(forged, w.size()), nil), "no key that")

	w.log.Append(w.unsigned(w.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.Edit(func(s *record.Statement) { s.ClaimedAt += 3_600_000 }))))
	w.refuse("a forged record that names the key", file("registry", "late", omb, w.bareProven(w.size()-1, w.size()), nil), "no key that")

	// Every word that accuses nobody says whom it is about.
	f, err := evidence.Check(file("registry", "late", omb, w.bareProven(late, n), nil), w.options())
	w.must(err)
	if !slices.Equal(parties(f.About), []string{"member OMB " + spareID(w.Signer("OMB")).String()}) {
		t.Errorf("about %q", parties(f.About))
	}
}
