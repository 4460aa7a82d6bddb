// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"truceline/record"
	"truceline/text"
)

// MaxWords is how many words and phrases of one search are looked for.
const MaxWords = 8

// Words are the different words and phrases of a search, folded. What stands between
// double quotes is a phrase: its words follow each other, with one space between them.
func Words(search string) (out []string) {
	add := func(term string) {
		if term != "" && !slices.Contains(out, term) {
			out = append(out, term)
		}
	}
	for i, part := range strings.Split(strings.Map(straight, search), `"`) {
		if i%2 == 1 {
			add(text.Fold(part))
			continue
		}
		for _, w := range text.Words(part) {
			add(w)
		}
	}
	return out
}

func straight(r rune) rune {
	switch r {
	case '\u201c', '\u201d', '\u201e', '\u00ab', '\u00bb':
		return '"'
	}
	return r
}

// indexed is a text that waits to be put among what can be searched.
type indexed struct {
	at    int64
	words string
}

// index puts texts among what can be searched, under the index of the record they are
// of, once the step ends: between other statements each text would be written out alone.
func (f *fold) index(at int64, texts ...string) {
	f.texts = append(f.texts, indexed{at, text.Fold(strings.Join(texts, "\n"))})
}

func (f *fold) writeIndex() error {
	for _, t := range f.texts {
		if err := f.exec(`INSERT INTO search (rowid, words) VALUES (?, ?)`, t.at, t.words); err != nil {
			return err
		}
	}
	f.texts = nil
	return nil
}

// accountWords are the texts of an account that are searched, with those of the document
// it was told in.
func accountWords(b *record.Account, told *record.Report) []string {
	out := []string{told.Title, told.Carrier, b.Carrier, b.Claimant.Name, b.External}
	out = append(append(out, told.Origins...), b.Origins...)
	if b.Quote != nil {
		out = append(out, b.Quote.Text)
	}
	for _, c := range b.Claims {
		out = append(out, c.Words, c.PlaceText, c.Note, c.External)
	}
	return out
}

// document reads a report; an empty one for the zero id.
func (f *fold) document(id record.ID) (*record.Report, error) {
	r := &record.Report{}
	if id.IsZero() {
		return r, nil
	}
	var body []byte
	if err := f.row(`SELECT body FROM reports WHERE id = ?`, []any{blob(id)}, &body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, fmt.Errorf("report %s: %w", id, err)
	}
	return r, nil
}
