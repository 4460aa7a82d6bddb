// SPDX-License-Identifier: Apache-2.0

// Package routes is a http.ServeMux that can say what it answers. A test goes through the
// list, so that no address is added of which nobody has shown what it tells to whom.
package routes

import (
	"net/http"
	"slices"
)

// Mux is a http.ServeMux with the list of its patterns. Patterns are added before it
// answers, as with every ServeMux; then it is safe for concurrent use.
type Mux struct {
	*http.ServeMux
	patterns []string
}

// Lister is a handler that can say what it answers.
type Lister interface {
	http.Handler
	Patterns() []string
}

// New makes a mux that answers nothing yet.
func New() *Mux { return &Mux{ServeMux: http.NewServeMux()} }

// Handle adds a pattern. In the list a Lister stands with its own patterns.
func (m *Mux) Handle(pattern string, h http.Handler) {
	m.ServeMux.Handle(pattern, h)
	if l, ok := h.(Lister); ok {
		m.patterns = append(m.patterns, l.Patterns()...)
		return
	}
	m.patterns = append(m.patterns, pattern)
}

// HandleFunc is Handle for a function.
func (m *Mux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(h))
}

// Patterns lists what is answered, sorted, each once.
func (m *Mux) Patterns() []string {
	out := slices.Sorted(slices.Values(m.patterns))
	return slices.Compact(out)
}

// Of gives a handler that stands before others their list.
func Of(h http.Handler, behind *Mux) Lister { return listed{h, behind} }

type listed struct {
	http.Handler
	behind *Mux
}

func (l listed) Patterns() []string { return l.behind.Patterns() }
