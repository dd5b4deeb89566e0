/*
 * The engine on a live PostgreSQL: the golden programs, and every sort of wait that the server
 * knows.
 */
#include "live.h"

#include "base/alloc.h"
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void golden_programs_have_their_known_schedules_and_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
        const struct ob_golden *golden = &ob_goldens[i];
        struct ob_live live;
        struct ob_golden_count count;
        char *schema = ob_asprintf("%s%s", ob_golden_schema, golden->rows);
        ob_live_open(&live, schema, NULL);
        struct ob_golden_place place = ob_live_golden_place(&live);
        if (ob_golden_exhaust(golden, 2, &place, &count, &live.err) != OB_OK)
            fail_msg("%s: %s %s", golden->name, live.err.message, live.err.detail);
        assert_int_equal(count.schedules, golden->schedules[0]);
        assert_int_equal(count.outcomes, golden->outcomes[0]);
        ob_live_close(&live);
        free(schema);
    }
}

static const char schema[] = "CREATE TABLE room (id int PRIMARY KEY, n int NOT NULL);"
                             "INSERT INTO room VALUES (1, 10), (2, 20);"
                             "CREATE TABLE slot (room int REFERENCES room, during int4range,"
                             " EXCLUDE USING gist (during WITH &&));";

struct wait {
    const char *holds, *waits; /* statements of two transactions */
};

static const struct wait waits[] = {
    {"SELECT FROM room WHERE id = 1 FOR UPDATE", "UPDATE room SET n = 0 WHERE id = 1"},
    {"UPDATE room SET n = 1 WHERE id = 1", "SELECT FROM room WHERE id = 1 FOR UPDATE"},
    {"UPDATE room SET n = 1 WHERE id = 1", "DELETE FROM room WHERE id = 1"},
    {"SELECT FROM room WHERE id = 1 FOR SHARE", "SELECT FROM room WHERE id = 1 FOR UPDATE"},
    {"INSERT INTO room VALUES (3, 0)", "INSERT INTO room VALUES (3, 1)"},
    {"INSERT INTO room VALUES (3, 0)",
     "INSERT INTO room VALUES (3, 1) ON CONFLICT (id) DO NOTHING"},
    {"INSERT INTO slot VALUES (1, '[1,5)')", "INSERT INTO slot VALUES (2, '[4,8)')"},
    {"INSERT INTO slot VALUES (1, '[1,5)')", "DELETE FROM room WHERE id = 1"},
    {"DELETE FROM room WHERE id = 2", "INSERT INTO slot VALUES (2, '[1,5)')"},
    {"LOCK TABLE room", "SELECT n FROM room"},
    {"ALTER TABLE room ADD COLUMN extra int", "SELECT n FROM room"},
    {"SELECT pg_advisory_xact_lock(7)", "SELECT pg_advisory_xact_lock(7)"},
};

static void every_sort_of_lock_is_seen_as_a_wait(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        live.scene.spec.client_count = 0;
        const char *const ann[] = {"begin", waits[i].holds, "rollback", NULL};
        const char *const bob[] = {"begin", waits[i].waits, "rollback", NULL};
        ob_scene_add(&live.scene, "ann", ann);
        ob_scene_add(&live.scene, "bob", bob);
        const char *text = ob_live_run(&live, "001101");
        if (!strstr(text, "waits for ann\n") || !strstr(text, "rollback  -> 0 rows; bob goes on: "))
            fail_msg("%s", text);
        assert_int_equal(live.scene.trace.steps[3].holders, 1);
        assert_int_equal(live.scene.trace.steps[4].woken, 2);
        assert_false(live.scene.spec.careful);
    }
    ob_live_close(&live);
}

static void what_needs_no_lock_is_not_blocked(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "UPDATE room SET n = 1 WHERE id = 1", "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "begin", "SELECT n FROM room",
                 "SELECT FROM room WHERE id = 2 FOR UPDATE", "SELECT pg_sleep(0.02)", "commit");
    ob_live_run(&live, "0011111");
    for (size_t i = 0; i < live.scene.trace.step_count; i++)
        assert_int_equal(live.scene.trace.steps[i].blocked, 0);
    ob_live_close(&live);
}

static void waiting_for_a_safe_snapshot_is_a_wait(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin isolation level serializable",
                 "UPDATE room SET n = 1 WHERE id = 1", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "begin isolation level serializable read only deferrable",
                 "SELECT sum(n) FROM room", "commit");
    const char *text = ob_live_run(&live, "001101");
    assert_non_null(strstr(text, "SELECT sum(n) FROM room  -> waits for ann\n"));
    assert_non_null(strstr(text, "commit   commit  -> 0 rows; bob goes on: 1 row\n"));
    ob_live_close(&live);
}

static void a_chain_of_waiters_goes_on_link_by_link(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "SELECT pg_advisory_xact_lock(1)", "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "begin", "SELECT pg_advisory_xact_lock(2)",
                 "SELECT pg_advisory_xact_lock(1)", "rollback");
    OB_SCENE_ADD(&live.scene, "cat", "SELECT pg_advisory_xact_lock(2)");
    const char *text = ob_live_run(&live, "00111201");
    assert_string_equal(
        text, "  1 ann        begin    begin  -> 0 rows\n"
              "  2 ann        sql      SELECT pg_advisory_xact_lock(1)  -> 1 row\n"
              "  3 bob        begin    begin  -> 0 rows\n"
              "  4 bob        sql      SELECT pg_advisory_xact_lock(2)  -> 1 row\n"
              "  5 bob        sql      SELECT pg_advisory_xact_lock(1)  -> waits for ann\n"
              "  6 cat        sql      SELECT pg_advisory_xact_lock(2)  -> waits for bob\n"
              "  7 ann        rollback rollback  -> 0 rows; bob goes on: 1 row\n"
              "  8 bob        rollback rollback  -> 0 rows; cat goes on: 1 row\n"
              "    end: finished\n");
    ob_live_close(&live);
}

/* The blocked statement sees what was committed meanwhile; the one started later sees more. */
static void blocked_then_resumed_is_not_started_later(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "UPDATE room SET n = n + 10", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "DELETE FROM room WHERE n = 20");
    assert_non_null(strstr(ob_live_run(&live, "0010"), "bob goes on: 0 rows"));
    ob_live_run(&live, "0001");
    assert_int_equal(live.scene.trace.steps[3].completions[0].row_count, 1);
    ob_live_close(&live);
}

static void a_lock_of_a_strangers_ends_the_run_and_names_the_client(void **state)
{
    (void)state;
    struct ob_live live;
    struct ob_limits limits = ob_limits_default();
    limits.run_us_max = 300000;
    ob_live_open(&live, schema, &limits);
    PGconn *stranger = ob_live_connect(&live);
    PQclear(PQexec(stranger, "SELECT pg_advisory_lock(3)"));
    OB_SCENE_ADD(&live.scene, "ann", "begin", "SELECT pg_advisory_xact_lock(3)", "commit");
    ob_live_run(&live, "");
    assert_int_equal(live.scene.trace.end, OB_RUN_FOREIGN);
    assert_string_equal(live.scene.trace.reason,
                        "\"ann\" waits for a lock of a session that is none of the clients");
    PQfinish(stranger);
    ob_live_close(&live);
}

static void a_statement_of_several_seconds_is_ended_by_the_runs_limit(void **state)
{
    (void)state;
    struct ob_live live;
    struct ob_limits limits = ob_limits_default();
    limits.run_us_max = 100000;
    ob_live_open(&live, schema, &limits);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "SELECT pg_sleep(60)", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "begin", "UPDATE room SET n = 0", "commit");
    ob_live_run(&live, "1100");
    assert_int_equal(live.scene.trace.end, OB_RUN_TIME_LIMIT);
    live.scene.clients[0] = live.scene.clients[1];
    live.scene.spec.client_count = 1;
    ob_live_run(&live, "");
    assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
    ob_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_programs_have_their_known_schedules_and_outcomes),
        cmocka_unit_test(every_sort_of_lock_is_seen_as_a_wait),
        cmocka_unit_test(what_needs_no_lock_is_not_blocked),
        cmocka_unit_test(waiting_for_a_safe_snapshot_is_a_wait),
        cmocka_unit_test(a_chain_of_waiters_goes_on_link_by_link),
        cmocka_unit_test(blocked_then_resumed_is_not_started_later),
        cmocka_unit_test(a_lock_of_a_strangers_ends_the_run_and_names_the_client),
        cmocka_unit_test(a_statement_of_several_seconds_is_ended_by_the_runs_limit),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
