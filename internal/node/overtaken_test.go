// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/server"
)

// A receipt overtakes the answer to what the newest head is, each time and for an hour: the
// registry has not gone back, and nobody says so.
func TestAReceiptOvertakesAHead(t *testing.T) {
	ctx := context.Background()
	f := fleet.New(t, 31)
	f.Join("NOR", "SUD")
	f.Settle()
	nor := f.Nodes["NOR"]
	mux := http.NewServeMux()
	closed := make(chan struct{})
	close(closed)
	server.Peers(mux, f.Registry(), slog.New(slog.DiscardHandler), closed)
	inside := false
	overtaken := 0
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, r)
		if strings.HasSuffix(r.URL.Path, "/log/checkpoint") && !inside {
			inside = true
			before := f.Registry().Head().Size
			if _, err := f.File("NOR", f.Account("NOR", 1)); err != nil {
				t.Error(err)
			}
			if err := nor.HandIn(ctx); err != nil {
				t.Error(err)
			}
			if f.Registry().Head().Size > before {
				overtaken++
			}
			inside = false
		}
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = io.Copy(w, answer.Body)
	})
	f.Net.Route = func(from, to string) http.Handler {
		if from == "NOR" && to == fleet.RegistryCode {
			return slow
		}
		return nil
	}
	for range 6 {
		if err := f.Round("NOR"); err != nil {
			t.Error(err)
		}
		f.Clock.Advance(10 * time.Minute)
	}
	if overtaken < 6 {
		t.Fatalf("only %d answers were overtaken: this shows nothing", overtaken)
	}
	if a := nor.Alarms(); len(a) > 0 {
		t.Errorf("alarms: %+v", a)
	}
}
