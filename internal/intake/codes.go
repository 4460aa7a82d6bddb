// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"strings"

	"truceline/agreement"
	"truceline/record"
)

// codeList finds codes as files write them.
type codeList struct {
	exact  map[string]bool
	folded map[string]string // fold of a code to the code; "" where two codes fold alike
}

func (l *codeList) add(code string) {
	if l.exact == nil {
		l.exact, l.folded = map[string]bool{}, map[string]string{}
	}
	if l.exact[code] {
		return
	}
	l.exact[code] = true
	f := fold(code)
	if _, taken := l.folded[f]; taken {
		code = ""
	}
	l.folded[f] = code
}

// find gives the code that a cell means: itself, or the only one that differs from it
// in nothing but case, spaces, underscores and hyphens.
func (l *codeList) find(cell string) (string, bool) {
	if l.exact[cell] {
		return cell, true
	}
	code := l.folded[fold(cell)]
	return code, code != ""
}

// codebook holds what the cells of a file may mean under one agreement.
type codebook struct {
	lists [numColumns]*codeList // nil for columns that hold no code
	// format marks the lists that are the format's own, not the agreement's.
	format [numColumns]string

	placeTexts map[string][]string // exact words to place codes
	placeNames map[string]string   // names and codes, in small letters, to a place code; "" where two places have it
}

var bounds = []string{"exact", "at_least", "at_most", "range", "about"}

func newCodebook(p *agreement.Pack) *codebook {
	b := &codebook{placeTexts: map[string][]string{}, placeNames: map[string]string{}}
	for _, c := range []column{colClaimantKind, colSpeaksFor, colElement, colMeasure, colGroup, colSubset, colBound, colScope, colStance} {
		b.lists[c] = new(codeList)
	}
	for _, x := range p.ClaimantKinds {
		b.lists[colClaimantKind].add(x.Code)
	}
	for _, x := range p.Groups {
		b.lists[colGroup].add(x.Code)
	}
	for _, x := range p.Parties {
		b.lists[colSpeaksFor].add(x.Code)
		b.lists[colGroup].add(x.Code) // a side as a whole
	}
	for _, x := range p.Measures {
		b.lists[colMeasure].add(x.Code)
	}
	for _, x := range p.Subsets {
		b.lists[colSubset].add(x.Code)
	}
	for _, x := range p.Stances {
		b.lists[colStance].add(x.Code)
	}
	var elements, scopes []string
	for _, x := range record.Elements {
		elements = append(elements, string(x))
	}
	for _, x := range record.Scopes {
		scopes = append(scopes, string(x))
	}
	for c, codes := range map[column][]string{colElement: elements, colScope: scopes, colBound: bounds} {
		for _, code := range codes {
			b.lists[c].add(code)
		}
		b.format[c] = strings.Join(codes, ", ")
	}
	b.addPlaces(p)
	return b
}

func (b *codebook) addPlaces(p *agreement.Pack) {
	for _, s := range p.PlaceStrings {
		b.placeTexts[s.Text] = s.Places
	}
	name := func(s, code string) {
		s = strings.ToLower(s)
		if was, taken := b.placeNames[s]; taken && was != code {
			code = "" // which of the two is meant cannot be told
		}
		b.placeNames[s] = code
	}
	for _, x := range p.Places {
		name(x.Code, x.Code)
		for _, s := range x.Name {
			name(s, x.Code)
		}
		for _, names := range x.PartyNames {
			for _, s := range names {
				name(s, x.Code)
			}
		}
	}
}

// places gives the places that words mean: those the agreement lists for exactly
// these words, or else the one place that has them as its code or as its name in any
// language or to any party. known is false where there are none.
func (b *codebook) places(text string) (codes []string, known bool) {
	if text == "" {
		return nil, true
	}
	if codes, ok := b.placeTexts[text]; ok {
		return codes, true
	}
	if code := b.placeNames[strings.ToLower(text)]; code != "" {
		return []string{code}, true
	}
	return nil, false
}
