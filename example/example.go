// SPDX-License-Identifier: Apache-2.0

// Package example holds complete missions to try the software with. In some, a desk
// records what others said: an agreement, accounts, and the incidents that they are linked
// to. In others every member files for itself: an agreement, and the story of who files
// what. One is a worked example from public sources, the others are invented exercises.
//
// All of it is data. What a set holds, and what may be done with it, is in
// README.md beside this file: claims, not findings.
package example

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed */agreement.json */accounts.csv */incidents.json */story.json */acts.json
var files embed.FS

// Set is one example, as files. It has accounts and incidents, for a desk to record, or
// a story that the members tell themselves.
type Set struct {
	Accounts  []byte // CSV, one row a claim
	Agreement []byte // JSON, as agreement.Load reads it
	Incidents []byte // JSON: incidents, links of accounts to them, accounts left unlinked
	Story     []byte // JSON, as Steps reads it
	Acts      []byte // JSON, as Deeds reads it: what officers do after the story, by forms
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

// Recorded lists the examples whose accounts a desk records, in alphabetical order.
func Recorded() []string { return with("accounts.csv") }

// Told lists the examples whose members file for themselves, in alphabetical order.
func Told() []string { return with("story.json") }

func with(file string) []string {
	return slices.DeleteFunc(Names(), func(name string) bool {
		_, err := fs.Stat(files, name+"/"+file)
		return err != nil
	})
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
	}{{"accounts.csv", &s.Accounts}, {"agreement.json", &s.Agreement}, {"incidents.json", &s.Incidents}, {"story.json", &s.Story}, {"acts.json", &s.Acts}} {
		b, err := files.ReadFile(name + "/" + f.name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("example %s: %w", name, err)
		}
		*f.into = b
	}
	return s, nil
}
