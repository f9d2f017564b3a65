# The one list of commands.  `make` prints it.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ON_ALL_CORES := -n auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install demo test test-quick check format lint types architecture tables docs bench study-2023

help: ## list these words
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## make .venv with the package, its extras and the tools, at the versions of constraints.txt

demo: $(READY) ## run the OpenMoji study: a table, an answer and a page, in minutes on two cores
	$(BIN)/counterpoint demo

test: $(READY) ## run all tests and doctests, on all cores
	$(BIN)/python -m pytest $(ON_ALL_CORES)

test-quick: $(READY) ## run the tests and doctests that take no seconds: without Ray, Chromium and whole studies
	$(BIN)/python -m pytest $(ON_ALL_CORES) -m "not slow"

check: lint types architecture docs test ## run everything that must hold before a change is merged

format: $(READY) ## format the code and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(READY) ## check style, format and spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell

types: $(READY) ## check types
	$(BIN)/mypy

architecture: $(READY) ## check that imports point down
	$(BIN)/lint-imports

tables: $(READY) ## write the tables of settings and figures into the pages of docs
	$(BIN)/python docs/tables.py

docs: $(READY) ## build the documentation into docs/_build/html; a warning or a stale table is an error
	$(BIN)/python docs/tables.py --check
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build/html

bench: $(READY) ## run every benchmark, shortly; benchmarks/README.md says how to get figures
	@for file in benchmarks/*.py; do echo "$$file"; $(BIN)/python $$file || exit 1; done

study-2023: $(READY) ## run the 2023 study and write docs/study-2023.md: hours on two cores; stopped, it goes on where it was
	$(BIN)/python studies/study-2023/write.py

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "Counterpoint needs Python 3.11 or newer; PYTHON=$(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	@echo "Installing into .venv (once; a few minutes)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -qq --constraint constraints.txt pip
	@$(BIN)/pip install -qq --constraint constraints.txt --editable ".[all]" --group dev
	@touch $@
