// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"slices"
	"strings"
	"testing"

	"truceline/record"
	"truceline/verify/verifytest"
)

// TestNoChangeIsHidden: a release that shows an older version of an account beside the newer
// one, or has another title, says so of each, in whatever order they stand.
func TestNoChangeIsHidden(t *testing.T) {
	l := newReleaseLog(t)
	of := func(kind record.Kind) int {
		return slices.IndexFunc(l.log.Entries, func(e verifytest.Entry) bool { return e.Statement.Kind == kind })
	}
	const low = "/claims[1]/low"
	older, newer := l.shows(t, of(record.AccountFiled), low), l.shows(t, of(record.AccountAmended), low)
	l.release(t, "EXERCISE one", record.ID{}, older)
	one := l.made[len(l.made)-1].ID
	var ids []record.ID
	for _, items := range [][]record.Disclosure{{newer, older}, {older, newer}, {newer}} {
		l.release(t, "EXERCISE two", one, items...)
		ids = append(ids, l.made[len(l.made)-1].ID)
	}
	h := l.handler(t, newSource(t, "lakes"), nil)
	for i, want := range []string{"added", "added", "changed"} {
		_, page, _ := strings.Cut(get(h, "/public/"+ids[i].String()+"?lang=en").Body.String(), `id="h-changes"`)
		page, _, _ = strings.Cut(page, "</section>")
		if !strings.Contains(page, "EXERCISE one") || strings.Count(page, "<tr>") != 3 || !strings.Contains(page, ">"+want+"<") {
			t.Errorf("%d: not the title and one field, which is %s: %s", i, want, page)
		}
	}
}
