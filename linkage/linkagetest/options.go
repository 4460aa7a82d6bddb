// SPDX-License-Identifier: Apache-2.0

package linkagetest

// Options say what happens and how it is told. Shares and probabilities are 0 to 1.
type Options struct {
	Incidents int     // how many happen; not all are told
	PerDay    float64 // how many a day, on average; more than 0
	HotSpots  int     // about which incidents gather; 0 for incidents anywhere
	// Follow is how many incidents one brings about on average, below 1, FollowDays after
	// how many days on average, and Stay the probability that it does so at its hot spot.
	Follow, FollowDays, Stay float64
	Sources                  []Source

	// Late has the probabilities that a day is told 1 early, right, and 1, 2 and so on late.
	Late []float64
	// TypeNear is the probability that a type is told as one of the same second level,
	// TypeAny as any at all, TargetAny a target as any; TargetUnknown that none is told.
	TypeNear, TypeAny, TargetAny, TargetUnknown float64
	// Precision has the shares of geo_prec 1, 2 and 3.
	Precision [3]float64
	// Noise widens errors of place by this factor; 1 is what Precision says of them.
	Noise float64
	// CountNoise is the standard deviation of the log of a count's error.
	CountNoise float64

	// Twice is the probability that a source tells an incident again, as if it were
	// another one, after each time that it told it.
	Twice float64
	// Episodes is the share of incidents that go on for more than a day, and Several of
	// those in more than one place.
	Episodes, Several float64
	// NoPlace, NoDay, NoType and NoCount are the probabilities that a record does not say.
	NoPlace, NoDay, NoType, NoCount float64
	// MonthOnly is the probability that the month is told and not the day. Months have
	// 31 days here.
	MonthOnly float64
	// Towns is the size of a gazetteer to whose nearest town each place is moved; 0 if
	// places are told as they are.
	Towns int
	// Injured and Weapons have records tell of these as well.
	Injured, Weapons bool
}

// Source is one that tells.
type Source struct {
	Name     string
	Coverage float64 // the probability that it tells of an incident
	Counts   float64 // the factor by which it tells more or fewer than there were
}

// Default has three sources and about three records for two incidents.
func Default(incidents int) Options {
	return Options{
		Incidents: incidents, PerDay: 4, HotSpots: 60,
		Follow: 0.77, FollowDays: 1, Stay: 0.85,
		Sources:  []Source{{"src1", 0.6, 0.81}, {"src2", 0.5, 1}, {"src3", 0.4, 1.33}},
		Late:     []float64{0.07, 0.75, 0.145, 0.035},
		TypeNear: 0.053, TypeAny: 0.05, TargetAny: 0.07, TargetUnknown: 0.14,
		Precision: [3]float64{0.5, 0.3, 0.2}, Noise: 1, CountNoise: 0.316,
	}
}

// types are paths in a taxonomy, two of each second level next to each other.
var types = [][]string{
	{"smallarms", "ground", "close"}, {"raid", "ground", "close"},
	{"artillery", "indirect", "remote"}, {"mortar", "indirect", "remote"},
	{"airstrike", "air", "remote"}, {"drone", "air", "remote"},
	{"ied", "covert", "close"}, {"abduction", "covert", "close"},
}

var typeShares = []float64{0.275, 0.10, 0.175, 0.145, 0.07, 0.095, 0.105, 0.035}

var targets = []string{"military", "civilian", "infrastructure"}

var targetShares = []float64{0.515, 0.385, 0.10}

var weapons = []string{"rifle", "rocket", "shell", "mine", "bomb"}

// Most incidents kill nobody; each that were killed makes one more likely. Injured are
// the killed and more.
const (
	noneKilled  = 0.515
	moreKilled  = 0.70
	noneInjured = 0.35
	moreInjured = 0.75
	smallCount  = 0.305 // what a count is off that has nothing to do with its size
)
