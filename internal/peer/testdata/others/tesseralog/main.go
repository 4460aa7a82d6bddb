// SPDX-License-Identifier: Apache-2.0

// Command tesseralog keeps a log with github.com/transparency-dev/tessera, as the tests of
// the witness run it.
//
//	tesseralog add <folder> <private key file> <text> <n> [<policy file>]
//	tesseralog proof <folder> <old size> <new size>
//
// add appends n entries, each the text and a number, and prints the checkpoint when it is
// published: with a policy, after Tessera's own client has had it cosigned as that asks.
// proof prints the hashes of a consistency proof.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	switch args := os.Args[1:]; {
	case (len(args) == 5 || len(args) == 6) && args[0] == "add":
		policy := ""
		if len(args) == 6 {
			policy = args[5]
		}
		err = add(ctx, args[1], args[2], args[3], args[4], policy)
	case len(args) == 4 && args[0] == "proof":
		err = proof(ctx, args[1], args[2], args[3])
	default:
		err = fmt.Errorf("usage: tesseralog add|proof")
	}
	if err != nil {
		log.Fatal(err)
	}
}

func add(ctx context.Context, folder, key, text, count, policy string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	skey, err := os.ReadFile(key)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(string(skey))
	if err != nil {
		return err
	}
	opts := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(256, 10*time.Millisecond).WithCheckpointInterval(100 * time.Millisecond)
	if policy != "" {
		b, err := os.ReadFile(policy)
		if err != nil {
			return err
		}
		group, err := tessera.NewWitnessGroupFromPolicy(b)
		if err != nil {
			return err
		}
		opts = opts.WithWitnesses(group, &tessera.WitnessOptions{Timeout: 10 * time.Second})
	}
	driver, err := posix.New(ctx, posix.Config{Path: folder})
	if err != nil {
		return err
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, opts)
	if err != nil {
		return err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 20*time.Millisecond)
	futures := make([]tessera.IndexFuture, n)
	for i := range futures {
		futures[i] = appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "%s %d", text, i)))
	}
	var checkpoint []byte
	for _, f := range futures {
		if _, checkpoint, err = awaiter.Await(ctx, f); err != nil {
			return err
		}
	}
	if err := shutdown(ctx); err != nil {
		return err
	}
	if checkpoint, err = reader.ReadCheckpoint(ctx); err != nil {
		return err
	}
	_, err = os.Stdout.Write(checkpoint)
	return err
}

func proof(ctx context.Context, folder, oldSize, newSize string) error {
	older, err := strconv.ParseUint(oldSize, 10, 64)
	if err != nil {
		return err
	}
	newer, err := strconv.ParseUint(newSize, 10, 64)
	if err != nil {
		return err
	}
	builder, err := client.NewProofBuilder(ctx, newer, client.FileFetcher{Root: folder}.ReadTile)
	if err != nil {
		return err
	}
	hashes, err := builder.ConsistencyProof(ctx, older, newer)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		fmt.Println(base64.StdEncoding.EncodeToString(h))
	}
	return nil
}
