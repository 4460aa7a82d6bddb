// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// Continued names the last head of a log that was lost or closed, in the first record of
// the log that goes on in its place. Who holds the former log can so be sure that nothing
// of it was changed when the new one began.
type Continued struct {
	LogKey string `json:"log_key"` // of the former log
	Origin string `json:"origin"`
	Root   Digest `json:"root"` // of the tree over its first Size entries
	Size   int64  `json:"size"`
}

func (c *Continued) validate() error {
	if c.LogKey == "" || !ValidOrigin(c.Origin) || c.Size < 1 || c.Size > MaxInt || c.Root.IsZero() {
		return fmt.Errorf("continues: log_key, origin, a size of at least 1 and the root are needed")
	}
	return nil
}

// CosignerRole says what a cosignature under a key means.
type CosignerRole string

// Roles of cosigners. A key has one; the bytes of a key never serve in two.
const (
	WitnessCosigner CosignerRole = "witness" // I saw one consistent log
	MirrorCosigner  CosignerRole = "mirror"  // I hold all of it that I may read
	RulesCosigner   CosignerRole = "rules"   // all of it passed the rules, at times near those of my clock
	// OutsideCosigner is a witness outside the mission for which the member vouches.
	OutsideCosigner CosignerRole = "outside"
)

// CosignerRoles lists the roles.
var CosignerRoles = []CosignerRole{WitnessCosigner, MirrorCosigner, RulesCosigner, OutsideCosigner}

// Cosigner is the body of cosigner.named: a key under which the filing member, or a
// witness for which it vouches, cosigns the log's checkpoints. It takes the place of the
// member's former key of the role, but for outside witnesses, of which there may be many.
type Cosigner struct {
	Role CosignerRole `json:"role"`
	// URL is where others reach the member's node, or the outside witness; empty where
	// it cannot be reached from outside.
	URL string `json:"url,omitempty"`
	// VKey is the verifier key, as C2SP tlog-cosignature writes it.
	VKey string `json:"vkey"`
}

var vkeyRE = regexp.MustCompile(`^[^+\s\x00-\x1f]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$`)

// maxVKey is the longest verifier key, in bytes: room for a post-quantum one.
const maxVKey = 4096

// Validate implements Body. Whether VKey is a key is for the rules.
func (c *Cosigner) Validate() error {
	ok := false
	for _, r := range CosignerRoles {
		ok = ok || r == c.Role
	}
	if !ok {
		return fmt.Errorf("role %.40q is not one of witness, mirror, rules, outside", c.Role)
	}
	if len(c.VKey) > maxVKey || !vkeyRE.MatchString(c.VKey) {
		return fmt.Errorf("vkey %.80q is not a verifier key: name, hash and base64 with a + between", c.VKey)
	}
	return validURL(c.URL)
}

// Public is the key's bytes with their type, without its name.
func (c *Cosigner) Public() string {
	parts := strings.SplitN(c.VKey, "+", 3)
	b, _ := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	return string(b)
}

// Departure is the body of member.left: the member takes no further part. From the next
// record on its keys sign nothing and its cosigners are nobody's. What it filed stays.
type Departure struct {
	Member string `json:"member"`
	Reason string `json:"reason"`
}

// Validate implements Body.
func (d *Departure) Validate() error {
	if !ValidCode(d.Member) || strings.TrimSpace(d.Reason) == "" {
		return fmt.Errorf("member and reason are needed")
	}
	return nil
}
