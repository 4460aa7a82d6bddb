// SPDX-License-Identifier: Apache-2.0

//go:build long

package outbox_test

import "testing"

func TestKilledOftenAtAnyMoment(t *testing.T) { killMany(t, 60) }
