// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"truceline/record"
)

// mapBase is the base map for the map that moves.
func (s *server) mapBase(w http.ResponseWriter, r *http.Request) {
	pack, err := s.Source.Pack(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	base := s.bases.of(s, pack)
	if base == nil {
		s.fail(w, r, ErrNotFound)
		return
	}
	s.sendJSON(w, r, base.GeoJSON())
}

// placeFeed is what the moving map shows: the rings and names of the drawing.
type placeFeed struct {
	Places []placePoint `json:"places"`
	// Shared counts the incidents that were at several places, so that a sign for these
	// places counts each once.
	Shared []sharedPoints `json:"shared"`
	Lines  []lineNames    `json:"lines"`
}

type sharedPoints struct {
	Places []string `json:"places"` // codes
	N      int      `json:"n"`
}

type placePoint struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	LatE6      int64  `json:"lat_e6"`
	LonE6      int64  `json:"lon_e6"`
	PrecisionM int64  `json:"precision_m"`
	Count      int    `json:"count"`
	Href       string `json:"href"`
}

type lineNames struct {
	Code  string     `json:"code"`
	Names []lineName `json:"names"`
}

type lineName struct {
	Party string `json:"party"`
	Name  string `json:"name"`
}

// mapPlaces lists the places of a situation, by the same filter as its page, or of
// one incident.
func (s *server) mapPlaces(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r)
	var feed *placeFeed
	if err == nil {
		feed, err = s.placeFeed(v, r)
	}
	var b []byte
	if err == nil {
		b, err = json.Marshal(feed)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	v.sendFile(w, r, b)
}

func (s *server) placeFeed(v *view, r *http.Request) (*placeFeed, error) {
	ctx := r.Context()
	feed := &placeFeed{Places: []placePoint{}, Shared: []sharedPoints{}, Lines: []lineNames{}}
	var at map[string]int
	if text := v.query.Get("incident"); text != "" {
		id, err := record.ParseID(text)
		if err != nil {
			return nil, fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", text}}
		}
		inc, err := s.Source.Incident(ctx, id)
		if err != nil {
			return nil, s.absent(err, "error.no_incident", text)
		}
		accounts, err := s.Source.AccountsOf(ctx, id)
		if err != nil {
			return nil, err
		}
		at = placesOf(inc, accounts)
		feed.Shared = append(feed.Shared, sharedPoints{slices.Sorted(maps.Keys(at)), 1})
	} else {
		_, f, err := parseFilter(v)
		if err != nil {
			return nil, err
		}
		o, err := s.Source.Overview(ctx, f)
		if err != nil {
			return nil, err
		}
		at = o.Places
		for _, p := range o.Shared {
			feed.Shared = append(feed.Shared, sharedPoints(p))
		}
	}
	for i := range v.pack.Places {
		p := &v.pack.Places[i]
		if at[p.Code] == 0 || p.LatE6 == nil || p.LonE6 == nil {
			continue
		}
		feed.Places = append(feed.Places, placePoint{Code: p.Code, Name: v.names.place(p.Code), LatE6: *p.LatE6, LonE6: *p.LonE6,
			PrecisionM: p.PrecisionM, Count: at[p.Code], Href: string(v.to("/", "where", p.Code))})
	}
	for _, l := range v.pack.Lines {
		names := lineNames{Code: l.Code}
		for _, n := range v.lineNames(l) {
			names.Names = append(names.Names, lineName(n))
		}
		feed.Lines = append(feed.Lines, names)
	}
	return feed, nil
}
