// SPDX-License-Identifier: Apache-2.0

// Package truceline_test holds the rules of the repository itself: which package may
// import which, and what no file may contain.
package truceline_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/example"
)

const module = "truceline/"

// floors says on which floor each package stands. Imports go down only, plus the
// sideways edges named below. docs/architecture.md draws it.
var floors = map[string]int{
	"acts": 1, "record": 0, "when": 0, "text": 0, "place": 0, "example": 0, "internal/progress": 0, "scripts": 0,
	"agreement": 1, "ledger": 1, "mechanism": 1, "reconcile": 1, "statistics": 1, "suggest": 1, "alike": 1, "linkage": 1, "independence": 1,
	"vault": 1, "quorum": 1, "cosign": 1, "evidence": 1, "bundle": 1,
	"verify": 2, "internal/ledgerstore": 2, "internal/ledgerstore/sqlite": 2, "internal/ledgerstore/ledgerstoretest": 2,
	"internal/local": 2, "internal/blobstore": 2, "internal/office": 2, "internal/projection": 2, "internal/tables": 2, "internal/basemap": 2, "internal/assets": 2,
	"internal/witness": 2, "internal/outbox": 2, "internal/cosigned": 2, "internal/bag": 2, "internal/routes": 2,
	"internal/replica": 3, "internal/registry": 3, "internal/node": 3, "internal/node/nodetest": 3,
	"internal/web": 4, "internal/peer": 4, "internal/intake": 4, "internal/linkfile": 4, "internal/demo": 4, "internal/server": 4, "internal/takeout": 4, "internal/reprint": 4,
	"internal/fleet":       5, // a whole mission in one process
	"internal/model":       5, // every order of things, searched
	"internal/web/webtest": 5, // test data for the pages
	"cmd/truceline":        5, "internal/bench": 5, "internal/addresstest": 4, "internal/browsertest": 4, "internal/datatest": 5, "verify/verifytest": 5, "linkage/linkagetest": 5,
}

// sideways are the imports within a floor that are allowed.
var sideways = map[string][]string{
	"record":                               {"when"},
	"acts":                                 {"agreement", "mechanism", "vault"},
	"mechanism":                            {"agreement", "ledger", "quorum", "cosign", "vault"},
	"vault":                                {"ledger"},
	"quorum":                               {"ledger", "cosign"},
	"cosign":                               {"ledger"},
	"evidence":                             {"ledger", "quorum", "cosign", "agreement"},
	"bundle":                               {"ledger", "quorum", "cosign", "agreement", "evidence", "vault"},
	"internal/registry":                    {"internal/replica"},
	"reconcile":                            {"agreement"},
	"statistics":                           {"agreement", "reconcile"},
	"suggest":                              {"agreement", "linkage"},
	"internal/ledgerstore/sqlite":          {"internal/ledgerstore"},
	"internal/ledgerstore/ledgerstoretest": {"internal/ledgerstore"},
	"internal/projection":                  {"internal/ledgerstore"},
	"internal/office":                      {"internal/tables"},
	"internal/outbox":                      {"internal/tables"},
	"internal/cosigned":                    {"internal/tables"},
	"internal/witness":                     {"internal/tables"},
	"internal/basemap":                     {"internal/assets"},
	"internal/node":                        {"internal/registry", "internal/replica"},
	"internal/node/nodetest":               {"internal/node"},
	"internal/reprint":                     {"internal/takeout"},
	"internal/server":                      {"internal/web", "internal/peer", "internal/takeout", "internal/reprint"},
	"internal/demo":                        {"internal/intake"},
	"internal/takeout":                     {"internal/intake"},
	"internal/web":                         {"internal/intake"},
	"internal/web/webtest":                 {},
}

type goFile struct {
	path string // from the top of the repository
	pkg  string // folder
	test bool
	src  []byte
	ast  *ast.File
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var out []goFile
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "vendor" || d.Name() == "bin" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, goFile{path, filepath.ToSlash(filepath.Dir(path)), strings.HasSuffix(path, "_test.go"), src, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("only %d Go files found: the walk is wrong", len(out))
	}
	return out
}

func TestImportsGoDown(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test || f.pkg == "." {
			continue
		}
		from, ok := floors[f.pkg]
		if !ok {
			t.Errorf("%s: package %s stands on no floor: add it to floors and to docs/architecture.md", f.path, f.pkg)
			continue
		}
		for _, imp := range f.ast.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			to, own := strings.CutPrefix(path, module)
			if !own || slices.Contains(sideways[f.pkg], to) {
				continue
			}
			if floor, ok := floors[to]; !ok || floor >= from {
				t.Errorf("%s imports %s: floor %d must not reach floor %d", f.path, to, from, floor)
			}
		}
	}
}

// The rules and the vocabulary do no I/O and have no clock or chance of their own.
func TestLowFloorsArePure(t *testing.T) {
	banned := []string{"os", "net", "net/http", "database/sql", "crypto/rand", "math/rand", "math/rand/v2", "log", "log/slog", "os/exec", "syscall"}
	for _, f := range goFiles(t) {
		floor, ok := floors[f.pkg]
		if f.test || !ok || floor > 1 || f.pkg == "internal/progress" {
			continue
		}
		for _, imp := range f.ast.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); slices.Contains(banned, path) {
				t.Errorf("%s imports %s: floors 0 and 1 are pure", f.path, path)
			}
		}
		if bytes.Contains(f.src, []byte("time.Now")) {
			t.Errorf("%s reads the clock: time is passed in", f.path)
		}
	}
}

func TestFilesSayTheirLicenceAndPackagesWhatTheyAre(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		generated := strings.HasSuffix(f.path, "_templ.go")
		if !generated && !bytes.HasPrefix(f.src, []byte("// SPDX-License-Identifier: Apache-2.0\n")) {
			t.Errorf("%s does not begin with its licence", f.path)
		}
		if n := bytes.Count(f.src, []byte("\n")); n > 700 && !generated {
			t.Errorf("%s has %d lines: has a second idea moved in?", f.path, n)
		}
		if !f.test {
			documented[f.pkg] = documented[f.pkg] || f.ast.Doc != nil
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
		if slices.Contains([]string{"util", "common", "helpers", "models"}, filepath.Base(pkg)) {
			t.Errorf("package %s is named for nothing", pkg)
		}
	}
}

// A test that is skipped shows nothing. Only what datatest cannot find may be: it says what
// is missing, and fails in continuous integration.
func TestNoTestIsSkipped(t *testing.T) {
	skip := regexp.MustCompile(`\b(t|tb|b|f)\.Skip(f|Now)?\(`)
	seen := false
	for _, f := range goFiles(t) {
		m := skip.Find(f.src)
		seen = seen || m != nil
		if m != nil && f.pkg != "internal/datatest" && f.path != "rules_test.go" {
			t.Errorf("%s has %s: ask datatest for files that may not be at hand, and let the test fail for all else", f.path, m)
		}
	}
	if !seen {
		t.Error("no skip was found, not even that of datatest: this test looks for the wrong thing")
	}
}

// Parties and places come from the agreement: no code knows the name of any.
func TestNoNameOfTheExampleInCode(t *testing.T) {
	names := exampleNames(t)
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, re := range names {
				if m := re.FindString(s); m != "" {
					t.Errorf("%s: the literal %.60q holds the name %q: names come from the agreement", f.path, s, m)
				}
			}
			return true
		})
	}
}

// exampleNames are the names of places, lines and parties of the worked example, in
// every language, whole and word by word where a word is a name of its own.
func exampleNames(t *testing.T) []*regexp.Regexp {
	t.Helper()
	set, err := example.Open(example.Names()[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var out []*regexp.Regexp
	add := func(texts ...agreement.Text) {
		for _, text := range texts {
			for _, s := range text {
				for _, word := range append(capitalised.FindAllString(s, -1), s) {
					if len(word) >= 4 && !ordinary[word] && !seen[word] {
						seen[word] = true
						out = append(out, regexp.MustCompile(`(?i)(^|[^\pL])`+regexp.QuoteMeta(word)+`($|[^\pL])`))
					}
				}
			}
		}
	}
	for _, p := range file.Pack.Places {
		add(p.Name)
		for _, n := range p.PartyNames {
			add(n)
		}
	}
	for _, l := range file.Pack.Lines {
		add(l.Name)
		for _, n := range l.PartyNames {
			add(n)
		}
	}
	for _, p := range file.Pack.Parties {
		add(p.Name, p.OwnName, p.Short)
	}
	if len(out) < 100 {
		t.Fatalf("only %d names found in the example", len(out))
	}
	return out
}

var capitalised = regexp.MustCompile(`\p{Lu}[\pL'-]+`)

// ordinary are words of names that are words of the language too.
var ordinary = map[string]bool{
	"Line": true, "The": true, "District": true, "Gate": true, "Friendship": true, "Square": true, "Federal": true, "Lower": true, "Upper": true,
	"Government": true, "Authorities": true, "Corps": true, "North": true, "South": true, "Descriptive": true,
}
