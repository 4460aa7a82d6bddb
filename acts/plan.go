// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"truceline/mechanism"
	"truceline/place"
	"truceline/record"
)

// Draft is a record to be filed, before it is signed.
type Draft struct {
	ID         record.ID // zero: any
	Kind       record.Kind
	Body       record.Body
	Subjects   []record.Subject
	Supersedes record.ID
	Audience   string   // empty: record.AudiencePublic
	Readers    []string // for record.AudienceNamed
	// Account is what the body of account.sealed holds: for its author to look at, and filed
	// nowhere.
	Account *record.Account
}

// World is what an act is planned in. State is only read, while the plan is made.
type World struct {
	State  *mechanism.State
	Member string // whose officer acts
	Roles  []string
	NewID  func() (record.ID, error)
	// Read gives a record that is in the ledger, with its body.
	Read func(record.ID) (*record.Statement, record.Body, error)
	// Together lists the records that were filed as one act with the given one, in their
	// order; it alone where it stands alone.
	Together func(record.ID) ([]record.ID, error)
	// Fitted hands over the model that was learnt for the plan, without its reason. It
	// learns nothing itself: State is held while it is called. Nil where nothing here
	// learns models, so that linkage.fit is not offered.
	Fitted func() (*record.Linkage, error)
	// Lines gives where all lines of the agreement run. Nil: no base map is here, and lines
	// that the agreement takes from it are not known.
	Lines func() ([]place.Line, error)
	// Seal makes the body of account.sealed and keeps what opens it, durably, before it
	// returns. Nil, like the three below it, where nothing here can: then its act is not
	// offered.
	Seal func(incident record.ID, a *record.Account) (*record.Sealed, error)
	// Sealed gives what the member has sealed itself, for its own officers to look at.
	Sealed func(sealed record.ID) (*record.Opened, error)
	// Open gives what was sealed, by the member's own secret or by the escrow's shares. It
	// gives nothing before the entry that closed the filing is witnessed.
	Open func(sealed record.ID) (*record.Opened, error)
	// Release gives the member's share of a sealed account's key.
	Release func(sealed record.ID) (*record.Share, error)
	// Disclose shows fields of a record that the member may read. Nil, like Seal, where
	// nothing here can.
	Disclose func(id record.ID, paths []string) (*record.Disclosure, error)
	// Now is the node's clock; nil: the time of the last entry is all that is known.
	Now func() time.Time
	// Custody is for identities that are kept apart.
	Custody Custody
}

// Denied is the error for an act that the officer's roles do not allow.
type Denied struct {
	Act   string
	Roles []string // one of which is needed
}

func (d *Denied) Error() string {
	return fmt.Sprintf("%s needs an officer with the role %s: ask one, or your administrator", d.Act, strings.Join(d.Roles, " or "))
}

// Problem is one thing wrong with what was filled in. Key names its text in the
// catalogue; Args are the text's names and values by turns.
type Problem struct {
	Field string // such as incident, or claim.2.figure
	Key   string
	Args  []any
}

// Invalid is the error for a form that cannot be filed as it is filled in.
type Invalid struct{ Problems []Problem }

func (i *Invalid) Error() string {
	var out []string
	for _, p := range i.Problems {
		s := p.Field + ": " + strings.TrimPrefix(p.Key, "problem.")
		for n := 1; n < len(p.Args); n += 2 {
			s += fmt.Sprintf(" %v", p.Args[n])
		}
		out = append(out, s)
	}
	return "the form cannot be filed: " + strings.Join(out, "; ")
}

// Plan makes the records of an act, to be filed in their order and as one. The error is
// a *Denied, an *Invalid, or the *mechanism.Refusal of a rule that stands against it.
func (a *Act) Plan(w World, v Values) ([]Draft, error) {
	if !a.Allows(w.Roles) {
		return nil, &Denied{a.Name, a.Roles}
	}
	if a.plan == nil {
		return nil, fmt.Errorf("%s files no records by itself", a.Name)
	}
	p := &planner{World: w, act: a, values: v}
	p.required()
	if err := a.plan(p); err != nil {
		return nil, err
	}
	if len(p.problems) > 0 {
		return nil, &Invalid{p.problems}
	}
	p.reach()
	return p.drafts, nil
}

// Offer tells whether the officer may do the act on something now: nil, a *Denied, or
// the *mechanism.Refusal of the rule that stands against it. subject is zero for acts
// that are done on nothing.
func (a *Act) Offer(w World, subject record.ID) error {
	if !a.Allows(w.Roles) {
		return &Denied{a.Name, a.Roles}
	}
	if a.offer == nil {
		return nil
	}
	return a.offer(&offer{World: w, subject: subject})
}

type planner struct {
	World
	act      *Act
	values   Values
	problems []Problem
	drafts   []Draft
}

func (p *planner) problem(field, key string, args ...any) {
	p.problems = append(p.problems, Problem{field, key, args})
}

// required looks that what must be filled in is, and that nothing is too long.
func (p *planner) required() {
	for _, f := range p.act.Fields {
		if f.Type == Claims || f.Type == File {
			continue
		}
		p.length(f.Name, f)
		if f.Required && p.get(f.Name) == "" {
			p.problem(f.Name, "problem.needed")
		}
	}
}

func (p *planner) length(name string, f Field) {
	for _, s := range p.values[name] {
		if n := len([]rune(s)); f.Max > 0 && n > f.Max {
			p.problem(name, "problem.too_long", "n", n, "max", f.Max)
		}
	}
}

func (p *planner) get(name string) string { return tidy(p.values.Get(name)) }

// tidy trims a value and gives it the line ends of records: browsers send others, and
// what is pasted may hold control characters that no record does.
func tidy(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n")))
}

// list gives the values of a field that are not empty, each once.
func (p *planner) list(name string) (out []string) {
	for _, s := range p.values[name] {
		if s = tidy(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// id reads an id; zero, with a problem noted, where it is none.
func (p *planner) id(name string) record.ID {
	s := p.get(name)
	if s == "" {
		return record.ID{}
	}
	return p.parseID(name, s)
}

func (p *planner) parseID(name, s string) record.ID {
	id, err := record.ParseID(s)
	if err != nil {
		p.problem(name, "problem.no_id", "value", s)
	}
	return id
}

func (p *planner) ids(name string) (out []record.ID) {
	for _, s := range p.list(name) {
		out = append(out, p.parseID(name, s))
	}
	return out
}

func (p *planner) add(d Draft) { p.drafts = append(p.drafts, d) }

// check asks the rules about a draft on the state as it is; a draft that builds on one
// before it is for the door.
func (w World) check(d Draft) error {
	w.follow(&d)
	st := &record.Statement{Audience: d.Audience, ID: d.ID, Kind: d.Kind, Member: w.Member, Readers: d.Readers, Subjects: d.Subjects, Supersedes: d.Supersedes}
	if d.Body != nil {
		st.Body = new(record.BodyRef)
	}
	return w.State.Check(st, d.Body)
}

// refused gives back the rule's refusal, and keeps problems of the form before it.
func (p *planner) refused(err error) error {
	if err == nil || len(p.problems) > 0 {
		return nil
	}
	return err
}

func (p *planner) newID() (record.ID, error) {
	if p.NewID == nil {
		return record.ID{}, errors.New("no source of ids")
	}
	return p.NewID()
}

func about(role record.Role, id record.ID) record.Subject { return record.Subject{ID: id, Role: role} }

type offer struct {
	World
	subject record.ID
}

// because stands in for a reason that is not given yet.
var because = &record.Reason{Reason: "?"}
