// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"truceline/acts"
	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// turns let one officer after the other act on an account, so that each sees what the one
// before did.
type turns [64]sync.Mutex

func (t *turns) of(id record.ID) *sync.Mutex {
	h := fnv.New32a()
	h.Write(id[:])
	return &t[h.Sum32()%uint32(len(t))]
}

// workAct does an act of the queue's on the account that the address names. Values are
// what is filed; sent are the fields as they were sent, for the page to show again.
func (s *server) workAct(v *view, r *http.Request, name string, values, sent acts.Values) error {
	act, _ := acts.Find(name)
	p, err := s.workFor(v, r)
	if err != nil {
		return err
	}
	turn := s.turns.of(p.ID)
	turn.Lock()
	defer turn.Unlock()
	if p.meanwhile, err = s.since(r.Context(), p.ID, r.PostForm.Get("seen")); err != nil {
		return err
	}
	f := form{act: act, values: values}
	values["account"] = []string{p.ID.String()}
	var done filed
	switch {
	case len(p.meanwhile) > 0:
	case name == "account.link" && len(values["incident"]) == 0:
		f.problems = []acts.Problem{{Field: "incident", Key: "problem.none_ticked"}}
	default:
		if done, err = s.perform(v, r, &f); err != nil {
			return err
		}
		if !done.waits.IsZero() {
			v.leadToBox(done.waits)
			return nil
		}
		if len(f.problems) == 0 && f.refusal == nil {
			return s.leadToNext(v, r, p, done.Receipts[0].ID.String())
		}
	}
	v.status = http.StatusUnprocessableEntity
	if len(p.meanwhile) > 0 {
		v.status = http.StatusConflict
		// The account as it was read may be older than what was found.
		again, err := s.workFor(v, r)
		if err != nil {
			return err
		}
		again.meanwhile, p = p.meanwhile, again
	}
	f.values = sent
	f.hidden = []string{"account"}
	return s.showWork(v, r, p, f)
}

// since lists what was filed about the account after what the officer saw; nothing where
// the form does not say what that was.
func (s *server) since(ctx context.Context, account record.ID, seen string) (out []projection.Record, err error) {
	index, bad := strconv.ParseInt(seen, 10, 64)
	if bad != nil {
		return nil, nil
	}
	list, err := s.Source.HistoryOfAccount(ctx, account)
	for _, rec := range list {
		if rec.Index > index {
			out = append(out, rec)
		}
	}
	return out, err
}

// leadToNext leads on to the next account of the queue, or to the list where there is none.
func (s *server) leadToNext(v *view, r *http.Request, p *workPage, done string) error {
	_, pf, err := parseQueue(v)
	if err != nil {
		return err
	}
	off, err := s.putOff(r.Context(), v)
	if err != nil {
		return err
	}
	pf.PutOff = ids(off)
	around, err := s.Source.QueueAround(r.Context(), pf, p.ID)
	if err != nil {
		return err
	}
	next := around.After
	if next.IsZero() { // from the end to what was left before it
		pf.Limit, pf.Offset = 1, 0
		list, err := s.Source.Queue(r.Context(), pf)
		if err != nil {
			return err
		}
		if len(list.Accounts) > 0 && list.Accounts[0].ID != p.ID {
			next = list.Accounts[0].ID
		}
	}
	path := "/queue"
	if !next.IsZero() {
		path += "/" + next.String()
	}
	q := p.filter.query()
	if done != "" {
		q.Set("done", done)
	}
	v.location = string(v.link(path, q))
	return nil
}

// queueLink links the account to the incidents that were ticked, to each in its own way.
func (s *server) queueLink(v *view, r *http.Request) error {
	values, sent := acts.Values{}, acts.Values{}
	for name, list := range r.PostForm {
		if field, _, ok := strings.Cut(name, "."); ok && contains([]string{"role", "claims", "reason"}, field) {
			sent[name] = list
		}
	}
	sent["incident"] = r.PostForm["incident"]
	for _, id := range sent["incident"] {
		if slices.Contains(values["incident"], id) {
			continue
		}
		values["incident"] = append(values["incident"], id)
		for _, field := range []string{"role", "claims", "reason"} {
			values[field] = append(values[field], sent.Get(field+"."+id))
		}
	}
	return s.workAct(v, r, "account.link", values, sent)
}

func (s *server) queueOpen(v *view, r *http.Request) error {
	act, _ := acts.Find("account.open")
	values := valuesOf(act, r.PostForm)
	return s.workAct(v, r, act.Name, values, values)
}

func (s *server) queueAside(v *view, r *http.Request) error {
	values := acts.Values{"reason": {r.PostForm.Get("reason")}}
	return s.workAct(v, r, "account.set_aside", values, values)
}

// queueLater puts the account off. Nothing of it is filed.
func (s *server) queueLater(v *view, r *http.Request) error {
	p, err := s.workFor(v, r)
	if err != nil {
		return err
	}
	if err := v.offer(r.Context(), "account.later", p.ID); err != nil {
		v.status = http.StatusUnprocessableEntity
		return s.showWork(v, r, p, form{act: laterAct(), refusal: err})
	}
	p.until, p.note = strings.TrimSpace(acts.Latin(r.PostForm.Get("until"))), strings.TrimSpace(r.PostForm.Get("note"))
	l := office.Later{Account: p.ID, Member: v.who.Member, Officer: v.who.ID, Note: p.note}
	if p.until != "" {
		d, err := when.ParseDate(p.until)
		if err != nil || d.Precision() != when.Day || !d.First().After(v.now) {
			p.untilWrong, v.status = true, http.StatusUnprocessableEntity
			return s.showWork(v, r, p, form{})
		}
		l.Until = d.First()
	}
	if field, _ := laterAct().Field("note"); len([]rune(l.Note)) > field.Max {
		l.Note = string([]rune(l.Note)[:field.Max])
	}
	if err := s.Office.Postpone(r.Context(), l); err != nil {
		return err
	}
	if err := s.leadToNext(v, r, p, ""); err != nil {
		return err
	}
	v.addToLocation("put", p.ID.String())
	return nil
}

func laterAct() *acts.Act {
	a, _ := acts.Find("account.later")
	return a
}

// queueTakeUp takes an account up that was put off; it is shown at once.
func (s *server) queueTakeUp(v *view, r *http.Request) error {
	p, err := s.workFor(v, r)
	if err != nil {
		return err
	}
	if err := s.Office.TakeUp(r.Context(), v.who.Member, p.ID); err != nil && !notFound(err) {
		return err
	}
	f := p.filter
	if f.part == projection.PartLater {
		f.part = projection.PartWaiting
	}
	v.location = v.queueAddress(f, p.ID)
	return nil
}

// lastAct is what the officer did last in the queue, with the way back from it.
type lastAct struct {
	record    projection.Record // to undo; its kind says what was done
	account   *projection.Account
	incidents []projection.Incident
	just      bool // it was done a moment ago
	undone    *projection.Record
	put       *projection.Account // put off a moment ago, which no record says
}

// queueKinds are the records that an officer makes in the queue, by what they stand for
// where an act has several.
var queueKinds = []record.Kind{record.IncidentOpened, record.AccountSetAside, record.IncidentLinked}

// lastActs is how many of an officer's records are looked through.
const lastActs = 60

// lastAct finds the officer's newest act of the queue that stands and may be undone, of
// this sign-in alone. Undoings are none, so that undoing again and again goes back act
// by act.
func (s *server) lastAct(ctx context.Context, v *view) (*lastAct, error) {
	list, err := s.Source.By(ctx, v.who.ID, lastActs)
	if err != nil {
		return nil, err
	}
	out := &lastAct{}
	done, _ := record.ParseID(v.query.Get("done"))
	for _, rec := range list {
		if rec.ID == done && (rec.Kind == record.ActUndone || rec.Kind == record.IncidentUnlinked) {
			out.undone = &rec
		}
	}
	if id, err := record.ParseID(v.query.Get("put")); err == nil {
		if a, err := s.Source.Account(ctx, id); err == nil {
			out.put = &a
		}
	}
	for _, rec := range list {
		if rec.LoggedAt < v.who.signIn.Created.UnixMilli() {
			break
		}
		if rec.Undone >= 0 || !slices.Contains(queueKinds, rec.Kind) || !v.mayDo(ctx, "act.undo", rec.ID) {
			continue
		}
		ok, err := s.describe(ctx, out, rec)
		if err != nil {
			return nil, err
		}
		if ok {
			out.just = !done.IsZero() && out.undone == nil
			return out, nil
		}
	}
	if out.undone == nil && out.put == nil {
		return nil, nil
	}
	return out, nil
}

// describe says what an act did; not ok for one of another page's, as a division.
func (s *server) describe(ctx context.Context, out *lastAct, rec projection.Record) (ok bool, err error) {
	group := []projection.Record{rec}
	if !rec.Act.IsZero() {
		if group, err = s.Source.Act(ctx, rec.Act); err != nil {
			return false, err
		}
	}
	out.record, out.account, out.incidents = rec, nil, nil
	for _, g := range group {
		switch g.Kind {
		case record.IncidentOpened:
			out.record = g
		case record.AccountSetAside, record.IncidentLinked:
		default:
			return false, nil
		}
		for _, sub := range g.Subjects {
			switch sub.Role {
			case record.RoleAccount:
				a, err := s.Source.Account(ctx, sub.ID)
				if err != nil {
					return false, ignoreAbsent(err)
				}
				out.account = &a
			case record.RoleIncident:
				in, err := s.Source.Incident(ctx, sub.ID)
				if err != nil {
					return false, ignoreAbsent(err)
				}
				out.incidents = append(out.incidents, in)
			}
		}
	}
	return out.account != nil, nil
}

func ignoreAbsent(err error) error {
	if notFound(err) {
		return nil
	}
	return err
}

// addToLocation adds to the address that the answer leads to.
func (v *view) addToLocation(name, value string) {
	sep := "?"
	if strings.Contains(v.location, "?") {
		sep = "&"
	}
	v.location += sep + name + "=" + value
}
