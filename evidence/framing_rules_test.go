// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/evidence"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

func TestRevokedKeyFramed(t *testing.T) {
	w := newWorld(t, "key")
	spare := verifytest.Signer("spare of OMB")
	added, revoked := w.kind(record.KeyAdded), w.kind(record.KeyRevoked)
	used := w.file("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(spare))
	n := w.size()
	file := func(brought, ended, r int) []byte {
		return w.craft(evidence.RevokedKey, fields{"brought": w.proven(brought, n), "ended": w.proven(ended, n), "record": w.bareProven(r, n)})
	}
	if _, err := evidence.Check(file(added, revoked, used), w.options()); err != nil {
		t.Fatal(err)
	}
	w.refuse("a record from before the end", file(added, revoked, revoked-1), "not the order")
	w.refuse("the end itself", file(added, revoked, revoked), "not the order")
	w.refuse("the end before the key", file(added, added, used), "not the order")
	w.refuse("another key's record", file(added, revoked, used-1), "ends no key")
	w.refuse("another member's key", file(w.admission("watch"), revoked, used), "ends no key")
	w.refuse("no end", file(added, w.kind(record.ReportFiled), added+1), "not the order")
	w.refuse("a record that ends nothing", file(added, revoked+3, used), "ends no key")

	// A signature that is not by the key shows nothing of who holds it.
	w.log.Append(w.unsigned(w.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(spare))))
	n = w.size()
	w.refuse("a signature that is none", file(added, revoked, n-1), "ends no key")

	// A rotation ends the old key, and no other of the member's.
	two, three := verifytest.Signer("second of OMB"), verifytest.Signer("third of OMB")
	second := w.file("OMB", record.KeyAdded, &record.KeyAddition{Key: two.Key(), Member: "OMB"})
	rotated := w.file("OMB", record.KeyRotated, &record.KeyRotation{New: three.Key(), Old: spareID(w.Signer("OMB"))}, verifytest.SignedBy(w.Signer("OMB"), three))
	by2 := w.file("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(two))
	by3 := w.file("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(three))
	n = w.size()
	w.refuse("the key that was not rotated", file(second, rotated, by2), "ends no key")
	w.refuse("the key that came with the rotation", file(rotated, rotated, by3), "not the order")

	// What one member says of another's key ends nothing, even where it stands in the log.
	id := spareID(w.Signer("watch"))
	said := w.file("OMB", record.KeyRevoked, &record.KeyRevocation{Key: id, Member: "watch", Reason: "lost"})
	later := w.file("watch", record.AccountFiled, verifytest.Account(1))
	n = w.size()
	w.refuse("revoked by another", file(w.admission("watch"), said, later), "ends no key")

	// The body that says which key ends is the one committed to.
	p := w.proven(revoked, n)
	p.Line = strings.Replace(p.Line, `"reason":"lost"`, `"reason":"retired"`, 1)
	w.refuse("another body", w.craft(evidence.RevokedKey, fields{"brought": w.proven(added, n), "ended": p, "record": w.bareProven(used, n)}), "commits to")
	w.refuse("no body", w.craft(evidence.RevokedKey, fields{"brought": w.proven(added, n), "ended": w.bareProven(revoked, n), "record": w.bareProven(used, n)}), "body is missing")
}

func spareID(s *record.Signer) record.KeyID {
	k := s.Key()
	return k.ID()
}

func TestBrokenRuleFramed(t *testing.T) {
	w := newWorld(t, "rules")
	n := w.size()
	// Anybody can put another body into a line: it is signed by nobody.
	p := w.proven(10, n)
	p.Line = strings.Replace(p.Line, "shots were fired", "shots were heard", 1)
	w.refuse("another body", w.craft(evidence.BrokenRule, fields{"record": p, "rule": "body"}), "commits to")
	w.refuse("a good body", w.craft(evidence.BrokenRule, fields{"record": w.proven(10, n), "rule": "body"}), "has the form")

	// A body that is its member's own was never the log's to see.
	officer := w.NewID()
	w.file("clerk", record.OfficerEnrolled, &record.Enrolment{Officer: officer})
	f := w.File("clerk", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: officer}, verifytest.By(officer), verifytest.Bytes(`{"name":1}`))
	w.log.Append(f)
	w.refuse("an own body", w.craft(evidence.BrokenRule, fields{"record": w.proven(w.size()-1, w.size()), "rule": "body"}), "member's own")

	// Nor was one that is encrypted for those who may read it, in its box or in the clear.
	w.Epoch = record.ID{7}
	f = w.File("clerk", record.ReportFiled, &record.Report{Title: "t"}, verifytest.For(record.AudienceMembers), verifytest.Bytes(`{"name":1}`))
	w.log.Append(f)
	w.refuse("a box", w.craft(evidence.BrokenRule, fields{"record": w.proven(w.size()-1, w.size()), "rule": "body"}), "body is missing")
	w.log.Entries[w.size()-1].Box = nil
	w.refuse("what was in a box", w.craft(evidence.BrokenRule, fields{"record": w.proven(w.size()-1, w.size()), "rule": "body"}), "no log ever sees what it says")

	// What is of a later version is not broken.
	for what, edit := range map[string]func(map[string]json.RawMessage){
		"a later kind":      func(m map[string]json.RawMessage) { m["kind"] = json.RawMessage(`"hotline.rang"`) },
		"a later statement": func(m map[string]json.RawMessage) { m["v"] = json.RawMessage(`2`); m["more"] = json.RawMessage(`1`) },
		"later rules":       func(m map[string]json.RawMessage) { m["rules"] = json.RawMessage(`2`) },
		"a later audience":  func(m map[string]json.RawMessage) { m["audience"] = json.RawMessage(`"parties"`) },
	} {
		i := w.file("clerk", record.AccountFiled, verifytest.Account(1), verifytest.Members(edit))
		brought := w.proven(w.admission("clerk"), 20)
		for _, x := range []fields{
			{"rule": "envelope"}, {"rule": "origin"}, {"rule": "opening"},
			{"rule": "signature", "brought": brought}, {"rule": "member", "brought": brought}, {"rule": "mission", "opening": w.proven(0, 20)},
		} {
			x["record"] = w.bareProven(i, w.size())
			file := w.craft(evidence.BrokenRule, x)
			_, err := evidence.Check(file, w.options())
			later := errors.As(err, new(*evidence.IncompleteError))
			if err == nil || !later && (x["rule"] != "envelope" || !strings.Contains(err.Error(), "have their form")) {
				t.Errorf("%s as %v: %v", what, x["rule"], err)
			}
		}
	}
	_, err := evidence.Check(w.craft(evidence.BrokenRule, fields{"record": w.bareProven(10, n), "rule": "later"}), w.options())
	if !errors.As(err, new(*evidence.IncompleteError)) {
		t.Errorf("a rule that nobody knows: %v", err)
	}
	// A log that writes a member's record under the id of another's key shows nothing of that.
	w.log.Append(w.unsigned(w.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(w.Signer("watch")))))
	w.refuse("a signature that is none", w.craft(evidence.BrokenRule, fields{"record": w.bareProven(w.size()-1, w.size()), "rule": "member", "brought": w.proven(w.admission("watch"), 20)}), "no key that")

	// The key is the one that the log has, whatever the file says.
	p = w.proven(w.admission("clerk"), n)
	mine := verifytest.Signer("mine").Key()
	theirs := w.Signer("clerk").Key()
	p.Line = strings.Replace(p.Line, theirs.Public, mine.Public, 1)
	w.refuse("another key", w.craft(evidence.BrokenRule, fields{"record": w.bareProven(10, n), "rule": "signature", "brought": p}), "commits to")
}

func TestDroppedFramed(t *testing.T) {
	w := newWorld(t, "honest")
	n := w.size()
	// The hash of a node is no leaf, wherever it stands.
	node := tlog.NodeHash(w.leaf(10), w.leaf(11))
	hashes, err := w.tree().InclusionProof(10, int64(n))
	w.must(err)
	short, err := ledger.TLogProof{Index: 10, Hashes: hashes[1:], Checkpoint: w.head(n)}.Marshal()
	w.must(err)
	at5, err := ledger.TLogProof{Index: 5, Hashes: hashes[1:], Checkpoint: w.head(n)}.Marshal()
	w.must(err)
	fake := w.impostor()
	fake.log.Entries[10] = fake.log.Entries[11]
	leaf, other, elsewhere := w.leaf(10), w.leaf(11), fake.leaf(10)
	for what, x := range map[string]struct {
		leaf  tlog.Hash
		proof []byte
		why   string
	}{
		"it is there":      {leaf, w.proof(10, n, w.head(n)), "is there in the other tree too"},
		"another leaf":     {other, w.proof(10, n, w.head(n)), "not proved"},
		"another place":    {other, w.proof(11, n, w.head(n)), "the proof is of index 11"},
		"a node":           {node, short, "not proved"},
		"a node elsewhere": {node, at5, "the proof is of index 5"},
		"another log":      {elsewhere, fake.proof(10, n, fake.head(n)), "no verifiable signatures"},
	} {
		w.refuse(what, w.craft(evidence.Dropped, fields{"record": w.bareProven(10, 20), "leaf": x.leaf.String(), "other": string(x.proof)}), x.why)
	}
	w.refuse("no hash", w.craft(evidence.Dropped, fields{"record": w.bareProven(10, 20), "leaf": base64.StdEncoding.EncodeToString(leaf[:31]), "other": string(w.proof(10, n, w.head(n)))}), "not a hash")
}
