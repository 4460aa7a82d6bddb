// SPDX-License-Identifier: Apache-2.0

package projection

import "fmt"

// RarityForTest writes out the frequencies that origins are found with; maps are written
// in the order of their keys.
func (d *DB) RarityForTest() string {
	d.rarity.mu.RLock()
	defer d.rarity.mu.RUnlock()
	if d.rarity.context == nil {
		return ""
	}
	return fmt.Sprint(*d.rarity.context, len(d.rarity.held))
}

func (d *DB) ForgetRarityForTest() { d.rarity.forget() }
