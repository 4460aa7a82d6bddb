// SPDX-License-Identifier: Apache-2.0

package text

import (
	"strings"

	"golang.org/x/text/feature/plural"
)

// accents give each English letter a look of its own; no ASCII letter stays.
var accents = strings.NewReplacer(
	"a", "å", "b", "ƀ", "c", "ç", "d", "ð", "e", "é", "f", "ƒ", "g", "ĝ", "h", "ĥ", "i", "î",
	"j", "ĵ", "k", "ķ", "l", "ļ", "m", "ṁ", "n", "ñ", "o", "ö", "p", "þ", "q", "ǫ", "r", "ŕ",
	"s", "š", "t", "ţ", "u", "û", "v", "ṽ", "w", "ŵ", "x", "ẋ", "y", "ý", "z", "ž",
	"A", "Å", "B", "Ɓ", "C", "Ç", "D", "Ð", "E", "É", "F", "Ƒ", "G", "Ĝ", "H", "Ĥ", "I", "Î",
	"J", "Ĵ", "K", "Ķ", "L", "Ļ", "M", "Ṁ", "N", "Ñ", "O", "Ö", "P", "Þ", "Q", "Ǫ", "R", "Ŕ",
	"S", "Š", "T", "Ţ", "U", "Û", "V", "Ṽ", "W", "Ŵ", "X", "Ẋ", "Y", "Ý", "Z", "Ž",
)

// rlm is an invisible letter of right-to-left direction. Between two spaces-apart
// words it makes the words run from right to left while each stays readable.
const rlm = "\u200f"

// pseudo makes the pseudo language from English.
func pseudo(english *Locale) *Locale {
	l := &Locale{Tag: Pseudo, Dir: "rtl", Name: mirror("Pseudo"), tag: english.tag, messages: map[string]message{}}
	for key, m := range english.messages {
		out := message{plain: mirror(m.plain)}
		if m.forms != nil {
			out.forms = map[plural.Form]string{}
			for f, s := range m.forms {
				out.forms[f] = mirror(s)
			}
		}
		l.messages[key] = out
	}
	return l
}

// mirror accents the words of s and leaves its placeholders.
func mirror(s string) string {
	var b strings.Builder
	b.WriteString(rlm)
	for s != "" {
		words, rest, found := strings.Cut(s, "{")
		b.WriteString(strings.ReplaceAll(accents.Replace(words), " ", rlm+" "+rlm))
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString("{" + name + "}")
		s = after
	}
	b.WriteString(rlm)
	return b.String()
}
