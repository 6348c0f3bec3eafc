# `make demo` and `make test` create .venv, install facedis into it and run. Both need only Python 3.10 or newer;
# PYTHON=python3.12 selects another interpreter.
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
# Editable, so that the installed package never differs from the source tree.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --editable
BUNDLED := $$($(BIN)/python -c "from facedis.synthetic.bundled import unpack; print(unpack())")

.PHONY: demo test lint docs clean

demo: $(VENV)/.installed
	mkdir -p demo
	cd demo && $(BIN)/facedis align
	cd demo && if [ ! -f runs/demo/run.json ]; then $(BIN)/facedis train --beta1 0 --name demo; \
	  elif [ ! -f runs/demo/model.safetensors ]; then $(BIN)/facedis train --resume runs/demo; fi
	cd demo && $(BIN)/facedis eval --model runs/demo --split test
	cp "$(BUNDLED)/person0160_happiness_0.webp" demo/x1.webp
	cp "$(BUNDLED)/person0170_surprise_0.webp" demo/x2.webp
	cd demo && $(BIN)/facedis similarity --model runs/demo x1.webp x2.webp
	cd demo && $(BIN)/facedis swap --model runs/demo x1.webp x2.webp -o swap.png
	@echo
	@echo "Results:"
	@echo "  demo/swap.png                             two faces, reconstructed and with their expressions swapped"
	@echo "  demo/runs/demo/eval-test/confusion.png    confusion matrix on the test split"
	@echo "  demo/runs/demo/eval-test/result.json      all numbers of the evaluation"
	@echo "  demo/runs/demo/history.jsonl              losses and accuracies per epoch"

# ARGS="-n 0 -x tests/model" runs a part of the suite in one process.
test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy --strict examples/python_api.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/generate_commands.py
	$(BIN)/python docs/generate_checks.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf demo site build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(INSTALL) .
	touch $@

$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	$(INSTALL) ".[$*]"
	touch $@
