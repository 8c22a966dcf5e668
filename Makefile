# Each target sets up what it needs: on a fresh machine `make demo` or `make test` is the first command.
# Needed beforehand: Python 3.11 or newer with venv. Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SEEDS  ?= 10000
FIRST  ?= 0
CALLS  ?= 200000
SUITE  ?= quick

# What tests alone or with many others shows the same; a quick run leaves out what takes long, and tries fewer examples.
ONLY_quick := -m "not slow and not long" --hypothesis-profile=quick
ONLY_all   := -m "not long"

# Tests of the project rather than of the product: part of `make check`.
RULES := tests/project/test_house_rules.py tests/project/test_packaging.py

.PHONY: help demo test long check lint types storeys rules scenarios coverage browser browser-speed clients spec seeds teeth fuzz drains kills pictures package-index docs \
  bench bench-check bench-ray clean

help:
	@echo 'make demo       watch a cluster drain'
	@echo 'make test       run the tests that are quick, three minutes on two processors; SUITE=all runs the slow ones, too'
	@echo 'make long       the tests that take longest, half an hour or so'
	@echo 'make check      lint, types, storeys, house rules, what of Mesos is reproduced: one target each'
	@echo 'make scenarios  how many of the Mesos scenarios are reproduced, per area'
	@echo 'make coverage   run the tests and say which lines of the product none of them has run'
	@echo 'make browser    the page of a run in a real browser: Debian has it as chromium and chromium-driver'
	@echo 'make browser-speed  how fast that page is, on a machine that does nothing else'
	@echo 'make clients    pymesos, mesoshttp, avmesos, mesos-framework and curl against a real cluster, over HTTP'
	@echo 'make spec       which statements of docs/spec a test cites, by section'
	@echo 'make seeds      10,000 random clusters under checkers that are always on: SEEDS=500 for fewer, FIRST=10000 for others'
	@echo 'make teeth      plant every mistake of tests/seeds/mistakes, and say after how many seeds a checker finds it'
	@echo 'make fuzz       200,000 calls of the public face, and as many HTTP requests, with what nobody should give it'
	@echo 'make drains     1,000 drains in a row of an agent with processes and executors that do not want to go'
	@echo 'make kills      100 processes killed with a cluster in them, each followed by a second life in its folder'
	@echo 'make pictures   draw the pictures of the README anew, from a run and from the import contracts'
	@echo 'make package-index  the README as a package index shows it, after a change of the README'
	@echo 'make docs       the documentation site, into build/site; fails where a link leads nowhere'
	@echo 'make bench      measure all, 20 minutes or so; docs/performance.md says what'
	@echo 'make bench-check  has something become slower than recorded: ratios only, half a minute'
	@echo 'make bench-ray  the commands beside Ray, too, which this installs'
	@echo 'make clean      remove the virtual environment and everything generated'

demo: $(VENV)/installed-demo
	$(BIN)/python demo.py

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -q -n auto $(ONLY_$(SUITE)) $(patsubst %,--ignore=%,$(RULES))

long: $(VENV)/installed-test
	$(BIN)/python -m pytest -q -n auto -m long

# `make --keep-going check` does not stop at the first part that finds something.
check: lint types storeys rules scenarios spec

lint: $(VENV)/installed-check
	$(BIN)/ruff check .

types: $(VENV)/installed-check
	$(BIN)/mypy

storeys: $(VENV)/installed-check
	$(BIN)/lint-imports

rules: $(VENV)/installed-check
	$(BIN)/python -m pytest -q -n auto --dist=loadfile $(RULES)

# With the same packages as the other parts of `make check`: what is installed while one of them runs would break it.
scenarios: $(VENV)/installed-check
	$(BIN)/python tests/scenarios/report.py

coverage: $(VENV)/installed-coverage
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Pictures of every run, to be looked at, are in build/pages afterwards.
browser: $(VENV)/installed-browser
	$(BIN)/python -m pytest -q -n auto tests/browser --ignore=tests/browser/test_speed.py

browser-speed: $(VENV)/installed-browser
	$(BIN)/python -m pytest -q -s tests/browser/test_speed.py

# Each client has an environment of its own, under .venv-clients; needed are Python 3.11, for pymesos, and Node.
clients: $(VENV)/installed-test
	$(BIN)/python -m tests.clients.environments
	$(BIN)/python -m pytest -q -n auto tests/clients

spec: $(VENV)/installed-check
	$(BIN)/python -m tests.spec_coverage

seeds: $(VENV)/installed-test
	$(BIN)/python -m tests.seeds --seeds $(SEEDS) --first $(FIRST) --processes 2

teeth: $(VENV)/installed-test
	$(BIN)/python -m tests.seeds.teeth --seeds 2000 --processes 2

fuzz: $(VENV)/installed-test
	$(BIN)/python -m tests.fuzz --calls $(CALLS)
	$(BIN)/python -m tests.fuzz.http --requests $(CALLS)

drains: $(VENV)/installed-test
	$(BIN)/python -m tests.cluster.drains --drains 1000

kills: $(VENV)/installed-test
	$(BIN)/python -m tests.cluster.kills --kills 100

pictures: $(VENV)/installed-test
	$(BIN)/python -m pages.pictures

package-index: $(VENV)/installed-test
	$(BIN)/python -m pages.package_index

docs: $(VENV)/installed-docs
	$(BIN)/python -m mkdocs build --strict

bench: $(VENV)/installed-bench
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.check --record

bench-check: $(VENV)/installed-bench
	$(BIN)/python -m benchmarks.check

bench-ray: $(VENV)/installed-ray
	$(BIN)/python -m benchmarks commands

clean:
	rm -rf $(VENV) .venv-clients build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage*

# --- set-up: a stamp per set of packages, renewed only when the project's metadata changes ---

$(VENV)/installed-demo:     extras := [demo]
$(VENV)/installed-test:     extras := [test]
$(VENV)/installed-check:    extras := [test,check]
$(VENV)/installed-coverage: extras := [test,coverage]
$(VENV)/installed-browser:  extras := [test,browser]
$(VENV)/installed-docs:     extras := [docs]
$(VENV)/installed-bench:    extras := [test,bench]
$(VENV)/installed-ray:      extras := [test,bench,ray]

$(VENV)/installed-%: setup.cfg pyproject.toml $(VENV)/created
	$(BIN)/python -m pip install --quiet --editable '.$(extras)'
	@touch $@

$(VENV)/created:
	@command -v $(PYTHON) >/dev/null || { \
	  echo 'There is no $(PYTHON) here. Mesolite needs Python 3.11 or newer.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Mesolite needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; \
	  echo 'Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo 'Python could not make a virtual environment; Debian and Ubuntu ship that apart, as python3-venv.' >&2; \
	  exit 1; }
	@touch $@
