// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strconv"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/record"
)

// batchPage is one file that was taken in.
type batchPage struct {
	projection.Batch
	record projection.Record
	may    []*acts.Act
	links  []string // of may
	done   *doneView
}

// batchRows is how many files one page lists.
const batchRows = 50

func (s *server) batchRoutes(page func(string, func(*view, *http.Request) error)) {
	page("/batches", s.batches)
	page("/batch/{id}", s.batch)
}

func (s *server) batch(v *view, r *http.Request) error {
	id, err := record.ParseID(r.PathValue("id"))
	if err != nil {
		return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
	}
	p := batchPage{done: s.lately(v, r)}
	if p.Batch, err = s.Source.Batch(r.Context(), id); err != nil {
		return s.absent(err, "error.no_batch", id.String())
	}
	if p.record, err = s.Source.Record(r.Context(), id); err != nil {
		return err
	}
	p.may = v.offered(r.Context(), acts.OnBatch, id)
	for _, a := range p.may {
		p.links = append(p.links, v.actLink(a, id))
	}
	v.section, v.title, v.body = "ledger", v.T("batch.title")+" "+attr(p.Name), batchBody(v, p)
	return nil
}

// batchesPage lists the files that were taken in, newest first.
type batchesPage struct {
	list        []projection.Batch
	total, page int
}

func (s *server) batches(v *view, r *http.Request) error {
	p := batchesPage{page: 1}
	if q := v.query.Get("page"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || n < 1 || n > 1_000_000 {
			return filterError("filter.bad_page", "value", q)
		}
		p.page = n
	}
	var err error
	if p.list, p.total, err = s.Source.Batches(r.Context(), batchRows, (p.page-1)*batchRows); err != nil {
		return err
	}
	v.section, v.title, v.body = "ledger", v.T("batches.title"), batchesBody(v, p)
	return nil
}

func (p batchesPage) pages() int { return (p.total + batchRows - 1) / batchRows }
