# Two commands matter: `make run` and `make test`. Each installs what it needs; Python 3.11 or newer is all it asks for.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile -q --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11
# Prints a command, then runs it: the heading of a check is the line to repeat it with.
step = @printf '\n== %s\n' '$(1)'; $(1)

.PHONY: help run test check lock design generate matrix screenshots bench clean setup setup-dev
.NOTPARALLEL:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: export RHMS_STOP_WITH_PARENT = 1
run: export PORT := $(PORT)
run: setup ## Start everything at http://localhost:8000 (another port: PORT=8010 make run)
	@$(BIN)/python -m rhms.run

test: setup-dev ## Run all tests (some: make test ARGS="tests/billing -k refund")
	@CHROMIUM_PATH="$$($(BIN)/python scripts/chromium.py)" && export CHROMIUM_PATH && $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: export DEBUG = true
check: setup-dev ## Style, types, the line of rooms, templates, migrations, deployment settings, generated files
	$(call step,$(BIN)/ruff check .)
	$(call step,$(BIN)/ruff format --check .)
	$(call step,$(BIN)/mypy .)
	$(call step,$(BIN)/lint-imports)
	$(call step,$(BIN)/djlint templates --check --lint)
	$(call step,$(BIN)/python -m rhms.checks)

lock: setup-dev ## Resolve requirements*.in into requirements*.txt
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

design: setup-dev ## Rebuild the generated files under static/
	$(BIN)/python -m design.build

generate: setup-dev ## Rebuild every generated file: tenants/hospital.sql, docs/permissions.md, static/
	@$(BIN)/python -m rhms.checks --write

screenshots: setup-dev ## Photograph every page
	@CHROMIUM_PATH="$$($(BIN)/python scripts/chromium.py)" && export CHROMIUM_PATH && $(BIN)/python -m tests.screenshots

matrix: setup-dev ## Knock at every door as everybody, and write who was let in: tests/house/matrix.txt
	@$(BIN)/python -m pytest -q -p tests.house.writer tests/house/test_matrix.py -k stored

bench: setup-dev ## Measure all that docs/performance.md tells (on a quiet machine); fails when a target is missed
	@$(BIN)/python -m bench $(ARGS)

clean: ## Remove what these commands made: packages, caches, and the data in var/
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@$(PYTHON) scripts/setup.py

setup-dev:
	@$(PYTHON) scripts/setup.py dev
