// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"

	"truceline/mechanism"
	"truceline/record"
)

// KeptIdentity is what an officer of a member that knows of an identity is shown of it.
// Nothing in it says who the person is.
type KeptIdentity struct {
	mechanism.Identity
	FiledAt  int64  // logged time, Unix milliseconds
	Role     string // one of record.IdentityRoles; empty where the member does not learn it
	Requests []KeptRequest
	Readings []KeptReading
	// Met are the other accounts of the member that the same source told, the newest first.
	// Only who filed the identity has any.
	Met []record.ID
}

// What became of a request for an identity.
const (
	RequestOpen     = "open"
	RequestReleased = "released"
	RequestRefused  = "refused"
	RequestAnswered = "answered" // how is not to be known here
)

// KeptRequest is a request for an identity, and the answer.
type KeptRequest struct {
	mechanism.IdentityRequest
	Officer    record.ID
	AskedAt    int64
	Reason     string // empty where the member does not learn it, as Refused
	State      string
	AnsweredAt int64
	Refused    string // why
}

// KeptReading is one reading of an identity.
type KeptReading struct {
	ID      record.ID
	Member  string
	Officer record.ID
	ReadAt  int64
	Reason  string
	Waits   bool // it is the officer's own, and was not shown yet
}

// maxKept is how many identities are listed at once.
const maxKept = 200

// Identities lists the identities of an account, or of all accounts where it is zero, that
// the officer's member is to know of: the newest first, at most 200.
func (n *Node) Identities(ctx context.Context, who Officer, account record.ID) ([]KeptIdentity, error) {
	var out []KeptIdentity
	indexes := map[record.ID]int64{}
	n.ledger.View(func(s *mechanism.State) {
		of := func(a record.ID, _, _ string) bool { return account.IsZero() || a == account }
		for _, id := range s.Identities(of) {
			if !s.Knows(id, who.Member) || len(out) == maxKept {
				continue
			}
			x, _ := s.Identity(id)
			k := KeptIdentity{Identity: x}
			note := func(id record.ID) { indexes[id], _ = s.IndexOf(id) }
			note(id)
			for _, r := range x.Requests {
				k.Requests = append(k.Requests, KeptRequest{IdentityRequest: r, State: RequestOpen})
				note(r.ID)
				if !r.Answer.IsZero() {
					note(r.Answer)
				}
			}
			for _, id := range x.Readings {
				k.Readings = append(k.Readings, KeptReading{ID: id})
				note(id)
			}
			out = append(out, k)
		}
	})
	for i := range out {
		if err := n.fill(ctx, who, &out[i], indexes); err != nil {
			return nil, err
		}
	}
	return out, n.meetAgain(ctx, who.Member, out)
}

// fill adds what stands in the records.
func (n *Node) fill(ctx context.Context, who Officer, k *KeptIdentity, indexes map[record.ID]int64) error {
	read := func(id record.ID) (apartRecord, error) { return n.apartAt(ctx, indexes[id]) }
	r, err := read(k.ID)
	if err != nil {
		return err
	}
	k.FiledAt = r.loggedAt
	if b, ok := r.body.(*record.Identity); ok && !k.Erased {
		k.Role = b.Role
	}
	for i := range k.Requests {
		q := &k.Requests[i]
		if r, err = read(q.ID); err != nil {
			return err
		}
		q.Officer, q.AskedAt, q.Reason = r.st.Officer, r.loggedAt, reasonIn(r.body)
		if q.Answer.IsZero() {
			continue
		}
		if r, err = read(q.Answer); err != nil {
			return err
		}
		q.AnsweredAt, q.State = r.loggedAt, RequestAnswered
		if b, ok := r.body.(*record.IdentityAnswer); ok {
			if q.State, q.Refused = RequestReleased, b.Refused; b.Refused != "" {
				q.State = RequestRefused
			}
		}
	}
	for i := range k.Readings {
		x := &k.Readings[i]
		if r, err = read(x.ID); err != nil {
			return err
		}
		x.Member, x.Officer, x.ReadAt, x.Reason = r.st.Member, r.st.Officer, r.loggedAt, reasonIn(r.body)
		x.Waits = x.Member == who.Member && x.Officer == who.ID && !n.shown(x.ID)
	}
	return nil
}

func reasonIn(b record.Body) string {
	if r, ok := b.(*record.Reason); ok {
		return r.Reason
	}
	return ""
}

// meetAgain finds the other accounts in which the member's node met the sources of list.
func (n *Node) meetAgain(ctx context.Context, member string, list []KeptIdentity) error {
	if n.signers[member] == nil {
		return nil
	}
	type filed struct {
		id, account record.ID
		index       int64
	}
	var own []filed
	n.ledger.View(func(s *mechanism.State) {
		for _, id := range s.Identities(func(_ record.ID, by, _ string) bool { return by == member }) {
			if x, _ := s.Identity(id); !x.Erased {
				index, _ := s.IndexOf(id)
				own = append(own, filed{id, x.Account, index})
			}
		}
	})
	accounts := map[record.ID][]record.ID{} // by token
	tokens := map[record.ID]record.ID{}
	for _, x := range own {
		token, err := n.token(ctx, x.id, x.index)
		if err != nil {
			return err
		}
		if tokens[x.id] = token; !token.IsZero() {
			accounts[token] = append(accounts[token], x.account)
		}
	}
	for i := range list {
		k := &list[i]
		seen := map[record.ID]bool{k.Account: true}
		for _, a := range accounts[tokens[k.ID]] {
			if !seen[a] {
				seen[a], k.Met = true, append(k.Met, a)
			}
		}
	}
	return nil
}

// token is that of an identity which a member of this node filed; zero where its record does
// not open here.
func (n *Node) token(ctx context.Context, id record.ID, index int64) (record.ID, error) {
	n.sources.mu.Lock()
	token, ok := n.sources.tokens[id]
	n.sources.mu.Unlock()
	if ok {
		return token, nil
	}
	r, err := n.apartAt(ctx, index)
	if err != nil {
		return token, err
	}
	b, ok := r.body.(*record.Identity)
	if !ok {
		return token, nil
	}
	n.sources.mu.Lock()
	defer n.sources.mu.Unlock()
	if n.sources.tokens == nil {
		n.sources.tokens = map[record.ID]record.ID{}
	}
	n.sources.tokens[id] = b.Token
	return b.Token, nil
}
