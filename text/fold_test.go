// SPDX-License-Identifier: Apache-2.0

package text_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"truceline/text"
)

// Each line holds one word as keyboards and habits of different countries write it.
func TestOneWordManySpellings(t *testing.T) {
	for name, spellings := range map[string][]string{
		// Urdu
		"was (Urdu, Arabic keyboard)":      {"گئی", "گئي", "گئى"},
		"went, plural":                     {"گئے", "گۓ", "گي\u0654ے", "گے\u0654"},
		"for":                              {"لیے", "لئے", "لۓ"},
		"martyrs, with hamza and without":  {"شہداء", "شہدا", "شهدا"},
		"India, both hehs":                 {"بھارت", "بہارت", "بهارت"},
		"noon ghunna":                      {"خاں", "خان"},
		"vowels written":                   {"پَاکِسْتَان", "پاکستان", "پاكستان", "پـاکـسـتـان"},
		"this, with superscript alef":      {"ہٰذا", "ہذا", "هذا"},
		"question, hamza on a tooth":       {"مسئلہ", "مسئله", "مسئله"},
		"people, with alef madda":          {"آبادی", "ابادی", "ا\u0653بادي"},
		"figures":                          {"۲۰۲۵", "٢٠٢٥", "2025", "２０２５"},
		"thousands":                        {"۱٬۲۰۰", "1,200", "1200", "١٢٠٠"},
		"presentation forms":               {"ﺳﻼﻡ", "سلام"},
		"not joined, marks of direction":   {"\u200fچمن\u200e", "\u2067چمن\u2069", "چمن"},
		"Urdu heh with hamza":              {"جذبۂ", "جذبہ", "جذبه"},
		"two words, one with a mark":       {"وزیرِ اعظم", "وزير اعظم"},
		"word joiner inside":               {"خیبر\u2060پختونخوا", "خیبرپختونخوا"},
		"Arabic final teh and Persian heh": {"قلعة", "قلعه", "قلعہ"},
		// Pashto
		"man, Kabul and Peshawar":                  {"سړی", "سړے", "سړي"},
		"e of Pashto on a keyboard without it":     {"پېښور", "پیښور", "پيښور", "پیشور"},
		"feminine yeh":                             {"ملګرۍ", "ملګری", "ملگری", "ملګرئ"},
		"both gafs":                                {"ننګرهار", "ننگرهار", "ننگرہار"},
		"the same town in Pashto and Dari letters": {"لښکرګاه", "لشکرگاه", "لشكرگاہ"},
		"the same town in Pashto and Urdu letters": {"ټانک", "ٹانک", "ټانك"},
		"retroflex d":                              {"ډېره", "ڈیرہ"},
		"retroflex r":                              {"کړی", "کڑی"},
		"noon of Pashto":                           {"کوڼ", "کون"},
		// Dari
		"ezafe after heh":             {"حوزهٔ", "حوزۀ", "حوزه", "حوزە"},
		"plural, three spaces":        {"نیروهای", "نیرو‌های", "نیرو های", "نيرو هاي"},
		"plural, no yeh":              {"زخمی‌ها", "زخمی ها", "زخمیها"},
		"verb with a joiner":          {"می‌شود", "میشود", "ميشود"},
		"hamza on waw":                {"مسؤول", "مسوول"},
		"hamza on alef":               {"تأیید", "تایید", "تائید"},
		"two yehs":                    {"جدائی", "جدایی"},
		"Arabic alef maksura and kaf": {"مركزى", "مرکزی", "مرکزي"},
		// Latin
		"accents":               {"Bāṛa", "BARA", "bara", "Ba\u0304ra"},
		"apostrophes":           {"Qur'an", "Qur’an", "Qurʾān", "Quran"},
		"letters of other kind": {"Straße", "strasse", "STRASSE"},
		"full width":            {"Ｃｈａｍａｎ", "chaman"},
		"Turkish":               {"İstanbul", "ıstanbul", "istanbul"},
		"soft hyphen":           {"cease\u00adfire", "ceasefire"},
		"ligature":              {"ceaseﬁre", "ceasefire"},
	} {
		for _, s := range spellings[1:] {
			if a, b := text.Fold(spellings[0]), text.Fold(s); a != b || a == "" {
				t.Errorf("%s: %s folds to %q, %s to %q", name, spellings[0], a, s, b)
			}
		}
	}
}

// What a language tells apart and no keyboard confuses stays apart.
func TestWhatStaysApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"ټ", "ت"}, {"ٹ", "ت"}, {"ډ", "د"}, {"ړ", "ر"}, {"گ", "ک"}, {"ږ", "ژ"}, {"ځ", "ز"}, {"څ", "چ"}, {"پ", "ب"},
		{"ع", "ا"}, {"ح", "ه"}, {"و", "ی"}, {"س", "ش"}, {"1 200", "1200"}, {"1,20", "120"}, {"12,3456", "123456"}, {"cease fire", "ceasefire"},
	} {
		if a, b := text.Fold(pair[0]), text.Fold(pair[1]); a == b {
			t.Errorf("%s and %s both fold to %q", pair[0], pair[1], a)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		" \t—… ":                       "",
		"Spin Boldak/Chaman (gate)":    "spin boldak chaman gate",
		"007/2026":                     "007 2026",
		"the people's   QUESTION":      "the peoples question",
		"۱۲ تن، ۳ زخمی":                "12 تن 3 زخمی",
		"ء":                            "",
		"ها و ها":                      "ها وها",
		"A ها":                         "a ها",
		"\xff broken \xc3":             "broken",
		"हिन्दी में":                   "हिन्दी में",
		"A\u0301\u0301 \u0301 e\u0301": "a e",
	} {
		if got := text.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
	if got := text.Words("one two"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("%q", got)
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ in, words, want string }{
		{"Firing at the Qur'an school; FIRE!", "fire", "FIRE"},
		{"Firing at the Qur'an school; FIRE!", "fir quran", "Firing|Qur'an|FIRE"},
		{"په لښکرګاه کې", "لشکرگاه", "لښکرګاه"},
		{"نیرو های مسلح", "نیروهای", "نیرو های"},
		{"پَاکِسْتَانی فوج", "پاکستان", "پَاکِسْتَانی"},
		{"شہداءِ چمن", "شہدا", "شہداءِ"},
		{"1,200 men", "1200", "1,200"},
		{"nothing", "x", ""},
	} {
		var got []string
		for _, r := range text.Find(c.in, text.Words(c.words)) {
			got = append(got, c.in[r.From:r.To])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("Find(%q, %q) = %q, want %q", c.in, c.words, got, c.want)
		}
	}
}

// holds checks what is true of every text.
func holds(t interface {
	Helper()
	Fatalf(string, ...any)
}, s string) {
	t.Helper()
	f := text.Fold(s)
	if again := text.Fold(f); again != f {
		t.Fatalf("%q folds to %q, and that to %q", s, f, again)
	}
	if f != strings.Join(text.Words(s), " ") {
		t.Fatalf("the words of %q are not those of its fold", s)
	}
	for _, w := range text.Words(s) {
		if w == "" || strings.ContainsFunc(w, unicode.IsSpace) || !utf8.ValidString(w) || strings.ToLower(w) != w {
			t.Fatalf("%q has the word %q", s, w)
		}
	}
	end := 0
	found := text.Find(s, text.Words(s))
	for _, r := range found {
		if r.From < end || r.To <= r.From || r.To > len(s) || utf8.ValidString(s) && !utf8.ValidString(s[r.From:r.To]) {
			t.Fatalf("%q: found %v", s, found)
		}
		end = r.To
	}
	// One sign may hold two words.
	signs := strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.No, unicode.S) })
	if n := len(text.Words(s)); len(found) > n || len(found) < n && (!signs || len(found) == 0) {
		t.Fatalf("%q: %d of its %d words are found in it", s, len(found), n)
	}
}

func TestFoldIsStable(t *testing.T) {
	letters := []rune("ابپتثجچحخدذرزژسشصضطظعغفقکكگګلمنںڼوؤهہھەۀةءأإآٱیيىېۍئےۓټډړښږځڅ\u0654\u064e\u0651\u0670\u0640\u200c\u200d\u200f۱٢3 ,،٬-'’aÀéßİ½ﻻक़ि")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom(letters))).Draw(t, "s")
		holds(t, s)
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"لښکرګاه", "گۓ", "حوزۀ", "1,200", "नमस्ते", "각ﬁ①½", "\u0300\u0327a", "\xff", "ǅΆΐ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { holds(t, s) })
}

func BenchmarkFold(b *testing.B) {
	const s = "وايي چې د سپين بولدک په بازار کې ۱۲ تنه ووژل شول، Twelve people were killed in the bazaar."
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		text.Fold(s)
	}
}
