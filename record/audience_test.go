// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"truceline/record"
)

// Every kind takes the audiences that its table gives it, and no other; readers stand
// exactly where somebody is named.
func TestAudiences(t *testing.T) {
	for _, k := range record.Kinds() {
		may := audiences[k]
		if may == nil {
			may = []string{"public"}
		}
		identity := strings.HasPrefix(string(k), "identity.") // may be for the filing member alone
		content := k == record.ReportFiled || k == record.AccountFiled || k == record.AccountAmended || identity
		if k.Content() != content || k.Own() != (k == record.OfficerNamed) {
			t.Errorf("%s: content is %t, own is %t", k, k.Content(), k.Own())
		}
		for _, audience := range []string{"public", "members", "mechanism", "named", "own"} {
			s := statement(k)
			s.Audience, s.Readers = audience, nil
			if s.Body != nil {
				s.Body.Alg = record.AlgFor(audience)
			}
			if audience == "named" {
				s.Readers = []string{"DRN"}
			}
			good := slices.Contains(may, audience)
			if b, err := s.Encode(); (err == nil) != good || k.MayHave(audience) != good {
				t.Errorf("%s for %s: MayHave is %t: %v", k, audience, k.MayHave(audience), err)
			} else if again, err := record.ParseStatement(b); good && (err != nil || !slices.Equal(again.Readers, s.Readers)) {
				t.Errorf("%s for %s: %v", k, audience, err)
			}
			if boxed := content && good && audience != "public"; good && s.Boxed() != boxed {
				t.Errorf("%s for %s: Boxed is %t", k, audience, s.Boxed())
			}
			if s.Readers = []string{"DRN"}; audience == "named" {
				s.Readers = nil
			}
			if (s.Validate() == nil) != (audience == "named" && identity) {
				t.Errorf("%s for %s: taken with readers the wrong way round", k, audience)
			}
		}
	}
	s := statement(record.AccountFiled)
	if s.Audience = "friends"; s.Validate() != nil || s.Boxed() {
		t.Error("what an audience means that is not known is for an update")
	}
	if len(record.Audiences) != 5 {
		t.Error("the audiences are", record.Audiences)
	}
}

func TestReaders(t *testing.T) {
	many := make([]string, record.MaxReaders+1)
	for i := range many {
		many[i] = fmt.Sprintf("m%02d", i)
	}
	for name, tt := range map[string]struct {
		readers []string
		good    bool
	}{
		"one":                {[]string{"DRN"}, true},
		"in order":           {[]string{"DRN", "mon"}, true},
		"as many as may be":  {many[1:], true},
		"one too many":       {many, false},
		"out of order":       {[]string{"mon", "DRN"}, false},
		"twice":              {[]string{"DRN", "DRN"}, false},
		"not a code":         {[]string{"a b"}, false},
		"the filing member":  {[]string{"DRN", "OMB"}, false},
		"the audience alone": {nil, false},
	} {
		s := statement(record.AccountFiled)
		s.Audience, s.Readers, s.Body.Alg = record.AudienceNamed, tt.readers, record.FieldsAlg
		if err := s.Validate(); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A statement to one member that names no more readers than may be stays within its bound.
func TestReadersFit(t *testing.T) {
	s := statement(record.AccountAmended)
	s.Audience, s.Member, s.Body.Alg = record.AudienceNamed, strings.Repeat("z", 64), record.FieldsAlg
	for i := range record.MaxReaders {
		s.Readers = append(s.Readers, fmt.Sprintf("%s%02d", strings.Repeat("m", 62), i))
	}
	if _, err := s.Encode(); err != nil {
		t.Error(err)
	}
}

func TestAudienceBodies(t *testing.T) {
	long := "age1pq1" + strings.Repeat("q", 1800)
	keyed := func(edit func(*record.Epoch)) *record.Epoch {
		e := &record.Epoch{Audience: "members", Key: ageFile, Readers: []string{"DRN", "OMB"}}
		edit(e)
		return e
	}
	shared := func(edit func(*record.Handover)) *record.Handover {
		h := &record.Handover{Epochs: []record.ID{{1}, {2}}, Keys: ageFile, Member: "OMB"}
		edit(h)
		return h
	}
	for name, b := range map[string]record.Body{
		"for members": keyed(func(*record.Epoch) {}), "for the mechanism": keyed(func(e *record.Epoch) { e.Audience = "mechanism" }), "for one": keyed(func(e *record.Epoch) { e.Readers = []string{"OMB"} }),
		"shared": shared(func(*record.Handover) {}), "one shared": shared(func(h *record.Handover) { h.Epochs = []record.ID{{1}} }),
		"recipient": &record.Recipient{Age: long}, "longest recipient": &record.Recipient{Age: "age1pq1" + strings.Repeat("q", 4096-7)},
	} {
		if _, err := record.EncodeBody(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string]record.Body{
		"for everybody":      keyed(func(e *record.Epoch) { e.Audience = "public" }),
		"for nobody":         keyed(func(e *record.Epoch) { e.Audience = "own" }),
		"no reader":          keyed(func(e *record.Epoch) { e.Readers = []string{} }),
		"readers not sorted": keyed(func(e *record.Epoch) { e.Readers = []string{"OMB", "DRN"} }),
		"reader twice":       keyed(func(e *record.Epoch) { e.Readers = []string{"OMB", "OMB"} }),
		"no key":             keyed(func(e *record.Epoch) { e.Key = "" }),
		"key not age":        keyed(func(e *record.Epoch) { e.Key = base64Of(200) }),
		"key loosely":        keyed(func(e *record.Epoch) { e.Key = ageFile + "\n" }),
		"shared with nobody": shared(func(h *record.Handover) { h.Member = "" }),
		"no epoch":           shared(func(h *record.Handover) { h.Epochs = []record.ID{} }),
		"epoch zero":         shared(func(h *record.Handover) { h.Epochs = []record.ID{{}, {1}} }),
		"epochs not sorted":  shared(func(h *record.Handover) { h.Epochs = []record.ID{{2}, {1}} }),
		"epoch twice":        shared(func(h *record.Handover) { h.Epochs = []record.ID{{1}, {1}} }),
		"keys not age":       shared(func(h *record.Handover) { h.Keys = base64Of(64) }),
		"recipient of X25519": &record.Recipient{
			Age: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"},
		"recipient in capitals":   &record.Recipient{Age: strings.ToUpper(long)},
		"recipient not of bech32": &record.Recipient{Age: long + "b"},
		"recipient cut short":     &record.Recipient{Age: long[:100]},
		"recipient too long":      &record.Recipient{Age: "age1pq1" + strings.Repeat("q", 4097-7)},
	} {
		if _, err := record.EncodeBody(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestBox(t *testing.T) {
	b, err := box().Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.ParseBox(b)
	if err != nil || again.Body != box().Body || !slices.Equal(again.Wraps, box().Wraps) {
		t.Errorf("%+v: %v", again, err)
	}
	full := box()
	for i := range record.MaxWraps - 2 {
		full.Wraps = append(full.Wraps, record.Wrap{Epoch: record.ID{byte(i + 3)}, Key: base64Of(72)})
	}
	if _, err := full.Encode(); err != nil {
		t.Error("as many wraps as may be:", err)
	}
	large := box()
	room := record.MaxBody - len(b) + len(large.Body)
	large.Body = base64Of(room / 4 * 3)
	if _, err := large.Encode(); err != nil {
		t.Error("the largest:", err)
	}
	for name, edit := range map[string]func(*record.Box){
		"other alg":      func(b *record.Box) { b.Alg = "age" },
		"body too short": func(b *record.Box) { b.Body = base64Of(51) },
		"body loosely":   func(b *record.Box) { b.Body = strings.TrimRight(b.Body, "=") },
		"too large":      func(b *record.Box) { b.Body = base64Of(room/4*3 + 3) },
		"no wrap":        func(b *record.Box) { b.Wraps = []record.Wrap{} },
		"too many wraps": func(b *record.Box) {
			b.Wraps = append(full.Wraps[:8:8], record.Wrap{Epoch: record.ID{9}, Key: base64Of(72)})
		},
		"wrap of no epoch": func(b *record.Box) { b.Wraps[0].Epoch = record.ID{} },
		"wraps not sorted": func(b *record.Box) { slices.Reverse(b.Wraps) },
		"epoch twice":      func(b *record.Box) { b.Wraps[1].Epoch = b.Wraps[0].Epoch },
		"wrap too short":   func(b *record.Box) { b.Wraps[0].Key = base64Of(71) },
		"wrap too long":    func(b *record.Box) { b.Wraps[0].Key = base64Of(73) },
		"wrap loosely":     func(b *record.Box) { b.Wraps[0].Key = "\n" + b.Wraps[0].Key[1:] },
	} {
		x := box()
		edit(x)
		if _, err := x.Encode(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for _, s := range []string{"", "{}", " " + string(b), strings.Replace(string(b), `"alg"`, `"ALG"`, 1), strings.Replace(string(b), `"wraps":[`, `"wraps":[{},`, 1)} {
		if _, err := record.ParseBox([]byte(s)); err == nil {
			t.Errorf("%s: taken", s)
		}
	}
}

// What is not for everybody commits to its fields one by one, and all else to the whole.
func TestAlgFollowsAudience(t *testing.T) {
	for audience, alg := range map[string]string{"public": "hmac-sha256", "members": "hmac-sha256-fields", "mechanism": "hmac-sha256-fields", "named": "hmac-sha256-fields", "own": "hmac-sha256"} {
		if record.AlgFor(audience) != alg {
			t.Errorf("%s: %s", audience, record.AlgFor(audience))
		}
	}
	for _, k := range []record.Kind{record.AccountFiled, record.NoticeFiled, record.OfficerNamed} {
		for _, audience := range record.Audiences {
			s := statement(k)
			if s.Audience = audience; !k.MayHave(audience) {
				continue
			}
			if audience == record.AudienceNamed {
				s.Readers = []string{"DRN"}
			}
			for _, alg := range []string{record.BodyAlg, record.FieldsAlg} {
				if s.Body.Alg = alg; (s.Validate() == nil) != (alg == record.AlgFor(audience)) {
					t.Errorf("%s for %s by %s: %v", k, audience, alg, s.Validate())
				}
			}
		}
	}
}
