// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"truceline/internal/reprint"
	"truceline/internal/takeout"
	"truceline/verify"
)

type verifyBagCmd struct {
	Dir          string `arg:"" help:"Folder that export all has written, or that import bag has made of it." placeholder:"DIR"`
	Key          string `help:"The log's verifier key, as you got it on another way. Without it the key is taken from the log itself, which proves less." placeholder:"VKEY"`
	Policy       string `help:"File with the policy that says whose cosignatures are needed, as you got it on another way. The one in the folder is the word of the folder." placeholder:"FILE" type:"existingfile"`
	AllowMissing bool   `help:"Exit 0 also where records or bodies were not given, if nothing else is amiss."`
	Verbose      bool   `short:"v" help:"Name every record that could not be checked in full."`
}

func (verifyBagCmd) Help() string {
	return `Checks that the folder is whole and was not changed since it was made, that the log in it verifies in all its layers, the rules included, and that the tables in it (accounts, incidents, agreement, policy) are exactly what the records of that log say: it computes them again and compares every byte. It needs no node and no network.

Exits 0 only if nothing is wrong and all was checked; 1 if something is wrong; 3 if it was not checked, or not in full, such as where records were left out because not everybody may have them (but see --allow-missing); 2 if the command line is wrong.

Example: truceline verify bag ./everything --key 'demo.example+...' --policy policy.txt`
}

func (c verifyBagCmd) Run(e *env) error {
	policy, err := readPolicy(c.Policy)
	if err != nil {
		return &exitError{err, 2}
	}
	if reprint.Is(c.Dir) {
		c.Dir = reprint.BagFolder(c.Dir)
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s is no folder", c.Dir)
		}
		return &exitError{fmt.Errorf("read the bag: %w; name the folder that export all has written", err), exitIncomplete}
	}
	report, err := takeout.Check(e.ctx, c.Dir, takeout.CheckOptions{Log: verify.Options{Key: c.Key, Policy: policy}, Progress: e.bar.Update})
	e.bar.Done()
	if errors.As(err, new(*takeout.OptionError)) {
		return &exitError{err, 2}
	}
	if err != nil {
		return &exitError{err, exitIncomplete}
	}
	if err := report.Write(e.stdout, c.Verbose); err != nil {
		return err
	}
	switch {
	case report.Outcome() == verify.Wrong:
		return &quietError{errors.New("the bag does not verify")}
	case report.Outcome() != verify.Good && !(c.AllowMissing && report.OnlyMissing()):
		return &exitError{&quietError{errors.New("the bag was not checked in full")}, exitIncomplete}
	}
	return nil
}
