# Every target does its own set-up; `make` alone prints this list.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

BIN := .venv/bin
ARGS ?=
T ?=

# All tests: a process for each core, a file's tests in one of them and in their order (tests/conftest.py).
SIDE_BY_SIDE := --numprocesses=auto --maxprocesses=4 --dist=loadgroup --no-loadscope-reorder

.PHONY: help
help: ## Print this list
	@printf 'Watersmeet: an OAuth 2.0 provider, and the content API it protects.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nOn a fresh machine: Python 3.11+, git and make are enough.\n'

.PHONY: dev
dev: .venv/.ready-dev ## Start Watersmeet with demo data on 127.0.0.1 (make dev ARGS="--port 9000")
	@exec $(BIN)/watersmeet dev $(ARGS)

.PHONY: test
test: .venv/.ready-test ## Run every test, browser and PostgreSQL included (make test T=tests/unit ARGS=-x)
	@$(BIN)/python tools/machine.py
	@$(BIN)/python -m pytest $(if $(T),$(T),$(SIDE_BY_SIDE)) $(ARGS)

.PHONY: security
security: .venv/.ready-test ## Run the security specification (make security ARGS=--write renews docs/security)
	@$(BIN)/python tools/machine.py
	@$(BIN)/python -m tests.security $(ARGS)

.PHONY: mutate
mutate: .venv/.ready-mutate ## Break each check of the protocol and see a test fail; renews docs/security/mutants.md
	@$(BIN)/python -m tools.mutate $(ARGS)

.PHONY: check
check: .venv/.ready-check ## Lint, formatting, types, import contracts, lock file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@tools/check-lock

.PHONY: format
format: .venv/.ready-check ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: migration
migration: .venv/.ready-check ## Write the migration to what schema.py says now (make migration M="Why")
	@$(BIN)/python tools/migration.py "$(M)"

.PHONY: bench
bench: .venv/.ready-test ## Measure against peers and limits (make bench ARGS=--quick; ARGS=--write makes docs/performance.md)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: catalogues
catalogues: .venv/.ready-test ## Bring the translations of the pages up to date; says what is missing
	@$(BIN)/python -m tools.catalogues

.PHONY: coverage
coverage: .venv/.ready-test ## Renew docs/coverage.md from tools/operations.txt
	@$(BIN)/python -m tools.coverage

.PHONY: clean
clean: ## Remove everything that make created, the virtual environment included
	rm -rf .venv .tools mutants bench/peers/.installed tests/security/peers/*/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp per set of dependency groups, so that a second run costs nothing.
.venv/.ready-dev: pyproject.toml uv.lock tools/bootstrap
	@tools/bootstrap
	@touch $@

.venv/.ready-test: pyproject.toml uv.lock tools/bootstrap
	@tools/bootstrap test
	@touch $@ .venv/.ready-dev

.venv/.ready-mutate: pyproject.toml uv.lock tools/bootstrap
	@tools/bootstrap test mutate
	@touch $@ .venv/.ready-test .venv/.ready-dev

# The check group reads the tests too, so it needs what they import.
.venv/.ready-check: pyproject.toml uv.lock tools/bootstrap
	@tools/bootstrap test check
	@touch $@ .venv/.ready-test .venv/.ready-dev
