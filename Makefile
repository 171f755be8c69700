# `make test` and `make demo` need Python 3.10 or newer and a package index; everything else they set up in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CONTRACT := examples/hyatt-playa-strategic-alliance.pdf

.DEFAULT_GOAL := help
.PHONY: help demo test lint format default-model clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.longdoc-installed  ## parties, dates and answers of a real contract, with their pages
	$(BIN)/longdoc extract --format table --tasks contract,effective $(CONTRACT)
	$(BIN)/longdoc ask $(CONTRACT) "What is the date of the agreement?" "Which law governs the arbitration?"

test: lint  ## everything: formatting, types, layers, laws, examples, notebooks
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

lint: $(VENV)/.dev-installed  ## formatting, style, types and import layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev-installed  ## rewrite the sources in the project's style
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

default-model: $(VENV)/.dev-installed  ## train the shipped model (hours on two cores; goes on where it stopped) into runs/
	$(BIN)/longdoc train configs/default.yaml
	$(BIN)/longdoc train configs/default-2.yaml
	$(BIN)/longdoc calibrate configs/calibrate.yaml

clean:  ## remove .venv, caches and builds
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find longdoc tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "longdoc needs Python 3.10 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.longdoc-installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing longdoc and torch into $(VENV) (a few minutes the first time)"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev-installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing longdoc, torch and the development tools into $(VENV) (a few minutes the first time)"
	@$(INSTALL) --editable '.[dev]'
	@touch $(VENV)/.longdoc-installed $@
