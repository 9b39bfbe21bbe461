# Huijia. `make demo` and `make test` are all that most people need; both prepare .venv themselves.
# It asks for make, Python 3.11 or later and pip, and nothing else.

PYTHON ?= python3
UV ?= uv
PORT ?= 8000
BIN := .venv/bin
OURS := -e kernel $(foreach folder,$(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)),-e $(folder))
QUIET := --quiet --quiet --disable-pip-version-check --no-input
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo serve test check shape lint types long bench docs screens pins clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: .venv/.ready ## two demonstration centres at 127.0.0.1:8000, with sign-ins to try (PORT=8001 for another port)
	@$(BIN)/huijia demo --serve --port $(PORT)

serve: .venv/.ready ## serve the installation that huijia.toml describes
	@$(BIN)/huijia serve

test: check ## all checks and all tests
	@$(BIN)/pytest -n $(WORKERS) -q $(PYTEST)

check: lint types shape ## formatting, lint, import contracts, types, shape and documents

lint: .venv/.ready
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && echo "ruff: clean"
	@$(BIN)/lint-imports --no-cache >.venv/lint-imports.log 2>&1 && echo "imports: as agreed" \
	  || { cat .venv/lint-imports.log; exit 1; }

types: .venv/.ready
	@$(BIN)/basedpyright --level error >.venv/basedpyright.log 2>&1 && echo "types: clean" \
	  || { cat .venv/basedpyright.log; exit 1; }

shape: .venv/.ready
	@$(BIN)/pytest -q -p no:randomly tests/test_shape.py tests/test_contracts.py tests/test_docs.py

long: .venv/.ready ## the full sizes of races, growth and faults; takes hours, and writes docs/long/DATE.txt
	@mkdir -p docs/long
	@file=docs/long/$$(date -u +%Y-%m-%d).txt; HUIJIA_LONG=1 $(BIN)/pytest -m "long or grows" --timeout 0 -rA >$$file 2>&1; \
	  code=$$?; tail -n 40 $$file; echo "The whole of it is in $$file."; exit $$code

bench: .venv/.ready ## ours beside the bare driver, in one run
	@$(BIN)/python -m benchmarks

docs: .venv/.ready ## write docs/hooks.md and docs/reference anew from the code
	@$(BIN)/python docs/generate.py

screens: .venv/.ready ## take the pictures in docs/screens from a demonstration
	@$(BIN)/python docs/screens.py

pins: ## write requirements.txt anew from the pyproject files; needs uv
	@$(UV) export --quiet --no-header --no-emit-workspace --all-extras --all-groups --output-file requirements.txt

clean: ## remove the virtual environment; data in var/ stay
	@rm -rf .venv

# --- the virtual environment: three stamps, so that a second run just starts --------------------------

.venv/.ready: .venv/.pins kernel/pyproject.toml $(wildcard plugins/*/pyproject.toml)
	@echo "Installing Huijia and its services …"
	@$(BIN)/python -m pip install $(QUIET) --no-deps --no-build-isolation $(OURS)
	@touch $@

.venv/.pins: requirements.txt .venv/.made
	@echo "Installing what Huijia is built on; the first time this takes a few minutes …"
	@$(BIN)/python -m pip install $(QUIET) --require-hashes -r requirements.txt
	@touch $@

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Huijia needs Python 3.11 or later; name one: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12"; exit 1; }
	@echo "Making a virtual environment in .venv …"
	@PYTHON="$(PYTHON)" sh .ci/make-venv .venv
	@touch $@
