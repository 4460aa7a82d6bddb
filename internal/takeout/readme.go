// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"fmt"
	"strings"
)

// readme says in plain words what is in the bag and how to check it. It is the same for
// the same state of a node.
func readme(t *tables, v Viewer, key string) string {
	var b strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	if t.about.Exercise != "" {
		say("%s. Everything in here is invented.\n", t.about.Exercise)
	}
	title := "A mission's record"
	if t.pack != nil {
		title = oneLine(t.pack.Title.In("en"))
	}
	say("%s\n", title)
	say("mission  %s", t.about.Mission)
	say("log      %s", t.about.Origin)
	if v == Public {
		say("reader   everybody: the lines of records that are for members alone are left out,")
		say("         and nothing else in here was made from them")
	} else {
		say("reader   the member %s: it holds what is not for everybody, pass it on accordingly", string(v))
	}
	say(`
What is in it

  log/            the log as its servers give it: the signed head (checkpoint), the newest head
                  that witnesses cosigned (witnessed, if there is one), the hashes (tile/) and
                  the records, one a line (records/)
  opened.jsonl    the bodies of those records that stand in log/ encrypted and that the reader can
                  open, if there are any
  agreement.json  the agreement in force: whose codes stand for what
  policy.txt      whose cosignatures the agreement asks for, if it asks for any
  accounts.csv    what was said, one claim a row
  incidents.json  the incidents, and which accounts tell of each
  copies/         archived copies of documents, each under its SHA-256, if there are any
  refusals/       what the registry refused this member, signed by it, if it refused anything
  evidence/       proofs of what this member's node found wrong with others, if it found any

There are no keys in it, no names of officers, no sign-ins and no drafts.

How to check it

1. That nothing was lost or changed since it was made. In the folder above this one:

     sha256sum -c manifest-sha256.txt
     sha256sum -c tagmanifest-sha256.txt

   That shows no more: whoever changes a file can write a new manifest.

2. That the log is the one that was signed, and that the tables are what its records say.
   Take the log's key from somebody else than this folder, best from two members:

     truceline verify bag FOLDER --key 'VKEY' --policy POLICY

   The log alone:

     truceline verify --log FOLDER/data/log --key 'VKEY' --policy POLICY --rules

   POLICY is a file that names the witnesses of members, from whom you had the key, too
   (truceline policy show writes it). Where the mission has none, leave it out. Where lines
   were left out that are not for you, only the word of these members makes good what
   follows.

   This folder says of itself that the key is

     %s

   which proves nothing.

3. Without truceline: records and log are specified in docs/formats of its sources, with
   what to compute in which order; scripts/check-log.mjs there is a second checker, and
   programs for C2SP tlog-tiles read log/ without its records.

This text is covered by the manifest alone. It is no part of the record.`, key)
	return b.String()
}
