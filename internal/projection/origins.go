// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/independence"
	"truceline/record"
	"truceline/text"
)

// Origins says from how many independent origins accounts come. Everything in it was
// computed from the records of one audience alone, up to Last: who may read them learns
// nothing from it that they do not tell.
type Origins struct {
	*independence.Result
	Basis
}

// Basis is what something was computed from: the records of one audience, up to one of them.
type Basis struct {
	Audience string // code of the audience
	Last     int64  // index of the last record that was known; -1 for none
}

// AudienceHere is the audience of a basis with anything in it that is not for everybody:
// those who may read what this node reads.
const AudienceHere = "here"

// basisOf is the basis of what is computed from the first n records, as far as the tables
// hold them.
func basisOf(ctx context.Context, q querier, n int64) (b Basis, err error) {
	b = Basis{record.AudiencePublic, n - 1}
	var fewer bool
	err = q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM records WHERE idx < ? AND audience NOT IN ('public','own') AND substr(kind, 1, 8) IN ('account.','incident','notice.f','report.f'))`, n).Scan(&fewer)
	if fewer {
		b.Audience = AudienceHere
	}
	return b, err
}

// Origins groups accounts by their origins. Of an incident, only the claims that are
// linked to it, or to one merged into it, take part; with the zero id all do. Accounts
// that are withdrawn, do not count or are not there are left out.
func (d *DB) Origins(ctx context.Context, incident record.ID, accounts []record.ID) (*Origins, error) {
	pack, err := d.Pack(ctx)
	if err != nil {
		return nil, err
	}
	for {
		out, err := d.originsOnce(ctx, pack, incident, accounts)
		if out != nil || err != nil {
			return out, wrap("find the origins of accounts", err)
		}
	}
}

// originsOnce is one look; nil if the frequencies had to be brought up to date first.
func (d *DB) originsOnce(ctx context.Context, pack *agreement.Pack, incident record.ID, ids []record.ID) (*Origins, error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	n, err := applied(ctx, tx)
	if err != nil {
		return nil, err
	}
	mission, err := meta(ctx, tx, metaMission)
	if err != nil {
		return nil, err
	}
	tellings, err := tellingsOf(ctx, tx, pack, incident, ids)
	if err != nil {
		return nil, err
	}
	r := &d.rarity
	r.mu.RLock()
	ours := r.context != nil && r.mission == mission
	if ours && r.applied == n {
		defer r.mu.RUnlock()
		basis, err := basisOf(ctx, tx, n)
		return &Origins{independence.Find(tellings, r.context), basis}, err
	}
	ahead := ours && r.applied > n // another reader has seen more: look again
	r.mu.RUnlock()
	if ahead {
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return nil, r.follow(ctx, tx, n, mission)
}

// tellingsOf reads the accounts and the documents that they were told in.
func tellingsOf(ctx context.Context, q querier, pack *agreement.Pack, incident record.ID, ids []record.ID) (out []independence.Telling, err error) {
	reports := map[record.ID]*record.Report{}
	for part := range slices.Chunk(ids, manyIDs) {
		marks, args := idList(part)
		list, err := accounts(ctx, q, `SELECT `+accountColumns+fromAccounts+`AND a.state <> 'withdrawn' AND a.id IN (`+marks+`)`, args...)
		if err != nil {
			return nil, err
		}
		for i := range list {
			a := &list[i]
			rep, known := reports[a.Report]
			if !known && !a.Report.IsZero() {
				var body []byte
				err := q.QueryRowContext(ctx, `SELECT body FROM reports WHERE id = ? AND counted`, blob(a.Report)).Scan(&body)
				if err == nil {
					rep = new(record.Report)
					err = json.Unmarshal(body, rep)
				}
				if err != nil && !errors.Is(err, sql.ErrNoRows) {
					return nil, err
				}
				reports[a.Report] = rep
			}
			out = append(out, TellingOf(pack, a, rep, incident))
		}
	}
	return out, nil
}

// TellingOf is an account as it is compared with others. report is the document that it
// was told in; nil where none is known. Of an incident only what is linked to it takes part.
//
// What the claimant said is its quoted words and nothing else: a claim's words are the
// recorder's. The document's own text is its title.
func TellingOf(pack *agreement.Pack, a *Account, report *record.Report, incident record.ID) independence.Telling {
	t := independence.Telling{Account: a.ID, Claimant: a.Body.Claimant, Unnamed: Unnamed(pack, a.Body.Claimant), Carrier: a.Body.Carrier,
		Origins: a.Body.Origins, Told: a.Body.SaidOn}
	if a.Body.Quote != nil {
		t.Texts = []string{a.Body.Quote.Text}
	}
	if report != nil {
		t.Document, t.Published, t.DocumentTexts = DocumentKey(a.Report, report), report.PublishedOn, []string{report.Title}
		t.Carrier = cmp.Or(t.Carrier, report.Carrier)
		if len(t.Origins) == 0 {
			t.Origins = report.Origins
		}
	} else if !a.Report.IsZero() {
		t.Document = a.Report.String()
	}
	for i := range a.Body.Claims {
		c := &a.Body.Claims[i]
		if incident.IsZero() || a.toldOf(incident, c.N) {
			t.Figures = append(t.Figures, independence.FigureOf(c))
			t.PlaceTexts = append(t.PlaceTexts, c.PlaceText)
		}
	}
	return t
}

// toldOf tells whether claim n is linked to the incident, or to one merged into it.
func (a *Account) toldOf(incident record.ID, n int) bool {
	return slices.ContainsFunc(a.Links, func(l Link) bool {
		return (l.Incident == incident || l.Root == incident) && (len(l.Claims) == 0 || slices.Contains(l.Claims, n))
	})
}

// DocumentKey tells documents apart: by their address, since two desks may have filed one
// document each, or else by the record.
func DocumentKey(id record.ID, r *record.Report) string {
	return cmp.Or(PlainAddress(r.URL), id.String())
}

// UnnamedKind marks a kind of claimants who are not named: its code is this word, or ends
// in it after an underscore. Who makes an agreement declares such kinds so.
const UnnamedKind = "unnamed"

// Unnamed tells whether a claimant's name names nobody. That is decided by what the
// agreement says of kinds, in one manner for all parties and for who is no party: its kind
// is one of claimants who are not named; or its name, but for a remark in brackets, is only
// what the agreement calls the kind in one of its languages ("Residents", of the kind
// Residents). No list of words decides.
func Unnamed(pack *agreement.Pack, c record.Claimant) bool {
	if c.Kind == UnnamedKind || strings.HasSuffix(c.Kind, "_"+UnnamedKind) {
		return true
	}
	name, _, _ := strings.Cut(c.Name, "(")
	if name = text.Fold(name); name == "" {
		return text.Fold(c.Name) == ""
	}
	if pack == nil {
		return false
	}
	for i := range pack.ClaimantKinds {
		if k := &pack.ClaimantKinds[i]; k.Code == c.Kind {
			for _, called := range k.Name {
				if text.Fold(called) == name {
					return true
				}
			}
		}
	}
	return false
}
