// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"time"

	"truceline/internal/cosigned"
	"truceline/internal/local"
	"truceline/internal/outbox"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// Status says how a node stands. What is in it tells nobody more than the log does; what
// else there is to know is the operator's alone, see Private.
type Status struct {
	Cosigners   []CosignerStatus `json:"cosigners,omitempty"` // those that stand, by member and role
	Exercise    bool             `json:"exercise,omitempty"`
	LogKey      string           `json:"log_key"` // the log's public key, as this node holds it
	Member      string           `json:"member"`  // whose node it is
	Mission     record.ID        `json:"mission"`
	Name        string           `json:"name"` // of the member, in English
	Origin      string           `json:"origin"`
	Policy      string           `json:"policy,omitempty"` // of the agreement in force
	Registry    string           `json:"registry"`         // the member that puts records in order
	Role        string           `json:"role,omitempty"`
	Size        int64            `json:"size"`                   // records of the newest signed head that is held here
	Title       string           `json:"title,omitempty"`        // of the mission, in English
	Waiting     string           `json:"waiting,omitempty"`      // why the registry admits nothing
	Witnessed   int64            `json:"witnessed"`              // records of the newest head that met the policy
	WitnessedAt int64            `json:"witnessed_at,omitempty"` // by its witnesses' clocks, Unix seconds
	Private     *Private         `json:"-"`
}

// CosignerStatus is the newest head that a cosigner has signed, as far as the node knows.
type CosignerStatus struct {
	At     int64               `json:"at,omitempty"` // by the cosigner's clock, Unix seconds; 0: none
	Member string              `json:"member"`
	Role   record.CosignerRole `json:"role"`
	Size   int64               `json:"size"`
	URL    string              `json:"url,omitempty"`
}

// Private is what a node tells those alone who may read its folder.
type Private struct {
	Alarms      []Alarm
	RegistryURL string               // of a member
	Serving     bool                 // of a member: a process talks to the registry; of the registry: one admits records
	Contact     time.Time            // of a member: when the registry last answered; zero: never
	Cut         error                // why it did not since
	Outbox      map[outbox.State]int // of a member
	Unwitnessed int                  // receipts that are not witnessed yet
	Entered     bool                 // of a member: its invitation was answered
	Restored    time.Time            // since when it is put back from a backup and cosigns nothing; zero: it is not
	Lock        string               // of the registry: where the newest head is kept, too
}

// Status tells how the node stands, without what is private.
func (n *Node) Status(ctx context.Context) (*Status, error) {
	s := &Status{LogKey: n.Config.LogKey, Member: n.Config.Member, Mission: n.Config.Mission, Origin: n.Config.Origin, Registry: n.Config.Registry, Size: n.Head().Size}
	if s.Member == "" {
		s.Member = s.Registry
	}
	n.ledger.View(func(m *mechanism.State) {
		s.Policy = m.Policy()
		if p := m.Pack(); p != nil {
			s.Title, s.Exercise = p.Title.In("en"), p.Exercise
			for _, x := range p.Members {
				if x.Code == s.Member {
					s.Name, s.Role = x.Name.In("en"), string(x.Role)
				}
			}
		}
	})
	last, err := n.Cosigned.Last(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range n.Cosigners() {
		seen := last[c.VKey]
		s.Cosigners = append(s.Cosigners, CosignerStatus{At: seen.At, Member: c.Member, Role: c.Role, Size: seen.Size, URL: c.URL})
	}
	switch h, ok, err := n.Cosigned.Witnessed(ctx); {
	case err != nil:
		return nil, err
	case ok:
		s.Witnessed, s.WitnessedAt = h.Size, h.MetAt
	}
	if err := n.Waiting(); err != nil {
		s.Waiting = err.Error()
	}
	return s, nil
}

// Behind lists the cosigners of the policy's witnesses' roles that have signed less than
// the newest head, as they are in Cosigners.
func (s *Status) Behind() (out []CosignerStatus) {
	for _, c := range s.Cosigners {
		if c.Size < s.Size {
			out = append(out, c)
		}
	}
	return out
}

// Quorum is the policy; nil where there is none.
func (s *Status) Quorum() (*quorum.Policy, error) {
	if s.Policy == "" {
		return nil, nil
	}
	return quorum.Parse(s.Policy)
}

// Inspect tells how the node in dir stands, from its files, beside whoever uses them. It
// changes nothing that others see.
func Inspect(ctx context.Context, dir string, opts Options) (*Status, error) {
	priv, cfg, err := local.Open(dir)
	if err != nil {
		return nil, err
	}
	n := newNode(priv, cfg, opts)
	defer n.Close()
	if err := n.openLedger(ctx, priv); err != nil {
		return nil, err
	}
	if n.Cosigned, err = cosigned.Open(ctx, priv.Path(local.CosignedFile), cosigned.Options{Now: opts.Now}); err != nil {
		return nil, err
	}
	if err := n.alarms.load(priv); err != nil {
		return nil, err
	}
	s, err := n.Status(ctx)
	if err != nil {
		return nil, err
	}
	p := &Private{Alarms: n.Alarms(), RegistryURL: cfg.RegistryURL, Entered: n.Entered(), Lock: cfg.Lock}
	s.Private = p
	p.Restored, _ = n.Restored()
	if cfg.Member == "" {
		p.Serving, err = priv.Held(local.ReadyLock)
		return s, errors.Join(err, n.checkLock(ctx))
	}
	if p.Serving, err = priv.Held(local.LineLock); err != nil {
		return nil, err
	}
	if p.Contact, p.Cut, err = readLine(priv); err != nil {
		return nil, err
	}
	// The copy may be on its way to a signed head.
	m := &member{n: n}
	signed, err := m.readNote(local.HeldFile)
	if err != nil {
		return nil, err
	}
	if s.Size = 0; signed != nil {
		c, err := m.parse(signed)
		if err != nil {
			return nil, err
		}
		s.Size = min(c.Size, n.ledger.Head().Size)
	}
	box, err := outbox.Open(ctx, priv.Path(local.OutboxFile), outbox.Options{Now: opts.Now})
	if err != nil {
		return nil, err
	}
	p.Outbox, err = box.Counts(ctx)
	var waiting []outbox.Receipt
	if err == nil {
		waiting, err = box.Unwitnessed(ctx)
		p.Unwitnessed = len(waiting)
	}
	return s, errors.Join(err, box.Close())
}
