// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"truceline/acts"
	"truceline/internal/local"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// Identities apart: who a person is that an account rests on. The node opens their records
// for nothing but the acts below. No table, search, export or log line has anything of them:
// see unbox.

// sources are the tokens of identities that members of this node have filed, by record. They
// are computed from the ledger and kept in memory alone.
type sources struct {
	mu     sync.Mutex
	tokens map[record.ID]record.ID
}

// sourceKeyName is what the secret behind a member's tokens is called in the folder of keys.
func sourceKeyName(code string) string { return "source-" + code }

// sourceSecret is that secret. One is drawn where there is none, and durable.
func (n *Node) sourceSecret(code string) (secret [32]byte, err error) {
	n.sources.mu.Lock()
	defer n.sources.mu.Unlock()
	text, err := n.private.Key(sourceKeyName(code))
	if errors.Is(err, os.ErrNotExist) {
		if _, err = io.ReadFull(n.opts.Rand, secret[:]); err == nil {
			err = n.private.SaveKey(sourceKeyName(code), hex.EncodeToString(secret[:]))
		}
	} else if err == nil {
		if b, bad := hex.DecodeString(text); bad == nil && len(b) == len(secret) {
			copy(secret[:], b)
		} else {
			err = errors.New("it is not what was written; restore it from a backup")
		}
	}
	if err != nil {
		return secret, fmt.Errorf("the secret by which sources of %s are met again: %w", code, err)
	}
	return secret, nil
}

func (n *Node) personContext(identity record.ID, member string) vault.PersonContext {
	return vault.PersonContext{Mission: n.Config.Mission, Identity: identity, Member: member}
}

// custody are the world's ways with identities for an officer of the member. They are called
// under View.
func (n *Node) custody(ctx context.Context, s *mechanism.State, w *acts.World) {
	member := w.Member
	if n.signers[member] == nil {
		return
	}
	w.Custody.Seal = func(identity record.ID, custodian, role string, p *vault.Person, second string) (*record.Identity, error) {
		recipient := s.Recipient(custodian)
		if custodian == member {
			own, err := n.identity(member, true)
			if err != nil {
				return nil, fmt.Errorf("file an identity: %w", err)
			}
			recipient = own.Recipient()
		}
		secret, err := n.sourceSecret(member)
		if err != nil {
			return nil, fmt.Errorf("file an identity: %w", err)
		}
		age, err := vault.SealPerson(n.personContext(identity, member), p, recipient)
		if err != nil {
			return nil, fmt.Errorf("file an identity: %w", err)
		}
		return &record.Identity{Age: age, Role: role, Token: vault.Token(secret, n.Config.Mission, p.Name, second)}, nil
	}
	w.Custody.HandOver = func(request record.ID) (string, error) {
		r, _ := s.IdentityRequest(request)
		x, _ := s.Identity(r.Identity)
		if x.Custodian != member {
			return "", fmt.Errorf("release an identity: %s does not keep it", member)
		}
		p, err := n.openIdentity(ctx, s, x, member)
		if err != nil {
			return "", fmt.Errorf("release an identity: %w", err)
		}
		return vault.SealPerson(n.personContext(x.ID, x.Member), p, s.Recipient(r.Member))
	}
}

// ErrNotReleased: an identity was asked for, and nothing that opens here was given.
var ErrNotReleased = errors.New("nothing was released to this member: the custodian has refused it, or not answered")

// openIdentity opens an identity for a member of this node: its custodian, or one to which
// it was released.
func (n *Node) openIdentity(ctx context.Context, s *mechanism.State, x mechanism.Identity, member string) (*vault.Person, error) {
	own, err := n.identities(member)
	if err == nil && len(own) == 0 {
		err = fmt.Errorf("the key of %s to which identities are encrypted is not on this node", member)
	}
	if err != nil {
		return nil, err
	}
	var age string
	if x.Custodian == member {
		b, err := n.apart(ctx, s, x.ID)
		if err != nil {
			return nil, err
		}
		age = b.body.(*record.Identity).Age
	} else {
		for _, id := range s.Answers(x.ID, member) {
			b, err := n.apart(ctx, s, id)
			if errors.Is(err, ErrNoBody) {
				continue // one before it may be here
			}
			if err != nil {
				return nil, err
			}
			if age = b.body.(*record.IdentityAnswer).Age; age != "" {
				break
			}
		}
		if age == "" {
			return nil, ErrNotReleased
		}
	}
	var p *vault.Person
	for _, key := range own { // it is encrypted to what was named when it was filed
		if p, err = vault.OpenPerson(n.personContext(x.ID, x.Member), age, key); !errors.Is(err, vault.ErrNotForUs) {
			break
		}
	}
	if errors.Is(err, vault.ErrNotForUs) {
		err = fmt.Errorf("identity %s: %w: who encrypted it took another key, or this node has lost one", x.ID, err)
	}
	return p, err
}

// ReadIdentity reads an identity for an officer: by the act identity.read with the values,
// which is filed, durable and in the ledger before anything is shown, and once. With a
// *Queued the reading waits for the registry: ShowIdentity shows it once it is in the ledger.
func (n *Node) ReadIdentity(ctx context.Context, who Officer, v acts.Values) (*vault.Person, Done, error) {
	if _, err := n.Plan(ctx, who, reading(), v); err != nil {
		return nil, Done{}, err
	}
	id, err := record.ParseID(v.Get("identity"))
	if err == nil {
		_, err = n.openFor(ctx, id, who.Member) // a reading that could show nothing is not filed
	}
	if err != nil {
		return nil, Done{}, fmt.Errorf("read an identity: %w", err)
	}
	done, err := n.Do(ctx, who, reading(), v)
	if err != nil {
		return nil, Done{}, err
	}
	p, err := n.ShowIdentity(ctx, who, done.First(record.IdentityRead))
	return p, done, err
}

func reading() *acts.Act {
	act, ok := acts.Find("identity.read")
	if !ok {
		panic("the catalogue has no identity.read")
	}
	return act
}

func (n *Node) openFor(ctx context.Context, identity record.ID, member string) (p *vault.Person, err error) {
	n.ledger.View(func(s *mechanism.State) {
		x, _ := s.Identity(identity)
		p, err = n.openIdentity(ctx, s, x, member)
	})
	return p, err
}

// Errors of readings, which callers tell apart.
var (
	ErrShown      = errors.New("what was read with this record was shown already: read it again, with a reason of its own")
	ErrNotReading = errors.New("it is no reading of an identity that this officer has filed and that is in the ledger of this node")
)

// ShowIdentity shows an officer what he reads with an identity.read of his that is in the
// ledger. It does so once, whatever becomes of the answer.
func (n *Node) ShowIdentity(ctx context.Context, who Officer, read record.ID) (*vault.Person, error) {
	fail := func(err error) (*vault.Person, error) { return nil, fmt.Errorf("show an identity: %w", err) }
	if act := reading(); !act.Allows(who.Roles) {
		return fail(&acts.Denied{Act: act.Name, Roles: act.Roles})
	}
	var identity record.ID
	var index int64
	var there bool
	n.ledger.View(func(s *mechanism.State) {
		identity, there = s.IdentityRead(read)
		index, _ = s.IndexOf(read)
	})
	if !there {
		return fail(ErrNotReading)
	}
	switch r, err := n.apartAt(ctx, index); {
	case err != nil:
		return fail(err)
	case r.st.Member != who.Member || r.st.Officer != who.ID:
		return fail(ErrNotReading)
	}
	p, err := n.openFor(ctx, identity, who.Member)
	if err != nil {
		return fail(err)
	}
	if err := n.markShown(read); err != nil {
		return fail(err)
	}
	return p, nil
}

func (n *Node) shownPath(read record.ID) string {
	return n.private.Path(filepath.Join(shownFolder, read.String()))
}

// shownFolder has an empty file for every reading that was shown.
const shownFolder = "shown"

func (n *Node) shown(read record.ID) bool {
	_, err := os.Stat(n.shownPath(read))
	return err == nil
}

// markShown notes, durably, that a reading was shown. The error is ErrShown where it was.
func (n *Node) markShown(read record.ID) error {
	path := n.shownPath(read)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return ErrShown
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), local.SyncDir(filepath.Dir(path)))
}

// apartRecord is a record about an identity, out of its box.
type apartRecord struct {
	st       *record.Statement
	body     record.Body
	loggedAt int64
}

// ErrNoBody: a body is not here, was erased, or does not open here.
var ErrNoBody = errors.New("its content is not here, was erased, or is for others")

// apart opens a record about an identity.
func (n *Node) apart(ctx context.Context, s *mechanism.State, id record.ID) (apartRecord, error) {
	index, ok := s.IndexOf(id)
	if !ok {
		return apartRecord{}, fmt.Errorf("read record %s: there is none", id)
	}
	r, err := n.apartAt(ctx, index)
	if err == nil && r.body == nil {
		err = fmt.Errorf("read record %s: %w", id, ErrNoBody)
	}
	return r, err
}

// apartAt opens the record about an identity at an index; without a body where that is not
// here, or for others.
func (n *Node) apartAt(ctx context.Context, index int64) (out apartRecord, err error) {
	for e, err := range n.store.Entries(ctx, index, index+1) {
		if err != nil {
			return out, fmt.Errorf("read entry %d: %w", index, err)
		}
		st := statementIn(&record.Line{Envelope: e.Envelope})
		if st == nil || !st.Kind.Apart() {
			return out, fmt.Errorf("read entry %d: it is no record about an identity", index)
		}
		out.st, out.loggedAt = st, e.LoggedAt
		if e.Body == nil || e.BodySalt != (ledger.Salt{}) {
			return out, nil
		}
		box, err := record.ParseBox(e.Body)
		if err != nil {
			return out, nil
		}
		body, _, err := n.openBox(ctx, st, box)
		if err != nil {
			return out, nil // for others; or spoilt, which its kind's page says of every record
		}
		if parsed, err := record.ParseBody(st.Kind, body); err == nil {
			out.body = parsed
		}
		return out, nil
	}
	return out, fmt.Errorf("read entry %d: it is not in the ledger", index)
}
