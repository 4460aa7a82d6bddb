// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/node"
)

// An invitation's secret lets in once, the one it was made for, and not for ever.
func TestInvitations(t *testing.T) {
	ctx := context.Background()
	f := fleet.New(t, 110)
	random := fleet.Source(111)
	invite := func(code string) *node.Invitation {
		t.Helper()
		inv, err := f.Registry().InviteMember(code, fleet.URL(fleet.RegistryCode))
		if err != nil {
			t.Fatal(err)
		}
		return inv
	}
	answer := func(inv *node.Invitation, dir string) []byte {
		t.Helper()
		r, err := node.PrepareMember(ctx, filepath.Join(t.TempDir(), dir), node.Joining{Invitation: inv, Options: node.Options{Now: f.Clock.Now, Rand: random}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	refused := func(what string, r []byte) {
		t.Helper()
		before := f.Registry().Head().Size
		if err := f.Registry().Accept(ctx, r); err == nil || f.Registry().Head().Size != before {
			t.Errorf("%s was taken: %v", what, err)
		}
	}
	first := invite("NOR")
	second := invite("NOR")
	refused("an invitation in whose place another has come", answer(first, "a"))
	r := answer(second, "b")
	var other node.Reply
	if err := json.Unmarshal(r, &other); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*node.Reply){
		"the secret for another member": func(r *node.Reply) { r.Member = "SUD" },
		"a guessed secret":              func(r *node.Reply) { r.Token = strings.Repeat("0", 64) },
		"another mission":               func(r *node.Reply) { r.Mission[0]++ },
		"no key":                        func(r *node.Reply) { r.Keys = nil },
	} {
		bad := other
		change(&bad)
		b, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		refused(what, b)
	}
	if err := f.Registry().Accept(ctx, r); err != nil {
		t.Fatal(err)
	}
	size := f.Registry().Head().Size
	if err := f.Registry().Accept(ctx, r); err != nil || f.Registry().Head().Size != size {
		t.Errorf("the same answer again: %v, %d records more", err, f.Registry().Head().Size-size)
	}
	thief := other
	thief.Keys = nil
	var stolen node.Reply
	if err := json.Unmarshal(answer(invite("SUD"), "c"), &stolen); err != nil {
		t.Fatal(err)
	}
	thief.Keys = stolen.Keys
	b, err := json.Marshal(thief)
	if err != nil {
		t.Fatal(err)
	}
	refused("a used secret, with other keys", b)
	if _, err := f.Registry().InviteMember("NOR", ""); err == nil {
		t.Error("a member that is here is invited")
	}
	late := answer(invite("fac"), "d")
	f.Clock.Advance(node.InvitationLife + time.Hour)
	refused("an invitation that is too old", late)
}

// What stands in a node's folder is for its owner alone.
func TestOthersCannotRead(t *testing.T) {
	f := fleet.New(t, 120)
	f.Join("NOR")
	for _, code := range []string{fleet.RegistryCode, "NOR"} {
		info, err := os.Stat(f.Path(code))
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the folder of %s: %v, %v", code, info.Mode(), err)
		}
		files := 0
		err = filepath.WalkDir(f.Path(code), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			if os.Getuid() != 0 {
				return nil // the folder's mode keeps others out
			}
			// Another user of this machine tries.
			cat := exec.Command("cat", path)
			cat.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			if out, err := cat.CombinedOutput(); err == nil || !strings.Contains(string(out), "ermission denied") {
				t.Errorf("another user read %s: %v", path, err)
			}
			return nil
		})
		if err != nil || files < 5 {
			t.Errorf("%d files in the folder of %s, %v", files, code, err)
		}
	}
}
