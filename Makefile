# make run    set up, build and start everything, and print the link to sign in
# make test   set up and run all tests, the browser's included
#
# make check  format, lints and dependencies          make build  the release binary, console inside
# make dist   the static console, precompressed       make serve  the console alone, rebuilt as it changes
# make bench  speed beside nginx                      make clean  forget what was built
# make bench-limits   what a decision of the limiter costs
# make bench-console  what a key press costs with 2,000 models
# make bench-usage    how fast usage is read with ten million calls behind it

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: run test check build dist serve bench bench-limits bench-console bench-usage clean setup test-setup

export PATH := $(shell scripts/setup.sh path):$(PATH)
# Cargo and trunk report their progress when they have a terminal; elsewhere one line a step is enough.
QUIET := $(if $(CI),--quiet)

CONSOLE := $(shell find src style static crates/contract/src -type f 2>/dev/null) \
	index.html Trunk.toml Cargo.toml Cargo.lock crates/contract/Cargo.toml $(wildcard scripts/*.mjs)

run: build
	@echo '• Starting (Ctrl C stops)' >&2
	exec target/release/keygate serve --sign-in-link

build: dist
	@echo '• Building the server' >&2
	cargo build --locked --release -p keygate

dist: setup dist/index.html

dist/index.html: $(CONSOLE)
	@echo '• Building the console' >&2
	trunk build --release --offline
	@touch $@

test: build test-setup
	@echo '• Testing contract, store, gateway, server and the logic of the console' >&2
	cargo test --locked --workspace
	@echo '• Testing in the browser' >&2
	cd tests/e2e && npx playwright test

check: setup
	@echo '• Checking format, lints and dependencies' >&2
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked -p keygate-console --target wasm32-unknown-unknown -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny --offline check bans licenses sources; \
	else echo '• cargo-deny is not installed: licences and sources are not checked' >&2; fi

serve: setup
	trunk serve

bench: build
	scripts/setup.sh bench
	bench/run

bench-limits:
	cargo build --locked --release -p keygate-gateway --example limit_bench
	target/release/examples/limit_bench

bench-console: build test-setup
	node bench/keystroke.mjs

bench-usage:
	cargo build --locked --release -p keygate-store --example usage_bench
	target/release/examples/usage_bench 10000000

clean:
	cargo clean
	rm -rf dist tests/e2e/report tests/e2e/test-results

setup:
	@scripts/setup.sh build

test-setup:
	@scripts/setup.sh test
