/*
 * Sessions as the server makes them, on a live PostgreSQL: all that a step says is kept, in the
 * order in which it came, and so is a session's state, until the next spec begins.
 */
#include "live.h"

#include "base/buf.h"
#include "pg/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define SETTLE_US_MAX 30000000
#define LOOK_US 1000

static const char schema[] = "CREATE TABLE room (id int PRIMARY KEY, n int NOT NULL);"
                             "INSERT INTO room VALUES (1, 10), (2, 20);";

struct place {
    struct ob_live live;
    struct ob_pg_plain *plain;
    struct ob_ports ports;
    struct ob_error err;
    struct ob_buf heard; /* what the last hear() heard */
};

static void begin_with(struct place *place, size_t count)
{
    static const char *const names[] = {"ann", "bob"};
    if (ob_pg_plain_begin(place->plain, "rooms", names, count, &place->err) != OB_OK)
        fail_msg("%s: %s", place->err.message, place->err.detail);
}

static void begin(struct place *place)
{
    begin_with(place, 2);
}

static void open_place(struct place *place)
{
    ob_live_open(&place->live, schema, NULL);
    if (ob_pg_plain_open(place->live.conninfo, &place->plain, &place->err) != OB_OK)
        fail_msg("%s: %s", place->err.message, place->err.detail);
    place->ports = ob_pg_plain_ports(place->plain);
    ob_buf_init(&place->heard, 1 << 16);
    begin(place);
}

static void close_place(struct place *place)
{
    ob_buf_clear(&place->heard);
    ob_pg_plain_close(place->plain);
    ob_live_close(&place->live);
}

static void send(struct place *place, size_t client, const char *sql)
{
    const struct ob_op op = {.kind = OB_OP_QUERY, .text = sql};
    assert_int_equal(place->ports.send(place->plain, client, &op, &place->err), OB_IO_PENDING);
}

/* Whether the session has answered.  What it has said until now is read. */
static bool has_answered(struct place *place, size_t client)
{
    struct ob_reply reply;
    enum ob_io io = place->ports.poll(place->plain, client, &reply, &place->err);
    assert_int_not_equal(io, OB_IO_FAILED);
    return io == OB_IO_DONE;
}

/* Looks until the session has answered (true) or is blocked, which it may have said something
 * before. */
static bool answers(struct place *place, size_t client)
{
    const ob_client_set set = (ob_client_set)1 << client;
    int64_t began_us = place->ports.monotonic_us(place->plain);
    while (place->ports.monotonic_us(place->plain) - began_us < SETTLE_US_MAX) {
        struct ob_waits waits;
        if (has_answered(place, client))
            return true;
        assert_int_equal(place->ports.waits(place->plain, set, &waits, &place->err), OB_OK);
        if (waits.blocked == set)
            return has_answered(place, client);
        place->ports.wait(place->plain, set, LOOK_US);
    }
    fail_msg("neither an answer nor a wait came from session %zu", client);
    return false;
}

/* What the session has said since, one line each. */
static const char *hear(struct place *place, size_t client)
{
    const struct ob_pg_said *said;
    ob_buf_reset(&place->heard);
    ob_buf_puts(&place->heard, "");
    while ((said = ob_pg_plain_next(place->plain, client)) != NULL) {
        switch (said->kind) {
        case OB_PG_SAID_NOTICE:
            ob_buf_puts(&place->heard, said->text);
            break;
        case OB_PG_SAID_CANCELLED:
            ob_buf_puts(&place->heard, "cancelled\n");
            break;
        case OB_PG_SAID_ANSWER:
            ob_buf_puts(&place->heard, "answer\n");
            break;
        case OB_PG_SAID_RESULT:
            ob_buf_printf(&place->heard, "%s %s\n", PQresStatus(PQresultStatus(said->result)),
                          PQntuples(said->result) > 0 ? PQgetvalue(said->result, 0, 0) : "");
            break;
        case OB_PG_SAID_NOTIFY:
            ob_buf_printf(&place->heard, "told of %s\n", said->notify->relname);
        }
    }
    return place->heard.data;
}

static const char *step(struct place *place, size_t client, const char *sql)
{
    send(place, client, sql);
    assert_true(answers(place, client));
    return hear(place, client);
}

static void each_statement_of_a_step_has_its_result(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    assert_string_equal(step(&place, 0, "SELECT 1; UPDATE room SET n = 11 WHERE id = 1; SELECT 2"),
                        "answer\nPGRES_TUPLES_OK 1\nPGRES_COMMAND_OK \nPGRES_TUPLES_OK 2\n");
    assert_string_equal(step(&place, 0, "SELECT 1; SELECT 1 / 0; SELECT 2"),
                        "answer\nPGRES_TUPLES_OK 1\nPGRES_FATAL_ERROR \n");
    assert_string_equal(step(&place, 0, ";"), "answer\nPGRES_EMPTY_QUERY \n");
    /* The first result is there before the step waits; none of them is lost. */
    assert_string_equal(step(&place, 0, "BEGIN; UPDATE room SET n = 12 WHERE id = 1"),
                        "answer\nPGRES_COMMAND_OK \nPGRES_COMMAND_OK \n");
    send(&place, 1, "SELECT 3; UPDATE room SET n = 13 WHERE id = 1; SELECT 4");
    assert_false(answers(&place, 1));
    step(&place, 0, "COMMIT");
    assert_true(answers(&place, 1));
    assert_string_equal(hear(&place, 1),
                        "answer\nPGRES_TUPLES_OK 3\nPGRES_COMMAND_OK \nPGRES_TUPLES_OK 4\n");
    close_place(&place);
}

static void notices_come_in_their_order_also_late(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    assert_string_equal(step(&place, 0,
                             "DO 'BEGIN RAISE NOTICE ''one''; RAISE WARNING ''two''; END';"
                             "SELECT 1"),
                        "NOTICE:  one\nWARNING:  two\nanswer\nPGRES_COMMAND_OK \n"
                        "PGRES_TUPLES_OK 1\n");
    step(&place, 0, "SELECT pg_advisory_lock(7)");
    send(&place, 1,
         "DO 'BEGIN RAISE NOTICE ''asks''; PERFORM pg_advisory_lock(7);"
         " RAISE NOTICE ''has it''; END'");
    assert_false(answers(&place, 1));
    assert_string_equal(hear(&place, 1), "NOTICE:  asks\n");
    assert_string_equal(hear(&place, 1), "");
    step(&place, 0, "SELECT pg_advisory_unlock(7)");
    assert_true(answers(&place, 1));
    assert_string_equal(hear(&place, 1), "NOTICE:  has it\nanswer\nPGRES_COMMAND_OK \n");
    close_place(&place);
}

static void a_session_keeps_its_state_until_the_next_spec(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    step(&place, 0, "SET work_mem = '7MB'; PREPARE two AS SELECT 2; LISTEN news");
    step(&place, 0, "CREATE TEMP TABLE own AS SELECT 5 AS n; SELECT pg_advisory_lock(7)");
    assert_string_equal(step(&place, 0, "SHOW work_mem"), "answer\nPGRES_TUPLES_OK 7MB\n");
    assert_string_equal(step(&place, 0, "EXECUTE two"), "answer\nPGRES_TUPLES_OK 2\n");
    assert_string_equal(step(&place, 0, "SELECT n FROM own"), "answer\nPGRES_TUPLES_OK 5\n");
    assert_string_equal(step(&place, 0, "SHOW application_name"),
                        "answer\nPGRES_TUPLES_OK rooms/ann\n");
    step(&place, 1, "NOTIFY news");
    assert_string_equal(step(&place, 0, "SELECT 1"), "answer\nPGRES_TUPLES_OK 1\ntold of news\n");
    step(&place, 0, "BEGIN; UPDATE room SET n = 99");
    step(&place, 1, "NOTIFY news");

    begin(&place);
    assert_string_equal(step(&place, 0, "SHOW work_mem"), "answer\nPGRES_TUPLES_OK 4MB\n");
    assert_string_equal(step(&place, 0, "EXECUTE two"), "answer\nPGRES_FATAL_ERROR \n");
    assert_string_equal(step(&place, 0, "SELECT n FROM own"), "answer\nPGRES_FATAL_ERROR \n");
    assert_string_equal(step(&place, 1, "SELECT pg_try_advisory_lock(7)"),
                        "answer\nPGRES_TUPLES_OK t\n");
    assert_string_equal(step(&place, 1, "UPDATE room SET n = 1 WHERE id = 1 RETURNING n"),
                        "answer\nPGRES_TUPLES_OK 1\n");
    step(&place, 1, "NOTIFY news");
    assert_string_equal(step(&place, 0, "SELECT 1"), "answer\nPGRES_TUPLES_OK 1\n");
    close_place(&place);
}

static void nothing_is_left_of_a_session_that_the_next_spec_has_not(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    step(&place, 1, "SELECT pg_advisory_lock(7)");
    step(&place, 1, "BEGIN; UPDATE room SET n = 99 WHERE id = 1");

    begin_with(&place, 1);
    assert_string_equal(step(&place, 0, "SELECT pg_try_advisory_lock(7)"),
                        "answer\nPGRES_TUPLES_OK t\n");
    assert_string_equal(step(&place, 0, "SELECT n FROM room WHERE id = 1 FOR UPDATE NOWAIT"),
                        "answer\nPGRES_TUPLES_OK 10\n");
    assert_string_equal(step(&place, 0,
                             "SELECT count(*) FROM pg_stat_activity"
                             " WHERE application_name = 'rooms/bob'"),
                        "answer\nPGRES_TUPLES_OK 0\n");
    begin(&place);
    assert_string_equal(step(&place, 1, "SHOW application_name"),
                        "answer\nPGRES_TUPLES_OK rooms/bob\n");
    close_place(&place);
}

/* libpq has a sentence of its own for whoever reads on. */
static void a_lost_connection_says_why_and_no_more(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    const char *gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity"
                       " WHERE application_name = 'rooms/ann')";
    step(&place, 1,
         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
         " WHERE application_name = 'rooms/ann'");
    for (int i = 0; strcmp(step(&place, 1, gone), "answer\nPGRES_TUPLES_OK t\n") != 0; i++) {
        assert_true(i < SETTLE_US_MAX / LOOK_US);
        place.ports.wait(place.plain, 1, LOOK_US);
    }
    PGresult *result = ob_pg_plain_exec(place.plain, 0, "SELECT 1");
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    PQclear(result);
    assert_string_equal(ob_pg_plain_message(place.plain, 0),
                        "FATAL:  terminating connection due to administrator command\n"
                        "server closed the connection unexpectedly\n"
                        "\tThis probably means the server terminated abnormally\n"
                        "\tbefore or while processing the request.\n");
    close_place(&place);
}

static void a_safe_snapshot_is_waited_for(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    step(&place, 0, "BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE room SET n = 11 WHERE id = 1");
    step(&place, 1, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE");
    send(&place, 1, "SELECT n FROM room WHERE id = 1");
    assert_false(answers(&place, 1));
    step(&place, 0, "COMMIT");
    assert_true(answers(&place, 1));
    assert_string_equal(hear(&place, 1), "answer\nPGRES_TUPLES_OK 10\n");
    close_place(&place);
}

static void a_cancelled_step_says_so_before_its_answer(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    step(&place, 0, "SELECT pg_advisory_lock(7)");
    send(&place, 1, "SELECT pg_advisory_lock(7)");
    assert_false(answers(&place, 1));
    place.ports.cancel(place.plain, 1);
    for (int i = 0; !answers(&place, 1); i++) { /* it may not have heard yet */
        assert_true(i < SETTLE_US_MAX / LOOK_US);
        place.ports.wait(place.plain, 2, LOOK_US);
    }
    assert_string_equal(hear(&place, 1), "cancelled\nanswer\nPGRES_FATAL_ERROR \n");
    close_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_of_a_step_has_its_result),
        cmocka_unit_test(notices_come_in_their_order_also_late),
        cmocka_unit_test(a_session_keeps_its_state_until_the_next_spec),
        cmocka_unit_test(nothing_is_left_of_a_session_that_the_next_spec_has_not),
        cmocka_unit_test(a_lost_connection_says_why_and_no_more),
        cmocka_unit_test(a_safe_snapshot_is_waited_for),
        cmocka_unit_test(a_cancelled_step_says_so_before_its_answer),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
