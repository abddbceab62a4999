# A machine needs git, make, and Python 3.11 or newer; all else goes into .venv, once.

.DEFAULT_GOAL := help
.PHONY: help demo test check bench chaos compat format clean environment-demo environment-dev

PY := .venv/bin/python
export PYTHON

help:
	@echo 'flow: a job queue, its workers, its clock, and one command that runs them.'
	@echo
	@echo '  make demo          the photo app and everything behind it; Ctrl-C ends it'
	@echo '  make demo ONCE=1   the same once through: pictures in, renditions out, the end'
	@echo '  make test          all tests (ARGS="-k retry" for some of them)'
	@echo '  make check         format, lint, types and import contracts, as CI runs them'
	@echo '  make format        let ruff lay out the code and repair what it can'
	@echo '  make bench         jobs a second and CPU a job, beside RQ'
	@echo '  make chaos         minutes of killed processes and cut connections'
	@echo '  make compat        RQ'"'"'s own tests, with flow'"'"'s worker in the place of RQ'"'"'s'
	@echo '  make clean         back to a fresh clone: removes .venv, caches and builds'
	@echo
	@echo 'The first time, each makes .venv (demo: seconds, the others: a minute or two) with'
	@echo 'the newest Python on PATH. Another one: make clean, make test PYTHON=python3.12'

demo: environment-demo
	@$(PY) examples/photos/demo.py $(if $(filter-out 0,$(ONCE)),--once)

# The test runner's own last line stays the last one: CI reads it.
test: environment-dev
	@.ci/server
	@$(PY) -m pytest -n 2 --timeout 300 -rs --ignore tests/chaos $(ARGS)

check: environment-dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m basedpyright --pythonpath $(PY)
	.venv/bin/lint-imports

bench: environment-dev
	@$(PY) benchmarks/run.py $(ARGS)

chaos: environment-dev
	@$(PY) -m pytest --timeout 1800 -rs tests/chaos $(ARGS)

compat: environment-dev
	@$(PY) tests/compat/run.py $(ARGS)

format: environment-dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache .coverage .coverage.*
	rm -rf examples/*/.flow examples/*/media
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Quick when nothing is to do. The demo needs a fraction of what the tests need.
environment-demo:
	@.ci/environment demo
environment-dev:
	@.ci/environment dev
