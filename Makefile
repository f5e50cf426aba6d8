# make book · make test · make notebooks · make serve · make repository · make clean: see CONTRIBUTING.md.
PYTHON ?= python3
BIN := .venv/bin
NOTEBOOKS ?= $(wildcard book/*.ipynb)
BUILD := jupyter-book build book --config _config.yml --toc $(CURDIR)/_toc.yml --path-output . -W -n --keep-going

.PHONY: book test data notebooks serve repository clean

book: .venv/installed
	$(BIN)/$(BUILD)
	@echo "The book is built. Open $(CURDIR)/_build/html/index.html"

test: data
	$(BIN)/pytest

data: .venv/installed
	$(BIN)/python -m utils.data

# Run notebooks again and store what they print: make notebooks, or make notebooks NOTEBOOKS=book/02-sgd.ipynb
notebooks: data
	$(BIN)/jupyter nbconvert --to notebook --inplace --execute --config nbconvert_config.py $(NOTEBOOKS)

serve: book
	$(BIN)/python -m http.server --directory _build/html --bind 127.0.0.1 8000

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --requirement requirements.txt
	@touch $@

# Point every badge, link and set-up cell at another repository: make repository URL=https://github.com/you/course
repository: .venv/installed
	$(BIN)/python -m tools.repository $(URL)
