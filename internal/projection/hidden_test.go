// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/projection"
	"truceline/record"
)

// Tables of a viewer to whom the last entries are not shown, however many, are followed
// on from there.
func TestFollowedPastWhatIsNotShown(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	first := nodetest.MustFile(t, n, nodetest.Account(n, "Spokesman", 3))
	var many []node.Draft
	for i := range projection.Chunk + 10 {
		many = append(many, nodetest.Report(n, fmt.Sprint("report ", i)))
	}
	if _, err := n.FileTogether(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	d, err := projection.OpenFor(t.Context(), filepath.Join(t.TempDir(), "tables.db"), func(st *record.Statement) bool { return st.Kind != record.ReportFiled })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	follow := func() {
		t.Helper()
		size := n.Head().Size
		if err := d.CatchUp(t.Context(), n.Store(), size, nil); err != nil {
			t.Fatal(err)
		}
		if done, err := d.Applied(t.Context()); err != nil || done != size {
			t.Fatalf("%d of %d entries are folded, %v", done, size, err)
		}
		if ours, err := d.Continues(t.Context(), n.Store()); err != nil || !ours {
			t.Fatalf("the ledger is taken for another's: %v", err)
		}
	}
	follow()
	follow()
	hidden := nodetest.MustFile(t, n, nodetest.Report(n, "one more"))
	follow()
	last := nodetest.MustFile(t, n, nodetest.Account(n, "Spokesman", 4))
	follow()
	for _, id := range []record.ID{first, last} {
		if _, err := d.Account(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Record(t.Context(), hidden); !errors.Is(err, projection.ErrNotFound) {
		t.Errorf("what is not shown is found: %v", err)
	}
	if r, err := d.RecordAt(t.Context(), n.Head().Size-1); err != nil || r.ID != last {
		t.Errorf("the last record is %v, %v", r.ID, err)
	}
}
