// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/linkage"
	"truceline/record"
)

// LinkageSource is the viewer's reading of the models by which accounts are compared.
type LinkageSource interface {
	// LinkageInForce is the model to compare by; ok is false where there is none.
	LinkageInForce(ctx context.Context) (f projection.Fitted, ok bool, err error)
	// LinkageHistory lists every model that was filed, the newest first.
	LinkageHistory(ctx context.Context) ([]projection.Fitted, error)
}

// linkagePage is how accounts are compared: the model in force, what it learnt, and all
// that were filed.
type linkagePage struct {
	force   *fittedView // nil where none is in force
	fields  []fieldTable
	history []fittedView
	act     *acts.Act // to learn it again; nil for who may not
	done    *doneView
}

// fittedView is a model with the record that filed it.
type fittedView struct {
	projection.Fitted
	record projection.Record
	update bool // it is of a schema that is not known here
	broken bool // its numbers are none of its schema
}

// fieldTable is what was learnt of a field, by what kind of comparison was possible.
type fieldTable struct {
	field   linkage.Field
	classes []classTable
	fold    bool // it has many classes
}

type classTable struct {
	class  string
	levels []levelRow
}

// levelRow is one level: how often it is met, in millionths, and what it says.
type levelRow struct {
	level       linkage.Level
	both, other int64
	weight      float64
}

// manyClasses is from how many classes on a field is folded away.
const manyClasses = 6

func (s *server) linkage(v *view, r *http.Request) error {
	ctx := r.Context()
	p := linkagePage{done: s.lately(v, r)}
	list, err := s.Source.LinkageHistory(ctx)
	if err != nil {
		return err
	}
	for _, f := range list {
		x, err := s.fitted(ctx, f)
		if err != nil {
			return err
		}
		p.history = append(p.history, x)
	}
	f, ok, err := s.Source.LinkageInForce(ctx)
	if err != nil {
		return err
	}
	if ok {
		x, err := s.fitted(ctx, f)
		if err != nil {
			return err
		}
		p.force, p.fields = &x, fieldTables(f.Params)
	}
	if v.mayDo(ctx, "linkage.fit", record.ID{}) {
		p.act, _ = acts.Find("linkage.fit")
	}
	v.title, v.body, v.sheets = v.T("linkage.title"), linkageBody(v, p), []string{"linkage.css"}
	if v.signedIn() {
		v.section = "desk"
	}
	return nil
}

func (s *server) fitted(ctx context.Context, f projection.Fitted) (fittedView, error) {
	out := fittedView{Fitted: f}
	if known := f.Known(); known != nil {
		var update *record.UpdateError
		out.update = errors.As(known, &update)
		out.broken = !out.update
	}
	var err error
	out.record, err = s.Source.RecordAt(ctx, f.Index)
	return out, err
}

// fieldTables sets out the numbers of a model that is known here.
func fieldTables(p *linkage.Params) (out []fieldTable) {
	for _, f := range p.Fields {
		t := fieldTable{field: linkage.Field(f.Field), fold: len(f.Classes) >= manyClasses}
		for _, c := range f.Classes {
			k := classTable{class: c.Class}
			for _, l := range c.Levels {
				k.levels = append(k.levels, levelRow{linkage.Level(l.Level), l.M / 1000, l.U / 1000, math.Log2(float64(l.M) / float64(l.U))})
			}
			t.classes = append(t.classes, k)
		}
		out = append(out, t)
	}
	return out
}

// className says what kind of comparison was possible. Its keys are kind_of.FIELD.CLASS;
// of places it is made of the precision of both.
func (v *view) className(f linkage.Field, class string) string {
	field := string(f)
	if f.Measure() != "" {
		field = "count"
	}
	if a, b, pair := strings.Cut(class, "/"); pair && f == linkage.FieldPlace {
		return v.T("kind_of.place.pair", "a", v.precisionWords(a), "b", v.precisionWords(b))
	}
	return v.code("kind_of."+field, keyPart(class))
}

// precisionWords says how precisely a place was stated.
func (v *view) precisionWords(name string) string {
	names, metres := linkage.Precisions()
	switch i := slices.Index(names, name); {
	case i < 0:
		return name
	case i == 0:
		return v.T("weigh.stated.to", "within", v.within(int64(metres[0])))
	case i < len(metres):
		return v.T("weigh.stated.between", "from", v.within(int64(metres[i-1])), "within", v.within(int64(metres[i])))
	}
	return v.T("weigh.stated.beyond", "within", v.within(int64(metres[len(metres)-1])))
}

// measureNames names the measures whose figures a model compares.
func (v *view) measureNames(codes []string) string {
	var out []string
	for _, c := range codes {
		out = append(out, v.names.measure(c))
	}
	return strings.Join(out, ", ")
}

// compareAgain is the command that learns the model in force again and compares.
const compareAgain = "truceline doctor --data DIR"

// learnAgain is the command that learns a model and shows what would be filed, and the one
// that files it.
func learnAgain() (dry, file string) {
	const c = `truceline do linkage.fit reason="to compare" --data DIR`
	return c + " --dry-run", c
}
