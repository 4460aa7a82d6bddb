// SPDX-License-Identifier: Apache-2.0

package office

import "errors"

// Errors that callers tell apart. They come wrapped.
var (
	// ErrNotFound: there is no such thing, or it is another officer's.
	ErrNotFound error = notFound{}
	// ErrUsed: the invitation was used before.
	ErrUsed = errors.New("the invitation was used before")
	// ErrExpired: the invitation, or the sign-in, has lapsed.
	ErrExpired = errors.New("it has expired")
	// ErrVoid: a newer invitation took this one's place, or the officer has left.
	ErrVoid = errors.New("the invitation is void")
	// ErrEnded: the sign-in was ended.
	ErrEnded = errors.New("the sign-in has ended")
	// ErrLeft: the officer has left.
	ErrLeft = errors.New("the officer has left")
	// ErrExists: there is one already.
	ErrExists = errors.New("there is one already")
	// ErrLimit: it is larger, or there are more, than the limits allow.
	ErrLimit = errors.New("over the limit")
	// ErrBusy: another process holds the file; what was asked for is not complete.
	ErrBusy = errors.New("another process is using the file")
)

type notFound struct{}

func (notFound) Error() string { return "not found" }

// NotFound lets pages tell this error from others without knowing this package.
func (notFound) NotFound() bool { return true }
