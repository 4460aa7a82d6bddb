// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"truceline/cosign"
	"truceline/internal/routes"
	"truceline/internal/witness"
	"truceline/ledger"
)

// WitnessPrefix is where a witness stands on a server: its submission prefix and its
// monitoring prefix.
const WitnessPrefix = "/witness"

// sizeType is the media type of the size in a conflict.
const sizeType = "text/x.tlog.size"

// WitnessHandler serves a witness under [WitnessPrefix], as C2SP tlog-witness says
// (https://c2sp.org/tlog-witness):
//
//	POST /witness/add-checkpoint
//	GET  /witness/<lower-case hex of SHA-256(origin)>/checkpoint
//
// Nobody has to show who they are: a request is worth what the log's signature in it is.
// Of a log's signed heads that do not extend what the witness holds, it writes both to
// slog: they may prove that the log has forked.
func WitnessHandler(w *witness.Witness, log *slog.Logger) http.Handler {
	s := &witnessServer{w, log}
	mux := routes.New()
	mux.HandleFunc("POST "+WitnessPrefix+"/add-checkpoint", s.add)
	mux.HandleFunc("GET "+WitnessPrefix+"/{hash}/checkpoint", s.checkpoint)
	return mux
}

type witnessServer struct {
	witness *witness.Witness
	log     *slog.Logger
}

func (s *witnessServer) add(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAddCheckpoint))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		http.Error(w, "the request is too long", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the request did not come in full", http.StatusBadRequest)
		return
	}
	old, proof, checkpoint, err := parseAddCheckpoint(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sigs, err := s.witness.AddCheckpoint(r.Context(), old, proof, checkpoint)
	if err != nil {
		s.refuse(w, r, err, checkpoint)
		return
	}
	w.Header().Set("Content-Type", plain)
	io.WriteString(w, cosign.Lines(sigs...))
}

// refuse answers a request that was not cosigned.
func (s *witnessServer) refuse(w http.ResponseWriter, r *http.Request, err error, checkpoint []byte) {
	var conflict *witness.ConflictError
	var fork *witness.ForkError
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &conflict):
		w.Header().Set("Content-Type", sizeType)
		w.WriteHeader(http.StatusConflict)
		io.WriteString(w, strconv.FormatInt(conflict.Size, 10)+"\n")
		return
	case errors.As(err, &fork):
		status = http.StatusUnprocessableEntity
		s.log.Error("a log has signed two records of one size; keep both notes, they prove it", "held", string(fork.Held), "submitted", string(fork.Submitted))
	case errors.Is(err, witness.ErrBadProof):
		status = http.StatusUnprocessableEntity
		s.log.Warn("a log's signed head was not proved to extend what this witness holds", "err", err, "submitted", string(checkpoint))
	case errors.Is(err, witness.ErrMalformed):
		status = http.StatusBadRequest
	case errors.Is(err, witness.ErrUnsigned):
		status = http.StatusForbidden
	case errors.Is(err, witness.ErrUnknownLog):
		status = http.StatusNotFound
	case errors.Is(err, witness.ErrBusy):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	default:
		if r.Context().Err() == nil {
			s.log.Error("the witness could not answer", "err", err)
		}
		err = errors.New("the witness could not work; its operator finds the reason in the server's own log")
	}
	http.Error(w, err.Error(), status)
}

func (s *witnessServer) checkpoint(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	origin, ok := s.witness.Origin(r.PathValue("hash"))
	if !ok {
		http.Error(w, "this witness does not know a log whose origin has this SHA-256", http.StatusNotFound)
		return
	}
	b, err := s.witness.Latest(r.Context(), origin)
	switch {
	case errors.Is(err, witness.ErrNone):
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	case err != nil:
		s.refuse(w, r, err, nil)
		return
	}
	h.Set("Content-Type", plain)
	h.Set("Cache-Control", "no-cache")
	h.Set("Access-Control-Allow-Origin", "*") // anybody may check, from anywhere
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}

// maxAddCheckpoint is the longest request: an old size, the hashes of a proof, a checkpoint.
const maxAddCheckpoint = 64 + ledger.MaxProofHashes*45 + ledger.MaxCheckpointBytes
