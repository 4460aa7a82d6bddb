// SPDX-License-Identifier: Apache-2.0

// Package datatest finds files that tests use and the repository may not hold: data sets
// of others, for everybody's own download. The folder that has them is named by
// TRUCELINE_DATA. Where it is not set, tests that want it are skipped, and say what they
// want; in continuous integration (CI=true) they fail instead, since a test that nobody
// runs shows nothing.
package datatest

import (
	"os"
	"path/filepath"
	"testing"
)

// Variable names the folder.
const Variable = "TRUCELINE_DATA"

// File is the path of a file of the folder, such as reference/linkage/syn_2000.csv. The
// test fails where the folder is named and the file is not in it.
func File(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv(Variable)
	switch {
	case dir == "" && os.Getenv("CI") == "true":
		t.Fatalf("%s is not set, and this test needs %s of its folder: set it to the folder that has the data sets (.ci/run looks beside the checkout)", Variable, name)
	case dir == "":
		t.Skipf("%s is not set: it names the folder that has %s", Variable, name)
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is %s, and %s is not there: %v", Variable, dir, name, err)
	}
	return path
}
