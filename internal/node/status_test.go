// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/record"
)

// How a node stands can be read from its files while it runs, and what others are told has
// nothing of what is the operator's alone.
func TestStatus(t *testing.T) {
	ctx := context.Background()
	f := fleet.New(t, 11)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	size := f.Registry().Head().Size
	inspect := func(code string) *node.Status {
		t.Helper()
		s, err := node.Inspect(ctx, f.Path(code), node.Options{Now: f.Clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		s := inspect(code)
		if s.Member != code || s.Size != size || s.Witnessed != size || s.WitnessedAt == 0 || s.Policy == "" || !s.Exercise || s.Name == "" || s.Role == "" {
			t.Errorf("%s: %+v", code, s)
		}
		if got := len(s.Cosigners); got != 3*len(fleet.Codes) {
			t.Errorf("%s knows %d cosigners", code, got)
		}
	}
	if b := inspect(fleet.RegistryCode).Behind(); len(b) > 0 {
		t.Errorf("behind: %+v", b)
	}
	if _, err := f.File("NOR", f.Account("NOR", 1)); err != nil {
		t.Fatal(err)
	}
	if s := inspect("NOR"); s.Private.Outbox[outbox.Queued] != 1 || s.Private.Outbox[outbox.Receipted] != 1 || s.Private.Contact.IsZero() || s.Private.Cut != nil {
		t.Errorf("a record waits: %+v", s.Private)
	}
	if err := f.Round("NOR", "SUD"); err != nil {
		t.Fatal(err)
	}
	s := inspect(fleet.RegistryCode)
	var behind []string
	for _, b := range s.Behind() {
		if b.Role == record.WitnessCosigner {
			behind = append(behind, b.Member)
		}
	}
	if strings.Join(behind, " ") != "fac mon" || s.Witnessed != size || s.Size != size+1 {
		t.Errorf("behind are %v; %d of %d records witnessed", behind, s.Witnessed, s.Size)
	}
	if s := inspect("NOR"); s.Private.Outbox[outbox.Queued] != 0 || s.Private.Unwitnessed != 1 {
		t.Errorf("it is in the ledger: %+v", s.Private)
	}
	public, err := f.Nodes["NOR"].Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(public)
	if err != nil || public.Private != nil || strings.Contains(string(b), "utbox") || strings.Contains(string(b), "larm") {
		t.Errorf("others are told %s, %v", b, err)
	}
}

func TestCheckURL(t *testing.T) {
	for _, good := range []string{"https://truce.example", "http://127.0.0.1:8440", "https://truce.example/line"} {
		if err := node.CheckURL(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "truce.example", "ftp://truce.example", "https://", "https://truce.example/", "https://u:p@truce.example", "https://truce.example?x=1", "https://truce.example#x", "https://truce example", "/log"} {
		if err := node.CheckURL(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
