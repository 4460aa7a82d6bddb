// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// Session is the header in which the registry's node names the run that answers.
const Session = "Truceline-Session"

// Dial makes lines to other nodes over HTTP. A nil client is one whose requests end after
// a minute.
func Dial(client *http.Client) func(url string) node.Link {
	if client == nil {
		client = &http.Client{Timeout: time.Minute}
	}
	return func(url string) node.Link { return &link{strings.TrimSuffix(url, "/"), client} }
}

type link struct {
	base   string
	client *http.Client
}

var _ node.Link = (*link)(nil)

// do sends a request and reads the answer, at most so many bytes of it.
func (l *link) do(ctx context.Context, method, path string, body []byte, most int64) (status int, header http.Header, data []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, l.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, &node.Unreached{Err: err}
	}
	if line := node.Reader(ctx, method, req.URL.RequestURI()); line != "" {
		req.Header.Set(ReaderHeader, line)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	res, err := l.client.Do(req)
	if err != nil {
		return 0, nil, nil, &node.Unreached{Err: err}
	}
	defer res.Body.Close()
	data, err = io.ReadAll(io.LimitReader(res.Body, most+1))
	if err == nil && int64(len(data)) > most {
		return 0, nil, nil, &node.Unreached{Err: fmt.Errorf("%s answered with more than %d bytes", path, most), Status: res.StatusCode, Wrong: true}
	}
	if err != nil {
		return 0, nil, nil, &node.Unreached{Err: err}
	}
	return res.StatusCode, res.Header, data, nil
}

// noAnswer is the error of an answer that has another status than those that a question can
// be answered with. What stands between two nodes gives such answers, too.
func noAnswer(path string, status int, data []byte) error {
	return &node.Unreached{Err: fmt.Errorf("%s answered %d: %.200s", path, status, data), Status: status}
}

func (l *link) get(ctx context.Context, path string, most int64) ([]byte, http.Header, error) {
	status, header, data, err := l.do(ctx, http.MethodGet, path, nil, most)
	switch {
	case err != nil:
		return nil, nil, err
	case status == http.StatusOK:
		return data, header, nil
	case isMissing(status):
		return nil, nil, fmt.Errorf("%s has no %s: %w", l.base, path, errMissing)
	}
	return nil, nil, noAnswer(path, status, data)
}

func (l *link) Checkpoint(ctx context.Context) ([]byte, string, error) {
	b, header, err := l.get(ctx, Prefix+"/checkpoint", maxNote)
	return b, header.Get(Session), err
}

func (l *link) Witnessed(ctx context.Context) ([]byte, error) {
	b, _, err := l.get(ctx, Prefix+"/witnessed", maxNote)
	return b, err
}

func (l *link) Read(ctx context.Context, path string) ([]byte, error) {
	most := int64(maxFile)
	if strings.HasPrefix(path, "records/") {
		most = ledger.TileWidth * (record.MaxLine + 1)
	}
	b, _, err := l.get(ctx, Prefix+"/"+path, most)
	return b, err
}

func (l *link) Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	if oldSize == 0 || oldSize == newSize {
		return nil, nil
	}
	path := fmt.Sprintf("%s/consistency/%d/%d", Prefix, oldSize, newSize)
	b, _, err := l.get(ctx, path, 64<<10)
	if err != nil {
		return nil, err
	}
	var out []tlog.Hash
	for _, line := range strings.Fields(string(b)) {
		h, err := tlog.ParseHash(line)
		if err != nil || len(out) > ledger.MaxProofHashes {
			return nil, &node.Unreached{Err: fmt.Errorf("%s is no proof", path), Status: http.StatusOK, Wrong: true}
		}
		out = append(out, h)
	}
	return out, nil
}

func (l *link) Wait(ctx context.Context, size, witnessed int64) error {
	status, _, data, err := l.do(ctx, http.MethodGet, fmt.Sprintf("/peer/wait?size=%d&witnessed=%d", size, witnessed), nil, 1<<10)
	if err == nil && status != http.StatusNoContent {
		err = noAnswer("/peer/wait", status, data)
	}
	return err
}

func (l *link) Submit(ctx context.Context, subs []registry.Submission) ([]node.Receipted, error) {
	got, _, err := l.handIn(ctx, "/peer/submit", subs)
	return got, err
}

func (l *link) Attest(ctx context.Context, subs []registry.Submission) ([]node.Receipted, []byte, error) {
	return l.handIn(ctx, "/peer/attest", subs)
}

func (l *link) handIn(ctx context.Context, path string, subs []registry.Submission) (out []node.Receipted, word []byte, err error) {
	in := submitted{}
	for _, s := range subs {
		in.Records = append(in.Records, submittedRecord{Body: s.Body, BodySalt: record.Digest(s.BodySalt), Envelope: s.Envelope})
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, nil, err
	}
	status, _, data, err := l.do(ctx, http.MethodPost, path, body, maxReply+int64(len(subs))*maxReceipt)
	if err != nil {
		return nil, nil, err
	}
	var a answered
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, nil, noAnswer(path, status, data)
	}
	switch {
	case status == http.StatusOK && a.Attestation != nil:
		return nil, a.Attestation, nil
	case status == http.StatusOK:
		for _, r := range a.Receipts {
			out = append(out, node.Receipted{ID: r.ID, Index: r.Index, LoggedAt: r.LoggedAt, LeafSalt: ledger.Salt(r.LeafSalt), Proof: []byte(r.Proof)})
		}
		return out, nil, nil
	case status == http.StatusUnprocessableEntity && a.Refusal != nil:
		return nil, nil, &registry.Refused{Refusal: &mechanism.Refusal{Reason: a.Error}, Signed: a.Refusal}
	}
	return nil, nil, noAnswer(path, status, []byte(a.Error))
}

func (l *link) Cosign(ctx context.Context, signed []byte) error {
	return l.post(ctx, "/peer/cosignatures", signed)
}

func (l *link) Join(ctx context.Context, answer []byte) error {
	return l.post(ctx, "/peer/join", answer)
}

func (l *link) post(ctx context.Context, path string, body []byte) error {
	status, _, data, err := l.do(ctx, http.MethodPost, path, body, 64<<10)
	switch {
	case err != nil:
		return err
	case status == http.StatusNoContent || status == http.StatusOK:
		return nil
	case status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
		return noAnswer(path, status, data)
	}
	return fmt.Errorf("%s: %s", path, strings.TrimSpace(string(data)))
}

func (l *link) Seen(ctx context.Context, origin string) ([]byte, error) {
	b, _, err := l.get(ctx, "/witness/"+originHash(origin)+"/checkpoint", maxNote)
	return b, err
}
