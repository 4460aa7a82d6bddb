// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/acts"
	"truceline/example"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/web/webtest"
	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

func find(t testing.TB, name string) *acts.Act {
	t.Helper()
	a, ok := acts.Find(name)
	if !ok {
		t.Fatal("no act " + name)
	}
	return a
}

func lakes(t testing.TB) (*node.Node, node.Officer) {
	t.Helper()
	n := nodetest.Open(t, nodetest.Create(t))
	return n, n.Everybody(nodetest.Desk(n))
}

// said is a form that can be filed, in codes of the invented example.
func said(more ...string) acts.Values {
	v := acts.Values{
		"title": {"Bulletin 7"}, "url": {"https://lakes.example/7"}, "carrier": {"Lake Bulletin"}, "origins": {"Water Wire"}, "language": {"en"},
		"claimant": {"Drunnow spokesperson"}, "claimant_kind": {"spokesperson"}, "party": {"DRN"}, "said_on": {"2031-05-03"}, "quote": {"Four were hurt."},
		"start": {"2031-05-02"}, "time_note": {"at dusk"}, "places": {"tarskel-islet"}, "place_text": {"off Tarskel"},
		"claim.1.element": {"harm"}, "claim.1.measure": {"hurt"}, "claim.1.group": {"fishers_DRN"}, "claim.1.figure": {"4"}, "claim.1.stance": {"states"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] == "" {
			delete(v, more[i])
		} else {
			v[more[i]] = strings.Split(more[i+1], "|")
		}
	}
	return v
}

// plan gives the document and the account that a form would file.
func plan(t testing.TB, n *node.Node, who node.Officer, v acts.Values) (*record.Report, *record.Account, error) {
	t.Helper()
	drafts, err := n.Plan(context.Background(), who, find(t, "statement.record"), v)
	if err != nil {
		return nil, nil, err
	}
	var told *record.Report
	if len(drafts) == 2 {
		told = drafts[0].Body.(*record.Report)
	}
	return told, drafts[len(drafts)-1].Body.(*record.Account), nil
}

func TestWhatIsNotSaidTwice(t *testing.T) {
	n, who := lakes(t)
	told, a, err := plan(t, n, who, said(
		"claim.2.element", "event", "claim.2.stance", "states", "claim.2.start", "2031-05-01", "claim.2.places", "mid-hathrel",
		"claim.3.element", "harm", "claim.3.stance", "states", "claim.3.time_note", "at dawn", "claim.3.scope", "part", "claim.3.first_hand", "yes", "claim.3.derived", "yes",
		"claim.4.stance", "states", "claim.4.scope", "incident", "claim.4.first_hand", "unknown", // a row that was left
		"lat", "۳۴٫۵", "lon", "-70.123456", "precision_m", "5000"))
	if err != nil {
		t.Fatal(err)
	}
	if told.Carrier != "Lake Bulletin" || a.Carrier != "Lake Bulletin" || !slices.Equal(a.Origins, []string{"Water Wire"}) {
		t.Errorf("outlet and agency: %+v, %+v", told, a)
	}
	if a.Quote == nil || a.Quote.Language != "en" {
		t.Errorf("the words are in the document's language where no other is given: %+v", a.Quote)
	}
	if len(a.Claims) != 3 {
		t.Fatalf("%d claims", len(a.Claims))
	}
	one, two, three := a.Claims[0], a.Claims[1], a.Claims[2]
	if one.Scope != record.ScopeIncident || one.FirstHand != "unknown" || one.Derived || one.N != 1 || three.N != 3 {
		t.Errorf("usual values: %+v", one)
	}
	point := &record.Point{LatE6: 34_500_000, LonE6: -70_123_456, PrecisionM: 5000}
	for i, c := range []record.Claim{one, three} {
		if c.When.Start != "2031-05-02" || !slices.Equal(c.Places, []string{"tarskel-islet"}) || c.PlaceText != "off Tarskel" || !reflect.DeepEqual(c.Point, point) {
			t.Errorf("claim %d does not inherit: %+v %+v", i, c, c.Point)
		}
	}
	if one.When.Note != "at dusk" || three.When.Note != "at dawn" {
		t.Errorf("notes of the time: %q, %q", one.When.Note, three.When.Note)
	}
	if want := (when.Span{Start: "2031-05-01"}); two.When != want || !slices.Equal(two.Places, []string{"mid-hathrel"}) || two.PlaceText != "" || two.Point != nil {
		t.Errorf("what a claim says itself is not mixed with what stands for all: %+v", two)
	}
	if three.Scope != record.ScopePart || three.FirstHand != "yes" || !three.Derived {
		t.Errorf("claim 3: %+v", three)
	}
}

func TestProblemsStandAtTheirFields(t *testing.T) {
	n, who := lakes(t)
	for _, c := range []struct {
		more []string
		want string // the fields and the keys
	}{
		{nil, ""},
		{[]string{"claimant", ""}, "claimant needed"},
		{[]string{"claimant", "  "}, "claimant needed"},
		{[]string{"claimant_kind", ""}, "claimant_kind needed"},
		{[]string{"claimant", strings.Repeat("ڑ", 201)}, "claimant too_long"},
		{[]string{"title", ""}, "title needed"},
		{[]string{"title", "", "url", "", "carrier", "", "origins", ""}, ""}, // no document at all
		{[]string{"url", "lakes.example/7"}, "url url"},
		{[]string{"url", "https://lakes.example/a b"}, "url url"},
		{[]string{"published_on", "3 May 2031"}, "published_on date"},
		{[]string{"said_on", "2031-13"}, "said_on date"},
		{[]string{"language", "English"}, "language language"},
		{[]string{"quote_language", "e"}, "quote_language language"},
		{[]string{"copy_sha256", "abc", "copy_size", "1"}, "copy_sha256 digest"},
		{[]string{"copy_sha256", strings.Repeat("A", 64), "copy_size", "1"}, ""},
		{[]string{"copy_sha256", strings.Repeat("a", 64), "copy_size", ""}, "copy_size number"},
		{[]string{"copy_sha256", "|", "copy_url", "|https://archive.example/7"}, "copy_sha256 needed"},
		{[]string{"copy_sha256", strings.Repeat("a", 64), "copy_size", "1", "copy_url", "archive.example"}, "copy_url url"},
		{[]string{"start", "2031-05-03", "end", "2031-05-02"}, "end time_order"},
		{[]string{"start", "", "end", "2031-05-02"}, "start needed"},
		{[]string{"lat", "34.5"}, "lon needed, precision_m precision"},
		{[]string{"precision_m", "500"}, "lat needed, lon needed"},
		{[]string{"lat", "91", "lon", "1e2", "precision_m", "5000"}, "lat degrees, lon degrees"},
		{[]string{"lat", "0x1p4", "lon", "NaN", "precision_m", "5000"}, "lat degrees, lon degrees"},
		{[]string{"lat", "34.5", "lon", "70", "precision_m", "0"}, "precision_m precision"},
		{[]string{"report", "12"}, "report no_id"},
		{[]string{"report", strings.Repeat("0", 31) + "1"}, "report no_document"},
		{[]string{"form", "x"}, "form no_id"},
		{[]string{"claim.1.figure", "dozens"}, "claim.1.figure figure"},
		{[]string{"claim.1.element", ""}, "claim.1.element needed"},
		{[]string{"claim.1.stance", ""}, "claim.1.stance needed"},
		{[]string{"claim.1.end", "2031"}, "claim.1.start needed"},
		{[]string{"claim.3.words", "x"}, "claim.3.element needed, claim.3.stance needed"},
		{[]string{"claim.1.words", strings.Repeat("x", 2001)}, "claim.1.words too_long"},
		{[]string{"claim.1.element", "", "claim.1.measure", "", "claim.1.group", "", "claim.1.figure", ""}, "claims no_claims"},
		{[]string{"claim.1.element", "nonsense"}, "claim.1.element invalid"},
	} {
		_, _, err := plan(t, n, who, said(c.more...))
		if got := problems(err); got != c.want {
			t.Errorf("%.80q: %q (%v), want %q", c.more, got, err, c.want)
		}
	}
	// What the agreement does not have, the rule says.
	for _, more := range [][]string{{"claimant_kind", "emperor"}, {"party", "XXX"}, {"places", "atlantis"}, {"claim.1.measure", "souls"}, {"claim.1.group", "all"}, {"claim.1.stance", "swears"}} {
		_, _, err := plan(t, n, who, said(more...))
		var refusal *mechanism.Refusal
		if !errors.As(err, &refusal) || refusal.Code != mechanism.NotInAgreement {
			t.Errorf("%q: %v", more, err)
		}
	}
}

// problems writes the fields and keys of an *acts.Invalid, in the order of the fields.
func problems(err error) string {
	var invalid *acts.Invalid
	if !errors.As(err, &invalid) {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	var out []string
	for _, p := range invalid.Problems {
		if s := p.Field + " " + strings.TrimPrefix(p.Key, "problem."); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// The form of an amendment says the same as the account it is made of, for every account
// of both examples.
func TestFormOfAnAccountSaysTheSame(t *testing.T) {
	for _, name := range example.Recorded() {
		src, err := webtest.Example(name)
		if err != nil {
			t.Fatal(err)
		}
		n := nodeOf(t, name)
		who := n.Everybody(nodetest.Desk(n))
		whole := 0
		for _, a := range src.All {
			want := a.Body
			v := acts.FormOf(&want, record.ID{})
			// Without a document the outlet would ask for one: it is the account's own here.
			carrier, origins := want.Carrier, want.Origins
			want.Carrier, want.Origins = "", nil
			delete(v, "carrier")
			delete(v, "origins")
			_, got, err := plan(t, n, who, v)
			if err != nil {
				t.Errorf("%s %s: %v", name, want.External, err)
				continue
			}
			if !same(t, got, &want) {
				t.Errorf("%s %s (%s, %v): %s", name, want.External, carrier, origins, differ(got, &want))
			}
			if len(want.Claims) > 1 && v.Get("start") != "" && v.Get("claim.2.start") == "" {
				whole++
			}
		}
		if whole == 0 {
			t.Errorf("%s: no time stands once for several claims", name)
		}
	}
}

func nodeOf(t *testing.T, name string) *node.Node {
	t.Helper()
	set, err := example.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/node"
	if err := node.Create(context.Background(), dir, node.Creation{Agreement: set.Agreement, Origin: "test.invalid/{mission}", Now: time.Now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	return nodetest.Open(t, dir)
}

func same(t *testing.T, a, b record.Body) bool {
	t.Helper()
	x, err := record.EncodeBody(a)
	y, err2 := record.EncodeBody(b)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return bytes.Equal(x, y)
}

func differ(got, want *record.Account) string {
	for i := range want.Claims {
		if i < len(got.Claims) && !reflect.DeepEqual(got.Claims[i], want.Claims[i]) {
			return fmt.Sprintf("claim %d is %+v, want %+v", i+1, got.Claims[i], want.Claims[i])
		}
	}
	return fmt.Sprintf("%+v, want %+v", got, want)
}

// What is shared by most claims, and what only some have, in every mixture.
func TestFormOfMixtures(t *testing.T) {
	n, who := lakes(t)
	p := n.Pack()
	times := []when.Span{{}, {Start: "2031-05"}, {Start: "2031-05-02", End: "2031-05-03", Note: "at dusk"}, {Note: "some time"}}
	spots := []record.Claim{{}, {Places: []string{p.Places[0].Code}}, {PlaceText: "somewhere"}, {Places: []string{p.Places[1].Code, p.Places[0].Code}, PlaceText: "there"},
		{Point: &record.Point{LatE6: -1, LonE6: 180_000_000, PrecisionM: 1}}}
	tried := 0
	for i := range len(times) * len(spots) {
		for j := range len(times) * len(spots) {
			a := record.Account{Claimant: record.Claimant{Kind: p.ClaimantKinds[0].Code, Name: "X"}}
			for k, x := range []int{i, j, i} {
				c := spots[x%len(spots)]
				c.N, c.When = k+1, times[x/len(spots)]
				c.Element, c.FirstHand, c.Scope, c.Stance, c.Words = record.Event, "no", record.ScopePart, p.Stances[1].Code, fmt.Sprint("words ", k)
				a.Claims = append(a.Claims, c)
			}
			_, got, err := plan(t, n, who, acts.FormOf(&a, record.ID{}))
			if err != nil {
				t.Fatal(err)
			}
			if !same(t, got, &a) {
				t.Fatalf("%d %d: %s", i, j, differ(got, &a))
			}
			tried++
		}
	}
	if tried != 400 {
		t.Errorf("%d tried", tried)
	}
}

func TestSameFormTwiceGivesOneAccount(t *testing.T) {
	n, who := lakes(t)
	ctx := context.Background()
	act := find(t, "statement.record")
	v := said("form", strings.Repeat("ab", 16))
	done, err := n.Do(ctx, who, act, v)
	if err != nil {
		t.Fatal(err)
	}
	size := n.Registry.Head().Size
	acc := done.First(record.AccountFiled)
	var filed *acts.Filed
	if _, err := n.Do(ctx, who, act, v); !errors.As(err, &filed) || !filed.Same || filed.Account != acc || filed.Record != acc {
		t.Errorf("again: %v", err)
	}
	for _, more := range [][]string{{"claim.1.figure", "5"}, {"title", "Bulletin 8"}, {"title", "", "url", "", "carrier", "", "origins", ""}} {
		w := maps.Clone(v)
		for i := 0; i+1 < len(more); i += 2 {
			w[more[i]] = []string{more[i+1]}
		}
		if _, err := n.Do(ctx, who, act, w); !errors.As(err, &filed) || filed.Same {
			t.Errorf("again with %q: %v", more, err)
		}
	}
	// The same words in a new form are a new statement.
	if got := n.Registry.Head().Size; got != size {
		t.Fatalf("%d records came in", got-size)
	}
	if done, err = n.Do(ctx, who, act, said("form", strings.Repeat("cd", 16))); err != nil || done.First(record.AccountFiled) == acc {
		t.Errorf("another form: %v", err)
	}

	// The amendment as well: a second one would be of the first.
	amend, token := find(t, "account.amend"), strings.Repeat("ef", 16)
	w := acts.FormOf(body(t, n, acc), told(t, n, acc))
	w["account"], w["form"], w["claim.1.figure"] = []string{acc.String()}, []string{token}, []string{"7+"}
	if done, err = n.Do(ctx, who, amend, w); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Do(ctx, who, amend, w); !errors.As(err, &filed) || !filed.Same || filed.Account != acc || filed.Record != done.First(record.AccountAmended) {
		t.Errorf("the amendment again: %v", err)
	}
}

func body(t *testing.T, n *node.Node, id record.ID) *record.Account {
	t.Helper()
	a, err := n.Projection.Account(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return &a.Body
}

func told(t *testing.T, n *node.Node, id record.ID) record.ID {
	t.Helper()
	a, err := n.Projection.Account(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a.Report
}

func TestDocumentThatIsInTheRecord(t *testing.T) {
	n, who := lakes(t)
	ctx := context.Background()
	done, err := n.Do(ctx, who, find(t, "statement.record"), said())
	if err != nil {
		t.Fatal(err)
	}
	rep := done.First(record.ReportFiled)
	v := said("report", rep.String(), "title", "", "url", "", "carrier", "", "origins", "", "language", "")
	done, err = n.Do(ctx, who, find(t, "statement.record"), v)
	if err != nil || len(done.Receipts) != 1 {
		t.Fatalf("%d records, %v", len(done.Receipts), err)
	}
	id := done.First(record.AccountFiled)
	if a := body(t, n, id); told(t, n, id) != rep || a.Carrier != "Lake Bulletin" || !slices.Equal(a.Origins, []string{"Water Wire"}) || a.Quote.Language != "en" {
		t.Errorf("the account in a document that is there: %+v %+v", a, a.Quote)
	}
}

func TestAmendmentKeepsWhatOthersRestOn(t *testing.T) {
	n, who := lakes(t)
	ctx := context.Background()
	done, err := n.Do(ctx, who, find(t, "statement.record"), said(
		"claim.2.element", "event", "claim.2.stance", "states", "claim.2.words", "second", "claim.3.element", "event", "claim.3.stance", "states", "claim.3.words", "third"))
	if err != nil {
		t.Fatal(err)
	}
	acc := done.First(record.AccountFiled)
	in := nodetest.MustFile(t, n, nodetest.Incident(n, "x"))
	amend := func(change func(acts.Values)) error {
		v := acts.FormOf(body(t, n, acc), told(t, n, acc))
		v["account"] = []string{acc.String()}
		change(v)
		_, err := n.Do(ctx, who, find(t, "account.amend"), v)
		return err
	}
	without := func(numbers ...int) func(acts.Values) {
		return func(v acts.Values) {
			for name := range v {
				if n, _, ok := acts.ClaimField(name); ok && slices.Contains(numbers, n) {
					delete(v, name)
				}
			}
		}
	}
	if got := problems(amend(func(acts.Values) {})); got != "claims no_change" {
		t.Errorf("nothing changed: %s", got)
	}
	if got := problems(amend(without(2))); got != "claim.2.element claim_gap" {
		t.Errorf("without claim 2: %s", got)
	}
	if _, err := n.File(ctx, node.Draft{Kind: record.IncidentLinked, Member: who.Member, Body: &record.Link{Claims: []int{2}, Reason: "test", Role: record.LinkAbout},
		Subjects: []record.Subject{{ID: acc, Role: record.RoleAccount}, {ID: in, Role: record.RoleIncident}}}); err != nil {
		t.Fatal(err)
	}
	if got := problems(amend(without(2, 3))); got != "claim.2.element claim_linked" {
		t.Errorf("without the linked claim: %s", got)
	}
	if err := amend(without(3)); err != nil {
		t.Errorf("without the last: %v", err)
	}
	if err := amend(func(v acts.Values) {
		v["claimant"], v["party"] = []string{"Somebody else"}, []string{"OMB"}
		v["claim.3.element"], v["claim.3.stance"], v["claim.3.words"] = []string{"event"}, []string{"states"}, []string{"another third"}
	}); err != nil {
		t.Errorf("with another: %v", err)
	}
	a := body(t, n, acc)
	if len(a.Claims) != 3 || a.Claims[2].Words != "another third" || a.Claimant.Name != "Drunnow spokesperson" || a.Claimant.Party != "DRN" {
		t.Errorf("now: %+v", a)
	}
	if a.Carrier != "Lake Bulletin" || a.Quote.Text != "Four were hurt." || a.Claims[0].When.Note != "at dusk" {
		t.Errorf("what was not touched has changed: %+v", a)
	}
	versions, err := n.Projection.Versions(ctx, acc)
	if err != nil || len(versions) != 3 || len(versions[0].Body.Claims) != 3 || versions[0].Body.Claims[2].Words != "third" {
		t.Errorf("%d versions, %v", len(versions), err)
	}
	if err := amend(func(v acts.Values) {
		v["report"] = nil
		v["title"] = []string{"Bulletin 9"}
		v["carrier"] = nil
		v["origins"] = nil
	}); err != nil {
		t.Errorf("told in another document: %v", err)
	}
	if a := body(t, n, acc); a.Carrier != "" || told(t, n, acc) == versions[0].Report {
		t.Errorf("an amendment takes nothing over by itself: %+v", a)
	}
}

func TestRowsOfClaims(t *testing.T) {
	v := acts.Values{"title": {"T"}, "claim.1.words": {"a"}, "claim.2.words": {"b"}, "claim.2.places": {"x", "y"}, "claim.3.words": {""}, "claim.3.stance": {"states"}, "claim.4.words": {"d"}, "claim.x.words": {"?"}, "claim.01.words": {"?"}}
	if got := acts.ClaimNumbers(v); !slices.Equal(got, []int{1, 2, 4}) {
		t.Errorf("filled in: %v", got)
	}
	if got := acts.LastClaim(v); got != 4 {
		t.Errorf("last: %d", got)
	}
	words := func(v acts.Values) (out string) {
		for n := 1; n <= 5; n++ {
			out += v.Get(acts.ClaimName(n, "words")) + ","
		}
		return out + v.Get("title")
	}
	for want, got := range map[string]acts.Values{
		"a,b,,d,,T": acts.WithClaimUp(v, 1), "b,a,,d,,T": acts.WithClaimUp(v, 2), "a,b,d,,,T": acts.WithClaimUp(v, 4),
		"b,,d,,,T": acts.WithoutClaim(v, 1), "a,b,,,,T": acts.WithoutClaim(v, 4),
	} {
		if words(got) != want {
			t.Errorf("%q, want %q", words(got), want)
		}
	}
	if got := acts.WithClaimUp(v, 2); !slices.Equal(got["claim.1.places"], []string{"x", "y"}) || got["claim.3.stance"] == nil {
		t.Errorf("fields left behind: %v", got)
	}
}

func TestDoubts(t *testing.T) {
	n, who := lakes(t)
	doubts := func(more ...string) string {
		t.Helper()
		told, a, err := plan(t, n, who, said(more...))
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, p := range acts.Doubts(a, told, n.Pack(), "2031-06-01") {
			out = append(out, p.Field+" "+strings.TrimPrefix(p.Key, "doubt."))
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		more []string
		want string
	}{
		{nil, ""},
		{[]string{"title", "", "url", "", "carrier", "", "origins", ""}, "title no_document"},
		{[]string{"said_on", ""}, "said_on undated"},
		{[]string{"said_on", "2031"}, ""},
		{[]string{"said_on", "2032"}, "said_on future"},
		{[]string{"published_on", "2031-05-02"}, "published_on published_first"},
		{[]string{"published_on", "2032-05-02"}, "published_on future"},
		{[]string{"start", "2031-05-04"}, "claim.1.start said_first"},
		{[]string{"claim.1.measure", ""}, "claim.1.measure number_of_what"},
		{[]string{"claim.1.group", ""}, "claim.1.group who"},
		{[]string{"claim.1.figure", "?"}, "claim.1.words says_nothing"},
		{[]string{"claim.1.figure", "?", "claim.1.words", "some were hurt"}, ""},
		{[]string{"claim.2.element", "harm", "claim.2.measure", "hurt", "claim.2.group", "fishers_DRN", "claim.2.figure", "9", "claim.2.stance", "states"}, "claim.2.figure twice"},
		{[]string{"claim.2.element", "harm", "claim.2.measure", "hurt", "claim.2.group", "fishers_OMB", "claim.2.figure", "9", "claim.2.stance", "states"}, ""},
	} {
		if got := doubts(c.more...); got != c.want {
			t.Errorf("%q: %q, want %q", c.more, got, c.want)
		}
	}
}
