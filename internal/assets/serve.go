// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var _ http.Handler = (*Set)(nil)

// ServeHTTP serves the files of s under Prefix.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, Prefix)
	digest, name, _ := strings.Cut(rest, "/")
	f := s.files[name]
	if !ok || digest != s.digest || f == nil {
		w.Header().Set("Cache-Control", "no-store")
		if !s.vendor && slices.Contains(needed, name) {
			http.Error(w, ErrMissing.Error(), http.StatusServiceUnavailable)
			return
		}
		http.NotFound(w, r)
		return
	}
	if err := f.serve(w, r); err != nil {
		// The header may be out already; cutting the connection is what tells the reader.
		panic(http.ErrAbortHandler)
	}
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	body, size := io.Reader(nil), f.plain
	if f.gz || f.compressible() {
		if !slices.Contains(h.Values("Vary"), "Accept-Encoding") {
			h.Add("Vary", "Accept-Encoding")
		}
	}
	takes := acceptsGzip(r.Header.Values("Accept-Encoding"))
	if takes && !f.gz && f.compressible() {
		f.zip.Do(f.compress)
		if f.zipped != nil {
			h.Set("Content-Encoding", "gzip")
			body, size = bytes.NewReader(f.zipped), int64(len(f.zipped))
		}
	}
	if body == nil {
		file, err := f.fsys.Open(f.name)
		if err != nil {
			return fmt.Errorf("assets: %w", err)
		}
		defer file.Close()
		body = file
		switch {
		case f.gz && takes:
			h.Set("Content-Encoding", "gzip")
			size = f.stored
		case f.gz:
			if body, err = gzip.NewReader(file); err != nil {
				return fmt.Errorf("assets: %s: %w", f.name, err)
			}
		}
	}
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := io.Copy(w, body)
	return err
}

// compressible tells whether f is a text long enough to be worth it.
func (f *file) compressible() bool {
	return f.plain >= 1024 && (strings.HasPrefix(f.kind, "text/") || f.kind == "application/json" || f.kind == "image/svg+xml")
}

// compress makes zipped; where that fails the file goes out as it is.
func (f *file) compress() {
	plain, err := fs.ReadFile(f.fsys, f.name)
	if err != nil {
		return
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return
	}
	if _, err := z.Write(plain); err != nil || z.Close() != nil || b.Len() >= len(plain) {
		return
	}
	f.zipped = b.Bytes()
}

// acceptsGzip tells whether a reader that sent these Accept-Encoding lines takes gzip.
func acceptsGzip(lines []string) bool {
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return !ok || err == nil && v > 0
	}
	return false
}
