// SPDX-License-Identifier: Apache-2.0

package cosigned

import "testing"

// KeepWaiting makes n the most heads that wait, counted at each call.
func KeepWaiting(t *testing.T, n int) {
	was, every := maxWaiting, countEvery
	maxWaiting, countEvery = n, 1
	t.Cleanup(func() { maxWaiting, countEvery = was, every })
}
