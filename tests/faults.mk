# Storage that fails, power that fails, changed envelopes, and a process that goes on for long. In
# short with all tests; here with every operation, many more orders, every byte, and a million opens.

.PHONY: test-faults-long test-tamper-long soak

test-faults-long:
	BULLA_TEST_ALL=1 $(CARGO) test -p bulla-command --test faults --test power_cut -- --nocapture

# In the core that is so in short, too; here in a view and through C.
test-tamper-long:
	BULLA_TEST_ALL=1 $(CARGO) test -p bulla-command --test view_mount -- show_nothing_else --nocapture
	BULLA_TEST_ALL=1 ONLY=tamper sh $(C)/tests/run.sh

SOAK_OPENS ?= 20000
soak:
	$(CARGO) run --release --example soak -- $(SOAK_OPENS)
