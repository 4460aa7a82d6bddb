// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"truceline/cosign"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/local"
	"truceline/internal/outbox"
	"truceline/internal/witness"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// Joining says how a member's node is made.
type Joining struct {
	Invitation *Invitation
	// URL is where others reach the new node, without a slash at the end; empty: not at all.
	URL string
	// Recovery gets the secret half of the key with which the member goes on when it has
	// lost the node's own. It is kept nowhere here.
	Recovery io.Writer
	Options  Options // Dial may be nil: then the reply travels as a file
}

// ReadInvitation reads an invitation file.
func ReadInvitation(b []byte) (*Invitation, error) {
	inv := new(Invitation)
	err := strictJSON(b, inv)
	switch {
	case err != nil:
	case inv.Invitation != 1:
		err = fmt.Errorf("it is of version %d, this program knows 1: update truceline", inv.Invitation)
	case !record.ValidCode(inv.Member) || !record.ValidOrigin(inv.Origin) || inv.Mission.IsZero() || inv.Token == "":
		err = errors.New("member, origin, mission or token are missing")
	default:
		_, err = ledger.NewVerifier(inv.LogKey)
	}
	if err != nil {
		return nil, fmt.Errorf("read the invitation: %w", err)
	}
	return inv, nil
}

func strictJSON(b []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the end")
	}
	return nil
}

// PrepareMember makes the folder of a member's node, with new keys, and the reply to the
// invitation. Nothing was said to anybody yet. Either the whole folder is there afterwards
// or nothing.
func PrepareMember(ctx context.Context, dir string, j Joining) (reply []byte, err error) {
	inv := j.Invitation
	fail := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("make a node of %s in %s: %w", inv.Member, dir, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fail(err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fail(errors.New("the folder is not empty; choose another"))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fail(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(tmp) // gone once renamed
	rand := j.Options.Rand
	key, err := memberKeys(local.New(tmp), inv.Origin, inv.Member, rand)
	if err != nil {
		return fail(err)
	}
	keys := []record.Key{key}
	if j.Recovery != nil {
		seed := make([]byte, 32)
		if _, err := io.ReadFull(rand, seed); err != nil {
			return fail(err)
		}
		signer, err := record.NewSigner(seed)
		if err != nil {
			return fail(err)
		}
		if _, err := fmt.Fprintf(j.Recovery, "TRUCELINE RECOVERY KEY of %s, mission %s, %s\n%s\n", inv.Member, inv.Mission, inv.Origin, base64.StdEncoding.EncodeToString(seed)); err != nil {
			return fail(fmt.Errorf("write the recovery key: %w", err))
		}
		keys = append(keys, signer.Key())
	}
	if err := newFolder(ctx, tmp, inv, j.URL, j.Options.Now, rand); err != nil {
		return fail(err)
	}
	if reply, err = json.MarshalIndent(Reply{Keys: keys, Member: inv.Member, Mission: inv.Mission, Origin: inv.Origin, Reply: 1, Token: inv.Token}, "", " "); err != nil {
		return fail(err)
	}
	reply = append(reply, '\n')
	if err := local.WriteFile(filepath.Join(tmp, replyFile), reply, 0o600); err != nil {
		return fail(err)
	}
	if err := local.TakePlace(tmp, dir); err != nil {
		return fail(err)
	}
	return reply, nil
}

// replyFile keeps the reply until it was answered, so that joining can be tried again.
const replyFile = "joining.json"

// memberKeys draws the keys of a member's node, and gives the public half of the one that
// signs records.
func memberKeys(priv *local.Store, origin, member string, rand io.Reader) (record.Key, error) {
	seed := make([]byte, 32)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return record.Key{}, err
	}
	signer, err := record.NewSigner(seed)
	if err != nil {
		return record.Key{}, err
	}
	if err := priv.SaveKey(memberKeyName(member), base64.StdEncoding.EncodeToString(seed)); err != nil {
		return record.Key{}, err
	}
	for _, role := range []cosign.Role{cosign.Witness, cosign.Mirror, cosign.Rules} {
		skey, _, err := cosign.GenerateKey(rand, cosign.KeyName(origin, role, member))
		if err != nil {
			return record.Key{}, err
		}
		if err := priv.SaveKey(string(role), skey); err != nil {
			return record.Key{}, err
		}
	}
	skey, _, err := ledger.GenerateKey(rand, origin)
	if err != nil {
		return record.Key{}, err
	}
	return signer.Key(), priv.SaveKey(headKeyName, skey)
}

func newFolder(ctx context.Context, dir string, inv *Invitation, url string, now func() time.Time, rand io.Reader) error {
	priv := local.New(dir)
	officer, err := record.NewID(rand)
	if err != nil {
		return err
	}
	cfg := &local.Config{
		Format: 1, LogKey: inv.LogKey, Mission: inv.Mission, Origin: inv.Origin, Registry: inv.Registry,
		Member: inv.Member, RegistryURL: inv.RegistryURL, URL: url, Officers: map[string]record.ID{inv.Member: officer},
	}
	if err := priv.SaveConfig(cfg); err != nil {
		return err
	}
	if inv.Checkpoint != "" {
		// What the registry shows must continue what it showed when it invited.
		if err := local.WriteFile(priv.Path(local.CheckpointFile), []byte(inv.Checkpoint), 0o600); err != nil {
			return err
		}
	}
	store, err := sqlite.Create(ctx, priv.Path(local.LedgerFile))
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	// Their memory is precious: they are made once, and never again where one is missing.
	skey, err := priv.Key(string(cosign.Witness))
	if err != nil {
		return err
	}
	signer, err := cosign.NewSigner(skey)
	if err != nil {
		return err
	}
	w, err := witness.Open(ctx, priv.Path(local.WitnessFile), witness.Options{Signers: []*cosign.Signer{signer}, Now: now, Create: true})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	box, err := outbox.Open(ctx, priv.Path(local.OutboxFile), outbox.Options{Now: now, Create: true})
	if err != nil {
		return err
	}
	return box.Close()
}

// Entering is a step of entering a mission that is done.
type Entering struct {
	Step    EnterStep
	Records int64         // CaughtUp: how many records were taken over
	Took    time.Duration // CaughtUp: to fetch them, check them and admit them by the rules
}

// EnterStep names such a step.
type EnterStep string

// The steps, in their order.
const (
	Admitted   EnterStep = "admitted"
	CaughtUp   EnterStep = "caught up"
	Introduced EnterStep = "introduced"
)

// Enter brings a member's new node into the mission: the registry admits it, the ledger is
// caught up with, and the node names its cosigners. It goes on where an earlier call was
// cut short. While another process of the folder talks to the registry the error is a
// local.ErrInUse.
func (n *Node) Enter(ctx context.Context) error { return n.EnterTelling(ctx, func(Entering) {}) }

// EnterTelling is Enter; tell hears of each step that is done.
func (n *Node) EnterTelling(ctx context.Context, tell func(Entering)) error {
	m := n.member
	if m == nil || m.link == nil {
		return errors.New("enter the mission: this is no member's node with a line to the registry")
	}
	fail := func(err error) error { return fmt.Errorf("enter the mission as %s: %w", n.Config.Member, err) }
	end, err := m.enter(ctx)
	if err != nil {
		return fail(err)
	}
	defer end()
	reply, err := os.ReadFile(n.private.Path(replyFile))
	if err == nil {
		err = m.link.Join(ctx, reply)
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil // it was answered
	}
	if err != nil {
		return fail(err)
	}
	tell(Entering{Step: Admitted})
	before, begun := n.ledger.Head().Size, n.opts.Now()
	if err := m.send(ctx); err != nil { // what an earlier call has left
		return fail(err)
	}
	if err := m.follow(ctx); err != nil {
		return fail(err)
	}
	tell(Entering{Step: CaughtUp, Records: n.ledger.Head().Size - before, Took: n.opts.Now().Sub(begun)})
	if err := n.Introduce(ctx); err != nil {
		return fail(err)
	}
	tell(Entering{Step: Introduced})
	return nil
}

// Entered tells whether the member whose node this is has been on the roster of the copy
// here: whether its invitation was answered.
func (n *Node) Entered() bool {
	_, err := os.Stat(n.private.Path(replyFile))
	return errors.Is(err, os.ErrNotExist)
}

// Admitted tells whether the member whose node this is is on the roster, as far as the copy
// here goes.
func (n *Node) Admitted() (yes bool) {
	n.ledger.View(func(s *mechanism.State) {
		m, ok := s.Member(n.Config.Member)
		yes = ok && !m.Left
	})
	return yes
}

// Reply is the answer to the invitation, to be carried to the registry; an os.ErrNotExist
// once the node has entered.
func (n *Node) Reply() ([]byte, error) { return os.ReadFile(n.private.Path(replyFile)) }

// Introduce files, as one act, what a member's node must say of itself before it takes
// part: its officer and its cosigners, as far as the ledger does not have them. The error
// is a *Queued while that waits for the registry.
func (n *Node) Introduce(ctx context.Context) error {
	var drafts []Draft
	own := n.Config.Member
	var admitted, enrolled bool
	var recipient string
	named := map[record.CosignerRole]mechanism.Cosigner{}
	n.ledger.View(func(s *mechanism.State) {
		m, ok := s.Member(own)
		admitted = ok && !m.Left
		recipient = s.Recipient(own)
		enrolled = s.OfficerOf(n.Config.Officers[own]) == own
		for _, c := range s.Cosigners() {
			if c.Member == own && c.Until < 0 {
				named[c.Role] = c
			}
		}
	})
	if !admitted {
		return fmt.Errorf("%s is not on the roster yet: the registry has to admit it first", own)
	}
	// The invitation was answered.
	if err := os.Remove(n.private.Path(replyFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !enrolled {
		drafts = append(drafts, Draft{Kind: record.OfficerEnrolled, Member: own, Body: &record.Enrolment{Officer: n.Config.Officers[own]}})
	}
	for _, role := range []cosign.Role{cosign.Witness, cosign.Mirror, cosign.Rules} {
		skey, err := n.private.Key(string(role))
		if err != nil {
			return err
		}
		signer, err := cosign.NewSigner(skey)
		if err != nil {
			return err
		}
		url := ""
		if role == cosign.Witness {
			url = n.Config.URL
		}
		if c := named[record.CosignerRole(role)]; c.VKey == signer.VKey() && c.URL == url {
			continue
		}
		drafts = append(drafts, Draft{Kind: record.CosignerNamed, Member: own, Body: &record.Cosigner{Role: record.CosignerRole(role), URL: url, VKey: signer.VKey()}})
	}
	identity, err := n.identity(own, true)
	if err != nil {
		return err
	}
	if recipient != identity.Recipient() {
		drafts = append(drafts, Draft{Kind: record.RecipientNamed, Member: own, Body: &record.Recipient{Age: identity.Recipient()}})
	}
	if len(drafts) == 0 {
		return nil
	}
	if err := n.introducing(ctx); err != nil {
		return err
	}
	if len(drafts) > 1 {
		act, err := record.NewID(n.opts.Rand)
		if err != nil {
			return err
		}
		for i := range drafts {
			drafts[i].Act = act
		}
	}
	if _, err := n.FileTogether(ctx, drafts); err != nil {
		return err
	}
	if n.member != nil && n.member.link != nil {
		return n.member.follow(ctx)
	}
	return nil
}

// introducing is a *Queued while what this node says of itself waits in its box, so that it
// is not said twice.
func (n *Node) introducing(ctx context.Context) error {
	if n.Box == nil {
		return nil
	}
	for act, err := range n.Box.Waiting(ctx) {
		if err != nil {
			return err
		}
		var ids []record.ID
		said := false
		for _, r := range act.Records {
			ids = append(ids, r.ID)
			said = said || r.Kind == record.CosignerNamed || r.Kind == record.RecipientNamed
		}
		if said {
			return &Queued{act.ID, ids, errors.New("it was said before")}
		}
	}
	return nil
}
