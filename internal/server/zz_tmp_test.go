// SPDX-License-Identifier: Apache-2.0

package server_test

import "testing"

func TestTmpWide(t *testing.T) {
	m := newMission(t)
	p := m.person(t, manner{lang: "prs", width: 390})
	p.role = "tmp"
	for _, path := range []string{"/desk", "/about", "/desk"} {
		p.address(path)
		p.Logf("%s %s", path, p.Str(`[innerWidth, innerHeight, outerWidth, document.documentElement.clientWidth, document.scrollingElement.scrollWidth, document.scrollingElement.scrollLeft, visualViewport.width, visualViewport.scale, visualViewport.offsetLeft, visualViewport.pageLeft, document.body.getBoundingClientRect().left, document.body.getBoundingClientRect().width].join(' ')`))
	}
}
