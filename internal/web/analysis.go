// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/statistics"
)

// Analysis is what the pages that count, and those on sources and on the agreement, read
// of the record. As of Source, each method sees one consistent snapshot and may be called
// from many goroutines at once.
type Analysis interface {
	// Statistics lists every incident that counts; the list is not to be changed.
	Statistics(ctx context.Context) ([]*statistics.Entry, error)
	SaidOf(ctx context.Context, incident record.ID) ([]statistics.Said, error)
	// Tallied reads what is asked of figures over incidents.
	Tallied(ctx context.Context, q projection.TallyQuery) (projection.Tallied, error)
	SourceOf(ctx context.Context, q projection.SourceQuery) (projection.SourceSummary, error)
	SourceAccounts(ctx context.Context, q projection.SourceQuery, limit, offset int) (list []projection.Account, total int, err error)
	SourceIncidents(ctx context.Context, q projection.SourceQuery, limit, offset int) (list []record.ID, total int, err error)
	SourceTotals(ctx context.Context, q projection.SourceQuery, limit int) (list []projection.ClaimRef, total int, err error)
	Grades(ctx context.Context, source string) ([]projection.Grade, error)
	Adoptions(ctx context.Context) ([]projection.Record, error)
	PackVersion(ctx context.Context, version int) (*agreement.Pack, error)
}

// analysisRoutes are the pages of this and the files beside it.
func (s *server) analysisRoutes(page func(string, func(*view, *http.Request) error)) {
	page("/statistics", s.statistics)
	page("/statistics/cell", s.statisticsCell)
	s.mux.HandleFunc("GET /statistics.csv", s.statisticsCSV)
	page("/tally", s.tally)
	s.mux.HandleFunc("GET /tally.csv", s.tallyCSV)
	page("/tally/series", s.tallySeries)
	page("/tally/total", s.tallyTotal)
	page("/source/{name}", s.sourcePage)
	page("/agreement", s.agreement)
}
