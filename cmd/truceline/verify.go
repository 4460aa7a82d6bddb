// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"truceline/internal/local"
	"truceline/quorum"
	"truceline/verify"
)

// verifyCmd checks what others say, without a node. Without the name of a command, it
// checks a log.
type verifyCmd struct {
	Log      verifyLogCmd      `cmd:"" default:"withargs" help:"Check a log, from its address or from a folder. Needs no node and trusts no server."`
	Evidence verifyEvidenceCmd `cmd:"" help:"Check a file that is to show that somebody broke the protocol. Needs no network."`
	Bundle   verifyBundleCmd   `cmd:"" help:"Check one record with one file. Needs no network."`
	Bag      verifyBagCmd      `cmd:"" help:"Check a folder that export all has written. Needs no node and no network."`
}

func (verifyCmd) Help() string {
	return "Without the name of a command it checks a log: verify --log is verify log --log.\n\n" + verifyLogCmd{}.Help()
}

type verifyLogCmd struct {
	Log          string `help:"Address of a log, such as http://127.0.0.1:8440/log, or a folder made by export log." required:"" placeholder:"URL-or-DIR"`
	Key          string `help:"The log's verifier key, as you got it on another way. Without it the key is taken from the log itself, which proves less." placeholder:"VKEY"`
	Policy       string `help:"File with the policy that says whose cosignatures are needed, and names the members' rules keys, whose word is taken for records that were left out (policy show writes it). Get it from somebody you trust." placeholder:"FILE" type:"existingfile"`
	Rules        bool   `help:"Also run the rules of the mechanism again over every record."`
	Record       string `help:"Say more about one record: its id or index." placeholder:"ID"`
	AllowMissing bool   `help:"Exit 0 also where records or bodies were not given, if nothing else is amiss."`
	Verbose      bool   `short:"v" help:"Name every record that could not be checked in full."`
}

func (verifyLogCmd) Help() string {
	return `Fetches the whole log and computes everything again: signatures, tree, commitments, bodies and, with --rules, what the door decided. For each record it says which of the four layers it could check (leaf, envelope, body, rule) and names what it could not.

Exits 0 only if nothing is wrong and all that was asked for was checked; 1 if something is wrong with the log; 3 if it was not checked, or not in full: nothing could be read, the connection broke, records or bodies were not given (but see --allow-missing, and below), --record was not found, the cosignatures that --policy asks for are not there, or a record is of a later version than this program, which then needs an update; 2 if the command line is wrong.

A log for everybody lacks the records that are not. That none of these changed a key the copy cannot show; the members, who have them all, can say it. With a --policy that names their rules keys (policy show), and a quorum of them saying that all records passed the rules, what is good in the copy counts as good, and records left out are nothing missing.

Example: truceline verify --log http://127.0.0.1:8440/log --key 'demo.example+...' --rules`
}

// readPolicy reads a policy file; nil where none is named.
func readPolicy(path string) (*quorum.Policy, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	p, err := quorum.Parse(string(b))
	if err != nil {
		return nil, fmt.Errorf("read the policy %s: %w", path, err)
	}
	return p, nil
}

// exitIncomplete is what verify exits with when it could not check all of a log.
const exitIncomplete = 3

// verifyAt verifies the log at an address or in a folder. The address may be that of a
// site, whose log is under it.
func verifyAt(e *env, log string, o verify.Options) (*verify.Report, error) {
	report, err := verify.Log(e.ctx, fetcher(log), o)
	if err == nil && report.NotRead != nil && isURL(log) && e.ctx.Err() == nil {
		if under := strings.TrimSuffix(log, "/") + "/log"; errors.Is(report.NotRead, fs.ErrNotExist) && answers(e.ctx, under) {
			fmt.Fprintf(e.stderr, "There is no log at %s; taking the one at %s\n", log, under)
			return verify.Log(e.ctx, fetcher(under), o)
		}
	}
	return report, err
}

func (c verifyLogCmd) Run(e *env) error {
	policy, err := readPolicy(c.Policy)
	if err != nil {
		return &exitError{err, 2}
	}
	report, err := verifyAt(e, c.Log, verify.Options{Key: c.Key, Policy: policy, Rules: c.Rules, Record: c.Record, Progress: e.bar.Step("verify")})
	e.bar.Done()
	if err != nil {
		if e.ctx.Err() == nil {
			return &exitError{err, 2}
		}
		return &exitError{err, exitIncomplete}
	}
	if err := report.Write(e.stdout, c.Verbose); err != nil {
		return err
	}
	if report.NotRead != nil {
		fmt.Fprintf(e.stderr, "truceline: read a log at %s: %s\n", c.Log, c.hint(report.NotRead))
	}
	switch {
	case report.Outcome() == verify.Wrong:
		return &quietError{errors.New("the log does not verify")}
	case report.Outcome() != verify.Good && !(c.AllowMissing && report.OnlyMissing()):
		return &exitError{&quietError{errors.New("the log was not checked in full")}, exitIncomplete}
	}
	return nil
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

func fetcher(log string) verify.Fetcher {
	if isURL(log) {
		return verify.HTTP(strings.TrimSuffix(log, "/"), &http.Client{Timeout: 2 * time.Minute})
	}
	return verify.Dir(log)
}

func answers(ctx context.Context, url string) bool {
	_, err := fetcher(url).Read(ctx, "checkpoint")
	return err == nil
}

// hint says what to do where there is no log.
func (c verifyLogCmd) hint(err error) string {
	missing := errors.Is(err, fs.ErrNotExist)
	if isURL(c.Log) {
		if missing {
			return "the server has no checkpoint there. The log of a node is under /log: check the address"
		}
		return "nothing came. Check the address and the connection, and that the server runs, and try again"
	}
	info, statErr := os.Stat(c.Log)
	switch {
	case errors.Is(statErr, fs.ErrNotExist) && strings.Contains(c.Log, "."):
		return "there is no such folder. An address begins with http:// or https://, a folder is named as it is"
	case statErr != nil:
		return "there is no such folder. Make one with: " + prog() + " export log DIR --data NODE"
	case !info.IsDir():
		return "it is a file. Name the folder that export log made"
	}
	if _, err := os.Stat(filepath.Join(c.Log, local.ConfigFile)); err == nil {
		return fmt.Sprintf("the folder is that of a node, not a log. Write its log first: %s export log DIR --data %s", prog(), c.Log)
	}
	if missing {
		return "the folder has no file checkpoint. Name the folder that export log made"
	}
	return "the folder cannot be read. Check that you may read it"
}
