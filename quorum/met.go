// SPDX-License-Identifier: Apache-2.0

package quorum

// Met tells whether cosignatures under these verifier keys, and no others, would be a
// quorum: for whoever counts only some of the witnesses that signed a checkpoint, such as
// those whose times say something. Keys that are no witness's are not counted. With the
// quorum [None] it is met by no keys at all.
func (p *Policy) Met(vkeys ...string) (bool, error) {
	b, err := p.build()
	if err != nil {
		return false, err
	}
	has := make([]bool, len(b.witnesses))
	for i, k := range b.witnesses {
		for _, vkey := range vkeys {
			has[i] = has[i] || k.verifier != nil && k.vkey == vkey
		}
	}
	return b.root.met(has), nil
}
