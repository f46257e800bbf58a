# `make run` and `make test` install what they need into .venv and may be repeated.
#
#   make run                              a few cycles of the main job
#   make run ARGS="--cycles 20 --json"    the same command with options
#   make test                             linters, types and tests
#   make test-extras                      what takes extras or minutes: ray, tensorboard, examples
#   make clean                            remove .venv and every cache

SHELL := /bin/sh
.DELETE_ON_ERROR:

TASK ?= nut_insertion
ARGS ?= --cycles 5
TESTS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

# PyPI's torch for Linux brings gigabytes of CUDA; this index has the CPU build. It is asked for
# torch alone, and briefly, so that a machine that cannot reach it goes on with what it has.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test test-extras install clean

run: $(STAMP)
	@$(BIN)/workcell run $(TASK) $(ARGS)

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(TESTS)

test-extras: $(STAMP)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev,crossq,ray,tensorboard]'
	$(BIN)/python -m pytest -m "not hardware" tests/examples tests/policies/test_curves.py \
	    tests/policies/test_learners.py tests/workcell/test_ray_crew.py

install: $(STAMP)

# Written last: an installation that was interrupted is taken up again by the next make.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) install --quiet --retries 1 --timeout 20 --no-deps --extra-index-url $(TORCH_INDEX) \
	    --constraint constraints.txt torch
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Making an environment writes pip last. A Debian python3 has pip but perhaps no ensurepip; its pip
# then fills the environment.
$(BIN)/pip:
	@python=$$(sh tools/find_python.sh) && echo "Using $$python" && \
	if "$$python" -c 'import ensurepip' 2>/dev/null; then \
	    "$$python" -m venv $(VENV); \
	else \
	    "$$python" -m venv --without-pip $(VENV) && \
	    "$$python" -m pip --python $(VENV)/bin/python install --quiet pip; \
	fi

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
