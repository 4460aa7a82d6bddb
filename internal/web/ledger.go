// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"truceline/internal/projection"
)

// ledgerPage is the state of the log and its newest records.
type ledgerPage struct {
	checkpoint string
	size       int64
	root       string
	loggedAt   int64
	records    []projection.Record // newest first
	newer      int64               // where the page of newer records starts; -1: none
	older      int64
	commands   []string
	witnessing *witnessing // nil where the pages do not know who watches the log
}

// ledgerRows is how many records one page lists.
const ledgerRows = 50

func (s *server) ledger(v *view, r *http.Request) error {
	ctx := r.Context()
	p := ledgerPage{newer: -1, older: -1}
	signed, size, root, loggedAt, err := s.Ledger.Checkpoint(ctx)
	if err != nil {
		return err
	}
	p.checkpoint, p.size, p.root, p.loggedAt = string(signed), size, root, loggedAt
	last := v.counts.LastIndex
	until := last
	if t := v.query.Get("until"); t != "" {
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil || n < 0 {
			return filterError("filter.bad_page", "value", t)
		}
		until = min(n, last)
	}
	from := max(0, until-ledgerRows+1)
	if until >= 0 {
		if p.records, err = s.Source.Records(ctx, from, until-from+1); err != nil {
			return err
		}
		slices.Reverse(p.records)
	}
	if until < last {
		p.newer = min(last, until+ledgerRows)
	}
	if from > 0 {
		p.older = from - 1
	}
	if p.witnessing, err = s.witnessingOf(ctx, v, size); err != nil {
		return err
	}
	p.commands = []string{"truceline verify --log " + s.LogURL + " --key '" + s.LogVKey + "' --rules"}
	if strings.HasPrefix(s.LogURL, s.BaseURL) { // else it is a folder
		p.commands = append(p.commands, "curl -fsS "+s.LogURL+"/checkpoint")
	}
	if p.witnessing != nil && p.witnessing.Witnessed != nil {
		p.commands = append(p.commands, "curl -fsS "+s.LogURL+"/witnessed")
	}
	v.section, v.title = "ledger", v.T("nav.ledger")
	v.body = ledgerBody(v, p)
	return nil
}

func (s *server) about(v *view, _ *http.Request) error {
	v.section, v.title = "about", v.T("nav.about")
	v.body = aboutBody(v)
	return nil
}
