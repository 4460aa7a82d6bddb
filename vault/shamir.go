// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"fmt"
	"io"
)

// ShareBytes is how long a share is: its number, from 1, and one byte for each of the key.
const ShareBytes = 33

// Share is one share of a key.
type Share [ShareBytes]byte

// MaxShares is the most shares a key is split into.
const MaxShares = 255

// Split divides a key into n shares, of which any need give it back and fewer say nothing
// about it (Shamir 1979, "How to share a secret", Communications of the ACM 22). Each byte
// of the key is the value at 0 of a polynomial of its own of the degree need-1 over GF(256),
// with the polynomial of AES; a share has the values at its number.
func Split(random io.Reader, key [32]byte, n, need int) ([]Share, error) {
	if need < 1 || need > n || n > MaxShares {
		return nil, fmt.Errorf("split a key into %d shares of which %d are needed: it goes with 1 to %d shares, and no more needed than there are", n, need, MaxShares)
	}
	coefficients := make([]byte, 32*(need-1))
	if _, err := io.ReadFull(random, coefficients); err != nil {
		return nil, fmt.Errorf("split a key: draw its polynomials: %w", err)
	}
	out := make([]Share, n)
	for i := range out {
		x := byte(i + 1)
		out[i][0] = x
		for b := range 32 {
			var y byte
			for _, c := range coefficients[b*(need-1) : (b+1)*(need-1)] {
				y = times(y^c, x)
			}
			out[i][1+b] = y ^ key[b]
		}
	}
	return out, nil
}

// Combine puts a key together from shares. From too few, or from ones that do not belong
// together, comes another key, and nothing here can tell: what it opens does.
func Combine(shares ...Share) (key [32]byte, err error) {
	var seen [256]bool
	for _, s := range shares {
		if s[0] == 0 || seen[s[0]] {
			return key, fmt.Errorf("combine shares: number %d is none, or is there twice: give different shares", s[0])
		}
		seen[s[0]] = true
	}
	if len(shares) == 0 {
		return key, fmt.Errorf("combine shares: there is none")
	}
	for i, s := range shares {
		// Lagrange's basis at 0: subtraction is addition here.
		basis := byte(1)
		for j, other := range shares {
			if j != i {
				basis = times(basis, times(other[0], inverse(other[0]^s[0])))
			}
		}
		for b := range key {
			key[b] ^= times(basis, s[1+b])
		}
	}
	return key, nil
}

// times multiplies in GF(256). It looks nothing up and does not branch on what it is given,
// so that how long it takes says nothing about the key.
func times(a, b byte) (out byte) {
	for range 8 {
		out ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return out
}

// inverse is the inverse in GF(256), a to the power of 254; 0 of 0.
func inverse(a byte) byte {
	out := byte(1)
	for i := range 8 { // 254 is 11111110
		if i > 0 {
			out = times(out, a)
		}
		a = times(a, a)
	}
	return out
}
