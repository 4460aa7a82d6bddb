// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/node"
	"truceline/ledger"
)

// Prover proves that a log only grew. Consistency returns the RFC 6962 proof that the tree
// of oldSize entries is a prefix of that of newSize entries. It is asked only where there is
// something to prove: 0 < oldSize < newSize.
type Prover interface {
	Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error)
}

// Feeder hands a log's checkpoints to one witness. It is safe for concurrent use.
type Feeder struct {
	// URL is the witness's submission prefix, such as "https://node.example/witness".
	URL string
	// Keys are the witness's, as they were learnt on another way. Lines of other keys are
	// ignored.
	Keys []note.Verifier
	// Client sends the requests; nil is one whose requests end after half a minute.
	Client *http.Client
}

// AheadError: the witness holds a larger tree than the one that was offered. Either somebody
// else feeds it too and was faster, or the log has gone back and must not go on.
type AheadError struct{ Size int64 }

func (e *AheadError) Error() string {
	return fmt.Sprintf("the witness has cosigned size %d, which is beyond what it was offered", e.Size)
}

// Ahead is what the witness holds, for those who do not know the type.
func (e *AheadError) Ahead() int64 { return e.Size }

// RefusedError: the witness answered, and does not cosign.
type RefusedError struct {
	Status int    // of HTTP
	Reason string // the witness's words, cut short
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the witness answered %d: %q", e.Status, e.Reason)
}

// Refuses tells that the witness will not sign, for those who do not know the type.
func (*RefusedError) Refuses() bool { return true }

// maxCosignatures is the longest answer of a witness that is read.
const maxCosignatures = 64 << 10

// Feed offers a signed checkpoint to the witness and returns the cosignatures by its keys,
// each verified. Old is the size that the witness is believed to hold; 0 if that is not
// known. When it holds another one it says so, and Feed proves the way from there, once. The
// error can be an [*AheadError] or a [*RefusedError]; others mean that the witness could not
// be reached or did not answer as a witness does.
func (f *Feeder) Feed(ctx context.Context, checkpoint []byte, old int64, proofs interface {
	Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error)
}) ([]note.Signature, error) {
	sigs, err := f.feed(ctx, checkpoint, old, proofs)
	if err != nil {
		return nil, fmt.Errorf("feed the witness %s: %w", f.URL, err)
	}
	return sigs, nil
}

func (f *Feeder) feed(ctx context.Context, checkpoint []byte, old int64, proofs Prover) ([]note.Signature, error) {
	size, err := sizeOf(checkpoint)
	if err != nil {
		return nil, err
	}
	// With an old size beyond the checkpoint the witness would say that the request is
	// malformed, and not what it holds.
	old = min(max(old, 0), size)
	for again := false; ; again = true {
		var proof []tlog.Hash
		if old > 0 && old < size {
			if proof, err = proofs.Consistency(ctx, old, size); err != nil {
				return nil, fmt.Errorf("prove the way from size %d to %d: %w", old, size, err)
			}
		}
		status, kind, body, err := f.post(ctx, formatAddCheckpoint(old, proof, checkpoint))
		if err != nil {
			return nil, err
		}
		switch {
		case status == http.StatusOK:
			return f.verify(checkpoint, string(body))
		case status != http.StatusConflict || kind != sizeType:
			return nil, &RefusedError{status, strings.TrimSpace(string(body[:min(len(body), 200)]))}
		}
		held, err := parseSize(string(body))
		switch {
		case err != nil:
			return nil, err
		case held > size:
			return nil, &AheadError{held}
		case again || held == old:
			return nil, fmt.Errorf("it was sent the proof from size %d that it had asked for, and now asks for one from size %d; try again later", old, held)
		}
		old = held
	}
}

// sizeOf reads the size in a checkpoint; the witness reads the rest.
func sizeOf(checkpoint []byte) (int64, error) {
	lines := strings.SplitN(string(checkpoint[:min(len(checkpoint), 512)]), "\n", 3)
	if len(lines) == 3 {
		if n, err := strconv.ParseInt(lines[1], 10, 64); err == nil && n >= 0 && n <= ledger.MaxSize {
			return n, nil
		}
	}
	return 0, errors.New("what is to be cosigned is no checkpoint")
}

// parseSize reads the answer of a witness that holds another size.
func parseSize(body string) (int64, error) {
	digits := strings.TrimSuffix(body, "\n")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > ledger.MaxSize || strconv.FormatInt(n, 10) != digits {
		return 0, fmt.Errorf("the size it says it holds is no size: %.40q", body)
	}
	return n, nil
}

var defaultFeedClient = &http.Client{Timeout: 30 * time.Second}

func (f *Feeder) post(ctx context.Context, body []byte) (status int, kind string, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(f.URL, "/")+"/add-checkpoint", bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	req.Header.Set("Content-Type", plain)
	client := f.Client
	if client == nil {
		client = defaultFeedClient
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxCosignatures+1))
	if err != nil {
		return 0, "", nil, fmt.Errorf("reading its answer: %w", err)
	}
	if len(answer) > maxCosignatures {
		return 0, "", nil, fmt.Errorf("its answer is longer than %d bytes", maxCosignatures)
	}
	kind, _, _ = strings.Cut(res.Header.Get("Content-Type"), ";")
	return res.StatusCode, kind, answer, nil
}

// verify opens the lines that the witness answered with. A bad line by one of its keys
// spoils the answer; without any good one there is nothing.
func (f *Feeder) verify(checkpoint []byte, lines string) ([]note.Signature, error) {
	sigs, err := cosign.ParseLines(lines)
	if err != nil {
		return nil, fmt.Errorf("its answer is malformed: %w", err)
	}
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	n, err := note.Open([]byte(text+"\n\n"+cosign.Lines(sigs...)), note.VerifierList(f.Keys...))
	if err != nil {
		return nil, fmt.Errorf("its answer has no good cosignature by a key of this witness: %w", err)
	}
	for _, s := range n.Sigs {
		if _, err := cosign.SignedAt(s); err != nil {
			return nil, err
		}
	}
	return n.Sigs, nil
}

// Feed makes feeders of witnesses elsewhere, for a registry's node. A nil client is one
// whose requests end after half a minute.
func Feed(client *http.Client) func(url string, key note.Verifier) node.Feeder {
	return func(url string, key note.Verifier) node.Feeder {
		return &Feeder{URL: url, Keys: []note.Verifier{key}, Client: client}
	}
}
