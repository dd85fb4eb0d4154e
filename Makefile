# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.
SHELL   := /bin/sh
GO      ?= go
BIN     := bin/hachaos
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOL    := $(GO) tool -modfile=tools/go.mod
TESTSUM := $(TOOL) gotestsum --format pkgname-and-test-fails --hide-summary=skipped
# The container tests of `make test` are a rotation: which ones is drawn from
# this seed, for at most this long. `make test-all` runs every one.
SEED    ?= $(shell date +%Y%m%d)
BUDGET  ?= 12m
# The packages that have tests on containers.
CONTAINERS = ./topology/docker/... ./fault/... ./observe ./clean ./cmd/hachaos ./scenarios
# What `make catalogue` runs, and for how long at most (0: until it is done).
NAMES           ?=
CAMPAIGN_BUDGET ?= 0
# Its result files: in the repository, so that a campaign may take many days
# and machines. What they depend on is in their names.
RESULTS         ?= docs/campaign

# A load that is measured shares the machine with nothing else of this file.
.NOTPARALLEL:

.PHONY: help build deps demo test unit browser containers test-all catalogue profiles lint fmt bench images clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

build: ## build bin/hachaos
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/hachaos

deps: ## make sure that an engine answers (installs Debian's docker.io as root, and says so)
	@tools/deps.sh

images: deps build ## build the images that have changed
	@$(BIN) images build

demo: deps build ## from nothing to a verdict and a report
	@$(BIN) images build
	@$(BIN) run instance-kill

test: deps unit containers ## all unit tests, and this build's share of the container tests

unit: ## all unit tests, with the race detector (which needs gcc: installed like the engine)
	@tools/deps.sh cc
	CGO_ENABLED=1 $(TESTSUM) -- -race -timeout 10m ./...

browser: ## open the report's page in a browser, and test its scripts (installs chromium and nodejs on Debian)
	@tools/deps.sh browser
	HACHAOS_BROWSER=1 $(GO) test -count=1 -run 'Browser|Scripts' ./report

containers: deps build ## this build's share of the container tests, one at a time
	@tools/deps.sh registry
	@$(BIN) images build
	PATH="$(CURDIR)/.cache/registry/usr/bin:$$PATH" HACHAOS_ROTATION=$(SEED) HACHAOS_BUDGET=$(BUDGET) CGO_ENABLED=0 \
		$(TESTSUM) -- -tags docker -count=1 -p 1 -timeout 25m $(CONTAINERS)

test-all: deps unit ## every test, every container test
	@tools/deps.sh registry
	@$(MAKE) build && $(BIN) images build
	PATH="$(CURDIR)/.cache/registry/usr/bin:$$PATH" CGO_ENABLED=0 $(TESTSUM) -- -tags docker -count=1 -p 1 -timeout 3h $(CONTAINERS)

catalogue: deps build ## every scenario three times and each of its cases, resumably (CAMPAIGN_BUDGET=20m stops between items)
	@$(BIN) images build
	@$(BIN) campaign run --dir $(RESULTS) --budget $(CAMPAIGN_BUDGET) $(NAMES); code=$$?; \
		$(BIN) campaign status --dir $(RESULTS) --markdown >docs/campaign.md.part; \
		[ $$? -le 3 ] && mv docs/campaign.md.part docs/campaign.md; exit $$code

profiles: deps build ## docs/profiles.md, from the campaign's results on both profiles
	@$(BIN) images build
	@$(BIN) campaign run --dir $(RESULTS) --profile documented --budget $(CAMPAIGN_BUDGET) $(NAMES); code=$$?; [ $$code -le 1 ]
	@$(BIN) campaign profiles --dir $(RESULTS) >docs/profiles.md.part && mv docs/profiles.md.part docs/profiles.md

lint: ## formatting, vet, staticcheck
	@out=$$($(TOOL) gofumpt -l . ); if [ -n "$$out" ]; then echo "gofumpt: run 'make fmt':"; echo "$$out"; exit 1; fi
	$(GO) vet ./... && $(GO) vet -tags docker ./...
	$(TOOL) staticcheck ./... && $(TOOL) staticcheck -tags docker ./...
	$(GO) mod verify >/dev/null

fmt: ## format
	$(TOOL) gofumpt -w .

bench: deps build ## measured ratios, as `name: value` lines
	@$(BIN) images build
	@{ $(GO) test -run '^$$' -bench 'AgainstVegeta' -benchtime 5x ./load; \
	   HACHAOS_BENCH_LARGE=1 $(GO) test -run '^$$' -bench 'Check' -benchtime 1x ./assert; \
	   $(GO) test -run '^$$' -bench 'Load' -benchtime 1x ./history/historytest; \
	   $(GO) test -run '^$$' -bench 'HTML' -benchtime 1x ./report; \
	   CGO_ENABLED=0 $(GO) test -tags docker -run '^$$' -bench 'Ready' -benchtime 3x ./topology/docker; } \
	 | awk '/^(FAIL|---|panic)/ { bad = 1; print > "/dev/stderr" } \
	   /^Benchmark/ { sub(/^Benchmark/, "", $$1); sub(/-[0-9]+$$/, "", $$1); for (i = 3; i < NF; i += 2) print $$1 "/" $$(i+1) ": " $$i } \
	   END { exit bad }'

clean: ## remove what was built here
	rm -rf bin
