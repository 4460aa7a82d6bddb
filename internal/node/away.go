// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"truceline/internal/local"
)

// away keeps the newest signed head of a registry in a file on other hardware
// (local.Config.Lock). A disk that is put back from an older copy takes the ledger, the
// tables and the head beside them back together; this file stays.
//
// It is stricter than the head beside the ledger: a receipt is given only once the file
// has a head with the record, and where the file cannot be written or says something else,
// nothing more is admitted.
type away struct {
	n    *Node
	path string // empty: there is none

	mu   sync.Mutex
	made bool   // the ledger was empty when it was opened: then the file may be missing
	last []byte // what this process last saw in the file
	kept int64  // size of the head in it
	err  error  // why the newest head is not in it
}

const awayWayOut = "the registry signs nothing without it. If its disk or machine is only not there, bring it back and start again. If the file is lost, and you are sure, by the copies of others, that the ledger here is the newest, copy checkpoint.lock from the node's folder to its place; to go on without it, take \"lock\" out of truceline.json"

// read gives what the file holds; an os.ErrNotExist where it is missing and may be.
func (a *away) read() ([]byte, error) {
	b, err := os.ReadFile(a.path)
	if errors.Is(err, os.ErrNotExist) && a.made && a.kept == 0 {
		return nil, os.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read the head that is kept on other hardware: %v; %s", err, awayWayOut)
	}
	return b, nil
}

// checkAway compares the ledger with the file, at the start.
func (n *Node) checkAway(ctx context.Context) error {
	a := &n.away
	a.n, a.path, a.made = n, n.Config.Lock, n.ledger.Head().Size == 0
	if a.path == "" {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	b, err := a.read()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.compare(ctx, b)
}

// compare holds what the file says against the ledger.
func (a *away) compare(ctx context.Context, b []byte) error {
	c, err := a.n.parseHead(b)
	if err != nil {
		return fmt.Errorf("%s is not a head that this log has signed: %w; %s", a.path, err, awayWayOut)
	}
	if c.Size > a.n.ledger.Head().Size {
		// Another process may have appended. A head beyond the file of the ledger is
		// another machine's, or one from before the ledger was put back.
		if err := a.n.ledger.Refresh(ctx); err != nil {
			return err
		}
	}
	if err := a.n.continues(ctx, c, a.path); err != nil {
		return err
	}
	a.last, a.kept = b, c.Size
	return nil
}

// keep writes the newest head to the file, unless it is there. After an error nothing may
// be acknowledged.
func (a *away) keep(ctx context.Context) error {
	if a.path == "" {
		return nil
	}
	head := a.n.ledger.Head()
	a.mu.Lock()
	defer a.mu.Unlock()
	if head.Size <= a.kept && a.err == nil {
		return nil
	}
	a.err = a.write(ctx)
	return a.err
}

// write brings the file up to the newest head, in turn with other processes.
func (a *away) write(ctx context.Context) error {
	turn, err := a.n.private.HoldSoon(local.AwayLock)
	if err != nil {
		return err
	}
	defer turn.Close()
	// A folder on which nothing is mounted any more would take a new file gladly.
	switch b, err := a.read(); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case !bytes.Equal(b, a.last):
		if err := a.compare(ctx, b); err != nil {
			return err
		}
	}
	head := a.n.ledger.Head()
	if head.Size <= a.kept {
		return nil
	}
	if err := local.WriteFile(a.path, head.Checkpoint, 0o644); err != nil {
		return fmt.Errorf("keep the signed head of %d records on other hardware: %w; %s", head.Size, err, awayWayOut)
	}
	a.last, a.kept = head.Checkpoint, head.Size
	return nil
}

// failed is why the newest head is not in the file; nil when it is.
func (a *away) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}
