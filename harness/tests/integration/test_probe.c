/*
 * The probe on a live PostgreSQL: what it tells of statements, the time that it makes the server
 * tell, and its gate.  Skipped where it has not been built.
 */
#include "live.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define LIMIT_US 30000000
#define LOOK_US 1000
#define NO_PROBE "skipped: the probe has not been built for this server\n"

static const char schema[] =
    "CREATE TABLE room (id int PRIMARY KEY, n int NOT NULL);"
    "INSERT INTO room VALUES (1, 10), (2, 20);"
    "CREATE TABLE booking (id serial PRIMARY KEY, room int REFERENCES room, who text,"
    " made timestamptz DEFAULT now());"
    "CREATE TABLE later (room int REFERENCES room DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TABLE note (what text);"
    "CREATE TABLE watched (n int);"
    "CREATE VIEW busy AS SELECT DISTINCT room FROM booking;"
    "CREATE TABLE days (day int) PARTITION BY LIST (day);"
    "CREATE TABLE monday PARTITION OF days FOR VALUES IN (1);"
    "CREATE SEQUENCE loose;"
    "CREATE FUNCTION take_note() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN INSERT INTO note VALUES (TG_OP); RETURN NEW; END';"
    "CREATE TRIGGER noted BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION take_note();"
    "CREATE FUNCTION rooms() RETURNS bigint LANGUAGE plpgsql AS"
    " 'BEGIN RETURN (SELECT count(*) FROM room); END';"
    "CREATE FUNCTION rooms_sql() RETURNS bigint LANGUAGE sql VOLATILE AS"
    " 'SELECT count(*) FROM room';"
    "CREATE FUNCTION drawn() RETURNS bigint LANGUAGE plpgsql AS"
    " 'BEGIN RETURN nextval(''loose''); END';"
    "CREATE FUNCTION foreign_code() RETURNS trigger LANGUAGE internal AS"
    " 'suppress_redundant_updates_trigger';"
    "CREATE TABLE opaque (n int);"
    "CREATE TRIGGER unseen BEFORE UPDATE ON opaque FOR EACH ROW EXECUTE FUNCTION foreign_code();";

struct place {
    struct ob_live live;
    PGconn *conn; /* owned */
    struct ob_buf heard;
    char level; /* of the last notice; '\0': none came */
};

/* Each line that was told, after the level's. */
static void hear(void *arg, const PGresult *notice)
{
    struct place *place = arg;
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    if (!state || strcmp(state, "OBF01") != 0)
        return;
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    place->level = text[0];
    for (const char *line = text + 1; *line; line++)
        if (*line != '\n')
            ob_buf_putc(&place->heard, *line);
        else if (place->heard.size > 0)
            ob_buf_puts(&place->heard, "; ");
}

static void run(struct place *place, const char *sql)
{
    PGresult *result = PQexec(place->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(place->conn));
    PQclear(result);
}

/* A session of nobody's, which tells all. */
static void open_place(struct place *place)
{
    ob_live_open(&place->live, schema, NULL);
    if (!ob_pg_world_has_probe(place->live.world)) {
        ob_live_close(&place->live);
        print_message(NO_PROBE);
        skip();
    }
    place->conn = ob_live_connect(&place->live);
    ob_buf_init(&place->heard, 1 << 16);
    PQsetNoticeReceiver(place->conn, hear, place);
    run(place, "SET overbook.footprints = on");
}

static void close_place(struct place *place)
{
    ob_buf_clear(&place->heard);
    PQfinish(place->conn);
    ob_live_close(&place->live);
}

static void expect_touches(struct place *place, const char *sql, const char *touches)
{
    ob_buf_reset(&place->heard);
    ob_buf_puts(&place->heard, "");
    place->level = '\0';
    run(place, sql);
    if (strcmp(place->heard.data, touches) != 0)
        fail_msg("%s\nwas said to touch:\n    %s\nand touches:\n    %s", sql, place->heard.data,
                 touches);
}

static void expect_answer(PGconn *conn, const char *sql, const char *value)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    assert_string_equal(PQgetvalue(result, 0, 0), value);
    PQclear(result);
}

static void a_statement_tells_what_it_reads_locks_and_writes(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "SELECT 1", "");
    assert_int_equal(place.level, '\0');
    expect_touches(&place, "SELECT n FROM room", "R public.room");
    expect_touches(&place, "UPDATE room SET n = n", "W public.room");
    expect_touches(&place, "SELECT n FROM room FOR UPDATE", "W public.room");
    expect_touches(&place, "SELECT n FROM room FOR NO KEY UPDATE", "W public.room");
    expect_touches(&place, "SELECT n FROM room FOR SHARE", "S public.room");
    expect_touches(&place, "SELECT n FROM room FOR KEY SHARE", "S public.room");
    expect_touches(&place, "SELECT * FROM room r JOIN note ON true FOR UPDATE OF r",
                   "W public.room; R public.note");
    expect_touches(&place, "INSERT INTO note SELECT who FROM booking",
                   "W public.note; R public.booking");
    expect_touches(&place, "DELETE FROM note", "W public.note");
    expect_touches(&place, "SELECT * FROM busy", "R public.booking");
    expect_touches(&place, "SELECT last_value FROM loose", "R public.loose");
    expect_touches(&place, "SELECT count(*) FROM pg_class", "");
    expect_touches(&place, "EXPLAIN SELECT * FROM room", "");
    expect_touches(&place, "EXPLAIN ANALYZE SELECT * FROM room", "R public.room");
    expect_touches(&place, "PREPARE one AS SELECT n FROM room WHERE id = $1", "");
    expect_touches(&place, "EXECUTE one(1)", "R public.room");
    expect_touches(&place, "CREATE TEMP TABLE mine (n int)", "?");
    expect_touches(&place, "INSERT INTO mine VALUES (1)", "");
    close_place(&place);
}

static void what_runs_inside_of_a_statement_is_told_with_it(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "INSERT INTO booking (room) VALUES (1)",
                   "W public.booking; S public.room");
    expect_touches(&place, "INSERT INTO booking (room) VALUES (1), (2), (1)",
                   "W public.booking; S public.room");
    expect_touches(&place, "INSERT INTO watched VALUES (1)", "W public.watched; W public.note");
    expect_touches(&place, "SELECT rooms()", "R public.room");
    expect_touches(&place, "SELECT rooms_sql()", "R public.room");
    expect_touches(&place, "BEGIN", "");
    expect_touches(&place, "INSERT INTO later VALUES (1)", "W public.later");
    expect_touches(&place, "COMMIT", "S public.room");
    close_place(&place);
}

static void a_partition_is_reached_through_its_table_too(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "INSERT INTO days VALUES (1)", "W public.days");
    expect_touches(&place, "SELECT * FROM monday", "R public.monday; R public.days");
    expect_touches(&place, "UPDATE monday SET day = 1", "W public.monday; W public.days");
    close_place(&place);
}

static void only_a_sequence_of_the_table_s_own_belongs_to_its_rows(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "INSERT INTO booking (who) VALUES ('a')", "W public.booking");
    expect_touches(&place, "INSERT INTO booking (who) VALUES ('a'), ('b')", "W public.booking");
    expect_touches(&place, "INSERT INTO booking (id) VALUES (nextval('loose') + 100)",
                   "W public.booking; ?");
    expect_touches(&place, "INSERT INTO booking (who) VALUES (nextval('loose'))",
                   "W public.booking; ?");
    expect_touches(&place, "SELECT nextval('booking_id_seq')", "?");
    expect_touches(&place, "SELECT last_value FROM booking_id_seq", "?");
    expect_touches(&place, "SELECT nextval('loose')", "?");
    expect_touches(&place, "SELECT currval('loose')", "?");
    expect_touches(&place, "SELECT setval('loose', 50)", "?");
    expect_touches(&place, "SELECT lastval()", "?");
    close_place(&place);
}

/* A function's expression is made ready once in a transaction. */
static void what_a_function_draws_lasts_for_its_transaction(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "BEGIN", "");
    expect_touches(&place, "SELECT drawn()", "?");
    expect_touches(&place, "SELECT drawn()", "?");
    expect_touches(&place, "COMMIT", "?");
    expect_touches(&place, "SELECT n FROM room", "R public.room");
    close_place(&place);
}

static void advisory_locks_are_one_resource(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "SELECT pg_advisory_lock(1)", "N advisory locks");
    expect_touches(&place, "SELECT pg_try_advisory_xact_lock(1, 2)", "N advisory locks");
    expect_touches(&place, "SELECT pg_advisory_unlock(1)", "N advisory locks");
    expect_touches(&place, "SELECT pg_advisory_xact_lock(id) FROM room WHERE id = 1",
                   "R public.room; N advisory locks");
    expect_touches(&place, "SELECT pg_notify('news', '')", "");
    close_place(&place);
}

static void what_is_not_understood_may_touch_anything(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "CREATE TABLE more (n int)", "?");
    expect_touches(&place, "BEGIN; LOCK TABLE room IN SHARE MODE; COMMIT", "?");
    expect_touches(&place, "TRUNCATE note", "?");
    expect_touches(&place, "DO 'BEGIN PERFORM n FROM room; END'", "?; R public.room");
    expect_touches(&place, "SELECT pg_cancel_backend(0)", "?");
    expect_touches(&place, "UPDATE opaque SET n = n", "W public.opaque; ?");
    expect_touches(&place, "BEGIN; DECLARE each CURSOR FOR SELECT n FROM room", "?; R public.room");
    expect_touches(&place, "FETCH each", "?");
    expect_touches(&place, "COMMIT", "");
    close_place(&place);
}

static void transaction_control_and_settings_touch_nothing(void **state)
{
    static const char *const quiet[] = {
        "BEGIN",  "SAVEPOINT here",    "ROLLBACK TO here", "RELEASE here",       "COMMIT",
        "BEGIN",  "SET work_mem=1000", "RESET work_mem",   "SET LOCAL jit = on", "SHOW jit",
        "COMMIT", "DEALLOCATE ALL"};
    (void)state;
    struct place place;
    open_place(&place);
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
        expect_touches(&place, quiet[i], "");
    close_place(&place);
}

static void a_statement_tells_its_level(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "SELECT n FROM room", "R public.room");
    assert_int_equal(place.level, 'c');
    run(&place, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    expect_touches(&place, "SELECT 1", "");
    assert_int_equal(place.level, 'r');
    run(&place, "COMMIT; BEGIN ISOLATION LEVEL SERIALIZABLE");
    expect_touches(&place, "SELECT n FROM room", "R public.room");
    assert_int_equal(place.level, 's');
    run(&place, "COMMIT");
    close_place(&place);
}

static void nothing_is_told_unasked(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    expect_touches(&place, "SET overbook.footprints = off", "");
    expect_touches(&place, "SELECT n FROM room; SELECT nextval('loose'); CREATE TABLE more (n int)",
                   "");
    expect_touches(&place, "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT n FROM room; COMMIT", "");
    assert_int_equal(place.level, '\0');
    close_place(&place);
}

/* An error inside of a function must not leave the rest to be taken for parts of it. */
static void after_an_error_everything_is_told_again(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    run(&place, "CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS"
                " 'BEGIN PERFORM n FROM room; RETURN 1 / (SELECT 0); END'");
    PQclear(PQexec(place.conn, "SELECT fails()"));
    expect_touches(&place, "SELECT n FROM room", "R public.room");
    expect_touches(&place, "SELECT n FROM room", "R public.room");
    close_place(&place);
}

/* 2030-01-01, and an hour later. */
#define NEW_YEAR "1893456000000000"
#define LATER "1893459600000000"

static void the_server_tells_the_time_that_it_is_told(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    PGconn *conn = place.conn;
    run(&place, "CREATE SEQUENCE public.clock; SELECT setval('public.clock', " NEW_YEAR ")");
    run(&place, "SET timezone = 'UTC'; SET overbook.clock = 'public.clock'");
    expect_answer(conn, "SELECT now()", "2030-01-01 00:00:00+00");

    expect_answer(conn, "SELECT CURRENT_DATE", "2030-01-01");
    expect_answer(conn, "SELECT statement_timestamp()", "2030-01-01 00:00:00+00");
    expect_answer(conn, "INSERT INTO booking (room) VALUES (1) RETURNING made",
                  "2030-01-01 00:00:00+00");
    expect_answer(conn, "SELECT count(*) FROM booking WHERE made = now()", "1");
    run(&place, "BEGIN");
    ob_live_sql(&place.live, "SELECT setval('public.clock', " LATER ")", NULL);
    expect_answer(conn, "SELECT now()", "2030-01-01 00:00:00+00");
    expect_answer(conn, "SELECT statement_timestamp()", "2030-01-01 01:00:00+00");
    run(&place, "COMMIT");
    expect_answer(conn, "SELECT now()", "2030-01-01 01:00:00+00");
    close_place(&place);
}

static void within_a_statement_its_time_stands_still(void **state)
{
    (void)state;
    struct place place;
    open_place(&place);
    run(&place, "CREATE SEQUENCE public.clock; SELECT setval('public.clock', " NEW_YEAR ")");
    run(&place, "SET timezone = 'UTC'; SET overbook.clock = 'public.clock'");
    run(&place, "CREATE FUNCTION takes_an_hour() RETURNS timestamptz LANGUAGE plpgsql AS"
                " 'BEGIN PERFORM setval(''public.clock'', " LATER ");"
                " RETURN (SELECT statement_timestamp()); END'");
    expect_answer(place.conn, "SELECT takes_an_hour()", "2030-01-01 00:00:00+00");
    expect_answer(place.conn, "SELECT statement_timestamp()", "2030-01-01 01:00:00+00");
    close_place(&place);
}

static void without_a_sequence_the_time_is_the_machine_s(void **state)
{
    (void)state;
    static const char now[] = "SELECT abs(extract(epoch FROM clock_timestamp() - now())) < 60";
    struct place place;
    open_place(&place);
    expect_answer(place.conn, now, "t");
    run(&place, "SET overbook.clock = 'nowhere.clock'");
    expect_answer(place.conn, now, "t");
    run(&place, "SET overbook.clock = 'booking'");
    expect_answer(place.conn, now, "t");
    PGresult *refused = PQexec(place.conn, "SET overbook.clock = 'a.b.c'");
    assert_string_equal(PQresultErrorField(refused, PG_DIAG_SQLSTATE), "22023");
    PQclear(refused);
    close_place(&place);
}

/* Waits until the server says that so many sessions wait for an advisory lock. */
static void await_waiting(struct ob_live *live, const char *count)
{
    struct ob_ports ports = ob_pg_world_ports(live->world);
    int64_t began_us = ports.monotonic_us(live->world);
    while (ports.monotonic_us(live->world) - began_us < LIMIT_US) {
        char *found = NULL;
        ob_live_sql(live,
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
                    &found);
        bool there = strcmp(found, count) == 0;
        free(found);
        if (there)
            return;
        ports.wait(live->world, 0, LOOK_US);
    }
    fail_msg("never did %s sessions wait at the gate", count);
}

#define BOOK                                                         \
    "INSERT INTO booking (room, who) SELECT 1, 'x' WHERE NOT EXISTS" \
    " (SELECT FROM booking WHERE room = 1)"

#define GATE_KEY(key) "1868722532, " #key

static void open_at_gates(struct place *place, PGconn **other)
{
    open_place(place);
    *other = ob_live_connect(&place->live);
    PQclear(PQexec(*other, "SET overbook.gate = 8"));
    run(place, "SET overbook.gate = 7");
    ob_live_sql(&place->live,
                "SELECT pg_advisory_lock(" GATE_KEY(14) "), pg_advisory_lock(" GATE_KEY(16) ")",
                NULL);
}

static void drain(PGconn *conn)
{
    for (PGresult *result; (result = PQgetResult(conn));)
        PQclear(result);
}

static void two_that_wait_at_the_gate_have_their_snapshots(void **state)
{
    (void)state;
    struct place place;
    PGconn *other;
    open_at_gates(&place, &other);
    expect_answer(place.conn, "SELECT count(*) FROM booking", "0"); /* only reads */
    assert_int_equal(PQsendQuery(place.conn, BOOK), 1);
    assert_int_equal(PQsendQuery(other, BOOK), 1);
    await_waiting(&place.live, "2");
    ob_live_expect(&place.live, "SELECT count(*) FROM booking", "0");
    ob_live_sql(&place.live, "SELECT pg_advisory_unlock_all()", NULL);
    drain(place.conn);
    drain(other);
    ob_live_expect(&place.live, "SELECT count(*) FROM booking", "2");
    ob_live_expect(&place.live, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
    PQfinish(other);
    close_place(&place);
}

/* Each statement of the function that writes has a gate of its own, of the other key each time. */
static void a_function_stops_at_each_gate(void **state)
{
    (void)state;
    struct place place;
    PGconn *other;
    open_at_gates(&place, &other);
    ob_live_sql(&place.live,
                "CREATE FUNCTION book() RETURNS void LANGUAGE plpgsql AS 'BEGIN IF NOT EXISTS"
                " (SELECT FROM booking) THEN INSERT INTO booking (room) VALUES (1);"
                " UPDATE booking SET room = 2; END IF; END'",
                NULL);
    assert_int_equal(PQsendQuery(place.conn, "SELECT book()"), 1);
    await_waiting(&place.live, "1");
    ob_live_sql(&place.live,
                "SELECT pg_advisory_lock(" GATE_KEY(15) "), pg_advisory_unlock(" GATE_KEY(14) ")",
                NULL);
    await_waiting(&place.live, "1");
    ob_live_expect(&place.live,
                   "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", "15");
    ob_live_sql(&place.live, "SELECT pg_advisory_unlock_all()", NULL);
    drain(place.conn);
    ob_live_expect(&place.live, "SELECT room FROM booking", "2");
    PQfinish(other);
    close_place(&place);
}

/* What a footprint says, without names. */
static unsigned ways(const struct ob_footprint *footprint, const char *name)
{
    for (size_t i = 0; i < footprint->count; i++)
        if (footprint->touches[i].resource == ob_resource(name))
            return footprint->touches[i].ways;
    return 0;
}

static void open_scene(struct ob_live *live)
{
    ob_live_open(live, schema, NULL);
    if (!ob_pg_world_has_probe(live->world)) {
        ob_live_close(live);
        print_message(NO_PROBE);
        skip();
    }
}

static void a_run_s_record_has_the_footprints(void **state)
{
    (void)state;
    struct ob_live live;
    open_scene(&live);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "INSERT INTO booking (room) VALUES (1)", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "begin isolation level serializable",
                 "UPDATE room SET n = 0 WHERE id = (SELECT 1)", "TRUNCATE note", "commit");
    for (int round = 0; round < 2; round++) {
        ob_live_run(&live, "0001111");
        const struct ob_step *steps = live.scene.trace.steps;
        const struct ob_footprint *begin = &steps[0].completions[0].footprint;
        assert_true(begin->known);
        assert_int_equal(begin->count, 0);
        const struct ob_footprint *insert = &steps[1].completions[0].footprint;
        assert_true(insert->known);
        assert_int_equal(insert->level, OB_LEVEL_STATEMENT);
        assert_int_equal(insert->count, 2);
        assert_int_equal(ways(insert, "public.booking"), OB_TOUCH_WRITE);
        assert_int_equal(ways(insert, "public.room"), OB_TOUCH_SHARE);
        const struct ob_footprint *update = &steps[4].completions[0].footprint;
        assert_true(update->known);
        assert_int_equal(update->level, OB_LEVEL_SERIALIZABLE);
        assert_int_equal(ways(update, "public.room"), OB_TOUCH_WRITE);
        assert_false(steps[5].completions[0].footprint.known);
    }
    ob_live_close(&live);
}

static void one_who_waited_has_told_before(void **state)
{
    (void)state;
    struct ob_live live;
    open_scene(&live);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "UPDATE room SET n = 0 WHERE id = 1", "commit");
    OB_SCENE_ADD(&live.scene, "bob", "UPDATE room SET n = 1 WHERE id = 1");
    ob_live_run(&live, "0010");
    const struct ob_step *last = &live.scene.trace.steps[3];
    assert_int_equal(last->completion_count, 2);
    assert_int_equal(last->completions[0].footprint.count, 0);
    assert_true(last->completions[1].footprint.known);
    assert_int_equal(ways(&last->completions[1].footprint, "public.room"), OB_TOUCH_WRITE);
    ob_live_close(&live);
}

/* The victim of a deadlock has told; what fails before it runs has not, and may be anything. */
static void what_fails_unheard_may_have_touched_anything(void **state)
{
    (void)state;
    struct ob_live live;
    open_scene(&live);
    OB_SCENE_ADD(&live.scene, "ann", "begin", "SELECT * FROM nowhere", "SELECT n FROM room",
                 "rollback", "SELECT 1 / (n - n) FROM room");
    ob_live_run(&live, "00000");
    const struct ob_step *steps = live.scene.trace.steps;
    assert_false(steps[1].completions[0].footprint.known);
    assert_true(steps[2].completions[0].footprint.known);
    assert_true(steps[4].completions[0].footprint.known);
    assert_int_equal(ways(&steps[4].completions[0].footprint, "public.room"), OB_TOUCH_READ);
    ob_live_close(&live);
}

static void a_client_that_discards_all_goes_on_telling(void **state)
{
    (void)state;
    struct ob_live live;
    open_scene(&live);
    OB_SCENE_ADD(&live.scene, "ann", "DISCARD ALL", "SELECT n FROM room", "kill",
                 "SELECT n FROM room");
    ob_live_run(&live, "0000");
    const struct ob_step *steps = live.scene.trace.steps;
    assert_int_equal(ways(&steps[1].completions[0].footprint, "public.room"), OB_TOUCH_READ);
    assert_int_equal(ways(&steps[3].completions[0].footprint, "public.room"), OB_TOUCH_READ);
    ob_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_tells_what_it_reads_locks_and_writes),
        cmocka_unit_test(what_runs_inside_of_a_statement_is_told_with_it),
        cmocka_unit_test(a_partition_is_reached_through_its_table_too),
        cmocka_unit_test(only_a_sequence_of_the_table_s_own_belongs_to_its_rows),
        cmocka_unit_test(what_a_function_draws_lasts_for_its_transaction),
        cmocka_unit_test(advisory_locks_are_one_resource),
        cmocka_unit_test(what_is_not_understood_may_touch_anything),
        cmocka_unit_test(transaction_control_and_settings_touch_nothing),
        cmocka_unit_test(a_statement_tells_its_level),
        cmocka_unit_test(nothing_is_told_unasked),
        cmocka_unit_test(after_an_error_everything_is_told_again),
        cmocka_unit_test(the_server_tells_the_time_that_it_is_told),
        cmocka_unit_test(within_a_statement_its_time_stands_still),
        cmocka_unit_test(without_a_sequence_the_time_is_the_machine_s),
        cmocka_unit_test(two_that_wait_at_the_gate_have_their_snapshots),
        cmocka_unit_test(a_function_stops_at_each_gate),
        cmocka_unit_test(a_run_s_record_has_the_footprints),
        cmocka_unit_test(one_who_waited_has_told_before),
        cmocka_unit_test(what_fails_unheard_may_have_touched_anything),
        cmocka_unit_test(a_client_that_discards_all_goes_on_telling),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
