# Each target does its own set-up, on a fresh Debian with rustup and python3. `make help` lists them.

SHELL := /bin/bash
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

.PHONY: help demo test test-anew lint test-rust citus test-py chaos bench fuzz wheel odoo-test odoo-demo odoo-bench odoo-pictures odoo-i18n page-pictures dist image wheels deny audit setup clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## four months of a provider's life, in about a minute once it is built, with a proof at the end
	cargo build --locked --profile demo --features cli --bin isp
	@cargo run --quiet --locked --profile demo --features cli --bin isp -- demo $(ARGS)

# Where nothing was built by anything else, clippy and rustdoc look at each crate while the tests are built: dependencies are built once.
# What is built for one time only is built without what a next time would go on from.
anew := target/debug/looked
test: setup ## everything that has to be green
	@if [ -e $(anew) ] || [ ! -e target/debug ]; then \
		mkdir -p target/debug && touch $(anew) && exec $(MAKE) --no-print-directory test-anew; \
	else \
		exec $(MAKE) --no-print-directory lint test-rust test-py; \
	fi

test-anew: export CARGO_INCREMENTAL ?= 0
test-anew: setup
	cargo fmt --all --check
	scripts/odoo_lint
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/scripts/rustc_looked ISP_PG_MEMORY=1 scripts/with_pg scripts/test_rust
	scripts/test_py

# Documentation is made of the examples, too: with them, what it needs has the features that clippy looked at, and is there.
lint: setup ## format, lints and documentation, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --no-deps --locked --exclude isp-py --lib --examples
	scripts/odoo_lint

test-rust: setup ## Rust tests and documentation examples, with a private PostgreSQL
	ISP_PG_MEMORY=1 scripts/with_pg scripts/test_rust

citus: setup ## the store, the cases and many workers on a private cluster: make citus CITUS_SRC=/path/to/citus-13.0
	@CITUS_SRC='$(CITUS_SRC)' scripts/with_citus scripts/test_citus

test-py: setup ## the wheel's Python tests, types and stubs
	scripts/test_py

chaos: setup ## a provider under everything that a machine can do: make chaos ROUNDS=100 SEED=1,2,3; writes docs/chaos.md
	CHAOS_ROUNDS=$(or $(ROUNDS),100) CHAOS_SEEDS=$(or $(SEED),1) CHAOS_PAGE=$(CURDIR)/docs/chaos.md \
		cargo test --quiet --locked --test it chaos:: -- --nocapture

fuzz: setup ## fuzzes each parser of what comes from outside: make fuzz TIME=600 TARGET='snap qris'
	TIME=$(or $(TIME),600) JOBS=$(or $(JOBS),1) scripts/fuzz $(TARGET)

bench: setup ## the benchmarks, with a private PostgreSQL
	scripts/with_pg cargo bench --workspace --locked $(ARGS)

wheel: setup ## the Python wheel isp-engine, into dist/
	scripts/venv isp-py/requirements-test.txt
	cd isp-py && ../.build/venv/bin/maturin build --release --locked --out ../dist
	@ls dist/*.whl

page-pictures: setup ## opens the pages of customers in headless Chromium and takes their pictures, into docs/pictures
	scripts/page_pictures $(ARGS)

dist: setup ## what a release ships: crates, Debian package, guide, wheels for four kinds of Linux
	scripts/dist $(ARGS)

wheels: setup ## the wheel for four kinds of Linux and its source archive, into dist/
	scripts/wheels $(ARGS)

image: setup ## an OCI image of the program, into dist/, made from no other image
	scripts/image $(ARGS)

odoo-test: setup ## the Odoo addon's tests: make odoo-test ODOO_SRC=/path/to/odoo-17.0
	@ODOO_SRC='$(ODOO_SRC)' scripts/odoo_test $(ARGS)

odoo-demo: setup ## a running Odoo with a demo ISP: make odoo-demo ODOO_SRC=/path/to/odoo-17.0
	@exec env ODOO_SRC='$(ODOO_SRC)' ISP_DEMO_MAKE=$$PPID scripts/odoo_demo $(ARGS)

odoo-bench: setup ## billing in Odoo beside OCA's modules, make odoo-bench ODOO_SRC=/path/to/odoo-17.0
	@ODOO_SRC='$(ODOO_SRC)' scripts/odoo_bench $(ARGS)

odoo-pictures: setup ## pictures of the addon's screens: make odoo-pictures ODOO_SRC=/path/to/odoo-17.0 ISP_ODOO_PICTURES=DIR
	@ODOO_SRC='$(ODOO_SRC)' ISP_ODOO_PICTURES='$(or $(ISP_ODOO_PICTURES),.build/odoo/pictures)' scripts/odoo_demo pictures

odoo-i18n: setup ## the addon's strings again, and the names of those without a translation
	@ODOO_SRC='$(ODOO_SRC)' scripts/odoo_i18n

deny: setup ## licences, sources and duplicates of all dependencies
	scripts/deny

audit: setup ## known vulnerabilities of all dependencies (needs the network)
	scripts/deny advisories

setup:
	@scripts/setup

clean: ## removes what was built
	rm -rf .build dist
	cargo clean
