// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"truceline/internal/local"
	"truceline/mechanism"
	"truceline/record"
)

// Invitation is the file with which an organisation joins a mission from a node of its
// own. It holds a secret that works once.
type Invitation struct {
	Checkpoint  string    `json:"checkpoint,omitempty"` // the newest signed head when it was made
	Expires     int64     `json:"expires"`              // Unix milliseconds
	Invitation  int       `json:"truceline_invitation"` // 1
	LogKey      string    `json:"log_key"`
	Member      string    `json:"member"`
	Mission     record.ID `json:"mission"`
	Origin      string    `json:"origin"`
	Registry    string    `json:"registry"`
	RegistryURL string    `json:"registry_url"`
	Token       string    `json:"token"`
}

// Reply is what the invited organisation answers: its public keys, and the secret of the
// invitation.
type Reply struct {
	Keys    []record.Key `json:"keys"`
	Member  string       `json:"member"`
	Mission record.ID    `json:"mission"`
	Origin  string       `json:"origin"`
	Reply   int          `json:"truceline_reply"` // 1
	Token   string       `json:"token"`
}

// invited is an invitation as the registry's node keeps it: without its secret.
type invited struct {
	Expires int64  `json:"expires"`
	Member  string `json:"member"`
	Token   string `json:"token_sha256"`
	Used    bool   `json:"used,omitempty"`
}

const invitationFile = "invitations.json"

// InvitationLife is how long an invitation is good.
const InvitationLife = 14 * 24 * time.Hour

func (n *Node) invitations() (list []invited, err error) {
	b, err := os.ReadFile(n.private.Path(invitationFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("read the invitations: %w; restore %s from a backup", err, invitationFile)
	}
	return list, nil
}

func (n *Node) saveInvitations(list []invited) error {
	b, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return err
	}
	return local.WriteFile(n.private.Path(invitationFile), append(b, '\n'), 0o600)
}

// InviteMember makes an invitation for a member that the agreement names and that is not
// on the roster. The member's earlier invitations are void.
func (n *Node) InviteMember(code, registryURL string) (*Invitation, error) {
	fail := func(err error) (*Invitation, error) { return nil, fmt.Errorf("invite %s: %w", code, err) }
	if n.Registry == nil {
		return fail(errors.New("only the registry's node invites members"))
	}
	if err := n.mayJoin(code); err != nil {
		return fail(err)
	}
	var token [32]byte
	if _, err := io.ReadFull(n.opts.Rand, token[:]); err != nil {
		return fail(err)
	}
	turn, err := n.private.HoldSoon(local.WriteLock) // a command may invite beside the server
	if err != nil {
		return fail(err)
	}
	defer turn.Close()
	list, err := n.invitations()
	if err != nil {
		return fail(err)
	}
	expires := n.opts.Now().Add(InvitationLife).UnixMilli()
	sum := sha256.Sum256(token[:])
	list = slices.DeleteFunc(list, func(i invited) bool { return i.Member == code && !i.Used })
	list = append(list, invited{Expires: expires, Member: code, Token: hex.EncodeToString(sum[:])})
	if err := n.saveInvitations(list); err != nil {
		return fail(err)
	}
	return &Invitation{
		Checkpoint: string(n.Head().Checkpoint), Expires: expires, Invitation: 1, LogKey: n.Config.LogKey, Member: code, Mission: n.Config.Mission,
		Origin: n.Config.Origin, Registry: n.Config.Registry, RegistryURL: registryURL, Token: hex.EncodeToString(token[:]),
	}, nil
}

// mayJoin tells whether the agreement names the member and it is not on the roster.
func (n *Node) mayJoin(code string) (err error) {
	n.ledger.View(func(s *mechanism.State) {
		pack := s.Pack()
		if pack == nil {
			err = errors.New("no agreement is adopted yet")
			return
		}
		at := -1
		for i, m := range pack.Members {
			if m.Code == code {
				at = i
			}
		}
		m, on := s.Member(code)
		switch {
		case at < 0:
			err = errors.New("the agreement names no such member: adopt a version that does first")
		case pack.Members[at].Former:
			err = errors.New("the agreement calls it a former member")
		case pack.Members[at].Role == record.RegistryRole:
			err = errors.New("it is the registry, whose node this is")
		case on && !m.Left:
			err = errors.New("it is on the roster already; a member that has lost its keys goes on with its recovery key: truceline recover")
		}
	})
	return err
}

// Accept admits a member that answers an invitation. Answering again with the same keys
// changes nothing.
func (n *Node) Accept(ctx context.Context, reply []byte) error {
	var r Reply
	fail := func(err error) error { return fmt.Errorf("admit %.80q: %w", r.Member, err) }
	if err := strictJSON(reply, &r); err != nil {
		return fail(fmt.Errorf("the reply is malformed: %w", err))
	}
	if r.Reply != 1 || r.Mission != n.Config.Mission || r.Origin != n.Config.Origin || len(r.Keys) == 0 {
		return fail(errors.New("it answers an invitation of another mission, or of a later version"))
	}
	if n.Registry == nil {
		return fail(errors.New("only the registry's node admits members"))
	}
	token, err := hex.DecodeString(r.Token)
	if err != nil {
		return fail(errors.New("the token is malformed"))
	}
	sum := sha256.Sum256(token)
	turn, err := n.private.HoldSoon(local.WriteLock) // a command may invite beside the server
	if err != nil {
		return fail(err)
	}
	defer turn.Close()
	list, err := n.invitations()
	if err != nil {
		return fail(err)
	}
	at := slices.IndexFunc(list, func(i invited) bool { return i.Token == hex.EncodeToString(sum[:]) && i.Member == r.Member })
	switch {
	case at < 0:
		return fail(errors.New("this node has made no such invitation, or a later one has taken its place"))
	case list[at].Used:
		if n.holdsKeys(r.Member, r.Keys) {
			return nil // a retry
		}
		return fail(errors.New("the invitation was used already: ask for a new one"))
	case n.opts.Now().UnixMilli() > list[at].Expires:
		return fail(errors.New("the invitation is too old: ask for a new one"))
	}
	if n.holdsKeys(r.Member, r.Keys) {
		return n.use(list, at) // admitted before a crash
	}
	if err := n.mayJoin(r.Member); err != nil {
		return fail(err)
	}
	pack := n.Pack()
	for _, m := range pack.Members {
		if m.Code != r.Member {
			continue
		}
		d := Draft{Kind: record.MemberAdmitted, Member: n.Config.Registry, Body: &record.Admission{Code: m.Code, Keys: r.Keys, Name: m.Name.In("en"), Role: m.Role}}
		if _, err := n.File(ctx, d); err != nil {
			return fail(err)
		}
	}
	return n.use(list, at)
}

func (n *Node) use(list []invited, at int) error {
	list[at].Used = true
	return n.saveInvitations(list)
}

// holdsKeys tells whether all of the keys are the member's and valid.
func (n *Node) holdsKeys(member string, keys []record.Key) (all bool) {
	n.ledger.View(func(s *mechanism.State) {
		all = true
		for _, k := range keys {
			owner, _, until, ok := s.KeyOf(k.ID())
			all = all && ok && owner == member && until < 0
		}
	})
	return all
}
