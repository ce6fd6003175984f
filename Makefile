# Words: build test demo evidence studies pretrain-default parity format lint docs goldens bench bench-quick reliability clean
# `make` alone lists them.

# One configuration for the binary and the tests, so that nothing is built twice.
FLAGS  := -c release
BANYAN := .build/release/banyan
PYTHON := .deps/venv/bin/python
# Waiting threads sleep; see Documentation/Decisions.md.
export OMP_WAIT_POLICY ?= passive

OUTPUT ?= runs/demo
# More options of `make bench`: BENCH=--resume goes on where a run was stopped.
BENCH ?=

.PHONY: help reliability bootstrap build test parity format lint docs goldens bench bench-quick demo evidence studies pretrain-default clean venv

help:
	@echo "make demo     build, then zero-shot, CoOp, CoOp-MT and HiPro on a drawn world with the CLIP that ships (OUTPUT=$(OUTPUT))"
	@echo "make build    fetch what is missing, then build everything (release)"
	@echo "make test     the same, then run all tests"
	@echo "make parity   compare full-size towers with transformers, on random ViT-B/16 and B/32 checkpoints"
	@echo "make format   format the sources in place"
	@echo "make lint     check formatting and style"
	@echo "make docs     build the DocC pages of every library into .build-docs/"
	@echo "make goldens  make the golden data again with pinned torch and transformers; it must not change"
	@echo "make bench    time Banyan against PyTorch with transformers, both in one run (an hour and a half)"
	@echo "make bench-quick  the same with a smaller tower and two rounds (minutes)"
	@echo "make reliability  everything that tries to break Banyan (PARTS=\"kills places\" for some; hours for all)"
	@echo "make evidence the tables of Documentation/Evidence.md (an hour)"
	@echo "make studies  the tables of grafts (Documentation/Relations.md) and of drift (Documentation/Service.md); hours"
	@echo "make pretrain-default  make the CLIP that ships again"
	@echo "make clean    remove what was built (not .deps/)"

bootstrap:
	@scripts/bootstrap

build: bootstrap
	swift build $(FLAGS)

# Every arrow between targets must be declared in Package.swift.
TESTS := swift build $(FLAGS) --build-tests --explicit-target-dependency-import-check error

# Real readers of what Banyan writes, in a folder that nothing else sees.
CHECKS := .deps/checks
$(CHECKS)/stamp: Tools/checks/requirements.txt scripts/bootstrap-checks | bootstrap
	scripts/bootstrap-checks

test: bootstrap venv $(CHECKS)/stamp
	$(TESTS)
	PYTHONPATH=$(CURDIR)/$(CHECKS) BANYAN_CHECKS_PYTHON=$(CURDIR)/$(PYTHON) \
	  BANYAN_CHROMIUM=$$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
	  swift test $(FLAGS) --skip-build --disable-xctest

parity: bootstrap venv
	$(PYTHON) Tools/parity/build_checkpoint.py .deps/parity/b16 --vision b16
	$(PYTHON) Tools/parity/build_checkpoint.py .deps/parity/b32 --vision b32
	$(TESTS)
	BANYAN_PARITY=$(CURDIR)/.deps/parity swift test $(FLAGS) --skip-build --disable-xctest --filter Parity

format:
	swift format --in-place --recursive Package.swift Sources Tests Benchmarks Fuzzing

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Fuzzing

docs: bootstrap
	scripts/docs

goldens: venv .deps/torchvision
	$(PYTHON) Tools/goldens/generate.py
	git diff --exit-code --stat -- Tests/Goldens

# Apart from the environment: transformers would use it, and its wheel wants an accelerator.
.deps/torchvision: | venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --target $@ torchvision==0.28.0

bench: build venv
	env -u OMP_WAIT_POLICY $(BANYAN)-bench --record runs/bench.json --markdown runs/bench.md $(BENCH)

bench-quick: build venv
	env -u OMP_WAIT_POLICY $(BANYAN)-bench --quick

# Parts of `make reliability`: kills places damage service fuzz address thread; all where none is named.
PARTS ?=
reliability: build venv $(CHECKS)/stamp
	scripts/reliability $(PARTS)

demo: build
	$(BANYAN) demo --output $(OUTPUT)

evidence: build
	python3 Tools/evidence/evidence.py run
	python3 Tools/evidence/evidence.py tables

studies: build
	python3 Tools/evidence/graft.py run --seeds 1,2
	python3 Tools/evidence/drift.py run --worlds 12
	python3 Tools/evidence/graft.py tables --seeds 1,2
	python3 Tools/evidence/drift.py tables

pretrain-default: build
	scripts/pretrain-default

clean:
	rm -rf .build .build-docs .build-fuzz .build-address .build-thread

# Pinned torch and transformers: for goldens, parity, and the tests that read exports.
venv: .deps/venv/stamp
.deps/venv/stamp: Tools/goldens/requirements.txt
	python3 -m venv .deps/venv
	.deps/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@
