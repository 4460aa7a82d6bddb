// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"truceline/internal/browsertest"
)

// TestVerifierFromDisk: saved as one file, the verifier checks from a disk, and nothing in it
// can reach anybody. Nodes of other missions give the same bytes.
func TestVerifierFromDisk(t *testing.T) {
	l := newReleaseLog(t)
	h := l.handler(t, newSource(t, "lakes"), nil)
	saved := get(h, "/public/verify/save?lang=en")
	file := saved.Body.Bytes()
	if saved.Code != 200 || !strings.Contains(saved.Header().Get("Content-Disposition"), `"truceline-verify-en.html"`) {
		t.Fatalf("status %d, %v", saved.Code, saved.Header())
	}
	sum := sha256.Sum256(file)
	if !strings.Contains(get(h, "/public/verify?lang=en").Body.String(), hex.EncodeToString(sum[:])) {
		t.Error("the page does not say the digest of the file")
	}
	if other := get(newHandler(t, newSource(t, "durand")), "/public/verify/save?lang=en").Body.String(); other != string(file) {
		t.Error("the node of another mission gives another file")
	}
	if found := regexp.MustCompile(`(?i)<(link|img|base|iframe|object|script [^>]*src)|(src|href|action)=`).FindString(string(file[:len(file)-strings.Index(string(file), "<body>")])); found != "" {
		t.Errorf("the file asks for something: %q", found)
	}
	if !strings.Contains(string(file), `content="default-src &#39;none&#39;; script-src &#39;sha256-`) {
		t.Error("the file has no policy that forbids the network")
	}

	dir := t.TempDir()
	good := get(h, "/public/"+l.made[0].ID.String()+"/bundle").Body.Bytes()
	bad := altered(`\\"/claims\[1\]/low\\",\\"salt\\":\\"[0-9a-f]{64}\\",\\"value\\":\\"(9)`, func(string) string { return "8" })(good)
	files := map[string][]byte{"verify.html": file, "verify-ur.html": get(h, "/public/verify/save?lang=ur").Body.Bytes(), "good.json": good, "policy.txt": []byte(l.policy)}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	done := chromedp.WaitVisible(chromedp.CSS("#verify-result[data-outcome]"))
	said := `document.getElementById('verify-result').dataset.outcome + ' ' + document.getElementById('verify-result').innerText`
	tab := browsertest.New(t).Tab(t)
	tab.Do(chromedp.EmulateViewport(1280, 1400), chromedp.Navigate("file://"+at("verify.html")), chromedp.WaitVisible(chromedp.CSS("#verify-file")))
	tab.Do(chromedp.SetUploadFiles(chromedp.CSS("#verify-file"), []string{at("good.json")}), chromedp.SetUploadFiles(chromedp.CSS("#verify-policy"), []string{at("policy.txt")}),
		chromedp.Click(chromedp.CSS("#verify-form button")), done)
	if got := tab.Str(said); !strings.HasPrefix(got, "OK ") || !strings.Contains(got, "nobody of ours fired") || strings.Contains(got, "key is the file's own") {
		t.Errorf("of a good file: %s", got)
	}
	tab.Shot("verify-saved-en")

	// One that was changed is let fall on the page.
	text, err := json.Marshal(string(bad))
	if err != nil {
		t.Fatal(err)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`(() => {
		delete document.getElementById('verify-result').dataset.outcome
		const d = new DataTransfer()
		d.items.add(new File([`+string(text)+`], 'given.json'))
		document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true }))
	})()`), done)
	if got := tab.Str(said); !strings.HasPrefix(got, "FAILED ") || !strings.Contains(got, "the value shown is not the one that was filed") {
		t.Errorf("of an altered file: %s", got)
	}

	tab.Do(chromedp.EmulateViewport(400, 900), chromedp.Navigate("file://"+at("verify-ur.html")), chromedp.WaitVisible(chromedp.CSS("#verify-file")),
		chromedp.SetUploadFiles(chromedp.CSS("#verify-file"), []string{at("good.json")}), chromedp.Click(chromedp.CSS("#verify-form button")), done)
	if got := tab.Str(said); !strings.HasPrefix(got, "OK ") || tab.Str(`document.documentElement.dir`) != "rtl" {
		t.Errorf("in Urdu: %s", got)
	}
	if over := tab.Int(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		t.Errorf("the page is %d wider than a telephone", over)
	}
	tab.Shot("verify-saved-ur")
	tab.Quiet()
}
