// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/server"
	"truceline/record"
	"truceline/text"
	"truceline/vault"
)

type doCmd struct {
	dataFlag
	Act     string   `arg:"" optional:"" help:"Name of the act; without one, all are listed."`
	Fields  []string `arg:"" optional:"" help:"What the act asks: NAME=VALUE, several of a name where it may have several; NAME=@FILE for texts that come in files."`
	Officer string   `help:"Id of the officer who acts; the one made with the node if not given." placeholder:"ID"`
	Member  string   `help:"Member that files, where the node files for several." placeholder:"CODE"`
	DryRun  bool     `help:"Show the records that would be filed, and file nothing."`
}

func (doCmd) Help() string {
	return `Does one act of the catalogue, the same that the pages offer, with the same rules: it is filed whole or not at all. Without an act it lists them; with an act and no fields it says what the act asks.

It exits 3 when the act is signed and waits on a member's node for the registry.

Examples:
  truceline do
  truceline do incident.merge
  truceline do incident.merge incident=ID into=ID reason="one and the same night" --data ./truceline-data`
}

func (c doCmd) Run(e *env) error {
	words, _ := text.All().Exact("en")
	if c.Act == "" {
		for _, a := range acts.All() {
			if !a.Local && !a.Job {
				fmt.Fprintf(e.stdout, "%-20s %s\n", a.Name, words.T("act."+a.Name+".help"))
			}
		}
		return nil
	}
	a, ok := acts.Find(c.Act)
	if !ok || a.Local || a.Job {
		return fmt.Errorf("there is no act %q here; list them with: %s do", c.Act, prog())
	}
	if len(c.Fields) == 0 && needsFields(a) {
		return c.explain(e, a, words)
	}
	values, err := fieldsOf(a, c.Fields)
	if err != nil {
		return err
	}
	return c.with(e, func(n *node.Node) error {
		who, err := c.officer(e, n)
		if err != nil {
			return err
		}
		if c.DryRun {
			drafts, err := n.Plan(e.ctx, who, a, values)
			if err != nil {
				return inWords(err, words)
			}
			for _, d := range drafts {
				fmt.Fprintf(e.stdout, "would file %s\n", d.Kind)
			}
			return nil
		}
		done, person, err := doOrRead(e.ctx, n, who, a, values)
		if queued := (*node.Queued)(nil); errors.As(err, &queued) {
			fmt.Fprintf(e.stdout, "waits %s: signed and durable here; it goes out once the registry answers, so do not file it again (%v)\n", queued.Act, queued.Err)
			return &exitError{&quietError{err}, 3}
		}
		if err != nil {
			return inWords(err, words)
		}
		for i, r := range done.Receipts {
			fmt.Fprintf(e.stdout, "filed #%d %s %s\n", r.Index, done.Kinds[i], r.ID)
		}
		if person != nil {
			for _, l := range [][2]string{{"name", person.Name}, {"contact", person.Contact}, {"languages", strings.Join(person.Languages, ", ")}, {"note", person.Note}} {
				if l[1] != "" {
					fmt.Fprintf(e.stdout, "%-10s %s\n", l[0], l[1])
				}
			}
		}
		return nil
	})
}

// doOrRead does an act. What an identity.read reads is shown once, after that is filed; where
// it waits for the registry, the pages of the node show it later.
func doOrRead(ctx context.Context, n *node.Node, who node.Officer, a *acts.Act, v acts.Values) (done node.Done, person *vault.Person, err error) {
	if a.Name == "identity.read" {
		person, done, err = n.ReadIdentity(ctx, who, v)
		return done, person, err
	}
	done, err = n.Do(ctx, who, a, v)
	return done, nil, err
}

func needsFields(a *acts.Act) bool {
	return slices.ContainsFunc(a.Fields, func(f acts.Field) bool { return f.Required })
}

// explain says what an act asks, in the words of the pages.
func (c doCmd) explain(e *env, a *acts.Act, words *text.Locale) error {
	fmt.Fprintf(e.stdout, "%s: %s\n%s\n\n", a.Name, words.T("act."+a.Name), words.T("act."+a.Name+".help"))
	show := func(prefix string, f acts.Field) {
		var more []string
		if f.Required {
			more = append(more, "needed")
		}
		if f.Many {
			more = append(more, "may stand several times")
		}
		if f.Codes != "" {
			more = append(more, "a code of the agreement's "+f.Codes)
		}
		if len(f.Choices) > 0 {
			more = append(more, "one of "+strings.Join(f.Choices, ", "))
		}
		fmt.Fprintf(e.stdout, "  %-22s %s", prefix+f.Name, words.T("field."+f.Name))
		if len(more) > 0 {
			fmt.Fprintf(e.stdout, " (%s)", strings.Join(more, "; "))
		}
		fmt.Fprintln(e.stdout)
	}
	for _, f := range a.Fields {
		if f.Type != acts.Claims {
			show("", f)
			continue
		}
		for _, f := range acts.ClaimFields {
			show("claim.N.", f)
		}
	}
	return nil
}

// fieldsOf reads NAME=VALUE.
func fieldsOf(a *acts.Act, list []string) (acts.Values, error) {
	out := acts.Values{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		f, known := a.Field(name)
		_, field, claim := acts.ClaimField(name)
		claim = claim && slices.ContainsFunc(acts.ClaimFields, func(f acts.Field) bool { return f.Name == field })
		if !ok || !known && !claim {
			return nil, fmt.Errorf("%q is not NAME=VALUE with a field of %s; see them with: %s do %s", s, a.Name, prog(), a.Name)
		}
		if path, is := strings.CutPrefix(value, "@"); is && f.Type == acts.Text && f.Many {
			var err error
			if value, err = textIn(path, f.Max); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		out[name] = append(out[name], value)
	}
	return out, nil
}

// textIn reads a value of at most so many bytes from a file.
func textIn(path string, most int) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(b) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return string(b), err
}

func (c doCmd) officer(e *env, n *node.Node) (node.Officer, error) {
	if c.Officer != "" {
		id, err := record.ParseID(c.Officer)
		if err != nil {
			return node.Officer{}, fmt.Errorf("officer: %w", err)
		}
		return n.Officer(e.ctx, id)
	}
	member, err := deskOf(n, c.Member)
	if err != nil {
		return node.Officer{}, err
	}
	return n.Everybody(member), nil
}

// deskOf is the member named, or the only one that this node files for.
func deskOf(n *node.Node, member string) (string, error) {
	desks := n.Desks()
	switch {
	case member == "" && len(desks) == 1:
		return desks[0], nil
	case slices.Contains(desks, member):
		return member, nil
	}
	return "", fmt.Errorf("say which member files with --member CODE: this node files for %s", strings.Join(desks, ", "))
}

// inWords puts what is wrong with a form into the words of the pages.
func inWords(err error, words *text.Locale) error {
	var invalid *acts.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	var out []string
	for _, p := range invalid.Problems {
		out = append(out, "  "+p.Field+": "+words.T(p.Key, p.Args...))
	}
	return fmt.Errorf("nothing was filed:\n%s", strings.Join(out, "\n"))
}

type officerCmd struct {
	List   officerListCmd   `cmd:"" help:"List this node's officers and their sign-ins."`
	Invite officerInviteCmd `cmd:"" help:"Enrol an officer and print the link to sign in with."`
	Link   officerLinkCmd   `cmd:"" help:"Print a new link for an officer; the earlier ones are void."`
	End    officerEndCmd    `cmd:"" help:"End every sign-in of an officer."`
	Leave  officerLeaveCmd  `cmd:"" help:"Mark an officer as gone: no sign-in, no link works."`
	Erase  officerEraseCmd  `cmd:"" help:"Destroy an officer's name; what was filed stays under the opaque id."`
}

type officerListCmd struct{ dataFlag }

func (c officerListCmd) Run(e *env) error {
	return c.look(e, func(n *node.Node) error {
		list, err := n.Office.Officers(e.ctx, "")
		if err != nil {
			return err
		}
		for _, o := range list {
			name := o.Name
			if name == "" {
				name = "(no name)"
			}
			fmt.Fprintf(e.stdout, "%s  %-8s %-8s %-32s %s\n", o.ID, o.Member, o.State, strings.Join(o.Roles, ","), name)
			in, err := n.Office.SignIns(e.ctx, o.ID)
			if err != nil {
				return err
			}
			for _, s := range in {
				if s.Ended.IsZero() {
					fmt.Fprintf(e.stdout, "    signed in %s, last seen %s  %s\n", s.Created.Format("2006-01-02 15:04"), s.Seen.Format("2006-01-02 15:04"), s.Agent)
				}
			}
		}
		return nil
	})
}

type officerInviteCmd struct {
	dataFlag
	Name    string   `help:"Name of the officer, for colleagues; only this node holds it." required:""`
	Role    []string `help:"Role: desk, operations, administrator, reader; several with commas." required:"" placeholder:"ROLE"`
	Member  string   `help:"Member whose officer it is, where the node files for several." placeholder:"CODE"`
	BaseURL string   `help:"Where people reach the pages." default:"http://127.0.0.1:8440" placeholder:"URL"`
}

func (officerInviteCmd) Help() string {
	return `Files that the member has a new officer, by an opaque id, and a record that commits to the name, which stays on this node. Prints the link once: give it to the officer by a way you trust. It works once and for seven days.

Example: truceline officer invite --name "N. N." --role desk,operations --data ./truceline-data`
}

func (c officerInviteCmd) Run(e *env) error {
	return c.with(e, func(n *node.Node) error {
		member, err := deskOf(n, c.Member)
		if err != nil {
			return err
		}
		id, link, err := rosterOf(n, c.BaseURL).Invite(e.ctx, record.ID{}, member, c.Name, c.Role)
		if errors.As(err, new(*node.Queued)) {
			fmt.Fprintf(e.stdout, "waiting %v\n", err)
		} else if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "officer %s\nlink    %s\n", id, link)
		return err
	})
}

type oneOfficer struct {
	dataFlag
	ID string `arg:"" help:"Id of the officer; list them with: truceline officer list."`
}

func (c oneOfficer) run(e *env, f func(n *node.Node, id record.ID) error) error {
	id, err := record.ParseID(c.ID)
	if err != nil {
		return fmt.Errorf("officer: %w", err)
	}
	return c.with(e, func(n *node.Node) error { return f(n, id) })
}

type officerLinkCmd struct {
	oneOfficer
	BaseURL string `help:"Where people reach the pages." default:"http://127.0.0.1:8440" placeholder:"URL"`
}

func (c officerLinkCmd) Run(e *env) error {
	return c.run(e, func(n *node.Node, id record.ID) error {
		link, err := rosterOf(n, c.BaseURL).Link(e.ctx, record.ID{}, id, office.InviteOptions{})
		if err == nil {
			fmt.Fprintf(e.stdout, "link    %s\n", link)
		}
		return err
	})
}

type officerEndCmd struct{ oneOfficer }

func (c officerEndCmd) Run(e *env) error {
	return c.run(e, func(n *node.Node, id record.ID) error {
		ended, err := n.Office.EndAll(e.ctx, id, office.ByAdministrator)
		if err == nil {
			fmt.Fprintf(e.stdout, "%d sign-ins ended\n", ended)
		}
		return err
	})
}

type officerLeaveCmd struct{ oneOfficer }

func (c officerLeaveCmd) Run(e *env) error {
	return c.run(e, func(n *node.Node, id record.ID) error {
		return rosterOf(n, "").Leave(e.ctx, record.ID{}, id)
	})
}

type officerEraseCmd struct{ oneOfficer }

func (c officerEraseCmd) Run(e *env) error {
	return c.run(e, func(n *node.Node, id record.ID) error {
		return rosterOf(n, "").EraseName(e.ctx, record.ID{}, id)
	})
}

// rosterOf files what becomes of officers, with links under an address.
func rosterOf(n *node.Node, baseURL string) server.Roster {
	return server.Roster{Node: n, BaseURL: strings.TrimSuffix(baseURL, "/")}
}
