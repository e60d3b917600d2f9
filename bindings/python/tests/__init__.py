"""Run by `make test-python`, which sets BULLA (the command) and BULLA_LIBRARY."""
