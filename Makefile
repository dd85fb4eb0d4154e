# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.
SHELL   := /bin/sh
GO      ?= go
BIN     := bin/hachaos
# Results that are not committed yet make no other program.
VERSION := $(shell v=$$(git describe --tags --always 2>/dev/null) || { echo devel; exit; }; \
	git diff --quiet HEAD -- . ':!docs' || v=$$v-dirty; echo $$v)
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOL    := $(GO) tool -modfile=tools/tools.mod
TESTSUM := $(TOOL) gotestsum --format pkgname-and-test-fails --hide-summary=skipped
# The container tests of `make test` are a rotation: which ones is drawn from
# this seed, for at most this long. `make test-all` runs every one.
SEED    ?= $(shell date +%Y%m%d)
BUDGET  ?= 6m
# The packages that have tests on containers.
CONTAINERS = ./topology/docker/... ./fault/... ./observe ./clean ./gameday ./cmd/hachaos ./zoo ./trust ./scenarios
# One that no rotation draws from: `make test-all` alone runs it.
LONG = ./calibrate
# What `make catalogue` runs, and for how long at most (0: until it is done).
NAMES           ?=
CAMPAIGN_BUDGET ?= 0
# Its result files: in the repository, so that a campaign may take many days
# and machines. What they depend on is in their names.
RESULTS         ?= docs/campaign
# The same of `make runbooks`.
RUNBOOKS        ?= docs/runbooks
# And of `make checks`.
CHECKS          ?= docs/checks
# What shows that the verdicts are right: the results' folder, how long each
# part of `make trust` may take (0: until it is done), and how many verdicts its
# soak is for. `make soak` adds to them for SOAK_BUDGET.
TRUST         ?= docs/trust
TRUST_BUDGET  ?= 0
SOAK_VERDICTS ?= 200
SOAK_BUDGET   ?= 14m
# The first line of a result file that another program writes.
MADE_BY = echo "hachaos $(VERSION); $$(nproc) processors, kernel $$(uname -r); last on $$(date -u '+%Y-%m-%d %H:%M UTC')"
# How two of them are written; the oracles judge ROUNDS times as many histories
# as in `make unit`.
ROUNDS         ?= 10
ORACLES_RESULT = mkdir -p $(TRUST) && { $(MADE_BY); HACHAOS_ROUNDS=$(ROUNDS) $(GO) test -count=1 -timeout 2h ./assert; } >$(TRUST)/oracles.txt.part; code=$$?; \
	mv $(TRUST)/oracles.txt.part $(TRUST)/oracles.txt; cat $(TRUST)/oracles.txt; exit $$code
MUTATE         = $(GO) build -o bin/mutate ./tools/mutate && bin/mutate
# 85 % is what is asked of the packages that judge. Of a sample, MUTATION is what was run.
MUTATION_RESULT = mkdir -p $(TRUST) && { $(MADE_BY); $(MUTATE) --report --least 85 $(MUTATION); } >$(TRUST)/mutation.txt.part; code=$$?; \
	grep -q '^| package' $(TRUST)/mutation.txt.part && mv $(TRUST)/mutation.txt.part $(TRUST)/mutation.txt; exit $$code
# The campaign's pages, of the results that there are, whatever these say: an item
# that is bad, open or dirty (1, 3, 5) is on the page. 2 and 4 are no page.
CAMPAIGN_PAGES = $(BIN) campaign status --dir $(RESULTS) --markdown >docs/campaign.md.part; \
	case $$? in 0|1|3|5) mv docs/campaign.md.part docs/campaign.md ;; *) exit 4 ;; esac; \
	[ ! -e docs/profiles.md ] || { $(BIN) campaign profiles --dir $(RESULTS) >docs/profiles.md.part \
	&& mv docs/profiles.md.part docs/profiles.md; } || exit 4

# A load that is measured shares the machine with nothing else of this file.
.NOTPARALLEL:

.PHONY: help build deps demo test unit browser pictures drill containers test-all catalogue profiles runbooks checks campaign-pages audit-pages catalogue-page trust soak trust-page oracles mutation mutation-result lint fmt bench images example clean
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

unit: ## all unit tests, with the race detector (which needs gcc: installed like the engine), the report's page in a browser among them
	@tools/deps.sh cc
	@tools/deps.sh page
	CGO_ENABLED=1 $(TESTSUM) -- -race -timeout 10m ./...
	HACHAOS_PLANTED=1000000 $(TESTSUM) -- -count=1 -run Planted ./assert

browser: ## open the report's page in a browser, and test its scripts (installs chromium and nodejs on Debian)
	@tools/deps.sh browser
	HACHAOS_BROWSER=1 $(GO) test -count=1 -run 'Browser|Scripts' ./report

pictures: build ## draw the documents' pictures anew: of the recorded example's report, and with RUNS=runs of that folder's list
	@tools/deps.sh browser
	@tools/pictures.sh "$(CURDIR)/$(BIN)"
	@[ -z "$(RUNS)" ] || tools/pictures.sh "$(CURDIR)/$(BIN)" runs "$(RUNS)"

drill: deps build ## a drill with a script that plays the operator; its review is docs/review.md and docs/review.png
	@$(BIN) images build
	@tools/deps.sh browser
	@dir=$$($(GO) run ./tools/drill "$(CURDIR)/$(BIN)" runs) && cp "$$dir/review.md" docs/review.md && tools/pictures.sh "$(CURDIR)/$(BIN)" review "$$dir"

containers: deps build ## this build's share of the container tests, one at a time
	@tools/deps.sh registry
	@$(BIN) images build
	PATH="$(CURDIR)/.cache/registry/usr/bin:$$PATH" HACHAOS_ROTATION=$(SEED) HACHAOS_BUDGET=$(BUDGET) CGO_ENABLED=0 \
		$(TESTSUM) -- -tags docker -count=1 -p 1 -timeout 25m $(CONTAINERS)

test-all: deps unit ## every test, every container test
	@tools/deps.sh registry
	@$(MAKE) build && $(BIN) images build
	PATH="$(CURDIR)/.cache/registry/usr/bin:$$PATH" CGO_ENABLED=0 $(TESTSUM) -- -tags docker -count=1 -p 1 -timeout 6h $(CONTAINERS) $(LONG)

catalogue: deps build ## every scenario three times and each of its cases, resumably (CAMPAIGN_BUDGET=20m stops between items)
	@$(BIN) images build
	@$(BIN) campaign run --dir $(RESULTS) --budget $(CAMPAIGN_BUDGET) $(NAMES); code=$$?; $(CAMPAIGN_PAGES); exit $$code

profiles: deps build ## docs/profiles.md, from the campaign's results on both profiles
	@$(BIN) images build
	@$(BIN) campaign run --dir $(RESULTS) --profile documented --budget $(CAMPAIGN_BUDGET) $(NAMES); code=$$?; \
		case $$code in 2|4) ;; *) touch docs/profiles.md ;; esac; $(CAMPAIGN_PAGES); exit $$code

runbooks: deps build ## every runbook during its incident, three times with its controls, and its mutants, resumably
	@$(BIN) images build
	@$(BIN) runbook lint runbooks/*.md
	@$(BIN) runbook campaign --dir $(RUNBOOKS) --budget $(CAMPAIGN_BUDGET) --page docs/runbooks-proven.md runbooks/*.md

checks: deps build ## seed 001's health checks during the runbooks' incidents, resumably, and docs/health-check.md
	@$(BIN) images build
	@$(BIN) runbook lint runbooks/checks/*.md
	@$(BIN) runbook check --dir $(CHECKS) --budget $(CAMPAIGN_BUDGET) --page docs/health-check.md --checks "$$(echo runbooks/checks/*.md | tr ' ' ,)" runbooks/*.md; \
		case $$? in 0|1) ;; *) exit 4 ;; esac # 1: there is something that they do not see, which is what the page is for

campaign-pages: build ## docs/campaign.md, and docs/profiles.md if it is there, from the results that there are
	@$(CAMPAIGN_PAGES)

audit-pages: build ## docs/audit-tuned.md and docs/audit-documented.md, from the campaign's results that there are
	@for profile in tuned/default documented/documented; do \
		ls $(RESULTS)/items/*/*.$${profile#*/}.*.json >/dev/null 2>&1 || continue; \
		$(BIN) audit --from $(RESULTS) --profile $${profile%/*} --out docs/audit-$${profile%/*} >/dev/null; \
		case $$? in 0|1|3) ;; *) exit 4 ;; esac; done

catalogue-page: ## docs/catalogue.md, of package catalogue
	@$(GO) run ./tools/catalogue >docs/catalogue.md.part && mv docs/catalogue.md.part docs/catalogue.md

trust: deps build ## all that shows that the verdicts are right, resumably (TRUST_BUDGET=20m: each part for so long), and docs/trust.md
	@$(BIN) images build
	@CGO_ENABLED=0 $(GO) build -trimpath -tags docker -ldflags '$(LDFLAGS)' -o $(BIN)-docker ./cmd/hachaos
	@code=0; worst() { for c in 5 4 1 3; do if [ $$1 -eq $$c ] || [ $$code -eq $$c ]; then code=$$c; return; fi; done; code=$$1; }; \
		$(BIN) trust harness --dir $(TRUST) >/dev/null || worst $$?; \
		$(BIN)-docker trust harness --containers --dir $(TRUST) >/dev/null || worst $$?; \
		$(BIN) mutants campaign --dir $(TRUST)/zoo --budget $(TRUST_BUDGET) || worst $$?; \
		$(BIN) trust calibrate --dir $(TRUST) --budget $(TRUST_BUDGET) || worst $$?; \
		$(BIN) trust soak --dir $(TRUST) --budget $(TRUST_BUDGET) --verdicts $(SOAK_VERDICTS) || worst $$?; \
		( $(ORACLES_RESULT) ) || worst $$?; \
		$(MUTATE) --budget $(TRUST_BUDGET) $(MUTATION) >/dev/null || worst $$?; \
		( $(MUTATION_RESULT) ) || worst $$?; \
		$(BIN) trust page --dir $(TRUST) || worst $$?; exit $$code

soak: deps build ## healthy systems and harmless faults, over and over (SOAK_BUDGET=14m): false alarms are counted in docs/trust
	@$(BIN) images build
	@$(BIN) trust soak --dir $(TRUST) --budget $(SOAK_BUDGET); code=$$?; $(BIN) trust page --dir $(TRUST) && exit $$code

trust-page: build ## docs/trust.md, from the results that there are
	@$(BIN) trust page --dir $(TRUST)

oracles: ## the checkers against slow, obviously right ones; the result is for docs/trust.md
	@$(ORACLES_RESULT)

mutation-result: # what `make mutation` has found so far, for docs/trust.md
	@$(MUTATION_RESULT)

mutation: ## mutants that the unit tests do not notice, resumably (MUTATION="--package assert --sample 300 --budget 5m")
	@$(MUTATE) $(MUTATION)

lint: ## formatting, vet, staticcheck, and pages against the results that they are of
	@out=$$($(TOOL) gofumpt -l . ); if [ -n "$$out" ]; then echo "gofumpt: run 'make fmt':"; echo "$$out"; exit 1; fi
	$(GO) vet ./... && $(GO) vet -tags docker ./...
	$(TOOL) staticcheck ./... && $(TOOL) staticcheck -tags docker ./...
	$(GO) mod verify >/dev/null
	$(GO) test -run TestTheCampaignsPagesAreOfItsFiles ./cmd/hachaos

fmt: ## format
	$(TOOL) gofumpt -w .

bench: deps build ## measured ratios, as `name: value` lines
	@$(BIN) images build
	@{ $(GO) test -run '^$$' -bench 'AgainstVegeta' -benchtime 5x ./load; \
	   HACHAOS_BENCH_LARGE=1 $(GO) test -timeout 1h -run '^$$' -bench 'Check|Planted' -benchtime 1x ./assert; \
	   $(GO) test -run '^$$' -bench 'Load' -benchtime 1x ./history/historytest; \
	   $(GO) test -run '^$$' -bench 'HTML' -benchtime 1x ./report; \
	   CGO_ENABLED=0 $(GO) test -tags docker -run '^$$' -bench 'Ready' -benchtime 3x ./topology/docker; } \
	 | awk '/^(FAIL|---|panic)/ { bad = 1; print > "/dev/stderr" } \
	   /^Benchmark/ { sub(/^Benchmark/, "", $$1); sub(/-[0-9]+$$/, "", $$1); for (i = 3; i < NF; i += 2) print $$1 "/" $$(i+1) ": " $$i } \
	   END { exit bad }'

example: ## what `hachaos example` writes, anew, from the folder of a run that failed (RUN=runs/…; wants bzip2)
	@$(GO) run ./tools/example "$(RUN)"

clean: ## remove what was built here
	rm -rf bin
