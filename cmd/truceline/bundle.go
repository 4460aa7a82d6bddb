// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"truceline/bundle"
	"truceline/internal/node"
	"truceline/record"
)

type bundleCmd struct {
	dataFlag
	Record string `arg:"" help:"The record: its id or its index; of a node's own log also the number of the incident that it opens, such as 007/2025."`
	Log    string `help:"Make it from a log instead of a node: its address, such as http://127.0.0.1:8440/log, or a folder made by export log." placeholder:"URL-or-DIR"`
	Key    string `help:"The log's verifier key, as you got it on another way. With --log; without it the key is taken from the log itself." placeholder:"VKEY"`
	Out    string `help:"File to write; record-INDEX.truceline-bundle.json if not given." type:"path" placeholder:"FILE"`
}

func (bundleCmd) Help() string {
	return `Writes one file with which a stranger checks one record without any network: the record, its place under the newest head that enough witnesses have cosigned, and the records that say whose the keys are (docs/formats/bundle.md). The file is checked before it is written: if anything is wrong with it, nothing is written. What it cannot show, because nobody has cosigned yet or nobody was asked to, is said; make it again later.

Whoever checks it needs the log's key and the policy on another way: give them both (policy show).

Examples:
  truceline bundle 007/2025 --data ./truceline-data --out incident-7.truceline-bundle.json
  truceline bundle 1284 --log https://truce.example/log --key 'truce.example/line+...'`
}

func (c bundleCmd) Run(e *env) error {
	if c.Log != "" {
		b, r, err := c.fromLog(e)
		e.bar.Done()
		if err != nil {
			return err
		}
		return c.write(e, b, r)
	}
	if c.Key != "" {
		return &exitError{errors.New("--key goes with --log: a node knows the key of its log"), 2}
	}
	return c.with(e, func(n *node.Node) error {
		index, err := n.Locate(e.ctx, c.Record)
		if err != nil {
			return err
		}
		b, r, err := n.MembersBundle(e.ctx, index)
		if err != nil {
			return err
		}
		return c.write(e, b, r)
	})
}

// write writes a bundle that was checked, and says what it comes to.
func (c bundleCmd) write(e *env, b []byte, r *bundle.Report) error {
	path := c.Out
	if path == "" {
		path = fmt.Sprintf("record-%d%s", r.Record.Index, bundle.Suffix)
	}
	err := writeTo(path, func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	fmt.Fprintf(e.stdout, "wrote %s: %d bytes, record %d of %d, with %d other records\n", path, len(b), r.Record.Index, r.Size, len(r.Others))
	if r.Outcome() != bundle.Good {
		fmt.Fprintf(e.stdout, "%s\n", r.Verdict())
		for _, x := range r.Unchecked {
			fmt.Fprintf(e.stdout, "  %s: %s\n", x.Layer, x.Why)
		}
	}
	_, err = fmt.Fprintf(e.stdout, "Next: %s verify bundle %s --key '%s' --policy FILE\n", prog(), path, r.Key)
	return err
}

// fromLog makes the bundle from a log that is served or in a folder. A node makes it
// itself, with all the cosignatures it knows; of a mirror every record is read.
func (c bundleCmd) fromLog(e *env) ([]byte, *bundle.Report, error) {
	log := c.Log
	if under := strings.TrimSuffix(log, "/") + "/log"; isURL(log) && !answers(e.ctx, log) && answers(e.ctx, under) {
		fmt.Fprintf(e.stderr, "There is no log at %s; taking the one at %s\n", log, under)
		log = under
	}
	if isURL(log) {
		b, err := served(e.ctx, log, c.Record)
		if err != nil {
			return nil, nil, err
		}
		if b != nil {
			r, err := c.checked(b)
			return b, r, err
		}
	}
	copied, err := bundle.ReadCopy(e.ctx, fetcher(log), c.Key)
	if err != nil {
		return nil, nil, err
	}
	index, err := c.find(copied)
	if err != nil {
		return nil, nil, err
	}
	return bundle.Make(e.ctx, copied, index)
}

// find looks for the record in a log without a node.
func (c bundleCmd) find(from *bundle.Copy) (int64, error) {
	if id, err := record.ParseID(c.Record); err == nil {
		if index, ok := from.Find(id); ok {
			return index, nil
		}
		return -1, fmt.Errorf("the log has no record %s", id)
	}
	index, err := strconv.ParseInt(c.Record, 10, 64)
	if err != nil {
		return -1, fmt.Errorf("a record of a log is named by its id of 32 digits or by its index, not %.40q", c.Record)
	}
	return index, nil
}

// served asks a node for a bundle; nil where there is none to be had at the address.
func served(ctx context.Context, log, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(log, "/")+"/bundle/"+url.PathEscape(name), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for the bundle: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, nil // no such record, or no node: the log itself tells
	default:
		return nil, fmt.Errorf("ask for the bundle: the server answered %d; try again", res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, bundle.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("ask for the bundle: %w", err)
	}
	return b, nil
}

// checked checks a bundle that somebody else made, and that it is of the record asked for.
func (c bundleCmd) checked(b []byte) (*bundle.Report, error) {
	r, err := bundle.Check(b, bundle.Options{Key: c.Key})
	if err != nil {
		return nil, &exitError{err, 2}
	}
	if len(r.Problems) > 0 || r.Record == nil {
		var said strings.Builder
		if err := r.Write(&said, false); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the bundle that the node at %s gave is not good, and was not written:\n%s", c.Log, said.String())
	}
	d := r.Record
	if name := c.Record; name != strconv.FormatInt(d.Index, 10) && (d.Statement == nil || name != d.Statement.ID.String()) {
		return nil, fmt.Errorf("the node at %s gave the bundle of another record, %d, and it was not written", c.Log, d.Index)
	}
	return r, nil
}
