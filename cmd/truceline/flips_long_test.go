// SPDX-License-Identifier: Apache-2.0

//go:build long

package main

import "testing"

func TestVeryManyFlippedBytes(t *testing.T) { flipMany(t, 600, 120) }
