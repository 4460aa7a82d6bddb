// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
)

// Options are what the caller knows on other ways than from the file.
type Options struct {
	// Key is the log's verifier key. Empty: that of the file is taken, and the report says
	// so, unless Policy names it.
	Key string
	// Policy is the C2SP tlog-policy by which the log's witnesses are known. Empty: that of
	// the agreement in the file is taken, and the report says so.
	Policy string
}

// OptionError says that the call was wrong, not the file.
type OptionError struct{ err error }

func (e *OptionError) Error() string { return "bundle: " + e.err.Error() }

// Unwrap gives what was wrong.
func (e *OptionError) Unwrap() error { return e.err }

// Check verifies everything in a bundle. What is wrong with it is in the report; the error
// is an *OptionError.
func Check(b []byte, o Options) (*Report, error) {
	c := &checker{options: o, report: newReport(), roster: newRoster(), ids: map[record.ID]int64{}}
	if o.Key != "" {
		if _, err := ledger.NewVerifier(o.Key); err != nil {
			return nil, &OptionError{fmt.Errorf("the log's key: %w", err)}
		}
	}
	if o.Policy != "" {
		p, err := quorum.Parse(o.Policy)
		if err != nil {
			return nil, &OptionError{fmt.Errorf("the policy: %w", err)}
		}
		if o.Key != "" && !names(p, o.Key) {
			return nil, &OptionError{errors.New("the policy does not name the log with the key given")}
		}
		c.policy = p
	}
	c.run(b)
	return c.report, nil
}

func names(p *quorum.Policy, logKey string) bool {
	for _, l := range p.Logs {
		if l.VKey == logKey {
			return true
		}
	}
	return false
}

// checker is one bundle on its way.
type checker struct {
	options Options
	report  *Report
	file    *parsed
	head    ledger.Checkpoint

	roster    *roster
	mission   record.ID
	ids       map[record.ID]int64 // of the records that were read, to where they stand
	logged    int64               // of the last record that is the log's
	adoptions adoptions
	cosigners []*cosigner
	policy    *quorum.Policy // that counts, of this log alone; nil where there is none
	noPolicy  string         // why there is none
	boundMS   int64          // between clocks, as agreed
}

// item is one record of a bundle on its way through the layers.
type item struct {
	line *record.Line
	path []tlog.Hash
	own  bool // it is the record that the bundle is about
	// shown is what the record that the bundle is about shows of this one; nil of all others.
	shown *record.Disclosure

	envelope  *record.Envelope
	statement *record.Statement // nil if it could not be read
	body      record.Body       // nil if there is none, or not the right one
}

func (it *item) signedWith(id record.KeyID) bool {
	for _, sig := range it.envelope.Signatures {
		if sig.KeyID == id {
			return true
		}
	}
	return false
}

func (c *checker) run(b []byte) {
	r := c.report
	var err error
	c.file, err = parse(b)
	if later := (*laterError)(nil); errors.As(err, &later) {
		r.update(later.what)
		r.unchecked(-1, File, "update needed: %s", later.what)
		return
	}
	if err != nil {
		r.problem(-1, File, "%v", err)
		return
	}
	r.good(File)
	if !c.readHead() {
		return
	}
	for _, it := range c.file.records {
		if it.shown != nil {
			c.showing(it)
		} else {
			c.record(it)
		}
	}
	if r.Record == nil {
		return // its leaf is not in the tree, which is a problem
	}
	c.release()
	c.agreement()
	c.witnesses()
	c.rules()
	c.times()
}

// readHead checks whose log it is, and the head that everything is proved against.
func (c *checker) readHead() bool {
	r := c.report
	fail := func(format string, a ...any) bool {
		r.problem(-1, Head, format, a...)
		return false
	}
	key := c.file.LogKey
	r.Key, r.KeyFromFile = key, c.options.Key == "" && c.options.Policy == ""
	switch {
	case c.options.Key != "" && c.options.Key != key:
		return fail("the file is about the log with the key %.300q, and the key given is %q", key, c.options.Key)
	case c.policy != nil && !names(c.policy, key):
		return fail("the file is about the log with the key %.300q, which the policy given does not name", key)
	}
	head, _, err := ledger.ParseCheckpoint(c.file.proof.Checkpoint, c.file.log)
	switch {
	case err != nil:
		return fail("%v", err)
	case head.Origin != c.file.log.Name():
		return fail("it is of the log %.300q, and the key is of %q", head.Origin, c.file.log.Name())
	}
	c.head = head
	r.Origin, r.Size, r.Root = head.Origin, head.Size, head.Root.String()
	r.good(Head)
	return true
}

// settle counts what was found of one layer of one record, and says it in words.
func (c *checker) settle(it *item, layer Layer, o outcome) string {
	switch {
	case o.err != nil:
		c.report.problem(it.line.Index, layer, "%v", o.err)
		return "FAILED: " + o.err.Error()
	case o.unsure != "":
		c.report.unchecked(it.line.Index, layer, "%s", o.unsure)
		return "could not be checked: " + o.unsure
	}
	c.report.good(layer)
	return "good"
}

// record takes one record through its layers.
func (c *checker) record(it *item) {
	leaf, ours := c.leaf(it)
	found := map[Layer]string{Leaf: c.settle(it, Leaf, leaf)}
	if !ours {
		return // it is not the log's: nothing more of it is looked at
	}
	if it.own {
		c.report.Record = &Record{Index: it.line.Index, LoggedAt: it.line.LoggedAt, Layers: found}
		if it.line.Enc == record.EncPlain {
			c.report.Record.Body = it.line.Body
		}
	}
	env, later := c.open(it)
	if later != "" {
		c.report.update(fmt.Sprintf("record %d (%s)", it.line.Index, later))
		env, found[Body] = unsure("update needed: %s", later), "could not be checked: update needed"
		found[Envelope] = c.settle(it, Envelope, env)
		return
	}
	body := c.body(it)
	if it.own && it.statement != nil {
		c.report.Record.Statement, c.report.Record.Keys = it.statement, c.keysOf(it)
		if it.statement.Boxed() && it.line.Enc != record.EncPlain {
			c.report.note("what record %d says is encrypted for the audience %s, and was not judged", it.line.Index, it.statement.Audience)
		}
	} else if it.statement != nil {
		c.report.Others = append(c.report.Others, Other{it.line.Index, it.statement.Kind, it.statement.Member})
	}
	if env.err == nil {
		env = c.roster.check(it)
	}
	if env.good() && body.good() && leaf.good() {
		env = c.fold(it)
	}
	found[Envelope], found[Body] = c.settle(it, Envelope, env), c.settle(it, Body, body)
}

// leaf: the record is in the tree, and time does not go back. ours tells whether it is the
// log's record.
func (c *checker) leaf(it *item) (o outcome, ours bool) {
	at, last := it.line.LoggedAt, c.logged
	entry := ledger.LeafData(ledger.Salt(it.line.LeafSalt), at, it.line.Envelope)
	if err := ledger.CheckInclusion(it.path, c.head.Size, c.head.Root, it.line.Index, ledger.LeafHash(entry)); err != nil {
		return outcome{err: err}, false
	}
	if c.logged = at; at < last {
		return wrong("logged_at goes back, from %d to %d", last, at), true
	}
	return outcome{}, true
}

// open reads the envelope: one spelling and schema, an id of its own, this mission. later
// says what of it is of a later version.
func (c *checker) open(it *item) (o outcome, later string) {
	index := it.line.Index
	e, err := record.ParseEnvelope(it.line.Envelope)
	var st *record.Statement
	if err == nil {
		st, err = e.Statement()
	}
	if update := (*record.UpdateError)(nil); errors.As(err, &update) {
		return o, update.What
	}
	if err != nil {
		return outcome{err: err}, ""
	}
	switch {
	case st.Rules != knownRules:
		return o, fmt.Sprintf("rules version %d", st.Rules)
	case !slices.Contains(record.Audiences, st.Audience):
		return o, fmt.Sprintf("the audience %s", st.Audience)
	}
	it.envelope, it.statement = e, st
	first, again := c.ids[st.ID]
	if !again {
		c.ids[st.ID] = index
	}
	if c.mission.IsZero() {
		c.mission = st.Mission
	}
	switch {
	case !it.own && it.shown == nil && !Bears(st.Kind):
		return wrong("a %s says nothing of keys, witnesses and rules: it does not belong into the file", st.Kind), ""
	case again:
		return wrong("its id stands for a record already, at index %d", first), ""
	case index == 0 && st.Kind != record.MissionOpened:
		return wrong("the first record is a %s, not mission.opened", st.Kind), ""
	case index > 0 && st.Kind == record.MissionOpened:
		return wrong("mission.opened at index %d does not open the mission", index), ""
	case st.Origin != c.head.Origin:
		return wrong("the statement is for the log %s, this is %s", st.Origin, c.head.Origin), ""
	case st.Mission != c.mission:
		return wrong("the statement is for the mission %s, this is %s", st.Mission, c.mission), ""
	}
	return outcome{}, ""
}

// knownRules is the version of the rules whose records are judged here.
const knownRules = 1

// Kinds are those of the records that bear on what keys and witnesses are worth, so that a
// bundle holds some of them beside its own.
var Kinds = []record.Kind{
	record.MissionOpened, record.MemberAdmitted, record.MemberLeft, record.KeyAdded, record.KeyRotated, record.KeyRevoked,
	record.OfficerEnrolled, record.CosignerNamed, record.AgreementAdopted,
}

// Bears tells whether k is one of [Kinds].
func Bears(k record.Kind) bool { return slices.Contains(Kinds, k) }

// body: the commitment and the kind's schema, and in the first record the log's key. A body
// that is encrypted for its audience is as it should be; who holds it may show it here.
func (c *checker) body(it *item) outcome {
	if it.statement == nil {
		return unsure("its envelope could not be read")
	}
	st, given, boxed := it.statement, it.line.Body, it.statement.Boxed()
	switch {
	case given != nil && (st.Body == nil || st.Kind.Own()):
		return wrong("a %s has no body that anybody but its author has, and one is given", st.Kind)
	case st.Body == nil || st.Kind.Own():
		return outcome{}
	case it.line.Enc == record.EncBox && !boxed:
		return wrong("it is given in a box, and what a %s for the audience %s says is not encrypted", st.Kind, st.Audience)
	case given == nil && boxed:
		return outcome{}
	case it.line.Enc == record.EncBox:
		_, err := record.ParseBox(given)
		return outcome{err: err}
	case given == nil:
		return unsure("the body was not given, only its commitment %s", st.Body.Commitment)
	case !ledger.Commits(st.Body, ledger.Salt(it.line.BodySalt), given):
		return wrong("the body or its salt is not the one the statement commits to")
	}
	body, err := record.ParseBody(st.Kind, given)
	if err != nil {
		return outcome{err: err}
	}
	it.body = body
	if m, ok := body.(*record.Mission); ok && it.line.Index == 0 && m.LogKey != c.file.LogKey {
		return wrong("mission.opened names the log's key %.300q, and the head is signed with %q", m.LogKey, c.file.LogKey)
	}
	return outcome{}
}

// fold takes in a good record.
func (c *checker) fold(it *item) outcome {
	switch b := it.body.(type) {
	case *record.Cosigner:
		c.name(it, b)
		return outcome{}
	case *record.Adoption:
		c.adoptions.add(it.line.Index, b)
		return outcome{}
	case *record.Departure:
		o := c.roster.fold(it)
		if o.good() {
			c.leave(b.Member)
		}
		return o
	}
	if !changesKeys(it.statement.Kind) {
		return outcome{}
	}
	return c.roster.fold(it)
}

func (c *checker) keysOf(it *item) (out []KeyUse) {
	for _, sig := range it.envelope.Signatures {
		use := KeyUse{ID: sig.KeyID}
		if k, ok := c.roster.signer(it, sig.KeyID); ok {
			use.Member, use.Officer, use.Brought, use.From, use.Until = k.member, k.officer, k.brought, k.from, k.until
		}
		out = append(out, use)
	}
	return out
}
