// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"strings"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
)

// tidy drops from a head the signature lines that a bundle has no use for: those of keys
// that neither the policy nor a record of the bundle names, and bad ones, which would spoil
// it for everybody.
func (m *maker) tidy(signed []byte) []byte {
	text, block, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return signed
	}
	keys := m.keys()
	out := text + "\n\n"
	for line := range strings.Lines(block) {
		for _, k := range keys {
			if _, _, err := ledger.ParseCheckpoint([]byte(text+"\n\n"+line), k); err == nil {
				out += line
				break
			}
		}
	}
	return []byte(out)
}

// keys are those whose lines a bundle keeps.
func (m *maker) keys() (out []note.Verifier) {
	add := func(v note.Verifier, err error) {
		if err == nil {
			out = append(out, v)
		}
	}
	add(ledger.NewVerifier(m.from.LogKey()))
	if m.policy != nil {
		for _, w := range m.policy.Witnesses {
			add(cosign.NewVerifier(w.VKey))
		}
	}
	for _, vkey := range m.rules {
		add(cosign.NewVerifier(vkey))
	}
	return out
}
