// SPDX-License-Identifier: Apache-2.0

package quorum_test

import (
	"bytes"
	"testing"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
)

func TestMet(t *testing.T) {
	_, log, err := ledger.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{9}, 32)), "a.example/log")
	if err != nil {
		t.Fatal(err)
	}
	p := &quorum.Policy{Logs: []quorum.Log{{VKey: log}}, Quorum: "most"}
	var keys []string
	for i, name := range []string{"a", "b", "c"} {
		_, vkey, err := cosign.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{byte(i)}, 32)), name)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, vkey)
		p.Witnesses = append(p.Witnesses, quorum.Witness{Name: name, VKey: vkey})
	}
	p.Groups = []quorum.Group{{Name: "most", Threshold: 2, Members: []string{"a", "b", "c"}}}
	for _, x := range []struct {
		keys []string
		want bool
	}{
		{nil, false},
		{keys[:1], false},
		{[]string{keys[1], keys[1]}, false},
		{[]string{keys[0], log}, false},
		{[]string{"a", "b"}, false},
		{[]string{keys[0], keys[2]}, true},
		{keys, true},
	} {
		if got, err := p.Met(x.keys...); err != nil || got != x.want {
			t.Errorf("%q: %t, %v", x.keys, got, err)
		}
	}
	p.Quorum = quorum.None
	if got, err := p.Met(); err != nil || !got {
		t.Errorf("a quorum of nobody is not met: %v", err)
	}
	p.Quorum = "nobody"
	if _, err := p.Met(keys...); err == nil {
		t.Error("a policy that is not valid is counted by")
	}
}
