# `make help` lists the targets. Everything is installed below this directory; nothing needs an account or a
# service, and root may run it too.

SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := .venv/bin
PORT ?= 8000
JOBS ?= 1
# Tests wait for locks and browsers, so a processor has time for more than one of them. The processes have a
# server each, because roles belong to a whole server; with one given by DATABASE_URL, there is one process.
WORKERS ?= $(if $(DATABASE_URL),0,$(shell expr $$(getconf _NPROCESSORS_ONLN) + 1))

# The Python that `.venv` is made with: python3, or a newer one beside it where that is older than 3.10.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$python && break; done)

# Every engine whose views have shared tests. MariaDB is left out where its server is missing, or what its
# driver is built with; in CI it has to be there.
HAS_MARIADB := $(shell PATH="$$PATH:/usr/sbin" command -v mariadbd >/dev/null && pkg-config --exists libmariadb && echo yes)
ENGINES ?= postgresql sqlite$(if $(CI)$(HAS_MARIADB), mariadb)

.PHONY: help demo test engines soak lint types docs package test-matrix bench images messages clean

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/.demo ## Run the demonstration on http://127.0.0.1:8000 (PORT=… for another port)
	$(BIN)/python tests/demo/manage.py create_databases --settings tests.demo.settings
	$(BIN)/python tests/demo/manage.py migrate --verbosity 0
	$(BIN)/python tests/demo/manage.py migrate --database warehouse --verbosity 0
	$(BIN)/python tests/demo/manage.py load_demo
	$(BIN)/python tests/demo/manage.py sync_views
	$(BIN)/python tests/demo/manage.py fill_views
	DJANGO_RUNSERVER_HIDE_WARNING=true $(BIN)/python tests/demo/manage.py serve $(PORT) --settings tests.demo.web_settings

test: .venv/.test ## Run the whole test suite, on every engine (ARGS=… for pytest's arguments, WORKERS=0 for one process)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)
	$(if $(ARGS),,@$(MAKE) --no-print-directory engines)

# Their settings differ from those of the suite, so each engine is a run of its own.
engines: .venv/.test $(if $(filter mariadb,$(ENGINES)),.venv/.mariadb) ## Run the tests of views on each engine (ENGINES="sqlite" for some)
	set -e; for engine in $(ENGINES); do \
		echo "engine: $$engine"; \
		ENGINE=$$engine $(BIN)/python -m pytest --quiet --ds=tests.engines.settings tests/engines \
			--numprocesses $(WORKERS) --dist worksteal $(ARGS); \
	done

soak: .venv/.test ## Run the long tests in full; they print counts and seeds (SEED=… repeats a run, ARGS=… for pytest)
	SOAK=1 SOAK_SEED=$(SEED) $(BIN)/python -m pytest tests/soak -s $(ARGS)

lint: .venv/.lint ## Check style, format, and which package imports which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.readthedocs .readthedocs.yaml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml

# The type checker imports the settings, which start a PostgreSQL unless they are given one.
types: .venv/.test .venv/.types ## Check types
	DATABASE_URL=postgresql://unused $(BIN)/python -m mypy

docs: .venv/.docs ## Build the documentation site in build/docs; a warning is an error
	$(BIN)/python -m sphinx --nitpicky --fail-on-warning --keep-going --quiet \
		--builder html --doctree-dir build/doctrees docs build/docs

package: .venv/.release ## Build the source distribution and the wheel in dist/, and check them for the index
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

# nox runs one session after another; JOBS=2 runs two side by side, whose output is then mixed.
test-matrix: .venv/.matrix ## Run the suite on every supported Python, Django, driver and PostgreSQL at hand
	rm -rf .nox/results
	@mkdir -p .nox
	$(BIN)/nox --list --json --session tests > .nox/sessions.json
	$(BIN)/python < .nox/sessions.json -c 'import json, sys; print(*(s["session"] for s in json.load(sys.stdin)), sep="\n")' | \
		xargs -P $(JOBS) -I SESSION $(BIN)/nox --session SESSION -- $(ARGS) || true
	$(BIN)/nox --session table

bench: .venv/.test ## Measure against other packages (ARGS="a b" for some scenarios only)
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Needs GNU gettext (apt-get install gettext).
messages: .venv/.test ## Bring the translations up to date with the code, and compile them (ARGS=--check only looks)
	$(BIN)/python -m tests.translations $(ARGS)

images: .venv/.test ## Take the pictures of docs/images anew, of the demonstration's database (after make demo)
	$(BIN)/python -m tests.browser.screenshots

clean: ## Remove everything that the other targets made
	rm -rf .venv .nox .postgres .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.created:
	@test -n "$(PYTHON)" || { echo "Python 3.10 or newer is needed and was not found; name one with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no ensurepip, so it makes no environments:" \
		"install python3-venv (Debian, Ubuntu), or for this Python alone" \
		"$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

# One stamp for each dependency group of pyproject.toml that is installed.
.venv/.%: pyproject.toml .venv/.created
	$(BIN)/python -m pip install --quiet --editable . --group $*
	@touch $@
