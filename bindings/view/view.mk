# Views for programs that are not changed. Included from the top Makefile. Linux.

.PHONY: test-view bench-view

# The programs that these tests run unmodified are named by them where they are missing.
test-view:
	$(CARGO) test --package bulla-view
	$(CARGO) test --package bulla-command --test view_mount --test view_stream --test view_renames --test view_run --test view_escape --test view_programs

bench-view:
	$(CARGO) build --release --package bulla-command
	$(CARGO) build --release --package bulla-view --example empty
	python3 benches/view.py $(TARGET)/release/bulla --empty $(TARGET)/release/examples/empty
	python3 benches/view.py $(TARGET)/release/bulla --update
