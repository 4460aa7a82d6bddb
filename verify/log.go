// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"truceline/ledger"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// Options say what to check beyond the bytes.
type Options struct {
	// Key is the log's verifier key, "<origin>+<hash>+<base64>". Empty: it is taken from
	// the log's first record, and the report says so.
	Key string
	// Rules asks for the rules of the mechanism to be replayed.
	Rules bool
	// Record is the id or index of a record to report in detail.
	Record string
	// RootAt is a size within the log for which the report is to give the root, from 1. 0: none.
	RootAt int64
	// Policy says who must have cosigned a head of the log, and names the members' rules keys,
	// whose word is taken for lines that were left out; nil: neither is looked at.
	Policy *quorum.Policy
	// Progress, if set, hears how many of the records are done.
	Progress func(done, total int64)
}

// Log verifies a whole log. Everything that is wrong with it is in the report; the
// error is for what is wrong with the call: an unreadable key, or ctx ending.
func Log(ctx context.Context, f Fetcher, o Options) (*Report, error) {
	v := &verifier{from: f, options: o, report: newReport(), edge: ledger.NewEdge(), roster: newRoster(), ids: map[record.ID]int64{}}
	if o.Rules {
		v.replay = newReplay()
		v.report.RulesChecked = true
	}
	if o.Key != "" {
		if _, err := ledger.NewVerifier(o.Key); err != nil {
			return nil, fmt.Errorf("verify: %w; a log's key is NAME+8 hexadecimal digits+base64, such as example.org/line+1a2b3c4d+AbCd...=, as init printed it: copy it whole, on one line", err)
		}
	}
	v.run(ctx)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return v.report, nil
}

type verifier struct {
	from    Fetcher
	options Options
	report  *Report

	edge    *ledger.Edge // nil once entries are missing
	roster  *roster      // of what is sure
	given   *roster      // as if no line that was left out were public; nil before the first
	replay  *replay      // nil without the rules
	mission record.ID
	ids     map[record.ID]int64 // of the records given, to where they stand
	logged  int64               // of the last record given that is the log's

	cosigners cosigners // named in the records given
	words     []*Word   // of the heads that the policy is held against
}

func (v *verifier) run(ctx context.Context) {
	c, ok := v.head(ctx)
	if !ok {
		return
	}
	for n := int64(0); n*ledger.TileWidth < c.Size && ctx.Err() == nil; n++ {
		width := int(min(ledger.TileWidth, c.Size-n*ledger.TileWidth))
		entries := v.entries(ctx, n, width)
		v.records(ctx, n, width, entries)
		v.grow(ctx, n, width, entries)
		if v.options.Progress != nil {
			v.options.Progress(n*ledger.TileWidth+int64(width), c.Size)
		}
		if v.report.UnreadCount >= maxUnread {
			break // there is no point in asking on
		}
		if v.report.ProblemCount > maxListed {
			v.report.problem(-1, Files, "checkpoint", "there are too many problems to go on: stopped before record %d", (n+1)*ledger.TileWidth)
			return
		}
	}
	if ctx.Err() != nil {
		return
	}
	if v.report.UnreadCount == 0 || v.edge != nil {
		v.finish(ctx, c.Root)
	}
	v.reach(c.Size)
	if from, ok := v.from.(Lister); ok {
		if err := v.extras(ctx, from); err != nil && ctx.Err() == nil {
			v.report.problem(-1, Files, ".", "the folder cannot be listed: %v", err)
		}
	}
	if v.report.Own > 0 {
		v.report.note("own bodies, which never leave their members' nodes: %d; they are not missing", v.report.Own)
	}
	if v.report.Boxed > 0 {
		v.report.note("bodies that are encrypted for those who may read them: %d; what they say was not judged, and they are not missing", v.report.Boxed)
	}
	if v.replay != nil {
		if hash, ok := v.replay.hash(); ok {
			v.report.StateHash = hash
		}
	}
	v.settleWord()
	if v.options.Record != "" && v.report.Detail == nil {
		v.report.RecordMissing = v.options.Record
	}
}

// head reads the checkpoint and settles whose log it is.
func (v *verifier) head(ctx context.Context) (ledger.Checkpoint, bool) {
	r := v.report
	fail := func(format string, a ...any) (ledger.Checkpoint, bool) {
		r.problem(-1, Files, "checkpoint", format, a...)
		return ledger.Checkpoint{}, false
	}
	signed, err := v.from.Read(ctx, ledger.Path{}.String())
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, new(*UnreadError)) {
		r.NotRead = err
		return ledger.Checkpoint{}, false
	} else if err != nil {
		return fail("%v", err)
	}
	r.Files++
	r.Key = v.options.Key
	if r.Key == "" {
		r.KeyFromLog = true
		key, err := v.ownKey(ctx, signed)
		if err != nil {
			return fail("no key was given and the log does not give one: %v", err)
		}
		r.Key = key
	}
	verifier, err := ledger.NewVerifier(r.Key)
	if err != nil {
		return fail("the key that the log's first record names cannot be read: %v", err)
	}
	if name, _, _ := strings.Cut(string(signed), "\n"); name != verifier.Name() && ledger.ValidateOrigin(name) == nil {
		return fail("this log is %.200q and the key is for %.200q: give this log's key, or the address of the key's log", name, verifier.Name())
	}
	c, note, err := ledger.ParseCheckpoint(signed, verifier)
	if err != nil {
		return fail("%v", err)
	}
	if c.Origin != verifier.Name() {
		return fail("it is of the log %q, and the key is of %q", c.Origin, verifier.Name())
	}
	if !record.ValidOrigin(c.Origin) || c.Size > record.MaxInt {
		return fail("origin %.200q or size %d is not what a log can have", c.Origin, c.Size)
	}
	r.Origin, r.Size, r.Root = c.Origin, c.Size, c.Root.String()
	known := 0
	if v.options.Policy != nil {
		r.PolicyAsked = true
		known = v.witnesses(ctx, signed)
	}
	if n := len(note.UnverifiedSigs) - known; n > 0 {
		r.note("the checkpoint carries %s by keys that are not known here; nothing was checked of them", plural(int64(n), "signature"))
	}
	return c, true
}

// ownKey reads the log's key from mission.opened, before anything can be trusted.
func (v *verifier) ownKey(ctx context.Context, signed []byte) (string, error) {
	lines := strings.SplitN(string(signed), "\n", 3)
	if len(lines) < 3 {
		return "", fmt.Errorf("the checkpoint is malformed")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || size > ledger.MaxSize {
		return "", fmt.Errorf("the checkpoint %.40q says no size of 1 or more", lines[1])
	}
	b, err := v.from.Read(ctx, fileOf(ledger.KindRecords, 0, int(min(size, ledger.TileWidth))))
	if err != nil {
		return "", fmt.Errorf("reading the first record: %w", err)
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	l, err := parseLine(first)
	if err != nil || l.Index != 0 || l.Body == nil {
		return "", fmt.Errorf("the first record was not given whole")
	}
	body, err := record.ParseBody(record.MissionOpened, l.Body)
	if err != nil {
		return "", fmt.Errorf("the first record: %w", err)
	}
	return body.(*record.Mission).LogKey, nil
}

// item is one record of a group on its way through the layers.
type item struct {
	line  *record.Line
	leaf  []byte           // what the log's entry must be
	entry *mechanism.Entry // nil if the envelope could not be read
	// whole tells that the body is here and right, or that there is none to be had.
	whole bool
	// committed tells that the body given is the one committed to, right or not.
	committed         bool
	later             string // what of the envelope is of a later version, if anything is
	envErr, bodyError error
}

// parseLine is record.ParseLine; nothing else reads lines here.
func parseLine(b []byte) (*record.Line, error) { return record.ParseLine(b) }

// records checks one group, nil entries meaning that they could not be had.
func (v *verifier) records(ctx context.Context, n int64, width int, entries [][]byte) {
	p := ledger.Path{Kind: ledger.KindRecords, N: n, Width: width}
	path, from := p.String(), n*ledger.TileWidth
	items := make([]*item, width)
	b := v.read(ctx, p)
	given := b != nil // what is not in it was left out
	if given {
		v.split(b, path, from, items)
	}
	v.prepare(items)
	for i, it := range items {
		index := from + int64(i)
		v.reach(index)
		if it == nil {
			v.missing(index, notGiven, given)
			continue
		}
		var entry []byte
		if entries != nil {
			entry = entries[i]
		}
		v.record(index, path, it, entry)
	}
}

// split reads the lines of a bundle into their places.
func (v *verifier) split(b []byte, path string, from int64, items []*item) {
	if !wholeLines(b) {
		v.report.problem(-1, Files, path, "the last line does not end with a line feed")
	}
	next := from
	number := 0
	for line := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		if len(b) == 0 {
			return // nothing of this group was given
		}
		number++
		l, err := parseLine(line)
		if err != nil {
			v.report.problem(-1, Files, path, "line %d: %v", number, err)
			continue
		}
		if l.Index < next || l.Index >= from+int64(len(items)) {
			v.report.problem(-1, Files, path, "line %d: index %d is out of order or not of this bundle", number, l.Index)
			continue
		}
		items[l.Index-from] = &item{line: l}
		next = l.Index + 1
	}
}

// prepare does what needs no other record, on all processors: hashes, parsing, and
// signatures under keys known by now.
func (v *verifier) prepare(items []*item) {
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(items))
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(items); i += workers {
				if items[i] != nil {
					items[i].open(v.lookup)
				}
			}
		})
	}
	wait.Wait()
}

func (it *item) open(lookup func(record.KeyID) (record.Key, bool)) {
	l := it.line
	it.leaf = ledger.LeafData(ledger.Salt(l.LeafSalt), l.LoggedAt, l.Envelope)
	if it.entry, it.envErr = mechanism.OpenEnvelope(l.Envelope); it.envErr != nil {
		it.later = laterEnvelope(l.Envelope)
		return
	}
	st := it.entry.Statement
	if it.later = laterRules(st); it.later != "" {
		return
	}
	switch {
	case l.Enc == record.EncBox && !st.Boxed():
		it.bodyError = fmt.Errorf("it is given in a box, and what a %s for the audience %s says is not encrypted", st.Kind, st.Audience)
	case l.Body != nil || st.Body == nil || st.Kind.Own() || st.Boxed():
		it.bodyError = it.entry.AddBody(l.Body, ledger.Salt(l.BodySalt))
		it.whole = it.bodyError == nil
	}
	if it.bodyError != nil && st.Body != nil && l.Enc == record.EncPlain {
		it.committed = ledger.Commits(st.Body, ledger.Salt(l.BodySalt), l.Body)
	}
	it.entry.Verify(lookup)
}

// laterEnvelope says what of an envelope that could not be read is of a later version.
func laterEnvelope(b []byte) string {
	e, err := record.ParseEnvelope(b)
	if err == nil {
		_, err = e.Statement()
	}
	var later *record.UpdateError
	if errors.As(err, &later) {
		return later.What
	}
	return ""
}

// laterRules says what of a statement only later rules know.
func laterRules(st *record.Statement) string {
	switch {
	case st.Rules != mechanism.RulesVersion:
		return fmt.Sprintf("rules version %d", st.Rules)
	case !slices.Contains(record.Audiences, st.Audience):
		return fmt.Sprintf("the audience %s", st.Audience)
	}
	return ""
}
