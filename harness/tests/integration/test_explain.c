/*
 * What violations are called, each on a live server with the race that deserves the name: found,
 * made small and explained.  The statements' words are alike on purpose; footprints and row
 * versions tell the races apart.
 */
#include "repro/explain.h"
#include "repro/shrink.h"

#include "live.h"
#include "racing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct explaining {
    struct ob_scenario *scenario;
    struct ob_racing racing;
    struct ob_shrunk shrunk;
    struct ob_explained explained;
};

static void fail_with(const struct ob_error *err)
{
    fail_msg("%s %s", err->message, err->detail);
}

static void explain(struct explaining *e, const char *text)
{
    const struct ob_explore_options options = {
        .strategy = OB_STRATEGY_RANDOM, .seed = 1, .runs_max = 500, .budget_us = INT64_MAX};
    const struct ob_shrink_options how = {.runs_max = OB_SHRINK_RUNS, .budget_us = INT64_MAX};
    struct ob_exploration found;
    struct ob_error err;
    *e = (struct explaining){.scenario = ob_racing_parse(text)};
    ob_racing_open(&e->racing, e->scenario, 0, NULL);
    if (ob_explore(e->racing.rig, &options, &found, &err) != OB_OK)
        fail_with(&err);
    assert_true(found.finding_count > 0);
    if (ob_shrink(e->racing.rig, &found.findings[0].schedule, 0, &how, &e->shrunk, &err) != OB_OK)
        fail_with(&err);
    assert_int_equal(e->shrunk.finding.replays_same, OB_REPLAYS);
    if (ob_explain(e->racing.rig, &e->shrunk.trace, 0, &e->explained, &err) != OB_OK)
        fail_with(&err);
    ob_exploration_clear(&found);
}

static void done(struct explaining *e)
{
    ob_explained_clear(&e->explained);
    ob_shrunk_clear(&e->shrunk);
    ob_racing_close(&e->racing);
    ob_scenario_free(e->scenario);
}

/* Whether the server tells what is touched, and so the name is known.  Where it does not, there is
 * none, or it is a guess that says so. */
static bool assert_says(const struct explaining *e, const char *anomaly, const char *words)
{
    const char *named = e->explained.anomaly, *sentence = e->explained.sentence;
    bool tells = ob_target_has_probe(e->racing.target);
    if (tells ? strcmp(named, anomaly) != 0 || !strstr(sentence, words)
              : named[0] != '\0' && !strstr(sentence, "rests on the statements' words"))
        fail_msg("%s: %s", named, sentence);
    return tells;
}

/* Who leaves where somebody else is still there.  The same words for each, on a row of its own or
 * on one that both share. */
#define LEAVES(name, whose)                                                    \
    "  - name: " name "\n"                                                     \
    "    vars: {whose: " whose "}\n"                                           \
    "    steps:\n"                                                             \
    "      - {sql: \"SELECT sum(present) AS n FROM duty\", capture: {n: n}}\n" \
    "      - {sql: \"UPDATE duty SET present = present - 1 WHERE who = :whose\", when: n > 1}\n"
#define ON_DUTY(rows, ann, bob)                                                               \
    "name: on-duty\n"                                                                         \
    "about: Two leave, each because the other one is there.\n"                                \
    "target: sql\n"                                                                           \
    "setup: |\n"                                                                              \
    "  CREATE TABLE duty (who text, present int);\n"                                          \
    "  INSERT INTO duty VALUES " rows ";\n"                                                   \
    "clients:\n" LEAVES("ann", ann) LEAVES(                                                   \
        "bob", bob) "invariants:\n"                                                           \
                    "  - {name: somebody, sql: SELECT 1 FROM duty HAVING sum(present) = 0}\n" \
                    "expect: {violates: somebody}\n"

static void rows_of_their_own_are_write_skew(void **state)
{
    (void)state;
    struct explaining e;
    explain(&e, ON_DUTY("('ann', 1), ('bob', 1)", "ann", "bob"));
    if (assert_says(&e, "write skew", " in duty")) {
        assert_true(e.explained.contradiction);
        assert_int_equal(e.explained.edges[0].basis, OB_BASIS_ROWS);
    }
    done(&e);
}

static void one_row_for_both_is_a_lost_update(void **state)
{
    (void)state;
    struct explaining e;
    explain(&e, ON_DUTY("('all', 2)", "all", "all"));
    (void)assert_says(&e, "lost update", " in duty");
    done(&e);
}

#define BOOKS(name, isolation, look)                                            \
    "  - name: " name "\n"                                                      \
    "    isolation: " isolation "\n"                                            \
    "    steps:\n"                                                              \
    "      - begin\n" look "      - {sql: \"INSERT INTO booking VALUES ('" name \
    "')\", when: n = 0}\n"                                                      \
    "      - commit\n"
#define BEHIND_A_LOCK(isolation, look)                                                          \
    "name: behind-a-lock\n"                                                                     \
    "about: The room is locked, and yet both book it.\n"                                        \
    "target: sql\n"                                                                             \
    "setup: |\n"                                                                                \
    "  CREATE TABLE room (id int PRIMARY KEY);\n"                                               \
    "  INSERT INTO room VALUES (1);\n"                                                          \
    "  CREATE TABLE booking (who text);\n"                                                      \
    "clients:\n" BOOKS("ann", isolation, look)                                                  \
        BOOKS("bob", isolation,                                                                 \
              look) "invariants:\n"                                                             \
                    "  - {name: one-booking, sql: SELECT 1 FROM booking HAVING count(*) > 1}\n" \
                    "expect: {violates: one-booking}\n"

static void a_count_in_the_statement_that_waits_is_stale(void **state)
{
    (void)state;
    struct explaining e;
    explain(&e, BEHIND_A_LOCK("read-committed",
                              "      - {sql: \"SELECT (SELECT count(*) FROM booking) AS n FROM "
                              "room WHERE id = 1 FOR UPDATE\", capture: {n: n}}\n"));
    (void)assert_says(&e, "stale read behind a lock", "got the lock that it waited for");
    done(&e);
}

static void a_snapshot_from_before_the_lock_is_stale(void **state)
{
    (void)state;
    struct explaining e;
    explain(&e, BEHIND_A_LOCK("repeatable-read",
                              "      - {sql: SELECT id FROM room WHERE id = 1 FOR UPDATE}\n"
                              "      - {sql: SELECT count(*) AS n FROM booking, "
                              "capture: {n: n}}\n"));
    (void)assert_says(&e, "stale read behind a lock", "but reads by the snapshot of step");
    done(&e);
}

static void a_look_without_a_lock_is_a_phantom(void **state)
{
    (void)state;
    struct explaining e;
    explain(&e, BEHIND_A_LOCK("read-committed", "      - {sql: SELECT count(*) AS n FROM booking, "
                                                "capture: {n: n}}\n"));
    if (assert_says(&e, "phantom", " in booking"))
        assert_null(strstr(e.explained.sentence, "words"));
    done(&e);
}

/* Nobody races here: the courier brings both, one after the other. */
static void news_that_came_twice_are_a_double_delivery(void **state)
{
    (void)state;
    struct explaining e;
    explain(&e, "name: told-twice\n"
                "about: Whoever counts what the provider says takes one payment for two.\n"
                "target: reference\n"
                "clients:\n"
                "  - name: ann\n"
                "    does: [{hold: {simulator: 1, slot: 2026-06-01T10:00/11:00}}, pay]\n"
                "faults: {budget: 1, points: [webhook/duplicate, commit/ack-lost]}\n"
                "invariants:\n"
                "  - name: told-once\n"
                "    sql: >-\n"
                "      SELECT data->>'payment' FROM history WHERE kind = 'request'\n"
                "      AND data->>'action' = 'webhook' GROUP BY 1 HAVING count(*) > 1\n"
                "expect: {violates: told-once}\n");
    assert_string_equal(e.explained.anomaly, "double delivery");
    assert_non_null(strstr(e.explained.sentence, "webhook/duplicate strikes ann"));
    assert_false(e.explained.contradiction);
    assert_int_equal(e.shrunk.trace.schedule.fault_count, 1);
    done(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_their_own_are_write_skew),
        cmocka_unit_test(one_row_for_both_is_a_lost_update),
        cmocka_unit_test(a_count_in_the_statement_that_waits_is_stale),
        cmocka_unit_test(a_snapshot_from_before_the_lock_is_stale),
        cmocka_unit_test(a_look_without_a_lock_is_a_phantom),
        cmocka_unit_test(news_that_came_twice_are_a_double_delivery),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
