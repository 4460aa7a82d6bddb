// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"truceline/internal/local"
	"truceline/internal/outbox"
	"truceline/mechanism"
	"truceline/record"
)

// Several processes may have a member's folder open: a server, and commands beside it. One
// of them talks to the registry, so that what was seen last is in one head alone. The
// others put what they file into the box, where it finds it.

// talks makes this process the one of its folder that talks, unless another is, and tells
// whether it is. Where the caller says when to talk, the caller sees to that, too.
func (m *member) talks(ctx context.Context) bool {
	if m.link == nil || m.n.opts.Manual && !m.entering.Load() {
		return m.link != nil
	}
	m.talking.Lock()
	defer m.talking.Unlock()
	if m.talk != nil {
		return true
	}
	f, err := m.n.private.Hold(local.LineLock)
	if err == nil {
		// What the process before has seen comes first.
		if err = m.reload(ctx); err == nil {
			m.talk = f
			return true
		}
		f.Close()
	}
	if !errors.Is(err, local.ErrInUse) && ctx.Err() == nil {
		m.n.opts.Log.Error("the line to the registry cannot be taken", "err", err)
	}
	return false
}

// reload reads what another process of this folder has seen.
func (m *member) reload(ctx context.Context) error {
	newest, err := m.readNote(local.CheckpointFile)
	if err != nil {
		return err
	}
	if err := m.n.ledger.Refresh(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	m.newest = newest
	m.mu.Unlock()
	return m.loadHeld(ctx)
}

// enter makes this process the one that talks while its node enters, also where the caller
// else says when.
func (m *member) enter(ctx context.Context) (end func(), err error) {
	m.entering.Store(true)
	end = func() { m.entering.Store(false) }
	for try := 0; !m.talks(ctx); try++ {
		if try == 40 { // a second: a look of another may be in the way
			end()
			return nil, fmt.Errorf("%w by a server that talks to the registry: stop it first", local.ErrInUse)
		}
		select {
		case <-ctx.Done():
			end()
			return nil, ctx.Err()
		case <-time.After(lookAgain):
		}
	}
	return end, nil
}

func (m *member) hushed() {
	m.talking.Lock()
	defer m.talking.Unlock()
	if m.talk != nil {
		m.talk.Close() // nothing was written
		m.talk = nil
	}
}

// heed goes along with the process that talks, until this one is to.
func (m *member) heed(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !m.talks(ctx) {
		if err := m.loadHeld(ctx); err != nil && ctx.Err() == nil {
			m.n.opts.Log.Warn("the head that this copy holds", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lookAgain is how long to wait before looking again what another process has done.
const lookAgain = 25 * time.Millisecond

// aMoment is how long a process that talks may take to begin with what another put into
// the box, where the line is well.
const aMoment = 2 * time.Second

// deliver brings an act of the box to the registry, by this process or the one that talks,
// and gives it as it stands when there is an answer or ctx ends; why is what the line said
// if it waits on.
func (m *member) deliver(ctx context.Context, id record.ID) (act outbox.Act, why, err error) {
	cut := time.After(aMoment)
	for {
		mine := m.talks(ctx)
		if mine {
			if why = m.send(ctx); why != nil && !unreached(why) && ctx.Err() == nil {
				m.n.opts.Log.Error("what waits cannot be sent", "err", why)
			}
		}
		if act, _, err = m.box.Find(context.WithoutCancel(ctx), id); err != nil || !act.State.Waiting() {
			return act, nil, err
		}
		if act.LastError != "" {
			return act, errors.New(act.LastError), nil
		}
		if mine {
			return act, why, nil
		}
		select {
		case <-ctx.Done():
			return act, ctx.Err(), nil
		case <-cut:
			// The other may be waiting a while before it tries again.
			if _, why := m.n.Line(); why != nil {
				return act, why, nil
			}
		case <-time.After(lookAgain):
		}
	}
}

// arrive waits until this copy has a record that the registry has. The error is of no
// weight: the record is filed.
func (m *member) arrive(ctx context.Context, id record.ID) error {
	if m.talks(ctx) {
		return m.follow(ctx)
	}
	for {
		if err := m.n.ledger.Refresh(ctx); err != nil {
			return err
		}
		here := false
		m.n.ledger.View(func(s *mechanism.State) { _, here = s.IndexOf(id) })
		if here {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// lineState is what the process that talks lets others know.
type lineState struct {
	Contact int64  `json:"contact,omitempty"` // when the registry last answered, Unix milliseconds
	Error   string `json:"error,omitempty"`   // why it did not since
}

// tellEvery is how often that is written while nothing changes.
const tellEvery = 10 * time.Second

// tellLine writes it for those beside this process.
func (m *member) tellLine() {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := lineState{}
	if !m.contact.IsZero() {
		s.Contact = m.contact.UnixMilli()
	}
	if m.lineErr != nil {
		s.Error = m.lineErr.Error()
	}
	if s.Error == m.line.Error && s.Contact-m.line.Contact < tellEvery.Milliseconds() && s.Contact >= m.line.Contact {
		return
	}
	b, err := json.Marshal(s)
	if err == nil {
		err = local.WriteFile(m.n.private.Path(local.LineFile), append(b, '\n'), 0o600)
	}
	if err != nil {
		m.n.opts.Log.Warn("how the line is cannot be told to other processes", "err", err)
		return
	}
	m.line = s
}

// readLine reads what the process that talks has told.
func readLine(priv *local.Store) (contact time.Time, why error, err error) {
	b, err := os.ReadFile(priv.Path(local.LineFile))
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}, nil, nil
	}
	var s lineState
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("read how the line is: %w; remove %s, it is written again", err, local.LineFile)
	}
	if s.Contact != 0 {
		contact = time.UnixMilli(s.Contact)
	}
	if s.Error != "" {
		why = errors.New(s.Error)
	}
	return contact, why, nil
}
