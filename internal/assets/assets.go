// SPDX-License-Identifier: Apache-2.0

// Package assets holds the files that browsers load: the map engine and the fonts
// of other projects, the map module, and what the pages add.
//
// All files of a Set are served from one folder whose name is a digest of all of
// them: /assets/<digest>/maplibre-gl.mjs. So browsers may keep every file for ever,
// modules find each other by relative names, and a style sheet names its fonts
// beside it. A changed file changes every address; that costs a reader one reload
// of a few hundred kilobytes after an update, and saves a table of names in scripts.
//
// The files of other projects are not in the repository. `make assets` puts the
// pinned versions into the folder vendor, from where they are embedded. Without
// them the program builds and runs, pages lack fonts and the moving map, and Missing
// says what to do.
package assets

import (
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed all:vendor
var vendorFiles embed.FS

//go:embed static
var staticFiles embed.FS

// ErrMissing tells that the program was built without the files of other projects.
var ErrMissing = errors.New("browser files are missing: run make assets")

// Prefix is where a Set is served.
const Prefix = "/assets/"

// atlasName is the base map's data: read by the program, not served.
const atlasName = "countries-10m.json"

// needed are the files without which a page lacks something.
var needed = []string{
	"fonts/noto-naskh-arabic-400.woff2",
	"fonts/noto-naskh-arabic-700.woff2",
	"fonts/noto-sans-latin-400.woff2",
	"fonts/noto-sans-latin-600.woff2",
	"maplibre-gl-worker.mjs",
	"maplibre-gl.css",
	"maplibre-gl.mjs",
	"noble-ed25519.mjs",
	"noble-hashes/_md.js",
	"noble-hashes/_u64.js",
	"noble-hashes/hmac.js",
	"noble-hashes/sha2.js",
	"noble-hashes/utils.js",
}

// Set is a collection of files under one address. It is safe for concurrent use.
type Set struct {
	digest string
	files  map[string]*file
	vendor bool // the files of other projects are there
}

// file is one file as it is stored: compressed or not.
type file struct {
	fsys   fs.FS
	name   string // in fsys
	kind   string // content type
	stored int64  // bytes in fsys
	plain  int64  // bytes once decompressed
	gz     bool   // fsys holds it compressed

	zip    sync.Once
	zipped []byte // made at the first request, for texts that fsys holds plain; nil: not worth it
}

// New makes a Set of the embedded files and of all files in more. A name that two
// of them hold is an error.
func New(more ...fs.FS) (*Set, error) {
	own, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	vendor, err := fs.Sub(vendorFiles, "vendor")
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	return newSet(vendor, append([]fs.FS{own}, more...)...)
}

func newSet(vendor fs.FS, more ...fs.FS) (*Set, error) {
	s := &Set{files: map[string]*file{}, vendor: true}
	if err := s.add(vendor, true); err != nil {
		return nil, err
	}
	for _, name := range needed {
		if s.files[name] == nil {
			s.vendor = false
		}
	}
	for _, fsys := range more {
		if err := s.add(fsys, false); err != nil {
			return nil, err
		}
	}
	return s, s.sum()
}

// add takes in the files of fsys. Names in vendor may end in .gz and are then known
// without it.
func (s *Set) add(fsys fs.FS, vendor bool) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("assets: %w", err)
		}
		if d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("assets: %w", err)
		}
		f := &file{fsys: fsys, name: name, stored: info.Size(), plain: info.Size()}
		if short, ok := strings.CutSuffix(name, ".gz"); ok && vendor {
			f.gz, name = true, short
			if f.plain, err = plainSize(fsys, f.name); err != nil {
				return err
			}
		}
		if vendor && name == atlasName {
			return nil
		}
		f.kind = contentType(name)
		if s.files[name] != nil {
			return fmt.Errorf("assets: two files are named %s", name)
		}
		s.files[name] = f
		return nil
	})
}

// plainSize reads the last four bytes of a gzip file: its length before compression.
func plainSize(fsys fs.FS, name string) (int64, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return 0, fmt.Errorf("assets: %w", err)
	}
	if len(b) < 18 {
		return 0, fmt.Errorf("assets: %s is not a gzip file: run make assets", name)
	}
	return int64(binary.LittleEndian.Uint32(b[len(b)-4:])), nil
}

func (s *Set) sum() error {
	h := sha256.New()
	for _, name := range s.Names() {
		f := s.files[name]
		fmt.Fprintf(h, "%s\n%d\n", name, f.stored)
		r, err := f.fsys.Open(f.name)
		if err != nil {
			return fmt.Errorf("assets: %w", err)
		}
		_, err = io.Copy(h, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("assets: %s: %w", name, err)
		}
	}
	s.digest = hex.EncodeToString(h.Sum(nil)[:8])
	return nil
}

// Names lists the files of s in order.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.files))
	for name := range s.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// URL gives the address of the file called name, without the host.
func (s *Set) URL(name string) string { return Prefix + s.digest + "/" + name }

// Missing tells why some files cannot be served: ErrMissing, or nil.
func (s *Set) Missing() error {
	if !s.vendor {
		return ErrMissing
	}
	return nil
}

// Atlas opens the data of the base map, a TopoJSON file. The caller closes it.
func Atlas() (io.ReadCloser, error) {
	f, err := vendorFiles.Open("vendor/" + atlasName + ".gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("assets: atlas: %w", errors.Join(err, f.Close()))
	}
	return &unzipped{Reader: z, file: f}, nil
}

// unzipped closes the file below its gzip reader.
type unzipped struct {
	*gzip.Reader
	file fs.File
}

func (u *unzipped) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

// contentType gives the type of a file by its name. The table of the system is not
// asked: it differs from machine to machine, and not all of them know .mjs.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".mjs", ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".json":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}
