// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"truceline/internal/outbox"
	"truceline/record"
	"truceline/vault"
)

// TestErase: of a body that was erased no byte is left in the files, and the box is whole.
func TestErase(t *testing.T) {
	ctx := context.Background()
	b, path, _ := fresh(t)
	d := newDesk(t, 3)
	boxed := func() outbox.Submission {
		t.Helper()
		s := d.sign(record.ReportFiled, &record.Report{Title: "EXERCISE " + strings.Repeat("x", 6000)}, func(st *record.Statement) {
			st.Audience, st.Body.Alg = record.AudienceMembers, record.FieldsAlg
		})
		box, err := vault.Box(d.rand, s.ID, s.Body, s.BodySalt, record.ID{5}, vault.EpochKey{6})
		must(t, err)
		s.Body, err = box.Encode()
		must(t, err)
		s.BodySalt = [32]byte{}
		return s
	}
	gone, stays := boxed(), boxed()
	for _, s := range []outbox.Submission{gone, stays} {
		_, err := b.Put(ctx, outbox.Act{ID: s.ID, Member: "VAL", Records: []outbox.Submission{s}})
		must(t, err)
	}
	files := func() (all []byte) {
		for _, suffix := range []string{"", "-wal"} {
			f, err := os.ReadFile(path + suffix)
			must(t, err)
			all = append(all, f...)
		}
		return all
	}
	mark := gone.Body[500:560]
	if !bytes.Contains(files(), mark) {
		t.Fatal("the box is not to be found before: the search is worth nothing")
	}
	must(t, b.Erase(ctx, gone.ID))
	must(t, b.Erase(ctx, gone.ID))
	must(t, b.Erase(ctx, record.ID{1, 2}))
	if all := files(); bytes.Contains(all, mark) || !bytes.Contains(all, stays.Body[500:560]) {
		t.Error("the box is still in the files, or another's is not")
	}
	must(t, b.Check(ctx))
	if a, ok, err := b.Find(ctx, gone.ID); err != nil || !ok || a.Records[0].Body != nil || len(a.Records[0].Envelope) == 0 {
		t.Errorf("%+v, %t, %v", a, ok, err)
	}
}
