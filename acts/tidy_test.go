// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"testing"

	"truceline/record"
)

// What browsers send and people paste comes to be what records hold: no record holds a
// control character but line feed and tab.
func TestLineEndsAndControlCharacters(t *testing.T) {
	n, who := lakes(t)
	_, a, err := plan(t, n, who, said("quote", "Four were hurt.\r\n\tNo more\x0bwas said.\r\n", "claimant", "A \u0085spokesman", "claim.1.words", "four\r\nhurt\x1b"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Quote.Text != "Four were hurt.\n\tNo more was said." || a.Claimant.Name != "A  spokesman" || a.Claims[0].Words != "four\nhurt" {
		t.Errorf("%q, %q, %q", a.Quote.Text, a.Claimant.Name, a.Claims[0].Words)
	}
	if _, err := record.EncodeBody(a); err != nil {
		t.Error(err)
	}
}
