// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/internal/projection"
	"truceline/internal/web/webtest"
	"truceline/linkage"
	"truceline/record"
	"truceline/suggest"
	"truceline/text"
)

// fitted is an example in which a model was learnt.
func fitted(t testing.TB, name string) *webtest.Source {
	t.Helper()
	s := newSource(t, name)
	if err := s.Fit("learnt for a test"); err != nil {
		t.Fatal(err)
	}
	return s
}

// unlinkedOf are the accounts that no incident holds, and what is suggested for them.
func unlinkedOf(t testing.TB, s *webtest.Source) (out []projection.Account, found []projection.Suggestions) {
	t.Helper()
	for _, a := range s.All {
		if len(a.Links) > 0 {
			continue
		}
		x, err := s.Suggestions(context.Background(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		out, found = append(out, a), append(found, x)
	}
	return out, found
}

// bench is the workbench for an account, all that may be suggested on it.
func bench(a projection.Account) string { return "/queue/" + a.ID.String() + "?more=1#operations" }

// Each level of each field has its words in every language, and so has each kind of
// comparison. None has a figure: they are proposed as reasons.
func TestEveryLevelHasWords(t *testing.T) {
	key := strings.NewReplacer("/", "_", " ", "_")
	digit := regexp.MustCompile(`[0-9۰-۹٠-٩]`)
	for _, tag := range text.All().Tags() {
		l, _ := text.All().Exact(tag)
		n := 0
		for _, f := range linkage.Levels([]string{"m"}) {
			field := string(f.Field)
			if f.Field.Measure() != "" {
				field = "count"
			} else if !l.Has("weigh.field." + field) {
				t.Errorf("%s: field %s has no name", tag, field)
			}
			for _, c := range f.Classes {
				if kind := "kind_of." + field + "." + key.Replace(c.Class); !l.Has(kind) && !(f.Field == linkage.FieldPlace && strings.Contains(c.Class, "/")) {
					t.Errorf("%s: %s is not there", tag, kind)
				}
				for _, level := range c.Levels {
					n++
					plain, special := "met."+field+"."+key.Replace(string(level)), "met."+field+"."+key.Replace(c.Class)+"."+key.Replace(string(level))
					if !l.Has(plain) && !l.Has(special) {
						t.Errorf("%s: level %s of %s has no words", tag, level, f.Field)
					}
					for _, k := range []string{plain, special} {
						if l.Has(k) && digit.MatchString(l.T(k)) {
							t.Errorf("%s: %s has a figure: %q", tag, k, l.T(k))
						}
					}
				}
			}
		}
		if n < 60 {
			t.Errorf("%s: %d levels: this test shows nothing", tag, n)
		}
	}
}

// weighedPages are the pages on which the model shows.
func weighedPages(t testing.TB, s *webtest.Source) []string {
	list := []string{"/linkage", "/linkage#reader", "/linkage#operations", "/queue#operations", "/desk#operations"}
	accounts, _ := unlinkedOf(t, s)
	for _, a := range accounts[:min(4, len(accounts))] {
		list = append(list, bench(a))
	}
	return list
}

// What holds of all pages holds of these: nothing foreign, a structure, words of the
// catalogue, dates in their order.
func TestWeighedPagesAreLikeOthers(t *testing.T) {
	s := fitted(t, "durand")
	h := newHandler(t, s)
	for _, path := range weighedPages(t, s) {
		w := get(h, path)
		if w.Code != 200 {
			t.Errorf("%s: status %d", path, w.Code)
		}
		page := parse(t, w.Body.String())
		checkForeign(t, path, page)
		checkStructure(t, path, page)
		checkWords(t, path, get(h, in(text.Pseudo, path)).Body.String())
		for _, tag := range text.All().Tags() {
			if body := get(h, in(tag, path)).Body.String(); strings.Contains(body, text.Missing) {
				t.Errorf("%s in %s: a text is missing", path, tag)
			}
		}
	}
}

// percent reads a place in a drawing.
func percent(t testing.TB, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !strings.HasSuffix(s, "%") {
		t.Fatalf("%q is no part of a width", s)
	}
	return f
}

// Bars begin where the one before ended, full ones go right and empty ones left, and they
// end where the total stands. Nothing is drawn beyond the ends.
func TestBarsAddUp(t *testing.T) {
	s := fitted(t, "durand")
	h := newHandler(t, s)
	accounts, _ := unlinkedOf(t, s)
	falls, cut := 0, 0
	for _, path := range append([]string{"/dev/stories"}, bench(accounts[0]), bench(accounts[1]), bench(accounts[len(accounts)-1])) {
		for _, ol := range parse(t, get(h, path).Body.String()).all("ol") {
			if ol.attrs["class"] != "fall-rows" {
				continue
			}
			falls++
			cut += len(withClass(ol, "fall-cut"))
			at := 50.0
			for _, li := range ol.all("li") {
				for _, rect := range li.all("rect") {
					x, width := percent(t, rect.attrs["x"]), percent(t, rect.attrs["width"])
					if x < 1.9 || x+width > 98.1 {
						t.Errorf("%s: a bar from %.1f to %.1f lies outside", path, x, x+width)
					}
					const near = 0.11 // figures have one digit after the point
					switch class := rect.attrs["class"]; {
					case strings.Contains(class, "fall-pro"):
						if math.Abs(x-at) > near {
							t.Errorf("%s: a full bar begins at %.1f, the one before ends at %.1f", path, x, at)
						}
						at = x + width
					case strings.Contains(class, "fall-contra"):
						if math.Abs(x+width-at) > near {
							t.Errorf("%s: an empty bar begins at %.1f, the one before ends at %.1f", path, x+width, at)
						}
						at = x
					default:
						if total := x + width; math.Abs(x-50) < near && math.Abs(total-at) > near || math.Abs(x-50) >= near && math.Abs(x-at) > near {
							t.Errorf("%s: the bars end at %.1f, the total is from %.1f to %.1f", path, at, x, total)
						}
					}
				}
			}
		}
	}
	if cut == 0 {
		t.Error("no bar is cut off at the end of the scale")
	}
	if falls < 6 {
		t.Errorf("%d waterfalls: this test shows nothing", falls)
	}
}

// The probability is said as it is, never as none or all; strong stands before ask, what
// is left is folded away, and nothing is ticked.
func TestWeighedBench(t *testing.T) {
	s := fitted(t, "durand")
	h := newHandler(t, s)
	accounts, found := unlinkedOf(t, s)
	weighed := 0
	for i, a := range accounts {
		if found[i].List[0].Weighed == nil {
			continue
		}
		weighed++
		body := get(h, bench(a)).Body.String()
		page := parse(t, body)
		if said := strip(page.words()); strings.Contains(said, "100 in 100") || strings.Contains(said, " 0 in ") {
			t.Errorf("account %s: something is called certain", a.ID)
		}
		rank := map[string]int{"band-strong": 0, "band-ask": 1, "band-leave": 2, "band-far": 3}
		last := 0
		for _, n := range page.all("span") {
			if band, ok := strings.CutPrefix(n.attrs["class"], "band-mark "); ok {
				if rank[band] < last {
					t.Errorf("account %s: %s stands after what is less likely", a.ID, band)
				}
				last = rank[band]
			}
		}
		ticks := 0
		for _, n := range page.all("input") {
			if n.attrs["name"] != "incident" {
				continue
			}
			ticks++
			if n.has("checked") {
				t.Errorf("account %s: %s is ticked", a.ID, n.attrs["value"])
			}
			if key := n.attrs["aria-keyshortcuts"]; ticks < 10 && key != strconv.Itoa(ticks) {
				t.Errorf("account %s: number %d has the key %s", a.ID, ticks, key)
			}
		}
		for _, d := range page.all("details") {
			if d.attrs["class"] == "band-fold" && d.has("open") && strings.Contains(body, `class="band-name"`) {
				t.Errorf("account %s: what is left is not folded away", a.ID)
			}
		}
		says(t, a.ID.String(), get(h, bench(a)), 200, "Before comparing", "Other incidents that may be meant", "All together", "How the simple rule sees it", "Accounts of one incident agree so in", "Computed from the public record up to entry")
	}
	if weighed == 0 {
		t.Error("nothing is weighed: this test shows nothing")
	}
	// The list names the same incident in the same words.
	says(t, "list", get(h, "/queue#operations"), 200, "look first", "more than 99 in 100")
}

// Above 1000 times nothing is said in figures, wherever it stands.
func TestNothingBeyondAThousandTimes(t *testing.T) {
	s := fitted(t, "durand")
	h := newHandler(t, s)
	accounts, _ := unlinkedOf(t, s)
	much := regexp.MustCompile(`([0-9,.]+|million) (times|to 1)`)
	capped := 0
	for _, path := range append(weighedPages(t, s), "/dev/stories", bench(accounts[0]), bench(accounts[len(accounts)-1])) {
		body := strip(get(h, path).Body.String())
		page := parse(t, body)
		said := []string{page.words()}
		page.walk(func(n *node) { said = append(said, n.attrs["title"], n.attrs["aria-label"]) })
		for _, text := range said {
			for _, m := range much.FindAllStringSubmatch(text, -1) {
				if n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64); err != nil || n > 1000 {
					t.Errorf("%s says %q", path, m[0])
				}
			}
			capped += strings.Count(text, "more than 1000 to 1")
		}
	}
	if capped == 0 {
		t.Error("nothing is said to be more than 1000 to 1: this test shows nothing")
	}
}

// The reason that is proposed for a link is what speaks most for it, without figures.
func TestReasonByTheModel(t *testing.T) {
	s := fitted(t, "durand")
	h := newHandler(t, s)
	accounts, found := unlinkedOf(t, s)
	seen := 0
	for i, a := range accounts {
		best := found[i].List[0]
		if best.Weighed == nil || best.Weighed.Band != linkage.Strong {
			continue
		}
		for _, n := range parse(t, get(h, bench(a)).Body.String()).all("input") {
			if n.attrs["name"] != "reason."+best.ID.String() {
				continue
			}
			seen++
			v := n.attrs["value"]
			if !regexp.MustCompile(`^[A-Z][^0-9;:]*\.$`).MatchString(v) || strings.Count(v, ",") > 2 || strings.Contains(v, "quarter") {
				t.Errorf("account %s: the reason is %q", a.ID, v)
			}
			if strings.Contains(strings.ToLower(v), "same day") && !strings.HasPrefix(v, "Same day") {
				t.Errorf("account %s: the day does not stand first: %q", a.ID, v)
			}
		}
	}
	if seen == 0 {
		t.Error("no reason is proposed: this test shows nothing")
	}
}

// Without a model, or without a day, the rule's page stands, and says why.
func TestRuleWhereNothingIsWeighed(t *testing.T) {
	s := newSource(t, "durand")
	accounts, _ := unlinkedOf(t, s)
	page := get(newHandler(t, s), bench(accounts[0]))
	says(t, "no model", page, 200, "No comparison that was learnt is in force", "How accounts are compared", "of 100", "Computed from the public record up to entry")
	says(t, "no model", get(newHandler(t, s), "/linkage"), 200, "No comparison that was learnt is in force", "None was filed yet.", "What is not compared")
	if strings.Contains(page.Body.String(), "fall-rows") || strings.Contains(page.Body.String(), "band-name") {
		t.Error("something is weighed without a model")
	}

	s = fitted(t, "durand")
	at := slices.IndexFunc(s.All, func(a projection.Account) bool { return a.ID == accounts[0].ID })
	for i := range s.All[at].Body.Claims {
		s.All[at].Body.Claims[i].When.Start, s.All[at].Body.Claims[i].When.End = "", ""
	}
	page = get(newHandler(t, s), bench(accounts[0]))
	says(t, "no day", page, 200, "The account gives no day, so it is not weighed", "of 100")
	if strings.Contains(page.Body.String(), "fall-rows") {
		t.Error("an account without a day is weighed")
	}
}

// Exchanging two parties' names changes the names and nothing else.
func TestWeighingIsAlike(t *testing.T) {
	s, swapped := fitted(t, "durand"), fitted(t, "durand")
	const one, two = "Quartzland", "Beryllium"
	for i, n := range []string{one, two} {
		for _, x := range []struct {
			s    *webtest.Source
			name string
		}{{s, n}, {swapped, []string{two, one}[i]}} {
			p := &x.s.TheAgreement.Parties[i]
			p.Name["en"], p.Short["en"], p.OwnName["en"] = x.name+" a", x.name+" b", x.name+" c"
		}
	}
	h, g := newHandler(t, s), newHandler(t, swapped)
	exchange := strings.NewReplacer(one, two, two, one)
	for _, path := range weighedPages(t, s) {
		if a, b := get(h, path).Body.String(), exchange.Replace(get(g, path).Body.String()); a != b {
			t.Errorf("%s: the parties are not shown alike", path)
		}
	}
}

// The page of the model says which is in force and what became of the others, to
// everybody; who may learn it again has the form.
func TestLinkagePage(t *testing.T) {
	s := fitted(t, "durand")
	if err := s.Fit("learnt again"); err != nil {
		t.Fatal(err)
	}
	s.Models[1].Undone = s.Models[1].Index
	later := s.Models[0]
	later.ID, later.Schema, later.Reason = record.ID{9}, linkage.SchemaVersion+1, "of a later version"
	s.Models = slices.Insert(s.Models, 0, later)
	h := newHandler(t, s)
	f := s.Models[1]
	says(t, "model", get(h, "/linkage"), 200, "learnt again", "the first "+strconv.FormatInt(f.Size, 10)+" records of the ledger", f.Root.String(),
		strconv.FormatInt(f.Params.Records, 10)+" things told or opened", "in force", "undone by", "update needed: it is of version 2", "of a later version",
		"same day", "never rises with the distance", "Who is named as having begun or done it", `truceline do linkage.fit reason="to compare" --data DIR`)
	form := func(path string) bool {
		return strings.Contains(get(h, path).Body.String(), `action="/do/linkage.fit"`)
	}
	if form("/linkage") || form("/linkage#reader") || !form("/linkage#operations") {
		t.Error("the form is not there for operations, and for nobody else")
	}
}

// A candidate without anything that speaks for it has no reason, and one that stands at
// even odds is neither for nor against.
func TestNothingSpeaksForIt(t *testing.T) {
	s := newSource(t, "durand")
	accounts, _ := unlinkedOf(t, s)
	step := &linkage.Step{Field: linkage.FieldDays, Class: "day", Level: linkage.DayThree, Weight: -4, Both: 20_000, Other: 320_000}
	w := &suggest.Weighed{Probability: 0.004, Band: linkage.Leave, Prior: 0, Total: -4, Steps: []suggest.WeighedStep{{Field: linkage.FieldDays, Weight: -4, Opening: step}}}
	h := newHandlerOf(t, s, saying{s, suggest.Suggestion{ID: s.List[0].ID, Class: s.List[0].Class, Claims: []int{1}, Weighed: w,
		Reasons: []suggest.Reason{{Criterion: suggest.Time, Level: suggest.DaysNear, Days: 3}}}})
	says(t, "leave", get(h, bench(accounts[0])), 200, "less than 1 in 100", "three days apart", "about 16 times less likely", "as likely as not", "16 to 1 against it", "2 of 100 pairs, others near by in 32 of 100")
}
