// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"strings"
	"testing"

	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

func TestPlainAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://lakes.example/a/7":                           "lakes.example/a/7",
		"http://www.Lakes.example/a/7/":                       "lakes.example/a/7",
		" https://lakes.example/a/7#top ":                     "lakes.example/a/7",
		"https://lakes.example/a/7?utm_source=x&utm_medium=y": "lakes.example/a/7",
		"https://lakes.example/?id=7&fbclid=x":                "lakes.example?id=7",
		"https://lakes.example/?id=7&page=2":                  "lakes.example?id=7&page=2",
		"https://lakes.example/%D8%AE%D8%A8%D8%B1":            "lakes.example/%D8%AE%D8%A8%D8%B1",
		"https://lakes.example:8443/A":                        "lakes.example:8443/A",
		"lakes.example/a/7":                                   "",
		"":                                                    "",
		"mailto:desk@lakes.example":                           "",
		"https://":                                            "",
		"https://lakes.example/%zz":                           "",
		"ftp://lakes.example/a":                               "",
		"https://lakes.example/news?s=7":                      "lakes.example/news?s=7",
		"javascript:alert(1)":                                 "",
	} {
		if got := projection.PlainAddress(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if got := projection.Addresses(in); (len(got) > 0) != (want != "") {
			t.Errorf("%q is looked for as %q", in, got)
		}
	}
}

// tell files a document and an account told in it.
func tell(t *testing.T, n *node.Node, doc record.Report, claimant string, said when.Date) (report, account record.ID) {
	t.Helper()
	report = nodetest.MustFile(t, n, node.Draft{Kind: record.ReportFiled, Member: nodetest.Desk(n), Body: &doc})
	d := nodetest.Account(n, claimant, 3)
	d.Body.(*record.Account).SaidOn = said
	d.Subjects = []record.Subject{{ID: report, Role: record.RoleReport}}
	return report, nodetest.MustFile(t, n, d)
}

func TestDocumentsThatAreThere(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	ctx := context.Background()
	first, a := tell(t, n, record.Report{Title: "Shelling at the landing: what is known", URL: "https://www.lakes.example/7/"}, "A", "2031-05-03")
	second, _ := tell(t, n, record.Report{Title: "SHELLING at the landing - what is known"}, "B", "2031-05-04")
	third, _ := tell(t, n, record.Report{Title: "Shelling at the landing: what is known so far", URL: "https://lakes.example/8?id=3"}, "B", "2031-05-05")
	dari, _ := tell(t, n, record.Report{Title: "گلوله‌باری در کرانهٔ دریاچه"}, "C", "")
	bare := nodetest.MustFile(t, n, nodetest.Report(n, "Nobody told anything in it"))
	if err := n.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	names := map[record.ID]string{first: "first", second: "second", third: "third", dari: "dari", bare: "bare"}
	for _, c := range []struct{ address, title, want string }{
		{"https://www.lakes.example/7/", "", "first"},
		{"http://lakes.example/7?utm_source=feed#x", "", "first"},
		{"https://lakes.example/8?id=3", "", "third"},
		{"https://lakes.example/8", "", ""},
		{"https://lakes.example/8?id=4", "", ""},
		{"", "shelling at the landing: what is known", "second first"},
		{"https://lakes.example/8?id=3", "Shelling at the landing: what is known", "third second first"},
		{"https://lakes.example/7", "Shelling at the landing: what is known", "first second"},
		{"", "گلوله‌باري در كرانه درياچه", "dari"},
		{"", "Shelling at", ""},
		{"", `what" OR "is`, ""},
		{"", "Nobody told anything in it", ""},
		{"", "  ", ""},
	} {
		list, err := n.Projection.Documents(ctx, c.address, c.title)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list {
			got = append(got, names[r.ID])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q %q: %q, want %q", c.address, c.title, got, c.want)
		}
	}
	if list, _ := n.Projection.Documents(ctx, "https://lakes.example/7", ""); len(list) != 1 || len(list[0].Accounts) != 1 || list[0].Accounts[0] != a {
		t.Errorf("what was told in it: %+v", list)
	}
}

func TestAround(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	ctx := context.Background()
	names := map[record.ID]string{}
	r, id := tell(t, n, record.Report{Title: "One"}, "A", "2031-05-03")
	names[id] = "a3"
	for name, c := range map[string]struct {
		who  string
		said when.Date
	}{"a9": {"A", "2031-05-09"}, "a": {"A", ""}, "b4": {"B", "2031-05-04"}, "b5": {"B", "2031-05"}, "c8": {"C", "2031-08-01"}} {
		_, id := tell(t, n, record.Report{Title: "T " + name}, c.who, c.said)
		names[id] = name
	}
	_, gone := tell(t, n, record.Report{Title: "Gone"}, "A", "2031-05-03")
	nodetest.MustFile(t, n, node.Draft{Kind: record.AccountWithdrawn, Member: nodetest.Desk(n), Body: &record.Reason{Reason: "twice"}, Subjects: []record.Subject{{ID: gone, Role: record.RoleAccount}}})
	if err := n.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		near projection.Near
		want string
	}{
		{projection.Near{}, ""},
		{projection.Near{Since: "2031-05-02", Until: "2031-05-05"}, "a3 b4 b5"},
		{projection.Near{Claimants: []string{"A"}}, "a a3 a9"},
		{projection.Near{Claimants: []string{"C"}, Since: "2031-05-02", Until: "2031-05-03"}, "a3 b5 c8"},
		{projection.Near{Documents: []record.ID{r, {1}}}, "a3"},
	} {
		c.near.Limit = 50
		list, err := n.Projection.Around(ctx, c.near)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, a := range list {
			got[names[a.ID]] = true
		}
		for _, name := range strings.Fields(c.want) {
			if !got[name] {
				t.Errorf("%+v: %s is missing in %v", c.near, name, got)
			}
		}
		if len(got) != len(strings.Fields(c.want)) || len(list) != len(got) {
			t.Errorf("%+v: %v, want %q", c.near, got, c.want)
		}
	}
}
