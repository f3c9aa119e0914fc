# One command for each thing one does with the project; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$python && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
MODULE := envoy/module/libtrio2o_known_ids.so
SAY := @printf '\033[1m== %s\033[0m\n'
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# The second cloud has its own name for its zone, as clouds do.
export TRIO2O_PODS_INNER_AZS ?= az1 nova

.PHONY: help venv pods pods-down demo demo-down test lint unit tempest suites bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

venv: $(STAMP) ## install the project and its tools into .venv

$(STAMP): pyproject.toml $(wildcard protos/*.proto protos/*.py envoy/module/*.[ch] envoy/module/*.py)
	@[ -n "$(PYTHON)" ] || { echo "error: no Python 3.11 or newer found; set PYTHON=…" >&2; exit 1; }
	@tests/python-venv "$(PYTHON)"
	@tests/c-compiler
	$(SAY) "installing into .venv"
	@[ -x $(BIN)/python ] || "$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install -q -U pip
	@$(BIN)/python -m pip install -q -e '.[envoy,dev]'
	@[ -e $(MODULE) ] || echo "== without $(MODULE): known ids are decided in Lua"
	@touch $@

pods: ## start Keystone and two real OpenStack clouds
	@[ -n "$(PYTHON)" ] || { echo "error: no Python 3.11 or newer found; set PYTHON=…" >&2; exit 1; }
	@tests/python-venv "$(PYTHON)"
	@"$(PYTHON)" -m tests.openstack up 2

pods-down: ## stop them
	@"$(PYTHON)" -m tests.openstack down

demo: venv ## start everything and walk through it with the real client
	@"$(PYTHON)" -m tests.demo up

demo-down: ## stop what the demo left up
	@"$(PYTHON)" -m tests.demo down

lint: venv ## ruff, mypy, import-linter, deptry
	$(SAY) "ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(SAY) "mypy"
	@$(BIN)/mypy
	@$(BIN)/mypy tests/openstack tests/demo tests/integration tests/contract
	$(SAY) "import-linter"
	@$(BIN)/lint-imports --no-logo
	$(SAY) "deptry"
	@$(BIN)/deptry control_plane

unit: venv ## the tests that need neither Envoy nor OpenStack
	@$(BIN)/python -m pytest -m "not envoy and not openstack"

test: lint ## everything: lint, unit tests, Envoy, real OpenStack
	@tests/everything "$(PYTHON)" $(BIN)/python

# TEMPEST_REGEX narrows it, TEMPEST_ARGS="--again" runs the straight part anew.
TEMPEST_REGEX ?= ^tempest\.api\.(compute|volume)\.
tempest: venv ## tempest straight at a pod, then through the gateway, and what differs
	@"$(PYTHON)" -m tests.openstack.tempest --regex '$(TEMPEST_REGEX)' $(TEMPEST_ARGS)

# SUITES="sdk" runs one, SUITES_ARGS="--regex X" a part of each.
SUITES ?= sdk nova cinder osc
suites: venv ## the clients' own functional tests, likewise
	@status=0; for suite in $(SUITES); do \
	"$(PYTHON)" -m tests.openstack suites "$$suite" $(SUITES_ARGS) || status=1; done; exit $$status

bench: venv ## measure; BENCH=lists runs one, SCALE='--rounds 9' sets sizes
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || $(BIN)/python -m pip install -q -e '.[bench]'
	@$(BIN)/python -m tests.bench $(BENCH) $(SCALE)

clean: ## remove .venv and what tools left behind
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
