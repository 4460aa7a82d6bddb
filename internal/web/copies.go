// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"truceline/internal/blobstore"
	"truceline/record"
)

// Copies keeps archived copies of documents on this node. Its methods are safe for
// concurrent use.
type Copies interface {
	// Put keeps a file; it is durable when Put returns. Its errors are
	// blobstore.ErrTooLarge and ErrEmpty, the reader's and the disk's.
	Put(ctx context.Context, r io.Reader) (sum record.Digest, size int64, err error)
	// Open gives a file whose bytes were found to be what its hash says. Where there is
	// none, the error's NotFound method says so.
	Open(ctx context.Context, sum record.Digest) (f io.ReadSeekCloser, size int64, err error)
}

var _ Copies = (*blobstore.Store)(nil)

// copyTime is how long the bytes of a copy may take to come in over a slow line.
const copyTime = 15 * time.Minute

// actWithFile is act for forms that may bring a file. They may take longer than others to come
// in; who sends one has signed in before a byte of it is read.
func (s *server) actWithFile(pattern string, h func(*view, *http.Request) error, roles ...string) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, formLimit+blobstore.MaxSize)
		s.page(func(v *view, r *http.Request) error {
			if err := v.may(roles); err != nil {
				return err
			}
			// Where they cannot be set, the server's own limits stay.
			line, until := http.NewResponseController(w), time.Now().Add(copyTime)
			_ = errors.Join(line.SetReadDeadline(until), line.SetWriteDeadline(until.Add(time.Minute)))
			if err := parseForm(r); err != nil {
				return err
			}
			return h(v, r)
		})(w, r)
	})
}

// fetch adds what scripts of our pages ask for, with an answer in JSON. What goes wrong is
// answered with the same status and page as elsewhere.
func (s *server) fetch(pattern string, h func(*view, *http.Request) (any, error), roles ...string) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, formLimit)
		v, err := s.view(r)
		if err == nil {
			err = v.may(roles)
		}
		if err == nil {
			err = formFault(r.ParseForm())
		}
		var answer any
		if err == nil {
			answer, err = h(v, r)
		}
		var b []byte
		if err == nil {
			b, err = json.Marshal(answer)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		sendPrivate(w, http.StatusOK, b)
	})
}

// readStatement takes what the form brought into the page: its fields, and a copy of the
// document, which is kept at once. It tells which button sent the form.
func (s *server) readStatement(v *view, r *http.Request, p *statementPage) (do string, err error) {
	parts, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) {
		do, err = s.takeValues(v, r, p, r.PostForm)
	} else if err == nil {
		var q url.Values
		var kept []record.Copy
		if q, kept, err = s.readParts(r.Context(), parts.NextPart); err == nil {
			if do, err = s.takeValues(v, r, p, q); err == nil {
				p.addCopies(kept)
			}
		}
	}
	if err != nil {
		var f fault
		if !errors.As(err, &f) {
			err = formFault(err)
		}
		return "", err
	}
	// What stands against a button depends on the account that is amended.
	return do, s.showAmended(r.Context(), v, p)
}

// readParts reads a form part by part, so that no file is ever held in memory.
func (s *server) readParts(ctx context.Context, next func() (*multipart.Part, error)) (url.Values, []record.Copy, error) {
	q := url.Values{}
	var kept []record.Copy
	room := int64(formLimit)
	for {
		part, err := next()
		if errors.Is(err, io.EOF) {
			return q, kept, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if part.FormName() == "copy" {
			c, err := s.keepCopy(ctx, part)
			if err != nil {
				return nil, nil, err
			}
			kept = append(kept, c...)
			continue
		}
		b, err := io.ReadAll(io.LimitReader(part, room+1))
		if err != nil {
			return nil, nil, err
		}
		if room -= int64(len(b)); room < 0 {
			return nil, nil, &http.MaxBytesError{Limit: formLimit}
		}
		q.Add(part.FormName(), string(b))
	}
}

// keepCopy keeps the file of a form; none where no file was chosen.
func (s *server) keepCopy(ctx context.Context, part *multipart.Part) ([]record.Copy, error) {
	content := bufio.NewReader(part)
	head, err := content.Peek(512)
	if len(head) == 0 && errors.Is(err, io.EOF) && part.FileName() == "" {
		return nil, nil // a browser sends an empty file where none was chosen
	}
	if s.Copies == nil {
		return nil, fault{status: http.StatusConflict, key: "copy.no_room"}
	}
	media := mediaType(head)
	sum, size, err := s.Copies.Put(ctx, content)
	switch {
	case errors.Is(err, blobstore.ErrTooLarge):
		return nil, fault{status: http.StatusRequestEntityTooLarge, key: "copy.too_large", args: []any{"n", blobstore.MaxSize >> 20}, err: err}
	case errors.Is(err, blobstore.ErrEmpty):
		return nil, fault{status: http.StatusBadRequest, key: "copy.empty", err: err}
	case err != nil:
		return nil, err
	}
	return []record.Copy{{Media: media, SHA256: sum, Size: int(size)}}, nil
}

// mediaType says what kind of file it is, by its first bytes alone.
func mediaType(head []byte) string {
	media, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil {
		return "application/octet-stream"
	}
	return media
}

// addCopies puts copies that are kept among the fields of the form, each once.
func (p *statementPage) addCopies(list []record.Copy) {
	rows := p.copies()
	for _, c := range list {
		row := copyRow{sum: c.SHA256.String(), size: strconv.Itoa(c.Size), media: c.Media}
		if !slices.ContainsFunc(rows, func(x copyRow) bool { return x.sum == row.sum }) {
			rows = append(rows, row)
		}
	}
	p.setCopies(rows)
}

// setCopies writes the rows to the form's fields, as columns of one length.
func (p *statementPage) setCopies(rows []copyRow) {
	for _, name := range copyFields {
		delete(p.values, name)
	}
	for _, c := range rows {
		for i, s := range []string{c.sum, c.size, c.media, c.url} {
			p.values[copyFields[i]] = append(p.values[copyFields[i]], s)
		}
	}
}

// copies are the archived copies that the form names, row by row.
func (p *statementPage) copies() (out []copyRow) {
	at := func(name string, i int) string {
		if list := p.values[name]; i < len(list) {
			return strings.TrimSpace(list[i])
		}
		return ""
	}
	for i := range p.values["copy_sha256"] {
		c := copyRow{i, at("copy_sha256", i), at("copy_size", i), at("copy_media", i), at("copy_url", i)}
		if c.sum+c.size+c.media+c.url != "" {
			out = append(out, c)
		}
	}
	return out
}

type copyRow struct {
	n                     int
	sum, size, media, url string
}

// copy gives an officer an archived copy, to be saved and not to be shown: it is a page of
// others, and must not run as one of ours.
func (s *server) copy(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r)
	if err == nil {
		err = v.may(nil)
	}
	var sum record.Digest
	if err == nil && sum.UnmarshalText([]byte(r.PathValue("sha256"))) != nil {
		err = fault{status: http.StatusNotFound, key: "copy.not_here"}
	}
	var f io.ReadSeekCloser
	if err == nil {
		f, _, err = s.Copies.Open(r.Context(), sum)
		if notFound(err) {
			err = fault{status: http.StatusNotFound, key: "copy.not_here", err: err}
		} else if errors.Is(err, blobstore.ErrDamaged) {
			s.Log.Error("an archived copy is damaged: run truceline doctor", "err", err)
			err = fault{status: http.StatusInternalServerError, key: "copy.damaged", err: err}
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer f.Close()
	head := make([]byte, 512)
	n, _ := io.ReadFull(f, head) // what cannot be read now fails below
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", sum.String()+extension(head[:n])))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", time.Time{}, f)
}

// extension is the end of the name under which a copy is saved.
func extension(head []byte) string {
	switch media := mediaType(head); {
	case media == "text/html":
		return ".html"
	case media == "application/pdf":
		return ".pdf"
	case media == "image/png":
		return ".png"
	case media == "image/jpeg":
		return ".jpg"
	case bytes.HasPrefix(head, []byte("From: <Saved by")) || bytes.Contains(head, []byte("multipart/related")):
		return ".mhtml"
	case media == "text/plain":
		return ".txt"
	}
	return ""
}

// copiesOf are the archived copies of a document that the record names.
func (a accountView) copiesOf() []record.Copy {
	if a.report == nil {
		return nil
	}
	return a.report.Body.Copies
}
