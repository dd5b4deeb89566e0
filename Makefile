# overbook - one Makefile, explicit lists.  make [all|check|lint|coverage|bench|install|…], SANITIZER=address|undefined|thread

CC       ?= cc
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
SANITIZER ?=
WERROR   ?=

FLAVOUR := $(if $(COVERAGE),coverage,$(if $(SANITIZER),$(SANITIZER),release))
B       ?= build/$(FLAVOUR)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla $(if $(WERROR),-Werror)
PKGS     := libpq libfiu yaml-0.1 jansson libxml-2.0 libcrypto
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   := $(shell pkg-config --libs $(PKGS))

OB_CPPFLAGS := -D_GNU_SOURCE -DFIU_ENABLE -Iharness -Ireports -Ireference/include -Ireference/src $(PKG_CFLAGS)
OB_CFLAGS   := -std=c11 -pthread $(WARNINGS) $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer) \
               $(if $(COVERAGE),--coverage -O0)
OB_LDFLAGS  := -pthread $(if $(SANITIZER),-fsanitize=$(SANITIZER)) $(if $(COVERAGE),--coverage)
OB_LIBS     := $(PKG_LIBS)

# --- base
BASE_SRCS := harness/base/error.c harness/base/alloc.c harness/base/buf.c harness/base/rng.c harness/base/digest.c \
             harness/base/parse.c
BASE_UNIT_TESTS := test_error test_alloc test_buf test_rng test_digest test_parse

# --- engine, explore, repro, target, fault, cli
ENGINE_SRCS := harness/engine/schedule.c harness/engine/trace.c harness/engine/trace_text.c harness/engine/client.c \
               harness/engine/settle.c harness/engine/record.c harness/engine/run.c harness/engine/free.c
ENGINE_UNIT_TESTS :=
ENGINE_SERVER_TESTS :=

# --- pg
PG_SRCS :=
PG_UNIT_TESTS :=
PG_SERVER_TESTS :=

# --- scenario
SCENARIO_SRCS :=
SCENARIO_UNIT_TESTS :=
SCENARIO_FUZZERS :=

# --- check
CHECK_SRCS :=
CHECK_UNIT_TESTS :=
CHECK_SERVER_TESTS :=

# --- reports
REPORT_SRCS :=
REPORT_UNIT_TESTS :=

# --- reference
REF_SRCS :=
REF_TOOLS :=
REF_UNIT_TESTS :=
REF_SERVER_TESTS :=

# --- what is built
HARNESS_SRCS := $(BASE_SRCS) $(ENGINE_SRCS) $(PG_SRCS) $(SCENARIO_SRCS) $(CHECK_SRCS) $(REPORT_SRCS)
HARNESS_OBJS := $(HARNESS_SRCS:%.c=$B/%.o)
REF_OBJS     := $(REF_SRCS:%.c=$B/%.o)
UNIT_TESTS   := $(BASE_UNIT_TESTS) $(ENGINE_UNIT_TESTS) $(PG_UNIT_TESTS) $(SCENARIO_UNIT_TESTS) $(CHECK_UNIT_TESTS) \
                $(REPORT_UNIT_TESTS)
SERVER_TESTS := $(PG_SERVER_TESTS) $(CHECK_SERVER_TESTS) $(ENGINE_SERVER_TESTS)

.PHONY: all check unit
all: $B/liboverbook.a $B/libbooking.a

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(OB_CPPFLAGS) $(CPPFLAGS) $(OB_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$B/liboverbook.a: $(HARNESS_OBJS)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$B/libbooking.a: $(REF_OBJS)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$B/unit/%: $B/harness/tests/unit/%.o $B/liboverbook.a $B/libbooking.a
	@mkdir -p $(@D)
	$(CC) $(OB_LDFLAGS) $(LDFLAGS) -o $@ $^ $(OB_LIBS) -lcmocka $(LIBS)

$B/integration/%: $B/harness/tests/integration/%.o $B/liboverbook.a $B/libbooking.a
	@mkdir -p $(@D)
	$(CC) $(OB_LDFLAGS) $(LDFLAGS) -o $@ $^ $(OB_LIBS) -lcmocka $(LIBS)

unit: $(UNIT_TESTS:%=$B/unit/%)
	@set -e; for t in $^; do echo "== $$t"; $$t; done

-include $(HARNESS_OBJS:.o=.d) $(REF_OBJS:.o=.d)
