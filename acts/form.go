// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"truceline/record"
)

// Filed is the error for a form that was filed before: its records are in the ledger.
// Nothing is filed again.
type Filed struct {
	Record  record.ID // what the form filed
	Account record.ID // that it filed or amended
	// Same tells whether the form says what was filed. If not it was changed since, and
	// the change belongs into an amendment.
	Same bool
}

func (f *Filed) Error() string {
	if f.Same {
		return fmt.Sprintf("the form was filed before, as record %s", f.Record)
	}
	return fmt.Sprintf("the form was filed before, as record %s, and was changed since: amend account %s instead", f.Record, f.Account)
}

// FormID is the id of the record of a kind that a form with the token files. The same
// form files the same ids, so that it cannot file anything twice. A token is a random id
// that only its form knows.
func FormID(token record.ID, kind record.Kind) record.ID {
	sum := sha256.Sum256([]byte("truceline-form/v1\n" + token.String() + "\n" + string(kind)))
	return record.ID(sum[:16])
}

// ClaimName is the name of a field of claim n.
func ClaimName(n int, field string) string { return "claim." + strconv.Itoa(n) + "." + field }

// ClaimField takes apart the name of a claim's field.
func ClaimField(name string) (n int, field string, ok bool) {
	rest, ok := strings.CutPrefix(name, "claim.")
	if !ok {
		return 0, "", false
	}
	num, field, ok := strings.Cut(rest, ".")
	n, err := strconv.Atoi(num)
	if !ok || err != nil || n < 1 || n > MaxClaims || strconv.Itoa(n) != num {
		return 0, "", false
	}
	return n, field, true
}

// MaxClaims is the most claims one form may have; no account has room for more.
const MaxClaims = 700

// ClaimNumbers finds which claims are filled in, in their order. A claim of which nothing
// but usual values is there, is none.
func ClaimNumbers(v Values) (out []int) {
	filled := map[int]bool{}
	for name, values := range v {
		n, field, ok := ClaimField(name)
		if !ok || strings.TrimSpace(strings.Join(values, "")) == "" {
			continue
		}
		switch field {
		case "stance", "scope", "first_hand":
		default:
			filled[n] = true
		}
	}
	return slices.Sorted(maps.Keys(filled))
}

// LastClaim is the highest number of a claim of which a field is there, filled or not.
func LastClaim(v Values) int {
	last := 0
	for name := range v {
		if n, _, ok := ClaimField(name); ok {
			last = max(last, n)
		}
	}
	return last
}

// WithoutClaim gives the values without claim n; those after it move up.
func WithoutClaim(v Values, n int) Values {
	return renumbered(v, func(at int) int {
		switch {
		case at == n:
			return 0
		case at > n:
			return at - 1
		}
		return at
	})
}

// WithClaimUp gives the values with claim n before the one before it.
func WithClaimUp(v Values, n int) Values {
	return renumbered(v, func(at int) int {
		switch {
		case n < 2:
		case at == n:
			return n - 1
		case at == n-1:
			return n
		}
		return at
	})
}

// renumbered gives claims other numbers; those with the number 0 are left out.
func renumbered(v Values, to func(int) int) Values {
	out := Values{}
	for name, values := range v {
		if n, field, ok := ClaimField(name); ok {
			if n = to(n); n == 0 {
				continue
			}
			name = ClaimName(n, field)
		}
		out[name] = values
	}
	return out
}

// FormOf fills in the form of an amendment with an account as it stands: filed as it is,
// it says the same. What most of the claims share stands once, for all.
func FormOf(a *record.Account, report record.ID) Values {
	v := Values{}
	v.set("carrier", a.Carrier)
	v.set("origins", a.Origins...)
	v.set("external", a.External)
	v.set("claimant", a.Claimant.Name)
	v.set("claimant_kind", a.Claimant.Kind)
	v.set("party", a.Claimant.Party)
	v.set("said_on", string(a.SaidOn))
	if a.Quote != nil {
		v.set("quote", a.Quote.Text)
		v.set("quote_language", a.Quote.Language)
	}
	if !report.IsZero() {
		v.set("report", report.String())
	}
	times, spots := make([]whereabouts, len(a.Claims)), make([]whereabouts, len(a.Claims))
	for i, c := range a.Claims {
		times[i] = whereabouts{when: c.When}
		spots[i] = whereabouts{places: c.Places, placeText: c.PlaceText, point: c.Point, area: c.Area}
		if c.Point != nil {
			spots[i].area = nil // it follows from the point
		}
	}
	when, spot := shared(times), shared(spots)
	when.fill(v, "")
	spot.fill(v, "")
	for i, c := range a.Claims {
		prefix := ClaimName(i+1, "")
		fillClaim(v, prefix, &c)
		if !times[i].same(when) {
			times[i].fill(v, prefix)
		}
		if !spots[i].same(spot) {
			spots[i].fill(v, prefix)
		}
	}
	return v
}

// shared is what most of the list have, the first of them where several are as many;
// nothing where one of the list says nothing, since what stands for all would be its own.
func shared(list []whereabouts) whereabouts {
	best, most := whereabouts{}, 0
	for _, w := range list {
		if w.empty() {
			return whereabouts{}
		}
		n := 0
		for _, x := range list {
			if w.same(x) {
				n++
			}
		}
		if n > most {
			best, most = w, n
		}
	}
	return best
}

func (w whereabouts) empty() bool {
	return w.when.Start == "" && len(w.places) == 0 && w.placeText == "" && w.point == nil && w.area == nil
}

func (w whereabouts) same(x whereabouts) bool {
	return w.when == x.when && slices.Equal(w.places, x.places) && w.placeText == x.placeText &&
		(w.point == nil) == (x.point == nil) && (w.point == nil || *w.point == *x.point) &&
		(w.area == nil) == (x.area == nil) && (w.area == nil || *w.area == *x.area)
}

func (w whereabouts) fill(v Values, prefix string) {
	v.set(prefix+"start", string(w.when.Start))
	v.set(prefix+"end", string(w.when.End))
	v.set(prefix+"time_note", w.when.Note)
	v.set(prefix+"places", w.places...)
	v.set(prefix+"place_text", w.placeText)
	if w.point != nil {
		v.set(prefix+"lat", Degrees(w.point.LatE6))
		v.set(prefix+"lon", Degrees(w.point.LonE6))
		v.set(prefix+"precision_m", strconv.FormatInt(w.point.PrecisionM, 10))
	}
	if w.area != nil {
		v.set(prefix+"area", areaText(w.area))
	}
}

// fillClaim writes what a claim says of itself alone.
func fillClaim(v Values, prefix string, c *record.Claim) {
	v.set(prefix+"element", string(c.Element))
	v.set(prefix+"measure", c.Measure)
	v.set(prefix+"group", c.Group)
	v.set(prefix+"subset", c.Subset)
	v.set(prefix+"figure", Interval{c.Bound, c.Low, c.High}.String())
	v.set(prefix+"stance", c.Stance)
	v.set(prefix+"scope", string(c.Scope))
	v.set(prefix+"first_hand", c.FirstHand)
	v.set(prefix+"words", c.Words)
	v.set(prefix+"note", c.Note)
	v.set(prefix+"external", c.External)
	if c.Derived {
		v.set(prefix+"derived", "yes")
	}
}

// set puts what is not empty.
func (v Values) set(name string, values ...string) {
	if len(values) > 0 && strings.Join(values, "") != "" {
		v[name] = slices.Clone(values)
	}
}

// Degrees writes micro-degrees as decimal degrees.
func Degrees(e6 int64) string {
	sign := ""
	if e6 < 0 {
		sign, e6 = "-", -e6
	}
	s := fmt.Sprintf("%s%d.%06d", sign, e6/1_000_000, e6%1_000_000)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
