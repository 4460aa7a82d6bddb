// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	iNode "truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/record"
)

// amended files a statement, links it to an incident and amends it: 4 hurt, then 9, then
// 9 to 12.
func amended(t *testing.T) (d *deskSite, account, incident string) {
	t.Helper()
	d = newDesk(t)
	acc := d.newStatement().press("file").accountAt()
	in := nodetest.MustFile(t, d.node, nodetest.Incident(d.node, "A night on the lake"))
	nodetest.MustFile(t, d.node, iNode.Draft{Kind: record.IncidentLinked, Member: nodetest.Desk(d.node), Body: &record.Link{Claims: []int{1}, Reason: "test", Role: record.LinkAbout},
		Subjects: []record.Subject{{ID: acc, Role: record.RoleAccount}, {ID: in, Role: record.RoleIncident}}})
	for _, figure := range []string{"9", "9-12"} {
		d.open("desk", "/account/"+acc.String()+"/amend").fill("claim.1.figure", figure, "claim.1.words", "hurt: "+figure).press("file")
	}
	if err := d.node.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d, acc.String(), in.String()
}

func TestAmending(t *testing.T) {
	d := newDesk(t)
	acc := d.newStatement().fill("claim.3.element", "event", "claim.3.words", "third").press("file").accountAt().String()
	s := d.open("desk", "/account/"+acc+"/amend").says("An amendment cannot put the account into another mouth.", "Claims keep their numbers", "Told in", "Bulletin 7")
	if s.form.Get("claim.1.figure") != "4" || s.form.Get("start") != "2031-05-02" || s.form.Get("claim.2.words") != "a boat was rammed" || s.form.Get("rows") != "3" {
		t.Fatalf("filled in with %v", s.form)
	}
	s = s.press("check").says("Nothing is changed yet.")
	// What will change is shown before it is filed.
	s = s.fill("claim.1.figure", "40+", "claim.2.words", "two boats were rammed", "said_on", "2031-05-04", "claimant", "Somebody else").press("more")
	if !strings.HasPrefix(s.path, "/statement/draft/") {
		t.Errorf("kept at %s", s.path)
	}
	s = s.fill("claim.4.element", "event", "claim.4.words", "a fourth").press("check")
	s.says("This will be filed", "Was", "Is", "40+", "two boats were rammed", "2031-05-04", "added", "a fourth").lacks("Somebody else")
	// An old claim cannot move or go from the middle.
	for _, b := range s.page.all("button") {
		if v := b.attrs["value"]; v == "up.1" || v == "up.2" || v == "up.3" || v == "remove.1" || v == "remove.2" {
			t.Errorf("there is a button %s", v)
		}
	}
	f := maps.Clone(s.form)
	f["do"] = []string{"remove.1"}
	w := d.post("desk", s.path, f)
	if got := d.open("desk", w.Header().Get("Location")); got.form.Get("claim.1.figure") != "40+" {
		t.Error("claim 1 was removed all the same")
	}
	s = s.press("file").says("Filed:", "amended", "first version", "40+", "before: 4")
	s.lacks("Nothing is changed.")
	if s.accountAt().String() != acc {
		t.Errorf("it led to %s", s.path)
	}
	if drafts, _ := d.node.Office.Drafts(context.Background(), d.officer("desk")); len(drafts) != 0 {
		t.Errorf("drafts left: %v", drafts)
	}
	// The new claim, being the last, can go again.
	s = d.open("desk", "/account/"+acc+"/amend").press("remove.4").press("check").says("left out", "a fourth")
	s.press("file").says("left out")
}

func TestVersionsStayInSight(t *testing.T) {
	d, acc, in := amended(t)
	versions, err := d.node.Projection.Versions(context.Background(), parsed(t, acc))
	if err != nil || len(versions) != 3 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	s := d.open("", "/account/"+acc)
	s.says("9–12", "before: 4 → 9", "first version", "this version", "four hurt", "hurt: 9", "Was", "Is").lacks("What you may do")
	if got := strings.Count(s.page.words(), "first version"); got != 1 {
		t.Errorf("%d first versions", got)
	}
	old := d.open("", "/account/"+acc+"?version="+versions[0].Current.String()).says("An earlier version. In its place stands", "the version that stands", "four hurt")
	if got := claimsShown(old); !strings.Contains(got, "four hurt") || strings.Contains(got, "9") || strings.Contains(got, "before:") {
		t.Errorf("the first version shows %s", got)
	}
	d.open("desk", "/account/"+acc+"?version="+versions[0].Current.String()).lacks("What you may do")
	middle := d.open("", "/account/"+acc+"?version="+versions[1].Current.String())
	if got := claimsShown(middle); !strings.Contains(got, "before: 4") || strings.Contains(got, "12") {
		t.Errorf("the second version shows %s", got)
	}
	says(t, "no version", d.get("", "/account/"+acc+"?version="+strings.Repeat("0", 32)), 404, "The account has no version")
	says(t, "no version", d.get("", "/account/"+acc+"?version=x"), 404)
	// The incident's figure keeps its predecessor.
	w := d.get("", "/incident/"+in)
	says(t, "incident", w, 200, "9–12", "before: 4", "amended", "what changed")
	if !strings.Contains(w.Body.String(), "/account/"+acc+"?version="+versions[0].Current.String()+"#claim-1") {
		t.Error("the figure before does not lead to the version it stood in")
	}
}

// What one officer files while another has the form open does not go by the way.
func TestAmendedMeanwhile(t *testing.T) {
	d := newDesk(t)
	acc := d.newStatement().press("file").accountAt().String()
	mine := d.open("desk", "/account/"+acc+"/amend").fill("claim.1.figure", "5").press("save")
	d.open("desk", "/account/"+acc+"/amend").fill("claim.2.words", "two boats").press("file")
	size := d.size()
	mine = mine.press("file").says("The account was amended after this form was opened.", "Compare with the version that stands now")
	if d.size() != size {
		t.Fatal("it was filed all the same")
	}
	mine = mine.press("rebase").says("two boats", "a boat was rammed", "This will be filed").lacks("The account was amended after")
	mine.fill("claim.2.words", "two boats").press("check").lacks("a boat was rammed").press("file").says("Filed:", "two boats")
}

func TestLinkedClaimsStay(t *testing.T) {
	d, acc, _ := amended(t)
	s := d.open("desk", "/account/"+acc+"/amend").says("A link names it: it stays.")
	s = s.press("remove.2")
	s.fill("claim.1.element", "", "claim.1.measure", "", "claim.1.group", "", "claim.1.figure", "", "claim.1.words", "").press("check").
		says("A link names this claim: undo the link first.")
}

func TestUndoneAndWithdrawnStayInSight(t *testing.T) {
	d, acc, in := amended(t)
	versions, err := d.node.Projection.Versions(context.Background(), parsed(t, acc))
	if err != nil {
		t.Fatal(err)
	}
	f := map[string][]string{"record": {versions[2].Current.String()}, "reason": {"typed in the wrong window"}}
	if w := d.post("desk", "/do/act.undo", f); w.Code != 303 {
		t.Fatalf("undo: %d %s", w.Code, w.Body)
	}
	s := d.open("desk", "/account/"+acc).says("undone", "before: 4", "hurt: 9-12")
	if got := claimsShown(s); strings.Contains(got, "12") {
		t.Errorf("the account still shows %s", got)
	}
	d.open("", "/account/"+acc+"?version="+versions[2].Current.String()).says("This amendment was undone.")
	// Its successor takes the place of the one before it.
	d.open("desk", "/account/"+acc+"/amend").fill("claim.1.figure", "10").press("file").says("before: 4 → 9")
	if w := d.post("desk", "/do/account.withdraw", map[string][]string{"account": {acc}, "reason": {"filed twice"}}); w.Code != 303 {
		t.Fatalf("withdraw: %d %s", w.Code, w.Body)
	}
	d.open("desk", "/account/"+acc).says("withdrawn", "filed twice", "10", "before: 4 → 9").lacks("Amend")
	says(t, "the form for an account that was withdrawn", d.get("desk", "/account/"+acc+"/amend"), 200, "The rules stand against it:")
	says(t, "incident", d.get("", "/incident/"+in), 200, "withdrawn", "filed twice")
}

func parsed(t *testing.T, id string) record.ID {
	t.Helper()
	out, err := record.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
