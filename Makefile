# `make check` runs what CI runs. PYTHON is the interpreter of an environment with the extra `check` installed.
PYTHON ?= .venv/bin/python
BIN = $(dir $(PYTHON))

.PHONY: check lint types layers docs docs-fresh test test-oldest campaign mutation test-clients endpoints adopt bench bench-quick

check: lint types layers docs-fresh test

lint:
	$(BIN)ruff format --check .
	$(BIN)ruff check .

types:
	$(BIN)mypy

layers:
	$(BIN)lint-imports

docs:
	$(PYTHON) docs/generate.py

docs-fresh:
	$(PYTHON) docs/generate.py --check

test:
	$(BIN)pytest

# The oldest LiteLLM that the package declares, in an environment of its own.
test-oldest:
	rm -rf .venv-oldest
	python3 -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet --disable-pip-version-check -e '.[test]' -c tests/oldest.txt
	.venv-oldest/bin/pytest

# A thousand requests of every kind at once: nothing of them may be left. Thousands of plans keep their promises.
campaign:
	IMAGEGEN_MIXED_REQUESTS=1000 $(BIN)pytest -n 0 tests/proxy/test_bypass.py -k nothing_is_left
	IMAGEGEN_EXAMPLES=3000 $(BIN)pytest tests/unit/test_plan_properties.py tests/unit/test_dialects.py

# Every spelling is taken out of the dialects once: a test must notice. Two minutes.
mutation:
	$(PYTHON) -m tests.mutation

# Clients that are not ours: OpenAI's for Node, the AI SDK, LangChain, the programs of gateways' documents. Needs npm.
test-clients:
	cd tests/clients && npm install --no-package-lock --no-audit --no-fund --silent
	$(BIN)pip install --quiet --disable-pip-version-check -e '.[clients]'
	IMAGEGEN_CLIENTS=1 $(BIN)pytest -n 0 tests/clients

# Draws on every endpoint and writes docs/endpoints.md; the test suite checks it.
endpoints:
	IMAGEGEN_WRITE_ENDPOINTS=1 $(BIN)pytest -n 0 tests/proxy/test_endpoints.py

# Asks two proxies, without the callback and with it, and writes the table of docs/adopt.md; the suite checks it.
adopt:
	IMAGEGEN_WRITE_ADOPT=1 $(BIN)pytest -n 0 tests/proxy/test_adoption.py

# Minutes of measuring, written to docs/performance.md; the quick one takes under two and only prints.
bench:
	$(PYTHON) -m benchmarks.chat

bench-quick:
	$(PYTHON) -m benchmarks.chat --quick
