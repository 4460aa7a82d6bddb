// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"testing"
	"time"

	"truceline/evidence"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/record"
	"truceline/when"
)

// TestAlarmsOfEverybody: what is wrong with a record that is not for everybody is told to
// nobody else than its readers, neither that there is one nor what stands in it. So it is
// with a record that this version cannot read.
func TestAlarmsOfEverybody(t *testing.T) {
	later := func(audience string) func(t *testing.T, f *fleet.Fleet) int64 {
		return func(t *testing.T, f *fleet.Fleet) int64 {
			l := newLiar(t, f)
			d := node.Draft{Kind: record.IncidentOpened, Member: "fac", Audience: audience, Body: &record.Opening{Class: record.ClassIncident, Label: "EXERCISE", PlaceText: "x", Types: []string{"shots"}, When: when.Span{Start: "2031-03-01"}}}
			sub, err := f.Nodes["fac"].Sign(d, true)
			if err != nil {
				t.Fatal(err)
			}
			env, err := record.ParseEnvelope(sub.Envelope)
			if err != nil {
				t.Fatal(err)
			}
			env.Payload = bytes.Replace(env.Payload, []byte(`"kind":"incident.opened"`), []byte(`"kind":"incident.painted"`), 1)
			if sub.Envelope, err = env.Encode(); err != nil {
				t.Fatal(err)
			}
			index := l.log(registry.Submission{Envelope: sub.Envelope, Body: sub.Body, BodySalt: sub.BodySalt}, f.Clock.Now().UnixMilli())
			l.show("NOR")
			_ = f.Round("NOR") // what it cannot read stops its state
			return index
		}
	}
	clock := func(audience string) func(t *testing.T, f *fleet.Fleet) int64 {
		return func(t *testing.T, f *fleet.Fleet) int64 {
			d := f.Account("SUD", 3)
			d.Audience = audience
			index := f.Registry().Head().Size
			f.Clock.Advance(time.Hour)
			_, err := f.File("SUD", d)
			f.Clock.Advance(-time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			f.Settle()
			f.Settle()
			return index
		}
	}
	for _, c := range []struct {
		what string
		make func(t *testing.T, f *fleet.Fleet) int64
		open bool
	}{
		{"for members, of a later version", later(record.AudienceMembers), false},
		{"for everybody, of a later version", later(record.AudiencePublic), true},
		{"for members, of a clock that is far off", clock(record.AudienceMembers), false},
		{"for everybody, of a clock that is far off", clock(record.AudiencePublic), true},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := signedMission(t, 71)
			index := c.make(t, f)
			n := f.Nodes["NOR"]
			all := n.Alarms()
			if len(all) != 1 || all[0].Index != index || all[0].What == "" {
				t.Fatalf("%+v, want one of record %d", all, index)
			}
			open, err := n.PublicAlarms(t.Context())
			if err != nil || len(open) == 1 != c.open {
				t.Errorf("everybody is told of %+v, %v", open, err)
			}
			for _, a := range open {
				if a.What != "" || a.Index != index || a.Kind != all[0].Kind {
					t.Errorf("everybody is told %+v", a)
				}
			}
			if _, err := n.Log().Line(t.Context(), index); (err == nil) != c.open {
				t.Errorf("everybody gets the record: %v", err)
			}
			if _, err := n.MembersLog().Line(t.Context(), index); err != nil {
				t.Errorf("members do not get the record: %v", err)
			}
			if all[0].Kind == node.FarOffClock {
				b, err := n.Evidence(all[0].Evidence)
				if err != nil {
					t.Fatal(err)
				}
				if list, err := evidence.Envelopes(b); err != nil || len(list) != 2 {
					t.Errorf("%d records stand in the file, %v", len(list), err)
				}
			}
		})
	}
}
