// SPDX-License-Identifier: Apache-2.0

package web

import (
	"embed"
	"fmt"
	"io/fs"

	"truceline/internal/assets"
	"truceline/scripts"
)

//go:embed static
var staticFiles embed.FS

// newStatic puts the pages' own style and script beside the files of other projects,
// under one address that changes when any of them does.
func newStatic() (*assets.Set, error) {
	own, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return assets.New(own, scripts.Checker)
}

// own is the address of a file that browsers load.
func (v *view) own(name string) string { return v.server.static.URL(name) }

// styles are the style sheets of the page, in order.
func (v *view) styles() []string {
	list := []string{v.own("fonts.css"), v.own("truceline.css"), v.own("search.css")}
	if v.server.Office != nil {
		list = append(list, v.own("office.css"), v.own("desk.css"), v.own("queue.css"))
	}
	if v.server.Nodes != nil {
		list = append(list, v.own("nodes.css"))
	}
	for _, name := range v.sheets {
		list = append(list, v.own(name))
	}
	if v.withMap {
		list = append(list, v.own("map.css"))
	}
	return list
}
