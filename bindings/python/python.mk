# The Python package: testing and measuring. Included from the top Makefile.

PY := bindings/python
PY_TOOLS := $(VENV)/.bindings
PY_RUN = env BULLA=$(TARGET)/$(1)/bulla BULLA_LIBRARY=$(TARGET)/$(1)/libbulla.so PYTHONPATH=$(PY) \
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -W error

.PHONY: test-python bench-python

test-python: $(PY_TOOLS)
	sh $(C)/need.sh cc=gcc
	$(CARGO) build --quiet --bin bulla
	$(CARGO) build --quiet --package bulla-capi
	for way in check 'format --check'; do \
		$(VENV)/bin/ruff $$way -q --config $(PY)/pyproject.toml $(PY) bindings/interop || exit 1; done
	cd $(PY) && $(CURDIR)/$(VENV)/bin/mypy --cache-dir $(TARGET)/mypy
	$(call PY_RUN,debug) -m unittest discover -t $(PY) -s $(PY)/tests
	env BULLA_LIBRARY=$(TARGET)/debug/libbulla.so PYTHONPATH=$(CURDIR)/$(PY) PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON) bindings/interop/snippets.py $(TARGET)/debug/bulla python README.md docs/python.md \
		-- -- $(CURDIR)/$(PYTHON) -W error {}

# The file object's speed over that of the C API.
bench-python: $(PY_TOOLS)
	sh $(C)/need.sh cc=gcc
	$(CARGO) build --quiet --release --bin bulla
	$(CARGO) build --quiet --release --package bulla-capi
	$(call PY_RUN,release) $(PY)/bench/bench.py

$(PY_TOOLS): $(PYTHON) $(PY)/tests/requirements.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $(PY)/tests/requirements.txt
	touch $@
