// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/agreement"
	"truceline/bundle"
	"truceline/cosign"
	"truceline/internal/browsertest"
	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/ledger"
	"truceline/record"
	"truceline/text"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// releaseLog is a log in which something was released twice, as a source of bundles. The
// second release takes the place of the first.
type releaseLog struct {
	*verifytest.Mission
	log       *verifytest.Log
	witnesses []*cosign.Signer
	rules     []*cosign.Signer
	policy    string
	made      []projection.Release
}

func newReleaseLog(t testing.TB) *releaseLog {
	t.Helper()
	m := verifytest.NewMission("pages of releases")
	l := &releaseLog{Mission: m, log: &verifytest.Log{Mission: m}}
	l.log.Append(m.Opening()...)
	for _, code := range []string{"DRN", "OMB", "scribe"} {
		w, r := m.Cosigner(code, record.WitnessCosigner, "release"), m.Cosigner(code, record.RulesCosigner, "release")
		l.log.Append(m.Named(code, record.WitnessCosigner, w.VKey(), ""), m.Named(code, record.RulesCosigner, r.VKey(), ""))
		l.witnesses, l.rules = append(l.witnesses, w), append(l.rules, r)
	}
	l.policy = m.Policy(2, l.witnesses...)
	l.log.Append(m.Adopt(2, func(p *agreement.Pack) { p.Policy = l.policy })...)
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	first := l.file("DRN", record.AccountFiled, verifytest.Account(7))
	in := l.file("OMB", record.IncidentOpened, verifytest.Incident("EXERCISE shots at the ferry"))
	l.release(t, "EXERCISE: the shots at the ferry", record.ID{}, l.shows(t, first, "/claims[1]/high", "/claims[1]/low", "/claims[1]/measure"), l.shows(t, in, "/label"))
	amended := l.file("DRN", record.AccountAmended, verifytest.Account(9), verifytest.About(record.RoleAccount, l.log.Entries[first].Statement.ID), verifytest.Supersedes(l.log.Entries[first].Statement.ID))
	reply := l.file("OMB", record.ReleaseAnswered, &record.Reply{Text: "EXERCISE: nobody of ours fired."}, verifytest.About(record.RoleRelease, record.ID{5}))
	l.release(t, "EXERCISE: the shots at the ferry, once more", l.made[0].ID, l.shows(t, amended, "/claims[1]/high", "/claims[1]/low", "/claims[0]/words"), l.shows(t, in, "/label"), l.shows(t, reply, "/text"))
	l.made[0].ReplacedBy = l.made[1].ID
	slices.Reverse(l.made)
	return l
}

func (l *releaseLog) file(member string, kind record.Kind, body record.Body, o ...verifytest.Option) int {
	l.log.Append(l.File(member, kind, body, append(o, verifytest.For(record.AudienceMembers))...))
	return len(l.log.Entries) - 1
}

func (l *releaseLog) shows(t testing.TB, i int, paths ...string) record.Disclosure {
	t.Helper()
	e := l.log.Entries[i]
	slices.Sort(paths)
	d, err := vault.Disclose(e.Envelope, e.Body, e.BodySalt, e.LeafSalt, int64(i), e.LoggedAt, paths)
	if err != nil {
		t.Fatal(err)
	}
	return *d
}

func (l *releaseLog) release(t testing.TB, title string, replaces record.ID, items ...record.Disclosure) {
	t.Helper()
	b := &record.Released{Items: items, Replaces: replaces, Title: title}
	l.log.Append(l.File("scribe", record.ReleaseMade, b, verifytest.About(record.RoleRelease, record.ID{5})))
	i := len(l.log.Entries) - 1
	e := l.log.Entries[i]
	l.made = append(l.made, projection.Release{ID: e.Statement.ID, Number: fmt.Sprintf("R%03d/2026", len(l.made)+1), Index: int64(i), Member: "scribe", LoggedAt: e.LoggedAt,
		Audience: record.AudiencePublic, Title: title, Replaces: replaces, Items: len(items), Body: b})
}

// What follows is a bundle.Source.

func (l *releaseLog) LogKey() string { return l.Mission.LogKey }

func (l *releaseLog) tree() ledger.HashReader {
	edge := ledger.NewEdge()
	for _, e := range l.log.Entries {
		edge.Append(ledger.LeafHash(ledger.LeafData(e.LeafSalt, e.LoggedAt, e.Envelope)))
	}
	return ledger.HashReader{Edge: edge}
}

func (l *releaseLog) Heads(context.Context, int64) (h bundle.Heads, err error) {
	size := int64(len(l.log.Entries))
	root, err := l.tree().TreeHash(size)
	if err != nil {
		return h, err
	}
	c := ledger.Checkpoint{Origin: verifytest.Origin, Size: size, Root: root}
	if h.Head, err = ledger.Sign(c, l.Log); err != nil {
		return h, err
	}
	var sigs []note.Signature
	for _, s := range append(slices.Clone(l.witnesses), l.rules...) {
		sig, err := s.Cosign(c.Text(), verifytest.Start/1000+100)
		if err != nil {
			return h, err
		}
		sigs = append(sigs, sig)
	}
	h.Head, err = cosign.AddSignatures(h.Head, sigs...)
	return h, err
}
func (l *releaseLog) Line(_ context.Context, i int64) ([]byte, error) { return l.log.Line(int(i)), nil }
func (l *releaseLog) Inclusion(_ context.Context, i, size int64) ([]tlog.Hash, error) {
	return l.tree().InclusionProof(i, size)
}
func (l *releaseLog) Consistency(_ context.Context, a, b int64) ([]tlog.Hash, error) {
	return l.tree().ConsistencyProof(a, b)
}
func (l *releaseLog) Bearing(_ context.Context, size int64) (out []int64, err error) {
	for i, e := range l.log.Entries[:size] {
		if bundle.Bears(e.Statement.Kind) {
			out = append(out, int64(i))
		}
	}
	return out, nil
}

// handler serves the pages of an exercise with these releases, whose bundles change makes
// something else of.
func (l *releaseLog) handler(t testing.TB, s *webtest.Source, change func([]byte) []byte) http.Handler {
	t.Helper()
	s.Released = l.made
	cfg := config(t, s)
	cfg.LogVKey, cfg.Office, cfg.Desk = l.Mission.LogKey, nil, nil
	cfg.Bundle = func(ctx context.Context, i int64) ([]byte, error) {
		b, _, err := bundle.Make(ctx, l, i)
		if err == nil && change != nil {
			b = change(b)
		}
		return b, err
	}
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestReleasePages: what was released, by whom, the replies, what replaces what, and nothing
// that is not for everybody.
func TestReleasePages(t *testing.T) {
	l := newReleaseLog(t)
	hidden := l.made[0]
	hidden.ID, hidden.Audience, hidden.Title = record.ID{77}, record.AudienceMembers, "for members alone"
	s := newSource(t, "lakes")
	l.made = append(l.made, hidden)
	h := l.handler(t, s, nil)
	list := get(h, "/public").Body.String()
	for _, want := range []string{"R001/2026", "R002/2026", "EXERCISE: the shots at the ferry", "Replaced by", "replies by"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %q", want)
		}
	}
	if strings.Contains(list, "for members alone") || get(h, "/public/"+hidden.ID.String()).Code != http.StatusNotFound || get(h, "/public/"+hidden.ID.String()+"/bundle").Code != http.StatusNotFound {
		t.Error("a release for members is shown to everybody")
	}
	second := l.made[0].ID.String()
	for lang, want := range map[string][]string{
		"en": {"At least", "claim ", ">9<", "nobody of ours fired", "no longer shown", "added", "changed", "It takes the place of", "truceline verify bundle release-R002-2026.truceline-bundle.json", "check-bundle.mjs", "EXERCISE shots at the ferry", ">7<"},
		"ur": {"کم از کم", `dir="rtl"`, "EXERCISE"},
	} {
		page := get(h, "/public/"+second+"?lang="+lang).Body.String()
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s: the page has no %q", lang, w)
			}
		}
	}
	for _, path := range []string{"/public", "/public/" + second, "/public/verify?id=" + second} {
		checkWords(t, path, get(h, in(text.Pseudo, path)).Body.String())
		checkForeign(t, path, parse(t, get(h, path).Body.String()))
	}
	w := get(h, "/public/"+second+"/bundle")
	r, err := bundle.Check(w.Body.Bytes(), bundle.Options{Key: l.Mission.LogKey, Policy: l.policy})
	if err != nil || r.Outcome() != bundle.Good || len(r.Shown) != 3 || !strings.Contains(w.Header().Get("Content-Disposition"), "release-R002-2026") {
		t.Errorf("the file: %v, %+v", err, r)
	}
	for path, code := range map[string]int{"/public/verify": 200, "/public/verify?id=" + second: 200, "/public/verify?id=x": 404, "/public/x": 404, "/public/" + strings.Repeat("1", 32): 404, "/public?page=0": 400} {
		if got := get(h, path).Code; got != code {
			t.Errorf("%s: %d, want %d", path, got, code)
		}
	}
}

// altered changes what stands in the body of a bundle's record, at the first of what a pattern
// finds there.
func altered(pattern string, change func(string) string) func([]byte) []byte {
	re := regexp.MustCompile(pattern)
	return func(b []byte) []byte {
		at := re.FindSubmatchIndex(b)
		if at == nil {
			panic("there is no " + pattern)
		}
		return bytes.Join([][]byte{b[:at[2]], []byte(change(string(b[at[2]:at[3]]))), b[at[3]:]}, nil)
	}
}

func otherChar(s string) string {
	if s[0] == 'A' || s[0] == '1' {
		return "2" + s[1:]
	}
	return "1" + s[1:]
}

// TestVerifyInTheBrowser: a release is checked in the reader's browser, and one changed
// character anywhere is refused in plain words.
func TestVerifyInTheBrowser(t *testing.T) {
	l := newReleaseLog(t)
	var change func([]byte) []byte
	srv := httptest.NewServer(l.handler(t, newSource(t, "lakes"), func(b []byte) []byte {
		if change != nil {
			return change(b)
		}
		return b
	}))
	defer srv.Close()
	id := l.made[0].ID.String()
	tab := browsertest.New(t).Tab(t)
	checked := func(lang string) string {
		t.Helper()
		tab.Do(chromedp.Navigate(srv.URL+"/public/verify?lang="+lang+"&id="+id), chromedp.WaitVisible(chromedp.CSS("#verify-result[data-outcome]")))
		return tab.Str(`document.getElementById('verify-result').dataset.outcome + ' ' + document.getElementById('verify-result').innerText`)
	}
	for _, lang := range []string{"en", "ur"} {
		for _, width := range []int64{1280, 500} {
			tab.Do(chromedp.EmulateViewport(width, 1400), chromedp.Navigate(srv.URL+"/public/"+id+"?lang="+lang))
			tab.Settle()
			tab.Shot(fmt.Sprintf("release-%s-%d", lang, width))
			said := checked(lang)
			if !strings.HasPrefix(said, "OK ") {
				t.Errorf("%s, %d wide: %s", lang, width, said)
			}
			if over := tab.Int(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
				t.Errorf("%s, %d wide: the page is %d wider", lang, width, over)
			}
			if !tab.Holds(`document.body.innerText.includes('EXERCISE')`) {
				t.Error("nothing says that this is an exercise")
			}
			tab.Shot(fmt.Sprintf("verify-%s-%d", lang, width))
		}
	}
	tab.Do(chromedp.EmulateViewport(1280, 1400))
	if said := checked("en"); !strings.Contains(said, "claim 2 · At least") || !strings.Contains(said, "nobody of ours fired") || !strings.Contains(said, "the key is the file's own") ||
		!strings.Contains(said, "EXERCISE What this record says is invented.") || !strings.Contains(said, "It takes the place of the release with the id "+l.made[1].ID.String()) || !strings.Contains(said, "No file can show what came after it") {
		t.Error(said)
	}

	// Each of these is one changed character in the file.
	envelope := base64.StdEncoding.EncodeToString(l.log.Entries[l.made[0].Body.Items[0].Index].Envelope)[40:60]
	for name, x := range map[string]struct {
		change func([]byte) []byte
		says   string
	}{
		"figure":      {altered(`\\"/claims\[1\]/low\\",\\"salt\\":\\"[0-9a-f]{64}\\",\\"value\\":\\"(9)`, func(string) string { return "8" }), "of DRN, field “claim 2 · At least”: the value shown is not the one that was filed"},
		"salt":        {altered(`\\"salt\\":\\"([0-9a-f]{64})`, otherChar), "the value shown is not the one that was filed"},
		"envelope":    {altered(`(`+regexp.QuoteMeta(envelope)+`)`, otherChar), "is not what its author signed"},
		"path":        {altered(`"released":\[\["([A-Za-z0-9+/])`, otherChar), "does not stand in the log as the file gives it"},
		"cosignature": {altered(`/witness/DRN [A-Za-z0-9+/]{60}([A-Za-z0-9+/])`, otherChar), "The signature of a witness is not good"},
		"head":        {altered(`lakes\\n\d+\\n([A-Za-z0-9+/])`, otherChar), "The log's signature under its state is not good"},
		"form":        {altered(`("v":1)`, func(s string) string { return `"v": 1` }), "The file is damaged or was changed"},
	} {
		change = x.change
		said := checked("en")
		if !strings.HasPrefix(said, "FAILED ") || !strings.Contains(said, x.says) || !strings.Contains(said, "Do not rely on it") || strings.Contains(said, "nobody of ours fired") {
			t.Errorf("%s: %s", name, said)
		}
		if name == "figure" {
			tab.Shot("verify-refused-en")
			if said := checked("ur"); !strings.Contains(said, "نامنظور") {
				t.Error(said)
			}
			tab.Shot("verify-refused-ur")
		}
	}
	tab.Quiet()
}

// TestReleaseThatLies: the body is signed, and what it shows of another's record is not what
// that other filed. The refusal names the record, the field and who filed it.
func TestReleaseThatLies(t *testing.T) {
	b, err := os.ReadFile("../../testdata/vectors/bundle/cases/release-figure.json")
	if err != nil {
		t.Fatal(err)
	}
	var lie struct {
		Bundle string
		Key    string `json:"vkey"`
	}
	if err := json.Unmarshal(b, &lie); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lie.json")
	if err := os.WriteFile(file, []byte(lie.Bundle), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(newReleaseLog(t).handler(t, newSource(t, "lakes"), nil))
	defer srv.Close()
	tab := browsertest.New(t).Tab(t)
	tab.Do(chromedp.Navigate(srv.URL+"/public/verify?lang=en"), chromedp.WaitVisible(chromedp.CSS("#verify-file")))
	tab.Do(chromedp.SetUploadFiles(chromedp.CSS("#verify-file"), []string{file}), chromedp.SendKeys(chromedp.CSS("#verify-known"), lie.Key),
		chromedp.Click(chromedp.CSS("#verify-form button")), chromedp.WaitVisible(chromedp.CSS("#verify-result[data-outcome]")))
	said := tab.Str(`document.getElementById('verify-result').innerText`)
	for _, want := range []string{"Record #11 of DRN", "claim 2 · At least", "the value shown is not the one that was filed", "the key is the one that you gave"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in: %s", want, said)
		}
	}
	tab.Quiet()
}
