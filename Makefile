# Every target sets up .venv by itself. Needs Python 3.11 or later, a C compiler and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run test check format lint types sanitize dist installed nightly clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Set up .venv

$(READY): pyproject.toml setup.py $(wildcard src/weakcode/engines/*.pyx src/weakcode/engines/*.h)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "weakcode needs Python 3.11 or later; say which with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,all]'
	@touch $@

run: $(READY) ## Scrub the example claims and print the findings
	@$(BIN)/weakcode scrub examples/claims.csv --fail-on never

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest

check: lint types test ## Format, lint, types and tests: what CI runs

lint: $(READY) ## Check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY) ## Check the types
	$(BIN)/mypy src

SANITIZERS := address,undefined
SANITIZED := build/sanitized

sanitize: $(READY) ## Run the tests of the kernel with a build that stops at bad memory and undefined behaviour
	@rm -rf $(SANITIZED)
	CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZERS) -fno-sanitize-recover=all" \
		$(BIN)/python setup.py --quiet build --build-lib $(SANITIZED) --build-temp $(SANITIZED)-objects
	nm -D $(SANITIZED)/weakcode/engines/_kernel.*.so | grep -q __asan_init
	@# Python itself is not built with the sanitizers: they are loaded before it, and its own leaks are not asked for.
	PYTHONPATH=$(SANITIZED) PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
		LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so) $$($(CC) -print-file-name=libstdc++.so)" \
		$(BIN)/python -m pytest tests/engines/test_columnar.py tests/batch/test_bulk.py

dist: $(READY) ## Build sdist and wheel into dist/
	@rm -rf dist build/lib build/bdist.*
	$(BIN)/python -m build --no-isolation

EMPTY := build/empty-environment

installed: dist ## Install the wheel into an empty environment and run the tests against it
	@rm -rf $(EMPTY)
	$(PYTHON) -m venv $(EMPTY)
	$(EMPTY)/bin/python -m pip install --quiet --disable-pip-version-check "$$(echo dist/*.whl)[dev,all]"
	WEAKCODE_TEST_INSTALLED=1 $(EMPTY)/bin/python -m pytest -m 'not slow'

format: $(READY) ## Rewrite the files in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

nightly: $(READY) ## Run the tests with many more generated cases
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest

clean: ## Remove what the targets made
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
