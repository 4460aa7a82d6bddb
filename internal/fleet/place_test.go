// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/agreement"
	"truceline/internal/fleet"
	"truceline/internal/projection"
	"truceline/record"
)

// gridded is a mission that keeps places to a tenth of a degree; a line runs along 54.45
// north.
func gridded(t *testing.T, seed uint64) *fleet.Fleet {
	t.Helper()
	f := begin(t, seed)
	if err := f.Registry().Adopt(t.Context(), func(p *agreement.Pack) {
		p.Coarse = &agreement.Coarse{GridE6: 100_000}
		p.Lines = append(p.Lines, agreement.Line{Code: "shore", Name: agreement.Text{"en": "The shore"}, PartyNames: map[string]agreement.Text{"NOR": {"en": "n"}},
			Path: [][2]int64{{54_450_000, 9_000_000}, {54_450_000, 12_000_000}}})
	}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	return f
}

// at is a form of a statement with a position.
func at(lat, lon string, more ...string) acts.Values {
	v := sealedForm("3")
	v["claimant"], v["lat"], v["lon"], v["precision_m"] = []string{"EXERCISE spokesman"}, []string{lat}, []string{lon}, []string{"20"}
	for i := 0; i < len(more); i += 2 {
		v[more[i]] = []string{more[i+1]}
	}
	return v
}

// placed files a public statement with a position.
func placed(t *testing.T, f *fleet.Fleet, code, lat, lon string) record.ID {
	t.Helper()
	token, err := record.NewID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := do(t, f, code, "statement.record", at(lat, lon, "form", token.String())); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	return acts.FormID(token, record.AccountFiled)
}

// Who averages what is said of a place again and again, who asks every node, every box and
// every search of the public, or looks through the disks of others, finds the area and
// nothing in it.
func TestExactPlacesStayWithTheirAuthor(t *testing.T) {
	f := gridded(t, 71)
	spots := [][2]string{{"54.123457", "10.987653"}, {"54.198761", "10.912343"}, {"54.111113", "10.944449"}}
	var areas []record.Area
	for _, x := range spots {
		id := placed(t, f, "NOR", x[0], x[1])
		for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
			n := f.Nodes[code]
			if err := n.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, look := range []*projection.DB{n.Projection, n.Public()} {
				a, err := look.Account(t.Context(), id)
				if err != nil {
					t.Fatal(code, err)
				}
				c := a.Body.Claims[0]
				if c.Point != nil || c.Area == nil {
					t.Fatalf("%s shows %+v, %+v", code, c.Point, c.Area)
				}
				areas = append(areas, *c.Area)
			}
		}
	}
	for _, a := range areas {
		if a != (record.Area{LatE6: 54_100_000, LonE6: 10_900_000, SizeE6: 100_000, Side: record.SideOne}) {
			t.Errorf("of one cell there are several areas: %+v", a)
		}
	}
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		for _, x := range spots {
			for _, degrees := range x {
				if where := holds(t, f.Path(code), strings.ReplaceAll(degrees, ".", "")); where != "" {
					t.Errorf("%s has %s in %s", code, degrees, where)
				}
			}
		}
	}

	// On both sides of the line, right beside it, one area is filed.
	var beside []record.Area
	for _, lat := range []string{"54.449999", "54.450001"} {
		id := placed(t, f, "SUD", lat, "10.6")
		if err := f.Nodes["mon"].Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := f.Nodes["mon"].Public().Account(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		beside = append(beside, *a.Body.Claims[0].Area)
	}
	if beside[0] != beside[1] || beside[0].Side != record.SideUndetermined {
		t.Errorf("the area tells the side: %+v", beside)
	}
	settled(t, f)
}

// What is for some is filed with both, for them alone; and nobody's own program gets an exact
// position past the door into a public record.
func TestExactPlacesAreForReaders(t *testing.T) {
	f := gridded(t, 72)
	kept, err := whispers(f, "NOR", record.AudienceNamed, "fac")
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	form := at("54.123457", "10.987653", "account", kept.String(), "claimant", "Speaker of NOR")
	if _, err := do(t, f, "NOR", "account.amend", form); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		if err := f.Nodes[code].Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		found := holds(t, f.Path(code), "54123457")
		if want := code == "NOR" || code == "fac"; (found != "") != want {
			t.Errorf("%s has the exact position: %q, want %t", code, found, want)
		}
	}
	a, err := f.Nodes["fac"].Projection.Account(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	if c := a.Body.Claims[0]; c.Point == nil || c.Point.LatE6 != 54_123_457 || c.Area == nil || c.Area.LatE6 != 54_100_000 {
		t.Errorf("its reader sees %+v, %+v", c.Point, c.Area)
	}
	d := f.Account("NOR", 3)
	d.Body.(*record.Account).Claims[0].Point = &record.Point{LatE6: 54_123_457, LonE6: 10_987_653, PrecisionM: 20}
	if _, err := f.File("NOR", d); err != nil {
		t.Log(err) // its own node may say so at once
	}
	f.Settle()
	if found := holds(t, f.Path("mon"), "54123457"); found != "" {
		t.Errorf("a public record with an exact position came in: %s", found)
	}
	settled(t, f)
}
