// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"truceline/evidence"
	"truceline/quorum"
	"truceline/verify"
)

type verifyEvidenceCmd struct {
	File   string        `arg:"" help:"The evidence file." placeholder:"FILE"`
	Key    string        `help:"The log's verifier key, as you got it on another way. Without it the key is taken from the file itself, which proves less." placeholder:"VKEY"`
	Policy string        `help:"File with the policy by which the log's witnesses are known, as you got it on another way. Without it nothing that rests on witnesses is held against anybody." placeholder:"POLICY"`
	Bound  time.Duration `help:"By how much clocks may differ as agreed, such as 120s. Without it a difference of less than a day is held against nobody." placeholder:"DURATION"`
	Log    string        `help:"Address or folder of the log, to look whether it has a record that members say was withheld." placeholder:"URL-or-DIR"`
}

func (verifyEvidenceCmd) Help() string {
	return `Checks a file that is to show that somebody broke the protocol, and says in one sentence who did what, what is proved and what is not. It needs no network, but for --log.

Exits 0 if the file holds, for what it then says; 1 if it does not hold and shows nothing; 3 if it could not be read or checked in full: something is missing that --policy, --bound or --log would give, or the file is of a later version than this program; 2 if the command line is wrong.

Example: truceline verify evidence two-histories.json --key 'demo.example+...' --policy policy.txt`
}

func (c verifyEvidenceCmd) Run(e *env) error {
	o := evidence.Options{LogKey: c.Key, ClockBoundMS: c.Bound.Milliseconds()}
	if c.Bound != 0 && (o.ClockBoundMS < 1 || o.ClockBoundMS > evidence.MaxBoundMS) {
		return &exitError{fmt.Errorf("--bound %s: an agreement can have 1ms to 24h", c.Bound), 2}
	}
	if c.Policy != "" {
		b, err := readAtMost(c.Policy, quorum.MaxPolicyBytes)
		if err != nil {
			return &exitError{fmt.Errorf("--policy: %w", err), 2}
		}
		if len(b) == 0 {
			return &exitError{fmt.Errorf("--policy: %s is empty", c.Policy), 2}
		}
		o.Policy = string(b)
	}
	b, err := readAtMost(c.File, evidence.MaxFile)
	if err != nil {
		return &exitError{fmt.Errorf("reading the evidence: %w", err), exitIncomplete}
	}
	f, err := evidence.Check(b, o)
	if err != nil {
		return c.failed(e, err)
	}
	if c.Log != "" {
		if err := c.look(e, f); err != nil {
			return err
		}
	}
	if err := f.Write(e.stdout); err != nil {
		return err
	}
	if len(f.Unchecked) > 0 {
		return &exitError{&quietError{errors.New("the evidence was not checked in full")}, exitIncomplete}
	}
	return nil
}

// failed says why a file does not hold, or cannot be judged.
func (c verifyEvidenceCmd) failed(e *env, err error) error {
	switch {
	case errors.As(err, new(*evidence.OptionError)):
		return &exitError{err, 2}
	case errors.As(err, new(*evidence.IncompleteError)):
		fmt.Fprintln(e.stdout, "verdict   NOT CHECKED: the file could not be judged. That says nothing about anybody.")
		return &exitError{err, exitIncomplete}
	}
	fmt.Fprintln(e.stdout, "verdict   IT DOES NOT HOLD: the file shows nothing against anybody.")
	return err
}

// look finds out whether the log has the record that a file says was withheld. It takes
// no answer from a log that does not verify, or is not the one of the file's head.
func (c verifyEvidenceCmd) look(e *env, f *evidence.Finding) error {
	if f.Look == nil {
		return &exitError{fmt.Errorf("--log: a %s needs no log, it holds by itself; leave --log out", f.Kind), 2}
	}
	report, err := verifyAt(e, c.Log, verify.Options{Key: f.LogKey, Record: f.Look.Statement.String(), RootAt: f.Look.Size, Progress: e.bar.Step("verify")})
	e.bar.Done()
	incomplete := func(format string, a ...any) error {
		return &exitError{fmt.Errorf("looking for the record in the log at %s: %w", c.Log, fmt.Errorf(format, a...)), exitIncomplete}
	}
	switch {
	case err != nil:
		return incomplete("%w", err)
	case report.NotRead != nil:
		return incomplete("%w", report.NotRead)
	case report.Outcome() == verify.Wrong:
		return incomplete("this copy of the log does not verify: run %s verify --log %s", prog(), c.Log)
	case report.Size < f.Look.Size:
		return incomplete("it has %d records, and the head in the file has %d: get a later copy", report.Size, f.Look.Size)
	case report.RootAt != f.Look.Root:
		return incomplete("its first %d records have the root %s, and the head in the file, signed with the same key, says %s. If both are signed, that is evidence of two histories", f.Look.Size, report.RootAt, f.Look.Root)
	case report.Detail != nil && report.Detail.Statement != nil:
		if index := report.Detail.Index; !f.Found(index) {
			fmt.Fprintf(e.stdout, "verdict   IT DOES NOT HOLD: the log has the record %s at index %d.\n", f.Look.Statement, index)
			return fmt.Errorf("the record is in the log: nothing was withheld")
		}
	case report.UnreadCount > 0 || report.Updates > 0 || report.Layers[verify.Envelope].Unchecked > 0 || report.Layers[verify.Leaf].Unchecked > 0:
		return incomplete("not every record of this copy could be read, and the record may be one of those: get a whole copy")
	default:
		f.NotFound(report.Size)
	}
	return nil
}

// readAtMost reads a file of at most so many bytes.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return b, err
}
