// SPDX-License-Identifier: Apache-2.0

package reprint_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/internal/reprint"
	"truceline/internal/takeout"
	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

var day = time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)

// given is what the node of one member has given out of a small mission, and what it shows.
type given struct {
	bags   map[string]string // by for whom: NOR, public
	tables map[string][]byte // a dump of the node's, the same
	// filings are those of the notices, as the node shows them.
	filings map[string]map[record.ID]mechanism.Filing
	key     string
	policy  string
	named   record.ID // an account that is not for everybody
	fault   error
}

var kept struct {
	once sync.Once
	dir  string
	given
}

// killedAt names for a child of this test after how many steps it is to be killed.
const killedAt = "REPRINT_TEST_KILLED_AT"

func TestMain(m *testing.M) {
	if at, err := strconv.Atoi(os.Getenv(killedAt)); err == nil {
		_, err := reprint.Make(context.Background(), os.Args[1], os.Args[2], reprint.Options{Progress: func(string, int64, int64) {
			if at--; at == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}})
		fmt.Println(err)
		os.Exit(0)
	}
	code := m.Run()
	if kept.dir != "" {
		os.RemoveAll(kept.dir)
	}
	os.Exit(code)
}

// staying leaves the cleaning up to TestMain.
type staying struct{ *testing.T }

func (staying) Cleanup(func()) {}

// mission makes what is given out once, for all tests, which do not change it.
func mission(t *testing.T) *given {
	t.Helper()
	kept.once.Do(func() { makeMission(t) })
	if kept.bags == nil {
		t.Fatal("the mission could not be made")
	}
	return &kept.given
}

func makeMission(t *testing.T) {
	f := fleet.New(staying{t}, 8800)
	kept.dir = f.Dir
	defer f.Freeze()
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	file := func(code string, d node.Draft) record.ID {
		t.Helper()
		id, err := f.File(code, d)
		if err != nil {
			t.Fatal(err)
		}
		f.Settle()
		return id
	}
	say := func(audience, words string, readers ...string) record.ID {
		t.Helper()
		d := f.Account("NOR", 3)
		d.Audience, d.Readers = audience, readers
		d.Body.(*record.Account).Claims[0].Words = words
		return file("NOR", d)
	}
	notice := func(audience string) record.ID {
		t.Helper()
		return file("NOR", node.Draft{Kind: record.NoticeFiled, Member: "NOR", Audience: audience,
			Body: &record.Notice{Invited: []string{"SUD"}, Places: []string{"ford"}, Types: []string{"shots"}, When: when.Span{Start: "2031-03-01"}}})
	}
	n := f.Nodes["NOR"]
	sum, _, err := n.Copies.Put(t.Context(), strings.NewReader("EXERCISE as it was published"))
	if err != nil {
		t.Fatal(err)
	}
	say(record.AudiencePublic, "EXERCISE for everybody")
	kept.named = say(record.AudienceNamed, "EXERCISE for mon", "mon")
	notices := []record.ID{notice(record.AudiencePublic), notice(record.AudienceMembers)}
	file("NOR", node.Draft{Kind: record.ReportFiled, Member: "NOR", Audience: record.AudienceMembers,
		Body: &record.Report{Title: "EXERCISE", Copies: []record.Copy{{SHA256: sum, Size: 28}, {SHA256: record.Digest{1}, Size: 1}}}})
	// Nothing that is not for everybody stands before what closes the first, and something
	// before what closes the third.
	say(record.AudiencePublic, "EXERCISE for everybody again")
	f.Clock.Advance(80 * time.Hour)
	f.Settle()
	notices = append(notices, notice(record.AudiencePublic))
	say(record.AudienceMembers, "EXERCISE for members")
	f.Clock.Advance(80 * time.Hour)
	f.Settle()
	notices = append(notices, notice(record.AudiencePublic)) // stays open
	if _, err := f.File("SUD", func() node.Draft {           // of another, and closed to NOR
		d := f.Account("SUD", 4)
		d.Audience, d.Readers = record.AudienceNamed, []string{"mon"}
		return d
	}()); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if err := n.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept.key, kept.policy = n.Config.LogKey, n.Pack().Policy
	g := &kept.given
	g.tables, g.filings = map[string][]byte{}, map[string]map[record.ID]mechanism.Filing{"NOR": {}, "public": {}}
	for who, db := range map[string]*projection.DB{"NOR": n.Projection, "public": n.Public()} {
		g.tables[who] = dump(t, db)
	}
	for _, id := range notices {
		if x, ok := n.Filing(id); ok {
			g.filings["NOR"][id] = x
		}
		if x, ok, err := n.PublicFiling(t.Context(), id); err != nil {
			t.Fatal(err)
		} else if ok {
			g.filings["public"][id] = x
		}
	}
	bags := map[string]string{}
	for who, v := range map[string]takeout.Viewer{"NOR": takeout.Own(n), "public": takeout.Public} {
		bags[who] = filepath.Join(f.Dir, "bag-"+who)
		if _, err := takeout.Write(t.Context(), n, bags[who], takeout.Options{Viewer: v, Now: day}); err != nil {
			t.Fatal(err)
		}
	}
	g.bags = bags
}

func dump(t *testing.T, db *projection.DB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := db.Dump(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tree reads every file of a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// left wants nothing in the folder in which a copy was to be made.
func left(t *testing.T, what, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 0 {
		t.Errorf("%s: %v is left, %v", what, entries, err)
	}
}
