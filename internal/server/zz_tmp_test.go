// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"truceline/internal/office"
)

func TestTmpFill(t *testing.T) {
	m := newMission(t)
	for range 6 {
		t.Run("x", func(t *testing.T) {
			p := m.person(t, manner{lang: "en", width: 1440})
			p.signIn(office.RoleDesk)
			p.turn("an empty form", func() { p.press(`main a[href^="/statement/new"]`) }, at("/statement/new"))
			p.Do(logKeys)
			p.fillIn(m.paper(1, "en"))
		})
	}
}

var logKeys = chromedp.Evaluate[chromedp.Void](`window.log=[]; for (const t of ['keydown','keyup','change','focusin','pointerdown','click']) addEventListener(t, e => log.push(t+' '+(e.key??'')+' '+(e.target.name??e.target.localName)+(e.defaultPrevented?' prevented':'')))`)
