/* Deadlocks on a live server: the one that closes the cycle dies, always. */
#include "live.h"

#include "pg/world_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const char schema[] = "CREATE TABLE counter (id text PRIMARY KEY, n int NOT NULL);"
                             "INSERT INTO counter SELECT v, 0 FROM unnest('{w,x,y,z}'::text[]) v;";

#define DEADLOCK "error 40P01: deadlock detected"
#define ADD(row) "UPDATE counter SET n = n + 1 WHERE id = '" row "'"

static void the_one_that_closes_the_cycle_dies_two_hundred_times_of_two_hundred(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", ADD("x"), ADD("y"), "commit");
    OB_SCENE_ADD(&live.scene, "bob", "begin", ADD("y"), ADD("x"), "commit");
    for (int i = 0; i < 100; i++) {
        assert_non_null(strstr(ob_live_run(&live, "001101"),
                               "  -> " DEADLOCK "; ann goes on: 1 row\n    bob        told"));
        assert_false(live.scene.spec.careful);
        assert_non_null(strstr(ob_live_run(&live, "001110"),
                               "  -> " DEADLOCK "; bob goes on: 1 row\n    ann        told"));
        assert_false(live.scene.spec.careful);
    }
    ob_live_close(&live);
}

static void a_cycle_of_three_kills_the_one_that_closes_it(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", ADD("x"), ADD("y"), "commit");
    OB_SCENE_ADD(&live.scene, "bob", "begin", ADD("y"), ADD("z"), "commit");
    OB_SCENE_ADD(&live.scene, "cat", "begin", ADD("z"), ADD("x"), "commit");
    for (int i = 0; i < 10; i++) {
        const char *text = ob_live_run(&live, "001122012");
        assert_non_null(strstr(text, "  -> " DEADLOCK "; bob goes on: 1 row"));
        assert_non_null(strstr(text, "    cat        told     done: 40P01\n"));
        text = ob_live_run(&live, "001122120");
        assert_non_null(strstr(text, "  -> " DEADLOCK "; cat goes on: 1 row"));
        assert_non_null(strstr(text, "    ann        told     done: 40P01\n"));
        assert_false(live.scene.spec.careful);
    }
    ob_live_close(&live);
}

static void a_woken_client_that_closes_a_cycle_dies_in_a_careful_run(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", ADD("x"), "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "begin", ADD("y"),
                 "WITH one AS (SELECT FROM counter WHERE id = 'x' FOR UPDATE), "
                 "two AS (SELECT FROM counter WHERE id = 'z' FOR UPDATE) "
                 "SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)",
                 "rollback");
    OB_SCENE_ADD(&live.scene, "cat", "begin", ADD("z"), ADD("y"), "rollback");
    for (int i = 0; i < 10; i++) {
        const char *text = ob_live_run(&live, "0011221202");
        if (!strstr(text, "  9 ann        rollback rollback  -> 0 rows; bob goes on: " DEADLOCK ";"
                          " cat goes on: 1 row"))
            fail_msg("%s", text);
        assert_true(live.scene.spec.careful);
        assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
    }
    ob_live_close(&live);
}

/* ann closes the cycle as a woken client, and bob on it has had his check already. */
static void a_cycle_behind_a_check_that_has_passed_is_seen(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", ADD("x"),
                 "WITH one AS (SELECT FROM counter WHERE id = 'w' FOR UPDATE), "
                 "two AS (SELECT FROM counter WHERE id = 'z' FOR UPDATE) "
                 "SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)",
                 "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "begin", ADD("y"), ADD("x"), "rollback");
    OB_SCENE_ADD(&live.scene, "cat", "begin", ADD("z"), ADD("y"), "rollback");
    OB_SCENE_ADD(&live.scene, "dan", "begin", ADD("w"), "rollback");
    const char *text = ob_live_run(&live, "00112233021");
    if (!strstr(text, "dan        rollback rollback  -> 0 rows; ann goes on: " DEADLOCK))
        fail_msg("%s", text);
    assert_true(live.scene.spec.careful);
    ob_live_close(&live);
}

/* Arming is a setting, and settings end with savepoints and RESET: ann, armed before, has to be
 * armed again to be the one that dies. */
static void arming_survives_what_undoes_settings(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", ADD("x"), "SAVEPOINT s", "SELECT 1",
                 "rollback to savepoint s", "RESET ALL", ADD("y"), "rollback");
    OB_SCENE_ADD(&live.scene, "bob", "begin", ADD("y"), ADD("x"), "rollback");
    for (int i = 0; i < 5; i++) {
        const char *text = ob_live_run(&live, "00011100000");
        if (!strstr(text, DEADLOCK "\n    ann        told     done: 40P01\n 11"))
            fail_msg("%s", text);
        assert_false(live.scene.spec.careful);
    }
    ob_live_close(&live);
}

static enum ob_result expect_checked_wait(void *arg, const struct ob_step *step,
                                          struct ob_error *err)
{
    const struct ob_live *live = arg;
    const struct ob_pg_session *session = &live->world->sessions[0];
    (void)err;
    if (step->client == 0 && step->holders != 0) {
        assert_int_equal(session->deadlock, OB_PG_DEADLOCK_ON);
        assert_true(session->checked);
    }
    return OB_OK;
}

static void a_check_that_finds_nothing_is_told_by_the_server(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    assert_true(ob_pg_world_controls_deadlock(live.world));
    OB_SCENE_ADD(&live.scene, "ann", "begin", ADD("x"), ADD("y"), "commit");
    OB_SCENE_ADD(&live.scene, "bob", "begin", ADD("x"), "commit");
    OB_SCENE_ADD(&live.scene, "cat", "begin", ADD("y"), "commit");
    live.scene.spec.after_step = expect_checked_wait;
    live.scene.spec.after_step_arg = &live;
    /* bob waits for ann, so ann is armed when she waits for cat. */
    const char *text = ob_live_run(&live, "00112202");
    if (!strstr(text, "waits for cat\n"))
        fail_msg("%s", text);
    assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
    assert_int_equal(live.world->sessions[0].deadlock, OB_PG_DEADLOCK_OFF);
    ob_live_close(&live);
}

static void a_session_is_armed_no_longer_than_its_transaction(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", ADD("x"), ADD("y"), "commit",
                 "SELECT current_setting('deadlock_timeout') = '1h'");
    OB_SCENE_ADD(&live.scene, "bob", ADD("x"));
    ob_live_run(&live, "00100");
    struct ob_pg_session *session = &live.world->sessions[0];
    PGresult *answer = PQexec(session->conn, "SHOW deadlock_timeout");
    assert_string_equal(PQgetvalue(answer, 0, 0), "1h");
    PQclear(answer);
    assert_int_equal(session->deadlock, OB_PG_DEADLOCK_OFF);
    ob_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_that_closes_the_cycle_dies_two_hundred_times_of_two_hundred),
        cmocka_unit_test(a_cycle_of_three_kills_the_one_that_closes_it),
        cmocka_unit_test(a_woken_client_that_closes_a_cycle_dies_in_a_careful_run),
        cmocka_unit_test(a_cycle_behind_a_check_that_has_passed_is_seen),
        cmocka_unit_test(arming_survives_what_undoes_settings),
        cmocka_unit_test(a_check_that_finds_nothing_is_told_by_the_server),
        cmocka_unit_test(a_session_is_armed_no_longer_than_its_transaction),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
