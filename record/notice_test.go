// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"encoding/json"
	"strings"
	"testing"

	"truceline/record"
	"truceline/when"
)

// TestNoticeTellsNoVersion: there is no place in a notice for words or figures, so that
// nobody reads the complainant's version off it. What is in it are codes, which the door
// wants from the agreement, and days.
func TestNoticeTellsNoVersion(t *testing.T) {
	good := record.Notice{Invited: []string{"SUD"}, Places: []string{"ford"}, Types: []string{"shots"}, When: when.Span{Start: "2031-03-01", End: "2031-03-02"}, Severe: true}
	b, err := record.EncodeBody(&good)
	if err != nil {
		t.Fatal(err)
	}
	var fields any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(fields); err != nil || string(again) != string(b) {
		t.Fatalf("%s, %v", again, err)
	}
	texts, others := 0, 0
	// every puts words into one string of the notice at a time.
	var every func(v any, put func(any))
	every = func(v any, put func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				every(x, func(y any) { v[k] = y })
				v[k] = x
			}
		case []any:
			for i, x := range v {
				every(x, func(y any) { v[i] = y })
				v[i] = x
			}
		case string:
			texts++
			for _, words := range []string{"they fired first", "12 killed", "2031-03-01 at noon, they say", strings.Repeat("x", 300)} {
				put(words)
				b, err := json.Marshal(fields)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := record.ParseBody(record.NoticeFiled, b); err == nil {
					t.Errorf("a notice says %q: %s", words, b)
				}
			}
		default:
			if _, ok := v.(bool); !ok {
				t.Errorf("a notice has the value %v, which is neither a code, a day, nor yes or no", v)
			}
			others++
		}
	}
	every(fields, nil)
	if texts != 5 || others != 1 {
		t.Errorf("a notice has %d texts and %d other values: look whether a version fits into one of them", texts, others)
	}
	for _, more := range []string{`"note":"they fired first"`, `"killed":12`, `"label":"shots"`} {
		b := []byte(strings.Replace(string(b), `"places"`, more+`,"places"`, 1))
		if _, err := record.ParseBody(record.NoticeFiled, b); err == nil {
			t.Errorf("a notice takes %s", more)
		}
	}
	good.When.Note = "just before dawn, as they say"
	if good.Validate() == nil {
		t.Error("a notice takes a note on its time")
	}
}
