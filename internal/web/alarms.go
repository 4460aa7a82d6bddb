// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"slices"
	"strconv"

	"truceline/internal/node"
)

// alarmsPage lists what this node found wrong with others.
type alarmsPage struct {
	list []alarmView // the gravest first, of each kind the newest
}

type alarmView struct {
	node.Alarm
	shown  int64 // the record that it is about, to be opened here; -1: none, or not here
	verify string
}

// proves tells whether the page has words for what a file of the kind proves.
func (a alarmView) proves() bool { return slices.Contains(proven, a.Kind) }

// proven are the kinds of alarms that can come with a proof.
var proven = []node.AlarmKind{node.TwoHistories, node.LoggedTwice, node.FalseTime, node.DeadKey, node.BrokenRule, node.Withheld, node.FarOffClock}

func (s *server) alarms(v *view, r *http.Request) error {
	c, err := s.Nodes.Cosigning(r.Context())
	if err != nil {
		return err
	}
	p := alarmsPage{}
	for _, a := range slices.Backward(v.standing.Alarms) {
		one := alarmView{Alarm: a, shown: -1, verify: s.checks(v, a, c.Policy != nil)}
		if index, ok := alarmed(a); ok && index <= v.counts.LastIndex {
			one.shown = index
		}
		p.list = append(p.list, one)
	}
	slices.SortStableFunc(p.list, func(a, b alarmView) int {
		return slices.Index(node.AlarmKinds, a.Kind) - slices.Index(node.AlarmKinds, b.Kind)
	})
	v.section, v.title, v.body = "alarms", v.T("alarms.title"), alarmsBody(v, p)
	return nil
}

// checks is the command that checks what an alarm is proved by, with all that the file
// itself must not be asked for.
func (s *server) checks(v *view, a node.Alarm, policy bool) string {
	c := "truceline verify evidence " + a.Evidence + " --key '" + s.LogVKey + "'"
	if policy {
		c += " --policy policy.txt"
	}
	c += " --bound " + strconv.FormatInt(v.pack.ClockBoundMS()/1000, 10) + "s"
	if a.Kind == node.Withheld {
		c += " --log " + s.LogURL
	}
	return c
}

// evidence sends a proof as the file that was kept, for others to check.
func (s *server) evidence(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	v, err := s.view(r)
	var b []byte
	if err == nil {
		b, err = s.Nodes.Evidence(r.Context(), name)
	}
	if err != nil {
		if notFound(err) {
			err = fault{status: http.StatusNotFound, key: "alarm.no_evidence", args: []any{"name", name}, err: err}
		}
		s.fail(w, r, err)
		return
	}
	attach(w, name, "application/json")
	v.sendFile(w, r, b)
}

// attach makes an answer a file to keep. Name holds letters, digits, "-", "_" and "." only.
func attach(w http.ResponseWriter, name, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
}
