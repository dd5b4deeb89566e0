/* The fixed path with requests at the same time, at each isolation level: some orders arranged by
 * locks, then threads that really race. */
#include "race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <fiu-control.h>

#define LEVELS 3

static struct booking_db *lock_session;

/* Holds a lock on a session of its own until unlock(). */
static void lock(const char *sql)
{
    PGresult *result;

    lock_session = world_connect();
    assert_int_equal(lock_session->ops->begin(lock_session, BOOKING_READ_COMMITTED), BOOKING_DB_OK);
    assert_int_equal(lock_session->ops->exec(lock_session, sql, 0, NULL, &result), BOOKING_DB_OK);
    PQclear(result);
}

static void unlock(void)
{
    PGresult *error;

    assert_int_equal(lock_session->ops->commit(lock_session, &error), BOOKING_DB_OK);
    booking_db_close(lock_session);
}

/* A hold that waits for the simulator while another hold is committed: its snapshot may be from
 * before. */
static void a_hold_that_waited_sees_what_it_waited_for(void **state)
{
    struct world *world = *state;
    struct racer racer = {.customer = "bob"};

    for (int level = 0; level < LEVELS; level++) {
        world_reset(world);
        world->app.isolation = (enum booking_isolation)level;
        lock("WITH bump AS (UPDATE booking.simulator SET version = version + 1 WHERE id = 1)"
             " INSERT INTO booking.temp_booking"
             " (simulator_id, customer_id, during, expires_at, amount_minor, currency) VALUES"
             " (1, 'alice', '[2026-06-01 10:00, 2026-06-01 11:00)',"
             " booking.now() + interval '15 min', 9000, 'EUR')");
        race_start(&racer, world, race_hold);
        race_wait_blocked(world);
        unlock();
        race_join(&racer);
        assert_int_equal(racer.answer.status, BOOKING_CONFLICT);
        assert_int_equal(racer.answer.retries, level == BOOKING_READ_COMMITTED ? 0 : 1);
        assert_int_equal(world_violations(world), 0);
    }
}

/* A writer that takes no lock, as the legacy path: the constraint makes the hold wait, and then
 * decide again. */
static void a_hold_refused_by_the_constraint_looks_again(void **state)
{
    struct world *world = *state;
    struct racer racer = {.customer = "bob"};

    for (int level = 0; level < LEVELS; level++) {
        world_reset(world);
        world->app.isolation = (enum booking_isolation)level;
        lock("INSERT INTO booking.temp_booking"
             " (simulator_id, customer_id, during, expires_at, amount_minor, currency) VALUES"
             " (1, 'alice', '[2026-06-01 10:30, 2026-06-01 11:30)',"
             " booking.now() + interval '15 min', 9000, 'EUR')");
        race_start(&racer, world, race_hold);
        race_wait_blocked(world);
        unlock();
        race_join(&racer);
        assert_int_equal(racer.answer.status, BOOKING_CONFLICT);
        assert_string_equal(racer.answer.reason, "slot-taken");
        assert_int_equal(racer.answer.retries, 1);
        assert_int_equal(world_count(world, BOOKING_COUNT_RETRIES_DECIDE), 1);
        assert_int_equal(world_violations(world), 0);
    }
}

/* Time goes on while a confirmation waits; a clock read before the wait would say that the hold is
 * still good. */
static void a_confirmation_that_waited_past_the_expiry_does_not_use_the_old_time(void **state)
{
    static const char *const locks[] = {
        "SELECT FROM booking.simulator WHERE id = 1 FOR UPDATE",
        "SELECT FROM booking.temp_booking WHERE id = 1 FOR UPDATE",
    };
    struct world *world = *state;
    struct racer racer = {.customer = "alice"};

    for (int level = 0; level < LEVELS; level++) {
        for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
            world_reset(world);
            world->app.isolation = (enum booking_isolation)level;
            world_paid(world, "alice");
            lock(locks[i]);
            race_start(&racer, world, race_deliver);
            race_wait_blocked(world);
            world_advance(world, 15 * 60);
            unlock();
            race_join(&racer);
            assert_string_equal(racer.answer.reason, "confirmed-late");
            assert_int_equal(world_violations(world), 0);
        }
    }
}

static void an_overlapping_second_delivery_waits_and_adds_nothing(void **state)
{
    struct world *world = *state;
    struct racer first = {.customer = "alice"}, second = {.customer = "alice"};

    for (int level = 0; level < LEVELS; level++) {
        world_reset(world);
        world->app.isolation = (enum booking_isolation)level;
        world_paid(world, "alice");
        booking_psp_duplicate(world->psp, "evt_1", true);
        lock("SELECT FROM booking.temp_booking WHERE id = 1 FOR UPDATE");
        race_start(&first, world, race_deliver);
        race_wait_blocked(world);
        race_start(&second, world, race_return);
        unlock();
        race_join(&first);
        race_join(&second);
        assert_int_equal(first.answer.status, BOOKING_OK);
        assert_int_equal(second.answer.status, BOOKING_OK);
        assert_int_equal(second.answer.booking_id, 1);
        world_deliver_all(world);
        assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
        assert_int_equal(world_violations(world), 0);
    }
}

/* A cleanup in the middle of a confirmation that has the row and has not changed it yet. */
static struct booking_answer clean_answer;

static void clean_meanwhile(void *arg, struct booking_db *db, enum booking_fault fault)
{
    struct world *world = arg;
    struct booking_db *other = world_connect();

    (void)db;
    if (fault == BOOKING_FAULT_HOLD_EXPIRED && clean_answer.status == BOOKING_ERROR) {
        world_advance(world, 15 * 60);
        booking_cleanup(&world->app, other, &clean_answer);
    }
    booking_db_close(other);
}

static void a_cleanup_during_a_confirmation_lets_the_row_be(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    clean_answer = (struct booking_answer){.status = BOOKING_ERROR};
    world->app.on_fault = clean_meanwhile;
    world->app.on_fault_arg = world;
    fiu_enable(booking_fault_point(BOOKING_FAULT_HOLD_EXPIRED), 1, NULL, FIU_ONETIME);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_int_equal(clean_answer.status, BOOKING_OK);
    assert_int_equal(clean_answer.count, 0);
    assert_string_equal(world->answer.reason, "confirmed-late");
    assert_int_equal(world_violations(world), 0);
}

/* The cleanup that waits: the confirmation commits meanwhile. */
static void a_cleanup_never_touches_a_hold_that_was_confirmed_meanwhile(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    lock("UPDATE booking.temp_booking SET status = 'CONFIRMED' WHERE id = 1");
    world_advance(world, 15 * 60);
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_int_equal(world->answer.count, 0);
    unlock();
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_int_equal(world->answer.count, 0);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "CONFIRMED");
}

static void a_cancellation_that_waited_for_the_confirmation_refunds_it(void **state)
{
    struct world *world = *state;
    struct racer racer = {.customer = "alice", .hold_id = 1};

    for (int level = 0; level < LEVELS; level++) {
        world_reset(world);
        world->app.isolation = (enum booking_isolation)level;
        world_paid(world, "alice");
        world_deliver_all(world);
        world_do(world, "UPDATE booking.temp_booking SET created_at = created_at");
        lock("UPDATE booking.temp_booking SET created_at = created_at WHERE id = 1");
        race_start(&racer, world, race_cancel);
        race_wait_blocked(world);
        unlock();
        race_join(&racer);
        assert_int_equal(racer.answer.status, BOOKING_OK);
        world_deliver_all(world);
        assert_sql_text(world, "SELECT status FROM booking.temp_booking", "REFUNDED");
        assert_int_equal(world_violations(world), 0);
    }
}

/* --- really racing */

#define CUSTOMERS 6
#define ROUNDS 5

/* Hold, pay, confirm by webhook or return, and every third customer cancels. */
static void book_and_perhaps_cancel(struct racer *racer)
{
    struct booking_hold_ref ref = {.customer = racer->customer};
    struct booking_return_request back = {.customer = racer->customer};
    const struct booking_app *app = &racer->world->app;

    race_hold(racer);
    if (racer->answer.status != BOOKING_OK)
        return;
    ref.hold_id = racer->answer.hold_id;
    if (booking_pay(app, racer->db, &ref, &racer->answer) != BOOKING_OK)
        return;
    char payment_id[BOOKING_ID_SIZE];
    memcpy(payment_id, racer->answer.payment_id, sizeof payment_id);
    back.payment_id = payment_id;
    race_deliver(racer);
    booking_return(app, racer->db, &back, &racer->answer);
    if (racer->customer[strlen(racer->customer) - 1] % 3 == 0)
        booking_cancel(app, racer->db, &ref, &racer->answer);
    race_deliver(racer);
    race_clean(racer);
}

static void race_everybody(struct world *world)
{
    struct racer racers[CUSTOMERS] = {0};
    char names[CUSTOMERS][16];

    for (int i = 0; i < CUSTOMERS; i++) {
        snprintf(names[i], sizeof names[i], "customer-%d", i);
        racers[i].customer = names[i];
        race_start(&racers[i], world, book_and_perhaps_cancel);
    }
    for (int i = 0; i < CUSTOMERS; i++)
        race_join(&racers[i]);
}

static void many_at_once_never_double_book_at_any_level(void **state)
{
    struct world *world = *state;

    world->app.retries_max = 30;
    for (int level = 0; level < LEVELS; level++) {
        for (int round = 0; round < ROUNDS; round++) {
            world_reset(world);
            world->app.isolation = (enum booking_isolation)level;
            race_everybody(world);
            world_deliver_all(world);
            world_clean(world);
            world_deliver_all(world);
            assert_int_equal(world_violations(world), 0);
            assert_true(booking_psp_ledger_count(world->psp) > 0);
        }
    }
}

/* Without the constraints it is the lock alone that protects. */
static int setup_without_constraints(void **state)
{
    *state = world_open(BOOKING_SCHEMA_OPEN, BOOKING_PATH_FIXED);
    return 0;
}

/* Levels mixed: the threads that race take turns in them. */
static void book_at_own_level(struct racer *racer)
{
    struct booking_app app = racer->world->app;
    struct booking_slot_request request = {.customer = racer->customer,
                                           .simulator_id = 1,
                                           .start = "2026-06-01 10:00",
                                           .end = "2026-06-01 11:00"};

    app.isolation = (enum booking_isolation)(racer->hold_id % LEVELS);
    booking_hold(&app, racer->db, &request, &racer->answer);
}

static void writers_at_different_levels_exclude_each_other_by_the_lock_alone(void **state)
{
    struct world *world = *state;
    struct racer racers[CUSTOMERS];
    int held;

    world->app.retries_max = 30;
    for (int round = 0; round < 3 * ROUNDS; round++) {
        world_reset(world);
        held = 0;
        memset(racers, 0, sizeof racers);
        for (int i = 0; i < CUSTOMERS; i++) {
            racers[i].customer = "somebody";
            racers[i].hold_id = i;
            race_start(&racers[i], world, book_at_own_level);
        }
        for (int i = 0; i < CUSTOMERS; i++) {
            race_join(&racers[i]);
            held += racers[i].answer.status == BOOKING_OK;
        }
        assert_int_equal(held, 1);
        assert_int_equal(world_violations(world), 0);
    }
}

#define UNITS 3

/* Each has a unit of its own, and nobody is left out while one is free. */
static void as_many_as_there_are_units_hold_at_any_level(void **state)
{
    struct world *world = *state;
    struct racer racers[CUSTOMERS];
    int held;

    world->app.retries_max = 30;
    for (int round = 0; round < ROUNDS; round++) {
        world_reset(world);
        world_do(world, "UPDATE booking.simulator SET capacity = 3");
        held = 0;
        memset(racers, 0, sizeof racers);
        for (int i = 0; i < CUSTOMERS; i++) {
            racers[i].customer = "somebody";
            racers[i].hold_id = i;
            race_start(&racers[i], world, book_at_own_level);
        }
        for (int i = 0; i < CUSTOMERS; i++) {
            race_join(&racers[i]);
            held += racers[i].answer.status == BOOKING_OK;
        }
        assert_int_equal(held, UNITS);
        assert_int_equal(world_int(world, "SELECT count(DISTINCT unit) FROM booking.claim"), UNITS);
    }
}

/* Two writers who take no lock choose the same unit: the second gets the next one. */
static void a_unit_chosen_twice_is_chosen_again(void **state)
{
    struct world *world = *state;
    struct racer racer = {.customer = "bob"};

    for (int level = 0; level < LEVELS; level++) {
        world_reset(world);
        world_do(world, "UPDATE booking.simulator SET capacity = 2");
        world->app.isolation = (enum booking_isolation)level;
        lock("INSERT INTO booking.temp_booking"
             " (simulator_id, customer_id, during, expires_at, amount_minor, currency) VALUES"
             " (1, 'alice', '[2026-06-01 10:30, 2026-06-01 11:30)',"
             " booking.now() + interval '15 min', 9000, 'EUR')");
        race_start(&racer, world, race_hold);
        race_wait_blocked(world);
        unlock();
        race_join(&racer);
        assert_int_equal(racer.answer.status, BOOKING_OK);
        assert_int_equal(world_count(world, BOOKING_COUNT_RETRIES_DECIDE), 1);
        assert_sql_text(
            world, "SELECT string_agg(unit::text, ' ' ORDER BY hold_id) FROM booking.claim", "1 2");
    }
}

#define RACE_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
#define OPEN_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup_without_constraints, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RACE_TEST(a_hold_that_waited_sees_what_it_waited_for),
        OPEN_TEST(a_hold_that_waited_sees_what_it_waited_for),
        RACE_TEST(a_hold_refused_by_the_constraint_looks_again),
        RACE_TEST(a_confirmation_that_waited_past_the_expiry_does_not_use_the_old_time),
        RACE_TEST(an_overlapping_second_delivery_waits_and_adds_nothing),
        RACE_TEST(a_cleanup_during_a_confirmation_lets_the_row_be),
        RACE_TEST(a_cleanup_never_touches_a_hold_that_was_confirmed_meanwhile),
        RACE_TEST(a_cancellation_that_waited_for_the_confirmation_refunds_it),
        RACE_TEST(many_at_once_never_double_book_at_any_level),
        RACE_TEST(as_many_as_there_are_units_hold_at_any_level),
        RACE_TEST(a_unit_chosen_twice_is_chosen_again),
        OPEN_TEST(many_at_once_never_double_book_at_any_level),
        OPEN_TEST(writers_at_different_levels_exclude_each_other_by_the_lock_alone),
    };

    return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
