// SPDX-License-Identifier: Apache-2.0

package server

import (
	"log/slog"
	"net/http"

	"truceline/internal/node"
)

func witnessed(mux *http.ServeMux, n *node.Node, log *slog.Logger) {}
