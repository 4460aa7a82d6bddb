// SPDX-License-Identifier: Apache-2.0

// Package takeout writes everything that one reader may have of a mission as ordinary
// files, in a bag (docs/formats/bag.md), and checks such a bag without a node.
//
// The log comes first: its heads, tiles, entries, and the lines of the records that the
// reader may have; and beside it the bodies that stand there in boxes and that the reader
// can open. Everything else that can be computed is computed from these, out of the bag
// itself, and never from the tables of the node. So nothing can stand in a table of the bag
// that is not in its log, whoever made it and for whom; and whoever checks the bag computes
// the same and compares.
package takeout

import (
	"fmt"

	"truceline/internal/node"
	"truceline/record"
)

// Viewer is who reads: the code of a member, or Public.
type Viewer string

// Public is everybody.
const Public Viewer = ""

// Own is the member whose node it is.
func Own(n *node.Node) Viewer {
	if n.Config.Member != "" {
		return Viewer(n.Config.Member)
	}
	return Viewer(n.Config.Registry)
}

// check wants a viewer for whom the node can speak.
func (v Viewer) check(n *node.Node) error {
	if v != Public && v != Own(n) {
		return fmt.Errorf("what %.40q may read is for its own node to give out, not for that of %s", string(v), Own(n))
	}
	return nil
}

// String is how a bag names the reader.
func (v Viewer) String() string {
	if v == Public {
		return "public"
	}
	return memberPrefix + string(v)
}

const memberPrefix = "member "

// mayHave tells whether the viewer may have the line of a record.
func (v Viewer) mayHave(st *record.Statement) bool {
	return v != Public || st.Audience == record.AudiencePublic || st.Audience == record.AudienceOwn
}

// Names of what stands in data/.
const (
	readmeFile     = "README.txt"
	logFolder      = "log"
	openedFile     = "opened.jsonl"
	accountsFile   = "accounts.csv"
	incidentsFile  = "incidents.json"
	agreementFile  = "agreement.json"
	policyFile     = "policy.txt"
	copiesFolder   = "copies"
	refusalsFolder = "refusals"
	evidenceFolder = "evidence"
)

// tableFiles are those that are computed from the log. Not every bag has each.
var tableFiles = []string{accountsFile, incidentsFile, agreementFile, policyFile}

// Labels in bag-info.txt beside those of BagIt.
const (
	identifierLabel   = "External-Identifier" // twice: the mission and the log's origin
	organizationLabel = "Source-Organization"
	exerciseLabel     = "Exercise"
	readerLabel       = "Reader"
	recordsLabel      = "Records"
)

// exerciseWord stands in whatever is made of an exercise.
const exerciseWord = "EXERCISE"
