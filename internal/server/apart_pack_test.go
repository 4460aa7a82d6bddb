// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"truceline/agreement"
	"truceline/internal/fleet"
	"truceline/record"
)

// deskCode is a desk whose keys are on the registry's node, so that this node has officers.
const deskCode = "obs"

// apartPack is an agreement with something for every page to show, and with an escrow.
func apartPack() *agreement.Pack {
	en := func(s string) agreement.Text { return agreement.Text{"en": s} }
	at := func(code, name string, lat, lon int64) agreement.Place {
		return agreement.Place{Code: code, Kind: "town", Name: en(name), LatE6: &lat, LonE6: &lon, PrecisionM: 1000}
	}
	p := fleet.Pack()
	p.Members = append(p.Members, agreement.Member{Code: deskCode, Name: en("Reading room"), Role: record.DeskRole})
	p.Mechanism = []string{"mon"}
	p.Filing = &agreement.Filing{Escrow: []string{"fac", "mon"}, EscrowNeed: 2}
	p.Release = &agreement.Release{Bodies: []string{"fac", "mon"}, Need: 2}
	p.IncidentTypes = append(p.IncidentTypes, agreement.Term{Code: "raid", Name: en("Raid")})
	p.Places = []agreement.Place{at("ford", "The ford", 50_000_000, 10_000_000), at("weir", "The weir", 50_100_000, 10_100_000), at("hill", "The hill", 50_200_000, 10_200_000)}
	p.View = &agreement.Box{North: 51_000_000, South: 49_000_000, West: 9_000_000, East: 11_000_000}
	p.Measures = append(p.Measures, agreement.Measure{Code: "injured", Name: en("Injured"), Unit: "people"})
	p.Subsets = []agreement.Term{{Code: "women", Name: en("Women")}}
	p.Grades = []agreement.Term{{Code: "A", Name: en("Reliable")}, {Code: "B", Name: en("Not reliable")}}
	return p
}
