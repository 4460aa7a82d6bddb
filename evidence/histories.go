// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/quorum"
)

// twoHistories: two heads that the log signed and that cannot both be of one log that
// only grows.
func (c *checker) twoHistories() error {
	f, out := c.file, c.finding
	first, err := c.checkpoint("first", f.First)
	if err != nil {
		return err
	}
	second, err := c.checkpoint("second", f.Second)
	if err != nil {
		return err
	}
	if f.Consistency == "" {
		if first.Size != second.Size || bytes.Compare(first.Root[:], second.Root[:]) >= 0 {
			return fmt.Errorf("the heads are not two of one size with different roots, the smaller root first")
		}
		out.Sentence = fmt.Sprintf("The log %s signed two different trees of %s.", c.origin, count(int(first.Size), "record"))
		out.proved("Both heads are signed with the log's key; both have %s, and their roots are %s and %s. A log that only grows has one tree of each size.", count(int(first.Size), "record"), first.Root, second.Root)
	} else {
		root, err := c.otherPrefix(first, second)
		if err != nil {
			return err
		}
		out.Sentence = fmt.Sprintf("The log %s signed a tree of %s, and a tree of %s that does not begin with it.", c.origin, count(int(first.Size), "record"), count(int(second.Size), "record"))
		out.proved("Both heads are signed with the log's key. The tree of %s begins with records whose root is %s, and the head of %s says %s.", count(int(second.Size), "record"), root, count(int(first.Size), "record"), first.Root)
	}
	c.finding.accuseLog()
	out.notProved("Which of the two histories others hold, and what stands in either. Whether it was meant or a fault, such as a database put back to an earlier day, is not shown; the protocol forbids both.")
	return c.onBothSides([]byte(f.First), []byte(f.Second))
}

// otherPrefix checks that the larger tree begins with another tree than the smaller head says.
func (c *checker) otherPrefix(first, second ledger.Checkpoint) (tlog.Hash, error) {
	root, err := tlog.ParseHash(c.file.PrefixRoot)
	if err != nil || root.String() != c.file.PrefixRoot {
		return root, fmt.Errorf("prefix_root is not a hash in its one spelling")
	}
	proof, err := parseHashes(c.file.Consistency)
	if err != nil {
		return root, fmt.Errorf("consistency: %w", err)
	}
	// Equal sizes have a form of their own, and every tree begins with the empty one.
	if first.Size < 1 || first.Size >= second.Size {
		return root, fmt.Errorf("the heads are of %d and %d records: the smaller, of 1 or more, comes first", first.Size, second.Size)
	}
	if root == first.Root {
		return root, fmt.Errorf("prefix_root is the root of the first head: the second continues it")
	}
	return root, ledger.CheckConsistency(proof, first.Size, root, second.Size, second.Root)
}

// onBothSides looks for witnesses that cosigned both heads, which no honest witness does.
func (c *checker) onBothSides(one, two []byte) error {
	if c.policy == nil {
		c.finding.notProved("Who cosigned which: no policy says who the witnesses are.")
		return nil
	}
	a, err := c.cosigners("first", one)
	if err != nil {
		return err
	}
	b, err := c.cosigners("second", two)
	if err != nil {
		return err
	}
	for i, all := range [][]quorum.Cosigned{a, b} {
		which := []string{"first", "second"}[i]
		w, err := c.wordOf(all, func(int64) bool { return true })
		if err != nil {
			return err
		}
		switch {
		case len(w.who) == 0:
			c.finding.notProved("That a witness of the policy saw the %s head: none cosigned it.", which)
		case c.pinned:
			c.finding.proved("The %s head was cosigned by %s.", which, w)
		default:
			c.finding.notProved("That the %s head was cosigned by witnesses: the policy comes from the file. By it they would be %s.", which, w)
		}
	}
	for _, x := range a {
		for _, y := range b {
			if x.VKey != y.VKey {
				continue
			}
			name, _, _ := strings.Cut(x.VKey, "+")
			if !c.pinned {
				c.finding.notProved("That the witness %s cosigned both: its key is known only from the file.", name)
				continue
			}
			c.finding.Accused = append(c.finding.Accused, Party{RoleWitness, name, x.VKey})
			c.finding.proved("The witness %s cosigned both heads, at %s and at %s. A witness that keeps to the protocol cosigns one of two histories.", name, second(x.At), second(y.At))
		}
	}
	return nil
}

// loggedTwice: one statement id at two places of the log.
func (c *checker) loggedTwice() error {
	one, two, err := c.both("record", c.file.Record, "again", c.file.Again)
	if err != nil {
		return err
	}
	if one.line.Index >= two.line.Index {
		return fmt.Errorf("the places are %d and %d: they are two, the smaller first", one.line.Index, two.line.Index)
	}
	same := bytes.Equal(one.line.Envelope, two.line.Envelope)
	for _, p := range []*place{one, two} {
		if err := p.open(); err != nil {
			return err
		}
	}
	if one.statement.ID != two.statement.ID {
		return fmt.Errorf("record %d is %s and record %d is %s: these are two records", one.line.Index, one.statement.ID, two.line.Index, two.statement.ID)
	}
	out := c.finding
	c.is(two)
	what := "with other bytes"
	if same {
		what = "with the same bytes, as if it had been filed twice"
	}
	out.Sentence = fmt.Sprintf("The log %s holds the record %s twice, at index %d and at index %d, %s.", c.origin, one.statement.ID, one.line.Index, two.line.Index, what)
	c.inLog(one, two)
	out.proved("Both statements have the id %s. A log holds an id once: a second record with it is a retry or is refused.", one.statement.ID)
	out.accuseLog()
	c.oneLog(one, two)
	out.notProved("That %s, who files it, had a part in it: whoever has a record can hand it in again, and only the log puts it there.", one.statement.Member)
	return nil
}

// dropped: a record that was proved to be in the log at a place where there is another.
func (c *checker) dropped() error {
	p, err := c.bareAt("record", c.file.Record)
	if err != nil {
		return err
	}
	raw, err := unbase64(c.file.Leaf)
	if err != nil || len(raw) != tlog.HashSize {
		return fmt.Errorf("leaf is not a hash of %d bytes in base64", tlog.HashSize)
	}
	leaf := tlog.Hash(raw)
	proof, err := ledger.ParseTLogProof([]byte(c.file.Other))
	if err != nil {
		return fmt.Errorf("other: %w", err)
	}
	head, err := c.checkpoint("other", string(proof.Checkpoint))
	if err != nil {
		return err
	}
	if len(proof.Extra) > 0 || proof.Index != p.line.Index {
		return fmt.Errorf("other: the proof is of index %d and the record of %d, or the proof has an extra line", proof.Index, p.line.Index)
	}
	if err := ledger.CheckInclusion(proof.Hashes, head.Size, head.Root, proof.Index, leaf); err != nil {
		return fmt.Errorf("other: %w", err)
	}
	if leaf == ledger.LeafHash(ledger.LeafData(ledger.Salt(p.line.LeafSalt), p.line.LoggedAt, p.line.Envelope)) {
		return fmt.Errorf("the record is there in the other tree too, at index %d", p.line.Index)
	}
	out := c.finding
	named := fmt.Sprintf("record %d", p.line.Index)
	if err := p.open(); err == nil {
		c.is(p)
		named = "the record " + p.statement.ID.String()
	} else {
		out.Index, out.Envelope = p.line.Index, p.digest()
	}
	out.Sentence = fmt.Sprintf("The log %s proved %s to be at index %d of its tree of %s, and signed a tree of %s that has another leaf at that place.",
		c.origin, named, p.line.Index, count(int(p.head.Size), "record"), count(int(head.Size), "record"))
	c.inLog(p)
	out.proved("The leaf at index %d of the tree of %s is %s, which is not the record's. What stands at an index of a log never changes.", p.line.Index, count(int(head.Size), "record"), leaf)
	out.accuseLog()
	out.notProved("Whether the log holds the record at another place now.")
	return nil
}

// parseHashes reads hashes in base64, each on a line that ends with a line feed, as a log
// serves a proof of consistency.
func parseHashes(text string) ([]tlog.Hash, error) {
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("the last line does not end with a line feed")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > ledger.MaxProofHashes {
		return nil, fmt.Errorf("there are %d hashes; at most %d are read", len(lines), ledger.MaxProofHashes)
	}
	out := make([]tlog.Hash, len(lines))
	for i, line := range lines {
		h, err := tlog.ParseHash(line)
		if err != nil || h.String() != line {
			return nil, fmt.Errorf("line %d is not a hash in its one spelling", i+1)
		}
		out[i] = h
	}
	return out, nil
}

func formatHashes(hashes []tlog.Hash) string {
	var b strings.Builder
	for _, h := range hashes {
		b.WriteString(h.String() + "\n")
	}
	return b.String()
}
