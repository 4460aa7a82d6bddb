// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"truceline/mechanism"
	"truceline/record"
)

// Among themselves members' nodes read what is not for everybody. Who asks signs the
// question with the key of its member's node, see docs/formats/ledger.md.

// asks is the type of what is signed, so that it can stand for nothing else.
const asks = "truceline-read/v1"

// readerSkew is how far the clocks of who asks and who answers may be apart, beside the
// bound that the agreement has.
const readerSkew = 5 * time.Minute

type readerKey struct{}

// AsReader lets what is asked of others with the context be asked as this node's member.
func (n *Node) AsReader(ctx context.Context) context.Context {
	return context.WithValue(ctx, readerKey{}, n)
}

// Reader is the line with which a question is signed that is asked with ctx; empty where
// it is asked as anybody. method and target are those of the HTTP request.
func Reader(ctx context.Context, method, target string) string {
	n, _ := ctx.Value(readerKey{}).(*Node)
	if n == nil {
		return ""
	}
	code := n.Config.Member
	if code == "" {
		code = n.Config.Registry
	}
	signer := n.signers[code]
	if signer == nil {
		return ""
	}
	key := signer.Key()
	at := strconv.FormatInt(n.opts.Now().UnixMilli(), 10)
	sig := signer.Sign(question(n.Config.Origin, method, target, at))
	return strings.Join([]string{code, key.ID().String(), at, base64.StdEncoding.EncodeToString(sig)}, " ")
}

func question(origin, method, target, at string) []byte {
	return []byte(strings.Join([]string{asks, origin, method, target, at, ""}, "\n"))
}

// ErrNoReader: a question is not signed by a member of the mission.
var ErrNoReader = errors.New("the question is not signed by a member of the mission")

// CheckReader tells which member asks, by the line that Reader wrote. The error wraps
// ErrNoReader.
func (n *Node) CheckReader(line, method, target string) (member string, err error) {
	fail := func(format string, a ...any) (string, error) {
		return "", fmt.Errorf("%w: "+format, append([]any{ErrNoReader}, a...)...)
	}
	f := strings.Split(line, " ")
	if len(f) != 4 {
		return fail("it has %d fields, not 4", len(f))
	}
	var id record.KeyID
	if err := id.UnmarshalText([]byte(f[1])); err != nil {
		return fail("the key's id: %v", err)
	}
	sig, err := base64.StdEncoding.DecodeString(f[3])
	if err != nil {
		return fail("the signature is no base64")
	}
	at, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil {
		return fail("the time %.20q is no number", f[2])
	}
	bound := readerSkew + time.Duration(n.clockBound())*time.Millisecond
	if off := n.opts.Now().Sub(time.UnixMilli(at)); off > bound || off < -bound {
		return fail("it was signed at %s, which is not now: look at the clock", clock(at))
	}
	var key record.Key
	ok := false
	n.ledger.View(func(s *mechanism.State) {
		var until int64
		if member, _, until, ok = s.KeyOf(id); !ok || until >= 0 || !s.NodeKey(id) {
			ok = false
			return
		}
		m, there := s.Member(member)
		ok = there && !m.Left
		key, _ = s.Key(id)
	})
	if !ok || member != f[0] {
		return fail("key %s is no key of %.40q's node that is valid now", id, f[0])
	}
	if !key.Verify(question(n.Config.Origin, method, target, f[2]), sig) {
		return fail("the signature does not verify")
	}
	return member, nil
}
