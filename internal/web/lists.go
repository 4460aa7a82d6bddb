// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/record"
)

// listPages are the pages whose searches can be kept, with the names of what they ask for.
var listPages = map[string][]string{
	"/":       {"what", "where", "who", "since", "until", "q"},
	"/search": searchNames,
}

// listsPage is an officer's kept searches.
type listsPage struct {
	lists []listView
	open  record.ID // the one whose name is being changed
}

// listView is one of them, with how much it finds now.
type listView struct {
	office.List
	query   url.Values
	matched int
	total   int
	broken  bool // it asks for something that the agreement no longer has
}

func (s *server) listRoutes() {
	s.act("GET /lists", s.lists)
	s.act("POST /lists", s.saveList)
	s.act("POST /lists/rename", s.renameList)
	s.act("POST /lists/delete", s.deleteList)
}

func (s *server) lists(v *view, r *http.Request) error {
	list, err := s.Office.Lists(r.Context(), v.who.ID)
	if err != nil {
		return err
	}
	p := listsPage{}
	p.open, _ = record.ParseID(v.query.Get("rename"))
	for _, l := range list {
		lv, err := s.keptNow(r.Context(), v, l)
		if err != nil {
			return err
		}
		p.lists = append(p.lists, lv)
	}
	v.section, v.title = "desk", v.T("lists.title")
	v.body = listsBody(v, p)
	return nil
}

// keptNow says how much a kept search finds now.
func (s *server) keptNow(ctx context.Context, v *view, l office.List) (listView, error) {
	out := listView{List: l}
	var err error
	if out.query, err = url.ParseQuery(l.Query); err != nil {
		out.broken = true
		return out, nil
	}
	asks := *v
	asks.query = out.query
	if l.Page == "/search" {
		q, _, _, err := parseSearch(&asks)
		if out.broken = wrongly(err); err != nil {
			return out, unless(out.broken, err)
		}
		q.Limit, q.Offset = 1, 0
		found, err := s.Source.Search(ctx, q)
		out.matched, out.total = found.Matched, found.Total
		return out, err
	}
	_, f, err := parseFilter(&asks)
	if out.broken = wrongly(err); err != nil {
		return out, unless(out.broken, err)
	}
	o, err := s.Source.Overview(ctx, f)
	out.matched, out.total = o.Matched[record.ClassIncident], int(v.counts.Incidents)
	return out, err
}

// wrongly tells whether the error is that something is asked for that is not there.
func wrongly(err error) bool {
	var f fault
	return errors.As(err, &f) && f.status == http.StatusBadRequest
}

func unless(known bool, err error) error {
	if known {
		return nil
	}
	return err
}

// saveList keeps a search under a name. One of the same name is replaced, as the form says.
func (s *server) saveList(v *view, r *http.Request) error {
	page := r.PostForm.Get("page")
	names, ok := listPages[page]
	if !ok {
		return filterError("lists.bad_page")
	}
	asked, err := url.ParseQuery(r.PostForm.Get("query"))
	if err != nil {
		return filterError("lists.bad_page")
	}
	kept := url.Values{}
	for _, name := range names {
		if list := values(asked, name); len(list) > 0 {
			kept[name] = list
		}
	}
	name := listName(r)
	if name == "" {
		return filterError("lists.no_name")
	}
	l := office.List{Officer: v.who.ID, Name: name, Page: page, Query: kept.Encode()}
	if _, err := s.Office.SaveList(r.Context(), l); err != nil {
		return limited(err)
	}
	v.redirect("/lists")
	return nil
}

func listName(r *http.Request) string {
	return strings.Join(strings.Fields(r.PostForm.Get("name")), " ")
}

// limited turns what the book has no room for into a page.
func limited(err error) error {
	if errors.Is(err, office.ErrLimit) {
		return fault{status: http.StatusBadRequest, key: "lists.limit", args: []any{"n", office.MaxLists, "letters", office.MaxName}, err: err}
	}
	return err
}

// own finds one of the officer's lists by the form's id.
func (s *server) own(v *view, r *http.Request) ([]office.List, office.List, error) {
	list, err := s.Office.Lists(r.Context(), v.who.ID)
	if err != nil {
		return nil, office.List{}, err
	}
	i := slices.IndexFunc(list, func(l office.List) bool { return l.ID.String() == r.PostForm.Get("list") })
	if i < 0 {
		return list, office.List{}, fault{status: http.StatusNotFound, key: "lists.gone"}
	}
	return list, list[i], nil
}

// renameList keeps the search under its new name and then forgets the old one: cut short
// between the two, the officer has both.
func (s *server) renameList(v *view, r *http.Request) error {
	all, l, err := s.own(v, r)
	if err != nil {
		return err
	}
	before, name := l, listName(r)
	switch {
	case name == "":
		return filterError("lists.no_name")
	case name == before.Name:
		v.redirect("/lists")
		return nil
	case slices.ContainsFunc(all, func(x office.List) bool { return x.Name == name }):
		return fault{status: http.StatusConflict, key: "lists.taken", args: []any{"name", name}}
	}
	l.ID, l.Name = record.ID{}, name
	if _, err := s.Office.SaveList(r.Context(), l); err != nil {
		return limited(err)
	}
	if err := s.Office.DeleteList(r.Context(), v.who.ID, before.ID); err != nil && !notFound(err) {
		return err
	}
	v.redirect("/lists")
	return nil
}

func (s *server) deleteList(v *view, r *http.Request) error {
	_, l, err := s.own(v, r)
	if err != nil {
		return err
	}
	if err := s.Office.DeleteList(r.Context(), v.who.ID, l.ID); err != nil && !notFound(err) {
		return err
	}
	v.redirect("/lists")
	return nil
}

var _ SearchSource = (*projection.DB)(nil)
