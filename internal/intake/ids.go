// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"

	"truceline/internal/node"
	"truceline/mechanism"
	"truceline/record"
)

// maxTries bounds how often one name can be used again after its batch was withdrawn.
const maxTries = 1000

// deriveID is the id of what an import files: the first 16 bytes of SHA-256 over
// "truceline-import/v2\n", the mission, the kind, the member's code and the key, each
// but the last with "\n" after it. The key is the file's own name for the thing; keys
// hold no "\n".
//
// try is 0, and counts up where the record of the try before belongs to a batch that
// was withdrawn (or, for batches, closed), or is not what an import of this member files:
// then the key is followed by "\n" and try. Anybody can compute such an id and file
// something else under it; that costs the import a try and nothing more.
func deriveID(mission record.ID, kind record.Kind, member, key string, try int) record.ID {
	if try > 0 {
		key += "\n" + strconv.Itoa(try)
	}
	h := sha256.Sum256([]byte("truceline-import/v2\n" + mission.String() + "\n" + string(kind) + "\n" + member + "\n" + key))
	return record.ID(h[:16])
}

// locate finds the record that stands under a key, or the id to file it under.
func (im *importer) locate(ctx context.Context, kind record.Kind, key string) (record.ID, *node.Found, error) {
	for try := range maxTries {
		id := deriveID(im.mission, kind, im.opts.Member, key, try)
		found, ok, err := im.door.Find(ctx, id)
		if err != nil {
			return id, nil, fmt.Errorf("look for %s %s: %w", kind, id, err)
		}
		if !ok {
			return id, nil, nil
		}
		if found.Statement.Kind != kind || found.Statement.Member != im.opts.Member {
			continue
		}
		if batch, in := found.Statement.Subject(record.RoleBatch); in && im.door.BatchState(batch) == batchWithdrawn {
			continue
		}
		return id, found, nil
	}
	return record.ID{}, nil, fmt.Errorf("look for %s %.80q: withdrawn and filed again %d times already", kind, key, maxTries)
}

// free gives the first id for a key, from a try on, that no record has.
func (im *importer) free(ctx context.Context, kind record.Kind, key string, try int) (record.ID, error) {
	for ; try < 2*maxTries; try++ {
		id := deriveID(im.mission, kind, im.opts.Member, key, try)
		_, ok, err := im.door.Find(ctx, id)
		if err != nil {
			return id, fmt.Errorf("look for %s %s: %w", kind, id, err)
		}
		if !ok {
			return id, nil
		}
	}
	return record.ID{}, fmt.Errorf("look for %s: all its ids are taken", kind)
}

// States of a batch, as Door.BatchState gives them.
const (
	batchOpen      = "open"
	batchClosed    = "closed"
	batchWithdrawn = "withdrawn"
)

// batchKey is the key of this file's batch.
func (im *importer) batchKey() string {
	key := im.report.FileSHA256.String()
	if im.form.edition != "" {
		key += " " + im.form.edition
	}
	return key
}

// findBatch finds this file's batch that is still open, or the id of a new one.
func (im *importer) findBatch(ctx context.Context) error {
	for _, m := range im.door.Pack().Members {
		if m.Code == im.opts.Member || !mechanism.MayFile(m.Role, record.BatchOpened) {
			continue
		}
		if id, _, open, err := im.openOf(ctx, m.Code); err != nil {
			return err
		} else if open != nil {
			return fmt.Errorf("import %s: %s began to import this file and did not finish: finish it as %s, or withdraw batch %s first", im.report.Name, m.Code, m.Code, id)
		}
	}
	id, try, open, err := im.openOf(ctx, im.opts.Member)
	if err != nil {
		return err
	}
	im.batch, im.try = id, try
	if open == nil {
		return nil
	}
	if b := open; b.FileSHA256 != im.report.FileSHA256 || int64(b.Rows) != im.report.Total {
		return fmt.Errorf("import %s: batch %s was opened for %d rows, and this program reads %d in the same file: withdraw the batch and import again", im.report.Name, id, b.Rows, im.report.Total)
	}
	im.report.Continued = true
	return nil
}

// openOf finds the batch of a member for this file that is open, or the first id that
// is free.
func (im *importer) openOf(ctx context.Context, member string) (record.ID, int, *record.Batch, error) {
	for try := range maxTries {
		id := deriveID(im.mission, record.BatchOpened, member, im.batchKey(), try)
		found, ok, err := im.door.Find(ctx, id)
		if err != nil {
			return id, try, nil, fmt.Errorf("look for batch %s: %w", id, err)
		}
		if !ok {
			return id, try, nil, nil
		}
		if found.Statement.Kind != record.BatchOpened || found.Statement.Member != member || im.door.BatchState(id) != batchOpen {
			continue // closed, withdrawn, or not what an import files
		}
		body, err := record.ParseBody(record.BatchOpened, found.Body)
		if err != nil {
			return id, try, nil, fmt.Errorf("read batch %s: %w", id, err)
		}
		return id, try, body.(*record.Batch), nil
	}
	return record.ID{}, 0, nil, fmt.Errorf("import %s: this file was imported %d times already", im.report.Name, maxTries)
}
