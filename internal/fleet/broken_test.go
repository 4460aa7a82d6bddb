// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"truceline/evidence"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/record"
)

// signed is a record of a member as its node signs it.
func signed(t *testing.T, f *fleet.Fleet, code string, d node.Draft) registry.Submission {
	t.Helper()
	sub, err := f.Nodes[code].Sign(d, true)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// resealed is a submission with another statement, signed by whoever.
func resealed(t *testing.T, sub registry.Submission, by *record.Signer, change func(*record.Statement)) registry.Submission {
	t.Helper()
	env, err := record.ParseEnvelope(sub.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	st, err := env.Statement()
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(st)
	}
	payload, err := st.Encode()
	if err == nil {
		sub.Envelope, err = record.Seal(record.StatementType, payload, by)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// A registry logs what its door should have refused. The members hold it, since the log has
// it; they say so to everybody, and none says that the rules were kept.
func TestLogsWhatTheRulesRefuse(t *testing.T) {
	type made = func(t *testing.T, f *fleet.Fleet) registry.Submission
	account := func(t *testing.T, f *fleet.Fleet) registry.Submission {
		return signed(t, f, "SUD", f.Account("SUD", 3))
	}
	for what, c := range map[string]struct {
		make   made
		kind   node.AlarmKind
		proved bool
	}{
		"another member's signature": {func(t *testing.T, f *fleet.Fleet) registry.Submission {
			return resealed(t, account(t, f), signerOf(t, f, "NOR"), nil)
		}, node.BrokenRule, true},
		"a signature that does not hold": {func(t *testing.T, f *fleet.Fleet) registry.Submission {
			sub := account(t, f)
			at := bytes.Index(sub.Envelope, []byte(`"sig":"`)) + len(`"sig":"`)
			if sub.Envelope[at] = 'A'; sub.Envelope[at+1] == 'A' {
				sub.Envelope[at] = 'B'
			}
			return sub
		}, node.BrokenRule, true},
		"a record of another mission": {func(t *testing.T, f *fleet.Fleet) registry.Submission {
			return resealed(t, account(t, f), signerOf(t, f, "SUD"), func(st *record.Statement) { st.Mission = record.ID{1} })
		}, node.BrokenRule, true},
		"a record of another log": {func(t *testing.T, f *fleet.Fleet) registry.Submission {
			return resealed(t, account(t, f), signerOf(t, f, "SUD"), func(st *record.Statement) { st.Origin = "other.invalid/x" })
		}, node.BrokenRule, true},
		"no record at all": {func(*testing.T, *fleet.Fleet) registry.Submission {
			return registry.Submission{Envelope: []byte(`{"rubbish":1}`)}
		}, node.BrokenRule, true},
		// What is wrong only after all that was before it is shown by the log alone.
		"a right that the member has not": {func(t *testing.T, f *fleet.Fleet) registry.Submission {
			return signed(t, f, "SUD", node.Draft{Kind: record.MemberAdmitted, Member: "SUD", Body: &record.Admission{Code: "x", Name: "X", Role: record.PartyRole}})
		}, node.BrokenRule, false},
		"an account of another's withdrawn": {func(t *testing.T, f *fleet.Fleet) registry.Submission {
			return signed(t, f, "SUD", node.Draft{Kind: record.AccountWithdrawn, Member: "SUD", Subjects: []record.Subject{{ID: record.ID{9}, Role: record.RoleAccount}}, Body: &record.Reason{Reason: "x"}})
		}, node.BrokenRule, false},
	} {
		t.Run(what, func(t *testing.T) {
			f := begin(t, 14)
			l := takeOver(t, f)
			sub := c.make(t, f)
			broken := l.log(sub.Envelope, sub.Body, sub.BodySalt, f.Clock.Now().UnixMilli())
			good := signed(t, f, "NOR", f.Account("NOR", 4))
			l.log(good.Envelope, good.Body, good.BodySalt, f.Clock.Now().UnixMilli())
			rounds(f, 2, 0)
			standsBefore(t, f, l, c.kind, broken, c.proved)
			// It knows it when it starts again.
			f.Stop("SUD")
			f.Start("SUD")
			rounds(f, 1, 0)
			standsBefore(t, f, l, c.kind, broken, c.proved)
		})
	}
}

// standsBefore wants all members to hold the whole log, and to have noticed what the rules
// refuse in it.
func standsBefore(t *testing.T, f *fleet.Fleet, l *doorless, kind node.AlarmKind, broken int64, proved bool) {
	t.Helper()
	for _, code := range fleet.Codes {
		a := alarm(t, f, code, kind)
		if a.Index != broken || a.Member != "" {
			t.Errorf("%s: %+v", code, a)
		}
		if a.Evidenced() != proved {
			t.Errorf("%s: the alarm has the evidence %q", code, a.Evidence)
		}
		if proved {
			if found := proof(t, f, code, a); !accusesLog(found) || found.Index != broken || !a.Accuses {
				t.Errorf("%s: %+v", code, found)
			}
		}
		if got := f.Nodes[code].Head().Size; got != l.size() {
			t.Errorf("%s holds %d records of %d", code, got, l.size())
		}
		if got := l.roles(code); !slices.Equal(got, []string{"mirror", "witness"}) {
			t.Errorf("%s has cosigned as %q", code, got)
		}
		if got := witnessed(t, f, code); got != l.size() {
			t.Errorf("%s takes %d for witnessed, of %d", code, got, l.size())
		}
	}
}

// A key that was ended signs nothing. An honest registry refuses what it signs, and one that
// logs it is found out.
func TestDeadKey(t *testing.T) {
	next := func(t *testing.T) *record.Signer {
		s, err := record.NewSigner(bytes.Repeat([]byte{5}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	rotate := func(t *testing.T, f *fleet.Fleet) {
		t.Helper()
		old := signerOf(t, f, "SUD").Key()
		d := node.Draft{Kind: record.KeyRotated, Member: "SUD", Body: &record.KeyRotation{New: next(t).Key(), Old: old.ID()}}
		sub, err := f.Nodes["SUD"].Sign(d, true, next(t))
		if err == nil {
			_, err = f.Registry().Receive(t.Context(), []registry.Submission{sub})
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Settle()
	}
	t.Run("refused", func(t *testing.T) {
		f := begin(t, 15)
		rotate(t, f)
		id := says(t, f, "SUD", 3)
		rounds(f, 3, 0)
		is := act(t, f, "SUD", id)
		if is.State != outbox.Refused || is.RefusalCode != "key_not_valid" || is.Refusal == nil {
			t.Fatalf("%+v", is)
		}
		settled(t, f)
	})
	t.Run("logged", func(t *testing.T) {
		f := begin(t, 16)
		rotate(t, f)
		l := takeOver(t, f)
		sub := signed(t, f, "SUD", f.Account("SUD", 3))
		broken := l.log(sub.Envelope, sub.Body, sub.BodySalt, f.Clock.Now().UnixMilli())
		rounds(f, 2, 0)
		standsBefore(t, f, l, node.DeadKey, broken, true)
		for _, code := range fleet.Codes {
			if found := proof(t, f, code, alarm(t, f, code, node.DeadKey)); found.Kind != evidence.RevokedKey {
				t.Errorf("%s: %+v", code, found)
			}
		}
	})
}

// A record that is logged twice can be held once: everybody stops before it and shows it.
func TestReplaysARecord(t *testing.T) {
	for what, pause := range map[string]bool{"at once": false, "later": true} {
		t.Run(what, func(t *testing.T) {
			f := begin(t, 17)
			l := takeOver(t, f)
			sub := signed(t, f, "NOR", f.Account("NOR", 4))
			at := f.Clock.Now().UnixMilli()
			l.log(sub.Envelope, sub.Body, sub.BodySalt, at)
			want := l.size() - 1 // the newest signed head of which there can be everything
			if pause {
				rounds(f, 2, 0)
				want = l.size()
			}
			twice := l.log(sub.Envelope, sub.Body, sub.BodySalt, at)
			rounds(f, 2, 0)
			for _, code := range fleet.Codes {
				a := alarm(t, f, code, node.LoggedTwice)
				if found := proof(t, f, code, a); a.Index != twice || found.Kind != evidence.LoggedTwice || !accusesLog(found) {
					t.Errorf("%s: %+v, %+v", code, a, found)
				}
				if got := f.Nodes[code].Head().Size; got != want {
					t.Errorf("%s holds %d records, not %d", code, got, want)
				}
				if got := l.roles(code); len(got) > 0 {
					t.Errorf("%s has cosigned as %q what it cannot hold", code, got)
				}
			}
		})
	}
}

// A time before that of the record before it cannot be.
func TestTimeGoesBack(t *testing.T) {
	f := begin(t, 18)
	l := takeOver(t, f)
	now := f.Clock.Now().UnixMilli()
	var last int64
	for i, at := range []int64{now, now - 50} {
		sub := signed(t, f, "NOR", f.Account("NOR", int64(i)))
		last = l.log(sub.Envelope, sub.Body, sub.BodySalt, at)
	}
	rounds(f, 2, 0)
	for _, code := range fleet.Codes {
		a := alarm(t, f, code, node.FalseTime)
		if found := proof(t, f, code, a); a.Index != last || !accusesLog(found) || !strings.Contains(found.Sentence, "before it") {
			t.Errorf("%s: %+v, %+v", code, a, found)
		}
		if got := f.Nodes[code].Head().Size; got >= last {
			t.Errorf("%s holds %d records", code, got)
		}
		if got := l.roles(code); len(got) > 0 {
			t.Errorf("%s has cosigned as %q what it cannot hold", code, got)
		}
	}
}
