/* The schema up and down, with data in it. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static PGconn *conn_of(struct world *world)
{
    return booking_db_connection(world->plain);
}

static void go(struct world *world, int version)
{
    struct booking_error err;
    int now;

    if (!booking_migrate(conn_of(world), version, NULL, NULL, &err))
        fail_msg("%s: %s", err.message, err.detail);
    assert_true(booking_migrate_version(conn_of(world), &now, &err));
    assert_int_equal(now, version);
}

static int setup_open(void **state)
{
    *state = world_open(BOOKING_SCHEMA_OPEN, BOOKING_PATH_FIXED);
    return 0;
}

static void versions_are_numbered_from_one_without_gaps(void **state)
{
    size_t count;
    const struct booking_migration *migrations = booking_migrations(&count);

    (void)state;
    assert_int_equal(count, BOOKING_SCHEMA_LATEST);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(migrations[i].version, i + 1);
        assert_true(strlen(migrations[i].up) > 0 && strlen(migrations[i].down) > 0);
    }
    assert_string_equal(migrations[7].name, "booking_no_overlap");
}

/* Everything that the flow writes, as one text. */
static void digest(struct world *world, char *out, size_t size)
{
    world_text(world,
               "SELECT md5(string_agg(line, '|' ORDER BY line)) FROM ("
               "SELECT 'h' || to_jsonb(h)::text FROM booking.temp_booking h"
               " UNION ALL SELECT 'b' || to_jsonb(b)::text FROM booking.booking b"
               " UNION ALL SELECT 'o' || to_jsonb(o)::text FROM booking.outbox o"
               " UNION ALL SELECT 't' || to_jsonb(t)::text FROM booking.transition t"
               " UNION ALL SELECT 'e' || to_jsonb(e)::text FROM booking.event e"
               " UNION ALL SELECT 'r' || to_jsonb(r)::text FROM booking.refund r"
               " UNION ALL SELECT 'c' || to_jsonb(c)::text FROM booking.manual_case c"
               " UNION ALL SELECT 'u' || to_jsonb(u)::text FROM booking.unmatched u"
               " UNION ALL SELECT 'w' || to_jsonb(w)::text FROM booking.series w"
               " UNION ALL SELECT 's' || (to_jsonb(s) - 'version')::text FROM booking.simulator s"
               ") AS all_rows(line)",
               out, size);
}

static void fill(struct world *world)
{
    struct booking_series_request series = {.customer = "alice",
                                            .simulator_id = 2,
                                            .start = "2026-10-26 10:00",
                                            .end = "2026-10-26 11:00",
                                            .every_days = 7,
                                            .times = 2};
    int64_t hold = world_paid(world, "alice");

    world_do(world, "UPDATE booking.simulator SET zone = 'America/New_York' WHERE id = 2");
    assert_int_equal(booking_series(&world->app, world->session, &series, &world->answer),
                     BOOKING_OK);
    world_cancel(world, "alice", 2); /* what is live would run out by the real clock */
    world_cancel(world, "alice", 3);
    world_deliver_all(world);
    world_cancel(world, "alice", hold);
    world_deliver_all(world);
    world_paid(world, "bob");
    world_emit(world, "payment.succeeded", "pay_9", "carol", 77, 9000);
    world_deliver_all(world);
    world_emit(world, "payment.succeeded", "pay_8", "carol", 78, 9000);
    world_deliver(world);
}

static void every_version_can_be_left_and_come_back_to_without_loss(void **state)
{
    struct world *world = *state;
    char before[64], after[64];

    fill(world);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.manual_case"), 1);
    digest(world, before, sizeof before);
    for (int version = BOOKING_SCHEMA_LATEST - 1; version >= 0; version--) {
        go(world, version);
        go(world, BOOKING_SCHEMA_LATEST);
        digest(world, after, sizeof after);
        assert_string_equal(after, before);
    }
}

static void the_flow_goes_on_after_all_the_way_down_and_up(void **state)
{
    struct world *world = *state;
    struct booking_error err;
    int percent;

    world_paid(world, "alice");
    go(world, BOOKING_SCHEMA_EMPTY);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking_archive.temp_booking"), 1);
    go(world, BOOKING_SCHEMA_LATEST);
    assert_int_equal(booking_flag_get(world->plain, &percent, &err), BOOKING_DB_OK);
    assert_int_equal(percent, 0);
    world_do(world, booking_sql_virtual_clock());
    booking_flag_set(world->plain, 100, &err);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_int_equal(world_hold(world, "bob", 12, 13), BOOKING_OK);
    assert_int_equal(world->answer.hold_id, 2);
    assert_int_equal(world_violations(world), 0);
}

static void going_up_replaces_the_virtual_clock_by_the_real_one(void **state)
{
    struct world *world = *state;

    assert_sql_text(world, "SELECT booking.now()::date", "2026-01-01");
    go(world, BOOKING_SCHEMA_EMPTY);
    go(world, BOOKING_SCHEMA_CORE);
    assert_sql_text(world,
                    "SELECT booking.now() BETWEEN clock_timestamp() - interval '1 min'"
                    " AND clock_timestamp()",
                    "t");
}

/* --- dirty data */

static void insert_hold(struct world *world, int id, int hour)
{
    char sql[512];

    snprintf(sql, sizeof sql,
             "INSERT INTO booking.temp_booking (id, simulator_id, customer_id, during, status,"
             " expires_at, payment_id, amount_minor, currency) VALUES (%d, 1, 'c%d',"
             " tstzrange('2026-06-01 00:00Z'::timestamptz + %d * interval '1 hour',"
             " '2026-06-01 02:00Z'::timestamptz + %d * interval '1 hour'), 'CANCELLED',"
             " booking.now(), 'hold-%d', 1, 'EUR')",
             id, id, hour, hour, id);
    world_do(world, sql);
}

static void insert_booking(struct world *world, int id, int hour, const char *payment)
{
    char sql[512];

    insert_hold(world, id, hour);
    snprintf(sql, sizeof sql,
             "INSERT INTO booking.booking (id, simulator_id, hold_id, customer_id, during,"
             " payment_id, amount_minor, currency) SELECT id, 1, id, customer_id, during, '%s', 1,"
             " 'EUR' FROM booking.temp_booking WHERE id = %d",
             payment, id);
    world_do(world, sql);
}

static char rows[2048];

static void keep_row(void *arg, const char *line)
{
    (void)arg;
    strncat(rows, line, sizeof rows - strlen(rows) - 1);
    strncat(rows, "\n", sizeof rows - strlen(rows) - 1);
}

static size_t check(struct world *world)
{
    struct booking_error err;
    size_t count;

    rows[0] = '\0';
    assert_true(booking_migrate_check(conn_of(world), keep_row, NULL, &count, &err));
    return count;
}

static void assert_refused(struct world *world, int version, const char *detail)
{
    struct booking_error err;
    int now;

    assert_false(booking_migrate(conn_of(world), version, NULL, NULL, &err));
    assert_string_equal(err.sqlstate, "23P01");
    assert_non_null(strstr(err.message, "rows that the constraint would refuse"));
    assert_non_null(strstr(err.detail, detail));
    assert_non_null(strstr(err.hint, "booking-migrate check"));
    assert_true(booking_migrate_version(conn_of(world), &now, &err));
    assert_int_equal(now, version - 1);
}

/* The step below version 10. */
static void assert_down_refused(struct world *world, const char *detail)
{
    struct booking_error err;
    int now;

    assert_false(booking_migrate(conn_of(world), BOOKING_SCHEMA_UNITS - 1, NULL, NULL, &err));
    assert_string_equal(err.sqlstate, "23P01");
    assert_non_null(strstr(err.detail, detail));
    assert_true(booking_migrate_version(conn_of(world), &now, &err));
    assert_int_equal(now, BOOKING_SCHEMA_UNITS);
}

static void overlapping_bookings_are_reported_and_the_constraint_refused(void **state)
{
    struct world *world = *state;

    assert_int_equal(check(world), 0);
    insert_booking(world, 51, 0, "pay_51");
    insert_booking(world, 52, 1, "pay_52");
    insert_booking(world, 53, 3, "pay_53");
    assert_int_equal(check(world), 1);
    assert_non_null(strstr(rows, "booking-overlap: bookings 51 and 52 overlap on simulator 1"));
    assert_refused(world, 8, "bookings 51 and 52");
    world_do(world, "UPDATE booking.booking SET status = 'CANCELLED' WHERE id = 52");
    assert_int_equal(check(world), 0);
    go(world, 8);
}

static void a_payment_or_a_hold_with_two_bookings_is_reported(void **state)
{
    struct world *world = *state;

    insert_booking(world, 51, 0, "pay_51");
    insert_booking(world, 52, 4, "pay_51");
    world_do(world, "UPDATE booking.booking SET hold_id = 51");
    assert_int_equal(check(world), 2);
    assert_non_null(strstr(rows, "payment-twice: bookings 51 and 52 were made from one payment"));
    assert_non_null(strstr(rows, "hold-twice: bookings 51 and 52"));
    assert_refused(world, 8, "hold 51");
}

static void overlapping_holds_are_reported_unless_they_are_over(void **state)
{
    struct world *world = *state;

    go(world, 8);
    insert_hold(world, 51, 0);
    insert_hold(world, 52, 1);
    world_do(world, "UPDATE booking.temp_booking SET status = 'CONFIRMED' WHERE id = 51");
    world_do(world, "UPDATE booking.temp_booking SET status = 'RESERVED',"
                    " expires_at = booking.now() + interval '1 min' WHERE id = 52");
    assert_int_equal(check(world), 1);
    assert_refused(world, 9, "holds 51 (CONFIRMED) and 52 (RESERVED)");
    world_advance(world, 60);
    assert_int_equal(check(world), 0);
    go(world, 9);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking WHERE id = 52", "EXPIRED");
}

static void insane_ranges_are_reported(void **state)
{
    struct world *world = *state;

    go(world, 6);
    insert_booking(world, 51, 0, "pay_51");
    world_do(world, "UPDATE booking.booking SET during = 'empty'");
    world_do(world, "UPDATE booking.temp_booking SET during = '[2026-06-01, infinity)'");
    assert_int_equal(check(world), 2);
    assert_non_null(strstr(rows, "insane-range: booking 51 has the range empty"));
    assert_refused(world, 7, "hold 51 has the range");
}

static void constraints_refuse_what_slips_past_code(void **state)
{
    struct world *world = *state;
    static const char *const refused[] = {
        "UPDATE booking.temp_booking SET during = 'empty'",
        "UPDATE booking.temp_booking SET during = '[2026-06-01,)'",
        "UPDATE booking.temp_booking SET during = '[2026-06-01, infinity)'",
        "UPDATE booking.temp_booking SET simulator_id = NULL",
        "UPDATE booking.temp_booking SET status = 'LOST'",
        "UPDATE booking.flag SET percent = 101",
    };
    PGresult *result;

    world_hold(world, "alice", 10, 11);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        result = PQexec(conn_of(world), refused[i]);
        assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
        assert_memory_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "23", 2);
        PQclear(result);
    }
}

/* --- units */

static void a_capacity_comes_back_with_the_way_up(void **state)
{
    struct world *world = *state;

    world_do(world, "UPDATE booking.simulator SET capacity = 3 WHERE id = 2");
    go(world, BOOKING_SCHEMA_UNITS - 1);
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_OK);
    go(world, BOOKING_SCHEMA_UNITS);
    assert_sql_text(world, "SELECT hold_id || ': ' || unit FROM booking.claim", "1: 1");
    go(world, BOOKING_SCHEMA_EMPTY);
    go(world, BOOKING_SCHEMA_UNITS);
    assert_int_equal(world_int(world, "SELECT capacity FROM booking.simulator WHERE id = 2"), 3);
    assert_int_equal(world_int(world, "SELECT capacity FROM booking.simulator WHERE id = 1"), 1);
}

static void one_unit_for_all_is_refused_where_two_are_taken(void **state)
{
    struct world *world = *state;

    go(world, BOOKING_SCHEMA_UNITS);
    world_do(world, "UPDATE booking.simulator SET capacity = 2 WHERE id = 1");
    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_OK);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    assert_int_equal(check(world), 0);
    assert_down_refused(world, "holds 1 (RESERVED) and 2 (RESERVED)");
    assert_int_equal(world_cancel(world, "bob", 2), BOOKING_OK);
    go(world, BOOKING_SCHEMA_UNITS - 1);
}

static void overlapping_claims_of_a_unit_are_reported(void **state)
{
    struct world *world = *state;

    world_do(world, booking_sql_without_guards());
    world_hold(world, "alice", 10, 11);
    world_do(world, "INSERT INTO booking.temp_booking (simulator_id, customer_id, during,"
                    " expires_at, amount_minor, currency) SELECT simulator_id, 'bob', during,"
                    " expires_at, amount_minor, currency FROM booking.temp_booking");
    assert_int_equal(check(world), 1);
    assert_non_null(strstr(rows, "hold-overlap: holds 1 (RESERVED) and 2 (RESERVED) overlap on "
                                 "simulator 1, unit 1"));
}

/* --- wrong uses */

static void versions_out_of_range_or_from_the_future_are_refused(void **state)
{
    struct world *world = *state;
    struct booking_error err;

    assert_false(booking_migrate(conn_of(world), BOOKING_SCHEMA_LATEST + 1, NULL, NULL, &err));
    assert_string_equal(err.message, "there is no schema version 14");
    assert_false(booking_migrate(conn_of(world), -1, NULL, NULL, &err));
    world_do(world, "INSERT INTO booking.schema_version (version, name) VALUES (99, 'future')");
    assert_false(booking_migrate(conn_of(world), 9, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "the database has schema version 99"));
}

static void a_check_before_its_time_says_what_to_do(void **state)
{
    struct world *world = *state;
    struct booking_error err;
    size_t count = 99;

    go(world, 1);
    assert_false(booking_migrate_check(conn_of(world), NULL, NULL, &count, &err));
    assert_non_null(strstr(err.hint, "booking-migrate up 2"));
    assert_int_equal(count, 99);
}

static void a_connection_that_is_gone_is_an_error(void **state)
{
    struct world *world = *state;
    struct booking_error err;
    int version;

    world_end_session(world);
    assert_false(booking_migrate_version(booking_db_connection(world->inner), &version, &err));
    assert_false(booking_migrate(booking_db_connection(world->inner), 0, NULL, NULL, &err));
    assert_string_equal(err.sqlstate, "");
}

/* --- connecting */

static void a_password_is_never_told(void **state)
{
    static const char *const urls[] = {
        "postgresql://u:s3cr%zzet@/postgres?host=/nonexistent",
        "postgresql://u:s3cret@/postgres?host=/nonexistent",
        "host=/nonexistent password=s3cret",
        "host=/nonexistent password='s3cret",
    };
    struct booking_error err;
    struct booking_db *db = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        assert_int_equal(booking_db_open(urls[i], &db, &err), BOOKING_DB_LOST);
        assert_null(strstr(err.message, "s3cr"));
        assert_null(strstr(err.detail, "s3cr"));
        assert_true(strlen(err.message) > 0 && strlen(err.hint) > 0);
    }
    assert_null(db);
    booking_db_close(NULL);
}

#define MIGRATE_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
#define OPEN_TEST(test) cmocka_unit_test_setup_teardown(test, setup_open, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_numbered_from_one_without_gaps),
        MIGRATE_TEST(every_version_can_be_left_and_come_back_to_without_loss),
        MIGRATE_TEST(the_flow_goes_on_after_all_the_way_down_and_up),
        MIGRATE_TEST(going_up_replaces_the_virtual_clock_by_the_real_one),
        OPEN_TEST(overlapping_bookings_are_reported_and_the_constraint_refused),
        OPEN_TEST(a_payment_or_a_hold_with_two_bookings_is_reported),
        OPEN_TEST(overlapping_holds_are_reported_unless_they_are_over),
        OPEN_TEST(insane_ranges_are_reported),
        MIGRATE_TEST(constraints_refuse_what_slips_past_code),
        MIGRATE_TEST(a_capacity_comes_back_with_the_way_up),
        MIGRATE_TEST(one_unit_for_all_is_refused_where_two_are_taken),
        MIGRATE_TEST(overlapping_claims_of_a_unit_are_reported),
        MIGRATE_TEST(versions_out_of_range_or_from_the_future_are_refused),
        MIGRATE_TEST(a_check_before_its_time_says_what_to_do),
        MIGRATE_TEST(a_connection_that_is_gone_is_an_error),
        cmocka_unit_test(a_password_is_never_told),
    };

    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
