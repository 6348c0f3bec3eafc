# `make demo` and `make test` create .venv, install facedis into it and run; both work on a bare machine
# with Python 3.10 or newer. PYTHON=python3.12 chooses another one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
# The installation is editable, so that it is never older than the code.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --editable
BUNDLED := $$($(BIN)/python -c "from facedis.synthetic.bundled import folder; print(folder())")

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
	@echo "Look at:"
	@echo "  demo/swap.png                             two faces, reconstructed and with their expressions exchanged"
	@echo "  demo/runs/demo/eval-test/confusion.png    which expressions are taken for which"
	@echo "  demo/runs/demo/eval-test/result.json      every number of the evaluation"
	@echo "  demo/runs/demo/history.jsonl              losses and accuracies, epoch by epoch"

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/generate_commands.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf demo site build

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(INSTALL) .
	touch $@

$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	$(INSTALL) ".[$*]"
	touch $@
