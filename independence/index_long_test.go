// SPDX-License-Identifier: Apache-2.0

//go:build long

package independence_test

import "testing"

func TestIndexOfAMillion(t *testing.T) { atSize(t, 1_000_000) }
