// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"truceline/record"
)

// Context is what a sealed account is bound to beside its words: who seals it, and for
// which incident of which mission.
type Context struct {
	Mission  record.ID
	Incident record.ID
	Member   string // the author
}

// Recipient is a member to whom something is encrypted.
type Recipient struct {
	Member string
	Age    string // as recipient.named says it
}

// Secret is what opens a sealed account. Until the filing is closed it is for its author
// alone: who has it reads the account, whatever else is kept from him.
type Secret struct {
	Key     [32]byte // of the box
	Nonce   record.Digest
	Account []byte // canonical JSON
}

// What goes into hashes first, so that none of them can stand for another.
const (
	sealedData    = "truceline-sealed/v1\n"
	sealedBoxData = "truceline-sealed-box/v1\n"
	shareData     = "truceline-share/v1\n"
)

// Errors of sealed accounts, which callers tell apart.
var (
	// ErrOther: what was opened is not what was sealed, or was sealed by another or for
	// another incident.
	ErrOther = errors.New("it is not what was sealed there, by that member and for that incident")
	// ErrBoxSpoilt: the box does not open with the key, or does not hold what is committed to.
	ErrBoxSpoilt = errors.New("the sealed box does not open with this key, or does not hold what it commits to")
	// ErrShareSpoilt: what is encrypted to a member of the escrow is no share of this account.
	ErrShareSpoilt = errors.New("it is no share of the key of this sealed account: do not release it")
)

func (c Context) bytes(first string) []byte {
	b := append([]byte(first), c.Mission[:]...)
	b = append(b, c.Incident[:]...)
	b = append(b, byte(len(c.Member))) // a code has at most 64 bytes
	return append(b, c.Member...)
}

// Commit is the commitment to an account in its canonical bytes. The nonce is a key of 32
// bytes, so that nothing short of guessing it tells whether a guessed account is the one;
// and nobody finds two accounts, authors or incidents for one commitment.
func Commit(c Context, nonce record.Digest, account []byte) record.Digest {
	mac := hmac.New(sha256.New, nonce[:])
	mac.Write(c.bytes(sealedData))
	mac.Write(account)
	return record.Digest(mac.Sum(nil))
}

// SealAccount makes the body of account.sealed, whose size tells nothing of the account's,
// and the secret that opens it. Each member of the escrow gets one share of the box's key,
// of which need open it. The key, the nonces and the shares are drawn from random.
func SealAccount(random io.Reader, c Context, account *record.Account, escrow []Recipient, need int) (*record.Sealed, *Secret, error) {
	fail := func(err error) (*record.Sealed, *Secret, error) {
		return nil, nil, fmt.Errorf("seal an account: %w", err)
	}
	plain, err := record.EncodeBody(account)
	if err != nil {
		return fail(err)
	}
	if len(plain) > record.MaxSealed {
		return fail(fmt.Errorf("it has %d bytes, more than %d: shorten it, and amend it once it is opened", len(plain), record.MaxSealed))
	}
	secret := &Secret{Account: plain}
	boxNonce := make([]byte, chacha20poly1305.NonceSizeX)
	for _, b := range [][]byte{secret.Key[:], secret.Nonce[:], boxNonce} {
		if _, err := io.ReadFull(random, b); err != nil {
			return fail(fmt.Errorf("draw a key: %w", err))
		}
	}
	out := &record.Sealed{Commitment: Commit(c, secret.Nonce, plain)}
	padded := append(secret.Nonce[:len(secret.Nonce):len(secret.Nonce)], binary.BigEndian.AppendUint32(nil, uint32(len(plain)))...)
	padded = append(padded, plain...)
	padded = append(padded, make([]byte, record.MaxSealed-len(plain))...)
	out.Box = encode(sealedAEAD(secret.Key).Seal(boxNonce, boxNonce, padded, boxContext(out.Commitment)))
	if len(escrow) == 0 {
		return out, secret, nil
	}
	shares, err := Split(random, secret.Key, len(escrow), need)
	if err != nil {
		return fail(err)
	}
	for i, r := range escrow {
		file, err := Encrypt(append(shareContext(c, out.Commitment), shares[i][:]...), r.Age)
		if err != nil {
			return fail(fmt.Errorf("a share for %s: %w", r.Member, err))
		}
		out.Escrow = append(out.Escrow, record.EscrowShare{Age: encode(file), Member: r.Member})
	}
	slices.SortFunc(out.Escrow, func(a, b record.EscrowShare) int {
		if a.Member < b.Member {
			return -1
		}
		return 1
	})
	if err := out.Validate(); err != nil {
		return fail(err)
	}
	return out, secret, nil
}

func sealedAEAD(key [32]byte) interface {
	Seal(dst, nonce, plaintext, data []byte) []byte
	Open(dst, nonce, sealed, data []byte) ([]byte, error)
} {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	return aead
}

func boxContext(commitment record.Digest) []byte {
	return append([]byte(sealedBoxData), commitment[:]...)
}

// shareContext stands before a share, under the encryption, so that a share that somebody
// copied into a record of his own is not released with that.
func shareContext(c Context, commitment record.Digest) []byte {
	sum := sha256.Sum256(append(c.bytes(shareData), commitment[:]...))
	return sum[:]
}

// OpenBox opens the box with its key. Whether it holds what the commitment binds is for
// CheckOpened.
func OpenBox(sealed *record.Sealed, key [32]byte) (account []byte, nonce record.Digest, err error) {
	b, err := decode(sealed.Box)
	if err != nil || len(b) != record.SealedBytes {
		return nil, nonce, ErrBoxSpoilt
	}
	n := chacha20poly1305.NonceSizeX
	plain, err := sealedAEAD(key).Open(nil, b[:n], b[n:], boxContext(sealed.Commitment))
	if err != nil {
		return nil, nonce, ErrBoxSpoilt
	}
	copy(nonce[:], plain)
	size := binary.BigEndian.Uint32(plain[len(nonce):])
	rest := plain[len(nonce)+4:]
	if int64(size) > int64(len(rest)) {
		return nil, nonce, ErrBoxSpoilt
	}
	for _, pad := range rest[size:] {
		if pad != 0 {
			return nil, nonce, ErrBoxSpoilt
		}
	}
	return rest[:size:size], nonce, nil
}

// Opened is the body of account.opened that the secret gives.
func (s *Secret) Opened() (*record.Opened, error) {
	body, err := record.ParseBody(record.AccountFiled, s.Account)
	if err != nil {
		return nil, fmt.Errorf("open a sealed account: %w", err)
	}
	return &record.Opened{Account: *body.(*record.Account), Nonce: s.Nonce}, nil
}

// CheckOpened tells whether what was opened is what was sealed; the error is ErrOther.
func CheckOpened(c Context, commitment record.Digest, o *record.Opened) error {
	plain, err := record.EncodeBody(&o.Account)
	if err != nil {
		return fmt.Errorf("an opened account: %w", err)
	}
	got := Commit(c, o.Nonce, plain)
	if len(plain) > record.MaxSealed || !hmac.Equal(got[:], commitment[:]) {
		return ErrOther
	}
	return nil
}

// Decrypter is who can read what is encrypted to a member, such as an Identity.
type Decrypter interface{ Decrypt([]byte) ([]byte, error) }

// OpenShare gives the share of a member of the escrow. It gives none that was made for
// another sealed account: who copies another's share into a record of his own must not have
// it released with that.
func OpenShare(c Context, sealed *record.Sealed, member string, identity Decrypter) (share Share, err error) {
	for _, e := range sealed.Escrow {
		if e.Member != member {
			continue
		}
		file, err := decode(e.Age)
		if err != nil {
			return share, ErrShareSpoilt
		}
		plain, err := identity.Decrypt(file)
		if err != nil {
			return share, fmt.Errorf("open the share of %s: %w", member, err)
		}
		context := shareContext(c, sealed.Commitment)
		if len(plain) != len(context)+ShareBytes || !hmac.Equal(plain[:len(context)], context) || plain[len(context)] == 0 {
			return share, ErrShareSpoilt
		}
		copy(share[:], plain[len(context):])
		return share, nil
	}
	return share, fmt.Errorf("open the share of %s: %s is not in the escrow of this sealed account", member, member)
}

// OpenWithShares opens a sealed account with shares that were released, of which need are
// needed. Where there are more it tries them in every choice, as some may be wrong. The
// error is ErrBoxSpoilt where none opens it.
func OpenWithShares(c Context, sealed *record.Sealed, need int, shares ...Share) (*record.Opened, error) {
	if need < 1 || len(shares) < need {
		return nil, fmt.Errorf("open a sealed account: %d shares are here and %d are needed", len(shares), need)
	}
	var opened *record.Opened
	choices(need, shares, nil, func(chosen []Share) bool {
		key, err := Combine(chosen...)
		if err != nil {
			return false
		}
		account, nonce, err := OpenBox(sealed, key)
		if err != nil {
			return false
		}
		o, err := (&Secret{Nonce: nonce, Account: account}).Opened()
		if err != nil || CheckOpened(c, sealed.Commitment, o) != nil {
			return false
		}
		opened = o
		return true
	})
	if opened == nil {
		return nil, ErrBoxSpoilt
	}
	return opened, nil
}

// choices calls try with each choice of n from the list, until it is content.
func choices(n int, list, chosen []Share, try func([]Share) bool) bool {
	if len(chosen) == n {
		return try(chosen)
	}
	for i := range list {
		if choices(n, list[i+1:], append(slices.Clip(chosen), list[i]), try) {
			return true
		}
	}
	return false
}
