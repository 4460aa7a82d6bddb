// SPDX-License-Identifier: Apache-2.0

//go:build long

package bundle_test

import "testing"

func TestEveryByteInManyWays(t *testing.T) { flip(t, 1, 11, []byte{1, 16}) }
