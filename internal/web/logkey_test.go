// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"

	"truceline/internal/web"
	"truceline/ledger"
)

// TestKeysToCompareByVoice: the agreement's page and the public one show the same groups in
// every language, of the log's key and of each witness that the policy counts.
func TestKeysToCompareByVoice(t *testing.T) {
	s := newSource(t, "lakes")
	cfg := config(t, s)
	nodes := watched(t, s, 2)
	cfg.Nodes = nodes
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{vkey}
	for _, w := range nodes.cosigning.Policy.Witnesses {
		keys = append(keys, w.VKey)
	}
	if len(keys) < 3 {
		t.Fatalf("%d keys", len(keys))
	}
	for _, lang := range []string{"en", "ur", "ps", "prs"} {
		for _, path := range []string{"/agreement", "/public"} {
			page := get(h, path+"?lang="+lang).Body.String()
			for _, k := range keys {
				name, _, _ := strings.Cut(k, "+")
				if !strings.Contains(page, `<bdi dir="ltr" class="print">`+ledger.Fingerprint(k)+"</bdi>") || !strings.Contains(page, ">"+name+"<") {
					t.Errorf("%s, %s: the fingerprint or the name of %s is not shown", path, lang, name)
				}
			}
			if n := strings.Count(page, `class="print"`); n != len(keys) {
				t.Errorf("%s, %s: %d fingerprints, want %d", path, lang, n, len(keys))
			}
		}
	}
}
