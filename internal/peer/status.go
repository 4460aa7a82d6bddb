// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"truceline/internal/node"
)

// maxStatus bounds the answer: a few hundred cosigners and the text of a policy.
const maxStatus = 1 << 20

// status says how the node stands, as far as that is everybody's.
func (s *handing) status(w http.ResponseWriter, r *http.Request) {
	st, err := s.node.Status(r.Context())
	if err != nil {
		reply(w, http.StatusServiceUnavailable, answered{Error: "how this node stands could not be read"})
		return
	}
	reply(w, http.StatusOK, st)
}

// Status asks a running node how it stands. A nil client is one whose requests end after a
// minute.
func Status(ctx context.Context, client *http.Client, url string) (*node.Status, error) {
	l := Dial(client)(url).(*link)
	status, _, data, err := l.do(ctx, http.MethodGet, "/peer/status", nil, maxStatus)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("it answered %d", status)
	}
	st := new(node.Status)
	if err == nil {
		err = json.Unmarshal(data, st)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s how its node stands: %w; see that the address is that of a node's pages, and that its server runs", l.base, err)
	}
	return st, nil
}
