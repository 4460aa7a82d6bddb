// SPDX-License-Identifier: Apache-2.0

package bag

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Field is a line of bag-info.txt.
type Field struct{ Label, Value string }

// Labels that a bag has. Others may stand beside them.
const (
	BaggingDate = "Bagging-Date"
	PayloadOxum = "Payload-Oxum"
)

const dateForm = "2006-01-02"

// Date is the field with the day on which a bag is made.
func Date(t time.Time) Field { return Field{BaggingDate, t.UTC().Format(dateForm)} }

func checkField(f Field) error {
	if f.Label == "" || len(f.Label) > 64 || strings.Trim(f.Label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return fmt.Errorf("%.80q is no label", f.Label)
	}
	v := f.Value
	if v == "" || len(v) > 4096 || v != strings.TrimSpace(v) || !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
		return fmt.Errorf("%s: %.80q cannot be written on one line", f.Label, v)
	}
	return nil
}

// encodeInfo writes bag-info.txt.
func encodeInfo(list []Field) ([]byte, error) {
	var b []byte
	for _, f := range list {
		if err := checkField(f); err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, "%s: %s\n", f.Label, f.Value)
	}
	if len(b) > maxInfo {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(b), maxInfo)
	}
	return b, nil
}

// parseInfo reads bag-info.txt.
func parseInfo(b []byte) (out []Field, err error) {
	if len(b) == 0 || b[len(b)-1] != '\n' {
		return nil, fmt.Errorf("it is empty, or its last line has no end")
	}
	for line := range strings.Lines(string(b)) {
		label, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		f := Field{label, value}
		if err := checkField(f); !ok || err != nil {
			return nil, fmt.Errorf("line %d is not a label, a colon, a space and a value", len(out)+1)
		}
		out = append(out, f)
	}
	date, err := Only(out, BaggingDate)
	if err != nil {
		return nil, err
	}
	if t, err := time.Parse(dateForm, date); err != nil || t.Format(dateForm) != date {
		return nil, fmt.Errorf("%s: %.80q is no day", BaggingDate, date)
	}
	_, err = Only(out, PayloadOxum)
	return out, err
}

// Only finds the value of a label that stands once.
func Only(list []Field, label string) (value string, err error) {
	n := 0
	for _, f := range list {
		if strings.EqualFold(f.Label, label) {
			value = f.Value
			n++
		}
	}
	if n != 1 {
		return "", fmt.Errorf("%s stands in it %d times, not once", label, n)
	}
	return value, nil
}

func oxum(bytes, files int64) string { return fmt.Sprintf("%d.%d", bytes, files) }

// ReadInfo reads bag-info.txt of the bag in dir, which has been checked.
func ReadInfo(dir string) ([]Field, error) {
	f, err := os.Open(filepath.Join(dir, infoFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxInfo+1))
	if err == nil && len(b) > maxInfo {
		err = fmt.Errorf("it has more than %d bytes", maxInfo)
	}
	var out []Field
	if err == nil {
		out, err = parseInfo(b)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", infoFile, err)
	}
	return out, nil
}
