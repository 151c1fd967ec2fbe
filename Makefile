# `make help` lists the targets. Everything is installed into .venv; nothing outside this folder is changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUST_SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find rust -name '*.rs' -o -name Cargo.toml)

.PHONY: help demo test lint test-rust test-python soak fuzz bench bench-memory bench-fast instructions clean

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.emulator ## Import a synthetic prediction set into a local Encord and show what stands there.
	@$(BIN)/ropewalk demo

test: lint test-rust test-python bench-fast ## Everything that CI runs.

lint: $(VENV)/.test ## Formatting, lints, types.
	cargo fmt --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(BIN)/ruff check python tests benches examples
	$(BIN)/ruff format --check python tests benches examples
	$(BIN)/mypy

test-rust: ## Tests of the Rust crates.
	cargo test --workspace --quiet

test-python: $(VENV)/.test ## Tests of the Python package.
	$(BIN)/python -m pytest -q

soak: $(VENV)/.test ## Kills, faults, damage and secrets at their full figures (some twenty minutes).
	ROPEWALK_SOAK=full $(BIN)/python -m pytest -q tests/soak

fuzz: ## Look for input that breaks a parser, FUZZ_SECONDS (default 60) a target.
	rust/fuzz/run.sh

bench: $(VENV)/.test ## Measure against the peers and write benches/RESULTS.md (some minutes).
	$(BIN)/python benches/end_to_end.py --out benches/RESULTS.md

bench-memory: $(VENV)/.test ## Measure the memory of convert on files of up to 10 GB and write benches/MEMORY.md (half an hour).
	$(BIN)/python benches/convert_memory.py --out benches/MEMORY.md

bench-fast: $(VENV)/.test ## Check that the peers make the same as ropewalk, on tiny inputs.
	$(BIN)/python benches/end_to_end.py --fast

instructions: ## Count the core's instructions and compare with benches/instructions.json (valgrind; some minutes the first time).
	$(PYTHON) benches/instructions.py

clean: ## Remove what the other targets made.
	rm -rf $(VENV) target .ropewalk

# Once for both: an editable install, the Rust core built with optimisation, as users get it.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/.pip:
	@echo "Setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) 'maturin>=1.9,<2'
	@touch $@

$(VENV)/.emulator: $(VENV)/.pip $(RUST_SOURCES)
	@echo "Building ropewalk and installing what it needs (the first time takes a few minutes)"
	@$(INSTALL) --no-build-isolation --editable '.[emulator]'
	@touch $@

$(VENV)/.test: $(VENV)/.pip $(RUST_SOURCES)
	@echo "Building ropewalk and installing what its tests need (the first time takes a few minutes)"
	@$(INSTALL) --no-build-isolation --editable '.[test]'
	@touch $@ $(VENV)/.emulator
