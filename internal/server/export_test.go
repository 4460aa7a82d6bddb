// SPDX-License-Identifier: Apache-2.0

package server

import "truceline/internal/routes"

// Handler is all that the server answers.
func (s *Server) Handler() routes.Lister { return s.http.Handler.(routes.Lister) }
