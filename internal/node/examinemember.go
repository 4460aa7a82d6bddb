// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"truceline/cosign"
	"truceline/evidence"
	"truceline/internal/cosigned"
	"truceline/internal/local"
	"truceline/internal/outbox"
	"truceline/internal/witness"
	"truceline/record"
)

// examineOthers looks at what a node keeps for and about others: cosignatures, alarms with
// their proofs, and in a member's the box, the witness and the cosigner keys. It works on
// copies of the files, so that nothing is changed and a server may run.
func (n *Node) examineOthers(ctx context.Context, tell func(Finding)) error {
	dir, err := os.MkdirTemp("", "truceline-doctor-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// copied opens a copy of a file of the node; false where there is none.
	copied := func(what, name string, open func(path string) (string, error)) {
		path := filepath.Join(dir, name)
		there, err := copyDatabase(ctx, n.private.Path(name), path)
		f := Finding{What: what, Err: err, Note: "none"}
		if err == nil && there {
			f.Note, f.Err = open(path)
		}
		if !there && err == nil && n.Config.Member != "" && name != local.CosignedFile {
			f.Err = fmt.Errorf("%s is missing: restore the node from a backup", name)
		}
		tell(f)
	}
	copied("cosignatures", local.CosignedFile, func(path string) (string, error) {
		s, err := cosigned.Open(ctx, path, cosigned.Options{Now: n.opts.Now})
		if err != nil {
			return "", err
		}
		defer s.Close()
		return "each is good, and of a head that the log has signed", s.Check(ctx)
	})
	tell(n.examineAlarms())
	if n.Config.Member == "" {
		return nil
	}
	copied("outbox", local.OutboxFile, func(path string) (string, error) {
		b, err := outbox.Open(ctx, path, outbox.Options{Now: n.opts.Now})
		if err != nil {
			return "", err
		}
		defer b.Close()
		counts, err := b.Counts(ctx)
		return fmt.Sprintf("whole; %d acts wait, %d have receipts, %d were refused", counts[outbox.Queued]+counts[outbox.Sent], counts[outbox.Receipted], counts[outbox.Refused]+counts[outbox.SetAside]), errors.Join(err, b.Check(ctx))
	})
	copied("witness", local.WitnessFile, func(path string) (string, error) { return n.examineWitness(ctx, path) })
	tell(n.examineCosigners())
	if since, marked := n.Restored(); marked {
		tell(Finding{What: "cosigning", Err: fmt.Errorf("the node was put back from a backup on %s and cosigns nothing until the registry and another member have shown what it had cosigned; let it run with its line, see truceline restored", since.UTC().Format("2006-01-02"))})
	}
	return ctx.Err()
}

// examineWitness compares what the witness has cosigned with the copy here.
func (n *Node) examineWitness(ctx context.Context, path string) (string, error) {
	skey, err := n.private.Key(string(cosign.Witness))
	if err != nil {
		return "", err
	}
	signer, err := cosign.NewSigner(skey)
	if err != nil {
		return "", err
	}
	w, err := witness.Open(ctx, path, witness.Options{Signers: []*cosign.Signer{signer}, Now: n.opts.Now})
	if err != nil {
		return "", err
	}
	defer w.Close()
	held, err := w.Held(ctx, n.Config.Origin)
	if err != nil || held.Size == 0 {
		return "it has cosigned nothing yet", err
	}
	if size := n.ledger.Head().Size; held.Size > size {
		return fmt.Sprintf("it has cosigned %d records, of which %d are not here yet", held.Size, held.Size-size), nil
	}
	root, err := n.rootAt(ctx, held.Size)
	if err == nil && root != held.Root {
		err = fmt.Errorf("it has cosigned %d records that are not those of the copy here: the registry has shown two histories, or the copy was put there by somebody; keep the folder, and show it to the other members", held.Size)
	}
	return fmt.Sprintf("it has cosigned the first %d records of the copy here", held.Size), err
}

// examineCosigners looks that the cosigner keys here are those that the ledger names.
func (n *Node) examineCosigners() Finding {
	f := Finding{What: "cosigner keys", Note: "witness, mirror and rules, each as the ledger names it"}
	named := map[record.CosignerRole]string{}
	for _, c := range n.Cosigners() {
		if c.Member == n.Config.Member {
			named[c.Role] = c.VKey
		}
	}
	for _, role := range []cosign.Role{cosign.Witness, cosign.Mirror, cosign.Rules} {
		skey, err := n.private.Key(string(role))
		if err != nil {
			f.Err = errors.Join(f.Err, err)
			continue
		}
		signer, err := cosign.NewSigner(skey)
		switch vkey := named[record.CosignerRole(role)]; {
		case err != nil:
			f.Err = errors.Join(f.Err, fmt.Errorf("keys/%s.key: %w; put it back from a backup", role, err))
		case vkey == "":
			f.Err = errors.Join(f.Err, fmt.Errorf("the ledger names no %s key of %s: what this node says as %s counts nowhere; run truceline join again", role, n.Config.Member, role))
		case vkey != signer.VKey():
			f.Err = errors.Join(f.Err, fmt.Errorf("the ledger names another %s key of %s than keys/%s.key: put the newest back from a backup, or have this one named with truceline join", role, n.Config.Member, role))
		}
	}
	return f
}

// examineAlarms lists what was found wrong with others, and checks that the proofs hold.
func (n *Node) examineAlarms() Finding {
	f := Finding{What: "alarms", Note: "none"}
	if err := n.alarms.load(n.private); err != nil {
		f.Err = err
		return f
	}
	proved := 0
	for _, a := range n.Alarms() {
		if !a.Evidenced() {
			continue
		}
		b, err := n.Evidence(a.Evidence)
		if err == nil && !strings.HasSuffix(a.Evidence, fmt.Sprintf("-%x.json", sha256.Sum256(b))) {
			err = errors.New("it is not what was kept under its name")
		}
		if err == nil {
			var incomplete *evidence.IncompleteError
			if _, err = evidence.Check(b, evidence.Options{LogKey: n.Config.LogKey}); errors.As(err, &incomplete) {
				err = nil // whoever judges it has the policy and the bound
			}
		}
		if err != nil {
			f.Err = errors.Join(f.Err, fmt.Errorf("the proof %s: %w; restore it from a backup, or ask the members who were shown it", a.Evidence, err))
			continue
		}
		proved++
	}
	if list := n.Alarms(); len(list) > 0 {
		f.Note = fmt.Sprintf("%d, %d of them with a proof that holds; the newest: %s, %s", len(list), proved, list[len(list)-1].Kind, list[len(list)-1].What)
	}
	return f
}
