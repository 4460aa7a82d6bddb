// SPDX-License-Identifier: Apache-2.0

// Package peer serves a mission's log to other programs: C2SP tlog-tiles with
// record bundles beside them, and proofs. Everything but the checkpoint is
// immutable and may be cached for ever.
package peer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"truceline/internal/node"
	"truceline/internal/routes"
	"truceline/ledger"
	"truceline/record"
)

// Prefix is where the log stands on a server.
const Prefix = "/log"

// Handler serves the log of n under Prefix.
func Handler(n *node.Node, log *slog.Logger) http.Handler {
	s := &server{n, log}
	mux := routes.New()
	mux.HandleFunc("GET "+Prefix+"/proof/{index}", s.answer(s.proof))
	mux.HandleFunc("GET "+Prefix+"/consistency/{old}/{new}", s.answer(s.consistency))
	mux.HandleFunc("GET "+Prefix+"/record/{id}", s.answer(s.record))
	mux.HandleFunc("GET "+Prefix+"/bundle/{id}", s.answer(s.bundle))
	mux.HandleFunc("GET "+Prefix+"/checkpoint", s.answer(s.checkpoint))
	mux.HandleFunc("GET "+Prefix+"/witnessed", s.answer(s.witnessed))
	mux.HandleFunc("GET "+Prefix+"/{path...}", s.answer(s.file))
	return mux
}

type server struct {
	node *node.Node
	log  *slog.Logger
}

// ReaderHeader is the header in which a member signs what it asks, so that it is given what
// is not for everybody, too.
const ReaderHeader = "Truceline-Reader"

// logFor is the log as who asks may read it, and whether that is a member. The error is
// ErrNoReader where it asks as a member and is none.
func (s *server) logFor(r *http.Request) (l *node.Log, member bool, err error) {
	line := r.Header.Get(ReaderHeader)
	if line == "" {
		return s.node.Log(), false, nil
	}
	if _, err := s.node.CheckReader(line, r.Method, r.URL.RequestURI()); err != nil {
		return s.node.Log(), false, err
	}
	return s.node.MembersLog(), true, nil
}

// answer is a file of the log and how it may be kept.
type answer struct {
	data []byte
	mime string
	keep keeping
}

// keeping is who may keep an answer, and how long.
type keeping int

const (
	asking  keeping = iota // anybody who asks about it each time
	forEver                // anybody: it never changes
	nobody                 // it holds what is not for everybody
)

func (s *server) answer(f func(context.Context, *http.Request) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := f(r.Context(), r)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if session := s.node.Session(); session != "" {
			h.Set(Session, session)
		}
		if err != nil {
			status := http.StatusInternalServerError
			if node.IsNotFound(err) {
				status = http.StatusNotFound
			} else if errors.Is(err, node.ErrNoReader) {
				status = http.StatusUnauthorized
			} else if r.Context().Err() == nil {
				s.log.Error("the log could not answer", "path", r.URL.Path, "err", err)
				err = fmt.Errorf("the log could not be read; its operator finds the reason in the server's own log")
			}
			h.Set("Cache-Control", "no-store")
			http.Error(w, err.Error(), status)
			return
		}
		h.Set("Content-Type", a.mime)
		h.Set("Vary", "Accept-Encoding, "+ReaderHeader)
		switch a.keep {
		case forEver:
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		case asking:
			h.Set("Cache-Control", "no-cache")
		case nobody:
			h.Set("Cache-Control", "private, no-store")
		}
		if a.keep != nobody {
			h.Set("Access-Control-Allow-Origin", "*") // anybody may check, from anywhere
		}
		write(w, r, a.data)
	}
}

func write(w http.ResponseWriter, r *http.Request, data []byte) {
	if len(data) > 1024 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		z.Write(data) // a bytes.Buffer takes everything
		z.Close()
		data = buf.Bytes()
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data)
}

const (
	plain  = "text/plain; charset=utf-8"
	binary = "application/octet-stream"
	lines  = "application/x-ndjson; charset=utf-8"
	object = "application/json; charset=utf-8"
)

func (s *server) file(ctx context.Context, r *http.Request) (answer, error) {
	path := r.PathValue("path")
	l, member, reader := s.logFor(r)
	data, err := l.Read(ctx, path)
	if reader != nil && err == nil && strings.HasPrefix(path, "records/") && !whole(data, path) {
		return answer{}, reader // it lacks what a member would have been given
	}
	switch {
	case path == "checkpoint":
		return answer{data, plain, asking}, err
	case strings.HasPrefix(path, "records/") && member:
		return answer{data, lines, nobody}, err
	case strings.HasPrefix(path, "records/"):
		// Bodies that are erased later vanish from bundles.
		return answer{data, lines, asking}, err
	}
	return answer{data, binary, forEver}, err
}

// whole tells whether a bundle of records has every line.
func whole(data []byte, path string) bool {
	p, err := ledger.ParsePath(path)
	return err == nil && bytes.Count(data, []byte("\n")) == p.Width
}

func (s *server) checkpoint(ctx context.Context, _ *http.Request) (answer, error) {
	b, err := s.node.Checkpoint(ctx)
	return answer{b, plain, asking}, err
}

// witnessed is the newest head that met the policy, with its cosignatures.
func (s *server) witnessed(ctx context.Context, _ *http.Request) (answer, error) {
	h, err := s.node.Witnessed(ctx)
	return answer{h.Note, plain, asking}, err
}

func (s *server) proof(ctx context.Context, r *http.Request) (answer, error) {
	l := s.node.Log()
	index, err := s.index(ctx, l, r.PathValue("index"))
	if err != nil {
		return answer{}, err
	}
	data, err := l.Proof(ctx, index)
	return answer{data, plain, asking}, err
}

func (s *server) record(ctx context.Context, r *http.Request) (answer, error) {
	l, member, _ := s.logFor(r)
	index, err := s.index(ctx, l, r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	data, err := l.Line(ctx, index)
	a := answer{append(data, '\n'), lines, asking}
	if member {
		a.keep = nobody
	}
	return a, err
}

// bundle is what a stranger needs to check a record without any network. It differs from
// day to day, for heads get cosigned.
func (s *server) bundle(ctx context.Context, r *http.Request) (answer, error) {
	index, err := s.index(ctx, s.node.Log(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	data, _, err := s.node.Bundle(ctx, index)
	return answer{data, object, asking}, err
}

// index reads an index or a statement's id.
func (s *server) index(ctx context.Context, l *node.Log, v string) (int64, error) {
	if id, err := record.ParseID(v); err == nil {
		return l.Index(ctx, id)
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != v {
		return -1, notFound("a record is named by its id of 32 digits or by its index, not %.40q", v)
	}
	return n, nil
}

func (s *server) consistency(ctx context.Context, r *http.Request) (answer, error) {
	oldSize, err1 := strconv.ParseInt(r.PathValue("old"), 10, 64)
	newSize, err2 := strconv.ParseInt(r.PathValue("new"), 10, 64)
	if err1 != nil || err2 != nil {
		return answer{}, notFound("tree sizes are whole numbers")
	}
	hashes, err := s.node.Log().Consistency(ctx, oldSize, newSize)
	var b strings.Builder
	for _, h := range hashes {
		b.WriteString(h.String() + "\n")
	}
	return answer{[]byte(b.String()), plain, forEver}, err
}
