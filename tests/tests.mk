# What tells how good the tests are. Included from the top Makefile.

.PHONY: coverage mutants test-minimal test-memory test-hangs differential

# Lines of the core and of the C ABI that tests run; fails below what is asked for.
coverage:
	sh tests/coverage.sh $(TARGET)/coverage/report

# No input takes a second, of the fuzz targets' seeds and of large sound ones; `make test` gives builds for
# tests more.
test-hangs:
	$(CARGO) test --release --package bulla-fuzz-bodies -- --nocapture

# Seconds of random cases against the independent readers, evaluator and token checks; `make test` has
# looked at the same few.
DIFFERENTIAL_SECONDS ?= 60
differential: $(PYTHON)
	sh tests/differential.sh $(DIFFERENTIAL_SECONDS) $(PYTHON) $(TARGET)/differential

# Mutants of what decides: hours. MODULES=policy for some.
MODULES ?= policy trail cobblestone header license template jws wrap payload kdf standing revocation
mutants:
	python3 tests/mutants.py $(TARGET)/mutants $(MODULES)

# The oldest versions of dependencies that Cargo.toml allows.
test-minimal:
	sh tests/minimal.sh $(TARGET)/minimal

# No secret is left in memory by builds as they are shipped, with either AEAD backend; `make test` has
# looked at builds for tests.
test-memory:
	$(CARGO) test --release --package bulla --test memory
	$(CARGO) test --release --package bulla-capi --test memory
	$(CARGO) test --release --package bulla --test memory --no-default-features --features pure-rust
