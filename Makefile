# Two commands for a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
UV := .venv/bin/uv

.PHONY: demo test slow check clean
demo: .venv/ready
	.venv/bin/outreach demo

test: .venv/ready
	.venv/bin/pytest -n auto

slow: .venv/ready
	.venv/bin/pytest -m slow

check: .venv/ready
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

.venv/ready: pyproject.toml uv.lock
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	test -x $(UV) || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV= $(UV) sync --quiet --frozen --inexact
	touch $@

clean:
	rm -rf .venv data
