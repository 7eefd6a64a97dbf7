# Two commands do everything, set-up included: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: setup demo test test-long test-slurm lint lock docs clean

setup: .venv/ready

# uv comes into the environment itself, so that nothing outside this folder is touched.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "matlabel needs Python 3.11 or newer; name one with make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.8"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@

demo: .venv/ready
	$(RUN) snakemake --cores all
	@$(RUN) matlabel headline

# A file's tests stay in one process: they share what they made.
test: .venv/ready lint
	$(RUN) pytest --numprocesses logical --maxprocesses 4 --dist loadfile

# What takes hours: every setting and source file of the rerun matrix, the demo killed twenty times.
test-long: .venv/ready
	$(RUN) pytest -m "long and not slurm"

# The workflow on a SLURM of two nodes, which is installed if need be, and started and stopped by the tests.
test-slurm: .venv/ready
	tests/slurm/install
	$(RUN) pytest -m "slurm and not long" tests/slurm

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow

# The lock holds hashes and no addresses.
lock: .venv/ready
	$(BIN)/uv pip compile pyproject.toml --extra test --extra slurm --extra lite --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.lock

# Files that are generated from matlabel/settings/; a test compares them.
docs: .venv/ready
	$(BIN)/matlabel schema > workflow/schemas/config.schema.yaml
	$(BIN)/matlabel reference > docs/config.md

clean:
	rm -rf results logs .snakemake
