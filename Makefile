# SPDX-License-Identifier: Apache-2.0

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

STAMP := internal/assets/vendor/.stamp

.PHONY: build demo assets test test-long check bench bench-parts generate clean

## build: the program, bin/truceline
build: $(STAMP)
	@scripts/need.sh go
	CGO_ENABLED=0 go build -trimpath -o bin/truceline ./cmd/truceline

## demo: the worked example, in the browser
demo: build
	bin/truceline demo

## assets: the files of other projects that browsers load
assets: $(STAMP)

$(STAMP): package-lock.json scripts/assets.mjs
	@scripts/need.sh node npm
	npm ci --ignore-scripts --loglevel=error
	node scripts/assets.mjs

## test: everything but the long tests
test: $(STAMP) check
	@scripts/need.sh chromium fonts
	go test -timeout 30m ./...

check: $(STAMP)
	@scripts/need.sh go
	@unformatted=$$(find . -name '*.go' -not -path './node_modules/*' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	@before=$$(cat internal/web/*_templ.go | sha256sum); $(MAKE) -s generate >/dev/null 2>&1; \
	if [ "$$before" != "$$(cat internal/web/*_templ.go | sha256sum)" ]; then echo "the pages' Go code was not generated from their templates: commit what make generate wrote"; exit 1; fi

## test-long: also the tests that take minutes (build tag long)
test-long: $(STAMP) check
	@scripts/need.sh chromium fonts
	go vet -tags long ./...
	go test -tags long -timeout 60m ./...

## bench: the paths that matter, as ratios to a baseline in the same run (docs/benchmarks.md)
bench: build
	go run ./internal/bench
	go test -run '^$$' -bench='100k$$|^BenchmarkImport' -timeout 20m ./internal/projection ./internal/web ./internal/intake
	go test -run '^$$' -bench='^BenchmarkLink$$|^BenchmarkFind$$|AtSize|^BenchmarkIndex' -timeout 20m ./linkage ./independence

## bench-parts: every benchmark of every package, one second each
bench-parts: $(STAMP)
	go test -run '^$$' -bench=. -benchtime=1s -benchmem ./...

## generate: Go code of the pages' templates, with the version of the library
generate:
	@scripts/need.sh go
	cd internal/web && go run github.com/a-h/templ/cmd/templ@$$(go list -m -f '{{.Version}}' github.com/a-h/templ) generate

clean:
	rm -rf bin node_modules
	find internal/assets/vendor -mindepth 1 -not -name .keep -delete
