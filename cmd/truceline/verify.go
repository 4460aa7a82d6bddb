// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"truceline/verify"
)

type verifyCmd struct {
	Log     string `help:"Address of a log, such as http://127.0.0.1:8440/log, or a folder made by export log." required:"" placeholder:"URL-or-DIR"`
	Key     string `help:"The log's verifier key, as you got it on another way. Without it the key is taken from the log itself, which proves less." placeholder:"VKEY"`
	Rules   bool   `help:"Also run the rules of the mechanism again over every record."`
	Record  string `help:"Say more about one record: its id or index." placeholder:"ID"`
	Verbose bool   `short:"v" help:"Name every record that could not be checked in full."`
}

func (verifyCmd) Help() string {
	return `Fetches the whole log and computes everything again: signatures, tree, commitments, bodies and, with --rules, what the door decided. For each record it says which of the four layers it could check (leaf, envelope, body, rule) and names what it could not. Exits 0 only if nothing is wrong.

Example: truceline verify --log http://127.0.0.1:8440/log --key 'demo.example+...' --rules`
}

func (c verifyCmd) Run(e *env) error {
	var from verify.Fetcher
	if strings.HasPrefix(c.Log, "http://") || strings.HasPrefix(c.Log, "https://") {
		from = verify.HTTP(strings.TrimSuffix(c.Log, "/"), &http.Client{Timeout: 2 * time.Minute})
	} else {
		from = verify.Dir(c.Log)
	}
	report, err := verify.Log(e.ctx, from, verify.Options{Key: c.Key, Rules: c.Rules, Record: c.Record, Progress: e.bar.Step("verify")})
	e.bar.Done()
	if err != nil {
		return err
	}
	if err := report.Write(e.stdout, c.Verbose); err != nil {
		return err
	}
	if !report.OK() {
		return &quietError{errors.New("the log does not verify")}
	}
	return nil
}
