// SPDX-License-Identifier: Apache-2.0

package cosigned

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
)

// cosignature is one verified cosignature of one head.
type cosignature struct {
	at, seenAt int64
	signature  [64]byte // Ed25519, without the key's hash and the time
}

// counts tells whether its time can be meant: see the package comment.
func (c cosignature) counts() bool {
	return c.at >= earliest && c.at <= c.seenAt/1000+ahead
}

// mark is what is held of one cosigner on one head.
type mark struct {
	vkey        string
	first, last cosignature // the oldest and the newest that count; or twice one that does not
}

// take adds a cosignature and tells whether that changed anything. What is held depends on
// the cosignatures that came and not on their order.
func (m *mark) take(c cosignature) bool {
	switch {
	case m.last == cosignature{}, !m.last.counts() && (c.counts() || c.at > m.last.at):
		m.first, m.last = c, c
	case !c.counts():
		return false
	case c.at > m.last.at:
		m.last = c
	case c.at < m.first.at:
		m.first = c
	default:
		return false
	}
	return true
}

// head is a head as it is held.
type head struct {
	ledger.Checkpoint
	logSignature []byte // the key's hash, then the signature
	marks        []mark
	policy       string
	metAt        int64
	sureAt       int64
}

// sort puts the marks in the order of the lines.
func (h *head) sort() {
	slices.SortFunc(h.marks, func(a, b mark) int {
		return cmp.Or(strings.Compare(name(a.vkey), name(b.vkey)), strings.Compare(a.vkey, b.vkey))
	})
}

// judge sets the times by a policy, and leaves them 0 if the marks do not meet it.
func (h *head) judge(p *policy) {
	h.policy, h.metAt, h.sureAt = "", 0, 0
	var counted []mark
	for _, m := range h.marks {
		if m.last.counts() {
			counted = append(counted, m)
		}
	}
	// In order of time, until those up to one time are enough.
	find := func(at func(mark) int64, order int) (t int64) {
		slices.SortFunc(counted, func(a, b mark) int { return order * cmp.Compare(at(a), at(b)) })
		have := make(map[string]bool, len(counted))
		for _, m := range counted {
			have[m.vkey] = true
			if p.met(have) {
				return at(m)
			}
		}
		return 0
	}
	if h.metAt = find(func(m mark) int64 { return m.first.at }, 1); h.metAt != 0 {
		h.sureAt = find(func(m mark) int64 { return m.last.at }, -1)
		h.policy = p.text
	}
}

// line is the signature line of a cosigner.
func (m *mark) line(c cosignature) note.Signature {
	hash := m.vkey[len(name(m.vkey))+1:][:8]
	raw := make([]byte, 0, 4+8+64)
	raw = binary.BigEndian.AppendUint32(raw, parseHex(hash))
	raw = binary.BigEndian.AppendUint64(raw, uint64(c.at))
	raw = append(raw, c.signature[:]...)
	return note.Signature{Name: name(m.vkey), Hash: parseHex(hash), Base64: base64.StdEncoding.EncodeToString(raw)}
}

// note writes the signed checkpoint with one of each cosigner's cosignatures.
func (h *head) note(which func(*mark) cosignature) []byte {
	sigs := []note.Signature{{Name: h.Origin, Base64: base64.StdEncoding.EncodeToString(h.logSignature)}}
	for i := range h.marks {
		sigs = append(sigs, h.marks[i].line(which(&h.marks[i])))
	}
	return []byte(h.Text() + "\n" + cosign.Lines(sigs...))
}

func newest(m *mark) cosignature { return m.last }
func oldest(m *mark) cosignature { return m.first }

// show is the head as callers see it.
func (h *head) show() Head {
	h.sort()
	out := Head{Size: h.Size, Root: h.Root, Note: h.note(newest), FirstNote: h.note(oldest), MetAt: h.metAt, SureAt: h.sureAt, Policy: h.policy}
	for _, m := range h.marks {
		out.Marks = append(out.Marks, Mark{m.vkey, m.last.at, m.last.seenAt, m.first.at})
	}
	return out
}

// name is the name in a key that was read before.
func name(vkey string) string {
	name, _, _ := strings.Cut(vkey, "+")
	return name
}

// parseHex reads eight hexadecimal digits of a key that was read before.
func parseHex(s string) (n uint32) {
	for _, c := range []byte(s) {
		n <<= 4
		if c >= 'a' {
			n |= uint32(c - 'a' + 10)
		} else {
			n |= uint32(c - '0')
		}
	}
	return n
}
