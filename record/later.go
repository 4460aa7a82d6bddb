// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// UpdateError tells that bytes follow a later version of the format than this one. They
// are neither good nor bad here: whoever needs to know updates.
type UpdateError struct{ What string }

func (e *UpdateError) Error() string { return e.What + " is not known here: update needed" }

// laterType matches the payload types of statements of later versions.
var laterType = regexp.MustCompile(`^application/vnd\.truceline\.statement\.v([2-9]|[1-9][0-9]+)\+json$`)

// known tells whether version 1 knows what s names, its fields being in order. The rules
// and the audience are for those who apply the rules: see docs/formats/records.md.
func (s *Statement) known() error {
	switch _, ok := kinds[s.Kind]; {
	case !ok:
		return &UpdateError{fmt.Sprintf("statement: kind %.80q", s.Kind)}
	case s.KindVersion != 1:
		return &UpdateError{fmt.Sprintf("statement: version %d of the kind %s", s.KindVersion, s.Kind)}
	case len(s.Crit) > 0:
		return &UpdateError{fmt.Sprintf("statement: the extension %.40q, which must be understood,", s.Crit[0])}
	case s.Body != nil && s.Body.Alg != BodyAlg && s.Body.Alg != FieldsAlg:
		return &UpdateError{fmt.Sprintf("statement: the commitment %.40q", s.Body.Alg)}
	}
	return nil
}

// laterEnvelope tells whether b holds a statement of a later version, whatever else stands
// there. Nil if it does not.
func laterEnvelope(b []byte) error {
	var all map[string]json.RawMessage
	var typ string
	if CheckCanonical(b) != nil || json.Unmarshal(b, &all) != nil || json.Unmarshal(all["payloadType"], &typ) != nil || !laterType.MatchString(typ) {
		return nil
	}
	return &UpdateError{fmt.Sprintf("envelope: payload type %.80q", typ)}
}

// laterStatement tells whether b could not be read because it is of a later version:
// its v is, or its commitment is another and all else is in order. Nil if it is not.
func laterStatement(b []byte) error {
	var all, body map[string]json.RawMessage
	var v int64
	if CheckCanonical(b) != nil || json.Unmarshal(b, &all) != nil || json.Unmarshal(all["v"], &v) != nil || v < 1 {
		return nil
	}
	if v > FormatVersion {
		return &UpdateError{fmt.Sprintf("statement: format version %d", v)}
	}
	ref := BodyRef{Commitment: Digest{1}}
	if json.Unmarshal(all["body"], &body) != nil || json.Unmarshal(body["alg"], &ref.Alg) != nil || ref.Alg == BodyAlg || ref.Alg == FieldsAlg {
		return nil
	}
	// What stands beside another alg is not for this version: a commitment of ours in its place.
	all["body"], _ = Canonical(ref) // alg was read from b, and can be written
	again, err := Canonical(all)
	if err != nil {
		return nil
	}
	s := new(Statement)
	if DecodeStrict(again, s) != nil {
		return nil
	}
	if err, ok := s.Validate().(*UpdateError); ok {
		return err
	}
	return nil
}
