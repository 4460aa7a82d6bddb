// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// TestFaults logs what no honest registry would, properly hashed and signed.
func TestFaults(t *testing.T) {
	const n = 40 // the index of the first record after the story
	tests := []struct {
		name  string
		spoil func(l *verifytest.Log)
		index int64
		layer verify.Layer
		says  string
	}{
		{"signed by a revoked key", func(l *verifytest.Log) {
			l.Append(l.Mission.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(verifytest.Signer("spare of OMB"))))
		}, n, verify.Envelope, "not valid at index 40: it signs from index 15 to before index 17"},
		{"signed by a rotated key", func(l *verifytest.Log) {
			l.Append(l.Mission.File("DRN", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(verifytest.Signer("story DRN"))))
		}, n, verify.Envelope, "not valid at index 40"},
		{"signed by another member's key", func(l *verifytest.Log) {
			l.Append(l.Mission.File("DRN", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(l.Mission.Signer("OMB"))))
		}, n, verify.Envelope, "is a key of OMB, and the statement is filed by DRN"},
		{"signed by a stranger", func(l *verifytest.Log) {
			l.Append(l.Mission.File("DRN", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(verifytest.Signer("nobody"))))
		}, n, verify.Envelope, "is not on the roster"},
		{"a signature of other bytes", func(l *verifytest.Log) {
			f := l.Mission.File("OMB", record.AccountFiled, verifytest.Account(1))
			e, err := record.ParseEnvelope(f.Envelope)
			if err != nil {
				t.Fatal(err)
			}
			e.Signatures[0].Sig[3] ^= 1
			if f.Envelope, err = e.Encode(); err != nil {
				t.Fatal(err)
			}
			l.Append(f)
		}, n, verify.Envelope, "does not verify"},
		{"signed by an officer alone", func(l *verifytest.Log) {
			f := l.Mission.File("watch", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(verifytest.Signer("officer of watch")))
			l.Append(f)
		}, n, verify.Envelope, "who did not file this"},
		{"key used before it was added", func(l *verifytest.Log) {
			spare := verifytest.Signer("spare of OMB")
			l.Entries = slices.Insert(l.Entries, 13, verifytest.Entry{
				Filing:   l.Mission.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(spare)),
				LoggedAt: l.Entries[13].LoggedAt, LeafSalt: l.Mission.Salt(),
			})
		}, 13, verify.Envelope, "is not on the roster"},
		{"rotation without the old key", func(l *verifytest.Log) {
			thief := verifytest.Signer("thief")
			old := l.Mission.Signer("OMB").Key()
			l.Append(l.Mission.File("OMB", record.KeyRotated, &record.KeyRotation{New: thief.Key(), Old: old.ID()}, verifytest.SignedBy(thief)))
		}, n, verify.Envelope, "no key of OMB's node signed"},
		{"key added by another member", func(l *verifytest.Log) {
			l.Append(l.Mission.File("OMB", record.KeyAdded, &record.KeyAddition{Key: verifytest.Signer("x").Key(), Member: "DRN"}))
		}, n, verify.Envelope, "OMB may not act on the keys of DRN"},
		{"member admitted by a member", func(l *verifytest.Log) {
			l.Append(l.Mission.File("OMB", record.MemberAdmitted, &record.Admission{Code: "pal", Name: "Pal", Role: record.PartyRole}))
		}, n, verify.Envelope, "OMB cannot admit the member pal"},
		{"another mission", func(l *verifytest.Log) {
			l.Append(l.Mission.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.Edit(func(s *record.Statement) { s.Mission = record.ID{9} })))
		}, n, verify.Envelope, "for the mission 09000000000000000000000000000000"},
		{"another origin", func(l *verifytest.Log) {
			l.Append(l.Mission.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.Edit(func(s *record.Statement) { s.Origin = "other.example" })))
		}, n, verify.Envelope, "for the log other.example"},
		{"second mission.opened", func(l *verifytest.Log) { l.Append(l.Mission.Opening()[0]) }, n, verify.Envelope, "does not open the mission"},
		{"no mission.opened", func(l *verifytest.Log) { l.Entries = l.Entries[1:] }, 0, verify.Envelope, "not mission.opened"},
		{"logged_at goes back", func(l *verifytest.Log) {
			l.Append(l.Mission.File("book", record.ClockTicked, nil))
			l.Entries[n].LoggedAt = l.Entries[n-1].LoggedAt - 1
		}, n, verify.Leaf, "logged_at goes back"},
		{"the same record twice", func(l *verifytest.Log) { l.Append(l.Entries[10].Filing) }, n, verify.Envelope, "already, at index 10"},
		{"the same id for another", func(l *verifytest.Log) {
			l.Append(l.Mission.File("clerk", record.AccountFiled, verifytest.Account(8), verifytest.Edit(func(s *record.Statement) { s.ID = l.Entries[10].ID() })))
		}, n, verify.Envelope, "its id stands for a record already, at index 10"},
		{"a kind its role may not file", func(l *verifytest.Log) {
			l.Append(l.Mission.File("OMB", record.IncidentOpened, verifytest.Incident("x")))
		}, n, verify.Rule, "no_right"},
		{"a code that is not in the agreement", func(l *verifytest.Log) {
			a := verifytest.Account(1)
			a.Claims[0].Stance = "shouts"
			l.Append(l.Mission.File("OMB", record.AccountFiled, a))
		}, n, verify.Rule, "not_in_agreement"},
		{"an account amended by another", func(l *verifytest.Log) {
			first := l.Entries[10].ID()
			l.Append(l.Mission.File("OMB", record.AccountAmended, verifytest.Account(1), verifytest.About(record.RoleAccount, first), verifytest.Supersedes(first)))
		}, n, verify.Rule, "no_right"},
		{"another body under the commitment", func(l *verifytest.Log) {
			l.Entries[10].Body, _ = record.EncodeBody(verifytest.Account(99))
		}, 10, verify.Body, "body_mismatch"},
		{"another envelope after hashing", nil, 10, verify.Leaf, "not the salted hash"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := story()
			var files memory
			if tt.spoil != nil {
				tt.spoil(l)
				files = memory(l.Files())
			} else {
				files = memory(l.Files())
				l.Entries[10].Filing = l.Mission.File("clerk", record.AccountFiled, verifytest.Account(99))
				files["records/000.p/40"] = memory(l.Files())["records/000.p/40"]
			}
			rules := tt.layer == verify.Rule
			r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: rules})
			if r.OK() || r.Problems[0].Index != tt.index || r.Problems[0].Layer != tt.layer || !strings.Contains(r.Problems[0].What, tt.says) {
				t.Fatalf("want record %d, %s, %q:\n%s", tt.index, tt.layer, tt.says, text(r))
			}
			if rules { // the other layers see nothing wrong with it
				if r := check(t, files, verify.Options{Key: l.Mission.LogKey}); !r.OK() {
					t.Error(text(r))
				}
				if r.ProblemCount != 1 {
					t.Errorf("one fault makes %d problems:\n%s", r.ProblemCount, text(r))
				}
			}
			// What the lower layers find the rules find too, whenever they can judge.
			if tt.layer == verify.Envelope {
				if r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true}); r.Layers[verify.Rule].Failed == 0 {
					t.Error("the rules let it pass:", text(r))
				}
			}
		})
	}
}

// TestSwapped exchanges what stands at two places, in each kind of file.
func TestSwapped(t *testing.T) {
	l := story()
	good := memory(l.Files())
	lines := bytes.SplitAfter(good["records/000.p/40"], []byte("\n"))
	swap := slices.Clone(lines)
	swap[8], swap[9] = swap[9], swap[8]
	salt := bytes.Replace(lines[9], []byte(`"leaf_salt":"`), []byte(`"leaf_salt":"ff`), 1)
	salt = append(salt[:bytes.Index(salt, []byte(`,"logged_at"`))-3], salt[bytes.Index(salt, []byte(`,"logged_at"`))-1:]...)
	entries := good["tile/entries/000.p/40"]
	size := 2 + ledger.LeafSize
	twisted := slices.Concat(entries[:size], entries[2*size:3*size], entries[size:2*size], entries[3*size:])
	other := story()
	other.Append(other.Mission.File("book", record.ClockTicked, nil))
	fork := story()
	fork.Entries[39] = other.Entries[40]
	for name, files := range map[string]map[string][]byte{
		"lines swapped":    {"records/000.p/40": bytes.Join(swap, nil)},
		"salt replaced":    {"records/000.p/40": bytes.Join(append(append(slices.Clone(lines[:9]), salt), lines[10:]...), nil)},
		"entries swapped":  {"tile/entries/000.p/40": twisted},
		"other checkpoint": {"checkpoint": fork.Checkpoint()},
		"longer log":       {"checkpoint": other.Checkpoint()},
		"line twice":       {"records/000.p/40": slices.Concat(good["records/000.p/40"], lines[39])},
		"no checkpoint":    {"checkpoint": nil},
		"empty checkpoint": {"checkpoint": {}},
	} {
		broken := memory{}
		for path, b := range good {
			broken[path] = b
		}
		for path, b := range files {
			broken[path] = b
		}
		if r := check(t, broken, verify.Options{Key: l.Mission.LogKey}); r.OK() {
			t.Errorf("%s: not found", name)
		}
	}
	if bytes.Equal(salt, lines[9]) || len(salt) != len(lines[9]) {
		t.Fatal("the salt was not replaced in place")
	}
}

// TestGaps leaves out what a reader may not have: nothing is wrong, and nothing that
// rests on it is called good.
func TestGaps(t *testing.T) {
	l := story()
	path := "records/000.p/40"
	lines := func(without ...int) []byte {
		var out []byte
		for i := range l.Entries {
			if !slices.Contains(without, i) {
				out = append(append(out, l.Line(i)...), '\n')
			}
		}
		return out
	}
	run := func(name string, bundle []byte, want map[verify.Layer]int64) {
		t.Helper()
		files := memory(l.Files())
		files[path] = bundle
		r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true})
		if !r.OK() || r.Complete() || !r.StateHash.IsZero() || !strings.Contains(r.Verdict(), "NOTHING WRONG in what was given") {
			t.Errorf("%s: %s", name, text(r))
		}
		for layer, n := range want {
			if r.Layers[layer].Unchecked != n {
				t.Errorf("%s: %s: %d could not be checked, not %d:\n%s", name, layer, r.Layers[layer].Unchecked, n, text(r))
			}
		}
	}
	// The last record missing touches nothing but itself; an earlier one may have changed keys.
	run("last", lines(39), map[verify.Layer]int64{verify.Leaf: 1, verify.Envelope: 1, verify.Body: 1, verify.Rule: 1})
	run("middle", lines(20), map[verify.Layer]int64{verify.Leaf: 1, verify.Envelope: 20, verify.Body: 1, verify.Rule: 20})
	run("all", nil, map[verify.Layer]int64{verify.Leaf: 40, verify.Envelope: 40, verify.Body: 40, verify.Rule: 40})

	without := func(i int) {
		l.Entries[i].Body = nil
	}
	without(10) // an account: its amendments and links rest on it, what becomes of those links, and their incident
	run("account's body", lines(), map[verify.Layer]int64{verify.Leaf: 0, verify.Envelope: 0, verify.Body: 1, verify.Rule: 7})
	l = story()
	without(37) // an account nobody refers to
	run("lone account's body", lines(), map[verify.Layer]int64{verify.Envelope: 0, verify.Body: 1, verify.Rule: 1})
	l = story()
	without(27) // batch.closed: all rows of the batch hang in the air
	run("batch end's body", lines(), map[verify.Layer]int64{verify.Envelope: 0, verify.Body: 1, verify.Rule: 2})
	l = story()
	without(17) // key.rotated
	run("key's body", lines(), map[verify.Layer]int64{verify.Leaf: 0, verify.Envelope: 23, verify.Body: 1, verify.Rule: 23})
	l = story()
	without(1) // the agreement: no key changes, no rule can be judged
	run("agreement's body", lines(), map[verify.Layer]int64{verify.Envelope: 0, verify.Body: 1, verify.Rule: 39})
	l = story()
	files := memory(l.Files())
	without(0)
	files[path] = lines()
	if r := check(t, files, verify.Options{}); r.OK() {
		t.Error("a key was found where mission.opened was not given")
	}
}

// TestEntriesMissing goes on with the tiles, and says that the entries are missing.
func TestEntriesMissing(t *testing.T) {
	l := story()
	files := memory(l.Files())
	delete(files, "tile/entries/000.p/40")
	r := check(t, files, verify.Options{Key: l.Mission.LogKey})
	if r.ProblemCount != 1 || r.Layers[verify.Leaf].Unchecked != 40 || r.Layers[verify.Envelope].Good != 40 {
		t.Error(text(r))
	}
	delete(files, "tile/0/000.p/40")
	if r := check(t, files, verify.Options{Key: l.Mission.LogKey}); r.ProblemCount != 3 {
		t.Error(text(r))
	}
}

func TestDetail(t *testing.T) {
	l := story()
	files := memory(l.Files())
	id := l.Entries[15].ID().String()
	for _, which := range []string{"15", id} {
		r := check(t, files, verify.Options{Key: l.Mission.LogKey, Record: which, Rules: true})
		d := r.Detail
		if d == nil || d.Index != 15 || d.Statement.Member != "OMB" || len(d.Keys) != 2 || d.Keys[0].Member != "OMB" || d.Layers[verify.Rule] != "good" || d.LoggedAt != l.Entries[15].LoggedAt {
			t.Fatal(text(r))
		}
		if s := text(r); !strings.Contains(s, "account.filed") || !strings.Contains(s, "Spokesman of the Council") {
			t.Error(s)
		}
	}
	if r := check(t, files, verify.Options{Key: l.Mission.LogKey, Record: "40"}); r.Outcome() != verify.Incomplete || !strings.Contains(text(r), "record 40 is not in this log") {
		t.Error(text(r))
	}
}

// TestHostileText shows nothing of a stranger's but visible characters.
func TestHostileText(t *testing.T) {
	l := story()
	a := verifytest.Account(1)
	a.Claimant.Name = "x\u202ey"
	l.Append(l.Mission.File("OMB", record.AccountFiled, a))
	files := memory(l.Files())
	files["a\x1b[31mb"] = nil
	s := text(check(t, files, verify.Options{Key: l.Mission.LogKey, Record: "40", Rules: true}))
	if strings.ContainsAny(s, "\x1b\u202e") {
		t.Errorf("%q", s)
	}
}
