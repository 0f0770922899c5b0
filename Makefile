# make course | test | lab | lock | taught | clean; `make help` says what each does.

PYTHON ?= python3
BIN := .venv/bin
CORES := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1)

# One kernel per core: each may use one thread, or they would crowd each other out.
TEST_ENV := MNIST_KIT_SOURCE=standin TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
	OMP_NUM_THREADS=1

.PHONY: help course test lab lock taught clean
.DEFAULT_GOAL := help

help:
	@echo "make course   run every notebook; read the result in build/course/index.html"
	@echo "make test     run the tests and execute every notebook again with nbval"
	@echo "make lab      open the notebooks in JupyterLab"
	@echo "make lock     renew requirements.lock from the ranges in pyproject.toml"
	@echo "make taught   renew notebooks/README.md, what is taught where, and the pictures"
	@echo "make clean    remove build/ and caches; .venv/ and data/ stay"
	@echo
	@echo "Each sets up .venv/ first where needed. Another Python: make course PYTHON=python3.13"

course: .venv/.ready
	$(BIN)/mnist-kit course

test: .venv/.ready
	$(TEST_ENV) $(BIN)/python -m pytest -n $(CORES) --dist loadfile \
		--nbval --nbval-current-env --nbval-cell-timeout=600 tests $(wildcard notebooks/*.ipynb)

lab: .venv/.ready
	$(BIN)/mnist-kit lab

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) .ci/check_python.py
	@echo "Setting up .venv: a few minutes, about 2.5 GB."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -r requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
	@touch $@

lock:
	@$(PYTHON) .ci/check_python.py
	$(PYTHON) .ci/lock.py

taught: .venv/.ready
	$(BIN)/python .ci/what_is_taught.py
	$(BIN)/python .ci/readme_pictures.py

clean:
	rm -rf build .pytest_cache .ruff_cache *.egg-info
	find mnist_kit tests notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
