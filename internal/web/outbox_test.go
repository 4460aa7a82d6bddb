// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"truceline/acts"
	mission "truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/record"
)

// testBox is an outbox of what a test puts in.
type testBox struct {
	acts      []outbox.Act // the oldest first
	forgotten []int64
}

func (b *testBox) List(_ context.Context, f outbox.Filter) (out []outbox.Act, err error) {
	for _, a := range slices.Backward(b.acts) {
		if (len(f.States) == 0 || slices.Contains(f.States, a.State)) && (f.Before == 0 || a.Seq < f.Before) && len(out) < f.Limit {
			out = append(out, a)
		}
	}
	return out, nil
}

func (b *testBox) Find(_ context.Context, id record.ID) (outbox.Act, bool, error) {
	for _, a := range b.acts {
		if a.ID == id || slices.ContainsFunc(a.Records, func(x outbox.Submission) bool { return x.ID == id }) {
			return a, true, nil
		}
	}
	return outbox.Act{}, false, nil
}

func (b *testBox) Counts(context.Context) (map[outbox.State]int, error) {
	out := map[outbox.State]int{}
	for _, a := range b.acts {
		out[a.State]++
	}
	return out, nil
}

func (b *testBox) Waiting(context.Context) iter.Seq2[outbox.Act, error] {
	return func(yield func(outbox.Act, error) bool) {
		for _, a := range b.acts {
			if a.State.Waiting() && !yield(a, nil) {
				return
			}
		}
	}
}

func (b *testBox) Forget(_ context.Context, seq int64) (outbox.Act, error) {
	for i := range b.acts {
		if b.acts[i].Seq == seq && b.acts[i].State == outbox.Refused {
			b.acts[i].State = outbox.SetAside
			b.forgotten = append(b.forgotten, seq)
			return b.acts[i], nil
		}
	}
	return outbox.Act{}, &outbox.Impossible{State: outbox.Queued, Event: outbox.PutAside}
}

func boxID(n int) record.ID { return record.ID{0: 0xbb, 15: byte(n)} }

// newBox has an act in each state that a page shows, of the desk's member. They are signed
// versions of what is in the record.
func newBox(t testing.TB, s *webtest.Source) *testBox {
	t.Helper()
	b := &testBox{}
	desk := s.TheAgreement.MembersWith(record.DeskRole)[0]
	add := func(a outbox.Act, records int) {
		a.Seq, a.Member, a.QueuedAt = int64(len(b.acts)+1), desk, testNow-7_200_000+int64(len(b.acts))*60_000
		a.ID, a.ChangedAt = boxID(len(b.acts)+1), a.QueuedAt+1000
		if a.Officer.IsZero() {
			a.Officer = officerID(0)
		}
		for i := range records {
			env, err := lineEnvelope(s.Lines[i])
			if err != nil {
				t.Fatal(err)
			}
			kind := s.Log[i].Kind
			a.Records = append(a.Records, outbox.Submission{ID: record.ID{0: 0xbc, 14: byte(len(b.acts)), 15: byte(i)}, Kind: kind, Envelope: env, Body: []byte(`{"note":"EXERCISE"}`)})
			if a.State == outbox.Receipted {
				r := outbox.Receipt{ID: s.Log[i].ID, Index: int64(i), LoggedAt: s.Log[i].LoggedAt}
				if a.Tries == 2 { // two tries: witnessed
					r.WitnessedAt, r.Witnesses = testNow-60_000, []string{desk, "stranger"}
				}
				a.Receipts = append(a.Receipts, r)
			}
		}
		b.acts = append(b.acts, a)
	}
	add(outbox.Act{State: outbox.Queued}, 1)
	add(outbox.Act{State: outbox.Sent, Tries: 3, TriedAt: testNow - 30_000, LastError: "the line gave no answer: dial tcp: connection refused", Officer: officerID(9)}, 2)
	add(outbox.Act{State: outbox.Receipted, Tries: 1, TriedAt: testNow - 90_000}, 5)
	add(outbox.Act{State: outbox.Receipted, Tries: 2, TriedAt: testNow - 90_000}, 2)
	add(outbox.Act{State: outbox.Refused, Tries: 1, TriedAt: testNow - 90_000, Refusal: []byte(`{"payload":"x"}`), RefusalCode: "not_in_agreement", RefusalReason: "there is no measure <b>lost</b>"}, 1)
	add(outbox.Act{State: outbox.SetAside, Tries: 1, TriedAt: testNow - 90_000, Refusal: []byte(`{"payload":"y"}`), RefusalCode: "of_a_later_version", RefusalReason: "some reason"}, 1)
	add(outbox.Act{State: outbox.Queued}, 1)
	b.acts[6].Member = "another"
	return b
}

// lineEnvelope is the envelope of a record line.
func lineEnvelope(b []byte) ([]byte, error) {
	var l struct {
		Envelope json.RawMessage `json:"envelope"`
	}
	err := json.Unmarshal(b, &l)
	return l.Envelope, err
}

func TestOutboxStates(t *testing.T) {
	d := newNodeSite(t, "durand", 2).member()
	for role, want := range map[string]bool{"": false, "#reader": true, "#desk": true} {
		if got := strings.Contains(get(d, "/"+role).Body.String(), `href="/outbox"`); got != want {
			t.Errorf("%q: the way to the outbox is shown: %t", role, got)
		}
	}
	if w := get(d, "/outbox"); w.Code != 401 {
		t.Errorf("anybody reads the outbox: %d", w.Code)
	}
	d.says("/outbox#desk", "signed, waits here", "sent, no answer yet", "tried 3 times", "in the ledger, witnessed", "refused", "refused, set aside", "The agreement does not have this code.", "3 wait", "and 4 more", "Signed by Example Officer <desk>")
	if n := len(parse(t, get(d, "/outbox#desk").Body.String()).all("ol")[0].all("li")); n != 6 {
		t.Errorf("%d acts are listed; another member's is none of ours", n)
	}
	d.says("/outbox?only=refused#desk", "refused, set aside")
	d.saysNot("/outbox?only=refused#desk", "sent, no answer yet")
	box := func(n int, q string) string { return "/outbox/" + boxID(n).String() + q + "#desk" }
	d.says(box(1, "?kept=1"), "Signed and kept on this node. It is not in the ledger yet.", "exactly once. Do not file it again")
	d.saysNot(box(1, ""), "Do not file it again")
	d.says(box(2, ""), "the registry may have it or not", "connection refused", "Tries 3")
	d.says(box(3, ""), "Not enough witnesses have cosigned that yet.", "Record #4")
	d.saysNot(box(3, "?kept=1"), "not in the ledger yet")
	d.says(box(4, ""), "nobody can take it out or change it unnoticed", "seen to be witnessed on 2026-07-02 10:59:00 UTC, by Worked example desk, stranger")
	d.says(box(5, ""), "The agreement does not have this code. there is no measure <b>lost</b>", "Set aside", "Download the signed refusal")
	d.says(box(6, ""), "It could not be done. some reason")
	d.nodes.standing.Cut = true
	d.says(box(1, ""), "Do not file it again: it goes out by itself")
	// What waits loads itself anew, what has come to its end does not.
	for n, want := range map[int]bool{1: true, 2: true, 3: true, 4: false, 5: false, 6: false} {
		if got := strings.Contains(get(d, box(n, "")).Body.String(), `http-equiv="refresh"`); got != want {
			t.Errorf("act %d loads itself anew: %t", n, got)
		}
	}
	if w := get(d, box(7, "")); w.Code != 404 {
		t.Errorf("another member's act: %d", w.Code)
	}
}

func TestRefusals(t *testing.T) {
	d := newNodeSite(t, "durand", 2).member()
	path := "/outbox/" + boxID(5).String()
	w := get(d, path+"/refusal#desk")
	if w.Code != 200 || w.Body.String() != `{"payload":"x"}` || w.Header().Get("Content-Disposition") != `attachment; filename="refusal-`+boxID(5).String()+`.dsse.json"` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d %v %s", w.Code, w.Header(), w.Body)
	}
	for path, want := range map[string]int{path + "/refusal": 401, "/outbox/" + boxID(1).String() + "/refusal#desk": 404, "/outbox/" + boxID(7).String() + "/refusal#desk": 404} {
		if w := get(d, path); w.Code != want || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
	if w := post(d, path+"/aside#reader", nil); w.Code != 403 {
		t.Errorf("a reader sets aside: %d", w.Code)
	}
	if w := post(d, "/outbox/"+boxID(1).String()+"/aside#desk", nil); w.Code != 409 {
		t.Errorf("what waits is set aside: %d", w.Code)
	}
	if w := post(d, path+"/aside#desk", nil); w.Code != 303 || !slices.Equal(d.box.forgotten, []int64{5}) {
		t.Errorf("status %d, set aside %v", w.Code, d.box.forgotten)
	}
}

// queueing says of every act that it waits.
type queueing struct{ willing }

func (queueing) Do(context.Context, mission.Officer, *acts.Act, acts.Values) (mission.Done, error) {
	return mission.Done{}, fmt.Errorf("do it: %w", &mission.Queued{Act: boxID(1), Err: errors.New("no line")})
}

// TestWhatWaitsIsDone: wherever an officer files, an act that waits leads to the outbox.
func TestWhatWaitsIsDone(t *testing.T) {
	s := newSource(t, "durand")
	cfg := config(t, s)
	cfg.Desk, cfg.Outbox, cfg.Nodes = queueing{}, newBox(t, s), watched(t, s, 2)
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := signedIn{h, cfg.Office.(*testOffice).cookies}
	in, account := s.List[0].ID.String(), s.All[0].ID.String()
	for path, form := range map[string]map[string][]string{
		"/do/batch.withdraw#desk":                 {"reason": {"x"}},
		"/do/act.undo#operations":                 {"record": {in}, "reason": {"x"}, "next": {"/ledger"}},
		"/incident/" + in + "/merge#operations":   {"number": {s.List[1].ID.String()}, "reason": {"x"}},
		"/incident/" + in + "/split#operations":   {"label": {"x"}, "reason": {"x"}},
		"/queue/" + account + "/link#operations":  {"incident": {in}, "reason." + in: {"x"}},
		"/queue/" + account + "/open#operations":  {"label": {"x"}},
		"/queue/" + account + "/aside#operations": {"reason": {"x"}},
		"/statement/new#desk":                     {"do": {"file"}, "claimant": {"x"}},
		"/account/" + account + "/amend#desk":     {"do": {"file"}, "claimant": {"x"}},
	} {
		w := post(d, path, form)
		if w.Code != 303 || w.Header().Get("Location") != "/outbox/"+boxID(1).String()+"?kept=1" {
			t.Errorf("%s: status %d, leads to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	drafts, err := cfg.Office.Drafts(context.Background(), officerID(slices.Index(office.Roles, office.RoleDesk)))
	if err != nil || len(drafts) != 2 {
		t.Errorf("%d drafts are kept, %v; the registry may refuse what waits", len(drafts), err)
	}
}
