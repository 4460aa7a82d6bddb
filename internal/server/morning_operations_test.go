// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"strings"
	"time"

	"github.com/chromedp/chromedp/kb"

	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/record"
)

// operationsMorning: four accounts of the queue are worked in the four ways that there are
// and all of it is taken back; two incidents are merged and one is divided, and both are
// taken back; somebody asks who says so.
func (p *person) operationsMorning() {
	p.signIn(office.RoleOperations)
	p.turn("the queue", func() { p.press(`main a[href^="/queue"]`) }, at("/queue")+` && `+there(`.queue-row`))
	before := p.queue()
	p.workTheQueue()
	p.turn("the queue", func() { p.press(`.work-nav a:not([rel])`) }, `location.pathname === '/queue'`)
	if after := p.queue(); after != before {
		p.Errorf("the queue was\n%s\nand is\n%s", before, after)
	}
	p.turn("what was found", func() { p.seek(p.mission.crowded()) }, at("/search"))
	p.turn("the incident", func() { p.press(`.search-incidents a`) }, at("/incident/")+` && `+seen(`.over bdi`, p.mission.crowded()))
	p.mergeAndUndo()
	p.divideAndUndo()
	p.whoSaysSo()
	p.notTheirs()
	p.endedElsewhere()
	p.Quiet("status of 401", "status of 403")
	p.Logf("%d clicks and keys", p.steps)
}

// crowded is the number of an incident of several accounts that another is near to.
func (m *mission) crowded() string {
	m.Helper()
	list, _, err := m.node.Projection.Incidents(context.Background(), projection.Filter{Class: []record.Class{record.ClassIncident}})
	if err != nil {
		m.Fatal(err)
	}
	for _, a := range list {
		for _, b := range list {
			if a.ID != b.ID && a.Accounts > 2 && a.When.First().Sub(b.When.First()).Abs() <= 48*time.Hour {
				return a.Number
			}
		}
	}
	m.Fatal("the example has no such incident")
	return ""
}

// queue is the queue as its list shows it.
func (p *person) queue() string {
	p.Helper()
	return p.Str(`[...document.querySelectorAll('.queue-parts .quiet')].map(e => e.textContent.trim()).join(' ') + '\n' +
		[...document.querySelectorAll('.queue-row')].map(e => e.querySelector('a').pathname + ' ' + e.innerText.replaceAll(/\s+/g, ' ')).join('\n')`)
}

// worked is the account on the workbench, and how many wait with it.
func (p *person) worked() string {
	p.Helper()
	return p.id() + " " + p.Str(`[...document.querySelectorAll('.work-nav > span bdi')].map(e => e.textContent).join('/')`)
}

// on does something that leads to another account.
func (p *person) on(what string, do func(), like string) (account string) {
	p.Helper()
	p.turn(what, do, at("/queue/")+` && `+there(`[data-queue]`)+` && `+like)
	return p.worked()
}

// workTheQueue links, opens, sets aside and puts off, and takes all back from the last to
// the first.
func (p *person) workTheQueue() {
	p.Helper()
	first := p.on("the first account", func() { p.press(`.filter-found a[href^="/queue/"]`) }, `true`)
	if p.Int(`document.querySelectorAll('#link input:checked').length`) != 0 {
		p.Error("an incident is ticked before the officer did it")
	}
	reason := `reason.` + p.Str(`document.querySelector('#link input[name="incident"]').value`)
	second := p.on("the second account", func() {
		if p.keyboard {
			p.keys("1")
		} else {
			p.press(`#link input[name="incident"]`)
		}
		if !p.has(`.candidate:first-child details[open]`) {
			p.press(`.candidate:first-child summary`)
		}
		p.write(reason, "same day and place, read by me")
		if p.keyboard {
			p.keys(kb.Enter)
		} else {
			p.press(`#link button[type="submit"]`)
		}
	}, there(`.last-form [name="record"]`))
	third := p.on("the third account", func() {
		p.openWay("n", "new")
		if p.value("label") == "" || p.value("start") == "" {
			p.Errorf("the new incident has no label or day: %q %q", p.value("label"), p.value("start"))
		}
		p.tabOrLook(`#new [name="reason"]`)
		p.writeIn(`#new [name="reason"]`, "nothing here fits it")
		p.send(`#new button[type="submit"]`)
	}, there(`.last-form [name="record"]`))
	fourth := p.on("the fourth account", func() {
		p.openWay("x", "aside")
		p.writeIn(`#aside [name="reason"]`, "says what somebody thinks")
		p.send(`#aside button[type="submit"]`)
	}, there(`.last-form [name="record"]`))
	fifth := p.on("the fifth account", func() {
		p.openWay("l", "later")
		p.writeIn(`#later [name="until"]`, p.Str(`document.querySelector('#later-days option').value`))
		p.writeIn(`#later [name="note"]`, "ask on the telephone")
		p.send(`#later button[type="submit"]`)
	}, there(`.last-form[action*="/takeup"]`))
	for _, x := range []struct{ what, want, form string }{{"put off", fourth, `/takeup`}, {"set aside", third, `/do/act.undo`}, {"opened", second, `/do/act.undo`}, {"linked", first, `/do/act.undo`}} {
		got := p.on(x.what+", taken back", func() {
			if p.keyboard {
				p.keys("u")
			} else {
				p.press(`.last-form[action*="` + x.form + `"] button`)
			}
		}, `location.pathname.includes('`+strings.Fields(x.want)[0]+`')`)
		// What waits is again as many as before.
		if got != x.want {
			p.Errorf("%s and taken back: the page shows %s, not %s", x.what, got, x.want)
		}
	}
	if fifth == fourth {
		p.Error("what was put off was shown again at once")
	}
	if p.has(`.last-form`) {
		p.Error("there is still something to take back")
	}
}

// openWay opens one of the other things that can be done with an account.
func (p *person) openWay(key, id string) {
	p.Helper()
	if p.keyboard {
		p.keys(key)
	} else {
		p.press(`#` + id + ` > summary`)
	}
	p.until(id, there(`#`+id+`[open]`))
}

// tabOrLook makes sure of what can only be seen.
func (p *person) tabOrLook(selector string) {
	p.Helper()
	if p.keyboard {
		p.tab(selector)
	}
	p.look(selector)
}

// send sends a form: by keyboard as people do, from the field where they are.
func (p *person) send(button string) {
	p.Helper()
	if p.keyboard {
		p.keys(kb.Enter)
	} else {
		p.press(button)
	}
}

// seek looks for something in the head of the page.
func (p *person) seek(words string) {
	p.Helper()
	if p.keyboard {
		p.keys("/")
		p.until("the search", `document.activeElement.matches('[data-find]')`)
		p.keys(words + kb.Enter)
		return
	}
	p.press(`[data-find]`)
	p.Do(paste(words))
	p.press(`.find-box button`)
}

// becauseOf fills in the reason that the page asks for and does what it is for.
func (p *person) becauseOf(reason, page, like string) {
	p.Helper()
	p.write("reason", reason)
	p.turn(reason, func() { p.press(`main form[method="post"] button[type="submit"]:not(.last-form *)`) }, at(page)+` && `+like)
}

// reasons tells whether the history of the page gives these reasons.
func (p *person) reasons(want ...string) {
	p.Helper()
	for _, reason := range want {
		if !p.Holds(seen(`.history .history-reason`, reason)) {
			p.Errorf("the history does not say %q", reason)
		}
	}
}

// matrixOf is what the page says of the facts.
func (p *person) matrixOf() string {
	p.Helper()
	return p.Str(`document.querySelector('.matrix')?.innerText ?? ''`)
}

func (p *person) mergeAndUndo() {
	p.Helper()
	page, before := "/incident/"+p.id(), p.matrixOf()
	p.turn("the form to merge", func() { p.press(`.acts a[href*="/merge"]`) }, at(page+"/merge"))
	p.press(`main input[name="into"]`)
	p.becauseOf("one night, one fight", page, there(`.title .wrong a.undo`))
	p.turn("the form to undo", func() { p.press(`.title .wrong a.undo`) }, at("/do/act.undo"))
	p.becauseOf("two nights after all", page, `!`+there(`.title .wrong`))
	if after := p.matrixOf(); after != before {
		p.Errorf("the facts were %s and are %s", before, after)
	}
	p.reasons("one night, one fight", "two nights after all")
}

func (p *person) divideAndUndo() {
	p.Helper()
	page, before := "/incident/"+p.id(), p.matrixOf()
	p.turn("the form to divide", func() { p.press(`.acts a[href*="/split"]`) }, at(page+"/split"))
	p.press(`main input[name="link"]`)
	p.becauseOf("two places", page, there(`.done a[href*="/do/act.undo"]`))
	if p.matrixOf() == before {
		p.Error("dividing changed nothing")
	}
	p.turn("the form to undo", func() { p.press(`.done a[href*="/do/act.undo"]`) }, at("/do/act.undo"))
	p.becauseOf("one place after all", page, `true`)
	if after := p.matrixOf(); after != before {
		p.Errorf("the facts were %s and are %s", before, after)
	}
	p.reasons("two places", "one place after all", "one night, one fight", "two nights after all")
}

// whoSaysSo leads from a figure to the signed record.
func (p *person) whoSaysSo() {
	p.Helper()
	p.press(`.matrix .cell summary:has(.figure)`)
	p.until("the claim", there(`.matrix .claim[open] .claim-body`))
	p.look("the claim")
	figure := p.Str(`document.querySelector('.matrix .claim[open] .figure').textContent`)
	p.turn("the account", func() { p.press(`.matrix .claim[open] .claim-foot a[href^="/account/"]`) }, at("/account/"))
	if !p.Holds(seen(`.claim-item:target .figure`, figure)) {
		p.Errorf("the claim that the figure %s leads to does not say it", figure)
	}
	p.turn("the signed record", func() { p.press(`.chain .proof`) }, at("/record/")+` && `+there(`[aria-labelledby="h-signed"] .digest`)+` && `+there(`.command code`))
}

// notTheirs: what another role does is refused, and the page says whose it is.
func (p *person) notTheirs() {
	p.Helper()
	for _, path := range []string{"/statement/new", "/imports"} {
		p.address(path)
		if !p.Holds(status(403)) || !p.Holds(seen(`main .wrong`, p.words.T("officer_role."+office.RoleDesk))) {
			p.Errorf("%s: %s", path, p.Str(`document.querySelector('main').innerText`))
		}
	}
}

// endedElsewhere: an administrator ends the sign-in from another device, and the officer's
// next step says so.
func (p *person) endedElsewhere() {
	p.Helper()
	p.turn("the desk", func() { p.press(`.nav a[href^="/desk"]`) }, at("/desk"))
	p.turn("own sign-ins", func() { p.press(`.who a`) }, at("/officers"))
	id := p.Str(`document.querySelector('[aria-labelledby="h-own"] code').textContent`)
	admin := p.mission.person(p.T, manner{lang: p.lang, width: 1440})
	admin.signIn(office.RoleAdministrator)
	admin.turn("the officers", func() { admin.press(`.who a`) }, at("/officers"))
	admin.turn("the officer", func() { admin.press(`a[href*="/officers/` + id + `"]`) }, at("/officers/"+id))
	admin.turn("the sign-in ended", func() { admin.press(`[aria-labelledby="h-signins"] form button`) }, at("/officers/"+id)+` && `+there(`.done[role="status"]`))
	admin.Quiet()
	p.turn("the desk", func() { p.press(`.nav a[href^="/desk"]`) }, at("/desk")+` && `+status(401)+` && `+seen(`main .wrong`, p.words.T("error.sign_in_ended")))
	if p.has(`.who form`) {
		p.Error("the page still shows somebody signed in")
	}
	p.steps += admin.steps
}
