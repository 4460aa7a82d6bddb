// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"truceline/record"
)

// What a later version may say needs an update, and what no version says is wrong: the
// order is written in docs/formats/records.md.
func TestLaterVersions(t *testing.T) {
	b, err := statement(record.AccountFiled).Encode()
	if err != nil {
		t.Fatal(err)
	}
	with := func(members map[string]string) []byte {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for k, v := range members {
			if all[k] = json.RawMessage(v); v == "" {
				delete(all, k)
			}
		}
		out, err := record.Canonical(all)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	type edit = map[string]string
	for name, tt := range map[string]struct {
		members edit
		update  bool
	}{
		"version":                       {edit{"v": "2"}, true},
		"version, and unknown fields":   {edit{"v": "2", "new": "{}", "kind": "[]"}, true},
		"version 0":                     {edit{"v": "0"}, false},
		"version as text":               {edit{"v": `"2"`}, false},
		"version in capitals":           {edit{"V": "2", "v": ""}, false},
		"no version":                    {edit{"v": ""}, false},
		"unknown field":                 {edit{"new": "{}"}, false},
		"kind":                          {edit{"kind": `"hotline.sent"`}, true},
		"kind, with subjects":           {edit{"kind": `"hotline.sent"`, "subjects": `[{"id":"00000000000000000000000000000001","role":"seal"}]`}, true},
		"kind that is no code":          {edit{"kind": `"hotline sent"`}, false},
		"kind, and unknown field":       {edit{"kind": `"hotline.sent"`, "new": "{}"}, false},
		"kind version":                  {edit{"kind_v": "2", "supersedes": `"00000000000000000000000000000001"`}, true},
		"kind version 0":                {edit{"kind_v": "0"}, false},
		"critical extension":            {edit{"crit": `["x"]`, "ext": `{"x":""}`}, true},
		"critical, not there":           {edit{"crit": `["x"]`}, false},
		"commitment":                    {edit{"body": `{"alg":"list-sha256","commitment":["a"],"n":1}`}, true},
		"commitment, and unknown field": {edit{"body": `{"alg":"list-sha256"}`, "new": "1"}, false},
		"commitment without alg":        {edit{"body": `{"commitment":["a"]}`}, false},
		"commitment of another form":    {edit{"body": `{"alg":"hmac-sha256","commitment":["a"]}`}, false},
		"commitment's alg no code":      {edit{"body": `{"alg":"","commitment":["a"]}`}, false},
		"role":                          {edit{"subjects": `[{"id":"00000000000000000000000000000001","role":"seal"}]`}, false},
		"not canonical":                 {nil, false},
	} {
		in := with(tt.members)
		if tt.members == nil {
			in = []byte(strings.Replace(string(b), `"v":1`, `"v": 2`, 1))
		}
		_, err := record.ParseStatement(in)
		var update *record.UpdateError
		if err == nil || errors.As(err, &update) != tt.update || tt.update && !strings.Contains(err.Error(), "update needed") {
			t.Errorf("%s: update is %t, want %t: %v", name, update != nil, tt.update, err)
		}
	}
	// What goes with an audience that is not known is for an update to say; forms are not.
	readers := edit{"readers": `["DRN"]`}
	for audience, tt := range map[string]struct {
		members edit
		good    bool
	}{
		"friends":                {nil, true},
		"friends, of whom":       {readers, true},
		"friends, in no order":   {edit{"readers": `["b","a"]`}, false},
		"own":                    {nil, false},
		"named":                  {nil, false},
		"named, for whom":        {readers, true},
		"members":                {nil, true},
		"members, and for whom":  {readers, false},
		"members, another field": {edit{"reader": `"DRN"`}, false},
	} {
		name, _, _ := strings.Cut(audience, ",")
		all := edit{"audience": `"` + name + `"`}
		if name == "named" || name == "members" {
			all["body"] = `{"alg":"hmac-sha256-fields","commitment":"` + strings.Repeat("03", 32) + `"}`
		}
		maps.Copy(all, tt.members)
		if _, err := record.ParseStatement(with(all)); (err == nil) != tt.good || errors.As(err, new(*record.UpdateError)) {
			t.Errorf("audience %s: %v", audience, err)
		}
	}
	if _, err := record.ParseEnvelope([]byte(`{"new":1,"payloadType":"application/vnd.truceline.statement.v2+json"}`)); !errors.As(err, new(*record.UpdateError)) {
		t.Error("other fields:", err)
	}
	for kind, update := range map[string]bool{"statement.v2": true, "statement.v10": true, "statement.v0": false, "statement.v02": false, "statement.v1x": false, "other.v2": false} {
		_, err := record.ParseEnvelope([]byte(`{"payload":"","payloadType":"application/vnd.truceline.` + kind + `+json","signatures":[]}`))
		var got *record.UpdateError
		if errors.As(err, &got) != update {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A body of the largest depth fits its line, and a deeper one is no body.
func TestDepthOfBodies(t *testing.T) {
	nested := func(levels int) *record.Adoption {
		return &record.Adoption{Pack: json.RawMessage(strings.Repeat("[", levels) + "1" + strings.Repeat("]", levels)), Part: 1, Parts: 1, SHA256: record.Digest{1}, Version: 1}
	}
	b, err := record.EncodeBody(nested(14)) // the pack itself has depth 1
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.ParseBody(record.AgreementAdopted, b); err != nil {
		t.Error(err)
	}
	line := record.Line{Body: b, BodySalt: record.Digest{1}, Enc: record.EncPlain, Envelope: json.RawMessage("{}")}
	if _, err := line.Encode(); err != nil {
		t.Error(err)
	}
	if _, err := record.EncodeBody(nested(15)); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Error("written:", err)
	}
	deeper, err := record.Canonical(nested(15))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.ParseBody(record.AgreementAdopted, deeper); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Error("read:", err)
	}
}

// Nothing that somebody files moves the reader's cursor.
func TestNoControlCharacters(t *testing.T) {
	for _, bad := range []string{"\x00", "\b", "\r\n", "\x1b[2J", "\x7f", "\u0080", "\u009b31m"} {
		if _, err := record.EncodeBody(&record.Reason{Reason: "x" + bad}); err == nil || !strings.Contains(err.Error(), "control character") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"a\n\tb", "\u200c\u200d\u200f", "\u2028"} {
		if _, err := record.EncodeBody(&record.Reason{Reason: "x" + good}); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}
