// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/evidence"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/internal/server"
	"truceline/record"
)

// answersOf is what a node answers, for those who stand before it.
func answersOf(f *fleet.Fleet, code string) http.Handler {
	mux := http.NewServeMux()
	closed := make(chan struct{})
	close(closed)
	server.Peers(mux, f.Nodes[code], slog.New(slog.DiscardHandler), closed)
	return mux
}

// censor stands before the registry, and lets no record of a member in, whoever brings it.
type censor struct {
	t    *testing.T
	f    *fleet.Fleet
	of   string // whose; empty: everybody's
	how  func(w http.ResponseWriter)
	kept int // how many were kept out
}

func (c *censor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/peer/submit" {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		var in struct {
			Records []struct {
				Envelope []byte `json:"envelope"`
			} `json:"records"`
		}
		if err := json.Unmarshal(b, &in); err != nil {
			c.t.Fatal(err)
		}
		for _, x := range in.Records {
			env, err := record.ParseEnvelope(x.Envelope)
			if err != nil {
				c.t.Fatal(err)
			}
			st, err := env.Statement()
			if err != nil {
				c.t.Fatal(err)
			}
			if c.of == "" || st.Member == c.of {
				c.kept++
				c.how(w)
				return
			}
		}
	}
	answersOf(c.f, fleet.RegistryCode).ServeHTTP(w, r)
}

func censored(t *testing.T, f *fleet.Fleet, of string, how func(http.ResponseWriter)) *censor {
	c := &censor{t: t, f: f, of: of, how: how}
	f.Net.Handler = map[string]http.Handler{fleet.RegistryCode: c}
	return c
}

func unavailable(w http.ResponseWriter) { http.Error(w, "busy", http.StatusServiceUnavailable) }

// A registry serves everybody and logs everybody's records but those of one member, brought
// by whomever: that member has it from two others, and from the log that went on.
func TestRecordsOfOneAreWithheld(t *testing.T) {
	for what, c := range map[string]struct {
		how     func(http.ResponseWriter)
		outcome string
	}{
		"unavailable": {unavailable, record.OutcomeError},
		"forbidden":   {func(w http.ResponseWriter) { http.Error(w, "no", http.StatusForbidden) }, record.OutcomeRefused},
		"rubbish":     {func(w http.ResponseWriter) { io.WriteString(w, "<html>welcome</html>") }, record.OutcomeError},
		"no receipts": {func(w http.ResponseWriter) { io.WriteString(w, "{}") }, record.OutcomeError},
		"no refusal":  {func(w http.ResponseWriter) { w.WriteHeader(422); io.WriteString(w, `{"refusal":{}}`) }, record.OutcomeError},
		"no answer":   {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, record.OutcomeNoAnswer},
	} {
		t.Run(what, func(t *testing.T) {
			f := begin(t, 20)
			door := censored(t, f, "NOR", c.how)
			id := says(t, f, "NOR", 3)
			rounds(f, 1, time.Second)
			says(t, f, "SUD", 4)
			rounds(f, 3, 3*time.Minute) // not yet long
			direct := door.kept
			calm(t, f, fleet.Codes...)
			rounds(f, 1, 2*time.Minute) // now others are asked
			if door.kept < direct+3 {
				t.Fatalf("it was handed in %d times more: others were not asked", door.kept-direct)
			}
			rounds(f, 20, time.Minute)
			calm(t, f, fleet.Codes...) // the log has not gone on
			says(t, f, "SUD", 5)
			rounds(f, 2, time.Minute)
			a := alarm(t, f, "NOR", node.Withheld)
			found := proof(t, f, "NOR", a)
			if a.Record != id || found.Kind != evidence.Withheld || found.Statement != id || len(found.Accused) > 0 || found.Look == nil || len(found.Look.Root) == 0 {
				t.Errorf("%+v, %+v", a, found)
			}
			if said := strings.Join(found.Proved, " "); !strings.Contains(said, c.outcome) {
				t.Errorf("the outcome is not %s: %s", c.outcome, said)
			}
			calm(t, f, "SUD", "fac", "mon", fleet.RegistryCode)

			// It is let in after all, once, and what was noticed stays.
			f.Net.Handler = nil
			rounds(f, 3, time.Minute)
			if is := act(t, f, "NOR", id); !is.Witnessed() {
				t.Errorf("%+v", is.State)
			}
			alarm(t, f, "NOR", node.Withheld)
		})
	}
}

// A member whose line to the registry alone is down sees and says everything through the
// others, and accuses nobody.
func TestLineOfOneIsDown(t *testing.T) {
	f := begin(t, 21)
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		return !(from == "NOR" && to == fleet.RegistryCode), true
	}
	id := says(t, f, "NOR", 3)
	says(t, f, "SUD", 4)
	rounds(f, 3, time.Minute)
	if got, want := f.Nodes["NOR"].Head().Size, f.Registry().Head().Size; got != want {
		t.Errorf("it follows to %d of %d at the others'", got, want)
	}
	if is := act(t, f, "NOR", id); !is.State.Waiting() {
		t.Fatalf("%+v", is)
	}
	rounds(f, 9, time.Minute)
	if is := act(t, f, "NOR", id); !is.Witnessed() {
		t.Errorf("it was not handed in by another and witnessed: %+v", is)
	}
	if _, err := f.Nodes["NOR"].Line(); err == nil {
		t.Error("its line is said to be good")
	}
	// Its word counts, though the registry does not hear it.
	size := f.Registry().Head().Size
	if got := cosigned(t, f, "SUD", "NOR", size); !slices.Contains(got, "witness") {
		t.Errorf("SUD knows of %q", got)
	}
	for range 5 {
		says(t, f, "fac", 5)
		rounds(f, 6, 5*time.Minute)
	}
	calm(t, f, append(slices.Clone(fleet.Codes), fleet.RegistryCode)...)
	f.Net.Lose = nil
	rounds(f, 3, time.Minute)
	f.Settle()
	settled(t, f)
}

// A registry that is off, or reached by nobody, or takes nothing from anybody, is not accused
// of choosing, however long that is; nor when it comes back and one line stays down.
func TestNothingIsTakenFromAnybody(t *testing.T) {
	for what, down := range map[string]func(t *testing.T, f *fleet.Fleet){
		"off":     func(_ *testing.T, f *fleet.Fleet) { f.Stop(fleet.RegistryCode) },
		"cut off": func(_ *testing.T, f *fleet.Fleet) { f.Net.Lose = without(fleet.RegistryCode) },
		"closed":  func(t *testing.T, f *fleet.Fleet) { censored(t, f, "", unavailable) },
	} {
		t.Run(what, func(t *testing.T) {
			f := begin(t, 22)
			down(t, f)
			id := says(t, f, "NOR", 3)
			says(t, f, "SUD", 4)
			rounds(f, 40, 5*time.Minute)
			calm(t, f, append(slices.Clone(fleet.Codes), fleet.RegistryCode)...)
			f.Net.Handler = nil
			if f.Registry() == nil {
				f.Start(fleet.RegistryCode)
			}
			// Back again for all but one, who reaches nobody for a while.
			f.Net.Lose = without("NOR")
			for range 4 {
				says(t, f, "fac", 5)
				rounds(f, 2, 10*time.Minute)
			}
			f.Net.Lose = nil
			rounds(f, 3, time.Minute)
			if is := act(t, f, "NOR", id); !is.Witnessed() {
				t.Errorf("%+v", is)
			}
			settled(t, f)
		})
	}
}

// What a member attests it has tried itself, with a line of its own that is good, of a record
// that the log has not.
func TestAttestsNothingElse(t *testing.T) {
	f := begin(t, 23)
	sud := f.Nodes["SUD"]
	ask := func(subs ...registry.Submission) ([]byte, error) {
		_, word, err := sud.Attest(t.Context(), subs)
		return word, err
	}
	account := func(code string) registry.Submission { return signed(t, f, code, f.Account(code, 3)) }
	closed := censored(t, f, "NOR", unavailable)
	mine := account("NOR")
	word, err := ask(mine)
	if err != nil {
		t.Fatal(err)
	}
	a, err := record.OpenAttestation(word, signerOf(t, f, "SUD").Key())
	if err != nil || a.Member != "SUD" || a.Outcome != record.OutcomeError || a.At != f.Clock.Now().UnixMilli() {
		t.Errorf("%+v, %v", a, err)
	}
	forged := resealed(t, mine, signerOf(t, f, "mon"), nil)
	elsewhere := resealed(t, mine, signerOf(t, f, "NOR"), func(st *record.Statement) { st.Mission = record.ID{1} })
	for what, subs := range map[string][]registry.Submission{
		"nothing": {}, "rubbish": {{Envelope: []byte("rubbish")}}, "forged": {forged}, "another mission's": {elsewhere}, "without its body": {{Envelope: mine.Envelope}},
	} {
		if word, err := ask(subs...); err == nil || word != nil {
			t.Errorf("%s is attested", what)
		}
	}
	kept := closed.kept
	f.Net.Lose = func(from, to string, r *http.Request) (bool, bool) {
		return r.URL.Path != "/log/checkpoint", true // its own line is bad
	}
	if word, err := ask(account("NOR")); err == nil || word != nil || closed.kept == kept {
		t.Error("it attests with a bad line of its own")
	}
	f.Net.Lose = nil
	f.Net.Handler = nil
	if word, err := ask(mine); err != nil || word != nil {
		t.Errorf("the registry takes it, and it is attested that it does not: %v", err)
	}
	bad := signed(t, f, "NOR", node.Draft{Kind: record.MemberAdmitted, Member: "NOR", Body: &record.Admission{Code: "x", Name: "X", Role: record.PartyRole}})
	var refused *registry.Refused
	if word, err := ask(bad); !errors.As(err, &refused) || word != nil || refused.Signed == nil {
		t.Errorf("a signed refusal is handed on as %v", err)
	}
	f.Settle()
	censored(t, f, "NOR", unavailable)
	if word, err := ask(mine); err == nil || word != nil {
		t.Error("it attests that the log does not take what is in its own copy")
	}
	if _, _, err := f.Registry().Attest(t.Context(), []registry.Submission{mine}); err == nil {
		t.Error("the registry attests")
	}
}

// Two members who lie about a registry do not get far: their words must be about the record,
// and of now; and any other who brings it in ends it.
func TestFalseWords(t *testing.T) {
	f := begin(t, 24)
	other := signed(t, f, "NOR", f.Account("NOR", 9))
	lie := func(code string, about func() registry.Submission, at time.Duration) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/peer/attest" {
				answersOf(f, code).ServeHTTP(w, r)
				return
			}
			sub := about()
			env, _ := record.ParseEnvelope(sub.Envelope)
			st, _ := env.Statement()
			word, err := record.SealAttestation(&record.Attestation{
				At: f.Clock.Now().Add(at).UnixMilli(), Envelope: digest(sub.Envelope), Member: code, Mission: st.Mission, Origin: st.Origin,
				Outcome: record.OutcomeNoAnswer, Statement: st.ID, V: 1,
			}, signerOf(t, f, code))
			if err != nil {
				t.Error(err)
			}
			json.NewEncoder(w).Encode(map[string]json.RawMessage{"attestation": word})
		})
	}
	id := says(t, f, "NOR", 3)
	is := act(t, f, "NOR", id)
	it := func() registry.Submission {
		return registry.Submission{Envelope: is.Records[0].Envelope, Body: is.Records[0].Body, BodySalt: is.Records[0].BodySalt}
	}
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		return !(from == "NOR" && (to == fleet.RegistryCode || to == "fac")), true
	}
	f.Net.Handler = map[string]http.Handler{
		"SUD": lie("SUD", func() registry.Submission { return other }, 0),
		"mon": lie("mon", it, -time.Hour),
	}
	for range 5 {
		says(t, f, "fac", 5)
		rounds(f, 2, 10*time.Minute)
	}
	calm(t, f, "NOR")
	// Both lie well, and nobody else is reached: that is believed, as the word of two.
	f.Net.Handler = map[string]http.Handler{"SUD": lie("SUD", it, 0), "mon": lie("mon", it, 0)}
	if is := act(t, f, "NOR", id); is.State != outbox.Sent {
		t.Fatalf("%+v", is.State)
	}
	// But one honest node that is reached is enough.
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		return !(from == "NOR" && to == fleet.RegistryCode), true
	}
	for range 5 {
		says(t, f, "fac", 5)
		rounds(f, 2, 10*time.Minute)
	}
	if is := act(t, f, "NOR", id); !is.Witnessed() {
		t.Errorf("%+v", is)
	}
	calm(t, f, "NOR")
}
