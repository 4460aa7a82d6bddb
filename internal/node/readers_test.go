// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/record"
	"truceline/vault"
)

// TestManyReaders: an audience of all the members that a record can name, and more than have
// room in one record, has one key that each of them can open.
func TestManyReaders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	pack := fleet.Pack()
	var codes []string
	for i := range record.MaxReaders + 1 {
		codes = append(codes, fmt.Sprintf("m%02d", i))
		pack.Members = append(pack.Members, agreement.Member{Code: codes[i], Name: agreement.Text{"en": "Member " + codes[i]}, Role: record.DeskRole})
	}
	file, err := record.Canonical(agreement.File{Agreement: 1, Pack: pack})
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Create(t.Context(), dir, node.Creation{Agreement: file, Origin: "many.invalid/readers", Now: time.Now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	n := nodetest.Open(t, dir)
	for _, code := range codes {
		if _, err := n.RenewReading(t.Context(), code); err != nil {
			t.Fatal(err)
		}
	}
	var said []record.ID
	for _, d := range []node.Draft{{Audience: record.AudienceNamed, Readers: codes[:record.MaxReaders]}, {Audience: record.AudienceMembers}} {
		for range 2 {
			d.Kind, d.Member, d.Body = record.ReportFiled, codes[record.MaxReaders], &record.Report{Title: "EXERCISE to all"}
			said = append(said, nodetest.MustFile(t, n, d))
		}
	}
	keys := map[record.ID][]byte{}
	opened := map[record.ID]map[string]int{}
	open := func(epoch record.ID, sealed string) {
		t.Helper()
		raw, err := base64.StdEncoding.DecodeString(sealed)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range codes {
			secret, err := os.ReadFile(filepath.Join(dir, "keys", "age-"+code+".key"))
			if err != nil {
				t.Fatal(err)
			}
			id, err := vault.ParseIdentity(strings.TrimSpace(string(secret)))
			if err != nil {
				t.Fatal(err)
			}
			key, err := id.Decrypt(raw)
			if err != nil {
				continue
			}
			if opened[epoch] == nil {
				opened[epoch] = map[string]int{}
			}
			if opened[epoch][code]++; keys[epoch] != nil && !bytes.Equal(key, keys[epoch]) {
				t.Errorf("%s has another key than the others", code)
			}
			keys[epoch] = key
		}
	}
	for e, err := range n.Store().Entries(context.Background(), 0, n.Head().Size) {
		if err != nil {
			t.Fatal(err)
		}
		switch b, _ := record.ParseBody(kindOf(t, e.Envelope), e.Body); b := b.(type) {
		case *record.Epoch:
			open(record.ID(e.ID), b.Key)
		case *record.Handover:
			open(b.Epochs[0], b.Keys)
		}
	}
	if len(opened) != 2 {
		t.Errorf("%d epochs, not one for each audience", len(opened))
	}
	for epoch, by := range opened {
		for _, code := range codes {
			if by[code] != 1 {
				t.Errorf("%s was given the key of %s %d times", code, epoch, by[code])
			}
		}
	}
	n.Close()
	n = nodetest.Open(t, dir) // with the keys of the folder and the ledger alone
	if err := n.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range said {
		if ok, err := n.Projection.Unboxed(t.Context(), id); err != nil || !ok {
			t.Errorf("after a start what was said is not read: %v", err)
		}
	}
}

func kindOf(t *testing.T, envelope []byte) record.Kind {
	t.Helper()
	env, err := record.ParseEnvelope(envelope)
	if err != nil {
		t.Fatal(err)
	}
	st, err := env.Statement()
	if err != nil {
		t.Fatal(err)
	}
	return st.Kind
}
