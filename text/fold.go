// SPDX-License-Identifier: Apache-2.0

package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold gives the form of s that is searched: words of small letters and Latin digits
// with one space between them. What differs only by keyboard, by marks or by the habits
// of a language's spelling folds to the same words; Fold(Fold(s)) is Fold(s).
//
// Letters of Urdu, Pashto and Dari stand together where one typist writes what another
// one reads:
//
//   - every yeh, since an Arabic keyboard has one and a Persian another, Peshawar writes
//     the final one like Urdu and Kabul like Persian, and Dari keyboards lack two of Pashto;
//   - every kaf; both gafs; every heh and the final teh that is spoken like one;
//   - alef, waw and yeh with and without hamza or madda; a hamza alone is dropped, because
//     Urdu ends words with it or does not;
//   - the retroflex letters of Pashto with those of Urdu: no language has both, and towns
//     are named in both;
//   - the Pashto sheen, and its noon, with the plain ones of Urdu and Dari, which write the
//     same names with these; and noon ghunna with noon.
//
// Vowel signs, the lengthening stroke, joiners and marks of direction are dropped, and so
// are the accents of Latin letters and every kind of apostrophe. The Dari plural ending
// joins its word, because Kabul writes a space before it and Herat none.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, t := range tokens(s) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// Words are the words of Fold(s), in their order.
func Words(s string) []string {
	var out []string
	for _, t := range tokens(s) {
		out = append(out, t.text)
	}
	return out
}

// Range is a stretch of a text in bytes, from From up to but not with To.
type Range struct{ From, To int }

// Find gives the words of s that begin with one of the folded words, in their order.
func Find(s string, words []string) []Range {
	var out []Range
	for _, t := range tokens(s) {
		for _, w := range words {
			if !strings.HasPrefix(t.text, w) {
				continue
			}
			if n := len(out); n > 0 && t.From < out[n-1].To {
				out[n-1].To = t.To // two words of one sign, such as a fraction
			} else {
				out = append(out, t.Range)
			}
			break
		}
	}
	return out
}

// token is one word: where it stands in the text, and how it folds.
type token struct {
	Range
	text string
}

// folder cuts a text into tokens.
type folder struct {
	out   []token
	word  []byte // as folded so far
	at    Range  // where it stands
	base  rune   // its last letter as folded; 0 between words
	raw   rune   // its last letter before that
	marks bool   // it has marks that were kept
}

func tokens(s string) []token {
	f := folder{}
	for i, r := range s {
		width := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, width = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case r < utf8.RuneSelf && (r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9'):
			f.add(i, width, unicode.ToLower(r))
		case silent(r):
			if f.base != 0 && unicode.IsLetter(r) {
				f.at.To = i + width
			}
		case thousands(r) && f.inNumber(s[i+width:]):
		case r < utf8.RuneSelf:
			f.end()
		default:
			f.letters(i, width, r)
		}
	}
	f.end()
	return f.out
}

// letters adds what a letter beyond ASCII folds to, or ends the word with it.
func (f *folder) letters(at, width int, r rune) {
	var buf [utf8.UTFMax]byte
	d := norm.NFKD.Properties(buf[:utf8.EncodeRune(buf[:], r)]).Decomposition()
	if d == nil {
		f.letter(at, width, r)
		return
	}
	if d[0] == ' ' && len(d) > 1 {
		d = d[1:] // an accent that stands alone
	}
	for len(d) > 0 {
		piece, n := utf8.DecodeRune(d)
		f.letter(at, width, piece)
		d = d[n:]
	}
}

func (f *folder) letter(at, width int, r rune) {
	r = unicode.ToLower(r)
	if to, ok := letters[r]; ok {
		for _, x := range to {
			f.add(at, width, x)
		}
		f.raw = r
		return
	}
	switch {
	case r == hamzaAbove && f.raw == bariYeh:
		f.add(at, width, f.base) // one key on some Urdu keyboards, two letters on others
	case unicode.Is(unicode.M, r):
		if f.base != 0 && !unicode.In(f.base, unmarked...) {
			f.marks = true
			f.put(at, width, r)
		} else if f.base != 0 {
			f.at.To = at + width
		}
	case silent(r):
	case unicode.IsLetter(r) || unicode.Is(unicode.Nd, r):
		f.add(at, width, r)
	default:
		f.end()
	}
}

// add puts a letter or a digit at the end of the word.
func (f *folder) add(at, width int, r rune) {
	f.base, f.raw = r, r
	f.put(at, width, r)
}

func (f *folder) put(at, width int, r rune) {
	if len(f.word) == 0 {
		f.at.From = at
	}
	f.at.To = at + width
	f.word = utf8.AppendRune(f.word, r)
}

func (f *folder) end() {
	if len(f.word) == 0 {
		return
	}
	t := token{f.at, string(f.word)}
	if f.marks {
		t.text = norm.NFC.String(t.text)
	}
	last := len(f.out) - 1
	if endings[t.text] && last >= 0 && unicode.Is(unicode.Arabic, first(f.out[last].text)) {
		f.out[last].text += t.text
		f.out[last].To = t.To
	} else {
		f.out = append(f.out, t)
	}
	f.word, f.base, f.raw, f.marks = f.word[:0], 0, 0, false
}

// inNumber tells whether a mark stands between the thousands of a number: a digit
// before it, and three and no more in what follows.
func (f *folder) inNumber(after string) bool {
	if f.base < '0' || f.base > '9' {
		return false
	}
	n := 0
	for _, r := range after {
		if !unicode.Is(unicode.Nd, r) {
			break
		}
		n++
	}
	return n == 3
}

func thousands(r rune) bool { return r == ',' || r == '\u066c' || r == '\u060c' }

// silent tells whether a character is neither part of a word nor the end of one.
func silent(r rune) bool {
	switch r {
	case '\'', '`', '\u00b4', '\u2018', '\u2019', '\u201b', '\u2032', // apostrophes
		'\u02b9', '\u02bb', '\u02bc', '\u02bd', '\u02be', '\u02bf', '\u02c8', // and the letters like them
		'\u0621', '\u0674', // hamza alone
		'\u06e5', '\u06e6', // small waw and yeh, read and not written
		'\u0640': // the lengthening stroke
		return true
	}
	return r >= utf8.RuneSelf && unicode.Is(unicode.Cf, r) // joiners, directions, soft hyphen
}

const (
	hamzaAbove = '\u0654'
	bariYeh    = '\u06d2'
)

// unmarked are the scripts whose marks are dropped. In others a mark may be a vowel
// that is always written.
var unmarked = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Arabic, unicode.Hebrew, unicode.Nd}

// endings join the word before them.
var endings = map[string]bool{"ها": true, "های": true, "هایی": true}

// letters says what a small letter without its marks folds to.
var letters = func() map[rune]string {
	m := map[rune]string{
		'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'ı': "i", 'þ': "th", 'ς': "σ",
	}
	for to, from := range map[string]string{
		"ی": "\u064a\u0649\u06cc\u06cd\u06ce\u06d0\u06d1\u06d2\u0620\u063d\u063e\u063f\u0777\u0775\u0776",
		"ک": "\u0643\u06a9\u06aa\u063b\u063c\u06ac\u06ae",
		"گ": "\u06af\u06ab\u06b0",
		"ه": "\u0647\u0629\u06be\u06c1\u06c3\u06d5\u06ff",
		"ا": "\u0627\u0671\u0672\u0673",
		"و": "\u0648\u06c4\u06c5\u06c6\u06c7\u06c8\u06c9\u06ca\u06cb\u06cf",
		"ٹ": "\u0679\u067c", "ڈ": "\u0688\u0689", "ڑ": "\u0691\u0693",
		"ش": "\u0634\u069a", "ن": "\u0646\u06ba\u06bc",
	} {
		for _, r := range from {
			m[r] = to
		}
	}
	for i := range rune(10) {
		digit := string('0' + i)
		m[0x0660+i], m[0x06f0+i] = digit, digit
	}
	return m
}()

func first(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
