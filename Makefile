# SPDX-License-Identifier: MIT
# A short front to Meson and the scripts. `make help` lists what there is.

BUILD = build
SANITIZED = build-sanitize
RELEASE = build-release
BUILDTYPE = debugoptimized
PREFIX = /usr/local
SUITES =
ROUNDS = 5
ONLY =
ARGS =
T = 60
TARGETS =
SAMPLE = 300

sanitizers = -Db_sanitize='address,undefined' \
	-Dc_args='-fno-sanitize-recover=all -fno-omit-frame-pointer'
suites = $(addprefix --suite=,$(SUITES))

# What a command says is of interest only when it fails.
quietly = log=$$(mktemp); $(1) >$$log 2>&1 || { cat $$log; rm -f $$log; exit 1; }; rm -f $$log

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@scripts/setup build
	@$(call quietly,meson setup $(BUILD) --buildtype=$(BUILDTYPE))

demo:
	@scripts/setup build demo
	@$(MAKE) --no-print-directory all
	@$(BUILD)/parley demo $(ARGS)

test:
	@scripts/setup build test
	@$(MAKE) --no-print-directory all
	@scripts/testsum --run $(BUILD) $(suites) $(ARGS)

check:
	@scripts/setup build check
	@scripts/verify

sanitize: $(SANITIZED)/build.ninja
	@scripts/setup test
	@ninja -C $(SANITIZED)
	@ASAN_OPTIONS=abort_on_error=0:detect_stack_use_after_return=1 \
		UBSAN_OPTIONS=print_stacktrace=1 \
		scripts/testsum --run $(SANITIZED) --timeout-multiplier=6 $(suites) $(ARGS)

$(SANITIZED)/build.ninja:
	@scripts/setup build sanitize
	@$(call quietly,meson setup $(SANITIZED) -Db_lundef=false $(sanitizers))

install: $(RELEASE)/build.ninja
	@meson configure $(RELEASE) -Dprefix=$(abspath $(PREFIX))
	@$(call quietly,ninja -C $(RELEASE))
	@meson install -C $(RELEASE) --no-rebuild --quiet

bench: $(RELEASE)/build.ninja
	@scripts/setup build
	@$(call quietly,ninja -C $(RELEASE) bench/parley-bench)
	@$(RELEASE)/bench/parley-bench --rounds $(ROUNDS) --only '$(ONLY)' \
		--text $(RELEASE)/bench.txt --json $(RELEASE)/bench.json $(ARGS)

$(RELEASE)/build.ninja:
	@scripts/setup build
	@$(call quietly,meson setup $(RELEASE) --buildtype=release -Db_lto=true -Dtests=false)

fuzz:
	@scripts/setup build fuzz
	@scripts/fuzz run $(T) $(TARGETS)

fuzz-coverage:
	@scripts/setup build fuzz
	@scripts/fuzz coverage $(TARGETS)

mutants:
	@scripts/setup build
	@scripts/mutants --sample $(SAMPLE) $(ARGS)

clean:
	@rm -rf $(BUILD) $(BUILD)-*

help:
	@echo 'make            build the library and the command in $(BUILD)/ (BUILDTYPE=release)'
	@echo 'make demo       watch curl fetch a file over two Parley hosts; ARGS="--loss 5"'
	@echo 'make test       build, run all tests; SUITES="base wire" for some of them'
	@echo 'make check      rules, format, requirements, warnings as errors with gcc and clang'
	@echo 'make sanitize   run the tests under AddressSanitizer and UBSan; SUITES= as above'
	@echo 'make bench      release build, measured side by side; ROUNDS=5 ONLY=bulk,trip'
	@echo 'make fuzz       search with each fuzzer for T seconds (60); TARGETS="tcp host"'
	@echo 'make fuzz-coverage  the lines of the engine that the corpora of the fuzzers reach'
	@echo 'make mutants    do the tests notice changes of the engine? SAMPLE=300'
	@echo 'make install    a release build, into PREFIX ($(PREFIX)), below DESTDIR'
	@echo 'make clean      remove what was built'
	@echo 'make demo, test and check install what they need (scripts/setup)'

.PHONY: all demo test check sanitize bench fuzz fuzz-coverage mutants install clean help
