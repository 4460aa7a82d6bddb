// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"truceline/acts"
)

// Texts that come in files are read from them; others are what they say.
func TestFieldsFromFiles(t *testing.T) {
	act := func(name string) *acts.Act {
		a, ok := acts.Find(name)
		if !ok {
			t.Fatal(name)
		}
		return a
	}
	dir := t.TempDir()
	path := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	one, large := path("one", "{}\n{}\n"), path("large", strings.Repeat("x", 40001))
	got, err := fieldsOf(act("filing.vouch"), []string{"account=1", "attestation=@" + one, "attestation=e30="})
	if want := (acts.Values{"account": {"1"}, "attestation": {"{}\n{}\n", "e30="}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{large, filepath.Join(dir, "none")} {
		if _, err := fieldsOf(act("filing.vouch"), []string{"attestation=@" + bad}); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	got, err = fieldsOf(act("statement.record"), []string{"quote=@" + one})
	if err != nil || got.Get("quote") != "@"+one {
		t.Errorf("a quote: %v, %v", got, err)
	}
}
