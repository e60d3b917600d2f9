# libbulla: building, installing, testing. Included from the top Makefile.

C := bindings/c
TARGET ?= $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
BULLA_DEBUG := $(TARGET)/debug/bulla

.PHONY: c install test-c test-c-install test-c-headers test-c-sanitize test-c-threads \
	windows test-windows test-windows-large test-windows-core bench-windows bench-c

c:
	sh $(C)/package/build.sh $(TARGET)

# Settings: DESTDIR, PREFIX, LIBDIR, INCLUDEDIR, STRIP.
install: export DESTDIR := $(DESTDIR)
install: export PREFIX := $(or $(PREFIX),/usr/local)
install: c
	sh $(C)/package/install.sh $(TARGET)/release

# Programs in C and C++ against libbulla.
test-c:
	sh $(C)/tests/run.sh

# The headers by gcc, clang and a compiler for Windows.
test-c-headers:
	sh $(C)/need.sh g++=g++ clang=clang x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-win32 \
		x86_64-w64-mingw32-g++=g++-mingw-w64-x86-64-posix
	ALL=1 sh $(C)/tests/c/headers.sh include

test-c-install: c
	sh $(C)/need.sh pkg-config=pkg-config cmake=cmake readelf=binutils
	$(CARGO) build --quiet --package bulla-command
	sh $(C)/package/test.sh $(TARGET)/release $(BULLA_DEBUG)

# The same programs under ASan, UBSan and LeakSanitizer, and under valgrind.
test-c-sanitize: c
	$(CARGO) build --quiet --package bulla-command
	BULLA=$(BULLA_DEBUG) sh $(C)/tests/sanitize.sh $(TARGET)

# The many-threads test under ThreadSanitizer.
test-c-threads:
	$(CARGO) build --quiet --package bulla-command
	BULLA=$(BULLA_DEBUG) sh $(C)/tests/threads.sh $(TARGET)

# libbulla.dll, its import library, .def and headers, in $(TARGET)/windows/dist.
windows:
	sh $(C)/windows/build.sh $(TARGET)/windows

test-windows:
	$(CARGO) build --quiet --package bulla-command --package bulla-capi
	PROFILE=dev sh $(C)/windows/build.sh $(TARGET)/windows
	BULLA=$(BULLA_DEBUG) sh $(C)/windows/test.sh $(TARGET)/windows/dist $(TARGET)/debug

# 4 GiB, four chunks and a bit, there and back.
test-windows-large: export ONLY := exchange
test-windows-large: export EXCHANGE := 4295037297
test-windows-large:
	$(CARGO) build --quiet --package bulla-command --package bulla-capi
	PROFILE=dev sh $(C)/windows/build.sh $(TARGET)/windows
	BULLA=$(BULLA_DEBUG) sh $(C)/windows/test.sh $(TARGET)/windows/dist $(TARGET)/debug

# The core's own tests on Windows.
test-windows-core:
	PROFILE=dev sh $(C)/windows/build.sh $(TARGET)/windows core-tests

# The command there against a copy of the same file.
bench-windows:
	sh $(C)/windows/bench.sh $(TARGET)/windows

# What a call through C costs over the same through Rust.
bench-c: c
	$(CARGO) build --quiet --package bulla-command
	sh $(C)/bench/run.sh $(TARGET) $(BULLA_DEBUG)
