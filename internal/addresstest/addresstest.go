// SPDX-License-Identifier: Apache-2.0

// Package addresstest finds addresses for servers of tests that must be found again at the
// same one: stopped and started, or told to others before they listen.
package addresstest

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"
)

var given atomic.Int32

// Free is a port of loopback, HOST:PORT, at which nothing listens. Where the system has all
// of 127/8 the host is one of the test's own: what is free on 127.0.0.1 may be another
// test's, or the near end of somebody's connection, a moment later.
func Free(t testing.TB) string {
	t.Helper()
	host := fmt.Sprintf("127.%d.%d.%d", 64+given.Add(1)%128, os.Getpid()>>8&0xff, os.Getpid()&0xff)
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
