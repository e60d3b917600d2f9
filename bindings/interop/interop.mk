# Each language seals, each other opens. Included from the top Makefile.

IN := bindings/interop
IN_RUN = env CARGO_TARGET_DIR=$(TARGET) sh $(IN)/run.sh $(TARGET)/$(1)/bulla $(TARGET)/$(1)/libbulla.so \
	$(TARGET)/windows/dist $(TARGET) $(CURDIR)/$(PYTHON)

.PHONY: test-interop test-interop-large

test-interop: java $(PYTHON)
	$(CARGO) build --quiet --bin bulla
	$(CARGO) build --quiet --package bulla-capi
	PROFILE=dev sh $(C)/windows/build.sh $(TARGET)/windows
	$(PYTHON) $(IN)/codes.py $(TARGET)/debug/libbulla.so
	$(call IN_RUN,debug)

# Above 4 GiB: takes minutes, and 13 GB of memory or disk.
test-interop-large: java $(PYTHON)
	$(CARGO) build --quiet --release --bin bulla
	$(CARGO) build --quiet --release --package bulla-capi
	PROFILE=dev sh $(C)/windows/build.sh $(TARGET)/windows
	$(call IN_RUN,release) --large
