// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"truceline/bundle"
	"truceline/ledger"
	"truceline/quorum"
)

type verifyBundleCmd struct {
	File    string `arg:"" help:"The bundle." type:"existingfile" placeholder:"FILE"`
	Key     string `help:"The log's verifier key, as you got it on another way. Without it the key is taken from the file itself, which proves less." placeholder:"VKEY"`
	Policy  string `help:"File with the policy by which the log's witnesses are known, best with the rules keys, as policy show writes it and as you got it on another way. Without it that of the agreement in the file is taken, which is the record's own word." type:"existingfile" placeholder:"FILE"`
	Verbose bool   `short:"v" help:"Name everything that could not be checked, and every record that the bundle holds."`
}

func (verifyBundleCmd) Help() string {
	return `Checks one record with nothing but one file: that it is in the log, as its author signed it with a key that was valid there, that enough witnesses cosigned the log with it, and that enough members say that the rules were kept. Needs no network and no node. It says layer by layer what is good, what is wrong and what could not be checked, and when the record was logged, by the clocks of others.

Exits 0 if nothing is wrong and everything was checked, for what the verdict then says, which names what is only the file's own word; 1 if something is wrong with the file; 3 if it could not be checked in full: it was not witnessed yet, a body was not given, nobody says that the rules were kept, or it is of a later version than this program; 2 if the command line is wrong.

Example: truceline verify bundle record-58.truceline-bundle.json --key 'demo.example+...' --policy policy.txt`
}

func (c verifyBundleCmd) Run(e *env) error {
	o := bundle.Options{Key: c.Key}
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
	b, err := c.read()
	if err != nil {
		return &exitError{fmt.Errorf("reading the bundle: %w", err), exitIncomplete}
	}
	r, err := bundle.Check(b, o)
	if err != nil {
		return &exitError{err, 2}
	}
	if err := r.Write(e.stdout, c.Verbose); err != nil {
		return err
	}
	if r.KeyFromFile && r.Key != "" {
		if _, err := fmt.Fprintf(e.stdout, "The key in the file has the fingerprint %s. Compare it by voice with somebody else's: policy show, or the page Agreement.\n", ledger.Fingerprint(r.Key)); err != nil {
			return err
		}
	}
	switch r.Outcome() {
	case bundle.Good:
		return nil
	case bundle.Wrong:
		return &quietError{errors.New("the bundle does not verify")}
	}
	return &exitError{&quietError{errors.New("the bundle was not checked in full")}, exitIncomplete}
}

// read reads the file, or as much of one that is too long as shows that it is.
func (c verifyBundleCmd) read() ([]byte, error) {
	info, err := os.Stat(c.File)
	if err != nil {
		return nil, err
	}
	if info.Size() > bundle.MaxFile {
		return make([]byte, bundle.MaxFile+1), nil
	}
	return readAtMost(c.File, bundle.MaxFile)
}
