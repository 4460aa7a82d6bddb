// SPDX-License-Identifier: Apache-2.0

package independence

import "math"

// Shape of the signatures. Two sets of resemblance s agree in a place with probability s,
// in all rows of a band with s^4, and in at least one band with 1-(1-s^4)^32: 0.99 at
// 0.6, 0.87 at 0.5, 0.003 at 0.1.
const (
	bands   = 32
	rows    = 4
	minimas = bands * rows
)

// seed is fixed, so that every machine has the same signatures.
const seed = 0x7472_7563_656c_696e

// factors are the 128 permutations x*a + b of the numbers below 2^64; a is odd.
var factors = func() (f [minimas][2]uint64) {
	x := uint64(seed)
	for i := range f {
		x = mix(x)
		f[i][0] = x | 1
		x = mix(x)
		f[i][1] = x
	}
	return f
}()

// bandKeys are the minima of a set under each permutation, four to a key. Keys of 32 bits
// meet by chance once in four thousand million; what then is compared for nothing is
// found out by the exact comparison.
func bandKeys(set []uint64) (out [bands]uint32) {
	var low [minimas]uint64
	for i := range low {
		low[i] = math.MaxUint64
	}
	for _, x := range set {
		for i := range low {
			low[i] = min(low[i], x*factors[i][0]+factors[i][1])
		}
	}
	for b := range out {
		var h uint64
		for _, x := range low[b*rows : (b+1)*rows] {
			h = mix(h + x)
		}
		out[b] = uint32(h >> 32)
	}
	return out
}
