# Storage that fails, power that fails, and a process that goes on for long. In short with all
# tests; here with every operation, many more orders, and a million opens.

.PHONY: test-faults-long soak

test-faults-long:
	BULLA_TEST_ALL=1 $(CARGO) test -p bulla-command --test faults --test power_cut -- --nocapture

SOAK_OPENS ?= 20000
soak:
	$(CARGO) run --release --example soak -- $(SOAK_OPENS)
