# overbook: the one Makefile, not recursive but for builds of another flavour; every list is explicit.
#
#   make                     libraries, overbook and the reference's tools, in build/release
#   make check               unit tests, tests on a throwaway server, golden tests
#   make check-servers       the tests on a server, on each of the servers of script/servers.txt
#   make bless               take the golden tests' output for what is expected
#   make conformance         2000 random specs against PostgreSQL's isolationtester
#   make determinism         1000 random tokens over all scenarios, replayed twice
#   make mutants             wrong versions of the flow and the invariants: who notices
#   make rollout-docs        whether docs/rollout.md says what the command does
#   make which-fix           the tables of docs/which-fix.md, made anew
#   make soundness           2000 random programs: dpor against all schedules
#   make lint coverage bench fuzz check-valgrind format dist install uninstall clean
#   SANITIZER=address|undefined|thread (or several, with commas)   another flavour, in build/FLAVOUR
#   WERROR=1                 warnings are errors
#   B=DIR                    build in DIR
#
# CC, CFLAGS, CPPFLAGS, LDFLAGS, LDLIBS, PREFIX and DESTDIR are the user's.

CC        ?= cc
CFLAGS    ?= -O2 -g
PREFIX    ?= /usr/local
SANITIZER ?=
WERROR    ?=
FUZZ_SECONDS ?= 10

FLAVOUR := $(if $(COVERAGE),coverage,$(if $(SANITIZER),$(SANITIZER),release))
B       ?= build/$(FLAVOUR)

# Sanitizers make the compiler see paths that are not there, so there warnings cannot be errors.
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla \
            $(if $(SANITIZER),,$(if $(WERROR),-Werror))
PKGS       := libpq libfiu yaml-0.1 jansson libxml-2.0 libcrypto libprotobuf-c
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
ifeq ($(PKG_LIBS)$(filter clean format dist uninstall,$(MAKECMDGOALS)),)
$(error Some of $(PKGS) are missing. script/bootstrap installs them)
endif

# Assertions are on in every build, also under a CPPFLAGS that would turn them off.
INCLUDES    := -Iharness -Ireports -Ireference/include -Ireference/src
OB_CPPFLAGS := -D_GNU_SOURCE -DFIU_ENABLE $(INCLUDES) $(PKG_CFLAGS)
OB_CFLAGS   := -std=c11 -pthread -UNDEBUG $(WARNINGS) \
               $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-sanitize-recover=all \
                                 -fno-omit-frame-pointer) \
               $(if $(COVERAGE),--coverage -fprofile-update=atomic -O0)
OB_LDFLAGS  := -pthread $(if $(SANITIZER),-fsanitize=$(SANITIZER)) $(if $(COVERAGE),--coverage)
OB_LIBS     := $(PKG_LIBS) -lpg_query -lm

# The probe is a module of the server that overbook finds (harness/pg/find.c); without that one's
# headers it is left out.  It is compiled as the server wants it, also where all else is
# instrumented.
PROBE_CONFIG   := $(firstword $(if $(OVERBOOK_PG_BINDIR),$(OVERBOOK_PG_BINDIR)/pg_config, \
                      $(shell command -v pg_config)) \
                      $(shell ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -rV))
PROBE_INCLUDES := $(if $(PROBE_CONFIG),$(shell $(PROBE_CONFIG) --includedir-server 2>/dev/null))
PROBE_INCLUDES := $(if $(wildcard $(PROBE_INCLUDES)/postgres.h),$(PROBE_INCLUDES))
PROBE_MAJOR    := $(if $(PROBE_INCLUDES),$(shell sed -n \
                      's/^.define PG_VERSION_NUM \([0-9]*\)....$$/\1/p' \
                      $(PROBE_INCLUDES)/pg_config*.h | sort -u))
PROBE_SRCS     := harness/probe/overbook_probe.c harness/probe/clock.c harness/probe/gate.c harness/probe/tell.c \
                  harness/probe/touch.c
PROBE_COMPILE   = $(CC) $(CPPFLAGS) -isystem $(PROBE_INCLUDES) -std=gnu11 -fPIC -fwrapv \
                  -fno-strict-aliasing -D_GNU_SOURCE $(PROBE_WARNINGS) $(CFLAGS)
PROBE_WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
                  $(if $(WERROR),-Werror)

# --- base
BASE_SRCS := harness/base/error.c harness/base/alloc.c harness/base/buf.c harness/base/rng.c \
             harness/base/digest.c harness/base/sql.c harness/base/file.c harness/base/parse.c harness/base/child.c harness/base/pack.c harness/base/journal.c
BASE_UNIT_TESTS := test_journal test_error test_alloc test_buf test_rng test_digest test_parse test_sql

# --- what several of the harness's test programs share
TEST_SUPPORT_SRCS := harness/tests/model/model.c harness/tests/model/model_ports.c \
                     harness/tests/model/golden.c harness/tests/model/golden_model.c harness/tests/model/programs.c harness/tests/model/scene.c harness/tests/model/sound.c \
                     harness/tests/integration/live.c harness/tests/integration/race_classes.c

# --- cure
CURE_SRCS := harness/cure/evidence.c harness/cure/key.c harness/cure/orders.c harness/cure/change.c harness/cure/cross.c harness/cure/propose.c \
             harness/cure/statements.c harness/cure/rewrite.c harness/cure/plan.c harness/cure/trial.c harness/cli/cures.c
CURE_SERVER_TESTS := test_cure

# --- engine, explore, repro, target, fault, cli
ENGINE_SRCS := harness/engine/footprint.c harness/engine/schedule.c harness/engine/trace.c harness/engine/trace_text.c harness/engine/trace_pack.c harness/engine/client.c \
               harness/engine/settle.c harness/engine/record.c harness/engine/run.c harness/engine/free.c \
               harness/explore/rig.c harness/explore/order.c harness/explore/strategy.c harness/explore/random.c harness/explore/turns.c harness/explore/exhaustive.c \
               harness/explore/bounded.c harness/explore/pct.c harness/explore/pos.c harness/explore/urw.c \
               harness/explore/event.c harness/explore/race.c harness/explore/dpor.c harness/explore/portfolio.c harness/explore/share.c \
               harness/explore/lot.c harness/explore/shard.c harness/explore/record.c harness/explore/checkpoint.c harness/explore/path.c harness/explore/census.c harness/explore/conflict.c harness/explore/claim.c harness/explore/follower.c harness/explore/tally.c \
               harness/explore/statements.c harness/explore/finding.c harness/repro/plan.c harness/repro/whole.c harness/repro/trial.c harness/repro/fair.c harness/repro/left_out.c harness/repro/shrink.c harness/repro/access.c harness/repro/versions.c harness/repro/anomaly.c harness/repro/explain.c harness/explore/explore.c harness/pg/session.c harness/pg/prepare.c harness/pg/control.c harness/pg/reset.c harness/pg/rebuild.c harness/pg/interrupt.c harness/pg/hold.c harness/pg/look.c harness/pg/gate.c harness/pg/footprint.c harness/pg/probe.c \
               harness/pg/world.c harness/pg/setting.c harness/fault/fault.c harness/target/target.c harness/target/gated.c \
               harness/target/sql.c harness/target/spec.c harness/target/spec_program.c harness/target/reference.c harness/target/actions.c harness/target/operator.c harness/target/history.c harness/repro/token.c harness/repro/replay.c harness/cli/options.c harness/cli/tokens.c \
               harness/cli/terminal.c harness/cli/builtin.c harness/cli/database.c harness/cli/judge.c harness/cli/violation.c harness/cli/study.c harness/cli/again.c harness/cli/shrink.c harness/cli/timeline.c \
               harness/cli/progress.c harness/cli/shard.c harness/cli/output.c harness/cli/merge.c harness/cli/stored.c harness/cli/report.c harness/cli/variant.c harness/cli/crew.c harness/cli/run.c harness/cli/pinned.c harness/cli/tasks.c harness/cli/matrix.c harness/cli/rollout.c harness/cli/rollout_judge.c harness/cli/requests.c harness/cli/replay.c harness/cli/step.c harness/cli/list.c \
               harness/cli/doctor.c
ENGINE_UNIT_TESTS := test_engine_golden test_engine_step test_engine_end test_engine_time \
                     test_engine_free test_engine_timers test_engine_wakes test_schedule test_trace test_trace_text test_trace_pack \
                     test_order test_strategy test_bounded test_pct test_pos test_urw test_dpor test_dpor_sound test_shard test_portfolio test_share test_claim test_follower test_tally test_statements test_explore test_fault
ENGINE_SERVER_TESTS := test_settle test_shrink test_explain test_minima test_deadlock test_crowd test_gates test_wake test_world test_scenarios test_determinism \
                       test_proof test_sql_target test_spec_target test_reference_target test_plain test_soundness test_interrupt test_probe
TEST_SUPPORT_SRCS += harness/tests/integration/racing.c

# --- command line
CLI_UNIT_TESTS := test_rollout test_requests test_anomaly test_cure_losses test_matrix test_token test_replay test_judge test_timeline test_progress test_tokens test_words
CLI_FUZZERS    := fuzz_token
CLI_SCRIPTS    := test-usage test-rollout test-matrix test-which-fix test-run test-shrink test-jobs test-shard test-checkpoint test-run-spec test-replay test-diverge test-step test-url test-ends test-bad-input \
                  test-spec test-spec-ends test-no-probe test-report test-export test-rollout-docs

# --- pg
PG_SRCS := harness/pg/account.c harness/pg/cluster.c harness/pg/find.c harness/pg/home.c \
           harness/pg/keep.c harness/pg/keeper.c harness/pg/marker.c harness/pg/pidfile.c harness/pg/redact.c \
           harness/pg/server.c harness/pg/tree.c harness/pg/waits.c harness/pg/plain.c harness/pg/rows.c
PG_UNIT_TESTS := test_pg_find test_pg_pidfile test_pg_redact test_pg_tree
# The first two need no server, but processes in numbers, and pidfds, which valgrind has not.
PG_SERVER_TESTS := test_home test_keeper test_embedded test_embedded_killed test_marker

# --- scenario
SCENARIO_SRCS := harness/scenario/bind.c harness/scenario/guard.c harness/scenario/invariants.c \
                 harness/scenario/list.c harness/scenario/load.c harness/scenario/race_spec.c \
                 harness/scenario/reference.c harness/scenario/rollout.c harness/scenario/rollout_scenario.c \
                 harness/scenario/scenario.c harness/scenario/schema.c harness/scenario/spec_check.c \
                 harness/scenario/spec_lex.c harness/scenario/spec_orders.c \
                 harness/scenario/spec_parse.c harness/scenario/sql.c harness/scenario/touches.c harness/scenario/tree.c \
                 harness/scenario/value.c harness/scenario/vocabulary.c
SCENARIO_UNIT_TESTS := test_scenario test_scenario_bad test_scenario_bind test_scenario_damage \
                       test_scenario_catalogue test_scenario_docs test_scenario_guard test_scenario_list test_scenario_tree \
                       test_scenario_spec test_spec test_spec_bad test_spec_damage test_spec_files test_spec_orders
SCENARIO_FUZZERS := fuzz_scenario fuzz_spec
TEST_SUPPORT_SRCS += harness/tests/unit/scenario_support.c

# --- spec
SPEC_SRCS := harness/spec/permutation.c harness/spec/player.c harness/spec/say.c harness/spec/place.c harness/spec/file.c harness/spec/worker.c harness/spec/regress.c harness/cli/spec.c

# --- export
EXPORT_SRCS := harness/export/make.c harness/export/prove.c harness/export/spec.c \
               harness/export/psql.c harness/export/yaml.c harness/export/cmocka.c harness/cli/export.c \
               harness/target/script.c harness/target/noted.c
EXPORT_TEXTS := head=harness/export/race_head.inc test=harness/export/race_test.inc

# --- check
CHECK_SRCS := harness/check/check.c harness/check/compose.c harness/check/history.c \
              harness/check/rows.c harness/check/situation.c harness/check/builtin.c
CHECK_UNIT_TESTS := test_check test_situation
CHECK_SERVER_TESTS := test_invariants
TEST_SUPPORT_SRCS += harness/tests/integration/planted.c harness/tests/integration/planted_rows.c harness/tests/integration/planted_answers.c

# --- reports
REPORT_SRCS := reports/report.c reports/text.c reports/json.c reports/junit.c reports/table.c \
               reports/trace.c reports/step_text.c reports/lanes.c reports/divergence.c reports/grid.c reports/write.c reports/read.c reports/json_build.c \
               reports/json_timeline.c reports/json_violation.c reports/read_timeline.c \
               reports/read_violation.c reports/matrix.c reports/json_matrix.c reports/read_matrix.c reports/rollout.c reports/json_rollout.c reports/read_rollout.c reports/html.c reports/perfetto.c reports/annotations.c
REPORT_UNIT_TESTS := test_report test_report_json test_report_junit test_report_table \
                     test_report_timeline test_report_lanes test_report_divergence test_report_grid test_report_html test_report_perfetto
TEST_SUPPORT_SRCS += harness/tests/unit/report_sample.c harness/tests/unit/timeline_sample.c

# The page's own files, in the order in which they are put together: NAME=FILE.
PAGE := html=reports/page/page.html \
        $(foreach f,page timeline,style=reports/page/$f.css) \
        $(foreach f,text model timeline violation rollout matrix overview main,script=reports/page/$f.js)

# --- reference
REF_SRCS := reference/src/cancel.c reference/src/db_libpq.c reference/src/error.c \
            reference/src/event.c reference/src/faults.c reference/src/flag.c \
            reference/src/hold.c reference/src/legacy.c reference/src/migrate.c \
            reference/src/monitor.c reference/src/partial_refund.c reference/src/pay.c reference/src/psp.c \
            reference/src/psp_webhook.c reference/src/refund.c reference/src/requests.c \
            reference/src/reschedule.c reference/src/result.c reference/src/series.c reference/src/settle.c reference/src/signature.c \
            reference/src/work.c
REF_TOOLS := booking-cleanup booking-flag booking-migrate
REF_UNIT_TESTS := test_event test_faults test_flag test_monitor test_psp test_signature
REF_SERVER_TESTS := test_series test_changes test_commands test_flow test_migrate test_race test_recovery test_rollout \
                    test_webhook
REF_TEST_SUPPORT_SRCS := reference/tests/race.c reference/tests/support.c

# SQL that the library carries: NAME=FILE.
REF_MIGRATIONS := 0001_core 0002_dirty_data 0003_holds 0004_transitions 0005_payments 0006_flag \
                  0007_sane_ranges 0008_booking_no_overlap 0009_hold_no_overlap 0010_units \
                  0011_reschedule 0012_buffers 0013_series
REF_SQL := $(foreach m,$(REF_MIGRATIONS),$(foreach d,up down,\
               $(firstword $(subst _, ,$m))_$d=reference/migrations/$m.$d.sql)) \
           virtual_clock=reference/testing/virtual_clock.sql \
           without_guards=reference/testing/without_guards.sql seeds=reference/seeds/simulators.sql

# --- what is built
VERSION := $(shell sed -n 's/^\#define OB_VERSION "\(.*\)"$$/\1/p' harness/base/version.h)

HARNESS_SRCS := $(BASE_SRCS) $(ENGINE_SRCS) $(CURE_SRCS) $(PG_SRCS) $(SCENARIO_SRCS) $(SPEC_SRCS) $(EXPORT_SRCS) $(CHECK_SRCS) $(REPORT_SRCS)
MAIN_SRC     := $(wildcard harness/cli/main.c)
BENCH_SRC    := harness/tests/bench/bench.c harness/tests/bench/floor.c harness/tests/bench/first.c harness/tests/bench/memo.c \
                harness/tests/bench/subject.c harness/tests/bench/orders.c harness/tests/bench/reduction.c \
                harness/tests/bench/peer.c harness/tests/bench/specs.c harness/tests/bench/jobs.c \
                harness/tests/bench/mutants.c harness/tests/bench/probe.c
UNIT_TESTS   := $(BASE_UNIT_TESTS) $(ENGINE_UNIT_TESTS) $(PG_UNIT_TESTS) $(SCENARIO_UNIT_TESTS) \
                $(CHECK_UNIT_TESTS) $(REPORT_UNIT_TESTS) $(CLI_UNIT_TESTS)
SERVER_TESTS := $(PG_SERVER_TESTS) $(CHECK_SERVER_TESTS) $(ENGINE_SERVER_TESTS) $(CURE_SERVER_TESTS)
FUZZERS      := $(SCENARIO_FUZZERS) $(CLI_FUZZERS)

HARNESS_OBJS     := $(HARNESS_SRCS:%.c=$B/%.o)
REF_OBJS         := $(REF_SRCS:%.c=$B/%.o)
SUPPORT_OBJS     := $(TEST_SUPPORT_SRCS:%.c=$B/%.o)
REF_SUPPORT_OBJS := $(REF_TEST_SUPPORT_SRCS:%.c=$B/%.o)

UNIT_PROGRAMS       := $(UNIT_TESTS:%=$B/unit/%)
SERVER_PROGRAMS     := $(SERVER_TESTS:%=$B/integration/%)
REF_UNIT_PROGRAMS   := $(REF_UNIT_TESTS:%=$B/reference-tests/%)
REF_SERVER_PROGRAMS := $(REF_SERVER_TESTS:%=$B/reference-tests/%)
TEST_PROGRAMS       := $(UNIT_PROGRAMS) $(SERVER_PROGRAMS) $(REF_UNIT_PROGRAMS) \
                       $(REF_SERVER_PROGRAMS)
PROBE := $(if $(PROBE_MAJOR),$B/overbook_probe-$(PROBE_MAJOR).so)
TOOLS := $(if $(MAIN_SRC),$B/overbook) $(REF_TOOLS:%=$B/%)

# Every source that is compiled, for lint, compile_commands.json and the dependencies.
SRCS := $(HARNESS_SRCS) $(REF_SRCS) $(MAIN_SRC) $(BENCH_SRC) $(TEST_SUPPORT_SRCS) \
        $(REF_TEST_SUPPORT_SRCS) $(REF_TOOLS:%=reference/tools/%.c) \
        $(UNIT_TESTS:%=harness/tests/unit/%.c) $(SERVER_TESTS:%=harness/tests/integration/%.c) \
        $(REF_UNIT_TESTS:%=reference/tests/%.c) $(REF_SERVER_TESTS:%=reference/tests/%.c) \
        $(FUZZERS:%=harness/tests/fuzz/%.c) $(PROBE_SRCS)

COMPILE = $(CC) $(OB_CPPFLAGS) $(CPPFLAGS) $(OB_CFLAGS) $(CFLAGS)
LINK    = $(CC) $(OB_CFLAGS) $(CFLAGS) $(OB_LDFLAGS) $(LDFLAGS)

.PHONY: all check check-servers bless mutants which-fix rollout-docs conformance determinism soundness check-valgrind unit coverage coverage-report lint format bench \
        fuzz fuzzers install uninstall dist clean FORCE
.DELETE_ON_ERROR:

all: $B/liboverbook.a $B/libbooking.a $(TOOLS) $(PROBE)

$B:
	@mkdir -p $@

# Changes only when the flags do, so that objects of other flags are never mixed.
$B/flags: FORCE | $B
	@$(file >$@.new,$(COMPILE) $(LINK)):
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

define archive
@mkdir -p $(@D)
@rm -f $@
$(AR) rcs $@ $^
endef

define program
@mkdir -p $(@D)
$(LINK) -o $@ $^ $(OB_LIBS) $1 $(LDLIBS)
endef

$B/liboverbook.a: $(HARNESS_OBJS) $B/reports/page.o $B/export/texts.o
	$(archive)

$B/libbooking.a: $(REF_OBJS) $B/reference/sql.o
	$(archive)

files_of = $(foreach p,$1,$(lastword $(subst =, ,$p)))

$B/reference/sql.c: script/embed $(call files_of,$(REF_SQL))
	@mkdir -p $(@D)
	script/embed migrations_int.h booking_sql_text_ $(REF_SQL) >$@

$B/reference/sql.o: $B/reference/sql.c reference/src/migrations_int.h $B/flags
	$(COMPILE) -c -o $@ $<

$B/export/texts.c: script/embed $(call files_of,$(EXPORT_TEXTS))
	@mkdir -p $(@D)
	script/embed export/export_int.h ob_export_text_ $(EXPORT_TEXTS) >$@

$B/export/texts.o: $B/export/texts.c harness/export/export_int.h $B/flags
	$(COMPILE) -c -o $@ $<

$B/reports/page.c: script/embed $(call files_of,$(PAGE))
	@mkdir -p $(@D)
	script/embed page_int.h ob_page_ $(PAGE) >$@

$B/reports/page.o: $B/reports/page.c reports/page_int.h $B/flags
	$(COMPILE) -c -o $@ $<

# Archives too, so that a test links only what it uses.
$B/libtestsupport.a: $(SUPPORT_OBJS)
	$(archive)

$B/libreferencetest.a: $(REF_SUPPORT_OBJS)
	$(archive)

# Its file's name has the server's version, since another one refuses it.
$B/overbook_probe-%.so: $(PROBE_SRCS) harness/probe/probe_int.h $B/flags
	$(PROBE_COMPILE) -shared $(LDFLAGS) -o $@.new $(PROBE_SRCS)
	mv $@.new $@

$B/overbook: $B/harness/cli/main.o $B/liboverbook.a $B/libbooking.a
	$(call program)

$B/overbook-bench: $(BENCH_SRC:%.c=$B/%.o) $B/libtestsupport.a $B/liboverbook.a $B/libbooking.a
	$(call program,-lcmocka)

$(REF_TOOLS:%=$B/%): $B/%: $B/reference/tools/%.o $B/libbooking.a
	$(call program)

$(UNIT_PROGRAMS): $B/unit/%: $B/harness/tests/unit/%.o $B/libtestsupport.a $B/liboverbook.a \
                  $B/libbooking.a
	$(call program,-lcmocka)

$(SERVER_PROGRAMS): $B/integration/%: $B/harness/tests/integration/%.o $B/libtestsupport.a \
                    $B/liboverbook.a $B/libbooking.a
	$(call program,-lcmocka)

$(REF_UNIT_PROGRAMS) $(REF_SERVER_PROGRAMS): $B/reference-tests/%: $B/reference/tests/%.o \
                                             $B/libreferencetest.a $B/libbooking.a
	$(call program,-lcmocka)

# --- tests
# Seconds for a program (a sanitizer or valgrind makes it several times slower), and how many
# programs run at a time.
UNIT_LIMIT   ?= 120
SERVER_LIMIT ?= 2400
TEST_JOBS    ?= $(shell nproc)

# Programs that script/bootstrap put here for the tests, and the directory that scripts test.
export PATH := $(CURDIR)/build/tools:$(PATH)
export OVERBOOK_BUILD := $(abspath $B)

unit: $(UNIT_PROGRAMS) $(REF_UNIT_PROGRAMS)
	script/run-tests --jobs $(TEST_JOBS) --limit $(UNIT_LIMIT) $^

check: all $(TEST_PROGRAMS)
	script/run-tests --jobs $(TEST_JOBS) --limit $(UNIT_LIMIT) $(UNIT_PROGRAMS) $(REF_UNIT_PROGRAMS) \
	    --limit $(SERVER_LIMIT) $(SERVER_PROGRAMS) \
	    $(if $(REF_SERVER_TESTS),--via reference/tests/with-server $(REF_SERVER_PROGRAMS)) \
	    --via '' harness/tests/golden/run $(CLI_SCRIPTS:%=harness/tests/cli/%) \
	    harness/tests/spec/conform harness/tests/page/test-page harness/tests/mutants/test-mutants

# What depends on the server, on versions other than the one that is found here, with a tenth of the
# runs.  What is named here needs none, or asks what is the same with each: how runs are dealt out,
# kept and told of.
NO_SERVERS := test_home test_keeper test_minima test-usage test-bad-input test-jobs test-shard test-rollout \
              test-checkpoint test-matrix test-which-fix test-report test-rollout-docs

check-servers: export OVERBOOK_PROOF_PERCENT ?= 10
check-servers: export OVERBOOK_SOUNDNESS ?= 10

check-servers: all $(SERVER_PROGRAMS) $(REF_SERVER_PROGRAMS)
	script/check-servers --jobs $(TEST_JOBS) --limit $(SERVER_LIMIT) \
	    $(filter-out $(NO_SERVERS:%=$B/integration/%),$(SERVER_PROGRAMS)) \
	    $(if $(REF_SERVER_TESTS),--via reference/tests/with-server $(REF_SERVER_PROGRAMS)) \
	    --via '' harness/tests/golden/run harness/tests/spec/conform \
	    $(patsubst %,harness/tests/cli/%,$(filter-out $(NO_SERVERS),$(CLI_SCRIPTS)))

# What is printed now becomes what is expected.
bless: all
	harness/tests/golden/run --bless

# What PostgreSQL's isolationtester prints, where it is installed: for specs made by lot, and at
# other isolation levels.
CONFORM_SPECS ?= 2000
CONFORM_SEED  ?= 1

conformance: all
	harness/tests/spec/levels
	harness/tests/spec/conform $(CONFORM_SPECS) $(CONFORM_SEED)

# "Possibly lost" is what belongs to threads that were given up on purpose.
VALGRIND_LEAKS := --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect

# Whether the reduction loses anything, on many programs.
determinism: $B/integration/test_determinism
	OVERBOOK_TOKENS=1000 $B/integration/test_determinism

soundness: $B/integration/test_soundness
	OVERBOOK_SOUNDNESS=2000 $B/integration/test_soundness

# Whether docs/rollout.md says what the command does; the tests look at a part.
rollout-docs: all
	script/rollout-docs

# Wrong versions of the flow and of the invariants, each of which somebody has to notice: the tables of
# docs/mutants.md.  OVERBOOK_MUTANTS=1/3 does a part of them, auto another third with each commit;
# MUTANTS has names, or other options of harness/tests/mutants/run.
MUTANTS ?=

mutants: all $B/integration/test_invariants
	harness/tests/mutants/run --doc docs/mutants.md $(MUTANTS)

mutants check: export MUTANTS_COMPILE = $(COMPILE)
mutants check: export MUTANTS_LINK = $(LINK)
mutants check: export MUTANTS_LIBS = $(OB_LIBS) $(LDLIBS)
mutants check: export MUTANTS_SQL = $(REF_SQL)

# The tables of docs/which-fix.md, as they come out now.
which-fix: all
	script/which-fix

check-valgrind: $(UNIT_PROGRAMS) $(REF_UNIT_PROGRAMS)
	script/run-tests --jobs $(TEST_JOBS) --limit $(UNIT_LIMIT) \
	    --via 'valgrind -q --error-exitcode=99 --leak-check=full $(VALGRIND_LEAKS)' $^

# Objects of this flavour count lines, so it has a directory of its own also when B is given.
COVERAGE_BUILD := $(if $(filter file,$(origin B)),build/coverage,$B/coverage)

coverage:
	$(MAKE) COVERAGE=1 B=$(COVERAGE_BUILD) coverage-report

coverage-report: all $(TEST_PROGRAMS)
	script/coverage $B 90 $(MAKE) COVERAGE=1 B=$B check

bench: $B/overbook-bench
	@mkdir -p build/reports
	$B/overbook-bench build/reports/bench.json

FUZZ_BUILD := $(if $(filter file,$(origin B)),build/fuzz,$B/fuzz)

fuzz:
	$(MAKE) CC=clang SANITIZER=address,undefined B=$(FUZZ_BUILD) \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzzers

# A fuzzer begins with its own examples, and keeps what it finds in the build directory.
fuzzers: $(FUZZERS:%=$B/fuzz/%)
	@set -e; for fuzzer in $(FUZZERS); do \
	    mkdir -p $B/corpus/$$fuzzer; seeds=harness/tests/fuzz/corpus/$$fuzzer; \
	    echo "== $$fuzzer, $(FUZZ_SECONDS) s"; \
	    $B/fuzz/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -verbosity=0 \
	        -print_final_stats=1 -artifact_prefix=$B/fuzz/ $B/corpus/$$fuzzer \
	        $$(test ! -d $$seeds || echo $$seeds); \
	done

$(FUZZERS:%=$B/fuzz/%): $B/fuzz/%: $B/harness/tests/fuzz/%.o $B/liboverbook.a $B/libbooking.a
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(OB_LIBS) $(LDLIBS)

# --- the source's form
comma := ,
define command_entry
{"directory": "$(CURDIR)", "file": "$1", "command": "$(subst ",\",$(if $(filter \
    $(PROBE_SRCS),$1),$(PROBE_COMPILE),$(COMPILE)) -c $1)"}
endef

compile_commands.json: FORCE
	@$(file >$@,[)$(foreach s,$(SRCS),$(if $(filter-out $(firstword $(SRCS)),$s),$(file \
	    >>$@,$(comma)))$(file >>$@,$(call command_entry,$s)))$(file >>$@,]):

lint: compile_commands.json
	LINT_SERVER='$(PROBE_INCLUDES)' LINT_SOURCES='$(SRCS)' LINT_CFLAGS='$(OB_CPPFLAGS) $(OB_CFLAGS) -Werror' script/lint

format:
	find harness reference reports -name '*.[ch]' -exec clang-format -i {} +

# --- installing and releasing
DATADIR := $(DESTDIR)$(PREFIX)/share/overbook
DOCDIR  := $(DESTDIR)$(PREFIX)/share/doc/overbook
BINDIR  := $(DESTDIR)$(PREFIX)/bin
LIBDIR  := $(DESTDIR)$(PREFIX)/lib/overbook

install: all
	install -d $(BINDIR) $(DATADIR) $(DOCDIR)
	install -m 755 $(TOOLS) $(BINDIR)
	$(if $(PROBE),install -d $(LIBDIR))
	$(if $(PROBE),install -m 755 $(PROBE) $(LIBDIR))
	cp -R scenarios $(DATADIR)
	install -m 644 reference/rollout.yaml $(DATADIR)
	cp -R README.md LICENSE docs $(DOCDIR)

uninstall:
	rm -f $(TOOLS:$B/%=$(BINDIR)/%)
	rm -rf $(DATADIR) $(DOCDIR) $(LIBDIR)

dist:
	@mkdir -p build
	git archive --prefix=overbook-$(VERSION)/ -o build/overbook-$(VERSION).tar.gz HEAD
	@echo build/overbook-$(VERSION).tar.gz

clean:
	rm -rf $(if $(filter file,$(origin B)),build,$B) compile_commands.json

-include $(SRCS:%.c=$B/%.d)
