// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"

	"truceline/internal/office"
	"truceline/record"
)

// Office is the node's private book of officers. Every method is safe for concurrent
// use, and what it has written is durable when it returns. What is not there, or is
// another officer's, gives an error whose NotFound method says so.
type Office interface {
	SignInBook
	DraftBook
	ListBook
	LaterBook
}

// SignInBook holds officers, invitations and sign-ins.
type SignInBook interface {
	// SignIn finds what a cookie's token stands for, and notes that it was used. It gives
	// an error that is office.ErrEnded or office.ErrExpired for one that is over.
	SignIn(ctx context.Context, token string) (office.SignIn, office.Officer, error)
	// Invitation looks at an invitation without using it. Its error is office.ErrUsed,
	// ErrExpired or ErrVoid for one that is over.
	Invitation(ctx context.Context, token string) (office.Invitation, office.Officer, error)
	// Accept uses an invitation, once, and begins a sign-in. Its errors are those of Invitation.
	Accept(ctx context.Context, token, agent string) (cookie string, s office.SignIn, err error)
	// SignIns lists an officer's sign-ins, newest first, those that ended lately included.
	SignIns(ctx context.Context, officer record.ID) ([]office.SignIn, error)
	// Invite makes a new link for an officer and voids the earlier ones.
	Invite(ctx context.Context, id, by record.ID, o office.InviteOptions) (token string, inv office.Invitation, err error)
	End(ctx context.Context, id record.ID, by office.By) error
	EndAll(ctx context.Context, officer record.ID, by office.By) (int, error)
	Officer(ctx context.Context, id record.ID) (office.Officer, error)
	// Officers lists a member's officers, those who left last; of every member for "".
	Officers(ctx context.Context, member string) ([]office.Officer, error)
}

// DraftBook holds forms that are not filed yet, each its officer's alone.
type DraftBook interface {
	// SaveDraft keeps d, under a new id where it has none, and gives it as kept.
	SaveDraft(ctx context.Context, d office.Draft) (office.Draft, error)
	Draft(ctx context.Context, officer, id record.ID) (office.Draft, error)
	// Drafts lists them without their values, the one changed last first.
	Drafts(ctx context.Context, officer record.ID) ([]office.Draft, error)
	DeleteDraft(ctx context.Context, officer, id record.ID) error
}

// ListBook holds saved searches, each its officer's alone.
type ListBook interface {
	// SaveList keeps l; one of the same name is replaced.
	SaveList(ctx context.Context, l office.List) (office.List, error)
	Lists(ctx context.Context, officer record.ID) ([]office.List, error) // by name
	DeleteList(ctx context.Context, officer, id record.ID) error
}

// LaterBook holds which accounts a member's officers have put off.
type LaterBook interface {
	Postpone(ctx context.Context, l office.Later) error // replaces an earlier one
	TakeUp(ctx context.Context, member string, account record.ID) error
	// Postponed lists a member's, those whose time has come included.
	Postponed(ctx context.Context, member string) ([]office.Later, error)
}

// Roster files what becomes of officers, for the member whose administrator asks, and
// writes it in the book. What a call has filed is durable when it returns.
type Roster interface {
	// Invite enrols a new officer of the member, with a name that only this node holds,
	// and gives the link to sign in with, which is shown once. With a *node.Queued the
	// officer is in the book and has a link, and the enrolment waits in the outbox.
	Invite(ctx context.Context, by record.ID, member, name string, roles []string) (officer record.ID, link string, err error)
	// Leave ends what an officer may do, and every sign-in.
	Leave(ctx context.Context, by, officer record.ID) error
	// EraseName destroys the officer's name; what the officer filed stays.
	EraseName(ctx context.Context, by, officer record.ID) error
}

var _ Office = (*office.DB)(nil)
