// SPDX-License-Identifier: Apache-2.0

package assets_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"truceline/internal/assets"
)

// TestInline: one script does what the modules do, and what is not understood is refused
// rather than written wrongly.
func TestInline(t *testing.T) {
	files := func(more map[string]string) fstest.MapFS {
		out := fstest.MapFS{}
		for name, s := range more {
			out[name] = &fstest.MapFile{Data: []byte(s)}
		}
		return out
	}
	s := built(t, files(map[string]string{
		"page.mjs":    "// A page.\nimport { add, two as second } from './lib/sums.js'\nimport * as all from \"./lib/all.js\";\nconsole.log(add(second, all.three), all.four)\n",
		"lib/sums.js": "/* Example:\nimport { add } from 'elsewhere'\n*/\nimport { one } from './base.js';\nexport const two = one + one,\n  unused = 0\nexport function add(a, b) { return a + b }\n",
		"lib/all.js":  "import { one } from './base.js'\nconst three = 3, four = one + three\nexport { three, four, };\n",
		"lib/base.js": "export const one = 1\n",
	}))
	script, err := s.Inline("page.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := exec.Command("node", "-e", string(script)).CombinedOutput(); err != nil || strings.TrimSpace(string(got)) != "5 4" {
		t.Errorf("it says %q, %v\n%s", got, err, script)
	}
	if strings.Count(string(script), "const one = 1") != 1 {
		t.Error("a module that two import does not stand there once")
	}
	for name, x := range map[string]string{
		"a default":      "export default 1\n",
		"all of another": "export * from './base.js'\n",
		"one of a kind":  "import x from './base.js'\n",
		"a late one":     "const f = () => import('./base.js')\n",
		"its address":    "const here = import.meta.url\n",
		"from elsewhere": "import { x } from 'https://elsewhere.example/x.js'\n",
		"the end":        "const a = '</SCRIPT>'\n",
		"a comment":      "const a = '<!-- '\n",
		"in a circle":    "import { x } from './odd.mjs'\n",
		"none such":      "import { x } from './none.mjs'\n",
	} {
		if b, err := built(t, files(map[string]string{"odd.mjs": x, "base.js": "export const x = 1\n"})).Inline("odd.mjs"); err == nil {
			t.Errorf("%s: %s", name, b)
		}
	}
	without, err := assets.NewWithout(files(map[string]string{"page.mjs": "import { Point } from './noble-ed25519.mjs'\n"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := without.Inline("page.mjs"); !errors.Is(err, assets.ErrMissing) {
		t.Errorf("without the files of other projects: %v", err)
	}
}
