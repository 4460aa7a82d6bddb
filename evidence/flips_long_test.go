// SPDX-License-Identifier: Apache-2.0

//go:build long

package evidence_test

import "testing"

func TestReallyEveryByte(t *testing.T) { flip(t, 1, 1, []byte{1, 2, 0x10, 0x20}) }
