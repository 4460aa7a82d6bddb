// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"truceline/acts"
	installed "truceline/internal/node"
	"truceline/internal/web"
)

// finicky keeps what it is given and finds fault with it.
type finicky struct {
	willing
	got *acts.Values
}

func (f finicky) Do(_ context.Context, _ installed.Officer, _ *acts.Act, v acts.Values) (installed.Done, error) {
	*f.got = v
	return installed.Done{}, &acts.Invalid{Problems: []acts.Problem{{Field: "attestation", Key: "problem.invalid", Args: []any{"why", "it is none"}}}}
}

// TestAttestationsAsFiles: what other members' nodes wrote is chosen as files, beside what
// is pasted, and is not lost where something is wrong.
func TestAttestationsAsFiles(t *testing.T) {
	s := newSource(t, "lakes")
	cfg := config(t, s)
	var got acts.Values
	cfg.Desk = finicky{got: &got}
	pages, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := signedIn{pages, cfg.Office.(*testOffice).cookies}
	account := s.All[0].ID.String()
	form := get(h, "/do/filing.vouch?account="+account+"#desk").Body.String()
	if !strings.Contains(form, `enctype="multipart/form-data"`) || !strings.Contains(form, `type="file" multiple name="attestation"`) {
		t.Error("the form takes no files")
	}
	send := func(fields map[string]string, files ...string) *httptest.ResponseRecorder {
		t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, value := range fields {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		for i, content := range files {
			part, err := w.CreateFormFile("attestation", fmt.Sprintf("member-%d.attest", i))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/do/filing.vouch#desk", &b)
		r.Header.Set("Content-Type", w.FormDataContentType())
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		return answer
	}
	w := send(map[string]string{"account": account, "next": "/desk", "attestation": "pasted"}, "one\r\n", "two \xff\n")
	if want := []string{"pasted", "one\r\n", "two \uFFFD\n"}; !slices.Equal(got["attestation"], want) || got.Get("account") != account {
		t.Errorf("the act is given %q", got)
	}
	if page := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(page, "pasted\none") || !strings.Contains(page, "it is none") || !strings.Contains(page, `value="/desk"`) {
		t.Errorf("status %d: %s", w.Code, page)
	}
	got = nil
	if w := send(map[string]string{"account": account}, strings.Repeat("x", 3<<20)); w.Code != http.StatusRequestEntityTooLarge || got != nil {
		t.Errorf("a file that is too large: status %d, the act is given %d values", w.Code, len(got))
	}
}
