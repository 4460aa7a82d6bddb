// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"strings"
	"testing"

	"truceline/record"
	"truceline/when"
)

// spoil gives a copy of the full body of a kind with one thing changed.
func spoil[B any](t *testing.T, k record.Kind, edit func(*B)) record.Body {
	t.Helper()
	b := bodies()[k]
	full, ok := b.(any).(*B)
	if !ok {
		t.Fatalf("the body of %s is a %T", k, b)
	}
	edit(full)
	return b
}

func TestFilingBodies(t *testing.T) {
	notice := func(edit func(*record.Notice)) record.Body { return spoil(t, record.NoticeFiled, edit) }
	sealed := func(edit func(*record.Sealed)) record.Body { return spoil(t, record.AccountSealed, edit) }
	opened := func(edit func(*record.Opened)) record.Body { return spoil(t, record.AccountOpened, edit) }
	vouched := func(list ...string) record.Body { return &record.Vouching{Attestations: list} }
	one := base64Of(300)
	for name, b := range map[string]record.Body{
		"notice, not severe":     notice(func(n *record.Notice) { n.Severe = false }),
		"notice to one":          notice(func(n *record.Notice) { n.Invited = []string{"DRN"} }),
		"notice of one day":      notice(func(n *record.Notice) { n.When = when.Span{Start: "2026-03-01"} }),
		"sealed, no escrow":      sealed(func(s *record.Sealed) { s.Escrow = nil }),
		"share with high number": &record.Share{Share: "/" + base64Of(33)[1:]},
		"as many as may be":      vouched(strings.Split(strings.Repeat(one+" ", record.MaxSigs-1)+one, " ")...),
	} {
		if _, err := record.EncodeBody(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string]record.Body{
		"nobody invited":        notice(func(n *record.Notice) { n.Invited = []string{} }),
		"invited twice":         notice(func(n *record.Notice) { n.Invited = []string{"DRN", "DRN"} }),
		"invited in no order":   notice(func(n *record.Notice) { n.Invited = []string{"OMB", "DRN"} }),
		"invited by name":       notice(func(n *record.Notice) { n.Invited = []string{"a b"} }),
		"no place":              notice(func(n *record.Notice) { n.Places = []string{} }),
		"place not a code":      notice(func(n *record.Notice) { n.Places = []string{"a b"} }),
		"no type":               notice(func(n *record.Notice) { n.Types = []string{} }),
		"type not a code":       notice(func(n *record.Notice) { n.Types = []string{""} }),
		"no time":               notice(func(n *record.Notice) { n.When = when.Span{} }),
		"a version in the time": notice(func(n *record.Notice) { n.When.Note = "at dawn, from the south" }),
		"time goes back":        notice(func(n *record.Notice) { n.When.End = "2026-02-01" }),
		"box of another size":   sealed(func(s *record.Sealed) { s.Box = base64Of(record.SealedBytes - 1) }),
		"larger box":            sealed(func(s *record.Sealed) { s.Box = base64Of(record.SealedBytes + 1) }),
		"box loosely":           sealed(func(s *record.Sealed) { s.Box = strings.TrimRight(s.Box, "=") }),
		"no commitment":         sealed(func(s *record.Sealed) { s.Commitment = record.Digest{} }),
		"escrow in no order":    sealed(func(s *record.Sealed) { s.Escrow[0].Member = "z" }),
		"escrow twice":          sealed(func(s *record.Sealed) { s.Escrow[0].Member = s.Escrow[1].Member }),
		"escrow by name":        sealed(func(s *record.Sealed) { s.Escrow[0].Member = "a b" }),
		"escrow not age":        sealed(func(s *record.Sealed) { s.Escrow[1].Age = base64Of(64) }),
		"no nonce":              opened(func(o *record.Opened) { o.Nonce = record.Digest{} }),
		"account not in order":  opened(func(o *record.Opened) { o.Account.Claims[0].N = 7 }),
		"share too short":       &record.Share{Share: "AQ" + base64Of(32)[2:]},
		"share too long":        &record.Share{Share: "AQ" + base64Of(34)[2:]},
		"share number 0":        &record.Share{Share: base64Of(33)},
		"share loosely":         &record.Share{Share: "AQ" + base64Of(33)[2:] + "\n"},
		"one attestation":       vouched(one),
		"too many":              vouched(strings.Split(strings.Repeat(one+" ", record.MaxSigs)+one, " ")...),
		"not base64":            vouched(one, one[1:]),
		"larger than any":       vouched(one, base64Of(record.MaxEnvelope+1)),
	} {
		if _, err := record.EncodeBody(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	// The largest account that can be sealed can be opened.
	if record.SealedBytes != 24+16+32+4+record.MaxSealed || record.MaxSealed > record.MaxBody/2 {
		t.Errorf("%d bytes of box hold %d of an account", record.SealedBytes, record.MaxSealed)
	}
}
