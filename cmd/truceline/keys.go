// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/record"
)

type recoverCmd struct {
	dataFlag
	Recovery   string `help:"File with the recovery key, which join has written." required:"" type:"existingfile" placeholder:"FILE"`
	Invitation string `help:"The invitation with which the member joined; it need not be valid any more. Or give --log-key and --registry." type:"existingfile" placeholder:"FILE"`
	LogKey     string `help:"The mission's log key, as everybody was given it." placeholder:"VKEY"`
	Registry   string `help:"Address of the registry, without /log." placeholder:"URL"`
	URL        string `help:"Where the other members' nodes reach this one; leave it out if they cannot." placeholder:"URL"`
	Reason     string `help:"What became of the former keys: lost, or compromised where somebody else may have them." enum:"lost,compromised" default:"lost"`
}

func (recoverCmd) Help() string {
	return `Makes the node of a member that has lost its own again: with new keys, which the recovery key brings into the ledger. The former keys are revoked, new cosigners are named, and the whole log is taken over. What the lost node had not sent, its officers' book and its archived copies are lost with it unless there is a backup. When it is cut short, run it again.

The policy in force still names the lost node's witness: its operator adopts another (truceline policy adopt, on the registry's node).

Example: truceline recover --recovery north.recovery --invitation north.invitation --data ./north-again`
}

func (c recoverCmd) Run(e *env) error {
	b, err := os.ReadFile(c.Recovery)
	if err != nil {
		return err
	}
	key, err := node.ReadRecoveryKey(b)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, local.ConfigFile)); errors.Is(err, fs.ErrNotExist) {
		if err := c.make(e, key); err != nil {
			return err
		}
	}
	options := func(cfg *local.Config) node.Options {
		o := e.looking(cfg)
		o.Dial = peer.Dial(nil)
		return o
	}
	return c.use(e, true, options, func(n *node.Node) error {
		got, err := n.Recover(e.ctx, key, c.Reason)
		e.bar.Done()
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s goes on.\n  new key  %s\n", key.Member, got.Key)
		for _, k := range got.Revoked {
			fmt.Fprintf(e.stdout, "  revoked  %s\n", k)
		}
		if err := standing(e, n, ""); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "Next: %s serve --data %s\n", prog(), c.Data)
		return err
	})
}

func (c recoverCmd) make(e *env, key *node.RecoveryKey) error {
	r := node.Recovering{Key: key, LogKey: c.LogKey, RegistryURL: c.Registry, URL: c.URL, Options: node.Options{Now: e.now, Rand: e.rand, Dial: peer.Dial(nil)}}
	if c.Invitation != "" {
		b, err := os.ReadFile(c.Invitation)
		if err != nil {
			return err
		}
		inv, err := node.ReadInvitation(b)
		if err != nil {
			return err
		}
		if r.LogKey == "" {
			r.LogKey = inv.LogKey
		}
		if r.RegistryURL == "" {
			r.RegistryURL = inv.RegistryURL
		}
	}
	if r.LogKey == "" || r.RegistryURL == "" {
		return errors.New("recover: name the mission with --invitation FILE, or with --log-key and --registry")
	}
	return node.PrepareRecovered(e.ctx, c.Data, r)
}

// standing says what the policy in force stands up to while witnesses are gone.
func standing(e *env, n *node.Node, leaving string) error {
	s, err := n.Standing(leaving)
	if err != nil || s == nil {
		return err
	}
	fmt.Fprintln(e.stdout)
	if err := s.Report.Write(e.stdout); err != nil {
		return err
	}
	switch {
	case len(s.Gone) == 0:
		return nil
	case s.Met:
		fmt.Fprintf(e.stdout, "\nThe policy names witnesses whose keys stand no more: %v. Those who are left can still meet it. Adopt one without them: %s policy adopt, on the registry's node.\n", s.Gone, prog())
	default:
		fmt.Fprintf(e.stdout, "\nThe policy names witnesses whose keys stand no more: %v. THOSE WHO ARE LEFT CANNOT MEET IT: no new head will be witnessed until another is adopted: %s policy adopt, on the registry's node.\n", s.Gone, prog())
	}
	return nil
}

type keyCmd struct {
	List   keyListCmd   `cmd:"" help:"List the node keys of a member that are valid."`
	Rotate keyRotateCmd `cmd:"" help:"Change the key with which this node signs."`
	Revoke keyRevokeCmd `cmd:"" help:"End another key of the member, such as a recovery key that somebody may have seen."`
}

// memberFlag names one of the members for which a node signs.
type memberFlag struct {
	Member string `help:"Member whose key it is, where the node signs for several." placeholder:"CODE"`
}

func (m memberFlag) code(n *node.Node) string {
	switch {
	case m.Member != "":
		return m.Member
	case n.Config.Member != "":
		return n.Config.Member
	}
	return n.Config.Registry
}

type keyListCmd struct {
	dataFlag
	memberFlag
}

func (c keyListCmd) Run(e *env) error {
	return c.look(e, func(n *node.Node) error {
		for _, k := range n.NodeKeys(c.code(n)) {
			what := ""
			if k.Here {
				what = "  this node signs with it"
			}
			fmt.Fprintf(e.stdout, "%s%s\n", k.ID, what)
		}
		return nil
	})
}

type keyRotateCmd struct {
	dataFlag
	memberFlag
	Reading bool `help:"Change the key with which the node reads what is not for everybody, in place of the one with which it signs."`
}

func (keyRotateCmd) Help() string {
	return `Draws a new key for the node, keeps it, and files that it takes the place of the former, signed by both. Stop the server first; a member's node needs its line to the registry. When it is cut short, run it again. The registry's own key changes the same way; the log's key does not change, since everybody knows the log by it.

With --reading the node draws another key to which others encrypt what it may read. It keeps the former for what was encrypted to it; what is filed from then on is encrypted to the new one alone. Do this when somebody may have had a copy of the folder or of a backup.

Examples:
  truceline key rotate --data ./north
  truceline key rotate --data ./north --reading`
}

func (c keyRotateCmd) Run(e *env) error {
	options := func(cfg *local.Config) node.Options {
		o := e.looking(cfg)
		o.Dial = peer.Dial(nil)
		return o
	}
	return c.use(e, true, options, func(n *node.Node) error {
		if c.Reading {
			if _, err := n.RenewReading(e.ctx, c.code(n)); err != nil {
				return err
			}
			_, err := fmt.Fprintf(e.stdout, "what %s may read is encrypted to another key from now on\nBack the folder up: earlier backups lack that key.\n", c.code(n))
			return err
		}
		id, err := n.RotateKey(e.ctx, c.code(n))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s signs with key %s from now on\nBack the folder up: earlier backups hold the former key.\n", c.code(n), id)
		return err
	})
}

type keyRevokeCmd struct {
	dataFlag
	memberFlag
	Key    string `arg:"" help:"Id of the key; list them with: truceline key list."`
	Reason string `help:"Why." enum:"lost,compromised,retired" required:"" placeholder:"lost|compromised|retired"`
	Note   string `help:"A word on it that all members may read."`
}

func (c keyRevokeCmd) Run(e *env) error {
	var id record.KeyID
	if err := id.UnmarshalText([]byte(c.Key)); err != nil {
		return fmt.Errorf("%w; list the keys with: %s key list", err, prog())
	}
	return c.with(e, func(n *node.Node) error {
		err := n.RevokeKey(e.ctx, c.code(n), id, c.Reason, c.Note)
		return filed(e, err, fmt.Sprintf("key %s signs nothing from the next record on", id))
	})
}

// filed says what became of a record: it is in the ledger, or waits for the line.
func filed(e *env, err error, done string) error {
	if errors.As(err, new(*node.Queued)) {
		_, err = fmt.Fprintf(e.stdout, "waiting   %v\n", err)
		return err
	}
	if err == nil {
		_, err = fmt.Fprintln(e.stdout, done)
	}
	return err
}
