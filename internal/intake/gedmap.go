// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"truceline/agreement"
	"truceline/when"
)

// ErrBadMap: a map file is not in the form of one.
var ErrBadMap = errors.New("read the map")

// maxMap bounds a map file, in bytes.
const maxMap = 1 << 20

// GEDMap says which codes of an agreement stand for the parts of a UCDP GED row.
// docs/formats/ucdp-ged.md is its form. A field that is blank is taken from the
// agreement where that leaves no choice.
type GEDMap struct {
	// All is the group of the figures that count everybody; blank for none.
	All string `json:"all,omitempty"`
	// Civilians are the groups of deaths_civilians; the first that fits is taken.
	Civilians []GEDGroup `json:"civilians,omitempty"`
	// Claimant is the data set's name, without its edition; "UCDP GED" if blank.
	Claimant     string `json:"claimant,omitempty"`
	ClaimantKind string `json:"claimant_kind,omitempty"`
	Format       int    `json:"format"` // 1
	Measure      string `json:"measure,omitempty"`
	// Places are the places that the data set's own names for them mean.
	Places map[string][]string `json:"places,omitempty"`
	// PrecisionM gives another radius in metres for a where_prec.
	PrecisionM map[string]int64 `json:"precision_m,omitempty"`
	// Sides are the groups of deaths_a and deaths_b; the first that fits is taken.
	Sides  []GEDGroup `json:"sides,omitempty"`
	Stance string     `json:"stance,omitempty"`
	// Unknown is the group of deaths_unknown; blank for none.
	Unknown string `json:"unknown,omitempty"`
}

// GEDGroup is a group, and what it stands for: of a side its name as the data set
// writes it, and each of the others only where given.
type GEDGroup struct {
	Country string    `json:"country,omitempty"` // of the event, as the data set writes it
	From    when.Date `json:"from,omitempty"`    // first day on which the event began
	Group   string    `json:"group"`
	Name    string    `json:"name,omitempty"`  // of the side
	Until   when.Date `json:"until,omitempty"` // last such day
}

// fits tells whether an entry stands for a side, or for civilians, of an event.
func (g *GEDGroup) fits(name, country string, start when.Date) bool {
	return g.Name == name && (g.Country == "" || g.Country == country) &&
		(g.From == "" || !start.First().Before(g.From.First())) && (g.Until == "" || !start.First().After(g.Until.Last()))
}

func groupOf(list []GEDGroup, name, country string, start when.Date) string {
	for i := range list {
		if list[i].fits(name, country, start) {
			return list[i].Group
		}
	}
	return ""
}

// ReadGEDMap reads a map file. What it names is checked when a file is imported.
func ReadGEDMap(r io.Reader) (*GEDMap, error) {
	dec := json.NewDecoder(io.LimitReader(r, maxMap))
	dec.DisallowUnknownFields()
	m := new(GEDMap)
	err := dec.Decode(m)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("something follows its closing brace")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w; docs/formats/ucdp-ged.md has its form", ErrBadMap, err)
	}
	if m.Format != 1 {
		return nil, fmt.Errorf("%w: it has format %d, this program knows 1", ErrBadMap, m.Format)
	}
	return m, nil
}

// complete gives a copy in which what was blank is taken from the agreement, or says
// everything that is missing or not in it.
func (m *GEDMap) complete(p *agreement.Pack) (*GEDMap, error) {
	c := GEDMap{Format: 1}
	if m != nil {
		c = *m
	}
	var faults []string
	// only says which codes there are where the file has to choose one.
	only := func(field *string, name, why string, codes []string, preferred ...string) {
		switch i := slices.IndexFunc(preferred, func(s string) bool { return slices.Contains(codes, s) }); {
		case *field != "" && !slices.Contains(codes, *field):
			faults = append(faults, fmt.Sprintf("%s %.60q is not in the agreement, which has %s", name, *field, strings.Join(codes, ", ")))
		case *field != "":
		case i >= 0:
			*field = preferred[i]
		case len(codes) == 1:
			*field = codes[0]
		default:
			faults = append(faults, fmt.Sprintf("%s is not given, and the agreement does not tell %s: choose one of %s", name, why, strings.Join(codes, ", ")))
		}
	}
	var kinds, people, asserting []string
	for _, k := range p.ClaimantKinds {
		kinds = append(kinds, k.Code)
	}
	for _, x := range p.Measures {
		if x.Unit == "people" {
			people = append(people, x.Code)
		}
	}
	for _, s := range p.Stances {
		if s.Effect == agreement.Asserts {
			asserting = append(asserting, s.Code)
		}
	}
	only(&c.ClaimantKind, "claimant_kind", "which kind of claimant a data set is", kinds, "data_set", "dataset")
	only(&c.Measure, "measure", "which measure counts the dead", people, "killed", "deaths", "fatalities")
	only(&c.Stance, "stance", "which stance asserts", asserting, asserting...)
	if c.Claimant == "" {
		c.Claimant = "UCDP GED"
	}
	if why := checkText(colClaimant, c.Claimant); why != "" || c.Claimant != strings.TrimSpace(c.Claimant) {
		faults = append(faults, fmt.Sprintf("claimant %.60q is not a plain name", c.Claimant))
	}
	faults = append(faults, c.checkGroups(p)...)
	faults = append(faults, c.checkPlaces(p)...)
	if len(faults) > 0 {
		return nil, fmt.Errorf("the map does not fit the agreement: %s; docs/formats/ucdp-ged.md tells how to write one", strings.Join(faults, "; "))
	}
	return &c, nil
}

// checkGroups completes and checks the groups.
func (c *GEDMap) checkGroups(p *agreement.Pack) (faults []string) {
	known := map[string]bool{}
	for _, g := range p.Groups {
		known[g.Code] = true
	}
	for _, x := range p.Parties {
		known[x.Code] = true // a side as a whole
	}
	if c.All == "" && known["unspecified"] {
		c.All = "unspecified"
	}
	check := func(name, code string) {
		if code != "" && !known[code] {
			faults = append(faults, fmt.Sprintf("%s %.60q is no group of the agreement", name, code))
		}
	}
	check("all", c.All)
	check("unknown", c.Unknown)
	part := func(name string, g *GEDGroup) {
		if g.Group == "" {
			faults = append(faults, name+" lacks a group")
		}
		check(name, g.Group)
		if g.Group != "" && g.Group == c.All {
			faults = append(faults, fmt.Sprintf("%s: the group %.60q stands for everybody, and a part of the dead is not to be set against all of them", name, g.Group))
		}
		for _, d := range []when.Date{g.From, g.Until} {
			if _, err := when.ParseDate(string(d)); err != nil {
				faults = append(faults, fmt.Sprintf("%s: %v", name, err))
			}
		}
	}
	for i := range c.Sides {
		name := fmt.Sprintf("sides, entry %d", i+1)
		part(name, &c.Sides[i])
		if c.Sides[i].Name == "" {
			faults = append(faults, name+" lacks the name of the side")
		}
	}
	for i := range c.Civilians {
		name := fmt.Sprintf("civilians, entry %d", i+1)
		part(name, &c.Civilians[i])
		if c.Civilians[i].Name != "" {
			faults = append(faults, name+" has a name: civilians are told apart by country alone")
		}
	}
	if c.Unknown != "" && c.Unknown == c.All {
		faults = append(faults, fmt.Sprintf("unknown: the group %.60q stands for everybody", c.Unknown))
	}
	return faults
}

func (c *GEDMap) checkPlaces(p *agreement.Pack) (faults []string) {
	known := map[string]bool{}
	for _, x := range p.Places {
		known[x.Code] = true
	}
	for text, codes := range c.Places {
		for _, code := range codes {
			if !known[code] {
				faults = append(faults, fmt.Sprintf("places, %.60q: %.60q is no place of the agreement", text, code))
			}
		}
	}
	for prec, m := range c.PrecisionM {
		if n, err := strconv.Atoi(prec); err != nil || n < 1 || n > len(gedRadius) || strconv.Itoa(n) != prec {
			faults = append(faults, fmt.Sprintf("precision_m: %.20q is no where_prec, 1 to %d", prec, len(gedRadius)))
		} else if m < 1 || m > maxRadius {
			faults = append(faults, fmt.Sprintf("precision_m of %s: %d m is not 1 to %d", prec, m, int64(maxRadius)))
		}
	}
	slices.Sort(faults) // maps have no order
	return faults
}
