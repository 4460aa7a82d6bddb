// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"golang.org/x/crypto/chacha20poly1305"

	"truceline/ledger"
	"truceline/record"
)

// EpochKey is the key of one epoch of an audience.
type EpochKey [32]byte

// NewEpochKey draws a key.
func NewEpochKey(random io.Reader) (k EpochKey, err error) {
	if _, err = io.ReadFull(random, k[:]); err != nil {
		err = fmt.Errorf("draw the key of an epoch: %w", err)
	}
	return k, err
}

// MaxBoxed is the most bytes of a body that fit into a box, whose JSON is a body of a line.
const MaxBoxed = 32 << 10

// Errors of boxes, which callers tell apart.
var (
	// ErrNoKey: none of the epochs whose keys wrap the box's is known here.
	ErrNoKey = errors.New("the key of the body's epoch is not here")
	// ErrSpoilt: it does not open under its key, or does not hold what the statement
	// commits to. Who made the box, or who handed it on, changed it.
	ErrSpoilt = errors.New("the box does not hold the body that the statement commits to")
)

// The additional data of the two encryptions, so that neither can stand for the other or
// for another record's.
const (
	bodyData = "truceline-box/v1\n"
	wrapData = "truceline-wrap/v1\n"
)

// Box encrypts a body and its salt under a key of its own, drawn from random, and wraps
// that under the epoch's. The length of the box tells that of the body but for the last
// bits (Padmé, Nikitin et al. 2019, https://doi.org/10.2478/popets-2019-0056).
func Box(random io.Reader, statement record.ID, body []byte, salt ledger.Salt, epoch record.ID, key EpochKey) (*record.Box, error) {
	if len(body) > MaxBoxed {
		return nil, fmt.Errorf("box a body: it has %d bytes, more than %d for those that not everybody may read; put what is larger into a document of its own", len(body), MaxBoxed)
	}
	var own [32]byte
	if _, err := io.ReadFull(random, own[:]); err != nil {
		return nil, fmt.Errorf("box a body: draw a key: %w", err)
	}
	plain := append(append([]byte(nil), salt[:]...), binary.BigEndian.AppendUint32(nil, uint32(len(body)))...)
	plain = append(plain, body...)
	plain = append(plain, make([]byte, padme(len(plain))-len(plain))...)
	box := &record.Box{Alg: record.BoxAlg}
	// The key is used once, so its nonce may be zero.
	box.Body = encode(seal(own, make([]byte, chacha20poly1305.NonceSizeX), plain, bodyData, statement))
	wrap, err := Wrap(random, statement, own, epoch, key)
	if err != nil {
		return nil, err
	}
	box.Wraps = []record.Wrap{wrap}
	return box, nil
}

// Wrap encrypts a body's key under an epoch's.
func Wrap(random io.Reader, statement record.ID, own [32]byte, epoch record.ID, key EpochKey) (record.Wrap, error) {
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return record.Wrap{}, fmt.Errorf("wrap a body's key: draw a nonce: %w", err)
	}
	return record.Wrap{Epoch: epoch, Key: encode(append(nonce, seal(key, nonce, own[:], wrapData, statement)...))}, nil
}

// Unbox opens the box of a statement with the keys of epochs that lookup knows, and checks
// that it holds what the statement commits to. The error is ErrNoKey or ErrSpoilt.
func Unbox(statement record.ID, commitment *record.BodyRef, box *record.Box, lookup func(epoch record.ID) (EpochKey, bool)) (body []byte, salt ledger.Salt, err error) {
	err = ErrNoKey
	for _, w := range box.Wraps {
		key, ok := lookup(w.Epoch)
		if !ok {
			continue
		}
		if body, salt, err = unbox(statement, commitment, box, w, key); err == nil {
			return body, salt, nil
		}
	}
	return nil, ledger.Salt{}, err
}

func unbox(statement record.ID, commitment *record.BodyRef, box *record.Box, w record.Wrap, key EpochKey) (body []byte, salt ledger.Salt, err error) {
	wrapped, err := decode(w.Key)
	if err != nil || len(wrapped) < chacha20poly1305.NonceSizeX {
		return nil, salt, ErrSpoilt
	}
	own, err := open(key, wrapped[:chacha20poly1305.NonceSizeX], wrapped[chacha20poly1305.NonceSizeX:], wrapData, statement)
	if err != nil || len(own) != 32 {
		return nil, salt, ErrSpoilt
	}
	sealed, err := decode(box.Body)
	if err != nil {
		return nil, salt, ErrSpoilt
	}
	plain, err := open([32]byte(own), make([]byte, chacha20poly1305.NonceSizeX), sealed, bodyData, statement)
	if err != nil || len(plain) < len(salt)+4 {
		return nil, salt, ErrSpoilt
	}
	copy(salt[:], plain)
	plain = plain[len(salt):]
	n := binary.BigEndian.Uint32(plain)
	if plain = plain[4:]; uint64(n) > uint64(len(plain)) || n > MaxBoxed {
		return nil, salt, ErrSpoilt
	}
	body = plain[:n:n]
	if !ledger.Commits(commitment, salt, body) {
		return nil, salt, ErrSpoilt
	}
	return body, salt, nil
}

func seal(key [32]byte, nonce, plain []byte, data string, statement record.ID) []byte {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	return aead.Seal(nil, nonce, plain, append([]byte(data), statement[:]...))
}

func open(key [32]byte, nonce, sealed []byte, data string, statement record.ID) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	return aead.Open(nil, nonce, sealed, append([]byte(data), statement[:]...))
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func decode(s string) ([]byte, error) { return base64.StdEncoding.Strict().DecodeString(s) }

// padme gives the length to which n bytes, at least 2, are padded: at most 12 % more, and
// less the longer they are.
func padme(n int) int {
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	mask := 1<<max(0, e-s) - 1
	return (n + mask) &^ mask
}
