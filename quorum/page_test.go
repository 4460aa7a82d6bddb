// SPDX-License-Identifier: Apache-2.0

package quorum_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"truceline/ledger"
	"truceline/quorum"
)

// The examples and the table of docs/formats/witness.md are what the program says.
func TestPage(t *testing.T) {
	b, err := os.ReadFile("../docs/formats/witness.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(b), "```")
	find := func(begin string) string {
		t.Helper()
		for i := 1; i < len(blocks); i += 2 {
			if text := strings.TrimPrefix(blocks[i], "\n"); strings.HasPrefix(text, begin) {
				return text
			}
		}
		t.Fatalf("no example begins with %q", begin)
		return ""
	}
	p, err := quorum.Parse(find("log "))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Check([]byte(find("exercise.")))
	if err != nil || !r.Witnessed || fmt.Sprint(r.Missing) != "[B]" || r.Cosigned[0].At != 1772323500 {
		t.Errorf("the head of the example: %+v, %v", r, err)
	}
	head, proved, _ := strings.Cut(find("old 5\n"), "\n\n")
	log, err := ledger.NewVerifier(p.Logs[0].VKey)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.ParseCheckpoint([]byte(proved), log)
	if err != nil || c != r.Checkpoint || strings.Count(head, "\n") == 0 {
		t.Errorf("the request of the example asks for %+v, %v", c, err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d) \| (\d) \| (\d) \| (\d) \| (\d) \|`).FindAllStringSubmatch(string(b), -1)
	if len(rows) != 7 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		var n [6]int
		for i := 1; i < 6; i++ {
			n[i], _ = strconv.Atoi(row[i])
		}
		report := kOfN(t, n[2], n[1]).Lint()
		if report.Shared != n[3] || report.Faults != n[4] || len(report.Stall.Sets[0])-1 != n[5] {
			t.Errorf("%s: %+v", row[0], report)
		}
	}
}
