# `make help` lists the targets. Everything is installed into .venv; nothing outside this folder is changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUST_SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find rust -name '*.rs' -o -name Cargo.toml)
PYTHON_FOLDERS := python tests benches examples tools

.PHONY: help demo test parts lint lint-rust lint-python fmt test-rust test-python test-browser soak fuzz docs \
	screenshots bench bench-memory bench-fast instructions wheel test-wheel sdist deny clean

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: ## Import a synthetic prediction set into a local Encord and show the result.
	@$(MAKE) --silent --no-print-directory --jobs=2 $(VENV)/.emulator $(VENV)/.dev
	@$(BIN)/ropewalk demo

# Two parts at a time, in the order of `parts` as far as what they need is there: Python's tests beside all the others.
test: ## Everything that CI runs.
	@$(MAKE) --silent --no-print-directory --keep-going --jobs=2 SIDE_BY_SIDE=1 parts

parts: test-rust test-python lint-rust bench-fast lint-python

# Side by side, a part prints one line when it ends, or all of its output when it fails; alone, it prints as it goes.
part = $(if $(SIDE_BY_SIDE),tools/part.sh $(1))
# Side by side, cargo builds the extension first, because Python's tests wait for it; cargo does one thing at a time.
extension_first = $(if $(SIDE_BY_SIDE),| $(VENV)/.dev)

lint: lint-rust lint-python ## Formatting, lints, types.

lint-rust: $(extension_first)
	@$(call part,lint-rust) sh -ec 'cargo fmt --check; cargo clippy --workspace --all-targets --quiet -- -D warnings'

lint-python: $(VENV)/.test
	@$(call part,lint-python) sh -ec '$(BIN)/ruff check --quiet $(PYTHON_FOLDERS); \
		$(BIN)/ruff format --check --quiet $(PYTHON_FOLDERS); $(BIN)/mypy'

docs: $(VENV)/.docs ## Build the documentation as a site, in site/.
	NO_MKDOCS_2_WARNING=1 $(VENV)/docs/$(notdir $(BIN))/mkdocs build --strict --quiet

fmt: $(VENV)/.test ## Format all sources.
	cargo fmt
	$(BIN)/ruff check --quiet --select I --fix $(PYTHON_FOLDERS)
	$(BIN)/ruff format $(PYTHON_FOLDERS)

test-rust: $(extension_first) ## Tests of the Rust crates.
	@$(call part,test-rust) cargo test --workspace --quiet

test-python: $(VENV)/.test $(VENV)/.producers $(VENV)/.dev ## Tests of the Python package.
	@$(call part,test-python) $(BIN)/python -m pytest -q --numprocesses=auto

test-browser: $(VENV)/.test $(VENV)/.dev ## Look at the pages in a headless Chromium, which has to be installed.
	ROPEWALK_BROWSER=1 $(BIN)/python -m pytest -q tests/browser

screenshots: $(VENV)/.test $(VENV)/.dev ## Take the pictures of docs/images in a headless Chromium.
	PYTHONPATH=tests $(BIN)/python tools/screenshots.py docs/images

soak: $(VENV)/.test $(VENV)/.dev ## Kills, faults, damage and secrets at their full figures (some twenty minutes).
	ROPEWALK_SOAK=full $(BIN)/python -m pytest -q tests/soak tests/unit/test_ledger.py tests/unit/test_forks.py

fuzz: ## Look for input that breaks a parser, FUZZ_SECONDS (default 60) a target.
	rust/fuzz/run.sh

bench: $(VENV)/.test $(VENV)/.release ## Measure against the peers and write benches/RESULTS.md (some minutes).
	$(BIN)/python benches/end_to_end.py --out benches/RESULTS.md

bench-memory: $(VENV)/.test $(VENV)/.release ## Measure the memory of convert on files of up to 10 GB and write benches/MEMORY.md (half an hour).
	$(BIN)/python benches/convert_memory.py --out benches/MEMORY.md

bench-fast: $(VENV)/.test $(VENV)/.dev ## Check that the peers make the same as ropewalk, on tiny inputs.
	@$(call part,bench-fast) $(BIN)/python benches/end_to_end.py --fast

instructions: ## Count the core's instructions and compare with benches/instructions.json (valgrind; some minutes the first time).
	$(PYTHON) benches/instructions.py

wheel: $(VENV)/.pip ## Build an abi3 wheel into dist; on Linux one for manylinux_2_17, with zig as the C compiler and linker.
	$(if $(LINUX),$(INSTALL) 'ziglang>=0.13')
	PATH="$(abspath $(BIN)):$$PATH" maturin build --locked --out dist $(if $(LINUX),--zig --compatibility manylinux2014)

sdist: $(VENV)/.pip ## Build a source distribution into dist.
	$(BIN)/maturin sdist --out dist

test-wheel: ## Install the wheel in dist with each Python of TEST_WHEEL_PYTHONS that is installed; run the demo, the unit tests, and the oldest and newest SDK.
	$(PYTHON) tools/test_wheel.py $(TEST_WHEEL_PYTHONS)

deny: ## Check licences, sources and bans of the dependencies, and advisories where they can be fetched (cargo-deny).
	tools/deny.sh

clean: ## Remove what the other targets made.
	rm -rf $(VENV) target dist .ropewalk

LINUX := $(filter Linux,$(shell uname -s))
TEST_WHEEL_PYTHONS ?= 3.10 3.12 3.13
# Jobs of make are not those of cargo, which has its own.
INSTALL := MAKEFLAGS= $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/.pip:
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) 'maturin>=1.9,<2'
	@touch $@

# What the package, its emulator and its tests need.
$(VENV)/.emulator $(VENV)/.test: $(VENV)/.%: $(VENV)/.pip pyproject.toml tools/requirements.py
	@echo "Installing Python packages: $*"
	@$(BIN)/python tools/requirements.py $* >$@.txt
	@$(INSTALL) --requirement $@.txt
# Its dependency opencv-python would replace opencv-python-headless, which needs no libGL.
	@$(if $(filter test,$*),$(INSTALL) --no-deps 'trackeval>=1.3')
	@touch $@

# The tools whose files the tests import: an environment of its own, without ropewalk.
$(VENV)/.producers: $(VENV)/.pip tests/producers/requirements.txt
	@echo "Installing Python packages: producers"
	@$(PYTHON) -m venv $(VENV)/producers
	@MAKEFLAGS= $(VENV)/producers/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check \
		--requirement tests/producers/requirements.txt
	@touch $@

# What builds the site: an environment of its own, which reads the sources of ropewalk and does not import it.
$(VENV)/.docs: $(VENV)/.pip tools/docs-requirements.txt
	@echo "Installing Python packages: docs"
	@$(PYTHON) -m venv $(VENV)/docs
	@MAKEFLAGS= $(VENV)/docs/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check \
		--requirement tools/docs-requirements.txt
	@touch $@

# The package itself, editable. Cargo's profile dev shares what it compiles with `cargo test`; release is what users get,
# and what benches measure. One replaces the other.
$(VENV)/.dev $(VENV)/.release: $(VENV)/.%: $(VENV)/.pip $(RUST_SOURCES)
	@echo "Building ropewalk: $* (the first time takes some minutes)"
	@rm -f $(VENV)/.dev $(VENV)/.release
	@$(INSTALL) --no-deps --no-build-isolation --editable . --config-settings=build-args='--profile=$*'
	@touch $@
