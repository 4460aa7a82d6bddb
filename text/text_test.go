// SPDX-License-Identifier: Apache-2.0

package text

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestT(t *testing.T) {
	en, ok := All().Exact("en")
	if !ok {
		t.Fatal("no English")
	}
	xb, _ := All().Exact(Pseudo)
	for _, c := range []struct {
		l    *Locale
		key  string
		args []any
		want string
	}{
		{en, "counts.claims", []any{"n", 1}, isolateLTR + "1" + isolateEnd + " claim"},
		{en, "counts.claims", []any{"n", int64(0)}, isolateLTR + "0" + isolateEnd + " claims"},
		{en, "counts.claims", []any{"n", 12345678}, isolateLTR + "12,345,678" + isolateEnd + " claims"},
		{en, "sign.recorded_by", []any{"member", "the desk"}, "Recorded by the desk"},
		{en, "sign.recorded_by", []any{"member", "اردو"}, "Recorded by " + isolateFirst + "اردو" + isolateEnd},
		{xb, "sign.recorded_by", []any{"member", "the desk"}, rlm + "Ŕéçöŕðéð" + rlm + " " + rlm + "ƀý" + rlm + " " + rlm + isolateFirst + "the desk" + isolateEnd + rlm},
		{en, "sign.recorded_by", nil, "Recorded by " + Missing + "member"},
		{en, "no.such.key", nil, Missing + "no.such.key"},
	} {
		if got := c.l.T(c.key, c.args...); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.l.Tag, c.key, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 2025: "2025", 9999: "9999", 10000: "10,000", 123456: "123,456", 1234567: "1,234,567"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	en, _ := All().Exact("en")
	strip := strings.NewReplacer(isolateLTR, "", isolateEnd, "")
	for d, want := range map[time.Duration]string{
		-time.Second: "just now", 0: "0 seconds ago", time.Second: "1 second ago", 59 * time.Second: "59 seconds ago", time.Minute: "1 minute ago",
		90 * time.Minute: "1 hour ago", 47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago",
	} {
		if got := strip.Replace(en.Ago(d)); got != want {
			t.Errorf("Ago(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	for header, want := range map[string]string{"": "en", "en-GB": "en", "fr": "en", "*": "en", "bad;;header": "en", "zh, en;q=0.1": "en"} {
		if got := All().Match(header).Tag; got != want {
			t.Errorf("Match(%q) = %s, want %s", header, got, want)
		}
	}
	if slices.Contains(All().Tags(), Pseudo) {
		t.Error("the pseudo language is offered")
	}
}

func TestPseudoHasNoPlainLetter(t *testing.T) {
	xb, _ := All().Exact(Pseudo)
	if xb.Dir != "rtl" {
		t.Errorf("direction %s", xb.Dir)
	}
	holder := regexp.MustCompile(`\{[a-z_]+\}`)
	for key, m := range xb.messages {
		for _, s := range m.texts() {
			if regexp.MustCompile(`[A-Za-z]`).MatchString(holder.ReplaceAllString(s, "")) {
				t.Errorf("%s: %q", key, s)
			}
		}
	}
}

// TestCatalogues: every language has the keys and placeholders of English, sorted,
// and no marks of direction of its own.
func TestCatalogues(t *testing.T) {
	holder := regexp.MustCompile(`\{([a-z_]+)\}`)
	names := func(m message) []string {
		set := map[string]bool{}
		for _, s := range m.texts() {
			for _, x := range holder.FindAllStringSubmatch(s, -1) {
				set[x[1]] = true
			}
		}
		return slices.Sorted(maps.Keys(set))
	}
	en, _ := All().Exact("en")
	for _, tag := range All().Tags() {
		l, _ := All().Exact(tag)
		for _, key := range en.Keys() {
			m, ok := l.messages[key]
			if !ok {
				t.Errorf("%s: key %s is missing", tag, key)
			} else if !slices.Equal(names(m), names(en.messages[key])) {
				t.Errorf("%s: key %s has the placeholders %v", tag, key, names(m))
			}
		}
		for key, m := range l.messages {
			if !en.Has(key) {
				t.Errorf("%s: key %s is not English", tag, key)
			}
			for _, s := range m.texts() {
				if strings.ContainsAny(s, "<>&\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"+Missing) {
					t.Errorf("%s: %s holds markup or a mark of direction: %q", tag, key, s)
				}
			}
		}
		files, err := filepath.Glob("catalogue/" + tag + "/*.json")
		if err != nil || len(files) == 0 {
			t.Fatal(tag, files, err)
		}
		for _, file := range files {
			checkOrder(t, en, file)
		}
	}
}

// checkOrder: keys stand in order, and each once.
func checkOrder(t *testing.T, en *Locale, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	var order []string
	for depth := 0; ; {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 && en.Has(tok) {
				order = append(order, tok)
			}
		}
	}
	if !slices.IsSorted(order) {
		t.Errorf("%s: keys are not sorted", file)
	}
	if c := slices.Compact(slices.Clone(order)); len(c) != len(order) {
		t.Errorf("%s: a key is given twice", file)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no English":       {"catalogue/ur/a.json": {Data: []byte(`{}`)}},
		"unknown language": {"catalogue/en/a.json": {Data: []byte(`{}`)}, "catalogue/tlh/a.json": {Data: []byte(`{}`)}},
		"bad JSON":         {"catalogue/en/a.json": {Data: []byte(`{`)}},
		"bad form":         {"catalogue/en/a.json": {Data: []byte(`{"a": {"several": "x", "other": "y"}}`)}},
		"no other":         {"catalogue/en/a.json": {Data: []byte(`{"a": {"one": "x"}}`)}},
		"open placeholder": {"catalogue/en/a.json": {Data: []byte(`{"a": "x {n"}`)}},
		"empty":            {"catalogue/en/a.json": {Data: []byte(`{"a": ""}`)}},
		"key twice":        {"catalogue/en/a.json": {Data: []byte(`{"a": "x"}`)}, "catalogue/en/b.json": {Data: []byte(`{"a": "x"}`)}},
		"number":           {"catalogue/en/a.json": {Data: []byte(`{"a": 1}`)}},
	} {
		if _, err := load(files); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
