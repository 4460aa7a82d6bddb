// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// bothRelease lets both parties show to everybody what they told members: one proposes, the
// other consents, both reply. A reader checks it in a browser, and a file in which one byte
// was changed is refused in plain words.
func (x *blind) bothRelease(nor, sud *person) {
	nor.Helper()
	nor.turn("the incident", func() { nor.address("/incident/" + x.incident.String()) }, there(`main a[href*="/release/new"]`))
	nor.turn("the form of a release", func() { nor.press(`main a[href*="/release/new"]`) }, at("/release/new")+` && document.querySelectorAll('[name="show"]').length > 10`)
	nor.write("release_title", "EXERCISE: what both sides say of the ford")
	nor.Do(chromedp.Evaluate[chromedp.Void](`for (const e of document.querySelectorAll('[name="show"]')) e.checked = /claims\[0\]\/(words|low)$|\/places/.test(e.value)`))
	nor.look("release-form")
	nor.turn("the outbox", func() { nor.press(`main form.act button.main`) }, at("/outbox/"))
	x.fleet.Settle()
	list := x.nor.node.Proposals()
	if len(list) != 1 {
		nor.Fatalf("%d releases are proposed", len(list))
	}
	id, page := list[0].ID, "/release/"+list[0].ID.String()
	if code, body := x.nor.page("/releases", nil); code == 200 || strings.Contains(body, "both sides") {
		nor.Errorf("everybody gets what is proposed: status %d", code)
	}
	does := func(p *person, act string, fill func()) {
		p.Helper()
		p.turn("the release", func() { p.address(page) }, there(`main a[href*="/do/release.`+act+`"]`)+` && `+there(".exercise"))
		p.turn("the form", func() { p.press(`main a[href*="/do/release.` + act + `"]`) }, at("/do/release."+act))
		if fill != nil {
			fill()
		}
		p.turn("the outbox", func() { p.press(`main form.act button`) }, at("/outbox/"))
		x.fleet.Settle()
	}
	does(sud, "consent", nil)
	if nor.turn("the release", func() { nor.address(page) }, there(".standing")); nor.has(`main a[href*="/do/release.make"]`) {
		nor.Error("it is offered to be made before the parties have replied")
	}
	does(sud, "reply", func() { sud.write("text", "EXERCISE: nobody was hurt.") })
	does(nor, "reply", func() { nor.write("text", "EXERCISE: three are dead.") })
	nor.look("release")
	does(nor, "make", nil)
	x.fleet.Settle()

	x.nor.node.Sync(nor.Context())
	made, _, _ := x.nor.node.Proposal(id)
	public := "/public/" + made.Made.String()
	for _, word := range []string{x.words["NOR"], x.words["SUD"], "nobody was hurt", "three are dead"} {
		if code, body := x.nor.page(public, nil); code != 200 || !strings.Contains(body, word) {
			nor.Errorf("everybody gets the release with status %d, and %q is in it: %t", code, word, strings.Contains(body, word))
		}
	}
	if code, _ := x.nor.page("/incident/"+x.incident.String(), nil); code != 404 {
		nor.Errorf("everybody gets the incident with status %d", code)
	}
	checked := `document.getElementById('verify-result')?.dataset.outcome !== undefined`
	nor.turn("the release", func() { nor.address(public) }, there(`a[href*="/public/verify"]`)+` && `+there(".exercise"))
	nor.turn("its check", func() { nor.press(`a[href*="/public/verify"]`) }, at("/public/verify")+` && `+checked)
	said := nor.Str(`document.getElementById('verify-result').dataset.outcome + ' ' + document.getElementById('verify-result').innerText`)
	if !strings.HasPrefix(said, "OK ") || !strings.Contains(said, x.words["SUD"]) {
		nor.Errorf("the browser says: %s", said)
	}
	nor.look("release-checked")

	// One byte of what the other side said.
	code, file := x.nor.page(public+"/bundle", nil)
	if code != 200 || !strings.Contains(file, x.words["SUD"]) {
		nor.Fatalf("the file: status %d", code)
	}
	bad := filepath.Join(nor.TempDir(), "changed.json")
	if err := os.WriteFile(bad, bytes.Replace([]byte(file), []byte(x.words["SUD"]), []byte("X"+x.words["SUD"][1:]), 1), 0o600); err != nil {
		nor.Fatal(err)
	}
	nor.turn("the check of a file", func() { nor.address("/public/verify") }, there("#verify-file")+` && !document.getElementById('verify-form').hidden`)
	nor.Do(chromedp.SetUploadFiles(chromedp.CSS("#verify-file"), []string{bad}))
	nor.press("#verify-form button")
	nor.until("what the check says", checked)
	said = nor.Str(`document.getElementById('verify-result').dataset.outcome + ' ' + document.getElementById('verify-result').innerText`)
	if !strings.HasPrefix(said, "FAILED ") || !strings.Contains(said, "Do not rely on it") {
		nor.Errorf("the browser says of a changed file: %s", said)
	}
	nor.look("release-refused")
	nor.Quiet()
}
