// SPDX-License-Identifier: Apache-2.0

package takeout_test

import (
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/takeout"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify"
)

// Each member's node gives out what its member may read: the log with the witnesses'
// cosignatures, the policy, and out of boxes what is for that member, no more.
func TestMembersGiveOutTheirOwn(t *testing.T) {
	f := fleet.New(t, 6100)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	say := func(audience, words string, readers ...string) record.ID {
		t.Helper()
		d := f.Account("NOR", 3)
		d.Audience, d.Readers = audience, readers
		d.Body.(*record.Account).Claims[0].Words = words
		id, err := f.File("NOR", d)
		if err != nil {
			t.Fatal(err)
		}
		f.Settle()
		return id
	}
	say(record.AudiencePublic, "EXERCISE for everybody")
	named := say(record.AudienceNamed, "EXERCISE for mon", "mon")
	say(record.AudienceMembers, "EXERCISE for members")
	// Refused: there is no such account. The refusal stays in the box of the member's node.
	if _, err := f.File("NOR", refused(named)); err != nil {
		t.Fatal(err)
	}
	f.Settle()

	key := f.Registry().Config.LogKey
	reads := map[string][]string{
		"NOR": {"for everybody", "for mon", "for members"}, "mon": {"for everybody", "for mon", "for members"}, "SUD": {"for everybody", "for members"},
		fleet.RegistryCode: {"for everybody"}, // which has named no key to be written to
	}
	for code, words := range reads {
		n := f.Nodes[code]
		dir, out := bagOf(t, n, takeout.Own(n), day)
		files := tree(t, dir)
		if out.Lines != out.Records {
			t.Errorf("%s is given %d lines of %d", code, out.Lines, out.Records)
		}
		for _, w := range []string{"for everybody", "for mon", "for members"} {
			should := strings.Contains(strings.Join(words, ","), w)
			if strings.Contains(files["data/accounts.csv"], w) != should {
				t.Errorf("%s: the table says %q: %t", code, w, !should)
			}
			for path, content := range files {
				if !should && strings.Contains(content, "EXERCISE "+w) {
					t.Errorf("%s: %s says %q", code, path, w)
				}
			}
		}
		policy, err := quorum.Parse(files["data/policy.txt"])
		if err != nil || files["data/log/witnessed"] == "" {
			t.Fatal(code, err)
		}
		if r, said := check(t, dir, verify.Options{Key: key, Policy: policy}); r.Outcome() != verify.Good || len(r.Compared) != 4 || r.Log.Witnesses == nil {
			t.Errorf("%s: %s", code, said)
		}
		refusals := 0
		for path := range files {
			if strings.HasPrefix(path, "data/refusals/act-") {
				refusals++
			}
		}
		if (refusals == 1) != (code == "NOR") {
			t.Errorf("%s has %d refusals", code, refusals)
		}
		if code != "SUD" {
			continue
		}
		// A policy that asks for nothing, in place of the one agreed on.
		write(t, filepath.Join(dir, "data/policy.txt"), []byte(strings.Replace(files["data/policy.txt"], "group members 3", "group members 1", 1)))
		listAnew(t, dir)
		if r, said := check(t, dir, verify.Options{Key: key}); r.Outcome() != verify.Wrong || !strings.Contains(said, "data/policy.txt: it is not what the records in the log say") {
			t.Error(said)
		}
	}
	// What everybody is given is the same from each node, but for who gives it.
	var first map[string]string
	for _, code := range []string{"NOR", "SUD"} {
		dir, out := bagOf(t, f.Nodes[code], takeout.Public, day)
		files := tree(t, dir)
		if out.Lines >= out.Records {
			t.Errorf("%s gives everybody all lines", code)
		}
		if first == nil {
			first = files
		}
		for path, content := range files {
			for _, w := range []string{"EXERCISE for mon", "EXERCISE for members", named.String()} {
				if strings.Contains(content, w) {
					t.Errorf("%s: everybody reads %q in %s", code, w, path)
				}
			}
			if path != "bag-info.txt" && path != "tagmanifest-sha256.txt" && !strings.HasPrefix(path, "data/log/witnessed") && path != "manifest-sha256.txt" && path != "data/log/checkpoint" && content != first[path] {
				t.Errorf("%s is not the same from %s", path, code)
			}
		}
	}
}
