# Bacalhau. `make` lists the targets.

# The Go release that builds examples/concordance/concordance.wasm: other
# releases generate other bytes.
EXAMPLES_GO := go1.26.8

# What `make gen` writes. Committed, so that running needs Go and a C compiler only.
GENERATED := protocol/vocab.gen.go internal/market/market.abi.json $(wildcard internal/market/*.bin)

# In order of what fails soonest. The contracts' step runs beside the others, for its compiler uses one processor and Go's
# tests wait much; those that run Go go one after the other, or they would compile the same packages twice.
TEST_STEPS := lint check-contracts examples-check test-go build-nocgo

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test $(TEST_STEPS) $(TEST_STEPS:%=step-%) check-gen test-contracts gen examples bench bench-wasm fuzz fuzz-contracts smt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run the demo: a chain, a client and five compute nodes, one of which cheats
	go run ./cmd/bacalhau demo

test: contracts/node_modules examples/toolchain/node_modules tools/peers/node_modules ## everything that CI checks, with the time of each step
	@$(MAKE) --no-print-directory -j 2 $(TEST_STEPS:%=step-%)

$(TEST_STEPS:%=step-%): step-%:
	@start=$$(date +%s); \
		echo "==> $*"; \
		$(MAKE) --no-print-directory $* || { echo "==> $* failed; run it alone with: make $*" >&2; exit 1; }; \
		echo "==> $*: $$(($$(date +%s) - start)) s"

step-examples-check: step-lint
step-test-go: step-examples-check
step-build-nocgo: step-test-go

lint: contracts/node_modules ## formatting, go vet, staticcheck, forge fmt
	@unformatted=$$(git ls-files -z '*.go' | xargs -0 gofmt -l); \
		test -z "$$unformatted" || { printf 'not formatted, run gofmt -w on:\n%s\n' "$$unformatted" >&2; exit 1; }
	go vet ./...
	go tool -modfile=tools/lint/go.mod staticcheck ./...
	cd contracts && tools/forge fmt --check

gen: contracts/node_modules ## compile the contracts and regenerate what comes from them
	cd contracts && tools/forge build
	go run ./tools/vocab

check-gen: gen ## fail if the generated files are not what the sources say
	@git ls-files --error-unmatch -- $(GENERATED) >/dev/null && git diff --stat --exit-code -- $(GENERATED) || { \
		echo "generated files are stale: run make gen and commit the result" >&2; exit 1; }

# The version is that of the nearest tag, with the commit behind it.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
RELEASE_FLAGS = -trimpath -ldflags '-s -w -X github.com/filecoin-project/bacalhau/internal/node.release=$(VERSION)'

.PHONY: release
release: ## build bin/release/bacalhau, static but for the C library, and bacalhau-static, wholly static on the slower engine
	@mkdir -p bin/release
	go build $(RELEASE_FLAGS) -o bin/release/bacalhau ./cmd/bacalhau
	CGO_ENABLED=0 go build $(RELEASE_FLAGS) -o bin/release/bacalhau-static ./cmd/bacalhau

.PHONY: gas coverage mutants
gas: contracts/node_modules ## measure every transaction of the contract and rewrite contracts/GAS.md
	cd contracts && GAS_WRITE=true tools/forge test --match-path test/Gas.t.sol && cat GAS.md

coverage: contracts/node_modules ## lines and branches of the contract that its tests reach
	cd contracts && tools/forge coverage --report summary --no-match-coverage '^test/' \
		--no-match-path 'test/{Gas.t,Limits.t,Trees.t,invariant/*}.sol'

mutants: contracts/node_modules ## break the contract in many places, one at a time: a test must notice each (some minutes)
	contracts/tools/mutants

.PHONY: explore explore-mutants
explore: ## compare the contract with its model in every state that the model can reach (many minutes)
	go test ./model -exhaustive -timeout 4h -v

explore-mutants: contracts/node_modules ## which mutants of the contract the comparison with the model notices (many minutes)
	contracts/tools/explore-mutants

# One after the other: both compile them.
check-contracts: ## the contracts' own tests, and whether what is generated from them is what they say
	@$(MAKE) --no-print-directory check-gen
	@$(MAKE) --no-print-directory test-contracts

test-contracts: contracts/node_modules ## the contracts' own tests
	cd contracts && tools/forge test

test-go: tools/peers/node_modules contracts/node_modules ## all Go tests, the longest first; they wait much, so one package more runs than there are processors
	go test -p $$(($$(nproc 2>/dev/null || sysctl -n hw.ncpu) + 1)) -timeout 30m ./internal/node ./cmd/bacalhau ./...

.PHONY: test-kubo
test-kubo: ## the data store beside a real Kubo daemon (built from its module the first time, which takes minutes)
	go test -tags kubo ./data -run '^TestKubo$$' -v

.PHONY: test-foreign
test-foreign: contracts/node_modules ## of the Go tests the life of jobs on a real geth and a real anvil, which fail in every way
	go test ./internal/node -run '^TestLife' -count=1 -v -timeout 30m

build-nocgo: ## the binary builds without a C compiler too
	CGO_ENABLED=0 go build -o /dev/null ./cmd/bacalhau

# build-examples DIRECTORY writes both modules below DIRECTORY.
define build-examples
	node examples/toolchain/cc.mjs examples/wordcount/wordcount.c $(1)/wordcount/wordcount.wasm
	GOTOOLCHAIN=$(EXAMPLES_GO) GOFLAGS= GOWASM= GOEXPERIMENT= CGO_ENABLED=0 GOOS=wasip1 GOARCH=wasm \
		go build -trimpath -buildvcs=false -ldflags='-s -w' -o $(1)/concordance/concordance.wasm ./examples/concordance
endef

examples: examples/toolchain/node_modules ## build the example programs
	$(call build-examples,examples)

examples-check: examples/toolchain/node_modules ## fail if the committed example programs are not what the sources build
	@mkdir -p bin/examples/wordcount bin/examples/concordance
	$(call build-examples,bin/examples)
	@for program in wordcount concordance; do \
		cmp bin/examples/$$program/$$program.wasm examples/$$program/$$program.wasm || { \
			echo "$$program.wasm is stale: run make examples and commit the result" >&2; exit 1; }; \
	done

.PHONY: soak
soak: ## a network lives through a week of blocks, fast-forwarded, and must leave nothing behind (a quarter of an hour; BLOCKS=4000 for less)
	go test ./internal/node -run '^$$' -bench '^BenchmarkWeek$$' -benchtime 1x -timeout 3h $(if $(BLOCKS),-blocks $(BLOCKS))

.PHONY: scale
NODES := 50
PIECES := 10000
scale: ## many nodes in processes of their own do many pieces, and tell what that takes: make scale NODES=10 PIECES=1000
	go test ./cmd/bacalhau -run '^$$' -bench '^BenchmarkScale$$' -benchtime 1x -timeout 4h -nodes $(NODES) -pieces $(PIECES)

bench: ## all Go benchmarks
	go test -run '^$$' -bench . -skip '^Benchmark(Week|Scale)$$' -benchmem ./...

bench-wasm: examples/toolchain/node_modules ## WebAssembly against plain engines and native code; with ABLATE=1, what each part of the rewriting costs
	go test ./wasm/bench -run '^$$' -bench '$(if $(ABLATE),Ablation,Programs|Reading)' -benchtime 3x -timeout 2h
	$(if $(ABLATE),,go test ./wasm/bench -run '^$$' -bench Start -benchtime 10x -timeout 2h)

QEMU_ARM64 = $(shell command -v qemu-aarch64 || command -v qemu-aarch64-static)
CC_ARM64 = aarch64-linux-gnu-gcc

.PHONY: test-arm64
test-arm64: ## the same digests, fuel and suite results on an emulated arm64
	@test -n "$(QEMU_ARM64)" || { \
		echo "qemu-aarch64 is missing: install qemu-user (on Debian: apt-get install qemu-user)" >&2; exit 1; }
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go test -exec '$(QEMU_ARM64)' -count=1 -run '^Test(Conformance|CProgram|GoProgram)$$' ./wasm
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go test -exec '$(QEMU_ARM64)' -count=1 -run '^TestSuite$$' ./wasm/rewrite
	@command -v $(CC_ARM64) >/dev/null || echo "wazero alone: wasmtime wants $(CC_ARM64) (on Debian: apt-get install gcc-aarch64-linux-gnu)"
	! command -v $(CC_ARM64) >/dev/null || GOOS=linux GOARCH=arm64 CGO_ENABLED=1 CC=$(CC_ARM64) \
		go test -exec '$(QEMU_ARM64) -L /usr/aarch64-linux-gnu' -count=1 -run '^Test(Conformance|CProgram|GoProgram)$$' ./wasm

.PHONY: fit-weights fit-programs
fit-weights: ## time every kind of instruction on both engines, beside its price in fuel
	go test ./wasm/rewrite -run '^$$' -bench '^BenchmarkWeights$$' -benchtime 1x

fit-programs: examples/toolchain/node_modules ## count what the benchmark's programs execute, and fit the prices of common instructions to it
	go test ./wasm/bench -run '^$$' -bench '^BenchmarkCounts$$' -benchtime 1x -timeout 2h

# Each target runs alone for this long. What it finds is kept below its package's testdata/fuzz and fails go test from
# then on.
FUZZ_TIME := 5m

fuzz: fuzz-contracts ## fuzz the contract's books, and both engines and the rewriter against each other: make fuzz FUZZ_TIME=1h
	go test ./wasm/rewrite -run '^$$' -fuzz '^FuzzInspect$$' -fuzzminimizetime 1x -fuzztime $(FUZZ_TIME)
	go test ./wasm/rewrite -run '^$$' -fuzz '^FuzzValidate$$' -fuzzminimizetime 1x -fuzztime $(FUZZ_TIME)
	go test ./wasm/wasi -run '^$$' -fuzz '^FuzzCalls$$' -fuzzminimizetime 1x -fuzztime $(FUZZ_TIME)
	go test ./wasm -run '^$$' -fuzz '^FuzzGenerated$$' -fuzzminimizetime 1x -fuzztime $(FUZZ_TIME)
	go test ./wasm -run '^$$' -fuzz '^FuzzModule$$' -fuzzminimizetime 1x -fuzztime $(FUZZ_TIME)

smt: contracts/node_modules ## prove what holds of every payment with solc's model checker (needs z3)
	contracts/tools/smt

fuzz-contracts: contracts/node_modules ## a million random steps of the contract, every wei accounted for
	cd contracts && FOUNDRY_PROFILE=fuzz tools/forge test --match-path test/invariant/Money.t.sol --match-test '^invariant'

.PHONY: kill
KILLS := 200
kill: ## kill nodes, requester and chain at random moments of jobs, and show what became of it: make kill KILLS=1000
	go test ./cmd/bacalhau -run '^TestKillAnything$$' -count=1 -timeout 4h -v -kills $(KILLS)

.PHONY: test-partition
test-partition: ## cut nodes off, and from each other, on slow links of network namespaces (Linux with iproute2): make test-partition KILLS=100
	go test -c -tags netns -o bin/partition.test ./cmd/bacalhau
	cd cmd/bacalhau && unshare --map-root-user --net ../../bin/partition.test -test.run '^TestPartition$$' -test.v -test.timeout 4h -kills $(KILLS)

clean: ## remove what was built and installed here
	rm -rf bin bacalhau contracts/out contracts/cache contracts/node_modules examples/toolchain/node_modules \
		tools/peers/node_modules

# npm installs exactly what the lock file beside the directory says.
%/node_modules: %/package-lock.json %/package.json
	cd $* && npm ci
	@touch $@
