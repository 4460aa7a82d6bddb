// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"

	"truceline/ledger"
	"truceline/record"
)

// Reveal puts what the record of a bundle says into it in the clear, in the place of its
// box, and checks that it is what its author committed to. Whoever holds the file can read
// it then: the decision is that of the member who shows it.
func Reveal(b, body []byte, salt ledger.Salt) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("bundle: showing what the record says: %w", err)
	}
	p, err := parse(b)
	if err != nil {
		return fail(err)
	}
	line, err := record.ParseLine([]byte(p.Record.Line))
	if err != nil {
		return fail(err)
	}
	e, err := record.ParseEnvelope(line.Envelope)
	if err != nil {
		return fail(err)
	}
	st, err := e.Statement()
	switch {
	case err != nil:
		return fail(err)
	case !st.Boxed():
		return fail(fmt.Errorf("the body of this %s is not encrypted", st.Kind))
	case !ledger.Commits(st.Body, salt, body):
		return fail(fmt.Errorf("this body, or its salt, is not the one the statement commits to"))
	}
	line.Body, line.BodySalt, line.Enc = body, record.Digest(salt), record.EncPlain
	text, err := line.Encode()
	if err != nil {
		return fail(err)
	}
	p.Record.Line = string(text)
	return p.encode()
}
