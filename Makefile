# payhook: `make run` and `make test` need nothing but a Debian or Ubuntu machine.
BUILD ?= build
.PHONY: all run test bench soak fuzz check format clean install

all: $(BUILD)/payhook

# Set-up and build; both are quiet and quick when there is nothing to do.
.PHONY: $(BUILD)/payhook
$(BUILD)/payhook:
	@scripts/bootstrap build
	@scripts/build $(BUILD) payhook

run:
	@scripts/bootstrap run
	@$(MAKE) --no-print-directory $(BUILD)/payhook
	@scripts/demo $(BUILD)/payhook

test:
	@scripts/bootstrap
	@scripts/test

bench:
	@scripts/bootstrap
	@$(MAKE) --no-print-directory $(BUILD)/payhook
	@scripts/bench $(BUILD)

fuzz:
	@scripts/bootstrap
	@scripts/fuzz 30

# The long runs, some four hours: they leave dated notes in docs/notes.
soak:
	@scripts/bootstrap
	@scripts/fuzz 600 --note
	@scripts/build $(BUILD) payhook tests/test_inbox_faults
	@$(BUILD)/tests/test_inbox_faults 10000
	@PAYHOOK_BIN=$(CURDIR)/$(BUILD)/payhook tests/faults/kill9 500
	@scripts/soak-wire
	@scripts/soak-gateway --note

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

install: $(BUILD)/payhook
	@meson install -C $(BUILD)

clean:
	rm -rf build build-*
