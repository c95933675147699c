# Everything a newcomer needs: `make` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
TEST_PROCESSES ?= 2
BIN := .venv/bin
READY := .venv/.ready
UV := $(PYTHON) tools/bootstrap.py uv
# Tests and `make up` start processes by the hundred: without compiled modules, each takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE
COMPILE := pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.13

.PHONY: help setup up demo test smoke lint format translations bench containers lock audit clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv (the other targets do it when needed)

$(READY): requirements.txt requirements-dev.txt .python-version tools/bootstrap.py
	@$(PYTHON) tools/bootstrap.py
	@touch $@

up: setup ## run Tallyman: servers, web, worker, beat, Flower; Ctrl-C stops it (PORT=, FLOWER_PORT=)
	@$(BIN)/python manage.py up

demo: setup ## import a catalogue of 100,000 rows, sell some of it, mail a report, keep serving (EXIT=1: stop after it)
	@$(BIN)/python manage.py demo $(if $(EXIT),--exit)

test: lint ## lint, types, migrations, all tests
	@$(BIN)/mypy
	@$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run # no server runs yet
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal

smoke: setup ## kill and restart broker and workers, in containers if Docker is here (TALLYMAN_SMOKE=docker|processes)
	@$(BIN)/python -m pytest tests/smoke -p pytest_docker_tools.plugin -p pytest_celery.plugin

lint: setup ## check style and format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: setup ## mend what can be mended
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

translations: setup ## bring locale/ up to what the code says to customers (docs/languages.md)
	@$(BIN)/python manage.py make_translations

bench: setup ## measure imports against their alternatives, the pages of a big shop, mails and reports; writes bench/results.md
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.pages
	@$(BIN)/python -m bench.mails
	@$(BIN)/python -m bench.reports

containers: ## docker-compose.yml on a Docker Engine: import, scale, restart, back up, restore (COMPOSE=, ARGUMENTS=)
	@$(PYTHON) -m tests.containers.check $(if $(COMPOSE),--compose "$(COMPOSE)") $(ARGUMENTS)

lock: ## resolve requirements*.in anew (UPGRADE=1: to newer versions)
	@$(UV) $(COMPILE) $(if $(UPGRADE),--upgrade) requirements.in -o requirements.txt
	@$(UV) $(COMPILE) $(if $(UPGRADE),--upgrade) requirements-dev.in -o requirements-dev.txt

audit: ## ask whether a dependency is known to be vulnerable (a warning where nobody can be asked)
	@$(PYTHON) tools/audit.py

clean: ## remove what can be made again; the data in .data stays
	@rm -rf .venv .venv-bootstrap .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
