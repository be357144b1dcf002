# payhook: `make run` and `make test` need nothing but a Debian or Ubuntu machine.
BUILD ?= build
.PHONY: all run test bench soak fuzz check format clean install release

all: $(BUILD)/payhook

# Set-up and build; both are quiet and quick when there is nothing to do.
.PHONY: $(BUILD)/payhook
$(BUILD)/payhook:
	@scripts/bootstrap build
	@scripts/build $(BUILD) payhook

# Built for what a first build was seen doing: `make install BUILD=build-release` installs it.
release:
	@scripts/bootstrap
	@scripts/release build-release

run:
	@scripts/bootstrap run
	@$(MAKE) --no-print-directory $(BUILD)/payhook
	@scripts/demo $(BUILD)/payhook

test:
	@scripts/bootstrap
	@scripts/test

# Of what is installed, unless BUILD says otherwise.
bench:
	@scripts/bootstrap
	@[ "$(BUILD)" != build ] || scripts/release build-release
	@scripts/bench $(if $(filter build,$(BUILD)),build-release,$(BUILD))

fuzz:
	@scripts/bootstrap
	@scripts/fuzz 30

# The long runs, some four hours: they leave dated notes in docs/notes.
soak:
	@scripts/bootstrap
	@scripts/fuzz 600 --note
	@BUILD=$(BUILD) scripts/soak-power --note
	@scripts/soak-wire
	@scripts/soak-gateway --note

format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

# PREFIX=/usr, DESTDIR=FOLDER: as everywhere.
PREFIX ?= /usr/local
install: $(BUILD)/payhook
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@scripts/build $(BUILD) installed
	@DESTDIR=$(abspath $(DESTDIR)) meson install --no-rebuild -C $(BUILD)

clean:
	rm -rf build build-*
