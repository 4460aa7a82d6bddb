// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"truceline/ledger"
	"truceline/quorum"
)

type policyCmd struct {
	Lint  policyLintCmd  `cmd:"" help:"Say what a policy stands up to: who could show two records, who could hold the rest up."`
	Write policyWriteCmd `cmd:"" help:"Write a policy that asks for some number of witnesses."`
	Show  policyShowCmd  `cmd:"" help:"Write the policy in force, with the members' rules keys, for whoever checks bundles or the log."`
	Adopt policyAdoptCmd `cmd:"" help:"Adopt the next version of the agreement, with a policy of the witnesses that members have named."`
}

type policyLintCmd struct {
	File     string   `arg:"" help:"File with a policy (C2SP tlog-policy)." type:"existingfile"`
	Operator []string `help:"Public key that belongs to whoever runs the log, so that it must not count. May be given more than once; the keys of the policy's logs are taken as such anyway." placeholder:"VKEY"`
}

func (policyLintCmd) Help() string {
	return `Prints what the policy withstands, what is wrong with it, and a fingerprint of every key in it, to be compared by voice with what another member sees on the page Agreement. Exits 0 if there is no error among it; warnings are no errors. Exits 1 if there is, or if the file is no policy.

Example: truceline policy lint policy.txt --operator 'demo.example/witness/REG+...'`
}

func (c policyLintCmd) Run(e *env) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, quorum.MaxPolicyBytes+1))
	if err != nil {
		return err
	}
	p, err := quorum.Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	report := p.Lint(c.Operator...)
	if err := report.Write(e.stdout); err != nil {
		return err
	}
	if err := writeFingerprints(e.stdout, p); err != nil {
		return err
	}
	if report.Failed() {
		return &quietError{errors.New("the policy has an error")}
	}
	return nil
}

// writeFingerprints writes of every key of a policy what two people can compare by voice.
func writeFingerprints(w io.Writer, p *quorum.Policy) error {
	for _, l := range p.Logs {
		if _, err := fmt.Fprintf(w, "fingerprint %s  log\n", ledger.Fingerprint(l.VKey)); err != nil {
			return err
		}
	}
	for _, x := range p.Witnesses {
		if _, err := fmt.Fprintf(w, "fingerprint %s  witness %s\n", ledger.Fingerprint(x.VKey), x.Name); err != nil {
			return err
		}
	}
	return nil
}

type policyWriteCmd struct {
	Log     string   `help:"Public key of the log." required:"" placeholder:"VKEY"`
	Quorum  int      `help:"How many of the witnesses must have cosigned." required:"" placeholder:"K"`
	Witness []string `arg:"" help:"The witnesses: a name and a public key each, written NAME=VKEY." placeholder:"NAME=VKEY"`
}

func (policyWriteCmd) Help() string {
	return `Writes the policy to standard output. It is not judged: run policy lint on it.

Example: truceline policy write --log 'demo.example+...' --quorum 3 VAL='demo.example/witness/VAL+...' ... > policy.txt`
}

func (c policyWriteCmd) Run(e *env) error {
	const group = "witnesses"
	p := &quorum.Policy{Logs: []quorum.Log{{VKey: c.Log}}, Quorum: group}
	g := quorum.Group{Name: group, Threshold: c.Quorum}
	for _, arg := range c.Witness {
		name, vkey, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%.40q is no witness; write NAME=VKEY", arg)
		}
		p.Witnesses = append(p.Witnesses, quorum.Witness{Name: name, VKey: vkey})
		g.Members = append(g.Members, name)
	}
	p.Groups = []quorum.Group{g}
	if err := p.Validate(); err != nil {
		return err
	}
	_, err := io.WriteString(e.stdout, p.String())
	return err
}
