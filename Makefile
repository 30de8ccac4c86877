# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
NODE_STAMP := tests/differential/node_modules/installed
PEERS_STAMP := benchmarks/peers/node_modules/installed

# Python's compiled files are kept, whatever the surroundings say: a run starts a thousand processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-all cases lint types bench bench-check bench-peers conformance fuzz simulate crash lock clean

demo: $(STAMP)
	$(BIN)/bifolio demo

# mypy beside the cases: alone it would leave a core idle.
test: $(STAMP) $(NODE_STAMP) lint
	$(MAKE) --no-print-directory -j2 types cases

cases: $(STAMP) $(NODE_STAMP)
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not heavy" --durations=10

test-all: $(STAMP) $(NODE_STAMP) lint types
	BIFOLIO_TEST_EXEC=1 BIFOLIO_TEST_FULL=1 $(BIN)/python -m pytest -n 4 --dist worksteal -o timeout=1800 --durations=10

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python benchmarks/results.py $(ARGUMENTS)

# The same work by other programs, in turns with ours: Yjs, Loro, y-websocket, Hocuspocus,
# pycrdt-websocket and pandoc, which are installed for it.
bench-peers: $(STAMP) $(PEERS_STAMP)
	$(BIN)/python benchmarks/results.py --peers $(ARGUMENTS)

# Names what costs more than benchmarks/budgets.toml lets it, of all or of those in ARGUMENTS.
bench-check: $(STAMP)
	$(BIN)/python benchmarks/check.py $(ARGUMENTS)

# Real files and other projects' cases, from outside: BIFOLIO_CORPORA and BIFOLIO_CONFORMANCE, by
# default ../shared/corpora and ../shared/conformance.
conformance: $(STAMP)
	$(BIN)/python -m conformance $(ARGUMENTS)

# Each target for a minute, or as ARGUMENTS say; atheris is an extra of its own, so that nobody
# needs its wheel who only runs the tests. Without it, Hypothesis draws.
fuzz: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]' || true
	$(BIN)/python -m tests.fuzz $(ARGUMENTS)

# Computers and relays in which everything goes wrong that may: 20,000 steps, or as ARGUMENTS say
# (--steps N --processes N; --seed S replays one run). Ends with 1 where a promise was broken.
simulate: $(STAMP)
	$(BIN)/python -m tests.simulation $(ARGUMENTS)

# kill -9 of commands and relays at random moments, on full disks (as root) and poor lines too: 1,000
# cycles, or as ARGUMENTS say (--cycles N --seed S). Ends with 1 where anything was lost.
crash: $(STAMP)
	$(BIN)/python -m tests.crash $(ARGUMENTS)

# The lock: exact versions of everything for every system, each with the hashes of its files.
lock:
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	printf 'hatchling\neditables\n' > .lock-venv/build.in
	.lock-venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--extra dev pyproject.toml .lock-venv/build.in --output-file requirements.lock
	rm -rf .lock-venv

$(STAMP): pyproject.toml requirements.lock
	@echo "Installing Bifolio and its tools into $(VENV); this takes about a minute, once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(NODE_STAMP): $(STAMP) tests/differential/package.json tests/differential/package-lock.json
	cd tests/differential && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --silent
	touch $@

$(PEERS_STAMP): $(STAMP) benchmarks/peers/package.json benchmarks/peers/package-lock.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[peers]'
	cd benchmarks/peers && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --omit=optional --no-audit --no-fund --silent
	touch $@

clean:
	rm -rf $(VENV) tests/differential/node_modules benchmarks/peers/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
