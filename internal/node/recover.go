// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"truceline/internal/local"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// RecoveryKey is the key with which a member goes on that has lost its node's own. Its
// file was written when the node was made, and should have been kept elsewhere.
type RecoveryKey struct {
	Member  string
	Mission record.ID
	Origin  string
	Signer  *record.Signer
}

var recoveryForm = regexp.MustCompile(`^TRUCELINE RECOVERY KEY of ([A-Za-z0-9_-]{1,40}), mission ([0-9a-f]{32}), ([^ \n]{1,300})\n([A-Za-z0-9+/]{43}=)\n$`)

// ReadRecoveryKey reads such a file. Errors do not show any of it.
func ReadRecoveryKey(b []byte) (*RecoveryKey, error) {
	fail := func(why string) (*RecoveryKey, error) {
		return nil, fmt.Errorf("read the recovery key: %s; it is two lines, the first of which begins with TRUCELINE RECOVERY KEY", why)
	}
	m := recoveryForm.FindSubmatch(b)
	if m == nil {
		return fail("the file has not its form")
	}
	k := &RecoveryKey{Member: string(m[1]), Origin: string(m[3])}
	var err error
	if k.Mission, err = record.ParseID(string(m[2])); err != nil {
		return fail("the mission is no id")
	}
	if !record.ValidCode(k.Member) || !record.ValidOrigin(k.Origin) {
		return fail("the member or the log is not one")
	}
	seed, err := base64.StdEncoding.Strict().DecodeString(string(m[4]))
	if err == nil {
		k.Signer, err = record.NewSigner(seed)
	}
	if err != nil {
		return fail("the key is damaged")
	}
	return k, nil
}

// Recovering says how the node of a member is made again.
type Recovering struct {
	Key *RecoveryKey
	// LogKey is the mission's log key, as everybody was given it; RegistryURL where the
	// registry is reached. An invitation of the member has both.
	LogKey, RegistryURL string
	URL                 string // where others reach the new node; empty: not at all
	Options             Options
}

// PrepareRecovered makes the folder of a member's node again, with new keys and an empty
// copy. Nothing was said to anybody yet. The registry is asked for the first record, which
// says whose log it is. Either the whole folder is there afterwards or nothing.
func PrepareRecovered(ctx context.Context, dir string, r Recovering) (err error) {
	fail := func(err error) error {
		return fmt.Errorf("make the node of %s again in %s: %w", r.Key.Member, dir, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fail(err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fail(errors.New("the folder is not empty; choose another: a lost node's folder may still hold what waited to be sent"))
	}
	code, err := registryOf(ctx, r)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fail(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(tmp) // gone once renamed
	if _, err := memberKeys(local.New(tmp), r.Key.Origin, r.Key.Member, r.Options.Rand); err != nil {
		return fail(err)
	}
	inv := &Invitation{LogKey: r.LogKey, Member: r.Key.Member, Mission: r.Key.Mission, Origin: r.Key.Origin, Registry: code, RegistryURL: r.RegistryURL}
	if err := newFolder(ctx, tmp, inv, r.URL, r.Options.Now, r.Options.Rand); err != nil {
		return fail(err)
	}
	if err := local.TakePlace(tmp, dir); err != nil {
		return fail(err)
	}
	return nil
}

// registryOf reads from the log's first record which member is the registry. That the
// record is the log's is verified when the copy is made.
func registryOf(ctx context.Context, r Recovering) (string, error) {
	v, err := ledger.NewVerifier(r.LogKey)
	if err != nil {
		return "", err
	}
	if v.Name() != r.Key.Origin {
		return "", fmt.Errorf("the recovery key is of the log %s, and the log key of %s", r.Key.Origin, v.Name())
	}
	if r.Options.Dial == nil {
		return "", errors.New("no line to the registry is given")
	}
	link := r.Options.Dial(r.RegistryURL)
	signed, _, err := link.Checkpoint(ctx)
	if err != nil {
		return "", err
	}
	c, _, err := ledger.ParseCheckpoint(signed, v)
	if err != nil {
		return "", fmt.Errorf("what is at %s is not the log of this key: %w", r.RegistryURL, err)
	}
	lines, err := new(member).lines(ctx, 0, min(1, c.Size), link)
	if err != nil || len(lines) == 0 {
		return "", errors.Join(err, errors.New("the log's first record could not be had"))
	}
	body, err := record.ParseBody(record.MissionOpened, lines[0].Body)
	if err != nil {
		return "", fmt.Errorf("the log's first record: %w", err)
	}
	return body.(*record.Mission).Registry.Code, nil
}

// Recovered is what a recovery came to.
type Recovered struct {
	Key     record.KeyID   // of the node, new
	Revoked []record.KeyID // the lost ones
}

// Recover brings a node that was made again into the mission: its new key is added with the
// recovery key, those of the lost node are revoked, and its officer and its new cosigners
// are named. The reason is "lost" or "compromised". It goes on where an earlier call was cut
// short.
func (n *Node) Recover(ctx context.Context, key *RecoveryKey, reason string) (*Recovered, error) {
	own := n.Config.Member
	fail := func(err error) (*Recovered, error) { return nil, fmt.Errorf("recover %s: %w", own, err) }
	m := n.member
	switch {
	case m == nil || m.link == nil:
		return fail(errors.New("this is no member's node with a line to the registry"))
	case key.Member != own || key.Mission != n.Config.Mission || key.Origin != n.Config.Origin:
		return fail(fmt.Errorf("the recovery key is of %s in %s", key.Member, key.Origin))
	case reason != "lost" && reason != "compromised":
		return fail(fmt.Errorf("the reason is lost or compromised, not %.40q", reason))
	}
	end, err := m.enter(ctx)
	if err != nil {
		return fail(err)
	}
	defer end()
	if err := m.send(ctx); err != nil { // what an earlier call has left
		return fail(err)
	}
	if err := m.follow(ctx); err != nil {
		return fail(err)
	}
	fresh := n.signers[own].Key()
	if !n.holdsKeys(own, []record.Key{fresh}) {
		if !n.holdsKeys(own, []record.Key{key.Signer.Key()}) {
			return fail(errors.New("the recovery key is not, or no longer, one of this member's in the ledger: the registry must admit it anew, from a new invitation, after it has left"))
		}
		if err := n.addKey(ctx, key.Signer, fresh); err != nil {
			return fail(err)
		}
	}
	out := &Recovered{Key: fresh.ID()}
	var lost []record.Key
	n.ledger.View(func(s *mechanism.State) { lost = s.NodeKeys(own) })
	for _, k := range lost {
		if id := k.ID(); id != out.Key && id != keyID(key.Signer) && n.holdsKeys(own, []record.Key{k}) {
			d := Draft{Kind: record.KeyRevoked, Member: own, Body: &record.KeyRevocation{Key: id, Member: own, Reason: reason}, byNode: true}
			if err := n.fileNow(ctx, d); err != nil {
				return fail(err)
			}
			out.Revoked = append(out.Revoked, id)
		}
	}
	if err := n.Introduce(ctx); err != nil {
		return fail(err)
	}
	return out, nil
}

// addKey files a new key of this node under the recovery key.
func (n *Node) addKey(ctx context.Context, signer *record.Signer, fresh record.Key) error {
	own := n.Config.Member
	pack := n.Pack()
	sub, err := n.signBy(signer, Draft{Kind: record.KeyAdded, Member: own, Body: &record.KeyAddition{Key: fresh, Member: own}, byNode: true}, pack != nil && pack.Exercise)
	if err != nil {
		return err
	}
	if _, err := n.door.SubmitTogether(ctx, []registry.Submission{sub}); err != nil {
		return err
	}
	return n.member.follow(ctx)
}

// fileNow files a draft and waits until it is here.
func (n *Node) fileNow(ctx context.Context, d Draft) error {
	if _, err := n.File(ctx, d); err != nil {
		return err
	}
	if n.member == nil {
		return nil
	}
	return n.member.follow(ctx)
}

// saveSeed keeps the secret half of a node key.
func saveSeed(priv *local.Store, name string, seed []byte) error {
	return priv.SaveKey(name, base64.StdEncoding.EncodeToString(seed))
}

// newSeed draws the secret half of a node key.
func newSeed(rand io.Reader) ([]byte, *record.Signer, error) {
	seed := make([]byte, 32)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, nil, err
	}
	signer, err := record.NewSigner(seed)
	return seed, signer, err
}

func keyID(s *record.Signer) record.KeyID {
	k := s.Key()
	return k.ID()
}
