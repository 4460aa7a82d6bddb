// SPDX-License-Identifier: Apache-2.0

package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Names of what one process of a folder does for all of them. The files are empty; who
// holds a lock on one does it, and the lock ends with the process, however it ends.
const (
	LineLock  = "line.lock"  // of a member: who talks to the registry
	ReadyLock = "ready.lock" // of a registry: who knows that its ledger is the newest
	WriteLock = "write.lock" // who changes a small file that several processes change
	AwayLock  = "away.lock"  // of a registry: who writes the head that is kept elsewhere
)

// Hold takes what a name stands for until the file returned is closed, or the process
// ends. The error is an ErrInUse while another has it. A look by Held may get in the way
// for a moment: who finds it in use tries again.
func (s *Store) Hold(name string) (*os.File, error) {
	return s.lock(name, syscall.LOCK_EX|syscall.LOCK_NB)
}

// HoldSoon is Hold that waits for its turn. It is for what others keep for a moment only.
func (s *Store) HoldSoon(name string) (*os.File, error) {
	return s.lock(name, syscall.LOCK_EX)
}

// Held tells whether a process holds what the name stands for.
func (s *Store) Held(name string) (bool, error) {
	f, err := s.lock(name, syscall.LOCK_SH|syscall.LOCK_NB)
	switch {
	case errors.Is(err, ErrInUse):
		return true, nil
	case err != nil:
		return false, err
	}
	return false, f.Close()
}

func (s *Store) lock(name string, how int) (*os.File, error) {
	f, err := os.OpenFile(s.Path(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("use the folder %s: %w", s.dir, err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	f.Close()
	if err == syscall.EWOULDBLOCK {
		return nil, fmt.Errorf("hold %s: %w", s.Path(name), ErrInUse)
	}
	return nil, fmt.Errorf("hold %s: %w; the folder must be on a disk of this machine", s.Path(name), err)
}
