// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/fleet"
	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/record"
)

// doorless is a registry without a door: it holds the log's key and logs whatever it is told to.
// It answers as a registry does, tiles and proofs by another library than the product's own
// code for them.
type doorless struct {
	t       *testing.T
	origin  string
	signer  note.Signer
	entries []ledgerstore.Entry
	hashes  []tlog.Hash // stored, as tlog counts them
	lines   []note.Signature
	head    []byte
	// shown is a head that was witnessed, with the cosignatures.
	shown []byte
	need  int
	// answer, if set, is asked first.
	answer func(w http.ResponseWriter, r *http.Request) bool
}

// takeOver puts one without a door in the registry's place, with its records and its key.
func takeOver(t *testing.T, f *fleet.Fleet) *doorless {
	t.Helper()
	n := f.Registry()
	l := &doorless{t: t, origin: n.Config.Origin, need: 3}
	skey, err := os.ReadFile(filepath.Join(f.Path(fleet.RegistryCode), "keys", "log.key"))
	if err == nil {
		l.signer, err = ledger.NewSigner(strings.TrimSpace(string(skey)))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(t, n) {
		l.add(e)
	}
	l.sign()
	f.Stop(fleet.RegistryCode)
	f.Net.Handler = map[string]http.Handler{fleet.RegistryCode: l}
	return l
}

// ReadHashes implements tlog.HashReader.
func (l *doorless) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

func (l *doorless) add(e ledgerstore.Entry) {
	e.Index = int64(len(l.entries))
	more, err := tlog.StoredHashes(e.Index, ledger.LeafData(e.LeafSalt, e.LoggedAt, e.Envelope), l)
	if err != nil {
		l.t.Fatal(err)
	}
	l.entries, l.hashes = append(l.entries, e), append(l.hashes, more...)
}

// log logs a record at a time in Unix milliseconds, without looking at it.
func (l *doorless) log(envelope, body []byte, salt ledger.Salt, at int64) int64 {
	l.add(ledgerstore.Entry{LoggedAt: at, LeafSalt: ledger.Salt{byte(len(l.entries)), 7}, Envelope: envelope, Body: body, BodySalt: salt})
	l.sign()
	return int64(len(l.entries)) - 1
}

func (l *doorless) size() int64 { return int64(len(l.entries)) }

func (l *doorless) sign() {
	root, err := tlog.TreeHash(l.size(), l)
	if err == nil {
		l.head, err = ledger.Sign(ledger.Checkpoint{Origin: l.origin, Size: l.size(), Root: root}, l.signer)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.lines = nil
}

// cosigned takes cosignatures of the newest head in.
func (l *doorless) cosigned(b []byte) error {
	text, block, _ := strings.Cut(string(b), "\n\n")
	if !strings.HasPrefix(string(l.head), text+"\n\n") {
		return nil
	}
	sigs, err := cosign.ParseLines(block)
	if err != nil {
		return err
	}
	for _, s := range sigs {
		if s.Name != l.origin {
			l.lines = append(l.lines, s)
		}
	}
	witnesses := map[string]bool{}
	for _, s := range l.lines {
		if strings.Contains(s.Name, "/witness/") {
			witnesses[s.Name] = true
		}
	}
	if len(witnesses) >= l.need {
		l.shown, err = cosign.AddSignatures(l.head, l.lines...)
	}
	return err
}

// roles are those under which a member has cosigned the newest head.
func (l *doorless) roles(member string) (out []string) {
	for _, role := range []cosign.Role{cosign.Mirror, cosign.Rules, cosign.Witness} {
		for _, s := range l.lines {
			if s.Name == cosign.KeyName(l.origin, role, member) {
				out = append(out, string(role))
				break
			}
		}
	}
	return out
}

// ServeHTTP implements http.Handler.
func (l *doorless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.answer != nil && l.answer(w, r) {
		return
	}
	var b []byte
	var err error
	path, isLog := strings.CutPrefix(r.URL.Path, "/log/")
	switch parts := strings.Split(path, "/"); {
	case path == "checkpoint":
		b = l.head
	case path == "witnessed":
		if b = l.shown; b == nil {
			http.NotFound(w, r)
			return
		}
	case parts[0] == "consistency":
		b, err = l.consistency(parts[1], parts[2])
	case parts[0] == "records" || parts[0] == "tile":
		b, err = l.file(path)
	case r.URL.Path == "/peer/cosignatures":
		if b, err = io.ReadAll(r.Body); err == nil {
			err = l.cosigned(b)
		}
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	case !isLog:
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	default:
		err = fmt.Errorf("there is no %s", path)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Write(b)
}

func (l *doorless) consistency(a, b string) ([]byte, error) {
	from, err := strconv.ParseInt(a, 10, 64)
	if err != nil {
		return nil, err
	}
	to, err := strconv.ParseInt(b, 10, 64)
	if err != nil || from < 1 || to > l.size() {
		return nil, fmt.Errorf("no such tree")
	}
	proof, err := tlog.ProveTree(to, from, l)
	var out strings.Builder
	for _, h := range proof {
		out.WriteString(h.String() + "\n")
	}
	return []byte(out.String()), err
}

func (l *doorless) file(path string) (out []byte, err error) {
	p, err := ledger.ParsePath(path)
	if err != nil {
		return nil, err
	}
	if p.Kind != ledger.KindRecords {
		return tlog.ReadTileData(tlog.Tile{H: ledger.TileHeight, L: p.Level, N: p.N, W: p.Width}, l)
	}
	for i := p.N * ledger.TileWidth; i < p.N*ledger.TileWidth+int64(p.Width); i++ {
		if i >= l.size() {
			return nil, fmt.Errorf("there is no record %d", i)
		}
		line, err := ledgerstore.RecordLine(&l.entries[i])
		if err != nil {
			return nil, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}

// signerOf is a member's own key, out of its folder.
func signerOf(t *testing.T, f *fleet.Fleet, code string) *record.Signer {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.Path(code), "keys", "member-"+code+".key"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := record.NewSigner(seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
