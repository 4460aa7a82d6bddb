// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"truceline/internal/ledgerstore"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/internal/routes"
	"truceline/ledger"
	"truceline/record"
)

// Limits of what is taken over a line.
const (
	maxSubmit = outbox.MaxActBytes * 3 / 2 // base64 and names around the bytes
	maxNote   = ledger.MaxCheckpointBytes
	maxReply  = 64 << 10
	// maxReceipt is more than a receipt has: a proof of at most 63 hashes, and a signed head.
	maxReceipt = 16 << 10
	// maxFile is more than a tile of hashes has.
	maxFile = 64 << 10
)

// longest is how long an answer to wait is held back.
const longest = 25 * time.Second

// submitted is the body of POST /peer/submit: the records of one act.
type submitted struct {
	Records []submittedRecord `json:"records"`
}

// submittedRecord is one record; envelope and body are exact bytes in base64.
type submittedRecord struct {
	Body     []byte        `json:"body,omitempty"`
	BodySalt record.Digest `json:"body_salt,omitzero"`
	Envelope []byte        `json:"envelope"`
}

// answered is the answer: receipts, or a refusal.
type answered struct {
	Receipts []receipt       `json:"receipts,omitempty"`
	Refusal  json.RawMessage `json:"refusal,omitempty"` // signed
	// Attestation is a member's signed word that the registry took nothing.
	Attestation json.RawMessage `json:"attestation,omitempty"`
	Error       string          `json:"error,omitempty"`
}

type receipt struct {
	ID       record.ID     `json:"id"`
	Index    int64         `json:"index"`
	LeafSalt record.Digest `json:"leaf_salt"`
	LoggedAt int64         `json:"logged_at"`
	Proof    string        `json:"proof"` // C2SP tlog-proof
}

// MemberHandler answers what other nodes of the mission ask under /peer/, beside the log.
// Nobody has to show who they are: what is handed in is signed, and what is given out is
// what the log gives everybody. In a member's node what is handed in for the registry is
// handed on, so that one closed door is not the only door.
func MemberHandler(n *node.Node, h *Handing) http.Handler {
	s := &handing{node: n, Handing: h}
	mux := routes.New()
	mux.HandleFunc("POST /peer/submit", s.submit)
	mux.HandleFunc("POST /peer/attest", s.attest)
	mux.HandleFunc("GET /peer/wait", s.wait)
	mux.HandleFunc("POST /peer/cosignatures", s.cosignatures)
	mux.HandleFunc("POST /peer/join", s.join)
	mux.HandleFunc("GET /peer/status", s.status)
	return mux
}

// Handing is what the member endpoints share.
type Handing struct {
	// Stop ends answers that are held back, when the server is to end.
	Stop <-chan struct{}
	// Relay hands on what was handed in at a member's node; nil in the registry's.
	Relay func(ctx context.Context, subs []registry.Submission) ([]node.Receipted, error)
}

type handing struct {
	node *node.Node
	*Handing
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (s *handing) submit(w http.ResponseWriter, r *http.Request) {
	s.take(w, r, func(ctx context.Context, subs []registry.Submission) ([]node.Receipted, []byte, error) {
		if s.Relay != nil {
			out, err := s.Relay(ctx, subs)
			return out, nil, err
		}
		out, err := s.node.Receive(ctx, subs)
		return out, nil, err
	})
}

// attest hands in for another member, and gives this one's word where that fails.
func (s *handing) attest(w http.ResponseWriter, r *http.Request) { s.take(w, r, s.node.Attest) }

func (s *handing) take(w http.ResponseWriter, r *http.Request, hand func(context.Context, []registry.Submission) ([]node.Receipted, []byte, error)) {
	var in submitted
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSubmit))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		reply(w, http.StatusBadRequest, answered{Error: "the records could not be read: " + err.Error()})
		return
	}
	subs := make([]registry.Submission, len(in.Records))
	for i, x := range in.Records {
		subs[i] = registry.Submission{Envelope: x.Envelope, Body: x.Body, BodySalt: ledger.Salt(x.BodySalt)}
	}
	out, word, err := hand(r.Context(), subs)
	var refused *registry.Refused
	switch {
	case err == nil:
		a := answered{Attestation: word}
		for _, x := range out {
			a.Receipts = append(a.Receipts, receipt{ID: x.ID, Index: x.Index, LeafSalt: record.Digest(x.LeafSalt), LoggedAt: x.LoggedAt, Proof: string(x.Proof)})
		}
		reply(w, http.StatusOK, a)
	case errors.As(err, &refused):
		reply(w, http.StatusUnprocessableEntity, answered{Refusal: refused.Signed, Error: refused.Error()})
	default:
		reply(w, http.StatusServiceUnavailable, answered{Error: err.Error()})
	}
}

// wait answers when the log, or what of it is witnessed, has grown beyond what the asker
// has.
func (s *handing) wait(w http.ResponseWriter, r *http.Request) {
	number := func(name string) int64 {
		n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
		if err != nil {
			return -1
		}
		return n
	}
	size, witnessed := number("size"), number("witnessed")
	if size < 0 || witnessed < 0 {
		http.Error(w, "size and witnessed are numbers of records", http.StatusBadRequest)
		return
	}
	end := time.NewTimer(longest)
	defer end.Stop()
	for {
		grown, cosigned := s.node.Grown(), s.node.Cosigned.Changed()
		if s.node.Head().Size > size {
			break
		}
		if h, ok, err := s.node.Cosigned.Witnessed(r.Context()); err != nil || ok && h.Size > witnessed {
			break
		}
		select {
		case <-grown:
			continue
		case <-cosigned:
			continue
		case <-end.C:
		case <-r.Context().Done():
			return
		case <-s.Stop:
		}
		break
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

func (s *handing) cosignatures(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNote))
	if err == nil {
		err = s.node.TakeCosignatures(r.Context(), b)
	}
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, node.ErrBehind) {
			status = http.StatusConflict
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *handing) join(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReply))
	if err == nil {
		err = s.node.Accept(r.Context(), b)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// originHash names a log in the addresses of a witness.
func originHash(origin string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(origin))) }

// isMissing tells that a node has no such thing.
func isMissing(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }

var errMissing = ledgerstore.ErrNotFound
