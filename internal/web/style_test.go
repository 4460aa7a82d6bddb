// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func readStyle(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("static/*.css")
	if err != nil || len(files) == 0 {
		t.Fatal("no style sheets", err)
	}
	var b []byte
	for _, f := range files {
		one, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, one...)
	}
	return regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(b), "")
}

// TestStyleServesBothDirections: a physical side in a rule does not mirror.
func TestStyleServesBothDirections(t *testing.T) {
	css := readStyle(t)
	call := regexp.MustCompile(`\([^()]*\)`)
	for i, line := range strings.Split(css, "\n") {
		for call.MatchString(line) && !strings.Contains(line, "@media") {
			line = call.ReplaceAllString(line, "_")
		}
		for _, bad := range []string{
			`\b(left|right)\b`, `\b(margin|padding|border|inset)-(top|bottom)\b`, `(^|[;{\s])(top|bottom|width|height|min-width|min-height|max-height)\s*:`,
			`\b(padding|margin)\s*:\s*[^\s;]+\s+[^\s;]+\s+[^\s;]+\s+[^\s;]+\s*;`, `!important`, `(https?:)?//`, `@import`,
		} {
			if m := regexp.MustCompile(bad).FindString(line); m != "" && !strings.Contains(line, "@media") {
				t.Errorf("line %d: %q in %q", i+1, m, strings.TrimSpace(line))
			}
		}
	}
}

// TestFourSizes: type has four sizes; the letters inside drawings have their own.
func TestFourSizes(t *testing.T) {
	css := readStyle(t)
	for _, m := range regexp.MustCompile(`font-size:\s*([^;]+);`).FindAllStringSubmatch(css, -1) {
		if !regexp.MustCompile(`^var\(--(small|body|head|big)\)$|^10pt$`).MatchString(m[1]) {
			t.Errorf("font-size %s", m[1])
		}
	}
}

// TestContrast: text has 7:1 on each ground it stands on, in both themes.
func TestContrast(t *testing.T) {
	css := readStyle(t)
	dark := css[strings.Index(css, "prefers-color-scheme: dark"):]
	light := css[:strings.Index(css, "prefers-color-scheme: dark")]
	for theme, part := range map[string]string{"light": light, "dark": dark} {
		colour := func(name string) float64 {
			m := regexp.MustCompile(`--` + name + `:\s*#([0-9a-f]{6})`).FindStringSubmatch(part)
			if m == nil {
				t.Fatalf("%s has no colour --%s", theme, name)
			}
			return luminance(t, m[1])
		}
		for _, ink := range []string{"ink", "quiet", "act", "late"} {
			for _, ground := range []string{"paper", "raised"} {
				a, b := colour(ink), colour(ground)
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 7 {
					t.Errorf("%s: --%s on --%s has contrast %s", theme, ink, ground, fmt.Sprintf("%.1f", ratio))
				}
			}
		}
	}
}

// luminance is relative luminance as WCAG 2 defines it.
func luminance(t *testing.T, hex string) float64 {
	var l float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
