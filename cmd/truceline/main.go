// SPDX-License-Identifier: Apache-2.0

// Command truceline keeps one record of a ceasefire that nobody can rewrite.
//
// One binary makes a node (init), runs it (serve), takes accounts in and gives them
// out (import, export), lets a stranger check the record (verify), and looks after
// itself (rebuild, doctor). `truceline demo` shows a worked example.
//
// Results go to standard output, progress and errors to standard error. It exits 0
// when what was asked is done, 1 when it is not, 2 when the command line is wrong; verify
// exits 3 when a log could not be checked in full, do when the act waits for the registry.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"truceline/internal/progress"
)

type commands struct {
	Demo    demoCmd    `cmd:"" help:"Run the worked example: make a node, load it, serve it."`
	Init    initCmd    `cmd:"" help:"Make a new node for a mission."`
	Serve   serveCmd   `cmd:"" help:"Serve a node's pages and log until a signal."`
	Invite  inviteCmd  `cmd:"" help:"Write an invitation for a member that joins from a node of its own."`
	Join    joinCmd    `cmd:"" help:"Make the node of a member, and bring it into the mission."`
	Admit   admitCmd   `cmd:"" help:"Admit a member by a reply that was carried here."`
	Status  statusCmd  `cmd:"" help:"Say how a node stands: what it holds, who witnesses, what waits, what is wrong."`
	Import  importCmd  `cmd:"" help:"Take files in."`
	Export  exportCmd  `cmd:"" help:"Give the record out as files."`
	Link    linkCmd    `cmd:"" help:"Say which records of several sources likely tell of one event. Needs no node."`
	Do      doCmd      `cmd:"" help:"Do an act: link, merge, undo and the others that the pages offer."`
	Officer officerCmd `cmd:"" help:"Invite officers, and end their sign-ins."`
	Verify  verifyCmd  `cmd:"" help:"Check a log or a file of proof. Needs no node and trusts no server."`
	Bundle  bundleCmd  `cmd:"" help:"Write one file with which a stranger checks one record."`
	Policy  policyCmd  `cmd:"" help:"Say what a policy on witnesses stands up to, or write one."`
	Carry   carryCmd   `cmd:"" help:"Take records and answers from node to node as files, where there is no line."`
	Rebuild rebuildCmd `cmd:"" help:"Compute the node's tables again from its ledger."`

	Backup          backupCmd          `cmd:"" help:"Write everything of a node that cannot be computed again to one file."`
	Restore         restoreCmd         `cmd:"" help:"Put a node back from a backup."`
	Restored        restoredCmd        `cmd:"" help:"Say whether a node that was put back may cosign; let it."`
	CatchUp         catchUpCmd         `cmd:"" help:"Bring a registry that was put back up to what it has signed, from a mirror."`
	RebuildLog      rebuildLogCmd      `cmd:"" help:"Put the log of a lost registry together from mirrors."`
	RestoreRegistry restoreRegistryCmd `cmd:"" help:"Make the registry's node again from a copy of its log and its keys."`
	Recover         recoverCmd         `cmd:"" help:"Go on as a member whose node is lost, with the recovery key."`
	Key             keyCmd             `cmd:"" help:"List, change and end the keys of a node."`
	Leave           leaveCmd           `cmd:"" help:"Leave the mechanism."`
	Member          memberCmd          `cmd:"" help:"Act on the roster, on the registry's node."`

	Doctor  doctorCmd  `cmd:"" help:"Check a node from top to bottom and say what to do."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// env is what every command is given.
type env struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	bar    *progress.Bar
	log    *slog.Logger
	now    func() time.Time
	rand   io.Reader
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e := &env{
		ctx: ctx, stdout: os.Stdout, stderr: os.Stderr, bar: progress.On(os.Stderr),
		log: slog.New(slog.NewTextHandler(os.Stderr, nil)), now: time.Now, rand: rand.Reader,
	}
	exit := -1
	parser, err := kong.New(new(commands),
		kong.Name("truceline"),
		kong.Description("Truceline keeps one record of a ceasefire: each side's version, in order, so that nobody can rewrite it and a stranger can check it.\n\nStart with: truceline demo"),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(os.Stdout, os.Stderr),
		kong.Exit(func(code int) { exit = code }),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "truceline:", err)
		return 2
	}
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help":
		args = append(args[1:len(args):len(args)], "--help")
	}
	cmd, err := parser.Parse(args)
	if exit >= 0 { // --help was answered
		return exit
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "truceline: %v; see %s --help\n", err, commandOf(err))
		return 2
	}
	err = cmd.Run(e)
	e.bar.Done()
	var quiet *quietError
	code := 1
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		code = exit.code
	}
	switch {
	case err == nil:
		return 0
	case errors.As(err, &quiet):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintf(os.Stderr, "truceline: stopped: %v\n", err)
	default:
		fmt.Fprintf(os.Stderr, "truceline: %v\n", err)
	}
	return code
}

// commandOf is the command that was understood before the command line went wrong.
func commandOf(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		words := []string{prog()}
		for _, p := range parse.Context.Path {
			if p.Command != nil {
				words = append(words, p.Command.Name)
			}
		}
		return strings.Join(words, " ")
	}
	return prog()
}

// prog is the name under which the program can be called again: that of the file where
// it is on the PATH, else as it was called.
func prog() string {
	name := filepath.Base(os.Args[0])
	if path, err := exec.LookPath(name); err == nil {
		found, err1 := os.Stat(path)
		self, err2 := os.Executable()
		if err1 == nil && err2 == nil {
			if me, err := os.Stat(self); err == nil && os.SameFile(found, me) {
				return name
			}
		}
	}
	return os.Args[0]
}

// exitError ends a command with an exit code of its own.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

// quietError ends a command whose output has said already what is wrong.
type quietError struct{ error }

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	v := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		v = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v += " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintln(e.stdout, "truceline", v, "format 1, rules 1")
	return err
}
