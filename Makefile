# Every verb of the project. `make run` and `make test` need only Python 3.11+, git, make and the package indexes.
PYTHON ?= python3
PORT ?= 8000
PY := .venv/bin/python

.PHONY: help run test test-all test-clients check bench format lock assets environment dev

help: ## list the verbs
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: environment ## start the portal with demo traffic on http://127.0.0.1:8000 (PORT=8001 for another port)
	@$(PY) manage.py up --demo --port $(PORT)

test: dev ## the suite on SQLite and on PostgreSQL (ARGS=... go to pytest)
	@$(PY) -m tests.run $(ARGS)

test-all: dev ## the same with the tests that take longer than ten seconds
	@$(PY) -m tests.run --slow $(ARGS)

test-clients: dev ## real SDKs of other people against a running portal; installs them (ARGS="openlit -v": one, with its rows)
	@$(PY) -m tests.clients $(ARGS)

check: dev ## format, lint, types, contracts, migrations, docs, deployment settings
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	sh deploy/check.sh
	$(PY) -m pytest -q tests/test_docs.py

bench: dev ## the figures of docs/benchmarks.md, on a private PostgreSQL
	@$(PYTHON) deploy/bootstrap_env.py --bench
	@$(PY) -m tests.harness $(PY) -m benchmarks $(ARGS)

format: dev ## format and fix what can be fixed by itself
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

lock: dev ## write the lock files anew from requirements*.in and package.json
	@sh deploy/lock.sh

assets: environment ## the front-end packages alone (part of every other verb)

environment:
	@$(PYTHON) deploy/bootstrap_env.py

dev:
	@$(PYTHON) deploy/bootstrap_env.py --dev
