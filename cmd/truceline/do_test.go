// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/internal/office"
)

// The demonstration has one link per role; each opens that officer's desk, and works
// again after a second start has made new ones.
func TestDemoLinks(t *testing.T) {
	dir := t.TempDir() + "/demo"
	args := []string{"demo", "--no-exercise", "--data", dir, "--listen", "127.0.0.1:0", "--example", "lakes"}
	var old string
	for round := range 2 {
		p := start(t, args...)
		f := readDemoFile(t, dir)
		if len(f.SignIn) != len(office.Roles) {
			t.Fatalf("demo.json has links for %d roles", len(f.SignIn))
		}
		for _, role := range office.Roles {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			c := &http.Client{Jar: jar}
			for range 2 { // a demonstration's links work again and again
				resp, err := c.PostForm(f.SignIn[role], nil)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/desk" {
					t.Errorf("round %d, %s: %d at %s", round, role, resp.StatusCode, resp.Request.URL)
				}
			}
		}
		if round > 0 {
			status, _ := get(t, strings.Replace(old, regexp.MustCompile(`^http://[^/]*`).FindString(old), p.url, 1))
			if status != http.StatusGone {
				t.Errorf("the link of an earlier start: %d", status)
			}
		}
		old = f.SignIn[office.RoleDesk]
		p.stop(t)
	}
	out := must(t, "officer", "list", "--data", dir)
	if strings.Count(out, "Example") != len(office.Roles) {
		t.Errorf("officers: %s", out)
	}
}

// The command line does the same acts as the pages, by the same rules.
func TestDo(t *testing.T) {
	dir := t.TempDir() + "/demo"
	start(t, "demo", "--no-exercise", "--data", dir, "--listen", "127.0.0.1:0", "--example", "lakes").stop(t)
	list := must(t, "do")
	for _, a := range acts.All() {
		if strings.Contains(list, a.Name+" ") == (a.Local || a.Job) {
			t.Errorf("act %s listed: %t", a.Name, strings.Contains(list, a.Name))
		}
	}
	if help := must(t, "do", "incident.merge"); !strings.Contains(help, "into") || !strings.Contains(help, "needed") {
		t.Errorf("help: %s", help)
	}
	opened := must(t, "do", "incident.open", "label=Shots at dusk", "start=2031-05-04", "--data", dir)
	id := regexp.MustCompile(`incident.opened ([0-9a-f]{32})`).FindStringSubmatch(opened)
	if id == nil {
		t.Fatalf("opened: %s", opened)
	}
	for _, bad := range [][]string{
		{"incident.merge", "incident=" + id[1], "into=" + id[1], "reason=x"},
		{"incident.merge", "incident=" + id[1], "into=nobody", "reason=x"},
		{"incident.merge", "incident=" + id[1], "nowhere=x"},
		{"no.such.act", "a=b"},
		{"officer.invite", "name=x"},
		{"act.undo", "record=" + id[1]},
	} {
		if out, _, code := truceline(t, append(append([]string{"do"}, bad...), "--data", dir)...); code == 0 {
			t.Errorf("%v: %s", bad, out)
		}
	}
	if dry := must(t, "do", "act.undo", "record="+id[1], "reason=not an incident", "--dry-run", "--data", dir); !strings.Contains(dry, "would file act.undone") {
		t.Errorf("dry run: %s", dry)
	}
	must(t, "do", "act.undo", "record="+id[1], "reason=not an incident", "--data", dir)
	if out, _, code := truceline(t, "do", "act.undo", "record="+id[1], "reason=again", "--data", dir); code == 0 {
		t.Errorf("undone twice: %s", out)
	}

	invited := must(t, "officer", "invite", "--name", "N. N.", "--role", "reader", "--base-url", "https://truce.example", "--data", dir)
	who := regexp.MustCompile(`officer ([0-9a-f]{32})\nlink    (https://truce.example/signin/\S+)`).FindStringSubmatch(invited)
	if who == nil {
		t.Fatalf("invited: %s", invited)
	}
	if u, err := url.Parse(who[2]); err != nil || len(u.Path) < 40 {
		t.Errorf("link %s", who[2])
	}
	if out, _, code := truceline(t, "do", "incident.open", "label=x", "start=2031", "--officer", who[1], "--data", dir); code == 0 {
		t.Errorf("a reader opened an incident: %s", out)
	}
	must(t, "officer", "erase", who[1], "--data", dir)
	must(t, "officer", "leave", who[1], "--data", dir)
	if out := must(t, "officer", "list", "--data", dir); strings.Contains(out, "N. N.") {
		t.Errorf("the name is still there: %s", out)
	}
	if out := must(t, "doctor", "--data", dir); !strings.Contains(out, "office") {
		t.Errorf("doctor: %s", out)
	}
}
