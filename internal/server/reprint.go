// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"truceline/internal/assets"
	"truceline/internal/ledgerstore"
	"truceline/internal/peer"
	"truceline/internal/reprint"
	"truceline/internal/routes"
	"truceline/internal/takeout"
	"truceline/internal/web"
	"truceline/ledger"
	"truceline/text"
)

// ListenReprint is Listen for a copy that was made from a bag, which stands in folder. There
// is nothing but pages to read, and the log. Who reads what was given to one member has the
// link of Link; others are told so, and shown nothing. Randomness is for that.
func ListenReprint(ctx context.Context, r *reprint.Reprint, folder string, now func() time.Time, random io.Reader, o Options) (*Server, error) {
	s, err := take(&o)
	if err != nil {
		return nil, err
	}
	s.tables, s.stop = r.Tables, make(chan struct{})
	if err := s.reprint(ctx, r, folder, now, random, o); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the copy: %w", err), s.Close())
	}
	return s, nil
}

func (s *Server) reprint(ctx context.Context, r *reprint.Reprint, folder string, now func() time.Time, random io.Reader, o Options) error {
	head, err := r.Head(ctx)
	if err != nil {
		return err
	}
	logURL := o.BaseURL + peer.Prefix
	if r.Reader != takeout.Public {
		logURL = quoted(filepath.Join(reprint.BagFolder(folder), "data", "log"))
	}
	pages, err := web.New(web.Config{
		Source: r.Tables, Ledger: bagProofs{r, head}, BaseURL: o.BaseURL, LogURL: logURL, LogVKey: r.LogKey, Origin: r.Origin,
		Clock: now, Log: o.Log, Filings: r,
		Reprint: &web.Reprint{
			Organization: r.Organization, Date: r.Date, Member: string(r.Reader), Records: head.Size, LeftOut: head.Size - r.Lines(), LoggedAt: head.LoggedAt,
		},
	})
	if err != nil {
		return err
	}
	mux := routes.New()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]any{"ok": true, "size": head.Size, "origin": r.Origin, "copy": true})
	})
	open := mux
	if r.Reader != takeout.Public {
		open = routes.New()
	}
	open.Handle("/", pages)
	open.HandleFunc("GET "+peer.Prefix+"/{path...}", func(w http.ResponseWriter, q *http.Request) {
		b, err := r.Read(q.Context(), q.PathValue("path"))
		s.logFile(w, q, b, err)
	})
	open.HandleFunc("GET "+peer.Prefix+"/proof/{index}", func(w http.ResponseWriter, q *http.Request) {
		index, err := strconv.ParseInt(q.PathValue("index"), 10, 64)
		if err != nil {
			index = -1
		}
		b, err := r.Proof(q.Context(), index)
		s.logFile(w, q, b, err)
	})
	if open == mux {
		s.answer(mux)
		return nil
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(random, secret); err != nil {
		return err
	}
	s.key = hex.EncodeToString(secret)
	sum := sha256.Sum256([]byte(r.Mission.String() + "/copy/" + string(r.Reader)))
	g := &gate{key: s.key, cookie: fmt.Sprintf("truceline_copy_%x", sum[:4]), secure: strings.HasPrefix(o.BaseURL, "https:"), pages: open}
	mux.Handle("/", g)
	mux.HandleFunc("GET /open/{key}", g.open)
	s.answer(mux)
	return nil
}

// Link is what opens the pages; where they are open to everybody, their address.
func (s *Server) Link() string {
	if s.key == "" {
		return s.URL()
	}
	return s.URL() + "/open/" + s.key
}

// quoted writes a path as a shell reads it.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// gate lets those to the pages who have opened the link.
type gate struct {
	key, cookie string
	secure      bool
	pages       http.Handler
}

func (g *gate) is(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(g.key)) == 1
}

func (g *gate) open(w http.ResponseWriter, r *http.Request) {
	if !g.is(r.PathValue("key")) {
		g.refuse(w, r)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.key, Path: "/", HttpOnly: true, Secure: g.secure, SameSite: http.SameSiteLaxMode})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(g.cookie); err != nil || !g.is(c.Value) {
		g.refuse(w, r)
		return
	}
	if !strings.HasPrefix(r.URL.Path, assets.Prefix) {
		w = unkept{w}
	}
	g.pages.ServeHTTP(w, r)
}

func (g *gate) refuse(w http.ResponseWriter, r *http.Request) {
	l := text.All().Match(r.Header.Get("Accept-Language"))
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Language", l.Tag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintln(w, l.T("reprint.closed"))
}

// unkept lets nothing on the way keep an answer.
type unkept struct{ http.ResponseWriter }

// Unwrap gives what http.ResponseController works on.
func (u unkept) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (u unkept) WriteHeader(status int) {
	u.Header().Set("Cache-Control", "no-store")
	u.Header().Del("ETag")
	u.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (u unkept) Write(b []byte) (int, error) {
	u.Header().Set("Cache-Control", "no-store")
	u.Header().Del("ETag")
	return u.ResponseWriter.Write(b)
}

// logFile answers for a file of the log, at the one head that there is.
func (s *Server) logFile(w http.ResponseWriter, q *http.Request, b []byte, err error) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*") // anybody may check, from anywhere
	h.Set("Cache-Control", "no-cache")
	switch {
	case errors.Is(err, ledgerstore.ErrNotFound):
		http.Error(w, "this copy has no such file of the log", http.StatusNotFound)
		return
	case err != nil:
		s.log.Error("the log could not answer", "path", q.URL.Path, "err", err)
		http.Error(w, "the log could not be read; its operator finds the reason in the server's own log", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/octet-stream")
	if p, err := ledger.ParsePath(q.PathValue("path")); err != nil || p.Kind == ledger.KindCheckpoint || p.Kind == ledger.KindRecords {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.Write(b)
}

// bagProofs shows the pages the log of a bag.
type bagProofs struct {
	r    *reprint.Reprint
	head ledgerstore.Head
}

func (p bagProofs) Checkpoint(context.Context) (signed []byte, size int64, root string, loggedAt int64, err error) {
	return p.head.Checkpoint, p.head.Size, p.head.Root.String(), p.head.LoggedAt, nil
}

func (p bagProofs) Line(ctx context.Context, index int64) ([]byte, error) {
	b, err := p.r.Line(ctx, index)
	return b, pageError(err)
}

func (p bagProofs) Proof(ctx context.Context, index int64) ([]byte, error) {
	b, err := p.r.Proof(ctx, index)
	return b, pageError(err)
}
