// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Read gives the content of the file called name. The error is ErrMissing where it is one
// of another project's that the program was built without, fs.ErrNotExist where there is none.
func (s *Set) Read(name string) ([]byte, error) {
	f := s.files[name]
	switch {
	case f == nil && slices.Contains(needed, name):
		return nil, ErrMissing
	case f == nil:
		return nil, fmt.Errorf("assets: %s: %w", name, fs.ErrNotExist)
	case !f.gz:
		b, err := fs.ReadFile(f.fsys, f.name)
		if err != nil {
			return nil, fmt.Errorf("assets: %w", err)
		}
		return b, nil
	}
	file, err := f.fsys.Open(f.name)
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("assets: %s: %w", name, errors.Join(err, file.Close()))
	}
	b, err := io.ReadAll(z)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("assets: %s: %w", name, err)
	}
	return b, nil
}

// Inline writes the module called entry and all that it imports as one script, for a page
// that is to run without a server: browsers load no modules from a disk. It knows as much of
// modules as the files of a Set use, and is an error for anything else, so that what it
// writes does what the modules do.
func (s *Set) Inline(entry string) ([]byte, error) {
	in := inliner{set: s, wanted: map[string][]string{}, source: map[string]string{}}
	if err := in.read(entry, nil); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("(() => {\n'use strict'\n")
	for _, name := range in.order {
		fmt.Fprintf(&b, "// %s\nconst %s = (() => {\n%s\nreturn { %s }\n})()\n", name, in.variable(name), in.source[name], strings.Join(in.wanted[name], ", "))
	}
	b.WriteString("})()\n")
	// What ends a script in a page, or begins a comment in it, would end this one too early.
	for _, bad := range []string{"</script", "<!--", "\r", "\x00"} {
		if strings.Contains(strings.ToLower(b.String()), bad) {
			return nil, fmt.Errorf("assets: %s: a file that it loads has %q, which cannot stand in a page", entry, bad)
		}
	}
	return []byte(b.String()), nil
}

type inliner struct {
	set    *Set
	order  []string            // modules, each after those that it imports
	wanted map[string][]string // by module, the names that others import of it
	source map[string]string   // by module, without imports and exports
}

var (
	importNames = regexp.MustCompile(`(?m)^import \{([^{}]*)\} from ['"](\.{1,2}/[^'"\n]+)['"];?$`)
	importAll   = regexp.MustCompile(`(?m)^import \* as (\w+) from ['"](\.{1,2}/[^'"\n]+)['"];?$`)
	exportNames = regexp.MustCompile(`(?m)^export \{([^{}]*)\};?$`)
	exportThis  = regexp.MustCompile(`(?m)^export (async function|function|class|const) (\w+)`)
	moduleWord  = regexp.MustCompile(`(?m)^\s*(import|export)\b.*|\bimport\s*[(.].*`)
	oneName     = regexp.MustCompile(`^(\w+)(?: as (\w+))?$`)
	// Comments that begin a line may hold examples of imports.
	comment = regexp.MustCompile(`(?ms)^[ \t]*/\*.*?\*/|^[ \t]*//[^\n]*`)
)

func (in *inliner) variable(name string) string {
	return "module_" + regexp.MustCompile(`\W`).ReplaceAllString(name, "_")
}

// read takes in a module that above lead to.
func (in *inliner) read(name string, above []string) error {
	if slices.Contains(above, name) {
		return fmt.Errorf("assets: %s imports itself", name)
	}
	if slices.Contains(in.order, name) {
		return nil
	}
	raw, err := in.set.Read(name)
	if err != nil {
		return err
	}
	if strings.Contains(string(raw), "\x00") {
		return fmt.Errorf("assets: %s has a zero byte", name)
	}
	var comments []string
	code := comment.ReplaceAllStringFunc(string(raw), func(s string) string {
		comments = append(comments, s)
		return "\x00"
	})
	var fault error
	load := func(from string) string {
		from = path.Join(path.Dir(name), from)
		if fault == nil {
			fault = in.read(from, append(above, name))
		}
		return from
	}
	code = importNames.ReplaceAllStringFunc(code, func(s string) string {
		m := importNames.FindStringSubmatch(s)
		from := load(m[2])
		var as []string
		for _, x := range names(m[1]) {
			n := oneName.FindStringSubmatch(x)
			if n == nil {
				fault = errors.Join(fault, fmt.Errorf("assets: %s imports %q", name, x))
				continue
			}
			in.want(from, n[1])
			as = append(as, n[1])
			if n[2] != "" {
				as[len(as)-1] += ": " + n[2]
			}
		}
		return "const { " + strings.Join(as, ", ") + " } = " + in.variable(from)
	})
	code = importAll.ReplaceAllStringFunc(code, func(s string) string {
		m := importAll.FindStringSubmatch(s)
		from := load(m[2])
		for _, x := range in.exported(from) {
			in.want(from, x)
		}
		return "const " + m[1] + " = " + in.variable(from)
	})
	if fault != nil {
		return fault
	}
	code = exportThis.ReplaceAllString(exportNames.ReplaceAllString(code, ""), "$1 $2")
	if left := moduleWord.FindString(code); left != "" {
		return fmt.Errorf("assets: %s has a line of modules that is not understood: %.80q", name, left)
	}
	in.source[name] = regexp.MustCompile("\x00").ReplaceAllStringFunc(code, func(string) string {
		c := comments[0]
		comments = comments[1:]
		return c
	})
	in.order = append(in.order, name)
	return nil
}

func (in *inliner) want(module, name string) {
	if !slices.Contains(in.wanted[module], name) {
		in.wanted[module] = append(in.wanted[module], name)
	}
}

// exported lists the names in a module's lists of exports.
func (in *inliner) exported(module string) (out []string) {
	b, err := in.set.Read(module)
	if err != nil {
		return nil // read has said so
	}
	for _, m := range exportNames.FindAllStringSubmatch(string(b), -1) {
		out = append(out, names(m[1])...)
	}
	return out
}

func names(list string) (out []string) {
	for x := range strings.SplitSeq(list, ",") {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}
