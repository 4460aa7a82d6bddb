// SPDX-License-Identifier: Apache-2.0

//go:build !long

package main

// kills is how often a process is killed.
const kills = 3
