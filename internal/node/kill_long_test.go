// SPDX-License-Identifier: Apache-2.0

//go:build long

package node_test

import (
	"testing"
	"time"
)

func TestKilledVeryOften(t *testing.T) { killMany(t, 400, 300*time.Millisecond) }
