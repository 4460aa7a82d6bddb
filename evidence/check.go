// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
)

// Check verifies everything in an evidence file and says what it shows. An error means
// that the file does not hold: an *OptionError that the options are wrong, an
// *IncompleteError that it cannot be judged here, every other that it shows nothing.
func Check(b []byte, o Options) (*Finding, error) {
	c, err := newChecker(b, o)
	if err == nil {
		err = checks[c.file.Evidence](c)
	}
	if err == nil {
		return c.finding, nil
	}
	if errors.As(err, new(*OptionError)) || errors.As(err, new(*IncompleteError)) {
		return nil, err
	}
	return nil, fmt.Errorf("evidence: %w", err)
}

var checks = map[Kind]func(*checker) error{
	TwoHistories: (*checker).twoHistories,
	LoggedTwice:  (*checker).loggedTwice,
	FalseTime:    (*checker).falseTime,
	RevokedKey:   (*checker).revokedKey,
	BrokenRule:   (*checker).brokenRule,
	Withheld:     (*checker).withheld,
	Refused:      (*checker).refused,
	Dropped:      (*checker).dropped,
	FarOffClock:  (*checker).farOffClock,
}

// checker is one file on its way.
type checker struct {
	file    *file
	options Options
	log     note.Verifier
	origin  string
	policy  *quorum.Policy // of this log alone; nil where there is none
	pinned  bool           // the policy is the caller's
	finding *Finding
}

func newChecker(b []byte, o Options) (*checker, error) {
	if o.LogKey != "" {
		if _, err := ledger.NewVerifier(o.LogKey); err != nil {
			return nil, &OptionError{fmt.Errorf("the log's key: %w", err)}
		}
	}
	if o.ClockBoundMS < 0 || o.ClockBoundMS > MaxBoundMS {
		return nil, &OptionError{fmt.Errorf("a bound on clocks of %d ms is not 1 ms to a day", o.ClockBoundMS)}
	}
	f, err := parse(b)
	if err != nil {
		return nil, err
	}
	c := &checker{file: f, options: o}
	if o.LogKey != "" && o.LogKey != f.LogKey {
		return nil, fmt.Errorf("the file is about the log with the key %.300q, and the key given is %q", f.LogKey, o.LogKey)
	}
	if c.log, err = ledger.NewVerifier(f.LogKey); err != nil {
		return nil, fmt.Errorf("log_key: %w", err)
	}
	if c.origin = c.log.Name(); !record.ValidOrigin(c.origin) {
		return nil, fmt.Errorf("log_key: %.300q is not what a log is named", c.origin)
	}
	c.finding = &Finding{Kind: f.Evidence, Origin: c.origin, LogKey: f.LogKey, KeyFromFile: o.LogKey == "", Index: -1}
	return c, c.readPolicy()
}

// readPolicy reads the caller's policy, or the file's, and keeps of its logs only this one.
func (c *checker) readPolicy() error {
	wrong := func(err error) error { return fmt.Errorf("policy: %w", err) }
	text := c.file.Policy
	if c.options.Policy != "" {
		text, c.pinned = c.options.Policy, true
		wrong = func(err error) error { return &OptionError{fmt.Errorf("the policy: %w", err)} }
	}
	if text == "" {
		return nil
	}
	p, err := quorum.Parse(text)
	if err != nil {
		return wrong(err)
	}
	for _, l := range p.Logs {
		if l.VKey == c.file.LogKey {
			p.Logs = []quorum.Log{l}
			c.policy = p
			c.finding.KeyFromFile = c.finding.KeyFromFile && !c.pinned // the caller's policy has it
			return nil
		}
	}
	return wrong(fmt.Errorf("it is not for the log with the key %q", c.file.LogKey))
}

// place is a record whose place in the log is proved.
type place struct {
	what       string // the field it stands in
	line       *record.Line
	checkpoint []byte
	head       ledger.Checkpoint
	envelope   *record.Envelope  // after open
	statement  *record.Statement // after open
	body       record.Body       // after openBody
}

func (p *place) String() string { return fmt.Sprintf("%s: record %d", p.what, p.line.Index) }

func (p *place) digest() record.Digest { return sha256.Sum256(p.line.Envelope) }

// at proves that a record is in the log: in a tree that the log's key signed.
func (c *checker) at(what string, x *Proven) (*place, error) {
	if x == nil {
		return nil, fmt.Errorf("%s is missing", what)
	}
	line, err := record.ParseLine([]byte(x.Line))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	proof, err := ledger.ParseTLogProof([]byte(x.Proof))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(proof.Extra) > 0 || proof.Index != line.Index {
		return nil, fmt.Errorf("%s: the proof is of index %d and the line of %d, or the proof has an extra line", what, proof.Index, line.Index)
	}
	entry := ledger.LeafData(ledger.Salt(line.LeafSalt), line.LoggedAt, line.Envelope)
	head, _, err := proof.Check(entry, c.origin, c.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if head.Size > record.MaxInt {
		return nil, fmt.Errorf("%s: no log has %d records", what, head.Size)
	}
	return &place{what: what, line: line, checkpoint: proof.Checkpoint, head: head}, nil
}

// open reads the envelope and the statement.
func (p *place) open() error {
	e, err := record.ParseEnvelope(p.line.Envelope)
	if err != nil {
		return orLater(p.String(), err)
	}
	st, err := e.Statement()
	if err != nil {
		return orLater(p.String(), err)
	}
	p.envelope, p.statement = e, st
	return nil
}

// bare wants the record without its body, which nothing in the file proves or needs: what
// is not needed is not given away.
func (p *place) bare() error {
	if p.line.Body != nil {
		return fmt.Errorf("%s: the body does not belong into the file", p)
	}
	return nil
}

// openBody reads the body, which must be the one committed to.
func (p *place) openBody() error {
	if err := p.open(); err != nil {
		return err
	}
	if err := p.committed(); err != nil {
		return err
	}
	body, err := record.ParseBody(p.statement.Kind, p.line.Body)
	if err != nil {
		return orLater(p.String(), err)
	}
	p.body = body
	return nil
}

// committed wants the body that the statement commits to.
func (p *place) committed() error {
	switch st := p.statement; {
	case p.line.Body == nil || p.line.Enc != record.EncPlain:
		return fmt.Errorf("%s: the body is missing", p)
	case st.Body == nil:
		return fmt.Errorf("%s: a %s has no body", p, st.Kind)
	case len(p.line.Body) > record.MaxBody:
		return fmt.Errorf("%s: the body has %d bytes, more than %d", p, len(p.line.Body), record.MaxBody)
	case !ledger.Commits(st.Body, ledger.Salt(p.line.BodySalt), p.line.Body):
		return fmt.Errorf("%s: the body or its salt is not the one that the statement commits to", p)
	}
	return nil
}

// both opens two records that the file gives without their bodies.
func (c *checker) both(whatA string, a *Proven, whatB string, b *Proven) (*place, *place, error) {
	pa, err := c.bareAt(whatA, a)
	if err != nil {
		return nil, nil, err
	}
	pb, err := c.bareAt(whatB, b)
	return pa, pb, err
}

// bareAt is at, for a record that the file gives without its body.
func (c *checker) bareAt(what string, x *Proven) (*place, error) {
	p, err := c.at(what, x)
	if err != nil {
		return nil, err
	}
	return p, p.bare()
}

// checkpoint reads a head that the log signed.
func (c *checker) checkpoint(what, signed string) (ledger.Checkpoint, error) {
	head, _, err := ledger.ParseCheckpoint([]byte(signed), c.log)
	switch {
	case err != nil:
		return head, fmt.Errorf("%s: %w", what, err)
	case head.Origin != c.origin:
		return head, fmt.Errorf("%s: it is of the log %q, not %q", what, head.Origin, c.origin)
	case head.Size > record.MaxInt:
		return head, fmt.Errorf("%s: no log has %d records", what, head.Size)
	}
	return head, nil
}

// is makes p the record that the finding is about. It must be open.
func (c *checker) is(p *place) {
	c.finding.Statement, c.finding.Index, c.finding.Envelope = p.statement.ID, p.line.Index, p.digest()
}

// inLog notes what a proof of inclusion shows.
func (c *checker) inLog(places ...*place) {
	for _, p := range places {
		c.finding.proved("Record %d is in the tree of %d records that the log signed, with the time %s.", p.line.Index, p.head.Size, clock(p.line.LoggedAt))
	}
}

// oneLog notes what is not shown where proofs lead to different heads.
func (c *checker) oneLog(places ...*place) {
	for _, p := range places[1:] {
		if p.head != places[0].head {
			c.finding.notProved("That the trees of %d and of %d records belong to one history. If they do not, the log signed two histories, which is against the protocol too.", places[0].head.Size, p.head.Size)
			return
		}
	}
}

func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
