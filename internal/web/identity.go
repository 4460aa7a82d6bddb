// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// Custody is what a Desk also is where identities of people are kept apart: it tells what
// became of them, and shows one to an officer who has filed that he reads it. Its methods are
// safe for concurrent use.
type Custody interface {
	// Identities lists those of an account, or all where it is zero, that the officer's
	// member is to know of. Nothing in them says who the person is.
	Identities(ctx context.Context, who node.Officer, account record.ID) ([]node.KeptIdentity, error)
	// ReadIdentity files the reading and gives the person once that is durable and logged.
	ReadIdentity(ctx context.Context, who node.Officer, v acts.Values) (*vault.Person, node.Done, error)
	// ShowIdentity gives the person that a filed reading reads, once.
	ShowIdentity(ctx context.Context, who node.Officer, read record.ID) (*vault.Person, error)
}

var _ Custody = (*node.Node)(nil)

// custody is nil where there is none, and for who is not signed in.
func (v *view) custody() Custody {
	if v.who == nil {
		return nil
	}
	c, _ := v.server.Desk.(Custody)
	return c
}

// identityRoutes are the pages of identities; the acts on them have theirs.
func (s *server) identityRoutes() {
	s.act("GET /identities", s.identities)
	s.act("POST /identities/show", s.identityShow)
}

// identityView is an identity with what the officer may do about it.
type identityView struct {
	node.KeptIdentity
	acts    []string             // on it: identity.ask, identity.read
	erase   bool                 // whether he may have it erased
	answers map[record.ID]bool   // requests that he may answer
	told    map[record.ID]string // claimants of accounts that this node may read
}

// identitiesOf are those of an account, or all, for the officer; none for anybody else.
func (s *server) identitiesOf(ctx context.Context, v *view, account record.ID) (out []identityView, err error) {
	c := v.custody()
	if c == nil {
		return nil, nil
	}
	list, err := c.Identities(ctx, v.acting(), account)
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		x := identityView{KeptIdentity: k, answers: map[record.ID]bool{}, told: map[record.ID]string{}}
		for _, name := range []string{"identity.ask", "identity.read"} {
			if v.mayDo(ctx, name, k.ID) {
				x.acts = append(x.acts, name)
			}
		}
		x.erase = v.mayDo(ctx, "body.erase", k.ID)
		for _, r := range k.Requests {
			x.answers[r.ID] = v.mayDo(ctx, "identity.release", r.ID)
		}
		for _, id := range append([]record.ID{k.Account}, k.Met...) {
			switch a, err := s.Source.Account(ctx, id); {
			case err == nil:
				x.told[id] = a.Body.Claimant.Name
			case !notFound(err):
				return nil, err
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// waiting is how many requests and readings wait for the officer.
func waiting(list []identityView) (n int) {
	for _, x := range list {
		for _, may := range x.answers {
			if may {
				n++
			}
		}
		for _, r := range x.Readings {
			if r.Waits && !x.Erased {
				n++
			}
		}
	}
	return n
}

func (s *server) identities(v *view, r *http.Request) error {
	list, err := s.identitiesOf(r.Context(), v, record.ID{})
	if err != nil {
		return err
	}
	v.private = true
	v.section, v.title = "desk", v.T("identity.title")
	v.body = identitiesBody(v, list)
	return nil
}

// doAct does the act of a form. A reading gives the form the person that is read.
func (s *server) doAct(ctx context.Context, v *view, f *form) (done node.Done, err error) {
	if c := v.custody(); c != nil && f.act.Name == "identity.read" {
		f.person, done, err = c.ReadIdentity(ctx, v.acting(), f.values)
	} else {
		done, err = s.Desk.Do(ctx, v.acting(), f.act, f.values)
	}
	return done, unreadable(err)
}

// unreadable says as a rule does why an identity cannot be read or released.
func unreadable(err error) error {
	for _, known := range []error{node.ErrNotReleased, node.ErrNoBody, node.ErrShown, node.ErrNotReading, vault.ErrNotForUs, vault.ErrPersonElsewhere, vault.ErrPersonSpoilt} {
		if errors.Is(err, known) {
			return &mechanism.Refusal{Code: mechanism.StateForbids, Reason: err.Error()}
		}
	}
	return err
}

// identityShow shows what a reading reads that waited for the registry.
func (s *server) identityShow(v *view, r *http.Request) error {
	c := v.custody()
	read, bad := record.ParseID(strings.TrimSpace(r.PostForm.Get("reading")))
	if c == nil || bad != nil {
		return fault{status: http.StatusNotFound, key: "error.no_subject"}
	}
	if err := v.confirm(r.Context(), "identity.read"); err != nil {
		return err
	}
	p, err := c.ShowIdentity(r.Context(), v.acting(), read)
	var denied *acts.Denied
	switch err = unreadable(err); {
	case errors.As(err, &denied):
		return fault{status: http.StatusForbidden, key: "error.role", args: []any{"roles", v.roleNames(denied.Roles)}, err: err}
	case refusalOf(err) != nil:
		return fault{status: http.StatusConflict, key: "identity.not_shown", err: err}
	case err != nil:
		return err
	}
	v.showPerson(p, read)
	return nil
}

// showPerson is the one page that says who somebody is. Nothing keeps it.
func (v *view) showPerson(p *vault.Person, read record.ID) {
	v.private = true
	v.title = v.T("identity.shown")
	v.body = personBody(v, p, read)
}
