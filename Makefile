# make setup   .venv with a working .venv/bin/dss-search
# make demo    setup, then ingest sample photos, ask three queries, write previews and a contact sheet into demo/
# make test    setup, then every check: format, lint, types, tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DSS := $(BIN)/dss-search
DEMO := demo
TORCH := $(shell sed -n 's/^torch==//p' constraints.txt)
# PyTorch's own index of CPU builds, asked only when pip's usual places have none.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: setup demo test docs clean

setup: $(VENV)/.done

$(VENV)/.done: pyproject.toml constraints.txt Makefile
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	@# The CPU build first: whatever else asks for torch would bring gigabytes of CUDA. Systems that have one build only have no "+cpu".
	$(BIN)/python -m pip install --quiet -c constraints.txt "torch==$(TORCH)+cpu" \
		|| $(BIN)/python -m pip install --quiet -c constraints.txt --extra-index-url $(TORCH_CPU_INDEX) "torch==$(TORCH)+cpu" \
		|| $(BIN)/python -m pip install --quiet -c constraints.txt "torch==$(TORCH)"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[demo,dev]"
	touch $@

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

test: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal

docs: setup
	$(BIN)/python -m dsslic_search.cli.reference > docs/cli.md

clean:
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis
