// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// MaxOriginBytes is the longest origin accepted.
const MaxOriginBytes = 255

// algEd25519 is the signature type byte of plain Ed25519 keys in signed notes.
const algEd25519 = 1

// ValidateOrigin checks a log's name: the first line of its checkpoints and the name of its
// key. It is a URL prefix without scheme and without trailing slash, such as
// "ledger.example.org/mission-7". Valid UTF-8 without white space, control characters or "+".
func ValidateOrigin(origin string) error {
	fault := ""
	switch {
	case origin == "":
		fault = "it is empty"
	case len(origin) > MaxOriginBytes:
		fault = fmt.Sprintf("it has %d bytes; at most %d are allowed", len(origin), MaxOriginBytes)
	case !utf8.ValidString(origin):
		fault = "it is not valid UTF-8"
	case strings.ContainsFunc(origin, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		fault = "it has white space or invisible characters"
	case strings.Contains(origin, "+"):
		fault = `it has a "+", which separates the parts of a key`
	case strings.Contains(origin, "://"):
		fault = `it has a scheme; write "example.org/log", not "https://example.org/log"`
	case strings.HasPrefix(origin, "/") || strings.HasSuffix(origin, "/"):
		fault = "it starts or ends with a slash"
	}
	if fault != "" {
		return fmt.Errorf("ledger: %q cannot be an origin: %s", origin, fault)
	}
	return nil
}

// GenerateKey makes an Ed25519 key pair for an origin from 32 bytes of random, which must be
// a cryptographic source. Both strings are in the signed-note encoding: skey is
// "PRIVATE+KEY+<origin>+<hash>+<base64>" and must be kept secret, vkey is "<origin>+<hash>+<base64>".
func GenerateKey(random io.Reader, origin string) (skey, vkey string, err error) {
	if err := ValidateOrigin(origin); err != nil {
		return "", "", err
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return "", "", fmt.Errorf("ledger: making a key: reading random bytes: %w", err)
	}
	return keyStrings(origin, seed)
}

// keyStrings encodes the key pair grown from a seed.
func keyStrings(name string, seed []byte) (skey, vkey string, err error) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	vkey, err = note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return "", "", fmt.Errorf("ledger: making a key: %w", err)
	}
	hash := vkey[len(name) : len(name)+len("+01234567+")]
	private := base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed...))
	return "PRIVATE+KEY+" + name + hash + private, vkey, nil
}

var errKeySpelling = errors.New("it is not spelled as keys are written: white space, upper-case hash or loose base64")

// NewSigner reads a private key written by [GenerateKey]. Errors never quote the key.
func NewSigner(skey string) (note.Signer, error) {
	signer, _, err := parseSigner(skey)
	return signer, err
}

// VerifierKey returns the public key that belongs to a private one.
func VerifierKey(skey string) (vkey string, err error) {
	_, vkey, err = parseSigner(skey)
	return vkey, err
}

func parseSigner(skey string) (note.Signer, string, error) {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, "", fmt.Errorf("ledger: reading a private key: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.SplitN(skey, "+", 5)[4])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return nil, "", fmt.Errorf("ledger: reading a private key: %w", errKeySpelling)
	}
	again, vkey, err := keyStrings(signer.Name(), key[1:])
	if err != nil || again != skey {
		return nil, "", fmt.Errorf("ledger: reading a private key: %w", errKeySpelling)
	}
	return signer, vkey, nil
}

// Fingerprint is a short form of a public key that two people can compare by voice: the
// first 16 bytes of SHA-256 of its text, in hexadecimal, in eight groups of four.
func Fingerprint(vkey string) string {
	sum := sha256.Sum256([]byte(vkey))
	h := hex.EncodeToString(sum[:16])
	var groups []string
	for i := 0; i < len(h); i += 4 {
		groups = append(groups, h[i:i+4])
	}
	return strings.Join(groups, " ")
}

// NewVerifier reads a public key of a log, in the signed-note encoding, in its one spelling.
func NewVerifier(vkey string) (note.Verifier, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("ledger: reading the public key %q: %w", vkey, err)
	}
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, fmt.Errorf("ledger: reading the public key %q: %w", vkey, err)
	}
	again, err := note.NewEd25519VerifierKey(verifier.Name(), key[1:])
	if err != nil || again != vkey {
		return nil, fmt.Errorf("ledger: reading the public key %q: %w", vkey, errKeySpelling)
	}
	return verifier, nil
}
