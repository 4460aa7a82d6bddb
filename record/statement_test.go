// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"truceline/record"
	"truceline/when"
)

func TestStatementsOfEveryKind(t *testing.T) {
	if n := len(record.Kinds()); n != 45 {
		t.Fatalf("format version 1 has 45 kinds, not %d", n)
	}
	for _, k := range record.Kinds() {
		s := statement(k)
		b, err := s.Encode()
		if err != nil {
			t.Errorf("%s: %v", k, err)
			continue
		}
		if again, err := record.ParseStatement(b); err != nil || again.Kind != k {
			t.Errorf("%s: %v", k, err)
		}
		if k.HasBody() != (bodies()[k] != nil) {
			t.Errorf("%s: HasBody is %t", k, k.HasBody())
		}
		if s.Body == nil {
			s.Body = &record.BodyRef{Alg: record.BodyAlg, Commitment: record.Digest{1}}
		} else {
			s.Body = nil
		}
		if _, err := s.Encode(); err == nil {
			t.Errorf("%s: taken with the body the wrong way round", k)
		}
		for i := range needs[k] {
			s := statement(k)
			s.Subjects = slices.Delete(s.Subjects, i, i+1)
			if s.Validate() == nil {
				t.Errorf("%s: taken without the subject %s", k, needs[k][i])
			}
		}
	}
}

func TestStatementRefused(t *testing.T) {
	long := strings.Repeat("x", 65)
	for name, edit := range map[string]func(*record.Statement){
		"version":             func(s *record.Statement) { s.V = 2 },
		"no id":               func(s *record.Statement) { s.ID = record.ID{} },
		"no mission":          func(s *record.Statement) { s.Mission = record.ID{} },
		"origin with scheme":  func(s *record.Statement) { s.Origin = "https://a.example" },
		"origin with slash":   func(s *record.Statement) { s.Origin = "a.example/" },
		"origin in capitals":  func(s *record.Statement) { s.Origin = "A.example" },
		"origin too long":     func(s *record.Statement) { s.Origin = strings.Repeat("a", 256) },
		"no origin":           func(s *record.Statement) { s.Origin = "" },
		"no member":           func(s *record.Statement) { s.Member = "" },
		"member not a code":   func(s *record.Statement) { s.Member = "a b" },
		"member too long":     func(s *record.Statement) { s.Member = long },
		"audience":            func(s *record.Statement) { s.Audience = "-x" },
		"own audience":        func(s *record.Statement) { s.Audience = "own" },
		"negative time":       func(s *record.Statement) { s.ClaimedAt = -1 },
		"time too large":      func(s *record.Statement) { s.ClaimedAt = 1 << 53 },
		"no rules":            func(s *record.Statement) { s.Rules = 0 },
		"unknown kind":        func(s *record.Statement) { s.Kind = "hotline.sent" },
		"later kind version":  func(s *record.Statement) { s.KindVersion = 2 },
		"other commitment":    func(s *record.Statement) { s.Body.Alg = "sha256" },
		"no commitment":       func(s *record.Statement) { s.Body.Commitment = record.Digest{} },
		"critical extension":  func(s *record.Statement) { s.Crit, s.Ext = []string{"x"}, map[string]string{"x": "1"} },
		"extension key":       func(s *record.Statement) { s.Ext = map[string]string{"a b": "1"} },
		"subject without id":  func(s *record.Statement) { s.Subjects = []record.Subject{{Role: record.RoleReport}} },
		"unknown role":        func(s *record.Statement) { s.Subjects = []record.Subject{{ID: record.ID{1}, Role: "friend"}} },
		"role of other kinds": func(s *record.Statement) { s.Subjects = []record.Subject{{ID: record.ID{1}, Role: record.RoleLink}} },
		"role twice": func(s *record.Statement) {
			s.Subjects = []record.Subject{{ID: record.ID{1}, Role: record.RoleReport}, {ID: record.ID{2}, Role: record.RoleReport}}
		},
		"supersedes":              func(s *record.Statement) { s.Supersedes = record.ID{1} },
		"too long":                func(s *record.Statement) { s.Ext = map[string]string{"x": strings.Repeat("x", record.MaxStatement)} },
		"no kind":                 func(s *record.Statement) { s.Kind = "" },
		"kind version 0":          func(s *record.Statement) { s.KindVersion = 0 },
		"version 0":               func(s *record.Statement) { s.V = 0 },
		"commitment without name": func(s *record.Statement) { s.Body.Alg = "" },
		"role without name":       func(s *record.Statement) { s.Subjects = []record.Subject{{ID: record.ID{1}}} },
		"critical, not there":     func(s *record.Statement) { s.Crit = []string{"x"} },
		"critical, out of order": func(s *record.Statement) {
			s.Crit, s.Ext = []string{"y", "x"}, map[string]string{"x": "", "y": ""}
		},
	} {
		s := statement(record.AccountFiled)
		edit(s)
		if _, err := s.Encode(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	s := statement(record.AccountFiled)
	s.Ext = map[string]string{"later.thing": "kept"}
	if b, err := s.Encode(); err != nil {
		t.Error(err)
	} else if again, err := record.ParseStatement(b); err != nil || again.Ext["later.thing"] != "kept" {
		t.Error("an extension that is not critical is kept:", err)
	}
}

func TestBodies(t *testing.T) {
	for k, body := range bodies() {
		b, err := record.EncodeBody(body)
		if err != nil {
			t.Errorf("%s: %v", k, err)
			continue
		}
		if _, err := record.ParseBody(k, b); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
	if _, err := record.ParseBody(record.ClockTicked, []byte("{}")); err == nil {
		t.Error("clock.ticked has no body")
	}
	if _, err := record.ParseBody("x", []byte("{}")); err == nil {
		t.Error("an unknown kind has no body")
	}
	big := &record.Reason{Reason: strings.Repeat("x", record.MaxBody-len(`{"reason":""}`))}
	if b, err := record.EncodeBody(big); err != nil || len(b) != record.MaxBody {
		t.Error("the largest body:", err)
	}
	big.Reason += "x"
	if _, err := record.EncodeBody(big); err == nil {
		t.Error("a body of a byte too many was taken")
	}
	account := func(edit func(a *record.Account, c *record.Claim)) record.Body {
		n := int64(1)
		a := &record.Account{Claimant: record.Claimant{Kind: "k", Name: "n"}, Claims: []record.Claim{{Bound: "exact", Element: record.Harm, FirstHand: "no", High: &n, Low: &n, N: 1, Scope: record.ScopeIncident, Stance: "s"}}}
		edit(a, &a.Claims[0])
		return a
	}
	if account(func(*record.Account, *record.Claim) {}).Validate() != nil {
		t.Fatal("the account to spoil is spoilt")
	}
	bad := map[string]record.Body{
		"no claimant":      account(func(a *record.Account, _ *record.Claim) { a.Claimant.Name = "" }),
		"claimant kind":    account(func(a *record.Account, _ *record.Claim) { a.Claimant.Kind = "a b" }),
		"claimant party":   account(func(a *record.Account, _ *record.Claim) { a.Claimant.Party = "a b" }),
		"said on":          account(func(a *record.Account, _ *record.Claim) { a.SaidOn = "2026-02-30" }),
		"no claim":         account(func(a *record.Account, _ *record.Claim) { a.Claims = []record.Claim{} }),
		"claim number":     account(func(_ *record.Account, c *record.Claim) { c.N = 2 }),
		"element":          account(func(_ *record.Account, c *record.Claim) { c.Element = "x" }),
		"scope":            account(func(_ *record.Account, c *record.Claim) { c.Scope = "x" }),
		"stance":           account(func(_ *record.Account, c *record.Claim) { c.Stance = "" }),
		"measure":          account(func(_ *record.Account, c *record.Claim) { c.Measure = "a b" }),
		"group":            account(func(_ *record.Account, c *record.Claim) { c.Group = "a b" }),
		"subset":           account(func(_ *record.Account, c *record.Claim) { c.Subset = "a b" }),
		"place":            account(func(_ *record.Account, c *record.Claim) { c.Places = []string{""} }),
		"first hand":       account(func(_ *record.Account, c *record.Claim) { c.FirstHand = "perhaps" }),
		"when":             account(func(_ *record.Account, c *record.Claim) { c.When = when.Span{End: "2026"} }),
		"bound":            account(func(_ *record.Account, c *record.Claim) { c.Bound = "nearly" }),
		"no bound":         account(func(_ *record.Account, c *record.Claim) { c.Bound = "" }),
		"exact range":      account(func(_ *record.Account, c *record.Claim) { c.High = number(2) }),
		"exact without":    account(func(_ *record.Account, c *record.Claim) { c.High = nil }),
		"negative":         account(func(_ *record.Account, c *record.Claim) { c.Low, c.High = number(-1), number(-1) }),
		"too large":        account(func(_ *record.Account, c *record.Claim) { c.Low, c.High = number(1<<53), number(1<<53) }),
		"high below low":   account(func(_ *record.Account, c *record.Claim) { c.Bound, c.Low = "about", number(5) }),
		"at least no low":  account(func(_ *record.Account, c *record.Claim) { c.Bound, c.Low = "at_least", nil }),
		"at least a high":  account(func(_ *record.Account, c *record.Claim) { c.Bound = "at_least" }),
		"at most no high":  account(func(_ *record.Account, c *record.Claim) { c.Bound, c.High = "at_most", nil }),
		"at most a low":    account(func(_ *record.Account, c *record.Claim) { c.Bound = "at_most" }),
		"half a range":     account(func(_ *record.Account, c *record.Claim) { c.Bound, c.High = "range", nil }),
		"mission registry": &record.Mission{LogKey: "k", Registry: record.Admission{Code: "a", Name: "A", Role: record.PartyRole, Keys: []record.Key{key(1)}}, Title: "t"},
		"mission no key":   &record.Mission{LogKey: "k", Registry: record.Admission{Code: "a", Name: "A", Role: record.RegistryRole}, Title: "t"},
		"mission no title": &record.Mission{LogKey: "k", Registry: record.Admission{Code: "a", Name: "A", Role: record.RegistryRole, Keys: []record.Key{key(1)}}},
		"member role":      &record.Admission{Code: "a", Name: "A", Role: "king"},
		"member code":      &record.Admission{Code: "a b", Name: "A", Role: record.PartyRole},
		"member name":      &record.Admission{Code: "a", Role: record.PartyRole},
		"key twice":        &record.Admission{Code: "a", Name: "A", Role: record.PartyRole, Keys: []record.Key{key(1), key(1)}},
		"key algorithm":    &record.KeyAddition{Key: record.Key{Alg: record.AlgMLDSA44, Public: key(1).Public}, Member: "a"},
		"key member":       &record.KeyAddition{Key: key(1), Member: ""},
		"key loose base64": &record.KeyAddition{Key: record.Key{Alg: "ed25519", Public: strings.TrimSuffix(key(1).Public, "=")}, Member: "a"},
		"revocation":       &record.KeyRevocation{Member: "a", Reason: "whim"},
		"officer":          &record.Enrolment{},
		"part 0":           &record.Adoption{Pack: []byte("{}"), Part: 0, Parts: 1, SHA256: record.Digest{1}, Version: 1},
		"part beyond":      &record.Adoption{Pack: []byte("{}"), Part: 2, Parts: 1, SHA256: record.Digest{1}, Version: 1},
		"too many parts":   &record.Adoption{Pack: []byte("{}"), Part: 1, Parts: 1000, SHA256: record.Digest{1}, Version: 1},
		"no digest":        &record.Adoption{Pack: []byte("{}"), Part: 1, Parts: 1, Version: 1},
		"no title":         &record.Report{},
		"address":          &record.Report{Title: "t", URL: "javascript:1"},
		"address space":    &record.Report{Title: "t", URL: "https://a b"},
		"published":        &record.Report{Title: "t", PublishedOn: "yesterday"},
		"no reason":        &record.Reason{Reason: " \n"},
		"no file digest":   &record.Batch{Name: "a"},
		"negative rows":    &record.Batch{Name: "a", FileSHA256: record.Digest{1}, Rows: -1},
		"negative count":   &record.BatchEnd{Present: -1},
		"class":            &record.Opening{Class: "x", Label: "l", When: when.Span{Start: "2026"}},
		"no label":         &record.Opening{Class: "talks", When: when.Span{Start: "2026"}},
		"no time":          &record.Opening{Class: "talks", Label: "l"},
		"opening place":    &record.Opening{Class: "talks", Label: "l", Places: []string{"a b"}, When: when.Span{Start: "2026"}},
		"link no reason":   &record.Link{Role: "about"},
		"link role":        &record.Link{Reason: "r", Role: "x"},
		"link claims":      &record.Link{Claims: []int{2, 2}, Reason: "r", Role: "about"},
		"link claim 0":     &record.Link{Claims: []int{0}, Reason: "r", Role: "about"},
		"grade":            &record.Grade{Grade: "a b", Reason: "r", Source: "s"},
		"grade no source":  &record.Grade{Grade: "a", Reason: "r"},
	}
	k := key(1)
	bad["rotation to itself"] = &record.KeyRotation{New: k, Old: k.ID()}
	for name, b := range bad {
		if _, err := record.EncodeBody(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestEnvelope(t *testing.T) {
	var signers []*record.Signer
	for i := range 17 {
		seed := make([]byte, 32)
		seed[0] = byte(i)
		s, err := record.NewSigner(seed)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, s)
	}
	b, err := record.Seal(record.StatementType, []byte("x"), signers[:16]...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := record.ParseEnvelope(b)
	if err != nil || len(e.Signatures) != 16 {
		t.Fatal(err)
	}
	for _, sig := range e.Signatures {
		found := false
		for _, s := range signers {
			k := s.Key()
			found = found || k.ID() == sig.KeyID && k.Verify(record.PAE(e.Type, e.Payload), sig.Sig) && !k.Verify(record.PAE(record.RefusalType, e.Payload), sig.Sig)
		}
		if !found {
			t.Error("a signature verifies under no key, or under another type too")
		}
	}
	for name, s := range map[string][]*record.Signer{"none": nil, "17": signers, "twice": {signers[0], signers[0]}} {
		if _, err := record.Seal(record.StatementType, []byte("x"), s...); err == nil {
			t.Errorf("%s signers: taken", name)
		}
	}
	if _, err := record.Seal("text/plain", []byte("x"), signers[0]); err == nil {
		t.Error("a payload type that is not ours is taken")
	}
	one, _ := record.Seal(record.StatementType, []byte("x"), signers[0])
	for from, to := range map[string]string{`"payload":"eA=="`: `"payload":"eB=="`, `eA==`: `eA`, `"sig":"`: `"sig":"AA`, record.StatementType: "text/plain"} {
		if _, err := record.ParseEnvelope(bytes.Replace(one, []byte(from), []byte(to), 1)); err == nil {
			t.Errorf("%s for %s: taken", to, from)
		}
	}
	swapped := *e
	swapped.Signatures = slices.Clone(e.Signatures)
	slices.Reverse(swapped.Signatures)
	if _, err := swapped.Encode(); err == nil {
		t.Error("signatures out of order are taken")
	}
}

func TestRefusal(t *testing.T) {
	seed := make([]byte, 32)
	s, _ := record.NewSigner(seed)
	r := &record.Refusal{At: 5, Code: "no_right", Envelope: record.Digest{1}, Origin: "a.example", Reason: "because", Rules: 1, V: 1}
	b, err := record.SealRefusal(r, s)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := record.OpenRefusal(b, s.Key()); err != nil || *again != *r {
		t.Error(again, err)
	}
	if _, err := record.OpenRefusal(b, key(9)); err == nil {
		t.Error("verifies under another key")
	}
	st, _ := statement(record.ClockTicked).Encode()
	sealed, _ := record.Seal(record.StatementType, st, s)
	if _, err := record.OpenRefusal(sealed, s.Key()); err == nil {
		t.Error("a statement passes for a refusal")
	}
	e, _ := record.ParseEnvelope(b)
	if _, err := e.Statement(); err == nil {
		t.Error("a refusal passes for a statement")
	}
}

// TestWeakKeys shows that each key refused as weak is one under which anybody signs,
// without a private key.
func TestWeakKeys(t *testing.T) {
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		for _, sign := range []byte{0, 0x80} {
			pub, _ := hex.DecodeString(y)
			pub[31] |= sign
			k := record.Key{Alg: record.AlgEd25519, Public: base64.StdEncoding.EncodeToString(pub)}
			if k.Validate() == nil {
				t.Errorf("%x is taken", pub)
			}
			if (y[:2] == "01" || y[:2] == "ec") && sign != 0 {
				continue // x is 0: this spelling is no point at all
			}
			forged := false
			for i := range 100 { // R is the neutral point and S is 0: good for one message in 8 or more
				sig := make([]byte, ed25519.SignatureSize)
				sig[0] = 1
				forged = forged || k.Verify([]byte{byte(i)}, sig)
			}
			if !forged {
				t.Errorf("%x: no signature could be made up, so it is not what the table says", pub)
			}
		}
	}
	for _, y := range []string{"ed" + strings.Repeat("ff", 30) + "7f", "ee" + strings.Repeat("ff", 30) + "7f", strings.Repeat("ff", 32)} {
		pub, _ := hex.DecodeString(y)
		k := record.Key{Alg: record.AlgEd25519, Public: base64.StdEncoding.EncodeToString(pub)}
		if k.Validate() == nil {
			t.Errorf("%s is taken, which is not below 2^255-19", y)
		}
	}
	for i := range 50 {
		if k := key(byte(i)); k.Validate() != nil {
			t.Error("a good key is refused")
		}
	}
}

func TestIDs(t *testing.T) {
	id, err := record.NewID(bytes.NewReader(bytes.Repeat([]byte{0xab}, 16)))
	if err != nil || id.String() != strings.Repeat("ab", 16) {
		t.Error(id, err)
	}
	if _, err := record.NewID(bytes.NewReader(nil)); err == nil {
		t.Error("an id was drawn from nothing")
	}
	for _, s := range []string{"", "ab", strings.Repeat("AB", 16), strings.Repeat("ab", 17), strings.Repeat("zz", 16)} {
		if _, err := record.ParseID(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestLine(t *testing.T) {
	_, _, line := sample(t)
	l, err := record.ParseLine(line)
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*record.Line){
		"no envelope":      func(l *record.Line) { l.Envelope = nil },
		"negative index":   func(l *record.Line) { l.Index = -1 },
		"negative time":    func(l *record.Line) { l.LoggedAt = -1 },
		"body without enc": func(l *record.Line) { l.Enc = "" },
		"other enc":        func(l *record.Line) { l.Enc = "age" },
		"box with a salt":  func(l *record.Line) { l.Enc = record.EncBox },
		"enc without body": func(l *record.Line) { l.Body, l.BodySalt = nil, record.Digest{} },
		"box without body": func(l *record.Line) { l.Body, l.BodySalt, l.Enc = nil, record.Digest{}, record.EncBox },
		"salt alone":       func(l *record.Line) { l.Body, l.Enc = nil, "" },
		"body not JSON":    func(l *record.Line) { l.Body = []byte("x") },
		"empty body":       func(l *record.Line) { l.Body = []byte{} },
		"no body salt":     func(l *record.Line) { l.BodySalt = record.Digest{} },
	} {
		other := *l
		edit(&other)
		if b, err := other.Encode(); err == nil {
			t.Errorf("%s: %s", name, b)
		}
	}
	other := *l
	other.Body, other.BodySalt, other.Enc = nil, record.Digest{}, ""
	if _, err := other.Encode(); err != nil {
		t.Error("a line without the body:", err)
	}
	other.Body, other.Enc = []byte("{}"), record.EncBox // what is in it is for those who judge bodies
	b, err := other.Encode()
	if err != nil {
		t.Fatal("a line with a box:", err)
	}
	if again, err := record.ParseLine(b); err != nil || string(again.Body) != "{}" || again.Enc != record.EncBox {
		t.Error("a line with a box:", err)
	}
}
