// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"truceline/cosign"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/witness"
	"truceline/ledger"
	"truceline/record"
)

// A witness outside the mission, for which a member vouches, is offered the heads and
// counts in the policy.
func TestAnOutsideWitness(t *testing.T) {
	ctx := context.Background()
	f := fleet.New(t, 3)
	f.Join(fleet.Codes...)
	f.Settle()
	skey, vkey, err := cosign.GenerateKey(rand.Reader, "out.fleet.invalid/w1")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(ctx, filepath.Join(t.TempDir(), "witness.db"), witness.Options{Signers: []*cosign.Signer{signer}, Now: f.Clock.Now, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	log, err := ledger.NewVerifier(f.Registry().Config.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddLog(f.Registry().Config.Origin, log); err != nil {
		t.Fatal(err)
	}
	f.Net.Handler = map[string]http.Handler{"out": peer.WitnessHandler(w, slog.New(slog.DiscardHandler))}
	if _, err := f.File("mon", node.Draft{Kind: record.CosignerNamed, Member: "mon", Body: &record.Cosigner{Role: record.OutsideCosigner, URL: "http://out.fleet.invalid/witness", VKey: vkey}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	f.Adopt(5) // of five: the four members' and the one outside
	f.Settle()
	if h, err := f.Registry().Witnessed(ctx); err == nil {
		t.Fatalf("a head of %d is witnessed without the one outside", h.Size)
	}
	f.Registry().Feed(ctx)
	h, err := f.Registry().Witnessed(ctx)
	if err != nil || h.Size != f.Registry().Head().Size {
		t.Fatalf("witnessed %d, %v; the log has %d", h.Size, err, f.Registry().Head().Size)
	}
	if held, err := w.Held(ctx, f.Registry().Config.Origin); err != nil || held.Size != h.Size {
		t.Errorf("the witness holds %+v, %v", held, err)
	}
	f.Registry().Feed(ctx) // nothing more to offer
	if a := f.Registry().Alarms(); len(a) > 0 {
		t.Errorf("alarms: %+v", a)
	}
}
