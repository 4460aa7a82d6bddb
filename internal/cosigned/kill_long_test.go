// SPDX-License-Identifier: Apache-2.0

//go:build long

package cosigned_test

import "testing"

func TestKilledVeryOften(t *testing.T) { killMany(t, 60) }
