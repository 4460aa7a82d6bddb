// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/internal/addresstest"
	"truceline/record"
)

// What docs/operations.md tells an operator to do, with real processes and no server but
// the registry's.
func TestOperations(t *testing.T) {
	dir := t.TempDir()
	file, pack, registry, members := told(t)
	in := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	reg, north, south := in(registry), in("north"), in("south")
	address := addresstest.Free(t)
	must(t, "init", "--data", reg, "--agreement", file, "--origin", "operations.invalid/one", "--invite", strings.Join(members, ","))
	r := start(t, "serve", "--data", reg, "--listen", address)
	for i, folder := range []string{north, south, in("centre"), in("coast")} { // the last two are the escrow of filings
		must(t, "invite", members[i], "--data", reg, "--url", r.url, "--out", folder+".invitation")
		must(t, "join", "--invitation", folder+".invitation", "--data", folder, "--recovery", folder+".recovery")
	}
	r.stop(t)
	says := func(out string, patterns ...string) {
		t.Helper()
		for _, p := range patterns {
			if !regexp.MustCompile(p).MatchString(out) {
				t.Errorf("it does not say %s:\n%s", p, out)
			}
		}
	}

	// Without a line.
	truceline(t, "do", "statement.record", "claimant=EXERCISE", "claimant_kind="+pack.ClaimantKinds[0].Code, "claim.1.element=harm",
		"claim.1.measure="+pack.Measures[0].Code, "claim.1.figure=3", "claim.1.stance="+pack.Stances[0].Code, "--data", north)
	says(must(t, "carry", "out", in("there.carry"), "--data", north), `[12] acts that wait`)
	says(must(t, "carry", "in", in("there.carry"), "--reply", in("back.carry"), "--data", reg), `acts +[12] in the ledger, 0 refused`)
	says(must(t, "carry", "in", in("back.carry"), "--data", north), `own acts +[12] with verified receipts, 0 refused`)

	// What a member seals without a line another attests to have held.
	form := record.ID{1}
	notice, account := acts.FormID(form, record.NoticeFiled).String(), acts.FormID(form, record.AccountSealed).String()
	truceline(t, "do", "notice.file", "form="+form.String(), "types="+pack.IncidentTypes[0].Code, "places="+pack.Places[0].Code, "start=2031-03-01", "invited="+members[1], "--data", north)
	must(t, "carry", "out", in("notice.carry"), "--data", north)
	must(t, "carry", "in", in("notice.carry"), "--reply", in("open.carry"), "--data", reg)
	must(t, "carry", "in", in("open.carry"), "--data", north)
	truceline(t, "do", "account.seal", "form="+form.String(), "incident="+notice, "claimant=EXERCISE", "claimant_kind="+pack.ClaimantKinds[0].Code, "claim.1.element=harm",
		"claim.1.measure="+pack.Measures[0].Code, "claim.1.figure=3", "claim.1.stance="+pack.Stances[0].Code, "--data", north)
	must(t, "carry", "out", in("sealed.carry"), "--data", north)
	refused(t, "counts for nothing", "carry", "in", in("sealed.carry"), "--attest", in("none.att"), "--data", reg)
	for _, who := range []string{"centre", "coast"} {
		out, errs, exit := truceline(t, "carry", "in", in("sealed.carry"), "--attest", in(who+".att"), "--data", in(who))
		says(out, `attested +account `+account+` of `+members[0]+`, held at `, `NOT TAKEN`)
		if exit != 1 {
			t.Errorf("on the node of the %s it exits %d: %s", who, exit, errs)
		}
		if b := readAll(t, in(who+".att")); !strings.HasPrefix(b, "{") || strings.Count(b, "\n") != 1 {
			t.Errorf("it attests %s", b)
		}
	}
	must(t, "carry", "in", in("sealed.carry"), "--reply", in("answer.carry"), "--data", reg)
	must(t, "carry", "in", in("answer.carry"), "--data", north)
	refused(t, "sealed in time", "do", "filing.vouch", "account="+account, "attestation=@"+in("centre.att"), "attestation=@"+in("coast.att"), "--data", north)

	says(must(t, "carry", "out", in("copy.carry"), "--records-from", "0", "--data", north), `0 acts that wait, \d\d`)
	says(must(t, "carry", "in", in("copy.carry"), "--data", south), `records +[1-9]`)
	for _, name := range []string{"there.carry", "back.carry"} {
		if info, err := os.Stat(in(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	b := readAll(t, in("back.carry"))
	if err := os.WriteFile(in("cut.carry"), []byte(b[:len(b)-20]), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "cut short or altered", "carry", "in", in("cut.carry"), "--data", north)

	// Backup and restore.
	must(t, "doctor", "--data", north)
	says(must(t, "backup", in("north.backup"), "--data", north), `a ledger of \d\d records`)
	must(t, "restore", in("north.backup"), "--data", in("again"))
	refused(t, "not empty", "restore", in("north.backup"), "--data", in("again"))
	if out, _, exit := truceline(t, "doctor", "--data", in("again")); exit != 1 || !strings.Contains(out, "put back from a backup") {
		t.Errorf("doctor exits %d: %s", exit, out)
	}
	if _, _, exit := truceline(t, "restored", "--data", in("again")); exit != 1 {
		t.Errorf("restored exits %d", exit)
	}
	must(t, "restored", "--yes", "--data", in("again"))
	says(must(t, "doctor", "--data", in("again")), `outbox: whole; 0 acts wait`, `witness`, `cosigner keys`, `alarms: none`)
	if err := os.RemoveAll(in("again")); err != nil {
		t.Fatal(err)
	}

	// The registry is lost, and made again; and the log continued.
	key := regexp.MustCompile(`"log_key": "([^"]+)"`).FindStringSubmatch(readAll(t, filepath.Join(reg, "truceline.json")))[1]
	must(t, "export", "log", in("mirror"), "--data", south)
	says(must(t, "rebuild-log", "--from", in("mirror"), "--from", in("nowhere"), "--key", key, "--out", in("rebuilt")), `verdict +OK`, `note .*nowhere`)
	if err := os.Rename(reg, in("lost")); err != nil {
		t.Fatal(err)
	}
	must(t, "restore-registry", "--log", in("rebuilt", "log"), "--keys", in("lost", "keys"), "--data", reg)
	must(t, "doctor", "--data", reg)
	says(must(t, "catch-up", "--from", in("mirror"), "--data", reg), `^0 records appended`)
	says(must(t, "init", "--data", in("second"), "--agreement", file, "--origin", "operations.invalid/two", "--continues", in("rebuilt", "log")), `takes the place of operations.invalid/one`)

	// Keys, and leaving.
	r = start(t, "serve", "--data", reg, "--listen", address)
	says(must(t, "recover", "--recovery", south+".recovery", "--invitation", south+".invitation", "--data", in("found")), `new key +[0-9a-f]{32}\n +revoked +[0-9a-f]{32}`)
	must(t, "doctor", "--data", in("found"))
	says(must(t, "key", "rotate", "--data", north), `signs with key`)
	list := must(t, "key", "list", "--data", north)
	says(list, `this node signs with it`)
	for line := range strings.Lines(list) {
		if id := strings.TrimSpace(line); len(id) == 32 {
			says(must(t, "key", "revoke", id, "--reason", "retired", "--data", north), `signs nothing|waiting`)
		}
	}
	says(must(t, "leave", "--reason", "EXERCISE", "--data", north), `Nothing was filed`)
	says(must(t, "leave", "--reason", "EXERCISE", "--yes", "--data", north), `has left`)
	if _, _, exit := truceline(t, "leave", "--reason", "EXERCISE", "--yes", "--data", north); exit != 1 {
		t.Error("it left twice")
	}
	r.stop(t)
	if _, errs, exit := truceline(t, "member", "former", registry, "--reason", "EXERCISE", "--data", reg); exit != 1 {
		t.Errorf("the registry left: %s", errs)
	}
}
