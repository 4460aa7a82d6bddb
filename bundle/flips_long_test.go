// SPDX-License-Identifier: Apache-2.0

//go:build long

package bundle_test

import (
	"testing"

	"truceline/bundle"
)

func TestEveryByteInManyWays(t *testing.T) {
	file, o := goodFile(t)
	flip(t, file, o, 1, 11, []byte{1, 16})
}

func TestEveryByteOfAReleaseInManyWays(t *testing.T) {
	f := caseNamed(t, "release")
	flip(t, []byte(f.Bundle), bundle.Options{Key: f.Key, Policy: f.Policy}, 3, 53, []byte{1, 16})
}
