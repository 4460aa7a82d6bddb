// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"

	"truceline/record"
)

// An area is a square on the map of its incident, and words beside it, in which the side is
// said to be undetermined; on the claim's page it stands in words too.
func TestAreasOnPages(t *testing.T) {
	s := newSource(t, "lakes")
	account := &s.All[0]
	incident := account.Links[0].Incident
	before := get(newHandler(t, s), "/incident/"+incident.String()).Body.String()
	account.Body.Claims[0].Area = &record.Area{LatE6: -44_400_000, LonE6: -128_800_000, SizeE6: 400_000, Side: record.SideUndetermined}
	h := newHandler(t, s)
	page := get(h, "/incident/"+incident.String()).Body.String()
	if strings.Contains(before, "side undetermined") || !strings.Contains(page, "side undetermined: a claimed line runs through it") {
		t.Error("the incident does not say that the side is undetermined")
	}
	if n := len(parse(t, page).all("rect")) - len(parse(t, before).all("rect")); n != 1 {
		t.Errorf("the map has %d squares more", n)
	}
	for _, want := range []string{"-44.4", "-44", "-128.8", "-128.4"} {
		if !strings.Contains(page, `<bdi dir="ltr">`+want+`</bdi>`) {
			t.Errorf("its edge %s is not told", want)
		}
	}
	if page := get(h, "/account/"+account.ID.String()).Body.String(); !strings.Contains(page, "side undetermined") {
		t.Error("the account's page does not tell the area")
	}
}
