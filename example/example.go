// SPDX-License-Identifier: Apache-2.0

// Package example holds complete missions to try the software with: an agreement,
// accounts as a desk would file them, and the incidents that they are linked to.
// One is a worked example from public sources, the other an invented exercise.
//
// All of it is data. What a set holds, and what may be done with it, is in
// README.md beside this file: claims, not findings.
package example

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed */agreement.json */accounts.csv */incidents.json
var files embed.FS

// Set is one example, as files.
type Set struct {
	Accounts  []byte // CSV, one row a claim
	Agreement []byte // JSON, as agreement.Load reads it
	Incidents []byte // JSON: incidents, links of accounts to them, accounts left unlinked
}

// Names lists the examples, in alphabetical order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("example: embedded files: %v", err)) // the root of an embed.FS is always there
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Open gives the example called name.
func Open(name string) (*Set, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("example %.40q is not known: there are %s", name, strings.Join(Names(), ", "))
	}
	s := new(Set)
	for _, f := range []struct {
		name string
		into *[]byte
	}{{"accounts.csv", &s.Accounts}, {"agreement.json", &s.Agreement}, {"incidents.json", &s.Incidents}} {
		b, err := files.ReadFile(name + "/" + f.name)
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", name, err)
		}
		*f.into = b
	}
	return s, nil
}
