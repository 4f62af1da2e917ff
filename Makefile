# clusterbus.  `make help` lists the targets.
#
# All is made in build/$V; the variant V is release, SAN=asan or V=name.

# ---- what you may set: make CC=clang DEVELOPER=1 PREFIX=/usr ...
CC      = gcc
PREFIX  = /usr/local
DESTDIR =
N       = 8
V      := $(or $(V),$(SAN),release)
B      := build/$(V)
FUZZ_SECONDS = 20
SOAK    = 1000
T       =

# ---- flags
CSTD     = -std=c11 -D_GNU_SOURCE
WARN     = -Wall -Wextra -Wpedantic $(addprefix -W,shadow undef vla alloca \
	   pointer-arith cast-qual cast-align write-strings strict-prototypes \
	   old-style-definition missing-prototypes missing-declarations \
	   redundant-decls nested-externs format=2 implicit-fallthrough \
	   switch-enum conversion null-dereference double-promotion \
	   unused-macros date-time init-self declaration-after-statement)
GCC_WARN = $(addprefix -W,duplicated-cond duplicated-branches logical-op \
	   jump-misses-init format-signedness cast-align=strict)
X86_ONLY = -fstack-clash-protection -fcf-protection
HARDEN   = -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	   $(if $(filter x86_64 i%86,$(shell uname -m)),$(X86_ONLY))
LDHARDEN = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
OPT      = -O2 -g $(HARDEN)
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
WARN += $(if $(IS_CLANG),,$(GCC_WARN)) $(if $(DEVELOPER),-Werror)
# ---- variants
SANITIZE = -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	   -fno-sanitize-recover=all
ifneq ($(filter asan fuzz,$(V)),)
OPT   = -O1 $(SANITIZE) $(if $(filter fuzz,$(V)),-fsanitize=fuzzer-no-link)
LDOPT = $(SANITIZE)
else ifeq ($(V),coverage)
OPT   = -O0 -g --coverage
LDOPT = --coverage
endif
export ASAN_OPTIONS = detect_stack_use_after_return=1
# ---- libraries
PACKAGES  = libwebsockets libcjson libjwt libpcre2-8 openssl
PKG_FLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS      := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lev -ldl

INCLUDES    = -I. -Isrc -Iinclude -Itests/support
# Position independent for libclusterbus.so too; of the program's symbols only
# the public API is visible, to the applications that it loads.
ALL_CFLAGS  = $(CSTD) $(INCLUDES) $(PKG_FLAGS) $(WARN) -fPIC -fno-common \
	      -fvisibility=hidden $(OPT) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(LDHARDEN) $(LDOPT) $(LDFLAGS)
EXPORT      = -Wl,--export-dynamic-symbol=cbus_*
WHOLE       = -Wl,--whole-archive $(1) -Wl,--no-whole-archive

# ---- sources: a new file in one of these folders is taken by itself
DRIVER_SRCS := $(wildcard primary/sync/driver_*.c)
SRCS    := $(filter-out $(DRIVER_SRCS),$(sort $(wildcard src/*/*.c primary/*.c \
	   primary/*/*.c worker/*.c)))
ASSETS  := $(wildcard worker/web/assets.S)
WEB     := $(filter-out %.S,$(wildcard worker/web/*))
FAKES   := $(wildcard tests/support/fake_*.c tests/support/worker_*.c)
SUPPORT := $(filter-out $(FAKES),$(wildcard tests/support/*.c))
UNITS   := $(wildcard tests/unit/test_*.c)
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
OBJS    := $(SRCS:%.c=$(B)/%.o) $(ASSETS:%.S=$(B)/%.o)

# ---- the program
.DEFAULT_GOAL := all
include src/drivers.mk
all: $(B)/busctl drivers $(if $(filter release,$(V)),build/busctl)

build/busctl: build/release/busctl
	ln -f $< $@ 2>/dev/null || cp -f $< $@

$(B)/busctl: $(B)/src/main.o $(B)/libbus.a
	$(CC) $(ALL_LDFLAGS) $(EXPORT) -o $@ $< \
	    $(call WHOLE,$(B)/libbus.a) $(LIBS)

# All but main: tests take what they need, fakes of it first.
$(B)/libbus.a: $(OBJS)
$(B)/libfake.a: $(FAKES:%.c=$(B)/%.o)
$(B)/libbus.a $(B)/libfake.a:
	rm -f $@ && ar rcs $@ $^

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# ---- what a browser gets, inside the program, plain and compressed
$(B)/worker/web/assets.o: worker/web/assets.S $(WEB) \
    $(WEB:worker/web/%=$(B)/web/%.gz)
	@mkdir -p $(@D)
	$(CC) -I. -I$(B)/web -c -o $@ $<

$(B)/web/%.gz: worker/web/%
	@mkdir -p $(@D)
	gzip -9nc $< > $@

# ---- tests
WRAP = $(addprefix -Xlinker --wrap=,malloc calloc realloc strdup strndup)
RUN  = tests/run.py --build $(B) --only '$(T)'

$(B)/test_%: $(B)/tests/unit/test_%.o $(SUPPORT:%.c=$(B)/%.o) $(B)/libfake.a $(B)/libbus.a
	$(CC) $(ALL_LDFLAGS) $(WRAP) -o $@ $^ $(LIBS) -lcmocka

$(B)/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/libbus.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libbus.a
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

test-programs: $(UNITS:tests/unit/%.c=$(B)/%) \
    $(FUZZERS:tests/fuzz/fuzz_%.c=$(B)/replay_%)
check: deps-test
	@$(MAKE) --no-print-directory all libs test-programs
	@$(RUN) unit replay integration
unit: test-programs
	@$(RUN) unit replay
integration: all libs
	@$(RUN) integration
valgrind:
	@$(MAKE) --no-print-directory V=valgrind test-programs
	@tests/run.py --build build/valgrind --valgrind unit
fuzz:
	@$(MAKE) --no-print-directory V=fuzz CC=clang fuzz-programs
	@tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)
fuzz-programs: $(FUZZERS:tests/fuzz/%.c=$(B)/%)
soak: all
	@SOAK=$(SOAK) tests/run.py --build $(B) --only roll integration
bench: all
	tests/bench/run.py
lint: all
	@tests/lint.sh
coverage:
	@$(MAKE) --no-print-directory V=coverage all test-programs
	-@tests/run.py --build build/coverage unit replay integration
	@tests/coverage.py build/coverage
analyze:
	$(MAKE) V=analyze CC=gcc CFLAGS=-fanalyzer build/analyze/libbus.a
	clang --analyze --analyzer-output text $(CSTD) $(INCLUDES) \
	    $(PKG_FLAGS) $(SRCS) src/main.c
format:
	clang-format -i $$(git ls-files -co --exclude-standard '*.[ch]')

# ---- the two commands of the README
deps-build deps-test: deps-%:
	@tests/deps.sh $*
start: deps-build
	@$(MAKE) --no-print-directory all
	exec build/busctl start -n $(N)
include src/install.mk
clean:
	rm -rf build
help:
	@sed -n 's/^#: //p' Makefile
#: make              build/busctl       make start N=8    install, build, run
#: make check        every test         make unit         T=json: some of them
#: make integration  real buses         make lint         rules of the code
#: make SAN=asan X   X with sanitizers  make valgrind     the unit tests
#: make fuzz         FUZZ_SECONDS=20    make soak         SOAK=1000
#: make bench        against others     make coverage     a table per file
#: make libs         libclusterbus      make format       clang-format
#: make analyze      gcc and clang
#: make install      PREFIX, DESTDIR    make uninstall    make clean

.PHONY: all check unit integration valgrind fuzz soak bench lint coverage \
	analyze format start clean help deps-build deps-test
.SECONDARY .DELETE_ON_ERROR:
-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
