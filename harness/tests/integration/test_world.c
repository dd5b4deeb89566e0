/* The world on a live server: sessions that end, the way back to the clean state, queries. */
#include "live.h"

#include "base/alloc.h"
#include "pg/world_int.h"
#include "tests/pg_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE \"Odd \"\"Name\" (\"Key 1\" text PRIMARY KEY, doc json, bin jsonb);"
    "INSERT INTO \"Odd \"\"Name\" VALUES ('a', '{\"n\": 1}', '[1]'), ('b', NULL, NULL);"
    "CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, price int NOT NULL,"
    " twice int GENERATED ALWAYS AS (price * 2) STORED, made xid8 DEFAULT pg_current_xact_id());"
    "INSERT INTO item (price) VALUES (10), (20), (30);"
    "CREATE TABLE sale (id serial PRIMARY KEY, item int NOT NULL REFERENCES item);"
    "INSERT INTO sale (item) VALUES (1), (2);"
    "CREATE TABLE empty (id bigserial PRIMARY KEY, item int REFERENCES item ON DELETE CASCADE);"
    "CREATE TABLE part (n int) PARTITION BY RANGE (n);"
    "CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (10);"
    "INSERT INTO part VALUES (1), (2);"
    "CREATE SCHEMA other; CREATE TABLE other.item (n int); INSERT INTO other.item VALUES (5), (5);"
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RAISE EXCEPTION ''never deleted''; END';"
    "CREATE TRIGGER keep BEFORE DELETE ON sale FOR EACH ROW EXECUTE FUNCTION refuse();";

/* Everything that a run may leave behind, as one line. */
static const char everything[] =
    "SELECT (SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM \"Odd \"\"Name\" t) || '|' ||"
    " (SELECT string_agg(ROW(id, price, twice)::text, ' ' ORDER BY id) FROM item) || '|' ||"
    " (SELECT string_agg(t::text, ' ' ORDER BY id) FROM sale t) || '|' ||"
    " (SELECT count(*) FROM empty) || '|' || (SELECT sum(n) FROM part) || '|' ||"
    " (SELECT count(*) FROM other.item) || '|' ||"
    " (SELECT string_agg(sequencename || coalesce(last_value, 0), ' ' ORDER BY sequencename)"
    "  FROM pg_sequences WHERE schemaname <> 'overbook')";

static char *look(struct ob_live *live)
{
    char *text = NULL;
    ob_live_sql(live, everything, &text);
    return text;
}

static uint64_t digest(struct ob_live *live)
{
    uint64_t value = 0;
    if (ob_pg_world_digest(live->world, &value, &live->err) != OB_OK)
        fail_msg("%s", live->err.message);
    return value;
}

static void reset(struct ob_live *live)
{
    if (ob_pg_world_reset(live->world, 0, &live->err) != OB_OK)
        fail_msg("%s %s", live->err.message, live->err.detail);
}

static void expect_undone(struct ob_live *live, const char *change)
{
    reset(live);
    uint64_t clean_digest = digest(live);
    char *clean = look(live);
    ob_live_sql(live, change, NULL);
    char *changed = look(live);
    uint64_t changed_digest = digest(live);
    assert_string_not_equal(clean, changed);
    if (strstr(change, "nextval") == NULL)
        assert_true(changed_digest != clean_digest);
    reset(live);
    char *after = look(live);
    assert_string_equal(after, clean);
    assert_true(digest(live) == clean_digest);
    free(clean);
    free(changed);
    free(after);
}

static void whatever_a_run_changes_is_put_back(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE item SET price = 11 WHERE id = 1",
        "INSERT INTO item (price) VALUES (40)",
        "DELETE FROM item WHERE id = 3",
        "SET session_replication_role = replica; DELETE FROM sale; DELETE FROM item",
        "INSERT INTO sale (item) VALUES (3)",
        "INSERT INTO empty (item) SELECT 1 FROM generate_series(1, 100)",
        "UPDATE \"Odd \"\"Name\" SET doc = '{\"n\": 2}' WHERE \"Key 1\" = 'a'",
        "UPDATE \"Odd \"\"Name\" SET \"Key 1\" = 'c' WHERE doc IS NULL",
        "INSERT INTO part VALUES (9)",
        "DELETE FROM part",
        "INSERT INTO other.item VALUES (5)",
        "DELETE FROM other.item",
        "SELECT nextval('sale_id_seq')",
        "SELECT nextval('empty_id_seq')",
    };
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        expect_undone(&live, changes[i]);
    ob_live_close(&live);
}

static void a_swap_of_two_values_changes_the_digest(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    uint64_t clean = digest(&live);
    ob_live_sql(&live, "UPDATE item SET price = 30 - price WHERE id < 3", NULL);
    assert_true(digest(&live) != clean);
    ob_live_close(&live);
}

static void transaction_ids_are_not_part_of_the_digest(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    uint64_t clean = digest(&live);
    ob_live_sql(&live, "UPDATE item SET made = pg_current_xact_id()", NULL);
    assert_true(digest(&live) == clean);
    ob_live_close(&live);
}

static void a_hundred_resets_leave_the_first_state(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    char *clean = look(&live);
    for (int i = 0; i < 100; i++) {
        ob_live_sql(&live, "INSERT INTO item (price) VALUES (1); INSERT INTO empty DEFAULT VALUES",
                    NULL);
        reset(&live);
    }
    char *after = look(&live);
    assert_string_equal(after, clean);
    ob_live_expect(&live, "SELECT pg_relation_size('empty') <= 8192", "t");
    free(clean);
    free(after);
    ob_live_close(&live);
}

static void what_a_run_leaves_open_is_closed(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "UPDATE item SET price = 0");
    OB_SCENE_ADD(&live.scene, "bob", "begin", "SELECT 1 / 0");
    OB_SCENE_ADD(&live.scene, "cat", "UPDATE item SET price = 1");
    assert_non_null(strstr(ob_live_run(&live, "00112"), "end: the clients wait for each other"));
    char *left = look(&live);
    reset(&live);
    char *clean = look(&live);
    assert_string_equal(left, clean);
    ob_live_expect(&live, "SELECT count(*) FROM pg_locks WHERE relation = 'item'::regclass", "0");
    free(left);
    free(clean);
    ob_live_close(&live);
}

static void a_killed_session_is_lost_and_replaced(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "SELECT pg_advisory_lock(7)", "begin",
                 "UPDATE item SET price = 0 WHERE id = 1", "kill",
                 "SELECT price FROM item WHERE id = 1");
    OB_SCENE_ADD(&live.scene, "bob", "UPDATE item SET price = price + 1 WHERE id = 1");
    assert_string_equal(
        ob_live_run(&live, "000100"),
        "  1 ann        sql      SELECT pg_advisory_lock(7)  -> 1 row\n"
        "  2 ann        begin    begin  -> 0 rows\n"
        "  3 ann        sql      UPDATE item SET price = 0 WHERE id = 1  -> 1 row\n"
        "  4 bob        sql      UPDATE item SET price = price + 1 WHERE id = 1  -> waits for ann\n"
        "  5 ann        kill     kill  -> session lost; bob goes on: 1 row\n"
        "    ann        told     lost: \n"
        "  6 ann        sql      SELECT price FROM item WHERE id = 1  -> 1 row\n"
        "    end: finished\n");
    ob_live_expect(&live, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
    ob_live_expect(&live, "SELECT price FROM item WHERE id = 1", "11");
    ob_live_close(&live);
}

static void a_session_that_the_server_ends_is_lost_with_its_sqlstate(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "SELECT pg_terminate_backend(pg_backend_pid())",
                 "SELECT 1");
    const char *text = ob_live_run(&live, "000");
    assert_non_null(strstr(text, "pg_terminate_backend(pg_backend_pid())  -> session lost\n"));
    assert_non_null(strstr(text, "told     lost: 57P01\n"));
    ob_live_close(&live);
}

/* The server ends ann's session while bob's statement sleeps. */
static void an_idle_transaction_that_times_out_is_lost(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "SET idle_in_transaction_session_timeout = '20ms'", "begin",
                 "UPDATE item SET price = 0 WHERE id = 1", "commit", "SELECT 1");
    OB_SCENE_ADD(&live.scene, "bob", "SELECT pg_sleep(0.2)");
    for (int i = 0; i < 3; i++) {
        ob_live_run(&live, "00010");
        const struct ob_step *commit = NULL;
        for (size_t k = 0; k < live.scene.trace.step_count; k++)
            if (live.scene.trace.steps[k].kind == OB_OP_COMMIT)
                commit = &live.scene.trace.steps[k];
        assert_true(commit && commit->completions[0].status == OB_REPLY_LOST);
        assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
    }
    ob_live_close(&live);
}

static void a_session_that_ended_between_two_runs_is_replaced(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    end_session(ob_pg_world_control(live.world), live.world->sessions[1].conn);
    reset(&live);
    OB_SCENE_ADD(&live.scene, "ann", "SELECT 1");
    OB_SCENE_ADD(&live.scene, "bob", "SELECT 1");
    ob_live_run(&live, "");
    assert_int_equal(live.scene.trace.steps[1].completions[0].status, OB_REPLY_DONE);
    ob_live_close(&live);
}

static void session_state_is_discarded_where_clients_may_change_it(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    live.world->keeps_session_state = true;
    OB_SCENE_ADD(&live.scene, "ann", "SET work_mem = '1234kB'", "CREATE TEMP TABLE mine (n int)",
                 "SELECT pg_advisory_lock(9)");
    for (int i = 0; i < 3; i++) {
        ob_live_run(&live, "");
        assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
        assert_string_equal(live.scene.trace.steps[1].completions[0].sqlstate, "00000");
    }
    reset(&live);
    PGresult *answer = PQexec(live.world->sessions[0].conn, "SHOW work_mem");
    assert_string_not_equal(PQgetvalue(answer, 0, 0), "1234kB");
    PQclear(answer);
    ob_live_expect(&live, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
    ob_live_close(&live);
}

static void copy_through_the_connection_does_not_hang(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "COPY item (price) FROM STDIN", "COPY item TO STDOUT",
                 "SELECT 1", "", "nonsense", "SELECT 1; SELECT 2");
    const char *text = ob_live_run(&live, "");
    assert_int_equal(live.scene.trace.end, OB_RUN_FINISHED);
    assert_int_equal(live.scene.trace.step_count, 6);
    assert_non_null(strstr(
        text,
        "FROM STDIN  -> error 57014: COPY from stdin failed: clients of overbook send no data\n"));
    assert_non_null(strstr(text, "TO STDOUT  -> 3 rows\n"));
    assert_non_null(strstr(text, "SELECT 1  -> 1 row\n"));
    assert_non_null(
        strstr(text, "nonsense  -> error 42601: syntax error at or near \"nonsense\"\n"));
    ob_live_close(&live);
}

static void the_same_rows_have_the_same_digest_in_any_order(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "SELECT id, price FROM item ORDER BY id",
                 "SELECT id, price FROM item ORDER BY id DESC", "SELECT price, id FROM item",
                 "SELECT id, price, made FROM item", "SELECT id, NULL FROM item",
                 "SELECT id, '' FROM item");
    ob_live_run(&live, "");
    uint64_t digests[6];
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(live.scene.trace.steps[i].completions[0].row_count, 3);
        digests[i] = live.scene.trace.steps[i].completions[0].digest;
    }
    assert_true(digests[0] == digests[1]);
    assert_true(digests[0] != digests[2]);
    assert_true(digests[0] == digests[3]); /* transaction ids are masked */
    assert_true(digests[4] != digests[5]);
    ob_live_close(&live);
}

static void queries_have_parameters_nulls_and_errors(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    struct ob_query_port port = ob_pg_world_query_port(live.world);
    struct ob_arena arena;
    ob_arena_init(&arena);
    const char *params[] = {"20", NULL};
    struct ob_rows rows;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            port.query(port.self,
                       "SELECT id, $2::text AS nothing FROM item WHERE price >= $1::int"
                       " ORDER BY id",
                       2, params, &arena, &rows, &live.err),
            OB_OK);
        assert_int_equal(rows.row_count, 2);
        assert_int_equal(rows.column_count, 2);
        assert_string_equal(rows.columns[1], "nothing");
        assert_string_equal(rows.cells[2], "3");
        assert_null(rows.cells[1]);
    }
    assert_int_equal(port.query(port.self, "SELECT FROM item", 0, NULL, &arena, &rows, &live.err),
                     OB_OK);
    assert_int_equal(rows.column_count, 0);
    assert_int_equal(rows.row_count, 3);
    assert_int_equal(
        port.query(port.self, "SELECT nothing FROM nowhere", 0, NULL, &arena, &rows, &live.err),
        OB_SQL);
    assert_string_equal(live.err.sqlstate, "42P01");
    assert_non_null(strstr(live.err.message, "nowhere"));
    assert_int_equal(
        port.query(port.self, "SELECT 1 / (id - id) FROM item", 0, NULL, &arena, &rows, &live.err),
        OB_SQL);
    assert_string_equal(live.err.sqlstate, "22012");
    assert_int_equal(port.query(port.self, "SELECT 1", 0, NULL, &arena, &rows, &live.err), OB_OK);
    ob_arena_clear(&arena);
    ob_live_close(&live);
}

static void what_is_asked_is_bounded(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    ob_live_expect(&live, "SHOW statement_timeout", "30s");
    ob_live_expect(&live, "SHOW lock_timeout", "5s");
    ob_live_sql(&live, "SET statement_timeout = '10ms'", NULL);
    struct ob_query_port port = ob_pg_world_query_port(live.world);
    struct ob_arena arena;
    struct ob_rows rows;
    ob_arena_init(&arena);
    assert_int_equal(
        port.query(port.self, "SELECT pg_sleep(1000)", 0, NULL, &arena, &rows, &live.err), OB_SQL);
    assert_string_equal(live.err.sqlstate, "57014");
    ob_arena_clear(&arena);
    ob_live_close(&live);
}

static void a_role_without_rights_is_refused_with_the_cure(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    ob_live_sql(&live, "CREATE ROLE guest LOGIN", NULL);
    char *conninfo = ob_pg_server_conninfo(ob_live_server(), "postgres");
    char *guest = ob_asprintf("%s user=guest", conninfo);
    struct ob_pg_world_options options = {.conninfo = guest, .session_count = 1};
    struct ob_pg_world *world = NULL;
    assert_int_equal(ob_pg_world_open(&options, &world, &live.err), OB_REFUSED);
    assert_null(world);
    assert_non_null(strstr(live.err.hint, "session_replication_role"));
    free(guest);
    free(conninfo);
    ob_live_sql(&live, "DROP ROLE guest", NULL);
    ob_live_close(&live);
}

/* Last, since it is the end of the server. */
static void a_server_that_dies_in_the_middle_is_an_error(void **state)
{
    (void)state;
    struct ob_live live;
    ob_live_open(&live, schema, NULL);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "UPDATE item SET price = 0", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "SELECT pg_sleep(30)");
    assert_int_equal(kill(ob_pg_server_postmaster_pid(ob_live_server()), SIGKILL), 0);
    assert_int_equal(kill(live.world->sessions[0].pid, SIGKILL), 0);
    enum ob_result result = ob_scene_run(&live.scene, "0010");
    assert_int_equal(result, OB_SERVER);
    assert_true(live.scene.err.message[0] != '\0');
    ob_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_a_run_changes_is_put_back),
        cmocka_unit_test(a_swap_of_two_values_changes_the_digest),
        cmocka_unit_test(transaction_ids_are_not_part_of_the_digest),
        cmocka_unit_test(a_hundred_resets_leave_the_first_state),
        cmocka_unit_test(what_a_run_leaves_open_is_closed),
        cmocka_unit_test(a_killed_session_is_lost_and_replaced),
        cmocka_unit_test(a_session_that_the_server_ends_is_lost_with_its_sqlstate),
        cmocka_unit_test(an_idle_transaction_that_times_out_is_lost),
        cmocka_unit_test(a_session_that_ended_between_two_runs_is_replaced),
        cmocka_unit_test(session_state_is_discarded_where_clients_may_change_it),
        cmocka_unit_test(copy_through_the_connection_does_not_hang),
        cmocka_unit_test(the_same_rows_have_the_same_digest_in_any_order),
        cmocka_unit_test(queries_have_parameters_nulls_and_errors),
        cmocka_unit_test(what_is_asked_is_bounded),
        cmocka_unit_test(a_role_without_rights_is_refused_with_the_cure),
        cmocka_unit_test(a_server_that_dies_in_the_middle_is_an_error),
    };
    return cmocka_run_group_tests(tests, ob_live_start, NULL);
}
