// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/evidence"
	"truceline/internal/fleet"
	"truceline/internal/ledgerstore"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/record"
)

// liar is a registry that has the log's key and keeps to no rule: it logs whatever it is
// told to. It has everything of the honest one up to where it was made.
type liar struct {
	t       *testing.T
	f       *fleet.Fleet
	signer  note.Signer
	entries []ledgerstore.Entry
	stored  []tlog.Hash
	signed  []byte
	// garble, if set, alters what is answered under a path.
	garble func(path string, b []byte) []byte
	took   int    // submissions
	note   []byte // the newest witnessed head; nil: none
}

func newLiar(t *testing.T, f *fleet.Fleet) *liar {
	skey, err := os.ReadFile(filepath.Join(f.Path(fleet.RegistryCode), "keys", "log.key"))
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{t: t, f: f}
	if l.signer, err = ledger.NewSigner(strings.TrimSpace(string(skey))); err != nil {
		t.Fatal(err)
	}
	n := f.Registry()
	for e, err := range n.Store().Entries(context.Background(), 0, n.Head().Size) {
		if err != nil {
			t.Fatal(err)
		}
		l.append(e)
	}
	l.sign()
	return l
}

func (l *liar) hashes() tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = l.stored[x]
		}
		return out, nil
	}
}

func (l *liar) append(e ledgerstore.Entry) {
	hs, err := tlog.StoredHashes(int64(len(l.entries)), e.Leaf(), l.hashes())
	if err != nil {
		l.t.Fatal(err)
	}
	l.entries, l.stored = append(l.entries, e), append(l.stored, hs...)
}

func (l *liar) sign() {
	n := int64(len(l.entries))
	root, err := tlog.TreeHash(n, l.hashes())
	if err != nil {
		l.t.Fatal(err)
	}
	if l.signed, err = ledger.Sign(ledger.Checkpoint{Origin: l.signer.Name(), Size: n, Root: root}, l.signer); err != nil {
		l.t.Fatal(err)
	}
}

// log logs a submission as it is, at a time, and signs the new head. It gives the place.
func (l *liar) log(s registry.Submission, at int64) int64 {
	e := ledgerstore.Entry{Index: int64(len(l.entries)), LoggedAt: at, Envelope: s.Envelope, Body: s.Body, BodySalt: s.BodySalt}
	if _, err := rand.Read(e.LeafSalt[:]); err != nil {
		l.t.Fatal(err)
	}
	l.append(e)
	l.sign()
	return e.Index
}

func (l *liar) last() int64 { return l.entries[len(l.entries)-1].LoggedAt }

// submission is a signed account of a member.
func (l *liar) submission(code string, killed int64) registry.Submission {
	s, err := l.f.Nodes[code].Sign(l.f.Account(code, killed), true)
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

// ServeHTTP answers as a registry's node does.
func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/log/")
	var b []byte
	var err error
	switch {
	case r.URL.Path == "/peer/wait", r.URL.Path == "/peer/cosignatures":
		w.WriteHeader(http.StatusNoContent)
		return
	case r.URL.Path == "/peer/submit":
		l.took++
		w.WriteHeader(http.StatusServiceUnavailable)
		json.NewEncoder(w).Encode(map[string]string{"error": "later"})
		return
	case path == "checkpoint":
		b = l.signed
	case path == "witnessed":
		if b = l.note; b == nil {
			err = fmt.Errorf("none")
		}
	case strings.HasPrefix(path, "consistency/"):
		var from, to int64
		if _, err = fmt.Sscanf(path, "consistency/%d/%d", &from, &to); err == nil {
			var p []tlog.Hash
			if from < 1 || from > to || to > int64(len(l.entries)) {
				http.NotFound(w, r)
				return
			}
			p, err = tlog.ProveTree(to, from, l.hashes())
			for _, h := range p {
				b = append(b, h.String()+"\n"...)
			}
		}
	default:
		var p ledger.Path
		if p, err = ledger.ParsePath(path); err == nil {
			b, err = l.file(p)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if l.garble != nil {
		b = l.garble(path, b)
	}
	w.Write(b)
}

func (l *liar) file(p ledger.Path) (out []byte, err error) {
	switch p.Kind {
	case ledger.KindTile:
		return tlog.ReadTileData(tlog.Tile{H: ledger.TileHeight, L: p.Level, N: p.N, W: p.Width}, l.hashes())
	case ledger.KindRecords:
		for i := p.N * ledger.TileWidth; i < p.N*ledger.TileWidth+int64(p.Width); i++ {
			if i >= int64(len(l.entries)) {
				return nil, fmt.Errorf("no record %d", i)
			}
			e := l.entries[i]
			line := record.Line{Envelope: e.Envelope, Index: i, LeafSalt: record.Digest(e.LeafSalt), LoggedAt: e.LoggedAt}
			if e.Body != nil {
				line.Body, line.BodySalt, line.Enc = e.Body, record.Digest(e.BodySalt), record.EncPlain
			}
			b, err := line.Encode()
			if err != nil {
				return nil, err
			}
			out = append(append(out, b...), '\n')
		}
		return out, nil
	}
	return nil, fmt.Errorf("no %v", p)
}

// witnessed gathers what these members have cosigned of the newest head.
func (l *liar) witnessed(ctx context.Context, codes ...string) {
	note := l.signed
	for _, code := range codes {
		h, ok, err := l.f.Nodes[code].Cosigned.At(ctx, int64(len(l.entries)))
		if err != nil || !ok {
			l.t.Fatalf("%s has not cosigned %d records: %v", code, len(l.entries), err)
		}
		_, block, _ := strings.Cut(string(h.Note), "\n\n")
		sigs, err := cosign.ParseLines(block)
		if err != nil {
			l.t.Fatal(err)
		}
		if note, err = cosign.AddSignatures(note, sigs...); err != nil {
			l.t.Fatal(err)
		}
	}
	l.note = note
}

// show puts the liar in the registry's place, for these members alone.
func (l *liar) show(codes ...string) {
	l.f.Net.Route = func(from, to string) http.Handler {
		if to == fleet.RegistryCode {
			for _, c := range codes {
				if c == from {
					return l
				}
			}
		}
		return nil
	}
}

// signedMission is a mission whose members have cosigned all that there is.
func signedMission(t *testing.T, seed uint64) *fleet.Fleet {
	f := fleet.New(t, seed)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	for range 5 { // what one member files last the others have with the next round
		for _, code := range fleet.Codes {
			if f.Nodes[code].Head().Size != f.Registry().Head().Size {
				f.Settle()
				break
			}
		}
	}
	return f
}

// alarms of a kind on a node.
func alarms(n *node.Node, kind node.AlarmKind) (out []node.Alarm) {
	for _, a := range n.Alarms() {
		if a.Kind == kind {
			out = append(out, a)
		}
	}
	return out
}

// noticed wants one alarm of the kind on the node, and nothing of another kind. If it can
// be proved, a stranger must find the proof good.
func noticed(t *testing.T, f *fleet.Fleet, code string, kind node.AlarmKind, proof bool) node.Alarm {
	t.Helper()
	n := f.Nodes[code]
	list := alarms(n, kind)
	if len(list) != 1 || len(n.Alarms()) != 1 {
		t.Fatalf("%s has the alarms %+v, want one of %s", code, n.Alarms(), kind)
	}
	if list[0].Evidenced() != proof {
		t.Fatalf("%s: %+v; a proof is wanted: %t", code, list[0], proof)
	}
	if proof {
		b, err := n.Evidence(list[0].Evidence)
		if err != nil {
			t.Fatal(err)
		}
		policy, err := n.Policy()
		if err != nil {
			t.Fatal(err)
		}
		found, err := evidence.Check(b, evidence.Options{LogKey: n.Config.LogKey, Policy: policy.String(), ClockBoundMS: n.Pack().ClockBoundMS()})
		if err != nil {
			t.Fatalf("%s: the evidence does not hold: %v", code, err)
		}
		t.Logf("%s: %s", code, found.Sentence)
	}
	return list[0]
}

// noAlarms wants no alarm on nodes.
func noAlarms(t *testing.T, f *fleet.Fleet, codes ...string) {
	t.Helper()
	for _, code := range codes {
		if a := f.Nodes[code].Alarms(); len(a) > 0 {
			t.Errorf("%s has alarms: %+v", code, a)
		}
	}
}
