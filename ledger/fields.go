// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"truceline/record"
)

// What is not for everybody commits to its body field by field, so that some of it can be
// shown later, and proved, without the rest. Every field has a salt of its own, which
// follows from the body's and tells nothing of it: this is the construction of RFC 9901
// (selective disclosure), with salts derived by a pseudo-random function (Goldreich,
// Goldwasser, Micali 1986) in place of drawn ones.

// The beginnings of what is authenticated, so that nothing can stand for anything else.
const (
	fieldSaltDomain = "truceline-field-salt/v1\n"
	fieldDomain     = "truceline-field/v1\n"
	decoyDomain     = "truceline-field-decoy/v1\n"
	fieldsDomain    = "truceline-fields/v1\n"
)

// FieldsStep: the number of commitments of a body is a multiple of it, so that it says
// little of how many fields the body has.
const FieldsStep = 32

// FieldSalt gives the salt of the field at a path, which can be shown with the field.
func FieldSalt(body Salt, path string) Salt { return Salt(mac(body, fieldSaltDomain, path)) }

// FieldCommitment gives HMAC-SHA-256(key = the field's salt, "truceline-field/v1\n" ‖ path ‖
// "\n" ‖ value), value being canonical JSON.
func FieldCommitment(salt Salt, path string, value []byte) [32]byte {
	return mac(salt, fieldDomain, path, "\n", string(value))
}

// Fields gives the commitments of a body's fields and of those that stand among them for
// none, in byte order. An error says that the body is not canonical JSON.
func Fields(salt Salt, body []byte) ([][32]byte, error) {
	leaves, err := record.Leaves(body)
	if err != nil {
		return nil, fmt.Errorf("commit to the fields of a body: %w", err)
	}
	n := (len(leaves) + FieldsStep) / FieldsStep * FieldsStep // at least one stands for none
	out := make([][32]byte, 0, n)
	keyed := hmac.New(sha256.New, salt[:]) // once: the key is the same for all that follows from it
	derived := func(parts ...string) (sum [32]byte) {
		keyed.Reset()
		for _, p := range parts {
			io.WriteString(keyed, p)
		}
		keyed.Sum(sum[:0])
		return sum
	}
	for _, l := range leaves {
		out = append(out, FieldCommitment(Salt(derived(fieldSaltDomain, l.Path)), l.Path, l.Value))
	}
	for i := len(leaves); i < n; i++ {
		out = append(out, derived(decoyDomain, string(binary.BigEndian.AppendUint32(nil, uint32(i)))))
	}
	slices.SortFunc(out, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return out, nil
}

// FieldsRoot gives SHA-256("truceline-fields/v1\n" ‖ the commitments), which is what a
// statement holds.
func FieldsRoot(commitments [][32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(fieldsDomain))
	for _, c := range commitments {
		h.Write(c[:])
	}
	return [32]byte(h.Sum(nil))
}

// Commitment gives the value by which a statement names its body: by alg, record.BodyAlg or
// record.FieldsAlg. An error says that no statement can commit to the body so.
func Commitment(alg string, salt Salt, body []byte) ([32]byte, error) {
	switch alg {
	case record.BodyAlg:
		return BodyCommitment(salt, body), nil
	case record.FieldsAlg:
		all, err := Fields(salt, body)
		if err != nil {
			return [32]byte{}, err
		}
		return FieldsRoot(all), nil
	}
	return [32]byte{}, fmt.Errorf("commit to a body: %.40q is no way to commit that is known here", alg)
}

// Commits tells whether ref is the commitment to the body under the salt.
func Commits(ref *record.BodyRef, salt Salt, body []byte) bool {
	if ref == nil {
		return false
	}
	sum, err := Commitment(ref.Alg, salt, body)
	return err == nil && sum == ref.Commitment
}

func mac(key Salt, parts ...string) (sum [32]byte) {
	m := hmac.New(sha256.New, key[:])
	for _, p := range parts {
		m.Write([]byte(p))
	}
	m.Sum(sum[:0])
	return sum
}
