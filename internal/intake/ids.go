// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"

	"truceline/internal/node"
	"truceline/record"
)

// maxTries bounds how often one name can be used again after its batch was withdrawn.
const maxTries = 1000

// deriveID is the id of what an import files: the first 16 bytes of SHA-256 over
// "truceline-import/v1\n", the mission, the kind and the key, each but the last with
// "\n" after it. The key is the file's own name for the thing; keys hold no "\n".
//
// try is 0, and counts up where the record of the try before belongs to a batch that
// was withdrawn (or, for batches, closed): then the key is followed by "\n" and try.
func deriveID(mission record.ID, kind record.Kind, key string, try int) record.ID {
	if try > 0 {
		key += "\n" + strconv.Itoa(try)
	}
	h := sha256.Sum256([]byte("truceline-import/v1\n" + mission.String() + "\n" + string(kind) + "\n" + key))
	return record.ID(h[:16])
}

// locate finds the record that stands under a key, or the id to file it under.
func (im *importer) locate(ctx context.Context, kind record.Kind, key string) (record.ID, *node.Found, error) {
	for try := range maxTries {
		id := deriveID(im.mission, kind, key, try)
		found, ok, err := im.door.Find(ctx, id)
		if err != nil {
			return id, nil, fmt.Errorf("look for %s %s: %w", kind, id, err)
		}
		if !ok {
			return id, nil, nil
		}
		if batch, in := found.Statement.Subject(record.RoleBatch); in && im.door.BatchState(batch) == batchWithdrawn {
			continue
		}
		return id, found, nil
	}
	return record.ID{}, nil, fmt.Errorf("look for %s %.80q: withdrawn and filed again %d times already", kind, key, maxTries)
}

// States of a batch, as Door.BatchState gives them.
const (
	batchOpen      = "open"
	batchClosed    = "closed"
	batchWithdrawn = "withdrawn"
)

// findBatch finds this file's batch that is still open, or the id of a new one.
func (im *importer) findBatch(ctx context.Context) error {
	for try := range maxTries {
		id := deriveID(im.mission, record.BatchOpened, im.report.FileSHA256.String(), try)
		found, ok, err := im.door.Find(ctx, id)
		if err != nil {
			return fmt.Errorf("look for batch %s: %w", id, err)
		}
		if !ok {
			im.batch, im.try = id, try
			return nil
		}
		if found.Statement.Kind != record.BatchOpened || im.door.BatchState(id) != batchOpen {
			continue // closed, withdrawn, or a record of another kind under this id
		}
		if by := found.Statement.Member; by != im.opts.Member {
			return fmt.Errorf("import %s: %s began to import this file and did not finish: finish it as %s, or withdraw batch %s first", im.report.Name, by, by, id)
		}
		body, err := record.ParseBody(record.BatchOpened, found.Body)
		if err != nil {
			return fmt.Errorf("read batch %s: %w", id, err)
		}
		if b := body.(*record.Batch); b.FileSHA256 != im.report.FileSHA256 || int64(b.Rows) != im.report.Total {
			return fmt.Errorf("import %s: batch %s was opened for %d rows, and this program reads %d in the same file: withdraw the batch and import again", im.report.Name, id, b.Rows, im.report.Total)
		}
		im.batch, im.try, im.report.Continued = id, try, true
		return nil
	}
	return fmt.Errorf("import %s: this file was imported %d times already", im.report.Name, maxTries)
}
