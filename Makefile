# make book · epub · pdf · quick · test · test-colab · test-colab-korean · test-matrix · test-mutation · notebooks · times · catalogues · korean · serve · repository ·
# clean: see CONTRIBUTING.md.
PYTHON ?= python3
BIN := .venv/bin
NOTEBOOKS ?= $(wildcard book/*.ipynb book/deeper/*.ipynb book/solutions/*.ipynb)

.PHONY: book epub pdf quick test test-colab test-colab-korean test-matrix test-mutation data notebooks times catalogues korean serve repository clean

book: .venv/installed
	$(BIN)/python -m tools.build
	@echo "The book is built. Open $(CURDIR)/_build/html/index.html"

# The book as EPUB, in both languages; home pages link it if the site is built before or afterwards
epub: .venv/installed
	$(BIN)/python -m tools.epub

# The book as PDF, in both languages, which the home pages then link. Needs Chromium, and a font with Hangul
pdf: book
	$(BIN)/python -m tools.pdf

# What needs neither a browser, nor the built book, a notebook's kernel, or Keras: for those who edit, within a minute
quick: .venv/installed
	$(BIN)/pytest tests -m "not slow"

test: data
	$(BIN)/pytest

# Every notebook alone, with Colab's versions. One of them: make test-colab NOTEBOOKS=book/02-sgd.ipynb
test-colab: data .venv-colab/installed
	$(BIN)/python -m tools.colab $(NOTEBOOKS)

# The same for the Korean notebooks, which are named as the English ones
test-colab-korean: korean data .venv-colab/installed
	$(BIN)/python -m tools.colab $(addprefix _build/ko-source/,$(NOTEBOOKS))

# The notebooks' tests as on other machines. Some: make test-matrix ENVIRONMENTS="avx2 one-thread" NOTEBOOKS=…
test-matrix: data
	$(BIN)/python -m tools.matrix $(NOTEBOOKS) $(if $(ENVIRONMENTS),--environments $(ENVIRONMENTS))

# Break the helpers on purpose: do their tests notice? Some: make test-mutation MODULES="optimizers surfaces"
test-mutation: .venv/installed
	$(BIN)/python -m tools.mutation $(MODULES)

data: .venv/installed
	$(BIN)/python -m utils.data

# Run notebooks again and store what they print: make notebooks, or make notebooks NOTEBOOKS=book/02-sgd.ipynb
notebooks: data
	$(BIN)/jupyter nbconvert --to notebook --inplace --execute --config nbconvert_config.py $(NOTEBOOKS)

# Compute how long each page takes to read, and write it wherever it is stated
times: .venv/installed
	$(BIN)/python -m tools.reading_time --write

# Bring the catalogues of the Korean edition up to date, and make those named: make catalogues PAGES="02-sgd utils/quiz/02-sgd"
catalogues: .venv/installed
	$(BIN)/python -m tools.catalogues $(PAGES)

# Write the Korean notebooks, of all pages
korean: .venv/installed
	$(BIN)/python -m tools.korean --all

serve: book
	$(BIN)/python -m http.server --directory _build/html --bind 127.0.0.1 8000

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --requirement requirements.txt
	@touch $@

.venv-colab/installed: requirements-colab.txt
	$(PYTHON) -m venv --clear .venv-colab
	.venv-colab/bin/pip install --quiet --requirement requirements-colab.txt
	@touch $@

# Point every badge, link and set-up cell at another repository: make repository URL=https://github.com/you/course
repository: .venv/installed
	$(BIN)/python -m tools.repository $(URL)
