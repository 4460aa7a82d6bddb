// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"truceline/internal/node/nodetest"
	"truceline/internal/server"
)

// A server that is to end lets what was asked finish, and does not wait for what was not.
func TestAnEndingServerWaitsForNoQuestion(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	s, err := server.Listen(n, server.Options{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	asked, unused := dial(), dial()
	if _, err := fmt.Fprintf(asked, "POST /peer/join HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(asked)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100") { // the question is being read
		t.Fatal(line, err)
	}
	stop()
	if _, err := unused.Read(make([]byte, 1)); err == nil {
		t.Error("something came on a connection on which nothing was asked")
	}
	// The other is still there, and gets its answer.
	if _, err := asked.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, err := answer.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.ReadResponse(answer, nil); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("what was asked before the end: %v, %v", resp, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
