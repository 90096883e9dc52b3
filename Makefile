# Every target sets up .venv by itself. Needs Python 3.11 or later, a C compiler and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUNS := $(VENV)/.runs

.DEFAULT_GOAL := help
.PHONY: help setup run test attacks check format lint hooks types sanitize fuzz dist installed plain docs lock sbom table nightly mutants clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Set up .venv; make run sets up only what it runs

# Every package in the one version that requirements/ names, and no file that it does not know. What comes as source is built
# by what is pinned too.
PIP := -m pip install --quiet --disable-pip-version-check
LOCKED := --require-hashes --no-deps --no-build-isolation --use-pep517
BUILDERS := --require-hashes --only-binary :all: --requirement requirements/build.txt

NATIVE := $(wildcard $(foreach folder,codes engines/kernel scrub/read/fhir scrub/read/x12,$(foreach ending,pyx pxi h,src/weakcode/$(folder)/*.$(ending))))

$(RUNS): pyproject.toml setup.py requirements/build.txt requirements/run.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "weakcode needs Python 3.11 or later; say which with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what builds weakcode (requirements/build.txt)"
	@$(BIN)/python $(PIP) --no-compile $(BUILDERS)
	@echo "Installing what weakcode runs on (requirements/run.txt)"
	@$(BIN)/python $(PIP) --no-compile $(LOCKED) --requirement requirements/run.txt
	@echo "Building weakcode"
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@# As wheels are when they are installed, also where Python is told to write no bytecode while it runs.
	@$(BIN)/python -m compileall -q src/weakcode
	@touch $@

$(READY): $(RUNS) requirements/dev.txt
	@echo "Installing every extra, and what tests, checks and documents weakcode (requirements/dev.txt, about a minute)"
	@$(BIN)/python $(PIP) $(LOCKED) --requirement requirements/dev.txt
	@touch $@

run: $(RUNS) ## Scrub the example claims and print the findings
	@$(BIN)/weakcode scrub examples/claims.csv --fail-on never

# One worker for each core. The tests of a file stay together: they share what was made once; those of Spark too, which come first.
# Other files come in their order, not those with most tests first, because the slowest have few.
WORKERS := auto
SIDE_BY_SIDE := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# Where Python is told to write no bytecode, each worker and each process would compile the tests and much else anew.
test attacks nightly: export PYTHONDONTWRITEBYTECODE :=

test: $(READY) ## Run the tests, side by side; WORKERS=0 runs them one after the other
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

attacks: $(READY) ## Run the attacks of which make test runs one of each kind
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m attack

check: lint types test ## Format, lint, types and tests: what CI runs

lint: $(READY) ## Check format, lint and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

hooks: $(READY) ## Run the linters before every commit
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type commit-msg

types: $(READY) ## Check the types
	$(BIN)/mypy src

docs: $(READY) ## Build the documentation into site/
	@# The theme's word about its own successor is for whoever keeps mkdocs.yml, not for every build.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@# Browsers let no page of a folder search: it is opened from a server.
	@echo "Open http://127.0.0.1:8000 after: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site 8000"

SANITIZERS := address,undefined
SANITIZED := build/sanitized

# Python itself is not built with the sanitizers: they are loaded before it, and its own leaks are not asked for.
UNDER_SANITIZERS = PYTHONPATH=$(SANITIZED) PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
	LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so) $$($(CC) -print-file-name=libstdc++.so)"

sanitize: $(READY) ## Run the tests of the native code in a build that stops at bad memory and undefined behaviour
	@rm -rf $(SANITIZED)
	CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZERS) -fno-sanitize-recover=all" \
		$(BIN)/python setup.py --quiet build --build-lib $(SANITIZED) --build-temp $(SANITIZED)-objects
	nm -D $(SANITIZED)/weakcode/engines/kernel/_kernel.*.so | grep -q __asan_init
	nm -D $(SANITIZED)/weakcode/scrub/read/x12/_reader.*.so | grep -q __asan_init
	nm -D $(SANITIZED)/weakcode/codes/_codeset.*.so | grep -q __asan_init
	nm -D $(SANITIZED)/weakcode/scrub/read/fhir/_claims.*.so | grep -q __asan_init
	HYPOTHESIS_PROFILE=sanitized WEAKCODE_ATTACKS=all $(UNDER_SANITIZERS) $(BIN)/python -m pytest tests/codes/test_codeset.py tests/codes/test_tabular.py tests/engines/test_columnar.py tests/scrub/test_bulk.py tests/scrub/x12/test_native.py tests/scrub/test_fhir_native.py tests/engines/test_bounds.py tests/hardening/test_damaged_arrow.py

TARGET := fhir-columns
SECONDS := 60

fuzz: $(READY) ## Try mutated inputs on the build of make sanitize; TARGET= and SECONDS= say on what and how long
	$(UNDER_SANITIZERS) $(BIN)/python fuzz/sanitized.py $(TARGET) --seconds $(SECONDS)

dist: $(READY) ## Build sdist and wheel into dist/
	@rm -rf dist build/lib build/bdist.*
	$(BIN)/python -m build --no-isolation

EMPTY := build/empty-environment
TESTS := tests
WHEELS := build/wheels

installed: dist ## Install the wheel into an empty environment and run the tests against it; TESTS=tests/cli runs some
	@rm -rf $(EMPTY) $(WHEELS)
	$(PYTHON) -m venv $(EMPTY)
	@# The wheel itself says what it needs; the files to choose from are those of the lock, and no others.
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check $(LOCKED) --requirement requirements/dev.txt --wheel-dir $(WHEELS)
	PIP_CONFIG_FILE=/dev/null $(EMPTY)/bin/python $(PIP) --no-index --find-links $(WHEELS) "$$(echo dist/*.whl)[dev,all]"
	@rm -rf $(WHEELS)
	WEAKCODE_TEST_INSTALLED=1 $(EMPTY)/bin/python -m pytest $(SIDE_BY_SIDE) -m 'not slow and not attack' $(TESTS)

PLAIN := build/plain-environment
NO_COMPILER := env PATH=$(CURDIR)/$(PLAIN)/bin CC=false CXX=false PIP_CONFIG_FILE=/dev/null

plain: dist ## Install the wheel where there is no compiler, without any extra, and run what tests that
	@rm -rf $(PLAIN) $(WHEELS)
	$(PYTHON) -m venv $(PLAIN)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
		--requirement requirements/run.txt --dest $(WHEELS)
	$(NO_COMPILER) python $(PIP) --no-index --find-links $(WHEELS) dist/*.whl
	@rm -rf $(WHEELS)
	$(NO_COMPILER) python tests/without_compiler.py

TOOLS := build/tools

$(TOOLS)/.ready: requirements/tools.txt
	@test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python $(PIP) --require-hashes --only-binary :all: --requirement requirements/tools.txt
	@touch $@

COMPILE := $(TOOLS)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock"

lock: $(TOOLS)/.ready ## Pin what pyproject.toml asks for; UPGRADE=--upgrade takes the newest versions
	$(COMPILE) $(UPGRADE) pyproject.toml --extra dev --extra all --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/run.txt
	$(COMPILE) $(UPGRADE) requirements/build.in --constraint requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) $(UPGRADE) requirements/wheels.in --output-file requirements/wheels.txt
	$(COMPILE) $(UPGRADE) requirements/tools.in --output-file requirements/tools.txt

sbom: $(READY) $(TOOLS)/.ready ## Write what is in .venv as a bill of materials, build/sbom.json (CycloneDX)
	@# Standing in another environment must not make it report that one.
	env -u VIRTUAL_ENV $(TOOLS)/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
		--output-format JSON --output-file build/sbom.json $(BIN)/python

# Where the files that CDC and CMS publish are: docs/editions.md.
FROM := ../shared/data/icd10cm ../shared/data/mce

table: $(RUNS) ## Make the table of the codes of all days anew from the published files in the folders FROM
	$(BIN)/python tools/code_table.py $(FROM)

format: $(READY) ## Rewrite the files in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

nightly: $(READY) ## Run the tests with many more generated cases
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest $(SIDE_BY_SIDE)

# Cosmic Ray makes the changes; nothing else needs it. No file is changed, and a run goes on where the last one stopped, by
# build/mutants.jsonl: MODULES=--again tries what was unnoticed again, MODULES=semantics/judged one module.
MODULES :=

mutants: $(READY) ## Change what an edit means, one thing at a time, and list the changes that no test notices (half an hour)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'cosmic-ray>=8.3'
	$(BIN)/python tests/engines/mutants.py $(MODULES)

clean: ## Remove what the targets made
	rm -rf $(VENV) build dist site src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
