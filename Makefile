# Everything is set up from requirements.lock into .venv by whatever target needs it; a second run does nothing.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## install the locked packages into .venv (the others do this themselves)

# uv is in the lock like everything else: its own lines are what pip installs first, hashes checked.
# Python compiles what it imports and keeps it: a third of all that is installed. Where a container forbids that, every
# kernel would do it again (5 s).
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r $(VENV)/uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(READY)

reports: $(READY) ## render the chosen reports and their index into reports/
	@$(BIN)/adoption report

test: $(READY) ## run all tests
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY) ## lint, format, types, notebooks, evidence
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tests/notebook_rules.py notebooks/*.ipynb
	$(BIN)/adoption check

lab: $(READY) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

rule: $(READY) ## fit the rule across all outages again into data/derived, after the evidence changed
	OMP_NUM_THREADS=1 $(BIN)/python -m helpers.pooled.keep

bench: $(READY) ## measure honesty and speed again; writes the tables in bench/
	$(BIN)/python bench/honesty.py
	$(BIN)/python bench/sharpness.py
	$(BIN)/python bench/claimants.py --sets 400
	$(BIN)/python bench/headline.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/rough_evidence.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/curves.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/left_out_figures.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/modes.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/hard_switching.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/forecast.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/rule.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/rule_growth.py
	$(BIN)/python bench/speed.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/reports.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/measured_honesty.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/real_placebos.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/measured_surge.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/never_an_exception.py --examples 10000
	OMP_NUM_THREADS=1 $(BIN)/python bench/panel_speed.py

lock: ## resolve pyproject.toml again into requirements.lock (needs a network)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --quiet --output-file requirements.lock

.PHONY: help setup reports test check lab rule bench lock
