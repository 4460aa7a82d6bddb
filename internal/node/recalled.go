// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/internal/ledgerstore"
	"truceline/internal/local"
	"truceline/ledger"
	"truceline/record"
)

// A member's node that was put back from a backup has a witness that has forgotten what it
// cosigned since. If it went on at once, a registry that lies could have it cosign a second
// history under the same key. While the file restored.json stands in its folder the node
// takes part in all else, and cosigns nothing.

// restoredFile marks such a node, and keeps what it has learnt.
const restoredFile = "restored.json"

// restored is what the mark holds. Sizes are of the largest heads with this node's own
// cosignature that were shown to it.
type restored struct {
	At       int64            `json:"at"`                 // Unix milliseconds
	Registry int64            `json:"registry,omitempty"` // shown by the registry
	Members  map[string]int64 `json:"members,omitempty"`  // shown by members
}

func markRestored(priv *local.Store, at int64) error { return saveRestored(priv, &restored{At: at}) }

func saveRestored(priv *local.Store, r *restored) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return local.WriteFile(priv.Path(restoredFile), append(b, '\n'), 0o600)
}

// readRestored gives the mark; nil where there is none.
func readRestored(priv *local.Store) (*restored, error) {
	b, err := os.ReadFile(priv.Path(restoredFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	r := new(restored)
	if err == nil {
		err = strictJSON(b, r)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s, which keeps a restored node from cosigning: %w; when you are sure what its witness has cosigned, run truceline restored --yes", restoredFile, err)
	}
	return r, nil
}

// Restored tells since when the node is marked as put back from a backup; false when it is
// not. A node that is marked cosigns nothing.
func (n *Node) Restored() (since time.Time, marked bool) {
	r, err := readRestored(n.private)
	if err != nil {
		return n.opts.Now(), true
	}
	if r == nil {
		return time.Time{}, false
	}
	return time.UnixMilli(r.At), true
}

// ForgetRestored takes the mark away by hand, without asking others: for an operator who
// is sure what this node's witness has cosigned, or knows that nobody can be asked.
func ForgetRestored(dir string) error {
	priv, _, err := local.Open(dir)
	if err != nil {
		return err
	}
	if err := os.Remove(priv.Path(restoredFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("let the node cosign: %w", err)
	}
	return local.SyncDir(priv.Path("."))
}

// recalled tells whether this node may cosign. While it is marked as restored it asks the
// registry and the other members for the heads they have; the mark is taken away once the
// registry and one other member have answered, all their heads are of the history here, and
// the copy here holds a head as large as every one that carries this node's own cosignature.
func (m *member) recalled(ctx context.Context) (bool, error) {
	r, err := readRestored(m.n.private)
	if err != nil {
		return false, err
	}
	if r == nil {
		return true, m.witnessOwn()
	}
	held := m.heldHead()
	if held.Checkpoint == nil || m.link == nil {
		return false, nil
	}
	_, own, err := m.shownBy(ctx, m.link)
	if err != nil {
		return false, err
	}
	r.Registry = max(r.Registry, own)
	others := false
	if r.Members == nil {
		r.Members = map[string]int64{}
	}
	for _, c := range m.n.Cosigners() {
		if c.Role != record.WitnessCosigner || c.Member == m.n.Config.Member || c.Member == m.n.Config.Registry || c.URL == "" || m.n.opts.Dial == nil {
			continue
		}
		wait, cancel := context.WithTimeout(ctx, 5*time.Second)
		size, own, err := m.shownBy(wait, m.n.opts.Dial(c.URL))
		cancel()
		if errors.Is(err, ErrTwoHistories) {
			return false, err
		}
		if err != nil || size == 0 {
			continue // not there, or it holds nothing yet
		}
		others = true
		r.Members[c.Member] = max(r.Members[c.Member], own)
	}
	most := r.Registry
	for _, size := range r.Members {
		most = max(most, size)
	}
	if !others || most > held.Size || m.n.twoHistories() {
		return false, saveRestored(m.n.private, r)
	}
	if err := os.Remove(m.n.private.Path(restoredFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if err := local.SyncDir(m.n.private.Path(".")); err != nil {
		return false, err
	}
	m.n.opts.Log.Info("this restored node has learnt what its witness had cosigned, and cosigns again", "size", held.Size)
	return true, m.witnessOwn()
}

// shownBy asks another node for its heads, compares them with all that was seen, and gives
// the size of the largest, and of the largest that carries this node's own cosignature.
func (m *member) shownBy(ctx context.Context, link Link) (largest, own int64, err error) {
	c := m.through(link)
	defer m.resume(c)
	ask := []func() ([]byte, error){
		func() ([]byte, error) { b, _, err := link.Checkpoint(ctx); return b, err },
		func() ([]byte, error) { return link.Witnessed(ctx) },
		func() ([]byte, error) { return link.Seen(ctx, m.n.Config.Origin) },
	}
	for i, get := range ask {
		signed, err := get()
		if errors.Is(err, ledgerstore.ErrNotFound) || i > 0 && unreached(err) {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		if err := c.observe(ctx, signed, c.link); err != nil {
			return 0, 0, err
		}
		head, err := c.parse(signed)
		if err != nil {
			return 0, 0, err
		}
		largest = max(largest, head.Size)
		if m.n.ownLine(signed) {
			own = max(own, head.Size)
		}
	}
	return largest, own, nil
}

// ownLine tells whether a signed head carries a good cosignature of this node's witness.
func (n *Node) ownLine(signed []byte) bool {
	skey, err := n.private.Key(string(cosign.Witness))
	if err != nil {
		return false
	}
	signer, err := cosign.NewSigner(skey)
	if err != nil {
		return false
	}
	v, err := cosign.NewVerifier(signer.VKey())
	if err != nil {
		return false
	}
	_, log, err := ledger.ParseCheckpoint(signed, n.verifier, v)
	if err != nil {
		return false
	}
	for _, s := range log.Sigs {
		if s.Name == v.Name() && s.Hash == v.KeyHash() {
			return true
		}
	}
	return false
}

// twoHistories tells that this node has found the registry in a lie about its history.
func (n *Node) twoHistories() bool {
	for _, a := range n.Alarms() {
		if a.Kind == TwoHistories {
			return true
		}
	}
	return false
}

// witnessOwn lets the witness take heads of the mission's log, from here and from others,
// unless this node knows that there are two of it.
func (m *member) witnessOwn() error {
	if m.n.twoHistories() {
		m.witness.Withhold(m.n.Config.Origin)
		return nil
	}
	return m.witness.AddLog(m.n.Config.Origin, []note.Verifier{m.n.verifier}...)
}
