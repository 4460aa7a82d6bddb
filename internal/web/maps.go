// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"

	"truceline/internal/projection"
)

// mapView is a map ready to draw.
type mapView struct{}

func situationMap(v *view, rows []listRow) mapView { return mapView{} }

func incidentMap(v *view, inc projection.Incident, accounts []projection.Account) mapView {
	return mapView{}
}

func (s *server) mapBase(w http.ResponseWriter, r *http.Request)   { http.NotFound(w, r) }
func (s *server) mapPlaces(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
func (v *view) headTitle() string {
	t := v.title
	if v.names != nil {
		t += " · " + attr(v.names.title())
	}
	return t + " · " + v.T("brand")
}
