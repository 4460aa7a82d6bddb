// SPDX-License-Identifier: Apache-2.0

// Package bag writes and checks bags of files as BagIt 1.0 (RFC 8493) has them: a folder
// with a payload in data/ and beside it manifests with the SHA-256 of every file, so that
// a stranger sees with sha256sum alone whether all is there and nothing was changed.
//
// It keeps to a narrow form, which docs/formats/bag.md gives: SHA-256 alone, one spelling
// of every line, and names that mean the same file on every disk. A manifest is signed by
// nobody; what shows whose the files are is in them.
package bag

import (
	"fmt"
	"strings"
)

// Names of what stands beside the payload.
const (
	versionFile     = "bagit.txt"
	infoFile        = "bag-info.txt"
	manifestFile    = "manifest-sha256.txt"
	tagManifestFile = "tagmanifest-sha256.txt"
	payload         = "data/"
)

// PayloadFolder is the folder of the payload.
const PayloadFolder = "data"

const versionText = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

// Bounds of what is read and written.
const (
	maxPath     = 512      // bytes of a path
	maxSegment  = 160      // bytes of a name in it
	maxInfo     = 64 << 10 // bytes of bag-info.txt
	maxManifest = 64 << 20 // bytes of a manifest
)

// devices are names that some systems give to no file, whatever follows a dot.
var devices = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true}

func init() {
	for _, d := range "123456789" {
		devices["com"+string(d)], devices["lpt"+string(d)] = true, true
	}
}

// checkPath wants a path that means one file below a folder, the same on every disk.
func checkPath(path string) error {
	if path == "" || len(path) > maxPath {
		return fmt.Errorf("%.80q is no path of 1 to %d bytes", path, maxPath)
	}
	for name := range strings.SplitSeq(path, "/") {
		if err := checkName(name); err != nil {
			return fmt.Errorf("the path %.80q: %w", path, err)
		}
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxSegment:
		return fmt.Errorf("a name in it has no or more than %d bytes", maxSegment)
	case name[0] == '.' || name[len(name)-1] == '.':
		return fmt.Errorf("the name %.80q begins or ends with a dot", name)
	case name[0] == '-':
		return fmt.Errorf("the name %.80q begins like an option", name)
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return fmt.Errorf("the name %.80q has other characters than ASCII letters, digits, dot, hyphen and underscore", name)
		}
	}
	if stem, _, _ := strings.Cut(strings.ToLower(name), "."); devices[stem] {
		return fmt.Errorf("the name %.80q is that of a device on some systems", name)
	}
	return nil
}

// spellings finds paths that some disks take for one, because they differ in the case of
// letters alone, in their last name or in a folder's.
type spellings map[string]string

func (s spellings) add(path string) error {
	for i := 0; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		folded := strings.ToLower(path[:i])
		if other, ok := s[folded]; ok && other != path[:i] {
			return fmt.Errorf("%.80q and %.80q are one name on some disks", other, path[:i])
		}
		s[folded] = path[:i]
	}
	return nil
}
