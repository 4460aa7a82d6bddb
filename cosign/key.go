// SPDX-License-Identifier: Apache-2.0

package cosign

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

const (
	// MaxNameBytes is the longest name of a key accepted.
	MaxNameBytes = 512
	// algCosignature is the signature type byte of Ed25519 cosignatures.
	algCosignature = 4
	// signatureBytes is a time of 8 bytes and an Ed25519 signature.
	signatureBytes = 8 + ed25519.SignatureSize
)

// validName holds names to what signed notes allow, and to a length.
func validName(name string) bool {
	return name != "" && len(name) <= MaxNameBytes && utf8.ValidString(name) && !strings.Contains(name, "+") &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// keyHash is the key ID of signed notes: four bytes of the hash of name, type and key.
func keyHash(name string, public []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{algCosignature})
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// GenerateKey makes a cosigner's key pair from 32 bytes of random, which must be a
// cryptographic source. Both strings are in the signed-note encoding with type byte 0x04:
// skey is "PRIVATE+KEY+<name>+<hash>+<base64>" and must be kept secret, vkey is
// "<name>+<hash>+<base64>". A key serves one role of one member: see [KeyName].
func GenerateKey(random io.Reader, name string) (skey, vkey string, err error) {
	if !validName(name) {
		return "", "", fmt.Errorf("cosign: making a key: %q cannot be its name: at most %d bytes of UTF-8 without white space and without \"+\"", name, MaxNameBytes)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return "", "", fmt.Errorf("cosign: making a key: reading random bytes: %w", err)
	}
	skey, vkey = keyStrings(name, seed)
	return skey, vkey, nil
}

func keyStrings(name string, seed []byte) (skey, vkey string) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	middle := fmt.Sprintf("%s+%08x+", name, keyHash(name, public))
	encode := func(key []byte) string {
		return base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, key...))
	}
	return "PRIVATE+KEY+" + middle + encode(seed), middle + encode(public)
}

var (
	errKeyForm = errors.New(`it is not "<name>+<8 hex digits>+<base64>" in its one spelling`)
	errKeyType = errors.New("it is no Ed25519 cosignature key (type 0x04)")
	errKeyHash = errors.New("its hash is of another name or key")
)

// parseKey splits "<name>+<hash>+<base64>" and returns what follows the type byte.
func parseKey(s string) (name string, hash uint32, key []byte, err error) {
	name, rest, _ := strings.Cut(s, "+")
	hex, encoded, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	n, err2 := strconv.ParseUint(hex, 16, 32)
	if err != nil || err2 != nil || !validName(name) || fmt.Sprintf("%08x", n) != hex || base64.StdEncoding.EncodeToString(raw) != encoded || len(raw) == 0 {
		return "", 0, nil, errKeyForm
	}
	if raw[0] != algCosignature || len(raw) != 1+ed25519.PublicKeySize { // a seed has the same length
		return "", 0, nil, errKeyType
	}
	return name, uint32(n), raw[1:], nil
}

// Signer makes cosignatures with one key.
type Signer struct {
	name string
	vkey string
	hash uint32
	key  ed25519.PrivateKey
}

// NewSigner reads a private key written by [GenerateKey], in its one spelling. Errors never
// quote the key.
func NewSigner(skey string) (*Signer, error) {
	rest, ok := strings.CutPrefix(skey, "PRIVATE+KEY+")
	if !ok {
		return nil, fmt.Errorf("cosign: reading a private key: it does not begin with %q", "PRIVATE+KEY+")
	}
	name, hash, seed, err := parseKey(rest)
	if err != nil {
		return nil, fmt.Errorf("cosign: reading a private key: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	if hash != keyHash(name, key.Public().(ed25519.PublicKey)) {
		return nil, fmt.Errorf("cosign: reading a private key: %w", errKeyHash)
	}
	_, vkey := keyStrings(name, seed)
	return &Signer{name, vkey, hash, key}, nil
}

// Name is the name of the key.
func (s *Signer) Name() string { return s.name }

// VKey is the public key, for [NewVerifier].
func (s *Signer) VKey() string { return s.vkey }

// Cosign signs the text of a checkpoint as seen at a time, in Unix seconds. Text is
// [truceline/ledger.Checkpoint.Text]: at least three lines, each ended by a line feed.
func (s *Signer) Cosign(text string, at int64) (note.Signature, error) {
	if at <= 0 {
		return note.Signature{}, fmt.Errorf("cosign: %d is no time of a cosignature: it is in Unix seconds, from 1", at)
	}
	if !checkpointText(text) {
		return note.Signature{}, errors.New("cosign: only the text of a checkpoint is cosigned: three or more lines, none of them empty")
	}
	raw := binary.BigEndian.AppendUint32(nil, s.hash)
	raw = binary.BigEndian.AppendUint64(raw, uint64(at))
	raw = append(raw, ed25519.Sign(s.key, message(uint64(at), text))...)
	return note.Signature{Name: s.name, Hash: s.hash, Base64: base64.StdEncoding.EncodeToString(raw)}, nil
}

// checkpointText tells whether text has the lines of a checkpoint's body.
func checkpointText(text string) bool {
	return strings.HasSuffix(text, "\n") && strings.Count(text, "\n") >= 3 && text[0] != '\n' && !strings.Contains(text, "\n\n")
}

// message is what is signed: the kind of statement and the time, then the checkpoint's text.
func message(at uint64, text string) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

type verifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// NewVerifier reads the public key of a cosigner, in the signed-note encoding with type
// byte 0x04 and in its one spelling. Other types are refused, also those of plain Ed25519
// keys, which some programs read as cosigners' keys.
func NewVerifier(vkey string) (note.Verifier, error) {
	name, hash, key, err := parseKey(vkey)
	if err == nil && hash != keyHash(name, key) {
		err = errKeyHash
	}
	if err != nil {
		return nil, fmt.Errorf("cosign: reading the public key %.200q: %w", vkey, err)
	}
	return &verifier{name, hash, key}, nil
}

func (v *verifier) Name() string    { return v.name }
func (v *verifier) KeyHash() uint32 { return v.hash }

// Verify checks a cosignature without its four bytes of hash.
func (v *verifier) Verify(text, sig []byte) bool {
	if len(sig) != signatureBytes || !checkpointText(string(text)) {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at <= math.MaxInt64 && ed25519.Verify(v.key, message(at, string(text)), sig[8:])
}

// SignedAt is the time inside an Ed25519 cosignature, in Unix seconds, by the cosigner's
// clock. It does not check the signature.
func SignedAt(sig note.Signature) (int64, error) {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) != 4+signatureBytes {
		return 0, fmt.Errorf("cosign: the signature of %.100q is no Ed25519 cosignature", sig.Name)
	}
	at := binary.BigEndian.Uint64(raw[4:])
	if at > math.MaxInt64 {
		return 0, fmt.Errorf("cosign: the time in the signature of %.100q is out of range", sig.Name)
	}
	return int64(at), nil
}
