// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"truceline/internal/outbox"
)

// end is the last line under some bytes.
func end(before []byte) []byte {
	return fmt.Appendf(nil, "{\"end\":{\"lines\":%d,\"sha256\":\"%x\"}}\n", bytes.Count(before, []byte("\n")), sha256.Sum256(before))
}

// FuzzCarry: whatever opens comes back, written again, byte for byte.
func FuzzCarry(f *testing.F) {
	h, items := itemsOfEveryKind(f)
	file := carry(f, h, items...)
	f.Add(file, false)
	f.Add(file[:bytes.LastIndexByte(file[:len(file)-1], '\n')+1], true)
	for _, item := range items {
		file := carry(f, h, item)
		f.Add(file[:bytes.LastIndexByte(file[:len(file)-1], '\n')+1], true)
	}
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal {
			b = append(bytes.Clone(b), end(b)...)
		}
		h, items, err := read(b)
		if err != nil {
			return
		}
		var again bytes.Buffer
		w, err := outbox.NewCarryWriter(&again, h)
		must(t, err)
		for _, item := range items {
			must(t, w.Add(item))
		}
		must(t, w.Close())
		if !bytes.Equal(again.Bytes(), b) {
			t.Fatalf("%q came back as %q", b, again.Bytes())
		}
	})
}
