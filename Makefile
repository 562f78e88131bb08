# Every target works from a bare checkout: it creates .venv, installs, and goes on. Repeats take seconds.
PYTHON ?= python3
PORT ?= 8000
PAIRS ?= 4
SERVE ?= 1
# The PostgreSQL server on which `make test` repeats the site's tests; without one it says so and goes on.
TEST_POSTGRES ?= postgres://postgres@127.0.0.1:5432/postgres

BIN := .venv/bin
INSTALLED := .venv/.installed
export OMP_NUM_THREADS ?= 1

.PHONY: help demo test lint format messages bench soak clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16
	@echo "  variables     PORT=$(PORT) PAIRS=$(PAIRS) (word-prompt pairs a tag) SERVE=$(SERVE) (0: prepare and stop)"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Attest needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[web,worker,dev]'
	@touch $@

demo: $(INSTALLED) ## the site with two small studies, generated, opened and served
	$(BIN)/python manage.py demo --pairs $(PAIRS) --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

# Three processes on two cores: one mostly waits for a browser, a database or a process that it has started.
test: $(INSTALLED) ## the whole test suite, on SQLite and on PostgreSQL
	$(BIN)/pytest --numprocesses 3 --dist loadgroup
	@if $(BIN)/python -c 'import psycopg, sys; psycopg.connect(sys.argv[1], connect_timeout=3)' $(TEST_POSTGRES) 2>/dev/null; \
	then DATABASE_URL=$(TEST_POSTGRES) $(BIN)/pytest --numprocesses 3 --dist loadgroup tests/annotation_site; \
	elif [ -n "$$CI" ]; then echo "PostgreSQL at $(TEST_POSTGRES) does not answer, and CI must test on it."; exit 1; \
	else echo "PostgreSQL at $(TEST_POSTGRES) does not answer: the site was tested on SQLite alone. Set TEST_POSTGRES."; fi

lint: $(INSTALLED) ## style, types, import contracts, migrations, deployment settings, known vulnerabilities
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy attribution annotation_site
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	ATTEST_ENV=production SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
		DATABASE_URL=postgres://attest@localhost/attest $(BIN)/python manage.py check --deploy --fail-level WARNING
	@if $(BIN)/python -c "from urllib.request import urlopen; urlopen('https://pypi.org/pypi/pip/json', timeout=10)" 2>/dev/null; \
	then $(BIN)/pip-audit --local --skip-editable --progress-spinner off; \
	else echo "pypi.org cannot be reached: dependencies were not compared with known vulnerabilities."; fi

format: $(INSTALLED) ## rewrite the code in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

messages: $(INSTALLED) ## new strings of the raters' pages into the catalogues, and the catalogues compiled
	$(BIN)/python tests/annotation_site/catalogue.py

# What the benchmarks compare with. A package that cannot be had is said to be missing, and the rest runs.
.venv/reference: $(INSTALLED)
	-$(BIN)/python -m pip install --quiet --no-deps --target $@ daam==0.2.0
	-$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'

bench: $(INSTALLED) .venv/reference ## benchmarks, as ratios between two things in one run
	@for file in tests/benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

soak: $(INSTALLED) ## the long attacks: killed servers, races by the thousand; minutes each
	$(BIN)/pytest tests/soak

clean: ## remove the environment and caches; data in var/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
