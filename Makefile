# Everything runs in .venv, which `make setup` makes from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup env run test quick lint bench demo lock docs clean

help:
	@echo "make run    set up and start the pipeline under Airflow (PORT=8081 for another port; Ctrl-C ends it)"
	@echo "make test   set up and run all tests"
	@echo "make demo   run the pipeline against a simulated web, without a network"
	@echo "make quick  the unit tests only, in seconds: no database, no server"
	@echo "make lint   ruff, mypy and the rules on imports"
	@echo "make bench  measure, and print tables"
	@echo "make env    write .env with fresh secrets, for docker-compose.yml"
	@echo "make docs   regenerate the pages under docs/ that come from the code"
	@echo "make lock   resolve the dependencies again, into requirements.lock"

setup: $(STAMP)

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(STAMP): requirements.lock pyproject.toml | $(VENV)/bin/uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q ingest db
	@touch $@

run: setup
	@$(BIN)/python -m ingest.airflow.standalone $(if $(PORT),--port $(PORT))

env:
	@$(PYTHON) docker/env.py

test: setup
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

quick: setup
	$(BIN)/pytest -n logical --maxprocesses 4 tests/unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m bench

demo: setup
	$(BIN)/python -m tests.newsroom.demo

docs: setup
	$(BIN)/python -m docs.generate

lock: $(VENV)/bin/uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
