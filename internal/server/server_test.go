// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/server"
)

func serve(t *testing.T, n *node.Node) (get func(path string) (int, string)) {
	t.Helper()
	s, err := server.Listen(n, server.Options{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
}

func TestHealthWhenTheTablesAreAhead(t *testing.T) {
	dir := nodetest.Create(t)
	get := serve(t, nodetest.Open(t, dir))
	if status, body := get("/healthz"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, local.ProjectionFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA busy_timeout = 5000; UPDATE meta SET value = value + 1000 WHERE key = 'applied'"); err != nil {
		t.Fatal(err)
	}
	if status, body := get("/healthz"); status != 503 || !strings.Contains(body, `"ok":false`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestSearchForTooManyWords(t *testing.T) {
	get := serve(t, nodetest.Open(t, nodetest.Create(t)))
	for query, want := range map[string]int{
		"a+b+c+d+e+f+g+h":         200,
		"a+b+c+d+e+f+g+h+A+b":     200, // the same words again
		"a+b+c+d+e+f+g+h+i":       400,
		strings.Repeat("x", 201):  400,
		"nothing+that+is+in+here": 200,
	} {
		if status, _ := get("/?q=" + query); status != want {
			t.Errorf("%s: status %d, want %d", query, status, want)
		}
	}
}
