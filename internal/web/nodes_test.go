// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/internal/cosigned"
	mission "truceline/internal/node"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// testNow is what the clock of the pages shows, in Unix milliseconds.
const testNow = 1_782_990_000_000

// testNodes says what a test wants of a node and of those around it.
type testNodes struct {
	standing      web.Standing
	cosigning     web.Cosigning
	before, after *cosigned.Head
	evidence      map[string]string
}

func (n *testNodes) Standing(context.Context) (web.Standing, error)   { return n.standing, nil }
func (n *testNodes) Cosigning(context.Context) (web.Cosigning, error) { return n.cosigning, nil }
func (n *testNodes) Bracket(context.Context, int64) (before, after *cosigned.Head, err error) {
	return n.before, n.after, nil
}

func (n *testNodes) Evidence(_ context.Context, name string) ([]byte, error) {
	if b, ok := n.evidence[name]; ok {
		return []byte(b), nil
	}
	return nil, web.ErrNotFound
}

// seeded makes the same keys in each test.
type seeded struct{ *rand.ChaCha8 }

// watched makes the keys of every member but the registry, and a policy that asks for need
// of their witnesses; 0: none is agreed.
func watched(t testing.TB, s *webtest.Source, need int) *testNodes {
	t.Helper()
	random := seeded{rand.NewChaCha8([32]byte{9})}
	n := &testNodes{evidence: map[string]string{}}
	var registry string
	var lines, names []string
	c := &n.cosigning
	c.Last = map[string]cosigned.Seen{}
	for _, m := range s.TheAgreement.Members {
		if m.Role == record.RegistryRole {
			registry = m.Code
			continue
		}
		for _, role := range []cosign.Role{cosign.Witness, cosign.Mirror, cosign.Rules} {
			_, vk, err := cosign.GenerateKey(random, cosign.KeyName("log.example/test", role, m.Code))
			if err != nil {
				t.Fatal(err)
			}
			c.Keys = append(c.Keys, mechanism.Cosigner{Member: m.Code, Role: record.CosignerRole(role), VKey: vk, URL: "https://" + strings.ToLower(m.Code) + ".example", From: 3, Until: -1})
			if role == cosign.Witness {
				names, lines = append(names, m.Code), append(lines, "witness "+m.Code+" "+vk)
			}
		}
	}
	n.standing = web.Standing{Member: registry, Registry: true}
	c.RegistryURL = baseURL
	if need > 0 {
		_, vkey, err := note.GenerateKey(random, "log.example/test")
		if err != nil {
			t.Fatal(err)
		}
		policy, err := quorum.Parse(fmt.Sprintf("log %s\n%s\ngroup members %d %s\nquorum members\n", vkey, strings.Join(lines, "\n"), need, strings.Join(names, " ")))
		if err != nil {
			t.Fatal(err)
		}
		c.Policy = policy
	}
	return n
}

// sign makes some members' keys sign a head, so many seconds before now; roles: none for all.
func (n *testNodes) sign(size, ago int64, members ...string) {
	for _, k := range n.cosigning.Keys {
		if slices.Contains(members, k.Member) {
			n.cosigning.Last[k.VKey] = cosigned.Seen{Size: size, At: testNow/1000 - ago, SeenAt: testNow - ago*1000}
		}
	}
}

// head makes a witnessed head that some members' witnesses have signed.
func (n *testNodes) head(size, sure, met int64, members ...string) *cosigned.Head {
	h := &cosigned.Head{Size: size, SureAt: sure, MetAt: met, Policy: n.cosigning.Policy.String()}
	for _, k := range n.cosigning.Keys {
		if k.Role == record.WitnessCosigner && slices.Contains(members, k.Member) {
			h.Marks = append(h.Marks, cosigned.Mark{VKey: k.VKey, At: met, FirstAt: met})
		}
	}
	return h
}

// nodeSite is pages of a node among others.
type nodeSite struct {
	testing.TB
	http.Handler
	source *webtest.Source
	nodes  *testNodes
	box    *testBox
}

func newNodeSite(t testing.TB, name string, need int) *nodeSite {
	t.Helper()
	s := newSource(t, name)
	d := &nodeSite{TB: t, source: s, nodes: watched(t, s, need), box: newBox(t, s)}
	cfg := config(t, s)
	cfg.Nodes, cfg.Outbox = d.nodes, d.box
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.Handler = signedIn{h, cfg.Office.(*testOffice).cookies}
	return d
}

// member makes it the desk's node.
func (d *nodeSite) member() *nodeSite {
	d.nodes.standing = web.Standing{Member: d.source.TheAgreement.MembersWith(record.DeskRole)[0]}
	return d
}

// alarmAll raises an alarm of each kind, every second of them with a proof.
func (d *nodeSite) alarmAll() {
	for i, kind := range mission.AlarmKinds {
		a := mission.Alarm{Kind: kind, At: testNow - int64(i)*3_600_000, Index: int64(i * 3), What: fmt.Sprintf("record %d: <b>something</b> is wrong", i)}
		if kind == mission.TwoHistories {
			a.Index = -1
		}
		if kind == mission.DeadKey || kind == mission.FarOffClock {
			a.Member = d.source.TheAgreement.Members[0].Code
		}
		if i%2 == 0 || kind == mission.Withheld {
			a.Evidence = fmt.Sprintf("%s-%02x.json", kind, i)
			d.nodes.evidence[a.Evidence] = `{"evidence":"` + string(kind) + `"}`
		}
		d.nodes.standing.Alarms = append(d.nodes.standing.Alarms, a)
	}
}

func (d *nodeSite) words(path string) string {
	d.Helper()
	w := get(d, path)
	if w.Code != http.StatusOK {
		d.Fatalf("%s: status %d", path, w.Code)
	}
	return strip(parse(d, w.Body.String()).words())
}

// says fails the test for a page that does not say something.
func (d *nodeSite) says(path string, wants ...string) {
	d.Helper()
	got := d.words(path)
	for _, want := range wants {
		if !holds(got, want) {
			d.Errorf("%s does not say %q:\n%.3000s", path, want, got)
		}
	}
}

// holds is strings.Contains without regard to spaces, which styles make and not the text.
func holds(got, want string) bool {
	without := strings.NewReplacer(" ", "")
	return strings.Contains(without.Replace(got), without.Replace(want))
}

func (d *nodeSite) saysNot(path string, wants ...string) {
	d.Helper()
	got := d.words(path)
	for _, want := range wants {
		if holds(got, want) {
			d.Errorf("%s says %q", path, want)
		}
	}
}
