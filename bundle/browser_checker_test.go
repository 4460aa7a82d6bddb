// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"truceline/bundle"
)

// browserChecker is a folder with the second checker as browsers load it, and with the
// program around it that Node runs.
func browserChecker(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put := func(from, name string) {
		f, err := os.Open(from)
		if err != nil {
			t.Fatalf("browser files are missing, run make assets: %v", err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(from, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, b)
	}
	if err := os.Mkdir(filepath.Join(dir, "noble-hashes"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"check-bundle.mjs", "check-core.mjs", "check-parts.mjs"} {
		put("../scripts/"+name, name)
	}
	put("../internal/assets/static/check-primitives.mjs", "check-primitives.mjs")
	for _, name := range []string{"noble-ed25519.mjs", "noble-hashes/_md.js", "noble-hashes/_u64.js", "noble-hashes/hmac.js", "noble-hashes/sha2.js", "noble-hashes/utils.js"} {
		put("../internal/assets/vendor/"+name+".gz", name)
	}
	write(t, dir, "package.json", []byte(`{"type":"module"}`))
	return dir
}

// TestBrowserCheckerOnCases: with what browsers have in the place of Node's cryptography
// the second checker says the same of every case.
func TestBrowserCheckerOnCases(t *testing.T) {
	dir := t.TempDir()
	var list []onDisk
	var cases []caseFile
	for i := range bundleCases {
		f := bundleCases[i].file(t)
		cases, list = append(cases, f), append(list, f.disk(t, dir, bundleCases[i].name))
	}
	said := runChecker(t, filepath.Join(browserChecker(t), "check-bundle.mjs"), list...)
	for i, c := range cases {
		said[i].sees(t, bundleCases[i].name, c.Outcome, c.Problems, c.Unchecked)
		r, err := bundle.Check([]byte(c.Bundle), bundle.Options{Key: c.Key, Policy: c.Policy})
		if err != nil {
			t.Fatal(err)
		}
		if _, what := said[i].outcome(); r.Outcome() == bundle.Good && what != summary(r) {
			t.Errorf("%s: %q, want %q", bundleCases[i].name, what, summary(r))
		}
	}
}

// edges asks both sets of primitives of signatures on which implementations differ, and
// prints where they do, or where an answer is not the one wanted.
const edges = `
const [browser, node] = await Promise.all(['BROWSER', 'NODE'].map(name => import('file://' + process.env[name])))
const { Point } = await import('file://' + process.env.NOBLE)
const { Buffer } = node, L = 2n ** 252n + 27742317777372353535851937790883648493n
const little = b => BigInt('0x' + Buffer.from(b).reverse().toString('hex'))
const bytes = n => Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse()
const { createHash } = await import('node:crypto')
const hash = (...p) => little(p.reduce((h, x) => h.update(x), createHash('sha512')).digest()) % L
const message = Buffer.from('EXERCISE: a statement'), a = 12345678901234567890n, r = 998877665544332211n
const torsion = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', true)
const signed = (A, R, S = r + hash(R, A, message) * a) => [Buffer.from(A), Buffer.concat([R, bytes(S % L)])]
const A = Point.BASE.multiply(a), R = Buffer.from(Point.BASE.multiply(r).toBytes())
const [key, good] = signed(Buffer.from(A.toBytes()), R)
const mixed = signed(Buffer.from(A.add(torsion).toBytes()), R)
const changed = (b, i) => { const c = Buffer.from(b); c[i] ^= 1; return c }
const cases = { good: [key, good, true], 'a key with a part of small order': [...mixed, hash(R, mixed[0], message) % 8n === 0n],
  'S and the order': [key, Buffer.concat([R, bytes(little(good.subarray(32)) + L)]), false], 'another S': [key, changed(good, 40), false], 'another R': [key, changed(good, 3), false],
  'R with a part of small order': [...signed(key, Buffer.from(Point.BASE.multiply(r).add(torsion).toBytes())), false],
  'no point': [Buffer.alloc(32, 2), good, false], 'S of zeros': [key, Buffer.concat([R, Buffer.alloc(32)]), false], short: [key, good.subarray(1), false],
  'a key of small order': [Buffer.from(torsion.toBytes()), Buffer.concat([Buffer.from(Point.BASE.multiply(7n).toBytes()), bytes(7n)]), undefined] }
for (const [name, [k, sig, want]] of Object.entries(cases)) {
  const said = [browser, node].map(p => { try { return p.verify(message, p.rawKey(k), sig) } catch (e) { return e.message } })
  if (said[0] !== said[1] || want !== undefined && said[0] !== want) console.log(name, said, want)
}
console.log('asked', Object.keys(cases).length)`

// TestSignaturesOnTheEdge holds the browsers' verification to the rule of records.md, which
// is that of Node: without the cofactor, S below the order.
func TestSignaturesOnTheEdge(t *testing.T) {
	dir := browserChecker(t)
	node, err := filepath.Abs("../scripts/check-primitives.mjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--input-type=module", "-e", edges)
	cmd.Env = append(os.Environ(), "BROWSER="+filepath.Join(dir, "check-primitives.mjs"), "NODE="+node, "NOBLE="+filepath.Join(dir, "noble-ed25519.mjs"))
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "asked 10\n" {
		t.Errorf("%v: %s", err, out)
	}
}
