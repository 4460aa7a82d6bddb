// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/record"
	"truceline/when"
)

// Many is a made-up ledger of any size, for measurements: the invented example's codes,
// more places, and years of incidents that some hundred claimants speak of in words of
// four languages. It is written while it is read, from the start and once, and holds
// nothing of it in memory. The signatures are not real.
type Many struct {
	ledgerstore.Store // what nobody asks of it
	accounts          int
	incidents         int
	pack              *agreement.Pack
	rand              *rand.Rand
	words             [][]string // by language
	who               []record.Claimant
	reports           []record.ID // of the last days
	made              int         // accounts so far
	queue             []ledgerstore.Entry
	next              int64
	first             ledgerstore.Entry
	last              tlog.Hash
	err               error
}

// NewMany makes a ledger with so many accounts and incidents. The same numbers give the
// same ledger.
func NewMany(accounts, incidents int) (*Many, error) {
	set, err := example.Open("lakes")
	if err != nil {
		return nil, err
	}
	file, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		return nil, err
	}
	m := &Many{accounts: accounts, incidents: incidents, pack: file.Pack, rand: rand.New(rand.NewPCG(1, 2))}
	for _, letters := range []string{"abdeghiklmnoprstuw", "ابتجدرزسشکگلمنوہیے", "ابتجدرزسښکګلمنوهیې", "ابتجدرزسشکگلمنوهی"} {
		m.words = append(m.words, m.language([]rune(letters)))
	}
	m.addPlaces()
	for i := range 300 {
		c := record.Claimant{Name: fmt.Sprintf("%s %s", m.word(0), m.word(0)), Kind: m.pack.ClaimantKinds[i%len(m.pack.ClaimantKinds)].Code}
		if i%4 > 0 {
			c.Party = m.pack.Parties[i%len(m.pack.Parties)].Code
		}
		m.who = append(m.who, c)
	}
	return m, m.begin()
}

func (m *Many) size() int64 { return m.next + int64(len(m.queue)) }

// Ahead writes on until it has n entries that nobody read yet, or the last one, and says
// how many there are by then.
func (m *Many) Ahead(n int) int64 {
	for len(m.queue) < n && m.incidents > 0 {
		m.more()
	}
	return m.size()
}

func (m *Many) language(letters []rune) []string {
	words := make([]string, 4000)
	for i := range words {
		var b strings.Builder
		for range 2 + m.rand.IntN(3) + i/800 {
			b.WriteRune(letters[m.rand.IntN(len(letters))])
		}
		words[i] = b.String()
	}
	return words
}

// word draws a word: common ones often, rare ones seldom.
func (m *Many) word(language int) string {
	w := m.words[language]
	f := m.rand.Float64()
	return w[int(f*f*f*float64(len(w)))]
}

func (m *Many) sentence(language, words int) string {
	var out []string
	for range words {
		out = append(out, m.word(language))
	}
	return strings.Join(out, " ")
}

func (m *Many) addPlaces() {
	v := m.pack.View
	for i := range 150 {
		lat, lon := v.South+m.rand.Int64N(v.North-v.South), v.West+m.rand.Int64N(v.East-v.West)
		m.pack.Places = append(m.pack.Places, agreement.Place{Code: fmt.Sprintf("p%03d", i), Kind: m.pack.PlaceKinds[i%len(m.pack.PlaceKinds)].Code,
			Name: agreement.Text{"en": m.word(0) + " " + m.word(0), "ur": m.word(1) + " " + m.word(1)}, LatE6: &lat, LonE6: &lon, PrecisionM: 1000 << (i % 5)})
	}
}

func (m *Many) id() (id record.ID) {
	binary.BigEndian.PutUint64(id[:8], m.rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], m.rand.Uint64())
	return id
}

var manyMission = record.ID{'m', 'a', 'n', 'y'}

// log adds a record to the ledger.
func (m *Many) log(kind record.Kind, body record.Body, supersedes record.ID, subjects ...record.Subject) record.ID {
	id, salt := m.id(), ledger.Salt{1}
	b, err := record.EncodeBody(body)
	st := record.Statement{Audience: record.AudiencePublic, Body: &record.BodyRef{Alg: record.BodyAlg, Commitment: ledger.BodyCommitment(salt, b)},
		ClaimedAt: start, Exercise: true, ID: id, Kind: kind, KindVersion: 1, Member: m.pack.MembersWith(record.DeskRole)[0], Mission: manyMission,
		Origin: "log.example/many", Rules: 1, Subjects: subjects, Supersedes: supersedes, V: 1}
	payload, err2 := st.Encode()
	e := record.Envelope{Payload: payload, Type: record.StatementType, Signatures: []record.Signature{{Sig: make([]byte, 64)}}}
	envelope, err3 := e.Encode()
	m.err = errors.Join(m.err, err, err2, err3)
	n := m.size()
	m.queue = append(m.queue, ledgerstore.Entry{Index: n, ID: id, LoggedAt: start + n*1000, Envelope: envelope, Body: b, BodySalt: salt,
		LeafHash: tlog.Hash{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}})
	return id
}

func (m *Many) begin() error {
	parts, err := m.pack.Parts(1)
	if err != nil {
		return err
	}
	for _, p := range parts {
		m.log(record.AgreementAdopted, p, record.ID{})
	}
	m.first = m.queue[0]
	return m.err
}

func pick[T any](m *Many, list []T) T { return list[m.rand.IntN(len(list))] }

// more opens one incident and files what is said of it.
func (m *Many) more() {
	day := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(float64(m.made)/float64(m.accounts)*3100))
	stated := when.Date(day.Format("2006-01-02"))
	if m.rand.IntN(20) == 0 {
		stated = stated[:7]
	}
	places := []string{pick(m, m.pack.Places).Code}
	if m.rand.IntN(20) == 0 {
		places = append(places, pick(m, m.pack.Places).Code)
	}
	slices.Sort(places)
	places = slices.Compact(places)
	text := m.sentence(0, 2)
	in := m.log(record.IncidentOpened, &record.Opening{Class: record.ClassIncident, Label: m.sentence(0, 4), PlaceText: text, Places: places,
		Types: []string{pick(m, m.pack.IncidentTypes[:4]).Code}, When: when.Span{Start: stated}}, record.ID{})
	rest := max(1, (m.accounts-m.made)*2/max(1, m.incidents)-1)
	for range 1 + m.rand.IntN(rest) {
		said := m.account(places, text, stated, day.AddDate(0, 0, m.rand.IntN(4)))
		if m.rand.IntN(20) > 0 {
			m.log(record.IncidentLinked, &record.Link{Reason: "same day, same place", Role: record.LinkAbout}, record.ID{},
				record.Subject{ID: said, Role: record.RoleAccount}, record.Subject{ID: in, Role: record.RoleIncident})
		}
	}
	m.incidents--
}

// account files one account in some of the four languages' words.
func (m *Many) account(places []string, text string, about when.Date, said time.Time) record.ID {
	language := m.rand.IntN(len(m.words))
	if len(m.reports) == 0 || m.rand.IntN(2) == 0 {
		m.reports = append(m.reports, m.log(record.ReportFiled, &record.Report{Title: m.sentence(language, 8), Carrier: m.words[0][m.rand.IntN(60)],
			Language: []string{"en", "ur", "ps", "prs"}[language], URL: "https://news.example/" + m.word(0), PublishedOn: when.Date(said.Format("2006-01-02"))}, record.ID{}))
	}
	if len(m.reports) > 10 {
		m.reports = m.reports[1:]
	}
	who := pick(m, m.who)
	a := &record.Account{Claimant: who, SaidOn: when.Date(said.Format("2006-01-02")), External: fmt.Sprint("row-", m.made)}
	if m.rand.IntN(4) == 0 {
		a.Quote = &record.Quote{Language: []string{"en", "ur", "ps", "prs"}[language], Text: m.sentence(language, 20)}
	}
	for n := range 1 + m.rand.IntN(5) {
		low := int64(m.rand.IntN(40))
		high := low + int64(m.rand.IntN(10))
		c := record.Claim{N: n + 1, Element: record.Harm, Measure: pick(m, m.pack.Measures[:2]).Code, Group: pick(m, m.pack.Groups).Code, Low: &low, High: &high,
			Bound: "range", FirstHand: "unknown", Scope: record.ScopeIncident, Stance: pick(m, m.pack.Stances[:2]).Code, PlaceText: text, Places: places,
			When: when.Span{Start: about}, Words: m.sentence(language, 12)}
		if n == 0 {
			c.Element, c.Measure, c.Bound, c.Low, c.High, c.Stance = record.Initiation, "", "", nil, nil, pick(m, m.pack.Stances).Code
		}
		a.Claims = append(a.Claims, c)
	}
	id := m.log(record.AccountFiled, a, record.ID{}, record.Subject{ID: m.reports[len(m.reports)-1], Role: record.RoleReport})
	m.made++
	switch m.rand.IntN(100) {
	case 0, 1:
		a.Claims[0].Words = m.sentence(language, 12)
		m.log(record.AccountAmended, a, id, record.Subject{ID: id, Role: record.RoleAccount})
	case 2:
		m.log(record.AccountWithdrawn, &record.Reason{Reason: m.sentence(0, 3)}, record.ID{}, record.Subject{ID: id, Role: record.RoleAccount})
	}
	return id
}

// Entries implements ledgerstore.Store, for who reads each entry once, in order.
func (m *Many) Entries(_ context.Context, from, to int64) iter.Seq2[ledgerstore.Entry, error] {
	return func(yield func(ledgerstore.Entry, error) bool) {
		if from == 0 && to == 1 && m.next > 0 {
			yield(m.first, nil)
			return
		}
		if from != m.next {
			yield(ledgerstore.Entry{}, fmt.Errorf("entry %d is asked for and %d is next", from, m.next))
			return
		}
		for ; m.next < to; m.next++ {
			for len(m.queue) == 0 && m.incidents > 0 {
				m.more()
			}
			if m.err != nil {
				yield(ledgerstore.Entry{}, m.err)
				return
			}
			if len(m.queue) == 0 {
				return
			}
			e := m.queue[0]
			m.queue, m.last = m.queue[1:], e.LeafHash
			if !yield(e, nil) {
				m.next++
				return
			}
		}
	}
}

// LeafHashes implements ledgerstore.Store for the last entry that was read.
func (m *Many) LeafHashes(context.Context, int64, int64) ([]tlog.Hash, error) {
	return []tlog.Hash{m.last}, nil
}
