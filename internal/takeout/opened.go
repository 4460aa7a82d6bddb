// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"truceline/ledger"
	"truceline/record"
)

// openedBody is a line of opened.jsonl: a body that stands in the log in a box which the
// reader can open, and the salt with which the statement commits to it. Nobody need believe
// it, for the commitment is signed.
type openedBody struct {
	Body     json.RawMessage `json:"body"`
	BodySalt record.Digest   `json:"body_salt"`
	Index    int64           `json:"index"`
}

func (o *openedBody) encode() ([]byte, error) {
	b, err := record.Canonical(o)
	return append(b, '\n'), err
}

// opened are the bodies of a file, read where they stand.
type opened struct {
	file    *os.File
	at      map[int64]place // by the record's index in the log
	indexes []int64         // ascending
}

type place struct{ offset, size int64 }

// maxOpenedLine bounds a line: a body, its salt and its index.
const maxOpenedLine = record.MaxBody + 1024

// openOpened finds the bodies in a file. Where there is no file there are none.
func openOpened(path string) (o *opened, err error) {
	o = &opened{at: map[int64]place{}}
	if o.file, err = os.Open(path); errors.Is(err, fs.ErrNotExist) {
		return o, nil
	} else if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(o.file, maxOpenedLine+1)
	last, offset := int64(-1), int64(0)
	for number := 1; ; number++ {
		line, err := r.ReadSlice('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			return o, nil
		case err == io.EOF:
			err = errors.New("it has no end")
		case errors.Is(err, bufio.ErrBufferFull):
			err = fmt.Errorf("it has more than %d bytes", maxOpenedLine)
		case err == nil:
			var b *openedBody
			if b, err = parseOpened(line); err == nil && b.Index <= last {
				err = errors.New("its index is not above that of the line before")
			} else if err == nil {
				last = b.Index
			}
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("line %d: %w", number, err), o.close())
		}
		o.at[last] = place{offset, int64(len(line))}
		o.indexes = append(o.indexes, last)
		offset += int64(len(line))
	}
}

func parseOpened(line []byte) (*openedBody, error) {
	b := new(openedBody)
	if err := record.DecodeStrict(bytes.TrimSuffix(line, []byte("\n")), b); err != nil {
		return nil, err
	}
	if b.Body == nil || b.BodySalt.IsZero() || b.Index < 0 || len(b.Body) > record.MaxBody {
		return nil, errors.New("it needs body, body_salt and index")
	}
	return b, nil
}

// body reads the body of a record; nil where there is none.
func (o *opened) body(index int64) ([]byte, ledger.Salt, error) {
	p, ok := o.at[index]
	if !ok {
		return nil, ledger.Salt{}, nil
	}
	line := make([]byte, p.size)
	if _, err := o.file.ReadAt(line, p.offset); err != nil {
		return nil, ledger.Salt{}, err
	}
	b, err := parseOpened(line)
	if err != nil {
		return nil, ledger.Salt{}, err
	}
	return b.Body, ledger.Salt(b.BodySalt), nil
}

func (o *opened) close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}
