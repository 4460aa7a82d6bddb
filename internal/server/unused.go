// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net"
	"net/http"
	"sync"
)

// unusedConns are connections on which nothing was asked yet. Clients open them to have
// them at hand. A server that is to end would wait for their first question, for seconds.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	ended bool
}

func (u *unusedConns) note(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(u.conns, c)
	case u.ended:
		c.Close()
	default:
		u.conns[c] = true
	}
}

func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	for c := range u.conns {
		c.Close()
	}
}
