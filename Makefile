# `make demo` and `make test` need Python 3.11+ and make, nothing else: both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A local folder of wheels, where pip is configured to look in one; uv does not read pip's settings.
# Without one, uv picks the build of torch that fits the hardware.
LINKS := $(or $(PIP_FIND_LINKS),$(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null))
UV_ENV := $(if $(LINKS),UV_FIND_LINKS="$(LINKS)",UV_TORCH_BACKEND=auto)
COMMA := ,
# uv takes seconds where pip takes a minute; pip serves where uv cannot be had.
install = { test -x $(BIN)/uv && $(UV_ENV) $(BIN)/uv pip install -q -p $(BIN)/python -c constraints.txt -e '$(1)'; } \
  || $(BIN)/python -m pip install -q --no-compile -c constraints.txt -e '$(1)'
# One release of torch in whichever build fits; it brings its own CUDA packages, so those are not pinned.
TORCH := 2.13.0

.DEFAULT_GOAL := help
.PHONY: help demo test docs bench bench-full lint format lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "hsi_suite needs Python 3.11 or newer; $$($(PYTHON) --version) was found. Run: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian or Ubuntu: apt install python3-venv"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv 2>/dev/null || true
	@$(call install,.[test])
	@touch $@

demo: $(STAMP)  ## set up, train on the embedded scene, print the paths of the map and the report
	@$(BIN)/hsi train --dataset synthetic --output runs
	@echo "Next: open the report above in a browser, then see '$(BIN)/hsi train --help' for scenes of your own."

test: $(STAMP)  ## set up and run the whole test suite
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

docs: $(STAMP)  ## build these pages; any warning, and any link that leads nowhere, fails
	@$(BIN)/python -m sphinx -W --keep-going -q -E -j auto -c docs -b html . docs/_build/html
	@echo "Open docs/_build/html/index.html in a browser."

bench: $(STAMP)  ## time ours against the usual way, side by side; prints ratios
	$(BIN)/python -m benchmarks

bench-full: $(STAMP)  ## the same with more rounds, and what costs grow with
	$(BIN)/python -m benchmarks --full

$(VENV)/.dev: $(STAMP)
	@$(call install,.[test$(COMMA)dev])
	@touch $@

lint: $(VENV)/.dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p hsi_suite

format: $(VENV)/.dev  ## let ruff put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP)  ## pin every dependency anew in constraints.txt
	$(BIN)/python -m pip install -q uv
	echo "torch==$(TORCH)" | $(UV_ENV) $(BIN)/uv pip compile -q --universal --python-version 3.11 \
	  --all-extras --no-annotate --no-header --upgrade setup.cfg - > constraints.new
	grep -vE '^(nvidia-|cuda-|triton)' constraints.new | sed 's/^torch==.*/torch==$(TORCH)/' | uniq > constraints.txt && rm constraints.new

clean:  ## remove the virtual environment and caches; runs are kept
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache build docs/_build *.egg-info
