# Works with Python 3.11 or newer, pip and make; everything else is fetched.

PYTHON ?= python3
PORT ?= 8000
export PORT

UV_VERSION = 0.13.9
UV = .tools/bin/uv
export UV_SYSTEM_CERTS = 1
export UV_NO_PROGRESS = 1

BIN = .venv/bin
TOOLS_DONE = .tools/uv-$(UV_VERSION).done
VENV_DONE = .venv/created.done
RUN_DONE = .venv/requirements.done
TEST_DONE = .venv/requirements-dev.done
BENCH_DONE = .venv/requirements-bench.done

.DEFAULT_GOAL = help
.DELETE_ON_ERROR:
.PHONY: help run test torture bench lint browser lock clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN_DONE) ## Start everything with the demo organization (PORT=8000)
	@exec $(BIN)/python manage.py up --demo

test: $(TEST_DONE) browser lint ## Check the code and run every test
	$(BIN)/python -m tests.side_by_side

torture: $(TEST_DONE) ## Kill whatever runs, for long (KILLS=1000 SEED=… MINUTES=60)
	$(BIN)/python -m tests.faults.torture

bench: $(BENCH_DONE) ## Measure, beside what others would pick (BENCH="dispatch …")
	$(BIN)/python -m benchmarks $(BENCH)

lint: $(TEST_DONE) ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

browser: $(TEST_DONE)
	@$(BIN)/python -m tests.find_browser

LOCK = $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11

lock: $(TOOLS_DONE) ## Pin the newest versions that pyproject.toml allows
	$(LOCK) --upgrade --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	$(LOCK) --upgrade --custom-compile-command "make lock" --constraint requirements.txt pyproject.toml --group dev -o requirements-dev.txt
	$(LOCK) --upgrade --custom-compile-command "make lock" --constraint requirements-dev.txt pyproject.toml --group bench -o requirements-bench.txt

clean: ## Remove what was fetched and cached; the data in .local stay
	rm -rf .venv .tools .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(TOOLS_DONE):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: install a newer Python, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "$(PYTHON) has no pip: install it, on Debian with: apt-get install python3-pip" >&2; exit 1; }
	@rm -rf .tools
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .tools uv==$(UV_VERSION)
	@touch $@

# uv makes the environment, also where Python comes without its venv module.
$(VENV_DONE): $(TOOLS_DONE)
	@$(UV) venv --quiet --clear --no-python-downloads --python "$$(command -v $(PYTHON))" .venv
	@touch $@

$(RUN_DONE): requirements.txt $(VENV_DONE)
	@echo "Installing the locked dependencies…"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@touch $@

$(TEST_DONE): requirements-dev.txt $(VENV_DONE)
	@echo "Installing the locked dependencies, those of the tests too…"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

$(BENCH_DONE): requirements-bench.txt $(VENV_DONE)
	@echo "Installing the locked dependencies, those to compare with too…"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-bench.txt
	@touch $@
