/* Series: all of it or nothing, and by the clock on the wall of where the simulator stands. */
#include "race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define REASON(world) ((world)->answer.reason)

static int setup_legacy(void **state)
{
    *state = world_open(BOOKING_SCHEMA_LATEST, BOOKING_PATH_LEGACY);
    return 0;
}

static enum booking_status series(struct world *world, const char *start, const char *end,
                                  int every_days, int times)
{
    struct booking_series_request request = {.customer = "alice",
                                             .simulator_id = 1,
                                             .start = start,
                                             .end = end,
                                             .every_days = every_days,
                                             .times = times};

    return booking_series(&world->app, world->session, &request, &world->answer);
}

#define MONDAYS "2026-06-01 10:00", "2026-06-01 11:00", 7, 3

/* When the holds begin, in UTC. */
#define BEGINNINGS                                                                       \
    "SELECT string_agg(to_char(lower(during) AT TIME ZONE 'UTC', 'MM-DD HH24:MI'), ', '" \
    " ORDER BY during) FROM booking.temp_booking"

static void stand_in(struct world *world, const char *zone)
{
    char sql[128];

    snprintf(sql, sizeof sql, "UPDATE booking.simulator SET zone = '%s' WHERE id = 1", zone);
    world_do(world, sql);
}

/* --- all of it or nothing */

static void a_series_is_a_hold_for_each_occurrence(void **state)
{
    struct world *world = *state;

    assert_int_equal(series(world, MONDAYS), BOOKING_OK);
    assert_int_equal(world->answer.series_id, 1);
    assert_int_equal(world->answer.hold_id, 1);
    assert_int_equal(world->answer.count, 3);
    assert_int_equal(world->answer.amount_minor, 3 * 9000);
    assert_sql_text(world, BEGINNINGS, "06-01 10:00, 06-08 10:00, 06-15 10:00");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"
                                      " WHERE series_id = 1 AND status = 'RESERVED'"),
                     3);
    assert_int_equal(world_pay(world, "alice", 2), BOOKING_OK);
    world_deliver_all(world);
    assert_sql_text(world, "SELECT hold_id || status FROM booking.booking", "2CONFIRMED");
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_CONFLICT);
    assert_int_equal(world_violations(world), 0);
}

static void a_series_that_is_free_in_part_leaves_nothing_behind(void **state)
{
    struct world *world = *state;

    world_hold(world, "bob", 10, 11);
    assert_int_equal(series(world, "2026-05-25 10:30", "2026-05-25 11:30", 7, 3), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "slot-taken");
    assert_true(world->answer.lost_race);
    assert_int_equal(world->answer.series_id, 0);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.series"), 0);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"), 1);
    world_advance(world, 15 * 60);
    assert_int_equal(series(world, "2026-05-25 10:30", "2026-05-25 11:30", 7, 3), BOOKING_OK);
    assert_int_equal(world_violations(world), 0);
}

/* A writer that takes no lock. */
static void book_the_second_monday(struct world *world)
{
    world_do(world, "INSERT INTO booking.temp_booking (simulator_id, customer_id, during,"
                    " expires_at, amount_minor, currency) VALUES (1, 'bob',"
                    " '[2026-06-08 10:00+00,2026-06-08 11:00+00)',"
                    " booking.now() + interval '1 hour', 9000, 'EUR')");
}

static void a_series_that_meets_the_constraint_looks_again(void **state)
{
    struct world *world = *state;

    race_meanwhile(world, "INSERT INTO booking.series", book_the_second_monday);
    assert_int_equal(series(world, MONDAYS), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "slot-taken");
    assert_int_equal(world->answer.retries, 1);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"), 1);
    assert_int_equal(world_violations(world), 0);
}

static void what_is_no_series_is_refused(void **state)
{
    struct world *world = *state;
    struct booking_series_request request = {.customer = "alice",
                                             .simulator_id = 99,
                                             .start = "2026-06-01 10:00",
                                             .end = "2026-06-01 11:00",
                                             .every_days = 7,
                                             .times = 2};

    assert_int_equal(booking_series(&world->app, world->session, &request, &world->answer),
                     BOOKING_NOT_FOUND);
    assert_int_equal(series(world, "2026-06-01 10:00", "2026-06-01 11:00", 0, 2), BOOKING_INVALID);
    assert_int_equal(series(world, "2026-06-01 10:00", "2026-06-01 11:00", 7, 0), BOOKING_INVALID);
    assert_int_equal(
        series(world, "2026-06-01 10:00", "2026-06-01 11:00", 7, BOOKING_SERIES_MAX + 1),
        BOOKING_INVALID);
    assert_string_equal(REASON(world), "no-series");
    assert_int_equal(series(world, "never", "2026-06-01 11:00", 7, 2), BOOKING_INVALID);
    assert_int_equal(series(world, "2026-06-01 11:00", "2026-06-01 10:00", 7, 2), BOOKING_INVALID);
    assert_int_equal(series(world, "2026-06-01 10:00", "2026-06-02 11:00", 1, 2), BOOKING_INVALID);
    assert_string_equal(REASON(world), "overlaps-itself");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"), 0);
}

/* --- the clock on the wall: New York puts it back on 2026-11-01, and forward on 2026-03-08 */

static void a_series_stays_at_its_time_on_the_wall(void **state)
{
    struct world *world = *state;

    stand_in(world, "America/New_York");
    assert_int_equal(series(world, "2026-10-26 10:00", "2026-10-26 11:00", 7, 2), BOOKING_OK);
    assert_int_equal(series(world, "2026-03-07 10:00", "2026-03-07 11:00", 1, 2), BOOKING_OK);
    assert_sql_text(world, BEGINNINGS, "03-07 15:00, 03-08 14:00, 10-26 14:00, 11-02 15:00");
}

static void a_time_that_comes_twice_is_the_first_and_lasts_as_long_as_ever(void **state)
{
    struct world *world = *state;

    stand_in(world, "America/New_York");
    assert_int_equal(series(world, "2026-10-31 01:30", "2026-10-31 02:30", 1, 2), BOOKING_OK);
    assert_sql_text(world, BEGINNINGS, "10-31 05:30, 11-01 05:30");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"
                                      " WHERE upper(during) - lower(during) = interval '1 hour'"),
                     2);
    stand_in(world, "Australia/Lord_Howe"); /* where it is half an hour, on 2026-04-05 */
    assert_int_equal(series(world, "2026-04-05 01:45", "2026-04-05 02:45", 1, 1), BOOKING_OK);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"
                                      " WHERE lower(during) = '2026-04-04 14:45+00'"),
                     1);
}

static void a_time_that_does_not_come_is_refused(void **state)
{
    struct world *world = *state;

    stand_in(world, "America/New_York");
    assert_int_equal(series(world, "2026-03-07 02:30", "2026-03-07 03:30", 1, 2), BOOKING_INVALID);
    assert_string_equal(REASON(world), "no-such-time");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"), 0);
    assert_int_equal(series(world, "2026-03-08 03:00", "2026-03-08 04:00", 1, 2), BOOKING_OK);
}

static void series_and_zones_come_back_with_the_way_up(void **state)
{
    struct world *world = *state;
    struct booking_error err;
    PGconn *conn = booking_db_connection(world->plain);

    stand_in(world, "America/New_York");
    assert_int_equal(series(world, MONDAYS), BOOKING_OK);
    assert_true(booking_migrate(conn, BOOKING_SCHEMA_SERIES - 1, NULL, NULL, &err));
    assert_int_equal(world_cancel(world, "alice", 2), BOOKING_OK);
    assert_true(booking_migrate(conn, BOOKING_SCHEMA_SERIES, NULL, NULL, &err));
    assert_int_equal(
        world_int(world, "SELECT count(*) FROM booking.temp_booking WHERE series_id = 1"), 3);
    assert_sql_text(world, "SELECT times || ' ' || every_days FROM booking.series", "3 7");
    assert_sql_text(world, "SELECT string_agg(zone, ' ' ORDER BY id) FROM booking.simulator",
                    "America/New_York UTC UTC");
}

/* --- the legacy path */

static void the_legacy_path_leaves_a_part_of_a_series_behind(void **state)
{
    struct world *world = *state;

    assert_int_equal(series(world, MONDAYS), BOOKING_OK);
    assert_int_equal(world->answer.hold_id, 1);
    assert_int_equal(world->answer.count, 3);
    assert_int_equal(series(world, "2026-05-25 10:30", "2026-05-25 11:30", 7, 2), BOOKING_CONFLICT);
    assert_int_equal(
        world_int(world, "SELECT count(*) FROM booking.temp_booking WHERE series_id = 2"), 1);
}

static void the_legacy_path_takes_a_week_for_168_hours(void **state)
{
    struct world *world = *state;

    stand_in(world, "America/New_York");
    assert_int_equal(series(world, "2026-10-26 10:00", "2026-10-26 11:00", 7, 2), BOOKING_OK);
    assert_int_equal(series(world, "2026-11-01 01:30", "2026-11-01 02:30", 7, 1), BOOKING_OK);
    assert_int_equal(series(world, "2026-03-08 02:30", "2026-03-08 03:30", 7, 1), BOOKING_OK);
    assert_sql_text(world, BEGINNINGS, "03-08 07:30, 10-26 14:00, 11-01 06:30, 11-02 14:00");
}

static void a_legacy_series_needs_a_simulator_and_version_13(void **state)
{
    struct world *world = *state;
    struct booking_error err;

    world_do(world, "UPDATE booking.simulator SET id = 9 WHERE id = 1");
    assert_int_equal(series(world, MONDAYS), BOOKING_NOT_FOUND);
    world_do(world, "UPDATE booking.simulator SET id = 1 WHERE id = 9");
    assert_true(booking_migrate(booking_db_connection(world->plain), BOOKING_SCHEMA_SERIES - 1,
                                NULL, NULL, &err));
    assert_int_equal(series(world, MONDAYS), BOOKING_ERROR);
}

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(world_setup, a_series_is_a_hold_for_each_occurrence),
        WITH(world_setup, a_series_that_is_free_in_part_leaves_nothing_behind),
        WITH(world_setup, a_series_that_meets_the_constraint_looks_again),
        WITH(world_setup, what_is_no_series_is_refused),
        WITH(world_setup, a_series_stays_at_its_time_on_the_wall),
        WITH(world_setup, a_time_that_comes_twice_is_the_first_and_lasts_as_long_as_ever),
        WITH(world_setup, a_time_that_does_not_come_is_refused),
        WITH(world_setup, series_and_zones_come_back_with_the_way_up),
        WITH(setup_legacy, the_legacy_path_leaves_a_part_of_a_series_behind),
        WITH(setup_legacy, the_legacy_path_takes_a_week_for_168_hours),
        WITH(setup_legacy, a_legacy_series_needs_a_simulator_and_version_13),
    };

    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
