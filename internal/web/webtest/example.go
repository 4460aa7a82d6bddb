// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// builder turns an example's files into what a projection would hold.
type builder struct {
	*Source
	signer *record.Signer
	places map[string][]string
	err    error
}

// start is when the made-up registry logs its first record: noon of a day in 2026.
const start = 1_782_907_200_000

// Example gives one of the examples as if a desk had filed it.
func Example(name string) (*Source, error) {
	set, err := example.Open(name)
	if err != nil {
		return nil, err
	}
	file, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		return nil, err
	}
	signer, err := record.NewSigner(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		return nil, err
	}
	b := &builder{Source: &Source{TheAgreement: file.Pack, Reports: map[record.ID]projection.Report{}}, signer: signer, places: map[string][]string{}}
	for _, p := range file.Pack.PlaceStrings {
		b.places[p.Text] = p.Places
	}
	rows, err := csv.NewReader(bytes.NewReader(set.Accounts)).ReadAll()
	if err != nil {
		return nil, err
	}
	b.accounts(rows)
	var graph struct {
		Incidents []struct {
			Ref       string       `json:"ref"`
			Class     record.Class `json:"class"`
			Label     string       `json:"label"`
			Types     []string     `json:"types"`
			When      when.Span    `json:"when"`
			Places    []string     `json:"places"`
			PlaceText string       `json:"place_text"`
		} `json:"incidents"`
		Links []struct {
			Account string          `json:"statement_id"`
			Ref     string          `json:"ref"`
			Role    record.LinkRole `json:"role"`
			Reason  string          `json:"reason"`
			Claims  json.RawMessage `json:"claims"`
		} `json:"links"`
	}
	if err := json.Unmarshal(set.Incidents, &graph); err != nil {
		return nil, err
	}
	seq := map[string]int{}
	for _, in := range graph.Incidents {
		key := string(in.Class) + in.When.Start.First().Format("2006")
		seq[key]++
		id := idOf("incident", in.Ref)
		r := b.log(record.IncidentOpened, id, nil, &record.Opening{Class: in.Class, External: in.Ref, Label: in.Label, PlaceText: in.PlaceText, Places: in.Places, Types: in.Types, When: in.When})
		b.List = append(b.List, projection.Incident{ID: id, Number: fmt.Sprintf("%03d/%s", seq[key], in.When.Start.First().Format("2006")),
			Class: in.Class, State: "open", Label: in.Label, Types: in.Types, Places: in.Places, PlaceText: in.PlaceText, When: in.When,
			External: in.Ref, OpenedBy: "desk", OpenedAt: r.LoggedAt, Index: r.Index})
	}
	for n, l := range graph.Links {
		a, in := b.find(l.Account, l.Ref)
		if a == nil || in == nil {
			return nil, fmt.Errorf("link %d names %s and %s, which are not there", n, l.Account, l.Ref)
		}
		id := idOf("link", strconv.Itoa(n))
		r := b.log(record.IncidentLinked, id, []record.Subject{{ID: a.ID, Role: record.RoleAccount}, {ID: in.ID, Role: record.RoleIncident}}, &record.Link{Reason: l.Reason, Role: l.Role})
		a.Links = append(a.Links, projection.Link{ID: id, Account: a.ID, Incident: in.ID, Role: l.Role, Reason: l.Reason, Recorder: "desk", Index: r.Index})
		in.Accounts++
	}
	slices.SortStableFunc(b.List, func(x, y projection.Incident) int { return y.When.First().Compare(x.When.First()) })
	return b.Source, b.err
}

func (b *builder) find(account, ref string) (*projection.Account, *projection.Incident) {
	id, inc := idOf("account", account), idOf("incident", ref)
	i := slices.IndexFunc(b.All, func(a projection.Account) bool { return a.ID == id })
	j := slices.IndexFunc(b.List, func(x projection.Incident) bool { return x.ID == inc })
	if i < 0 || j < 0 {
		return nil, nil
	}
	return &b.All[i], &b.List[j]
}

// accounts reads one account for each statement_id, in the order of the file.
func (b *builder) accounts(rows [][]string) {
	col := map[string]int{}
	for i, name := range rows[0] {
		col[name] = i
	}
	bodies := map[string]*record.Account{}
	var order []string
	first := map[string][]string{}
	for _, row := range rows[1:] {
		at := func(name string) string { return row[col[name]] }
		sid := at("statement_id")
		body := bodies[sid]
		if body == nil {
			body = &record.Account{Carrier: at("carrier"), External: sid, SaidOn: when.Date(at("said_on")),
				Claimant: record.Claimant{Kind: at("claimant_kind"), Name: at("claimant"), Party: at("speaks_for")}}
			if o := at("origin"); o != "" {
				body.Origins = []string{o}
			}
			bodies[sid], first[sid] = body, row
			order = append(order, sid)
		}
		c := record.Claim{N: len(body.Claims) + 1, Element: record.Element(at("element")), Measure: at("measure"), Group: at("group"),
			Subset: strings.ReplaceAll(at("subset"), " ", "_"), Bound: at("bound"), Scope: record.Scope(at("scope")), Stance: at("stance"), Derived: at("derived") == "yes",
			FirstHand: at("first_hand"), Words: at("words"), Note: at("note"), PlaceText: at("place_text"), Places: b.places[at("place_text")],
			When: when.Span{Start: when.Date(at("event_start")), Note: at("time_note")}, External: at("claim_id"), Low: count(at("low")), High: count(at("high"))}
		if end := when.Date(at("event_end")); end != c.When.Start {
			c.When.End = end
		}
		body.Claims = append(body.Claims, c)
	}
	for _, sid := range order {
		at := func(name string) string { return first[sid][col[name]] }
		rep := idOf("report", at("source_url"))
		if _, ok := b.Reports[rep]; !ok {
			body := record.Report{Carrier: at("carrier"), Title: at("source_title"), URL: at("source_url")}
			r := b.log(record.ReportFiled, rep, nil, &body)
			b.Reports[rep] = projection.Report{ID: rep, Index: r.Index, Recorder: "desk", LoggedAt: r.LoggedAt, Body: body}
		}
		id := idOf("account", sid)
		r := b.log(record.AccountFiled, id, []record.Subject{{ID: rep, Role: record.RoleReport}}, bodies[sid])
		b.All = append(b.All, projection.Account{ID: id, Current: id, Index: r.Index, Recorder: "desk", LoggedAt: r.LoggedAt,
			ClaimedAt: r.ClaimedAt, State: "recorded", Report: rep, Body: *bodies[sid]})
	}
}

func count(s string) *int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

func idOf(kind, name string) record.ID {
	sum := sha256.Sum256([]byte(kind + " " + name))
	return record.ID(sum[:16])
}

// log appends a record that is really signed, by a key that everybody can make.
func (b *builder) log(kind record.Kind, id record.ID, subjects []record.Subject, body record.Body) projection.Record {
	n := int64(len(b.Log))
	at := start + n*1500
	r := projection.Record{Index: n, ID: id, Kind: kind, Member: "desk", Audience: "public", ClaimedAt: at - 400, LoggedAt: at,
		Subjects: subjects, HasBody: true, Counted: true}
	bytes, err := record.EncodeBody(body)
	commitment := sha256.Sum256(append([]byte("made up "), bytes...))
	st := record.Statement{Audience: "public", Body: &record.BodyRef{Alg: record.BodyAlg, Commitment: commitment}, ClaimedAt: at - 400,
		ID: id, Kind: kind, KindVersion: 1, Member: "desk", Mission: idOf("mission", "test"), Origin: "log.example/test", Rules: 1,
		Subjects: subjects, V: 1}
	payload, err2 := st.Encode()
	var envelope []byte
	if err2 == nil {
		envelope, err2 = record.Seal(record.StatementType, payload, b.signer)
	}
	for _, e := range []error{err, err2} {
		if e != nil && b.err == nil {
			b.err = fmt.Errorf("record %d: %w", n, e)
		}
	}
	salt := strings.Repeat("5a", 32)
	b.Lines = append(b.Lines, fmt.Appendf(nil, `{"body":%s,"body_salt":%q,"envelope":%s,"index":%d,"leaf_salt":%q,"logged_at":%d}`, bytes, salt, envelope, n, salt, at))
	b.Log = append(b.Log, r)
	return r
}
