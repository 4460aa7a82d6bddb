// SPDX-License-Identifier: Apache-2.0

package cosigned

import "errors"

// Errors that callers tell apart. They come wrapped.
var (
	// ErrOtherLog: the checkpoint is of another log than the heads in the store.
	ErrOtherLog = errors.New("the checkpoint is of another log")
	// ErrUnsigned: the log's signature is not there.
	ErrUnsigned = errors.New("the log has not signed it")
	// ErrTooMany: the head would have more cosignatures than a checkpoint can carry.
	ErrTooMany = errors.New("the head has as many cosignatures as a checkpoint can carry")
	// ErrDamaged: the file holds what no program of this kind has written.
	ErrDamaged = errors.New("the file is damaged; restore it from a backup, or remove it so that what others hold is learnt again")
	// ErrBusy: another process holds the file; nothing was written.
	ErrBusy = errors.New("another process is using the file")
	// ErrFull: there is no room on the disk; nothing was written.
	ErrFull = errors.New("the disk is full")
)
