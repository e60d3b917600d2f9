# Releases, and what one may not break. Included from the top Makefile.

DIST ?= $(TARGET)/release-$(shell git rev-parse --short HEAD)
# What callers may rely on: the last tag, or before there is one the commit in .ci/release/base.
BASE ?= $(shell git describe --tags --abbrev=0 2>/dev/null || cat .ci/release/base)

.PHONY: dist test-dist test-release rehearse sbom reproducible abi compatible audited

# Archives, bills of material, sums and signature in $(DIST). BULLA_RELEASE_KEY=FILE signs them as
# .ci/release/sign.sh says; UNSIGNED=1 asks for none.
dist:
	TARGET=$(TARGET) sh .ci/release/dist.sh $(DIST)

# What such a folder holds works where there is nothing else: DIST=FOLDER.
test-dist:
	sh .ci/release/test_dist.sh $(DIST)

# A release of this commit, signed by a key of its own, tried, and thrown away.
REHEARSAL := $(TARGET)/rehearsal
rehearse:
	rm -rf $(REHEARSAL)
	mkdir -p $(REHEARSAL)
	ssh-keygen -q -t ed25519 -N '' -f $(REHEARSAL)/key
	BULLA_RELEASE_KEY=$(REHEARSAL)/key $(MAKE) dist DIST=$(REHEARSAL)/out
	BULLA_RELEASE_PUBLIC=$(REHEARSAL)/key.pub WINE=1 $(MAKE) test-dist DIST=$(REHEARSAL)/out
	rm -r $(REHEARSAL)

# The parts that take seconds.
test-release: abi
	sh $(C)/need.sh ssh-keygen=openssh-client
	sh .ci/release/test_signing.sh

sbom:
	mkdir -p $(TARGET)/sbom
	sh .ci/release/sbom.sh $(TARGET)/sbom

# Two builds in different folders, compared: a quarter of an hour or more.
reproducible:
	sh .ci/release/reproducible.sh

# include/bulla.abi is what the header promises; BULLA_UPDATE=1 writes it anew.
abi:
	sh $(C)/need.sh clang=clang /usr/lib/python3/dist-packages/clang=python3-clang
	mkdir -p $(TARGET)
	/usr/bin/python3 .ci/release/abi.py list include/bulla.h > $(TARGET)/bulla.abi
	@[ -z "$(BULLA_UPDATE)" ] || cp $(TARGET)/bulla.abi include/bulla.abi
	diff include/bulla.abi $(TARGET)/bulla.abi

# Neither the C ABI nor the crate's API has lost anything since $(BASE), or the version says so.
compatible: abi
	git show $(BASE):include/bulla.h > $(TARGET)/base.h
	/usr/bin/python3 .ci/release/abi.py list $(TARGET)/base.h > $(TARGET)/base.abi
	/usr/bin/python3 .ci/release/abi.py compare $(TARGET)/base.abi include/bulla.abi
	$(CARGO) semver-checks --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-semver-checks
	$(CARGO) semver-checks --package bulla --baseline-rev $(BASE)

# Every crate is on the list of .ci/supply-chain/, which says who has looked at it, or that nobody has.
audited:
	$(CARGO) vet --version >/dev/null 2>&1 || $(CARGO) install --debug --locked cargo-vet
	$(CARGO) fetch --quiet --locked
	$(CARGO) vet --locked --frozen
