// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"truceline/ledger"
)

// formCases are about the bytes of the file.
var formCases = []bundleCase{
	formCase("space", "a space that does not belong", replace(`,"record"`, `, "record"`)),
	formCase("line-feed", "a line feed at the end", func(s string) string { return s + "\n" }),
	formCase("not-json", "no JSON", func(string) string { return "c2sp.org/tlog-proof@v1\n" }),
	formCase("empty", "nothing", func(string) string { return "" }),
	formCase("cut", "the end is missing", func(s string) string { return s[:len(s)-10] }),
	formCase("unknown-field", "a field that nobody knows", replace(`"bundle":"record"`, `"bundle":"record","extra":1`)),
	formCase("field-missing", "a field is missing", replace(`"bundle":"record",`, ``)),
	formCase("field-twice", "a field stands twice", replace(`"bundle":"record"`, `"bundle":"record","bundle":"record"`)),
	formCase("null", "a null", replace(`"v":1`, `"v":null`)),
	formCase("fraction", "a number with a fraction", replace(`"v":1`, `"v":1.0`)),
	formCase("version-0", "a version that there never was", replace(`"v":1`, `"v":0`)),
	formCase("huge-version", "a version that is no number of this format", replace(`"v":1`, `"v":100000000000000000000`)),
	formCase("log-key", "log_key is no key", replace(`"log_key":"`, `"log_key":"x`)),
	formCase("empty-records", "an empty list that must be left out", func(s string) string {
		i, j := strings.Index(s, `"records":[`), strings.Index(s, `],"v"`)
		return s[:i] + `"records":[` + s[j:]
	}),
	formCase("no-records", "record 0 is not there", func(s string) string {
		i, j := strings.Index(s, `,"records":[`), strings.Index(s, `,"v"`)
		return s[:i] + s[j:]
	}),
	formCase("huge-index", "an index that no log has", replace(`\"index\":2,`, `\"index\":9007199254740993,`)),
	formCase("huge-time", "a time that is no number of this format", replace(`\"logged_at\":1772323202000`, `\"logged_at\":99999999999999999999`)),
	formCase("negative-index", "an index below 0", replace(`\"index\":2,`, `\"index\":-2,`)),
	formCase("index-of-the-proof", "the proof is of another index than the line", replace(`index 2\n`, `index 1\n`)),
	formCase("huge-index-of-the-proof", "the proof is of an index that no log has", replace(`index 2\n`, `index 18446744073709551618\n`)),
	formCase("size-of-the-head", "the head has a size that no log has", replace(`lakes\n3\n`, `lakes\n9007199254740993\n`)),
	formCase("size-below-the-index", "the head has not so many records", replace(`lakes\n3\n`, `lakes\n2\n`)),
	formCase("size-with-zero", "the size of the head has a zero before it", replace(`lakes\n3\n`, `lakes\n03\n`)),
	formCase("extension-line", "a fourth line of text in the head", replace(`lakes\n3\n`, `lakes\n3\nmore\n`)),
	formCase("extra-line", "the proof has an extra line", replace(`tlog-proof@v1\n`, `tlog-proof@v1\nextra AAAA\n`)),
	formCase("line-of-another-form", "a line has a field more", replace(`\"leaf_salt\"`, `\"later\":1,\"leaf_salt\"`)),
	formCase("hash-loose", "a hash is spelled in another way", func(s string) string {
		i := strings.Index(s, `"hashes":["`) + len(`"hashes":["`) + 42
		return s[:i] + string(s[i]+1) + s[i+1:]
	}),
	formCase("too-deep", "more values in values than there may be", func(s string) string {
		return `{"bundle":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `,"v":1}`
	}),
	{"failed", "records-out-of-order", "the records are not in order", onlyFile, none, func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) { f.Records[0], f.Records[1] = f.Records[1], f.Records[0] })
	}},
	{"failed", "record-twice", "a record stands there twice", onlyFile, none, func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) { f.Records = append(f.Records, f.Records[1]) })
	}},
	{"failed", "own-record-again", "the record itself stands among the others", onlyFile, none, func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) { f.Records = append(f.Records, c.placed(2)) })
	}},
	{"failed", "no-hashes", "a record without its path", onlyFile, none, func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) { f.Records[1].Hashes = []string{} })
	}},
	{"failed", "too-many-hashes", "a path of more hashes than any tree is high", onlyFile, none, func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) {
			for len(f.Records[0].Hashes) < 64 {
				f.Records[0].Hashes = append(f.Records[0].Hashes, f.Records[0].Hashes[0])
			}
		})
	}},
	{"update needed", "later-version", "a bundle of a later version", none, onlyFile, func(c *caseWorld) {
		c.plain()
		c.bytes(replace(`"v":1`, `"v":2,"witness":{}`))
	}},
	{"update needed", "of-another-thing", "a bundle of something that this version does not know", none, onlyFile, func(c *caseWorld) {
		c.plain()
		c.bytes(replace(`"bundle":"record"`, `"bundle":"agreement"`))
	}},
}

// formCase is a bundle that is nothing at all once its bytes are changed.
func formCase(name, what string, f func(string) string) bundleCase {
	return bundleCase{"failed", "form-" + name, what, onlyFile, none, func(c *caseWorld) {
		c.plain()
		c.bytes(func(s string) string {
			out := f(s)
			if out == s {
				panic(name + " changes nothing")
			}
			return out
		})
	}}
}

// signRoot is a head of the case's log with another root.
func signRoot(c *caseWorld, size int64, root [32]byte) ([]byte, error) {
	return ledger.Sign(ledger.Checkpoint{Origin: c.Log.Name(), Size: size, Root: root}, c.Log)
}

// mldsa is a verifier key of a type whose signatures are not counted.
func mldsa(name string) string {
	raw := append([]byte{6}, make([]byte, 1312)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	return fmt.Sprintf("%s+%x+%s", name, sum[:4], base64.StdEncoding.EncodeToString(raw))
}
