# Two commands matter: `make run` and `make test`. Both install what they need into .venv first.
#
#   make run                      simulated matches through the whole graph, then API and Dagster UI
#   make run DATA=path            the same on real matches
#   make run ONCE=1               stop after the summary
#   make run MATCHES=20 SEED=7    how many simulated matches, and which
#   make test [ARGS="-k name"]    every test
#   make lint                     ruff, format check, mypy

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := run
.PHONY: run test lint install clean

run: $(STAMP)
	@$(BIN)/esports run $(if $(DATA),--data "$(DATA)") $(if $(filter 1 yes true,$(ONCE)),--once) \
		$(if $(MATCHES),--matches $(MATCHES)) $(if $(SEED),--seed $(SEED))

test: $(STAMP)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml .ci/install
	@PYTHON="$(PYTHON)" sh .ci/install $(VENV)
	@touch $(STAMP)

clean:
	@if [ -x $(BIN)/esports ]; then $(BIN)/esports down; fi
	rm -rf $(VENV)
