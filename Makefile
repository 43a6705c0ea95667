# Two commands for everybody: `make demo` shows the main job, `make test` proves it. Each does all its own set-up.
# Production runs Python 3.13; where there is none, the newest from 3.11 on is taken, and what is left out is said.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NODE := node_modules/.package-lock.json
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.PHONY: help setup demo test check lint types bench clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(STAMP) ## make the virtual environment; the command is then at .venv/bin/aoai-evidence

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml scripts/find-python
	@echo "== setup: a virtual environment in $(VENV), with the pinned packages"
	@set -e; python="$$(scripts/find-python)"; echo "   Python: $$python ($$($$python -V 2>&1))"; \
	  "$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)
	@echo "   done: $(BIN)/aoai-evidence"

demo: $(STAMP) ## the main job, end to end, on the local stand-in for Azure
	@$(BIN)/aoai-evidence demo --directory build/demo

# The emulator of Azure Storage, for the tests that need it; they are skipped where it is absent, and fail where CI=true.
$(NODE): package.json package-lock.json
	@if command -v npm >/dev/null; then \
	  echo "== setup: the emulator of Azure Storage (Azurite), from npm into node_modules"; \
	  { npm ci --no-audit --no-fund --loglevel=error && touch $(NODE); } || { echo "== npm failed: those tests are skipped"; [ "$$CI" != true ]; }; \
	else \
	  echo "== no npm here: tests against the emulator of Azure Storage are skipped (install Node.js 20 or later to run them)"; \
	fi

test: $(STAMP) $(NODE) ## all tests
	@echo "== test"
	@$(PYTEST) -q

check: $(STAMP) $(NODE) lint types ## ruff, mypy --strict, import rules, tests with branch coverage
	@echo "== tests with branch coverage"
	@$(PYTEST) -q --cov --cov-report=term

lint: $(STAMP)
	@echo "== ruff"
	@$(BIN)/ruff check .

types: $(STAMP)
	@echo "== mypy --strict"
	@$(BIN)/mypy

bench: $(STAMP) ## speed and size, as figures and ratios
	@$(BIN)/python tests/bench/run.py

clean: ## remove what the other commands made
	rm -rf $(VENV) node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis
