// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"errors"
	"fmt"

	"truceline/internal/tables"
)

// Errors that callers tell apart. They come wrapped.
var (
	// ErrUnknownLog: the witness does not take checkpoints of this log.
	ErrUnknownLog = errors.New("this witness does not know the log")
	// ErrNone: the witness has not cosigned a checkpoint of this log.
	ErrNone = errors.New("this witness has not cosigned a checkpoint of the log")
	// ErrMalformed: it is no checkpoint, or the old size is beyond it.
	ErrMalformed = errors.New("the request is malformed")
	// ErrUnsigned: no key of the log has signed it, or a signature by one is bad.
	ErrUnsigned = errors.New("it is not rightly signed by the log")
	// ErrBadProof: the checkpoint is not proved to extend the one that is held.
	ErrBadProof = errors.New("it is not proved to extend the checkpoint that this witness holds")
	// ErrBusy: another process held the file for too long. Nothing was cosigned.
	ErrBusy = errors.New("another process is using the file")
)

// ConflictError: the old size is not the one held. The caller proves the way from Size, and
// asks again.
type ConflictError struct {
	Size int64 // held; 0 if there is none
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("this witness holds size %d; send the proof from there", e.Size)
}

// ForkError: the log has signed two roots for one size. The two notes together prove it to
// anybody who has the log's key. It is an [ErrBadProof].
type ForkError struct {
	Held      []byte // as this witness cosigned it
	Submitted []byte // with the log's signatures alone
}

func (e *ForkError) Error() string {
	return "the log has signed two different records of one size; keep both notes, they prove it"
}

func (e *ForkError) Unwrap() error { return ErrBadProof }

func wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case tables.Busy(err):
		return fmt.Errorf("%s: %w; try again: %w", what, ErrBusy, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
