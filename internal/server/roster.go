// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"

	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/record"
)

// Roster files what becomes of a node's officers, and knows where they sign in.
type Roster struct {
	Node *node.Node
	// BaseURL is where people reach the pages, without a slash at the end.
	BaseURL string
}

// Invite enrols a new officer and gives the link to sign in with, which is shown once.
// by is the officer who invites; zero for whoever runs the node. With a *node.Queued the
// officer can sign in, and the enrolment waits to go out before all that they file.
func (r Roster) Invite(ctx context.Context, by record.ID, member, name string, roles []string) (officer record.ID, link string, err error) {
	id, err := r.Node.Enrol(ctx, by, member, name, roles)
	if err != nil && !errors.As(err, new(*node.Queued)) {
		return record.ID{}, "", err
	}
	link, bad := r.Link(ctx, by, id, office.InviteOptions{})
	if bad != nil {
		return id, "", errors.Join(bad, err)
	}
	return id, link, err
}

// Link makes an officer a new link to sign in with; the earlier ones are void.
func (r Roster) Link(ctx context.Context, by, officer record.ID, o office.InviteOptions) (string, error) {
	token, err := r.Node.Invite(ctx, by, officer, o)
	if err != nil {
		return "", err
	}
	return r.BaseURL + "/signin/" + token, nil
}

// Leave ends what an officer may do, and every sign-in.
func (r Roster) Leave(ctx context.Context, _, officer record.ID) error {
	return r.Node.Office.Leave(ctx, officer)
}

// EraseName destroys the officer's name; what the officer filed stays under the opaque id.
func (r Roster) EraseName(ctx context.Context, _, officer record.ID) error {
	return r.Node.Office.EraseName(ctx, officer)
}
