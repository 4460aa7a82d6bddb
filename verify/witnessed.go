// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"truceline/cosign"
	"truceline/quorum"
)

// WitnessedPath is the file of a log with its newest head that met the policy, and the
// cosignatures that met it.
const WitnessedPath = "witnessed"

// Witnessing is what a policy finds in a log.
type Witnessing struct {
	Size     int64 // of the head that was looked at
	Root     string
	Cosigned []quorum.Cosigned
	Missing  []string // names of the policy's witnesses that have not cosigned it
	Met      bool
	// Compared tells that the head's tree is that of the log's first Size entries.
	Compared bool
}

// witnesses reads the newest witnessed head, or what the newest head has, and holds it
// against the policy. It comes before the records: the tree is compared on the way. It gives
// how many lines of the newest head are by keys of the policy.
func (v *verifier) witnesses(ctx context.Context, newest []byte) (known int) {
	p := v.options.Policy
	signed, err := v.from.Read(ctx, WitnessedPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		signed = newest
	case err != nil:
		v.report.problem(-1, Files, WitnessedPath, "the file cannot be read: %v", err)
		return 0
	default:
		v.report.Files++
	}
	r, err := p.Check(signed)
	if err == nil && (r.Checkpoint.Size > v.report.Size || r.Checkpoint.Origin != v.report.Origin) {
		// The log has grown between the two readings: what the newest head has is looked at.
		r, err = p.Check(newest)
	}
	if err != nil {
		v.report.problem(-1, Files, WitnessedPath, "%v", err)
		return 0
	}
	if r.LogKey != v.report.Key {
		v.report.problem(-1, Files, WitnessedPath, "the policy is for the log's key %s, and the log is checked with %s: take the policy of this log", r.LogKey, v.report.Key)
		return 0
	}
	w := &Witnessing{Size: r.Checkpoint.Size, Root: r.Checkpoint.Root.String(), Met: r.Witnessed}
	for _, c := range r.Cosigned {
		if _, role := cosign.MemberOf(v.report.Origin, c.VKey); role != cosign.Rules { // which says something else: see word
			w.Cosigned = append(w.Cosigned, c)
		}
	}
	for _, x := range p.Witnesses {
		if _, role := cosign.MemberOf(v.report.Origin, x.VKey); role != cosign.Rules && slices.Contains(r.Missing, x.Name) {
			w.Missing = append(w.Missing, x.Name)
		}
	}
	v.report.Witnesses = w
	v.word(r, false)
	// The newest head may be of more records, and have the members' word.
	if r, err = p.Check(newest); err != nil {
		v.report.problem(-1, Files, "checkpoint", "%v", err)
		return 0
	}
	v.word(r, true)
	return len(r.Cosigned)
}

// compareWitnessed is called when the tree has some size.
func (v *verifier) compareWitnessed() {
	w := v.report.Witnesses
	if w == nil || v.edge.Size() != w.Size {
		return
	}
	if w.Compared = true; v.edge.Root().String() != w.Root {
		v.report.problem(-1, Files, WitnessedPath, "the log's key has signed the root %s for the first %d records, and the entries give %v: that is evidence of two histories. Keep this file and the checkpoint", w.Root, w.Size, v.edge.Root())
	}
}

// notWitnessed tells that the policy that was asked for is not met.
func (r *Report) notWitnessed() bool {
	return r.PolicyAsked && (r.Witnesses == nil || !r.Witnesses.Met || !r.Witnesses.Compared)
}

func (r *Report) writeWitnesses(p *printer) {
	w := r.Witnesses
	switch {
	case !r.PolicyAsked:
		return
	case w == nil:
		p.line("witnesses could not be looked at")
		return
	case w.Met:
		p.line("witnessed %s of %s, by", plural(w.Size, "record"), plural(r.Size, "record"))
	default:
		p.line("witnessed NO: the head of %s has not the cosignatures that the policy asks for, but", plural(w.Size, "record"))
	}
	for _, c := range w.Cosigned {
		p.line("          %s at %s by its clock", c.Name, time.Unix(c.At, 0).UTC().Format(time.RFC3339))
	}
	if len(w.Missing) > 0 {
		p.line("          not by %s", strings.Join(w.Missing, ", "))
	}
}
