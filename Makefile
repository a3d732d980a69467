# Two commands for a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
UV := .venv/bin/uv

.PHONY: demo test slow check clean
demo: .venv/ready
	.venv/bin/outreach demo

test: .venv/ready
	.venv/bin/pytest -n auto

slow: .venv/ready
	.venv/bin/pytest -m slow -n 2

check: .venv/ready
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

.venv/ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("outreach needs Python 3.11 or newer; name one with: make PYTHON=python3.11")'
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	test -x $(UV) || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV= $(UV) sync --quiet --frozen --inexact
	touch $@

# The data folder stays: it may hold somebody's database and keys.
clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
