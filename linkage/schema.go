// SPDX-License-Identifier: Apache-2.0

package linkage

import "strings"

// Field is one of the ways in which two records are compared.
type Field string

// Fields, in the order in which reasons are given. Figures of each measure are a field
// of their own, CountField, which stands after FieldWeapon.
const (
	FieldDays   Field = "days"
	FieldPlace  Field = "place"
	FieldType   Field = "type"
	FieldTarget Field = "target"
	FieldWeapon Field = "weapon"
	FieldKinds  Field = "kinds"
	FieldWords  Field = "words"

	countPrefix = "count:"
)

// CountField is the field in which counts of a measure are compared.
func CountField(measure string) Field { return Field(countPrefix + measure) }

// Measure is the measure that the field compares; "" if it compares none.
func (f Field) Measure() string {
	m, ok := strings.CutPrefix(string(f), countPrefix)
	if !ok {
		return ""
	}
	return m
}

// MaxMeasures is how many measures are compared, at most.
const MaxMeasures = 4

// Level says in a word how two records meet in a field. Pages have a text for each.
type Level string

// Levels of the fields, the closest first. Missing is of every field: one of the records
// does not say, and the field speaks neither for nor against.
const (
	Missing Level = "missing"

	DaySame    Level = "same"        // the same day, or spans that are the same
	DayStart   Level = "same_start"  // spans that begin on one day: a count that goes on
	DayMost    Level = "most"        // spans that have four fifths of the longer in common
	DayOverlap Level = "overlap"     // spans that overlap by a quarter of the longer or more
	DayPart    Level = "part"        // spans that overlap by less
	DayOne     Level = "one"         // one day between
	DayTwo     Level = "two"         // two days between
	DayThree   Level = "three"       // three days between
	ToldSoon   Level = "told_soon"   // one gives no day; it was told within two days after
	ToldWeek   Level = "told_week"   // within a week
	ToldMonth  Level = "told_month"  // within a month
	ToldLater  Level = "told_later"  // later than that
	ToldBefore Level = "told_before" // before the other's day

	PlaceSame Level = "same"   // one point, or one name
	PlaceR1   Level = "in_1/8" // distance by the combined precision: up to 1/8, and so on
	PlaceR2   Level = "in_1/4"
	PlaceR3   Level = "in_1/2"
	PlaceR4   Level = "in_3/4"
	PlaceR5   Level = "in_1"
	PlaceR6   Level = "in_3/2"
	PlaceR7   Level = "in_9/4"
	PlaceR8   Level = "in_3"
	PlaceR9   Level = "in_9/2"
	PlaceFar  Level = "beyond"
	PlaceAway Level = "apart" // names without a position, and not the same

	CodeRare   Level = "same_rare"   // the same code, which at most one record in 33 has
	CodeLess   Level = "same_less"   // the same, which at most one in 12 has
	CodeMiddle Level = "same_middle" // the same, which at most one in 5 has
	CodeCommon Level = "same_common" // the same, which more have
	CodeUp1    Level = "up_1"        // type: the same one level up
	CodeUp2    Level = "up_2"        // two levels up
	CodeUp3    Level = "up_3"        // three levels up
	CodeOther  Level = "other"

	CountSameMany  Level = "same_many"  // the same range, about four or more
	CountSameFew   Level = "same_few"   // the same range, fewer
	CountCloseMany Level = "close_many" // middles within a factor of 1.6, about four or more
	CountCloseFew  Level = "close_few"  // fewer
	CountNear      Level = "near"       // within a factor of three
	CountMeet      Level = "meet"       // further, but the ranges meet
	CountApart     Level = "apart"      // further, and they do not
	CountNone      Level = "none"       // both say there were none
	CountMaybe     Level = "none_maybe" // one says none, the other that there may have been some
	CountSome      Level = "none_some"  // one says none, the other some

	KindsCommon Level = "in_common"
	KindsOther  Level = "other"

	WordsMany Level = "many"   // six or more words in common that few records have
	WordsSome Level = "some"   // three to five
	WordsFew  Level = "few"    // one or two
	WordsWeak Level = "common" // only such as many records have
	WordsNone Level = "none"
)

// A field's levels are counted within classes: what kind of comparison was possible. The
// class is no evidence; the level is, among those of its class.
type fieldSpec struct {
	field   Field
	classes []classSpec
}

// ordered tells whether a level further down must never speak more for one event than
// one before it. Counts are not: none and many are no steps of one scale.
func (s *fieldSpec) ordered() bool { return s.field.Measure() == "" }

type classSpec struct {
	name   string
	levels []Level
	// m and u are what is expected before anything was learnt: how often the levels are
	// met by records of one event, and of two, in parts of their sum.
	m, u []float64
}

// Classes of days.
const (
	daysSharp = iota // a day each
	daysSpan         // an episode, or a total of several days
	daysVague        // one or both give several days, of which one is meant
	daysTold         // one gives none
)

// precisionCuts divide places into classes by the radius within which they lie, metres.
var precisionCuts = []int32{1500, 4000, 10_000, 25_000, 80_000}

const nPrecision = 6

// Classes of places: pairs of precision classes, then names without a position.
const (
	placePairs = nPrecision * (nPrecision + 1) / 2
	placeNames = placePairs
)

var placeLevels = []Level{PlaceSame, PlaceR1, PlaceR2, PlaceR3, PlaceR4, PlaceR5, PlaceR6, PlaceR7, PlaceR8, PlaceR9, PlaceFar}

// placeCuts are the upper ends of the steps from PlaceR1 on, in eighths.
var placeCuts = []float64{0.125, 0.25, 0.5, 0.75, 1, 1.5, 2.25, 3, 4.5}

var daysSpec = fieldSpec{FieldDays, []classSpec{
	daysSharp: {"day", []Level{DaySame, DayOne, DayTwo, DayThree}, []float64{70, 22, 6, 2}, []float64{14, 29, 29, 28}},
	daysSpan:  {"span", []Level{DaySame, DayStart, DayMost, DayOverlap, DayPart, DayOne, DayTwo, DayThree}, []float64{30, 20, 12, 15, 15, 5, 2, 1}, []float64{1, 3, 3, 20, 43, 10, 10, 10}},
	daysVague: {"vague", []Level{DaySame, DayOverlap, DayOne, DayTwo, DayThree}, []float64{20, 70, 6, 3, 1}, []float64{4, 72, 8, 8, 8}},
	daysTold:  {"told", []Level{ToldSoon, ToldWeek, ToldMonth, ToldLater, ToldBefore}, []float64{55, 20, 15, 9, 1}, []float64{10, 10, 20, 50, 10}},
}}

var placeSpec = func() fieldSpec {
	s := fieldSpec{FieldPlace, make([]classSpec, placePairs+1)}
	for i := range nPrecision {
		for j := range i + 1 {
			s.classes[pairClass(i, j)] = classSpec{precisionName(j) + "/" + precisionName(i), placeLevels,
				[]float64{8, 6, 9, 17, 17, 16, 16, 8, 2, 0.8, 0.2}, []float64{1, 0.2, 0.6, 2.4, 3.6, 5, 13, 22, 22, 20, 10}}
		}
	}
	s.classes[placeNames] = classSpec{"names", []Level{PlaceSame, PlaceAway}, []float64{85, 15}, []float64{10, 90}}
	return s
}()

func precisionName(c int) string {
	return []string{"point", "village", "town", "district", "province", "country"}[c]
}

// pairClass is the class of two precision classes, in either order.
func pairClass(i, j int) int {
	if i < j {
		i, j = j, i
	}
	return i*(i+1)/2 + j
}

var codeLevels = []Level{CodeRare, CodeLess, CodeMiddle, CodeCommon, CodeOther}

// typeSpec has a class for each number of levels that both paths have.
var typeSpec = fieldSpec{FieldType, []classSpec{
	{"one level", []Level{CodeRare, CodeLess, CodeMiddle, CodeCommon, CodeOther}, []float64{4, 20, 30, 31, 15}, []float64{0.2, 3, 7, 15, 75}},
	{"two levels", []Level{CodeRare, CodeLess, CodeMiddle, CodeCommon, CodeUp1, CodeOther}, []float64{4, 20, 30, 26, 12, 8}, []float64{0.2, 2, 5, 9, 14, 70}},
	{"three levels", []Level{CodeRare, CodeLess, CodeMiddle, CodeCommon, CodeUp1, CodeUp2, CodeOther}, []float64{4, 20, 30, 26, 11, 4, 5}, []float64{0.2, 2, 5, 8, 12, 23, 50}},
	{"four levels", []Level{CodeRare, CodeLess, CodeMiddle, CodeCommon, CodeUp1, CodeUp2, CodeUp3, CodeOther}, []float64{4, 20, 30, 26, 8, 4, 3, 5}, []float64{0.2, 2, 5, 8, 10, 15, 20, 40}},
}}

var targetSpec = fieldSpec{FieldTarget, []classSpec{{"both", codeLevels, []float64{5, 25, 30, 28, 12}, []float64{0.3, 4, 12, 20, 64}}}}

var weaponSpec = fieldSpec{FieldWeapon, []classSpec{{"both", codeLevels, []float64{5, 25, 30, 28, 12}, []float64{0.3, 4, 12, 20, 64}}}}

var kindsSpec = fieldSpec{FieldKinds, []classSpec{{"both", []Level{KindsCommon, KindsOther}, []float64{98, 2}, []float64{75, 25}}}}

// wordsSpec tells texts from labels: that a label of a few words shares none with a text
// says less.
var wordsSpec = fieldSpec{FieldWords, []classSpec{
	{"texts", wordLevels, []float64{25, 25, 25, 15, 10}, []float64{1, 5, 15, 24, 55}},
	{"label", wordLevels, []float64{6, 20, 34, 20, 20}, []float64{0.2, 1.8, 13, 25, 60}},
}}

var wordLevels = []Level{WordsMany, WordsSome, WordsFew, WordsWeak, WordsNone}

// labelWords is up to how many words are a label.
const labelWords = 9

func countSpec(measure string) fieldSpec {
	return fieldSpec{CountField(measure), []classSpec{{"both",
		[]Level{CountSameMany, CountSameFew, CountCloseMany, CountCloseFew, CountNear, CountMeet, CountApart, CountNone, CountMaybe, CountSome},
		[]float64{12, 20, 8, 12, 8, 5, 6, 22, 5, 2}, []float64{0.5, 5, 3, 8, 12, 7, 14, 20, 12, 18.5}}}}
}

// specsFor are the fields in which records with these measures are compared.
func specsFor(measures []string) []fieldSpec {
	out := []fieldSpec{daysSpec, placeSpec, typeSpec, targetSpec, weaponSpec}
	for _, m := range measures {
		out = append(out, countSpec(m))
	}
	return append(out, kindsSpec, wordsSpec)
}
