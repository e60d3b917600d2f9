# What takes long, part by part. Included from the top Makefile.

.PHONY: assurance

# Each part that passed leaves here what it printed, and is not done again while that is there: what was
# interrupted goes on, `make assurance -j4` does four at a time, and removing the folder starts anew.
ASSURED := $(TARGET)/assurance
FUZZED := $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
RESULTS := $(addprefix $(ASSURED)/,constant-time soak faults tamper hangs differential memory minimal coverage \
	reproducible compatible release $(FUZZED:%=fuzz-%) $(MODULES:%=mutants-%))

# Most of a day; what CI does is not done again. The dated report is committed.
assurance: $(RESULTS)
	python3 tests/assurance.py $(ASSURED) > docs/assurance.new
	mv docs/assurance.new docs/assurance.md

# What to make for a part.
$(ASSURED)/%: does = $*
$(ASSURED)/soak: does = soak SOAK_OPENS=1000000
$(ASSURED)/faults: does = test-faults-long
$(ASSURED)/tamper: does = test-tamper-long
$(ASSURED)/hangs: does = test-hangs
$(ASSURED)/differential: does = differential DIFFERENTIAL_SECONDS=1800
$(ASSURED)/memory: does = test-memory
$(ASSURED)/minimal: does = test-minimal
$(ASSURED)/release: does = rehearse
$(ASSURED)/fuzz-%: does = fuzz FUZZ_SECONDS=1800 FUZZ_TARGETS=$(*:fuzz-%=%)
$(ASSURED)/mutants-%: does = mutants MODULES=$(*:mutants-%=%) JOBS=1

$(RESULTS): $(ASSURED)/%:
	sh tests/part.sh $@ make $(does)

# Times can be told apart only while nothing else runs.
$(filter-out %/constant-time,$(RESULTS)): | $(ASSURED)/constant-time
