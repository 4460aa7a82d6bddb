// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"truceline/ledger"
	"truceline/record"
)

// Disclose shows the fields at some paths, ascending, of a record whose body commits field by
// field. envelope is its exact bytes, body its plain body under salt; index, leafSalt and
// loggedAt say where it stands in the ledger. An error says which field is not there.
func Disclose(envelope, body []byte, salt, leafSalt ledger.Salt, index, loggedAt int64, paths []string) (*record.Disclosure, error) {
	fail := func(format string, a ...any) (*record.Disclosure, error) {
		return nil, fmt.Errorf("show fields of record %d: "+format, append([]any{index}, a...)...)
	}
	all, err := ledger.Fields(salt, body)
	if err != nil {
		return fail("%w", err)
	}
	leaves, err := record.Leaves(body)
	if err != nil {
		return fail("%w", err)
	}
	d := &record.Disclosure{Envelope: encode(envelope), Index: index, LeafSalt: record.Digest(leafSalt), LoggedAt: loggedAt}
	var flat []byte
	for _, c := range all {
		flat = append(flat, c[:]...)
	}
	d.Commitments = encode(flat)
	for _, p := range paths {
		i := slices.IndexFunc(leaves, func(l record.Leaf) bool { return l.Path == p })
		if i < 0 {
			return fail("it has no field %s", p)
		}
		d.Fields = append(d.Fields, record.DisclosedField{Path: p, Salt: record.Digest(ledger.FieldSalt(salt, p)), Value: string(leaves[i].Value)})
	}
	if _, err := CheckDisclosure(d); err != nil {
		return fail("%w", err)
	}
	return d, nil
}

// Errors of disclosures, which callers tell apart.
var (
	// ErrNotCommitted: the commitments are not those of the statement.
	ErrNotCommitted = errors.New("the commitments are not those that the record's statement was signed with")
	// ErrNotField: a field is none of those committed to.
	ErrNotField = errors.New("the record's body has another value there, or none")
)

// CheckDisclosure checks that the fields are those of the body to which the statement in the
// envelope commits, and gives the statement. Whether the statement is properly signed and
// where it stands in the ledger is for the caller.
func CheckDisclosure(d *record.Disclosure) (*record.Statement, error) {
	b, err := decode(d.Envelope)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	env, err := record.ParseEnvelope(b)
	if err != nil {
		return nil, err
	}
	st, err := env.Statement()
	if err != nil {
		return nil, err
	}
	flat, err := base64.StdEncoding.Strict().DecodeString(d.Commitments)
	if err != nil || len(flat)%32 != 0 {
		return nil, fmt.Errorf("record %d: %w", d.Index, ErrNotCommitted)
	}
	all := make([][32]byte, len(flat)/32)
	for i := range all {
		all[i] = [32]byte(flat[i*32:])
		if i > 0 && bytes.Compare(all[i-1][:], all[i][:]) >= 0 {
			return nil, fmt.Errorf("record %d: %w", d.Index, ErrNotCommitted)
		}
	}
	if st.Body == nil || st.Body.Alg != record.FieldsAlg || ledger.FieldsRoot(all) != st.Body.Commitment {
		return nil, fmt.Errorf("record %d: %w", d.Index, ErrNotCommitted)
	}
	for _, f := range d.Fields {
		c := ledger.FieldCommitment(ledger.Salt(f.Salt), f.Path, []byte(f.Value))
		if _, ok := slices.BinarySearchFunc(all, c, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }); !ok {
			return nil, fmt.Errorf("record %d, field %s: %w", d.Index, f.Path, ErrNotField)
		}
	}
	return st, nil
}
