// SPDX-License-Identifier: Apache-2.0

package vault_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnotherReading lets a second implementation, written from the page on the format
// alone, open the vector, and tell each way in which it can be another.
func TestAnotherReading(t *testing.T) {
	b, err := os.ReadFile("../testdata/vectors/sealed.json")
	if err != nil {
		t.Fatal(err)
	}
	turn := func(s string) string { // the first digit or letter of a kind that both alphabets have
		if s[0] == '1' {
			return "2" + s[1:]
		}
		return "1" + s[1:]
	}
	for name, tt := range map[string]struct {
		spoil func(v map[string]any)
		says  string
	}{
		"as it is":        {func(map[string]any) {}, "OK\n"},
		"other words":     {func(v map[string]any) { v["account"] = strings.Replace(v["account"].(string), "shots", "shouts", 1) }, "the commitment is another\nthe box holds something else\n"},
		"another nonce":   {func(v map[string]any) { v["nonce"] = turn(v["nonce"].(string)) }, "the commitment is another\nthe box holds something else\n"},
		"another member":  {func(v map[string]any) { v["member"] = "DRN" }, "the commitment is another\na share is bound to something else\n"},
		"another mission": {func(v map[string]any) { v["mission"] = turn(v["mission"].(string)) }, "the commitment is another\na share is bound to something else\n"},
		"another key":     {func(v map[string]any) { v["key"] = turn(v["key"].(string)) }, "shares that are enough do not give the key\nthe box does not open\n"},
		"another box":     {func(v map[string]any) { v["box"] = turn(v["box"].(string)) }, "the box does not open\n"},
		"one is enough":   {func(v map[string]any) { v["need"] = 1 }, "shares that are enough do not give the key\n"},
		"three are":       {func(v map[string]any) { v["need"] = 3 }, "fewer shares than are needed give the key\n"},
	} {
		var v map[string]any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		tt.spoil(v)
		spoilt, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "sealed.json")
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("node", "../scripts/check-sealed.mjs", path).CombinedOutput()
		if string(out) != tt.says || (err == nil) != (tt.says == "OK\n") {
			t.Errorf("%s: %v: %s, want %s", name, err, out, tt.says)
		}
	}
}
