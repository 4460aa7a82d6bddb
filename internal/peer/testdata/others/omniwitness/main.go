// SPDX-License-Identifier: Apache-2.0

// Command omniwitness is the witness of github.com/transparency-dev/witness, as the tests
// of the feeder run it: one key, the logs of one file, no persistence, a port of its own. It
// is a module of its own, so that what the witness is built from is no part of Truceline.
//
//	omniwitness <private key file> <logs.yaml>
//
// It prints the address it listens on and ends with its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/omniwitness"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: omniwitness <private key file> <logs.yaml>")
	}
	skey, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	signer, err := fnote.NewSignerForCosignatureV1(strings.TrimSpace(string(skey)))
	if err != nil {
		return err
	}
	yaml, err := os.ReadFile(os.Args[2])
	if err != nil {
		return err
	}
	logs, err := omniwitness.NewStaticLogConfig(yaml)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	err = omniwitness.Main(ctx, omniwitness.OperatorConfig{
		WitnessKeys: []note.Signer{signer}, WitnessVerifier: signer.Verifier(), Logs: logs,
	}, inmemory.New(), listener, http.DefaultClient)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
