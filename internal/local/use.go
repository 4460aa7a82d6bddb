// SPDX-License-Identifier: Apache-2.0

package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse: another process uses the folder in a way that does not go with this one.
var ErrInUse = errors.New("the folder is in use")

// Use marks the folder as used until the file returned is closed, or the process
// ends. Any number may use it together; alone is for the one that replaces files
// which the others have open.
func (s *Store) Use(alone bool) (*os.File, error) {
	how, next := syscall.LOCK_SH, "truceline rebuild is at work in it: try again when it is done"
	if alone {
		how, next = syscall.LOCK_EX, "stop the server first, and wait until other commands on the folder are done"
	}
	f, err := s.lock(useFile, how|syscall.LOCK_NB)
	if errors.Is(err, ErrInUse) {
		err = fmt.Errorf("use the folder %s: %w: %s", s.dir, ErrInUse, next)
	}
	return f, err
}
