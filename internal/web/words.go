// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"truceline/text"
	"truceline/when"
)

// say writes the message under key. Values are isolated from its words; a value
// that is a component is written as it is.
func (v *view) say(key string, args ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, p := range v.Parts(key, args...) {
			var err error
			switch value := p.Value.(type) {
			case templ.Component:
				err = value.Render(ctx, w)
			case when.Span:
				err = span(value).Render(ctx, w)
			case int, int64:
				_, err = io.WriteString(w, `<bdi dir="ltr">`+v.Value(value)+"</bdi>")
			case nil:
				if p.Name != "" {
					p.Text = text.Missing + p.Name
				}
				_, err = io.WriteString(w, templ.EscapeString(p.Text))
			default:
				_, err = io.WriteString(w, "<bdi>"+templ.EscapeString(v.Value(value))+"</bdi>")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// data writes something that comes from the record, isolated.
func data(s string) templ.Component { return wrapped("<bdi>", s, "</bdi>") }

// ltr writes an id, a figure, a coordinate or a digest: left to right in any text.
func ltr(s string) templ.Component { return wrapped(`<bdi dir="ltr">`, s, "</bdi>") }

// mono is ltr in a face that tells 0 from O.
func mono(s string) templ.Component { return wrapped(`<code dir="ltr">`, s, "</code>") }

func wrapped(before, s, after string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, before+templ.EscapeString(s)+after)
		return err
	})
}

// number writes n as a figure.
func number[T int | int64](n T) templ.Component { return ltr(text.Number(int64(n))) }

// day writes a stated date, no sharper than it was stated.
func day(d when.Date) templ.Component { return span(when.Span{Start: d}) }

// span writes a stated stretch of time: from, and to where it has an end. The note
// is left to the page.
func span(s when.Span) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if s.Start == "" {
			return nil
		}
		out := clock(string(s.Start), string(s.Start))
		if s.End != "" && s.End != s.Start {
			out = `<bdi dir="ltr" class="span">` + out + " – " + clock(string(s.End), string(s.End)) + "</bdi>"
		}
		_, err := io.WriteString(w, out)
		return err
	})
}

// spanWords is span for places without markup.
func spanWords(s when.Span) string {
	if s.End != "" && s.End != s.Start {
		return string(s.Start) + " – " + string(s.End)
	}
	return string(s.Start)
}

// instant writes Unix milliseconds to the second, in UTC and saying so.
func instant(ms int64) templ.Component {
	t := time.UnixMilli(ms).UTC()
	return wrapped("", "", clock(t.Format("2006-01-02T15:04:05.000Z"), t.Format("2006-01-02 15:04:05")+" UTC"))
}

func clock(machine, shown string) string {
	return `<time dir="ltr" datetime="` + templ.EscapeString(machine) + `">` + templ.EscapeString(shown) + "</time>"
}

// attr keeps data in its own direction inside an attribute or a title, where there
// is no markup to do it. Marks of direction inside the data are dropped, so that it
// cannot break out.
func attr(s string) string {
	return text.Isolate(strings.Map(func(r rune) rune {
		switch {
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s))
}

// code gives the words for one code of the format, such as an element or a state.
// What the catalogue does not know is shown as the code it is.
func (v *view) code(group, code string) string {
	key := group + "." + code
	if !v.Has(key) {
		return code
	}
	return v.T(key)
}

func itoa[T int | int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// hash is how the number of a record is written.
func hash(index int64) string { return "#" + itoa(index) }
