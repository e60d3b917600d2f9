# `make test` runs the tests; `make assurance` what takes long. Both name what they install.

CARGO ?= cargo
# The Python side of the tests lives in its own environment.
VENV := target/venv
PYTHON := $(VENV)/bin/python

.PHONY: all counts test test-rust test-pure test-msrv test-independent lint doc deny fuzz bench constant-time clean

all:
	$(CARGO) build --release

include bindings/c/c.mk
include bindings/csharp/csharp.mk
include bindings/python/python.mk
include bindings/java/java.mk
include bindings/interop/interop.mk
include bindings/view/view.mk
include tests/faults.mk
include .ci/release/release.mk
include tests/tests.mk
include tests/assurance.mk

# --- Tests ------------------------------------------------------------------------------------

test: test-rust test-pure test-msrv test-independent test-c test-python test-java

# Needs Debian's libfaketime, with which tests set the command's clock.
test-rust:
	$(CARGO) test --workspace

# The other AEAD backend, without a C compiler and without the command.
test-pure:
	$(CARGO) test --lib --no-default-features --features pure-rust

# The stated minimum is the toolchain in use, or one that rustup has.
test-msrv:
	sh tests/msrv.sh

# An independent reader over all vectors, and against the command on fresh envelopes; an evaluator of
# policies; tokens against PyJWT.
test-independent: $(PYTHON)
	$(CARGO) build --release
	$(PYTHON) tests/independent/selftest.py
	$(PYTHON) tests/independent/reader.py vectors tests/vectors/envelopes/*.json
	$(PYTHON) tests/independent/example.py check docs/format.md tests/vectors/envelopes/example.json
	$(CARGO) build --workspace --example policy_eval --example token_eval
	$(PYTHON) tests/independent/policy_compare.py target/debug/examples/policy_eval 10000
	$(PYTHON) tests/independent/token_compare.py target/debug/examples/token_eval 3000
	$(PYTHON) tests/independent/compare.py target/release/bulla --count 200 --seed 7

$(PYTHON): tests/independent/requirements.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/independent/requirements.txt
	touch $(PYTHON)

# --- Checks -----------------------------------------------------------------------------------

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --no-default-features --features pure-rust -- -D warnings
	python3 tests/security_tests.py

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

# Advisories need a database, which `cargo deny fetch` gets; where there is one, it counts.
ADVISORIES := $(wildcard $(or $(CARGO_HOME),$(HOME)/.cargo)/advisory-dbs/*/.git)
deny:
	$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --debug --locked cargo-deny
	$(CARGO) deny check bans licenses sources
	$(if $(ADVISORIES),$(CARGO) deny --offline check advisories)

# --- What takes long --------------------------------------------------------------------------

bench:
	$(CARGO) bench --bench micro
	$(CARGO) bench --bench aead
	$(CARGO) bench --bench policy_evaluate
	$(CARGO) bench --bench open
	$(CARGO) bench --bench trail
	$(CARGO) build --release
	python3 benches/whole.py target/release/bulla

# Seconds a target; ends with a table of executions, coverage and findings. FUZZ_TARGETS=tokens for some.
FUZZ_SECONDS ?= 20
fuzz:
	sh fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# Instructions of the hot paths, against the committed counts.
counts:
	sh bindings/c/need.sh valgrind=valgrind
	python3 benches/counts.py

# Whether the time to compare a secret depends on it; nothing else may run meanwhile.
constant-time:
	$(CARGO) bench --bench constant_time

clean:
	$(CARGO) clean
