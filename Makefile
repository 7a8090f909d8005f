# The README's commands. `make demo` and `make test` set everything up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
PACKAGED := device/models/deseptr_motionsense.tflite
MODELS ?= $(PACKAGED)

ROOMS := contract data tflite train device convert firmware_harness evaluate report cli deseptr

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow fuzz mutants torture audit arm-cost verify-arm qemu label-picture live-picture report-picture confusion-picture check format docs wheel release-check clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The stamp is newer than pyproject.toml once everything in it is installed.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "deseptr needs Python 3.11 or newer; try make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

setup: $(VENV)/.installed ## Make .venv and install everything

demo: setup ## The whole path on a synthetic wearer; writes demo/report.html
	$(BIN)/deseptr demo -o demo

test: setup ## All tests that take seconds
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'not slow'

test-slow: setup ## The tests that take minutes
	$(BIN)/python -m pytest -m slow

fuzz: setup ## Hostile inputs to every reader and option, for about an hour; findings under fuzz/
	$(BIN)/python tests/fuzz/fuzz.py --inputs 400000 --out fuzz --json fuzz/fuzz.json

mutants: setup ## 638 random mutants against the fast tests, for hours; goes on where it was
	$(BIN)/python tests/mutants/run.py --a-room 58
	$(BIN)/python tests/mutants/run.py --a-room 58 --again

torture: setup ## 240 kills at random moments; the table of what was lost, duplicated, reordered or torn
	$(BIN)/python tests/torture/torture.py --again --out torture --json benchmarks/torture.json

audit: setup ## What bandit says of the sources, and pip-audit of what is installed
	$(BIN)/bandit -q -c pyproject.toml -r $(ROOMS)
	$(BIN)/pip-audit --strict --skip-editable --progress-spinner off

arm-cost: setup qemu ## Instructions of MODELS on emulated ARM; no times
	$(BIN)/deseptr firmware arm-cost $(MODELS) $(if $(filter $(PACKAGED),$(MODELS)),--baseline benchmarks/convert/arm_cost_packaged.json)

verify-arm: setup qemu ## All of it on emulated ARM: installed, run, compared with this host
	$(BIN)/deseptr firmware verify-arm

qemu:
	@command -v qemu-system-aarch64 >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update && apt-get install --yes --no-install-recommends qemu-system-arm; } || { echo "emulated ARM needs Debian's package qemu-system-arm: sudo apt-get install qemu-system-arm"; exit 2; }

check: setup ## Lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup ## Generate the generated pages, build site/index.html
	$(BIN)/python docs/make_command_reference.py
	$(BIN)/python docs/make_migration_page.py
	$(BIN)/python docs/make_figures.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

label-picture: setup ## Take the picture of `data label` in the documents again; needs Chromium
	$(BIN)/python docs/make_label_picture.py

live-picture: setup ## Take the picture of `device run --web` in the documents again; needs Chromium
	$(BIN)/python docs/make_live_picture.py

report-picture: demo ## Take the picture of the demo's page in the documents again; needs Chromium
	$(BIN)/python docs/make_report_picture.py

confusion-picture: setup ## Take the picture of confused windows in the documents again; needs Chromium
	$(BIN)/python docs/make_confusion_picture.py

wheel: setup ## Build dist/*.whl
	rm -rf build
	$(BIN)/python -m build --wheel --outdir dist .

release-check: setup ## Build sdist and wheel, install both in empty environments, run the quickstart there
	.ci/release-check

clean: ## Remove what the targets made, but for trained runs
	rm -rf $(VENV) build dist demo site verify-arm *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
