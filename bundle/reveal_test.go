// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"truceline/bundle"
	"truceline/ledger"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// TestOfWhatIsForFewer: the bundle of a record that not everybody may read is good, shows
// nothing of what it says, and shows it once its holder puts it in.
func TestOfWhatIsForFewer(t *testing.T) {
	w := newWorld(t, "bundle")
	w.Epoch, w.EpochKey = record.ID{7}, vault.EpochKey{7}
	i := w.file("OMB", record.AccountFiled, bodyOf(7), verifytest.For(record.AudienceNamed, "DRN"))
	f := w.log.Entries[i]
	const said = "shots were fired"
	b := w.whole(i)
	r := w.check(b, w.known())
	is(t, r, bundle.Good, []string{}, []string{})
	if s := text(r); strings.Contains(string(b), said) || r.Record.Body != nil || !strings.Contains(s, "audience    named DRN") || strings.Count(s, fmt.Sprintf("what record %d says is encrypted for the audience named, and was not judged", i)) != 1 {
		t.Error(s)
	}

	shown, err := bundle.Reveal(b, f.Body, f.BodySalt)
	w.must(err)
	r = w.check(shown, w.known())
	is(t, r, bundle.Good, []string{}, []string{})
	if s := text(r); !bytes.Equal(r.Record.Body, f.Body) || !strings.Contains(s, said) || strings.Contains(s, "was not judged") {
		t.Error(s)
	}
	if again, err := bundle.Reveal(shown, f.Body, f.BodySalt); err != nil || !bytes.Equal(again, shown) {
		t.Errorf("shown a second time: %v", err)
	}
	// Erased, nothing of it is missing from the file, and it can be shown all the same.
	w.log.Entries[i].Box, w.log.Entries[i].Body = nil, nil
	b = w.whole(i)
	is(t, w.check(b, w.known()), bundle.Good, []string{}, []string{})
	if again, err := bundle.Reveal(b, f.Body, f.BodySalt); err != nil || !bytes.Equal(again, shown) {
		t.Errorf("shown from a copy of one's own: %v", err)
	}

	for name, x := range map[string]struct {
		b, body []byte
		salt    ledger.Salt
		says    string
	}{
		"another body":    {b, []byte(`{}`), f.BodySalt, "not the one the statement commits to"},
		"another salt":    {b, f.Body, ledger.Salt{1}, "not the one the statement commits to"},
		"for everybody":   {w.whole(i - 1), w.log.Entries[i-1].Body, w.log.Entries[i-1].BodySalt, "is not encrypted"},
		"not of its form": {b[1:], f.Body, f.BodySalt, "no bundle"},
	} {
		if out, err := bundle.Reveal(x.b, x.body, x.salt); err == nil || out != nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestShownAndNotOfItsForm: what was never judged may be anything, and shows so when it is
// shown.
func TestShownAndNotOfItsForm(t *testing.T) {
	w := newWorld(t, "bundle")
	w.Epoch = record.ID{7}
	i := w.file("OMB", record.AccountFiled, bodyOf(7), verifytest.For(record.AudienceMembers), verifytest.Bytes(`{"x":1}`))
	b := w.whole(i)
	is(t, w.check(b, w.known()), bundle.Good, []string{}, []string{})
	shown, err := bundle.Reveal(b, w.log.Entries[i].Body, w.log.Entries[i].BodySalt)
	w.must(err)
	is(t, w.check(shown, w.known()), bundle.Wrong, []string{fmt.Sprintf("%d body", i)}, []string{})
}
