// SPDX-License-Identifier: Apache-2.0

package truceline_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every row of the threat model names a test that exists.
func TestThreatModelNamesTests(t *testing.T) {
	b, err := os.ReadFile("docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range goFiles(t) {
		if !f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				have[fn.Name.Name] = true
			}
		}
	}
	name := regexp.MustCompile(`\bTest[A-Z]\w+`)
	rows, risks := 0, false
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "|") {
			risks = false
			continue
		}
		if strings.HasPrefix(line, "| what |") || strings.HasPrefix(line, "|---") {
			risks = risks || strings.Contains(line, "| test |")
			continue
		}
		if !risks {
			continue
		}
		if rows++; !name.MatchString(line) {
			t.Errorf("docs/threat-model.md: this row names no test: %s", line)
		}
	}
	for _, n := range name.FindAllString(string(b), -1) {
		if !have[n] {
			t.Errorf("docs/threat-model.md names %s, and there is no such test", n)
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows name tests", rows)
	}
}
