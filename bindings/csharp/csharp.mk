# Bulla.dll: testing, packing, measuring. Included from the top Makefile. Each installs what it needs,
# or names it.

CS := bindings/csharp

.PHONY: test-csharp test-csharp-windows csharp-package test-csharp-package csharp-picture \
	bench-csharp

# On Mono and .NET Core; the snippets of the documentation; the example in a virtual display.
test-csharp:
	$(CARGO) build --quiet --bin bulla
	$(CARGO) build --quiet --package bulla-capi
	sh $(C)/need.sh c++=g++ python3=python3
	python3 bindings/interop/codes.py $(TARGET)/debug/libbulla.so
	sh $(CS)/tests/undocumented.sh
	BULLA=$(BULLA_DEBUG) LIBRARY=$(TARGET)/debug/libbulla.so sh $(CS)/tests/run.sh mono
	BULLA=$(BULLA_DEBUG) LIBRARY=$(TARGET)/debug/libbulla.so sh $(CS)/tests/run.sh core
	sh $(CS)/tests/snippets.sh $(BULLA_DEBUG) $(TARGET)/debug/libbulla.so
	sh $(CS)/examples/CustomerCard/run.sh $(BULLA_DEBUG) $(TARGET)/debug/libbulla.so \
		$(TARGET)/csharp/customer-card.png

# On .NET Core for Windows, under Wine, with the DLL.
test-csharp-windows:
	$(CARGO) build --quiet --bin bulla
	PROFILE=dev sh bindings/c/windows/build.sh $(TARGET)/windows
	BRIEF=12 BULLA=$(BULLA_DEBUG) LIBRARY=$(TARGET)/windows/dist/libbulla.dll sh $(CS)/tests/run.sh wine

CS_PACKAGE = rm -rf $(TARGET)/csharp/package && sh $(CS)/package/build.sh $(TARGET)/csharp/package \
	$(TARGET)/$(1)/libbulla.so $(TARGET)/windows/dist/libbulla.dll && \
	sh $(CS)/package/test.sh $(TARGET)/csharp/package/Bulla.*.nupkg $(BULLA_DEBUG)

# The package for NuGet, in $(TARGET)/csharp/package, and programs that have nothing but it.
csharp-package: c windows
	$(CARGO) build --quiet --bin bulla
	$(call CS_PACKAGE,release)

# The same with libraries that build faster.
test-csharp-package:
	$(CARGO) build --quiet --bin bulla
	$(CARGO) build --quiet --package bulla-capi
	PROFILE=dev sh bindings/c/windows/build.sh $(TARGET)/windows
	$(call CS_PACKAGE,debug)

# The picture in the documentation.
csharp-picture: c
	$(CARGO) build --quiet --bin bulla
	sh $(CS)/examples/CustomerCard/run.sh $(BULLA_DEBUG) $(TARGET)/release/libbulla.so docs/customer-card.png

# SealedStream against the C API: 1 GiB in blocks of 1 MiB.
bench-csharp: c
	$(CARGO) build --quiet --bin bulla
	sh $(CS)/bench/run.sh $(BULLA_DEBUG) $(TARGET)/release/libbulla.so
