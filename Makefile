# hookd: everything a person or CI runs. `make help` lists the targets.

# Build, test and lint with the same flags. The tags keep html/template and
# msgpack out of the binary (half its size); see docs/architecture.md.
TAGS     := grpcnotrace,nomsgpack
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X github.com/hookd/hookd/cmd.version=$(VERSION)
GO       ?= go
BIN      := bin/hookd
FUZZTIME ?= 20s
EVENTS   ?= 20000
ROUNDS   ?= 100
CUTS     ?= 5

.DEFAULT_GOAL := help
.PHONY: help build run test race sdks lint fuzz bench crash powercut backlog brokers rows throughput services-up services-down generate verify clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/hookd
	@mkdir -p bin
	$(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o $(BIN) .

run: ## start hookd on examples/quickstart and print the line to paste
	@test -e $(BIN) || echo "building hookd: the first time takes some minutes"
	@$(MAKE) --no-print-directory build
	@cd examples/quickstart && exec ../../$(BIN) serve --dev --config hookd.yaml

test: ## run all tests
	$(GO) test -trimpath -timeout 40m -tags $(TAGS) ./...

race: ## run all tests under the race detector
	$(GO) test -trimpath -race -timeout 40m -tags $(TAGS) $(TESTFLAGS) ./...

sdks: ## check what test-send signs with the senders' own libraries
	cd testdata/sdks && $(GO) vet ./... && $(GO) test -count 1 ./...

lint: ## vet and golangci-lint
	$(GO) vet -tags $(TAGS) ./...
	golangci-lint run

fuzz: ## run every fuzz target for FUZZTIME each
	@set -e; for p in $$($(GO) list -tags $(TAGS) ./...); do \
	  for f in $$($(GO) test -tags $(TAGS) -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "== $$p $$f"; $(GO) test -tags $(TAGS) -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$p; \
	  done; done

bench: ## measure durable accept against bare net/http, and the hot paths
	$(GO) test -trimpath -tags $(TAGS) -run '^$$' -bench 'Accept' -benchtime 1x -timeout 20m ./server/edge
	$(GO) test -trimpath -tags $(TAGS) -run '^$$' -bench . -benchmem ./internal/queue/... ./internal/record ./auth/... ./server/ingest/... ./server/deliver

crash: ## kill -9 hookd ROUNDS times under load and account for every event
	HOOKD_CRASH_ROUNDS=$(ROUNDS) $(GO) test -tags $(TAGS) -count 1 -timeout 60m -run '^TestCrash$$' -v ./server

powercut: ## cut the power under load (needs root and loop devices), with its negative control
	HOOKD_POWERCUT=$(CUTS) $(GO) test -tags $(TAGS) -count 1 -timeout 30m -run '^TestPowerCut$$' -v ./server

backlog: ## a million deliveries to a dead destination: memory, accept rate, restart
	HOOKD_BACKLOG=1000000 $(GO) test -tags $(TAGS) -count 1 -timeout 60m -run '^TestBacklog$$' -v ./server

brokers: ## take each broker away ROUNDS times under load and account for every event
	HOOKD_BROKER_ROUNDS=$(ROUNDS) $(GO) test -tags $(TAGS) -count 1 -timeout 240m -run '^TestBrokerRestarts$$' -v ./server

rows: ## fill tables with 10000 events, 100 of them bad, while databases and hookd are killed 20 times each
	HOOKD_ROWS_EVENTS=10000 HOOKD_ROWS_KILLS=20 $(GO) test -tags $(TAGS) -count 1 -timeout 60m -run '^TestRows$$' -v ./server

throughput: ## EVENTS events through hookd to each broker: accepted and confirmed a second
	HOOKD_BROKER_EVENTS=$(EVENTS) $(GO) test -tags $(TAGS) -count 1 -timeout 60m -run '^TestBrokerThroughput$$' -v ./server

services-up: ## start the servers that the tests use and print entries for connections.json
	@HOOKD_TEST_INSTALL=$${HOOKD_TEST_INSTALL:-0} $(GO) run -tags $(TAGS) ./internal/testinfra/services up $(SERVICES)

services-down: ## stop them
	@$(GO) run -tags $(TAGS) ./internal/testinfra/services down

generate: ## write the generated pages and completions
	$(GO) run -tags $(TAGS) . generate

verify: generate ## fail when a generated file is not current
	@git diff --exit-code -- docs completions || { echo "generated files are not current: run make generate and commit"; exit 1; }
	@test -z "$$(git status --porcelain -- docs completions)" || { git status --short -- docs completions; exit 1; }

clean: ## remove what was built
	rm -rf bin dist
