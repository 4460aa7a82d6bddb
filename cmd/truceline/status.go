// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/peer"
	"truceline/ledger"
)

type statusCmd struct {
	dataFlag
	URL string `help:"Ask a running node at this address instead. It tells everybody the same, and nothing that is its operator's alone." placeholder:"URL"`
}

func (statusCmd) Help() string {
	return `Says whose node it is, how much it holds and how much of that is witnessed, how its line to the registry is, what waits in its box, what it found wrong with others, and which cosigners are behind. It reads the files of the node, disturbs no server that runs on them, and changes nothing.

Examples:
  truceline status --data ./north
  truceline status --url https://truce.example`
}

func (c statusCmd) Run(e *env) error {
	if c.URL != "" {
		st, err := peer.Status(e.ctx, nil, strings.TrimSuffix(c.URL, "/"))
		if err != nil {
			return err
		}
		return writeStatus(e.stdout, st, e.now())
	}
	st, err := node.Inspect(e.ctx, c.Data, e.looking(nil))
	e.bar.Done()
	if st == nil {
		return err
	}
	return errors.Join(writeStatus(e.stdout, st, e.now()), err)
}

func writeStatus(w io.Writer, st *node.Status, now time.Time) error {
	line := func(name, format string, a ...any) { fmt.Fprintf(w, "%-10s %s\n", name, fmt.Sprintf(format, a...)) }
	what := strings.ReplaceAll(st.Role, "_", " ")
	if st.Member == st.Registry {
		what = "the registry"
	}
	line("node", "%s (%s), %s", st.Member, st.Name, what)
	line("mission", "%s, %s", st.Title, st.Mission)
	line("origin", "%s", st.Origin)
	if st.LogKey != "" {
		line("log key", "%s (fingerprint, to compare by voice)", ledger.Fingerprint(st.LogKey))
	}
	line("records", "%d", st.Size)
	policy, err := st.Quorum()
	switch {
	case err != nil:
		return err
	case policy == nil:
		line("witnessed", "never: the agreement in force has no policy on witnesses")
	case st.Witnessed == 0:
		line("witnessed", "none yet")
	default:
		line("witnessed", "%d, since %s", st.Witnessed, time.Unix(st.WitnessedAt, 0).UTC().Format(time.RFC3339))
	}
	if st.Waiting != "" {
		line("waits", "%s", st.Waiting)
	}
	if p := st.Private; p != nil {
		writePrivateStatus(line, st, p, now)
	}
	if len(st.Cosigners) == 0 {
		line("cosigners", "none")
	}
	for i, c := range st.Cosigners {
		name := ""
		if i == 0 {
			name = "cosigners"
		}
		state := "has signed nothing that is known here"
		if c.At != 0 {
			state = fmt.Sprintf("%d, at %s", c.Size, time.Unix(c.At, 0).UTC().Format(time.RFC3339))
		}
		if behind := st.Size - c.Size; c.At != 0 && behind > 0 {
			state += fmt.Sprintf(", %d behind", behind)
		}
		line(name, "%-12s %-8s %s", c.Member, c.Role, state)
	}
	return nil
}

// writePrivateStatus writes what is the operator's alone.
func writePrivateStatus(line func(name, format string, a ...any), st *node.Status, p *node.Private, now time.Time) {
	if st.Member == st.Registry {
		word := "no server that admits records runs on this folder"
		if p.Serving {
			word = "a process on this folder admits records"
		}
		line("server", "%s", word)
		if p.Lock != "" {
			line("lock", "%s", p.Lock)
		}
	} else {
		writeLine(line, p, now)
		var boxes []string
		for _, s := range outbox.States {
			boxes = append(boxes, fmt.Sprintf("%d %s", p.Outbox[s], strings.ReplaceAll(string(s), "_", " ")))
		}
		if !p.Restored.IsZero() {
			line("cosigns", "NOTHING: put back from a backup at %s, it learns first what it had cosigned (%s restored)", p.Restored.UTC().Format(time.RFC3339), prog())
		}
		line("outbox", "%s; %d receipts not witnessed yet", strings.Join(boxes, ", "), p.Unwitnessed)
	}
	if len(p.Alarms) == 0 {
		line("alarms", "none")
	}
	for _, a := range p.Alarms {
		line("ALARM", "%s: %s", time.UnixMilli(a.At).UTC().Format(time.RFC3339), a.What)
		if a.Evidenced() {
			line("", "evidence/%s", a.Evidence)
		}
	}
}

func writeLine(line func(name, format string, a ...any), p *node.Private, now time.Time) {
	state := "the registry has not answered yet"
	if !p.Contact.IsZero() {
		state = fmt.Sprintf("the registry answered %s ago", now.Sub(p.Contact).Round(time.Second))
	}
	switch {
	case !p.Entered:
		state = "not in the mission yet: run join again"
	case !p.Serving:
		state = "no server runs on this folder; " + state
	case p.Cut != nil:
		state = fmt.Sprintf("CUT: %v; %s", p.Cut, state)
	}
	line("line", "%s: %s", p.RegistryURL, state)
}
