// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"strings"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/suggest"
)

// foundSize is how many incidents that an officer looks for are shown.
const foundSize = 10

// findIncidents adds what the officer looks for, by number, address or words.
func (s *server) findIncidents(ctx context.Context, v *view, p *workPage, why map[record.ID]*suggest.Suggestion) error {
	p.find = strings.TrimSpace(v.query.Get("find"))
	if p.find == "" {
		return nil
	}
	suggested := len(p.candidates)
	defer func() {
		for i := suggested; i < len(p.candidates); i++ {
			p.candidates[i].found = true
		}
	}()
	text := acts.Latin(p.find)
	if idRE.MatchString(text) {
		id, err := record.ParseID(idRE.FindString(text))
		if err != nil {
			return nil
		}
		n := len(p.candidates)
		err = s.addCandidate(ctx, v, p, id, why[id])
		p.found = len(p.candidates) - n
		return err
	}
	// Of a long text the first words are looked for: a label may be pasted whole.
	text = string([]rune(text)[:min(maxLetters, len([]rune(text)))])
	list, matched, err := s.Source.Incidents(ctx, projection.Filter{Text: text, Limit: foundSize})
	if err != nil {
		return err
	}
	p.found = matched
	for _, in := range list {
		if p.linkedTo(in.ID) {
			continue
		}
		if err := s.addCandidate(ctx, v, p, in.ID, why[in.ID]); err != nil {
			return err
		}
	}
	return nil
}
