// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"

	"truceline/acts"
	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/suggest"
)

// QueueSource is the viewer's reading of what no incident holds.
type QueueSource interface {
	Queue(ctx context.Context, f projection.QueueFilter) (projection.Queue, error)
	QueueAround(ctx context.Context, f projection.QueueFilter, account record.ID) (projection.Neighbours, error)
	// Suggestions says which incidents an account is likely about, the likeliest first.
	Suggestions(ctx context.Context, account record.ID) (projection.Suggestions, error)
	// OpeningFor is what an incident might be opened with for an account.
	OpeningFor(ctx context.Context, account record.ID) (o record.Opening, claims []int, err error)
	LinkageSource
}

// queueRoutes adds the queue: the list of accounts that wait, and the workbench for one.
func (s *server) queueRoutes() {
	s.act("GET /queue", s.queue, acts.Operations)
	s.act("GET /queue/{account}", s.workbench, acts.Operations)
	s.act("POST /queue/{account}/link", s.queueLink, acts.Operations)
	s.act("POST /queue/{account}/open", s.queueOpen, acts.Operations)
	s.act("POST /queue/{account}/aside", s.queueAside, acts.Operations)
	s.act("POST /queue/{account}/later", s.queueLater, acts.Operations)
	s.act("POST /queue/{account}/takeup", s.queueTakeUp, acts.Operations)
}

// queueFilter is which accounts of the queue the address asks for, and in which order.
type queueFilter struct {
	part    projection.Part
	order   projection.Order
	who     string // a party, "other", or byClaimant and a name
	carrier string
	batch   string
	text    string
	page    int // from 1
}

// parseQueue reads the address. As on Situation, what is not known is an error and not
// passed over.
func parseQueue(v *view) (f queueFilter, p projection.QueueFilter, err error) {
	q := v.query
	f = queueFilter{part: projection.PartWaiting, order: projection.OrderOldest, who: first(q, "who"), carrier: first(q, "carrier"),
		batch: first(q, "batch"), text: first(q, "q"), page: 1}
	if s := first(q, "part"); s != "" {
		if f.part = projection.Part(s); !slices.Contains(projection.Parts, f.part) {
			return f, p, filterError("queue.bad_part", "value", s)
		}
	}
	if s := first(q, "order"); s != "" {
		if f.order = projection.Order(s); !slices.Contains(projection.Orders, f.order) {
			return f, p, filterError("queue.bad_order", "value", s)
		}
	}
	p = projection.QueueFilter{Part: f.part, Order: f.order, Text: f.text, Carrier: f.carrier, Limit: queueSize}
	name, claimant := strings.CutPrefix(f.who, byClaimant)
	switch {
	case f.who == "":
	case claimant:
		p.Claimant = name
	case f.who == "other" || v.names.parties[f.who] != nil:
		p.Party = []string{f.who}
	default:
		return f, p, filterError("filter.bad_who", "value", f.who)
	}
	if f.batch != "" {
		if p.Batch, err = record.ParseID(f.batch); err != nil {
			return f, p, filterError("queue.bad_batch", "value", f.batch)
		}
	}
	if utf8.RuneCountInString(f.text) > maxLetters || len(projection.Words(f.text)) > projection.MaxWords {
		return f, p, filterError("filter.bad_text")
	}
	if s := first(q, "page"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1_000_000 {
			return f, p, filterError("filter.bad_page", "value", s)
		}
		f.page = n
	}
	p.Offset = (f.page - 1) * queueSize
	return f, p, nil
}

// queueSize is how many accounts one page of the queue lists. For each, suggestions are
// worked out anew.
const queueSize = 20

// query writes the filter as an address does, the page left out.
func (f queueFilter) query() url.Values {
	q := url.Values{}
	for _, x := range [][2]string{{"part", string(f.part)}, {"order", string(f.order)}, {"who", f.who}, {"carrier", f.carrier}, {"batch", f.batch}, {"q", f.text}} {
		if x[1] != "" && x[1] != string(projection.PartWaiting) && x[1] != string(projection.OrderOldest) {
			q.Set(x[0], x[1])
		}
	}
	return q
}

// narrowed tells whether the filter asks for less than its part of the queue.
func (f queueFilter) narrowed() bool {
	return f.who != "" || f.carrier != "" || f.batch != "" || f.text != ""
}

// inPart is the same filter for another part.
func (f queueFilter) inPart(p projection.Part) queueFilter {
	f.part = p
	return f
}

// queueAddress is a page of the queue; one without an id is the list.
func (v *view) queueAddress(f queueFilter, id record.ID) string {
	path := "/queue"
	if !id.IsZero() {
		path += "/" + id.String()
	}
	return string(v.link(path, f.query()))
}

// putOff are the accounts that the officer's member has put off and whose day has not
// come.
func (s *server) putOff(ctx context.Context, v *view) (map[record.ID]office.Later, error) {
	list, err := s.Office.Postponed(ctx, v.who.Member)
	out := map[record.ID]office.Later{}
	for _, l := range list {
		if l.Until.IsZero() || l.Until.After(v.now) {
			out[l.Account] = l
		}
	}
	return out, err
}

func ids[T any](m map[record.ID]T) map[record.ID]bool {
	out := map[record.ID]bool{}
	for id := range m {
		out[id] = true
	}
	return out
}

// queuePage is the list of accounts that wait.
type queuePage struct {
	filter    queueFilter
	rows      []queueRow
	matched   int
	sizes     map[projection.Part]int
	claimants []record.Claimant
	batches   []projection.Batch
	last      *lastAct
	pages     int
}

// queueRow is an account that waits, with the suggestion that is likeliest.
type queueRow struct {
	accountView
	best  *candidate // nil: there is none
	later *office.Later
	aside *projection.Record // what set it aside
}

func (s *server) queue(v *view, r *http.Request) error {
	ctx := r.Context()
	f, pf, err := parseQueue(v)
	if err != nil {
		return err
	}
	off, err := s.putOff(ctx, v)
	if err != nil {
		return err
	}
	pf.PutOff = ids(off)
	list, err := s.Source.Queue(ctx, pf)
	if err != nil {
		return err
	}
	p := queuePage{filter: f, matched: list.Matched, sizes: list.Sizes, pages: (list.Matched + queueSize - 1) / queueSize}
	told, err := s.withReports(ctx, list.Accounts)
	if err != nil {
		return err
	}
	for _, a := range told {
		row := queueRow{accountView: a}
		if l, ok := off[a.ID]; ok {
			row.later = &l
		}
		if a.Aside {
			if row.aside, err = s.setAside(ctx, a.ID); err != nil {
				return err
			}
		} else if row.best, err = s.likeliest(ctx, v, a.Account); err != nil {
			return err
		}
		p.rows = append(p.rows, row)
	}
	if p.claimants, err = s.Source.Claimants(ctx); err != nil {
		return err
	}
	if p.batches, _, err = s.Source.Batches(ctx, 50, 0); err != nil {
		return err
	}
	if p.last, err = s.lastAct(ctx, v); err != nil {
		return err
	}
	v.section, v.title, v.body, v.sheets = "desk", v.T("queue.title"), queueBody(v, p), []string{"linkage.css"}
	return nil
}

// likeliest is the best suggestion for an account; nil where there is none.
func (s *server) likeliest(ctx context.Context, v *view, a projection.Account) (*candidate, error) {
	found, err := s.Source.Suggestions(ctx, a.ID)
	if err != nil || len(found.List) == 0 || !tells(&found.List[0]) {
		return nil, err
	}
	in, err := s.Source.Incident(ctx, found.List[0].ID)
	if notFound(err) {
		return nil, nil // gone since
	}
	if err != nil {
		return nil, err
	}
	c := &candidate{Incident: in, why: &found.List[0]}
	c.weighed, err = s.weigh(ctx, c.why)
	return c, err
}

// setAside is the record that says that an account is about no incident; nil where none
// stands.
func (s *server) setAside(ctx context.Context, account record.ID) (*projection.Record, error) {
	list, err := s.Source.HistoryOfAccount(ctx, account)
	return asideIn(list), err
}

// asideIn finds in an account's history what sets it aside; nil where nothing does.
func asideIn(history []projection.Record) *projection.Record {
	for _, rec := range slices.Backward(history) {
		if rec.Kind == record.AccountSetAside && rec.Undone < 0 {
			return &rec
		}
	}
	return nil
}

// firstWords are what an account says first, in the words of its first claim that has any.
func (a accountView) firstWords() string {
	for _, c := range a.Body.Claims {
		if c.Words != "" {
			return c.Words
		}
	}
	if a.Body.Quote != nil {
		return a.Body.Quote.Text
	}
	return ""
}

// claimantsOf are the claimants who speak for a party, "" for the others, each once.
func claimantsOf(v *view, list []record.Claimant, party string) (out []string) {
	for _, c := range list {
		if v.names.speaks(c) == party && !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// candidate is an incident that an account may be about, as a row to tick.
type candidate struct {
	projection.Incident
	why     *suggest.Suggestion // nil: found by the officer and not suggested
	weighed *weighing           // what the model says; nil where it was not weighed
	found   bool                // the officer looked for it
	key     int                 // 1 to 9; 0 for later ones
	ticked  bool
	// How it would be linked, as filled in.
	role, claims, reason string
}

// likely tells whether the rule calls it likely.
func (c *candidate) likely() bool { return c.why != nil && c.why.Likely() }

// tells tells whether more speaks of an incident than what kind of thing it is: else all
// of one kind are alike, and none is worth showing.
func tells(s *suggest.Suggestion) bool {
	return slices.ContainsFunc(s.Reasons, func(r suggest.Reason) bool { return r.Criterion != suggest.Class && r.Level != suggest.Unknown })
}

// known are the reasons of the criteria that could be told.
func (c *candidate) known() (out []suggest.Reason) {
	if c.why == nil {
		return nil
	}
	for _, r := range c.why.Reasons {
		if r.Level != suggest.Unknown {
			out = append(out, r)
		}
	}
	return out
}

// unknown are the criteria that could not be told.
func (c *candidate) unknown() (out []suggest.Criterion) {
	if c.why == nil {
		return nil
	}
	for _, r := range c.why.Reasons {
		if r.Level == suggest.Unknown {
			out = append(out, r.Criterion)
		}
	}
	return out
}

// queueStep is where a form of the workbench is sent.
func (v *view) queueStep(f queueFilter, id record.ID, step string) string {
	return string(v.link("/queue/"+id.String()+"/"+step, f.query()))
}

// queuePageLink is another page of the list.
func queuePageLink(v *view, f queueFilter, page int) templ.SafeURL {
	q := f.query()
	if page > 1 {
		q.Set("page", itoa(page))
	}
	return v.link("/queue", q)
}

// unlinked lists accounts that no incident holds, or those of them that are set aside.
func (s *server) unlinked(ctx context.Context, aside bool, offset int) ([]projection.Account, int, error) {
	if !aside {
		return s.Source.Unlinked(ctx, unlinkedSize, offset)
	}
	list, err := s.Source.Queue(ctx, projection.QueueFilter{Part: projection.PartAside, Limit: unlinkedSize, Offset: offset})
	return list.Accounts, list.Matched, err
}

// part names in the address which of the two lists the page shows.
func (p unlinkedPage) part() string {
	if p.aside {
		return "aside"
	}
	return "unlinked"
}
