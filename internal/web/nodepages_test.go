// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	mission "truceline/internal/node"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/quorum"
	"truceline/record"
	"truceline/text"
)

// nodePages are the pages that say anything of the node, in every state that they have.
func nodePages(s *webtest.Source) []string {
	list := []string{"/", "/nothing", "/ledger", "/alarms", "/alarms/none", "/record/0", "/record/" + s.All[0].ID.String(), "/account/" + s.All[0].ID.String() + "#desk",
		"/incident/" + s.List[0].ID.String() + "#operations", "/signin", "/desk#desk", "/outbox#desk", "/outbox", "/outbox?only=waiting#desk", "/outbox?only=refused#desk", "/outbox?before=2#desk", "/outbox?before=x#desk",
		"/outbox/" + record.ID{1}.String() + "#desk", "/outbox/" + boxID(7).String() + "#desk", "/outbox/zz#desk",
		"/imports#desk", "/imports/" + importID(0).String() + "#desk", "/officers/" + officerID(0).String() + "?waits=" + boxID(1).String() + "#administrator"}
	for i := range 6 {
		list = append(list, "/outbox/"+boxID(i+1).String()+"#desk", "/outbox/"+boxID(i+1).String()+"?kept=1#reader")
	}
	return list
}

// nodeStates puts a site into every state that shows on all pages.
func nodeStates(t *testing.T, name string) map[string]*nodeSite {
	out := map[string]*nodeSite{}
	site := func(state string, need int) *nodeSite {
		d := newNodeSite(t, name, need)
		out[state] = d
		return d
	}
	site("registry unwitnessed", 0)
	d := site("registry waiting", 2)
	d.nodes.standing.Hold, d.nodes.standing.Silent = web.HoldWitnesses, []string{d.source.TheAgreement.Members[0].Code, "outside.example"}
	d = site("registry behind", 1)
	d.nodes.standing.Hold = web.HoldBehind
	d.alarmAll()
	d = site("member", 2).member()
	members := d.source.TheAgreement.Members
	size := int64(len(d.source.Log))
	d.nodes.sign(size, 5, members[0].Code)
	d.nodes.sign(size-3, 7200, members[1].Code)
	d.nodes.cosigning.Witnessed = d.nodes.head(size-3, testNow/1000-8000, testNow/1000-7200, members[0].Code, members[1].Code)
	d.nodes.before, d.nodes.after = d.nodes.head(1, testNow/1000-9000, testNow/1000-8990, members[0].Code, members[1].Code), d.nodes.cosigning.Witnessed
	d = site("member cut off", 2).member()
	d.nodes.standing.Cut, d.nodes.standing.Contact = true, time.UnixMilli(testNow-3_600_000)
	d = site("member never reached, alarms", 2).member()
	d.nodes.standing.Cut = true
	d.nodes.standing.Restored = time.UnixMilli(testNow - 7_200_000)
	d.alarmAll()
	return out
}

// TestNodePagesAreWhole looks at every page in every state as a careful reader would.
func TestNodePagesAreWhole(t *testing.T) {
	for state, d := range nodeStates(t, "lakes") {
		t.Run(state, func(t *testing.T) {
			for _, path := range nodePages(d.source) {
				body := get(d, path).Body.String()
				if strings.Contains(body, text.Missing) {
					t.Errorf("%s: a text is missing", path)
				}
				page := parse(t, body)
				checkForeign(t, path, page)
				checkStructure(t, path, page)
				checkWords(t, path, get(d, in(text.Pseudo, path)).Body.String())
			}
		})
	}
}

func TestWhoseNodeItIs(t *testing.T) {
	d := newNodeSite(t, "lakes", 0)
	for _, path := range []string{"/", "/ledger", "/nothing", "/about", "/signin"} {
		w := get(d, path).Body.String()
		page := parse(t, w)
		if got := strip(page.all("header")[0].words()); !strings.Contains(got, "Registry's node") {
			t.Errorf("%s: its head does not say that it is the registry's: %s", path, got)
		}
		if got := strip(page.all("title")[0].words()); !strings.Contains(got, "Registry's node") {
			t.Errorf("%s: its title is %s", path, got)
		}
	}
	d.nodes.standing = web.Standing{Member: "QUI"}
	for _, path := range []string{"/", "/ledger", "/nothing"} {
		page := parse(t, get(d, path).Body.String())
		if got := strip(page.all("header")[0].words()); !strings.Contains(got, "Node of Quissen League") || strings.Contains(got, "Registry's node") {
			t.Errorf("%s: its head says %s", path, got)
		}
	}
}

// TestExerciseInEveryLanguage: the word stands there as it stands in the records, too.
func TestExerciseInEveryLanguage(t *testing.T) {
	d := newNodeSite(t, "lakes", 2)
	for _, lang := range text.All().Tags() {
		for _, path := range append(nodePages(d.source), "/about") {
			if body := get(d, in(lang, path)).Body.String(); !strings.Contains(body, "EXERCISE") {
				t.Errorf("%s in %s does not say EXERCISE", path, lang)
			}
		}
	}
}

func TestAlarmsAreUnmistakable(t *testing.T) {
	d := newNodeSite(t, "lakes", 2).member()
	for _, path := range nodePages(d.source) {
		if strings.Contains(get(d, path).Body.String(), `role="alert"`) && !strings.HasPrefix(path, "/statement") {
			t.Errorf("%s has a banner and nothing is wrong", path)
		}
	}
	d.says("/alarms", "noticed nothing wrong")
	d.alarmAll()
	for _, path := range nodePages(d.source) {
		page := parse(t, get(d, path).Body.String())
		var first *node // what the page begins with, after the link that skips
		for _, x := range page.all("body")[0].children {
			if x.name != "" && x.attrs["class"] != "skip" {
				first = x
				break
			}
		}
		if first.attrs["role"] != "alert" || len(first.all("svg")) == 0 {
			t.Fatalf("%s begins with <%s class=%q>", path, first.name, first.attrs["class"])
		}
		got := strip(first.words())
		// Of all that is wrong the gravest: what, when, about whom.
		for _, want := range []string{"Alarm:", "two different histories", "Noticed on 2026-07-02", "About: the registry.", "and 10 more"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the banner does not say %q: %s", path, want, got)
			}
		}
	}
	page := parse(t, get(d, "/alarms").Body.String())
	if n := len(page.all("article")); n != len(mission.AlarmKinds) {
		t.Errorf("%d alarms are listed", n)
	}
	d.says("/alarms", "About: Drunnow Commons.", "truceline verify evidence two_histories-00.json --key '"+vkey+"' --policy policy.txt --bound 120s", "withheld-07.json --key '"+vkey+"' --policy policy.txt --bound 120s --log ", "holds no file that would convince a stranger", "Record #9")
	for _, a := range page.all("article") {
		if h := a.all("h2"); len(h) != 1 || len(a.all("p")) < 4 {
			t.Errorf("an alarm says only %s", a.words())
		}
	}
}

func TestEvidenceIsAFile(t *testing.T) {
	d := newNodeSite(t, "durand", 2)
	d.alarmAll()
	w := get(d, "/alarms/two_histories-00.json")
	if w.Code != 200 || w.Body.String() != `{"evidence":"two_histories"}` || w.Header().Get("Content-Disposition") != `attachment; filename="two_histories-00.json"` ||
		w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Security-Policy") != web.Policy {
		t.Errorf("status %d, %v, %s", w.Code, w.Header(), w.Body)
	}
	for _, name := range []string{"none", "..%2f..%2fkeys%2flog.key", `x%22y`} {
		if w := get(d, "/alarms/"+name); w.Code != 404 || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
}

func TestCutOffAndWaiting(t *testing.T) {
	d := newNodeSite(t, "lakes", 2).member()
	d.saysNot("/", "Cut off", "No answer from the registry")
	d.nodes.standing.Cut, d.nodes.standing.Contact = true, time.UnixMilli(testNow-3_600_000)
	d.says("/", "Cut off from the registry since 2026-07-02 10:00:00 UTC.", "Newer records may be missing here.")
	d.saysNot("/", "What you file") // who only reads files nothing
	d.says("/#desk", "What you file is signed and waits here:")
	d.nodes.standing.Contact = time.Time{}
	d.says("/", "No answer from the registry since this node was started.")

	d.saysNot("/", "put back from a backup")
	d.nodes.standing.Restored = time.UnixMilli(testNow - 7_200_000)
	d.says("/", "This node was put back from a backup at 2026-07-02 09:00:00 UTC, and cosigns nothing for now.")

	d = newNodeSite(t, "lakes", 2)
	d.nodes.standing.Hold, d.nodes.standing.Silent = web.HoldWitnesses, []string{"QUI", "watch"}
	d.says("/", "This registry admits no records now.", "until enough witnesses have told", "Not heard yet: Quissen League, Lake Watch.")
	d.nodes.standing.Hold = web.HoldBehind
	d.says("/ledger", "This registry admits no records now.", "lacks what it has signed before")
}

// TestImportsNeedALine: without one a file can be checked and not taken in.
func TestImportsNeedALine(t *testing.T) {
	d := newNodeSite(t, "durand", 2).member()
	page := "/imports/" + importID(7).String() + "#desk" // checked, with good rows
	if got := get(d, page).Body.String(); !strings.Contains(got, `value="stop"`) {
		t.Fatal("the file cannot be taken in")
	}
	d.nodes.standing.Cut = true
	if got := get(d, page).Body.String(); strings.Contains(got, `value="stop"`) || strings.Contains(got, `value="skip"`) || !strings.Contains(got, `value="check"`) {
		t.Error("without a line the page offers to take the file in, or not to check it")
	}
	d.says(page, "There is no line to the registry now. A file can be checked;")
	d.says("/imports#desk", "There is no line to the registry now.")
	run := "/imports/" + importID(7).String() + "/run#desk"
	if w := post(d, run, url.Values{"do": {"stop"}}); w.Code != 409 {
		t.Errorf("it is taken in: %d", w.Code)
	}
	if w := post(d, run, url.Values{"do": {"check"}}); w.Code != 303 {
		t.Errorf("it is not checked: %d", w.Code)
	}
}

func TestWhoWatchesTheRecord(t *testing.T) {
	d := newNodeSite(t, "lakes", 3)
	size := int64(len(d.source.Log))
	d.nodes.sign(size, 40, "DRN", "OMB")
	d.nodes.sign(size-2, 7200, "QUI")
	d.nodes.cosigning.Witnessed = d.nodes.head(size-2, testNow/1000-7300, testNow/1000-7200, "DRN", "OMB", "QUI")
	d.says("/ledger",
		"Newest witnessed head "+fmt.Sprint(size-2)+" 2026-07-02 09:00:00 UTC 2 hours ago 2 records are not witnessed yet",
		"When at least 3 of these 5 have cosigned it:", "Drunnow Commons", "The registry's own witness never counts.",
		"One dishonest witness is enough", // three of five share one
		"It takes the silence of 3 witnesses", "does not watch itself", "https://qui.example", "curl -fsS "+baseURL+"/log/witnessed")
	row := func(member string) string {
		for _, tr := range parse(t, get(d, "/ledger").Body.String()).all("tr") {
			if code := tr.all("code"); len(code) > 0 && strings.Contains(tr.words(), "https://") && code[0].words() == member {
				return strip(tr.words())
			}
		}
		return ""
	}
	if got := row("QUI"); !holds(got, fmt.Sprintf("%d records 2 behind nothing newer since 2026-07-02 09:00:00 UTC, 2 hours ago", size-2)) {
		t.Errorf("who is behind: %s", got)
	}
	d.says("/ledger", fmt.Sprintf("all %d records signed on 2026-07-02 10:59:20 UTC, 40 seconds ago", size), "has signed nothing yet", "named on")

	d = newNodeSite(t, "lakes", 5)
	d.says("/ledger", "Whoever of these is silent, alone, keeps new records from being witnessed: Drunnow Commons, Ombrel Council, Quissen League, Lake Watch, Exercise clerks.",
		"Even if 4 witnesses, whichever they are, were dishonest")
	d = newNodeSite(t, "lakes", 1)
	d.says("/ledger", "The registry alone could show two people different records", "error: two quorums can be met without a witness in common", "Newest witnessed head none yet")
	d = newNodeSite(t, "lakes", 0)
	d.says("/ledger", "Nobody witnesses this record.", "rests on the registry alone")
	d.saysNot("/ledger", "When the record counts as witnessed")
}

// TestNestedPolicy: groups of groups are said as they are.
func TestNestedPolicy(t *testing.T) {
	d := newNodeSite(t, "lakes", 2)
	flat := d.nodes.cosigning.Policy.String()
	nested := strings.Replace(flat[:strings.Index(flat, "group")], "", "", 0) + "group sides 2 DRN OMB QUI\ngroup others 1 watch\ngroup all 2 sides others\nquorum all\n"
	p, err := quorum.Parse(nested)
	if err != nil {
		t.Fatal(err)
	}
	d.nodes.cosigning.Policy = p
	d.says("/ledger", "When at least 2 of these 2 have cosigned it:", "at least 2 of 3:", "at least 1 of 1:", "keeps new records from being witnessed: Lake Watch.", "Named and not needed: Exercise clerks.")
}

func TestWhenARecordWasLogged(t *testing.T) {
	d := newNodeSite(t, "lakes", 2)
	path := "/record/3"
	d.source.Log[3].ClaimedAt = testNow - 100_000
	d.nodes.sign(3, 200, "DRN", "OMB", "QUI")
	d.says(path, "The registry has signed that the record is in the log.", "no head without it was witnessed", "no head with it is witnessed yet", "Cosigned by nobody yet", "Not cosigned by Drunnow Commons, Ombrel Council")
	d.nodes.sign(4, 100, "DRN")
	d.says(path, "Cosigned by Drunnow Commons 2026-07-02 10:58:20 UTC", "Not cosigned by Ombrel Council, Quissen League", "Copy held by Drunnow Commons", "Rules found kept by Drunnow Commons")
	d.nodes.before, d.nodes.after = d.nodes.head(3, testNow/1000-200, testNow/1000-190, "DRN", "OMB"), d.nodes.head(5, testNow/1000-95, testNow/1000-90, "DRN", "QUI")
	d.says(path, "logged and witnessed", "not in the log yet on 2026-07-02 10:56:40 UTC", "in the log by 2026-07-02 10:58:30 UTC", "Cosigned by Drunnow Commons 2026-07-02 10:58:30 UTC Quissen League",
		"Not cosigned by Ombrel Council, Lake Watch, Exercise clerks")
	d.saysNot(path, "as a claim")
	// Within the bound on clocks, 120 s, nothing is said; beyond it, both ways.
	for _, c := range []struct {
		claimed int64
		says    string
	}{
		{testNow - 320_000, ""}, {testNow + 30_000, ""},
		{testNow - 320_001, "lies 2 minutes before the interval"}, {testNow - 7_400_000, "lies 2 hours before the interval"}, {testNow + 30_001, "lies 2 minutes after the interval"},
	} {
		d.source.Log[3].ClaimedAt = c.claimed
		got := d.words(path)
		if c.says == "" && strings.Contains(got, "the agreement lets clocks differ") || !strings.Contains(got, c.says) {
			t.Errorf("claimed %d ms before now: %s", testNow-c.claimed, got)
		}
	}
	for _, section := range parse(t, get(d, path).Body.String()).all("section") {
		if word := regexp.MustCompile(`\b(lie|lied|false|forged|fake|wrong)\b`).FindString(section.words()); word != "" && section.attrs["aria-labelledby"] == "h-when" {
			t.Errorf("a claim beside an interval is called %q", word)
		}
	}
	bare := newNodeSite(t, "lakes", 0)
	bare.says(path, "The agreement names no witnesses.")
	bare.saysNot(path, "Cosigned by")
}
