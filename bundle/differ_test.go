// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"truceline/bundle"
	"truceline/ledger"
	"truceline/record"
)

// oddities are values that parsers are known to read differently.
var oddities = []string{
	`""`, `" "`, `"\n"`, "\"\u00a0\"", "\"\u2028\"", "\"\u202e\"", "\"\ufeff\"", "\"\U0001F600\"", `"\u0041"`, "0", "-0", "-1", "1.0", "1e3", "9007199254740991", "9007199254740992",
	"true", "false", "null", "[]", "{}", "[[]]", `["b","a"]`, `{"a":1}`, `"AB=="`, `"AA=="`, `"AAAA\nAAAA"`, `"` + strings.Repeat("0", 32) + `"`, `"` + strings.Repeat("0", 64) + `"`,
	`"` + strings.Repeat("a", 65) + `"`, `"none"`, `"box"`, `"DRN"`, `"book"`, `"public"`, `"named"`, `"nobody"`, `"hmac-sha256"`, `"hmac-x"`, `"release.made"`, `"key.revoked"`, `"later.kind"`,
	`"/a[00]"`, `"/a[0]"`, `"/` + strings.Repeat("a", 65) + `"`, `"5"`, `"\"x\""`, `"[]"`, `"-0"`, `"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="`,
	strings.Repeat("[", 15) + strings.Repeat("]", 15), strings.Repeat("[", 17) + strings.Repeat("]", 17),
}

// oddNames are keys of objects that a program may take for something of its own.
var oddNames = []string{"__proto__", "constructor", "crit", "ext", "body", "exercise", "readers", "replaces", "v", "zz"}

// mutated is canonical JSON with one value changed, left out, given twice or put in.
func mutated(r *rand.Rand, b []byte) []byte {
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return b
	}
	odd := func() any { return json.RawMessage(oddities[r.IntN(len(oddities))]) }
	var places []func() // every way to change it once
	var walk func(v any, set func(any))
	walk = func(v any, set func(any)) {
		places = append(places, func() { set(odd()) })
		switch x := v.(type) {
		case map[string]any:
			places = append(places, func() { x[oddNames[r.IntN(len(oddNames))]] = odd() })
			for _, k := range slices.Sorted(maps.Keys(x)) {
				walk(x[k], func(y any) { x[k] = y })
				places = append(places, func() { delete(x, k) })
			}
		case []any:
			for i := range x {
				walk(x[i], func(y any) { x[i] = y })
				places = append(places, func() { set(slices.Insert(slices.Clone(x), i, x[i])) }, func() { set(slices.Delete(slices.Clone(x), i, i+1)) })
			}
		case string:
			places = append(places, func() { set(x + []string{" ", "=", "\u200b", "A"}[r.IntN(4)]) })
		}
	}
	walk(v, func(y any) { v = y })
	places[r.IntN(len(places))]()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return b
	}
	return bytes.TrimSuffix(bytes.ReplaceAll(out.Bytes(), []byte(`\u2028`), []byte("\u2028")), []byte("\n"))
}

// peculiar is a release, signed and hashed as it should be, but for one thing of it that is.
func peculiar(t *testing.T, r *rand.Rand) (caseFile, bool) {
	c := newCase(t, "strange")
	c.released(nil)
	all := append(slices.Clone(c.with), c.target, c.target, heldAccount, heldIncident)
	e := &c.log.Entries[all[r.IntN(len(all))]]
	env, err := record.ParseEnvelope(e.Envelope)
	c.must(err)
	payload := env.Payload
	switch how := r.IntN(8); {
	case how < 3:
		payload = mutated(r, payload)
	case how < 6 && e.Box == nil: // what was said, of kinds whose form both checkers know
		b := mutated(r, e.Body)
		sum, err := ledger.Commitment(e.Statement.Body.Alg, e.BodySalt, b)
		if err != nil || e.Statement.Kind == record.AgreementAdopted {
			return caseFile{}, false
		}
		payload = bytes.Replace(payload, []byte(e.Statement.Body.Commitment.String()), []byte(record.Digest(sum).String()), 1)
		e.Body = b
	case how < 7:
		e.Envelope = mutated(r, e.Envelope)
		return looseFile(c)
	default:
		c.bytes(func(s string) string { return string(mutated(r, []byte(s))) })
		return looseFile(c)
	}
	if e.Envelope, err = record.Seal(record.StatementType, payload, c.Signer(e.Statement.Member)); err != nil {
		return caseFile{}, false
	}
	return looseFile(c)
}

// looseFile is the bundle of a case, if what is in it can be written down at all.
func looseFile(c *caseWorld) (caseFile, bool) {
	for _, e := range c.log.Entries {
		if record.CheckCanonical(e.Envelope) != nil || e.Body != nil && record.CheckCanonical(slices.Concat([]byte(`{"a":`), e.Body, []byte("}"))) != nil {
			return caseFile{}, false
		}
	}
	return caseFile{Bundle: c.assemble(), Key: c.key}, true
}

// TestBothCheckersOnStrangeBundles: whatever a log, a member or a host makes of a release,
// both checkers come to the same of it, and good is only what shows the same.
func TestBothCheckersOnStrangeBundles(t *testing.T) {
	r, dir := rand.New(rand.NewPCG(1, 2)), t.TempDir()
	var files []caseFile
	var list []onDisk
	for try := 0; try < 150 && len(files) < 40; try++ {
		if f, ok := peculiar(t, r); ok {
			files, list = append(files, f), append(list, f.disk(t, dir, fmt.Sprint(len(files))))
		}
	}
	if len(files) < 30 {
		t.Fatalf("only %d bundles were made", len(files))
	}
	for i, v := range secondChecker(t, list...) {
		got, err := bundle.Check([]byte(files[i].Bundle), bundle.Options{Key: files[i].Key})
		if err != nil {
			t.Fatal(err)
		}
		p, u := found(got)
		how, what := v.outcome()
		if how != got.Outcome().String() || !slices.Equal(layersIn(problemLine, v.Out), p) || !slices.Equal(layersIn(uncheckedLine, v.Out), u) || how == "ok" && what != summary(got) {
			t.Errorf("%s: the second checker says\n%s\nand this one\n%s", filepath.Base(list[i].File), v.Out, text(got))
		}
	}
}
