/* The legacy path, what it does wrong, and both paths beside each other at the schema's versions.
 */
#include "race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <fiu-control.h>

#define REASON(world) ((world)->answer.reason)

static int setup_legacy_core(void **state)
{
    *state = world_open(BOOKING_SCHEMA_CORE, BOOKING_PATH_LEGACY);
    return 0;
}

static int setup_legacy(void **state)
{
    *state = world_open(BOOKING_SCHEMA_OPEN, BOOKING_PATH_LEGACY);
    return 0;
}

static int setup_legacy_constrained(void **state)
{
    *state = world_open(BOOKING_SCHEMA_LATEST, BOOKING_PATH_LEGACY);
    return 0;
}

static void set_flag(struct world *world, int percent)
{
    struct booking_error err;

    assert_int_equal(booking_flag_set(world->plain, percent, &err), BOOKING_DB_OK);
}

/* Both hold, both pay, both webhooks come. */
static void two_customers_one_slot(struct world *world)
{
    int64_t alice = world_paid(world, "alice");
    int64_t bob;

    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    bob = world->answer.hold_id;
    assert_int_not_equal(alice, bob);
    assert_int_equal(world_pay(world, "bob", bob), BOOKING_OK);
}

/* --- the legacy path by itself */

static void the_legacy_path_books_when_nobody_races(void **state)
{
    struct world *world = *state;
    struct booking_slot_request request = {.customer = "bob",
                                           .simulator_id = 1,
                                           .start = "2026-06-01 10:00",
                                           .end = "2026-06-01 11:00"};

    world_paid(world, "alice");
    assert_int_equal(world->answer.path, BOOKING_PATH_LEGACY);
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed");
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed-before");
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_CONFLICT);
    assert_true(world->answer.lost_race);
    booking_availability(&world->app, world->session, &request, &world->answer);
    assert_false(world->answer.free);
    request.simulator_id = 99;
    assert_int_equal(booking_availability(&world->app, world->session, &request, &world->answer),
                     BOOKING_NOT_FOUND);
    request.start = "never";
    assert_int_equal(booking_hold(&world->app, world->session, &request, &world->answer),
                     BOOKING_INVALID);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
}

static void the_legacy_path_needs_only_the_first_migration(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    world_deliver_all(world);
    assert_sql_text(world, "SELECT status FROM booking.booking", "CONFIRMED");
    assert_int_equal(world_cancel(world, "alice", hold), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.booking", "CANCELLED");
    assert_int_equal(booking_psp_ledger_count(world->psp), 2);
    world_hold(world, "bob", 12, 13);
    world_advance(world, 15 * 60);
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_int_equal(world->answer.count, 1);
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_int_equal(world->answer.count, 0);
}

static void a_legacy_basket_excludes_nobody_and_a_paid_one_may_get_nothing(void **state)
{
    struct world *world = *state;

    two_customers_one_slot(world);
    world_deliver_all(world);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
    assert_int_equal(world_violations(world) > 0, 1);
    world_pay(world, "bob", 2);
    assert_string_equal(REASON(world), "no-longer-available");
}

/* The statement after which the legacy path is sure that the slot is free. */
#define LEGACY_MARK "SET status = 'CONFIRMED'"

static void deliver_too(struct world *world)
{
    struct racer racer = {.world = world, .db = world_connect()};

    race_deliver(&racer);
    booking_db_close(racer.db);
}

static void deliver_two_at_once(struct world *world)
{
    race_meanwhile(world, LEGACY_MARK, deliver_too);
    world_deliver(world);
}

static void two_legacy_deliveries_at_once_double_book(void **state)
{
    struct world *world = *state;

    two_customers_one_slot(world);
    deliver_two_at_once(world);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 2);
    assert_true(world_violations(world) > 0);
}

static void a_legacy_delivery_twice_at_once_books_twice(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    booking_psp_duplicate(world->psp, "evt_1", false);
    deliver_two_at_once(world);
    assert_int_equal(
        world_int(world, "SELECT count(*) FROM booking.booking WHERE payment_id = 'pay_1'"), 2);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.outbox"), 2);
}

static void the_legacy_path_keeps_the_money_of_a_late_payment(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_advance(world, 15 * 60);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "too-late");
    assert_true(world_violations(world) > 0);
}

static void the_legacy_path_believes_a_forged_webhook(void **state)
{
    struct world *world = *state;
    const char *body = "{\"id\":\"evt_x\",\"type\":\"payment.succeeded\",\"payment\":\"pay_x\","
                       "\"amount\":1,\"currency\":\"EUR\",\"customer\":\"mallory\",\"hold\":1}";
    struct booking_webhook_request request = {.body = body, .body_size = strlen(body)};

    world_hold(world, "alice", 10, 11);
    assert_int_equal(booking_webhook(&world->app, world->session, &request, &world->answer),
                     BOOKING_OK);
    assert_int_equal(world->answer.booking_id, 1);
}

static void the_legacy_path_answers_200_to_what_it_does_not_know(void **state)
{
    struct world *world = *state;

    world_emit(world, "payment.succeeded", "pay_1", "alice", 77, 9000);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "no-such-hold");
    world_emit(world, "payment.failed", "pay_1", "alice", 77, 9000);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_NOT_FOUND);
    world_hold(world, "alice", 10, 11);
    world->app.payments->ops->create(
        world->app.payments, &(struct booking_intent){"alice", "EUR", world->answer.hold_id, 9000},
        NULL, NULL);
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_RETRY_LATER);
}

static void the_legacy_path_charges_again_after_a_lost_answer(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    world_fault(BOOKING_FAULT_PSP_TIMEOUT, 1, 0);
    assert_int_equal(world_pay(world, "alice", 1), BOOKING_OK);
    assert_int_equal(booking_psp_ledger_count(world->psp), 2);
    assert_int_equal(booking_psp_unstable_keys(world->psp), 1);
    world_hold(world, "bob", 12, 13);
    fiu_disable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT));
    fiu_enable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT), 2, NULL, 0);
    assert_int_equal(world_pay(world, "bob", 2), BOOKING_RETRY_LATER);
}

static void a_legacy_crash_between_mark_and_booking_is_never_made_good(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_fault(BOOKING_FAULT_WORKER_CRASH, 1, 0);
    assert_int_equal(world_deliver(world), BOOKING_CRASHED);
    world_deliver_all(world);
    assert_string_equal(REASON(world), "confirmed-before");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 0);
    assert_true(world_violations(world) > 0);
}

static void confirm_too(struct world *world)
{
    world_do(world, "UPDATE booking.temp_booking SET status = 'CONFIRMED'");
}

/* The confirmation commits between the cleanup's two statements. */
static void the_legacy_cleanup_expires_a_hold_confirmed_meanwhile(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_advance(world, 15 * 60);
    race_meanwhile(world, "ANY ($1::bigint[])", confirm_too);
    world_clean(world);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "EXPIRED");
    assert_true(world_violations(world) > 0);
}

static void legacy_refunds_have_no_key(void **state)
{
    struct world *world = *state;
    struct booking_ledger_entry entry;
    int64_t hold = world_paid(world, "alice");

    world_deliver_all(world);
    world_fault(BOOKING_FAULT_PSP_TIMEOUT, 2, 0);
    assert_int_equal(world_cancel(world, "alice", hold), BOOKING_OK);
    assert_true(booking_psp_ledger_get(world->psp, 1, &entry));
    assert_string_equal(entry.key, "");
    assert_int_equal(booking_psp_unstable_keys(world->psp), 1);
}

static void legacy_statements_that_fail_are_errors(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    world_do(world, "ALTER TABLE booking.booking RENAME COLUMN during TO was");
    assert_int_equal(world_deliver(world), BOOKING_ERROR);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_ERROR);
    assert_int_equal(world_pay(world, "alice", hold), BOOKING_ERROR);
    world_do(world, "ALTER TABLE booking.temp_booking RENAME COLUMN expires_at TO ends");
    assert_int_equal(world_clean(world), BOOKING_ERROR);
    world_emit(world, "payment.succeeded", "pay_1", "alice", hold, 9000);
    assert_int_equal(world_deliver(world), BOOKING_ERROR);
    assert_int_equal(world_count(world, BOOKING_COUNT_ERRORS_LEGACY), 5);
}

/* --- with the constraints */

static void with_the_constraints_legacy_requests_cannot_double_book(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_CONFLICT);
    assert_true(world->answer.lost_race);
    assert_int_equal(world_count(world, BOOKING_COUNT_LOST_RACES_LEGACY), 1);
    booking_psp_duplicate(world->psp, "evt_1", false);
    deliver_two_at_once(world);
    assert_int_equal(world->answer.status, BOOKING_ERROR);
    assert_memory_equal(world->answer.sqlstate, "23", 2);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
}

/* --- both at once */

static void a_legacy_writer_breaks_into_a_fixed_hold_without_the_constraints(void **state)
{
    struct world *world = *state;

    set_flag(world, 100);
    world_paid(world, "alice");
    set_flag(world, 0);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    assert_true(world_violations(world) > 0);
}

static void the_hold_constraint_keeps_legacy_writers_out_of_fixed_holds(void **state)
{
    struct world *world = *state;

    set_flag(world, 100);
    world_paid(world, "alice");
    set_flag(world, 0);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_CONFLICT);
    set_flag(world, 100);
    world_deliver_all(world);
    assert_int_equal(world_violations(world), 0);
}

static void hold_too_late(struct world *world)
{
    struct racer racer = {.world = world, .db = world_connect(), .customer = "bob"};

    world_advance(world, 15 * 60);
    set_flag(world, 100);
    race_hold(&racer);
    booking_db_close(racer.db);
    assert_int_equal(racer.answer.status, BOOKING_OK);
}

/* The legacy path looked at its hold in time and then was slow: the hold ran out and a fixed
 * customer has the slot. */
static void slow_legacy_confirmation(struct world *world)
{
    world_paid(world, "alice");
    race_meanwhile(world, LEGACY_MARK, hold_too_late);
    world_deliver(world);
}

static void a_slow_legacy_confirmation_overlaps_a_fixed_hold(void **state)
{
    slow_legacy_confirmation(*state);
    assert_true(world_violations(*state) > 0);
}

static void
the_hold_constraint_stops_a_slow_legacy_confirmation_and_the_fixed_path_refunds(void **state)
{
    struct world *world = *state;

    slow_legacy_confirmation(world);
    assert_int_equal(world->answer.status, BOOKING_ERROR);
    assert_string_equal(world->answer.sqlstate, "23P01");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 0);
    world_deliver_all(world);
    assert_sql_text(world, "SELECT payment_id || status FROM booking.refund", "pay_1DONE");
    assert_int_equal(world_violations(world), 0);
}

static void what_legacy_confirmed_is_adopted_by_the_fixed_path(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    booking_psp_duplicate(world->psp, "evt_1", true);
    world_deliver(world);
    set_flag(world, 100);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed-before");
    assert_int_equal(world->answer.booking_id, 1);
    assert_int_equal(world_violations(world), 0);
}

static void what_legacy_left_half_done_ends_with_a_person(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_fault(BOOKING_FAULT_WORKER_CRASH, 1, 0);
    assert_int_equal(world_deliver(world), BOOKING_CRASHED);
    set_flag(world, 100);
    assert_int_equal(world_deliver_all(world), world->app.unmatched_max);
    assert_sql_text(world, "SELECT status || payment_id FROM booking.manual_case", "OPENpay_1");
}

/* What the legacy path does after its mark. */
#define LEGACY_BOOKING                                                                     \
    "INSERT INTO booking.booking (simulator_id, hold_id, customer_id, during, payment_id," \
    " amount_minor, currency) SELECT simulator_id, id, customer_id, during, payment_id,"   \
    " amount_minor, currency FROM booking.temp_booking"

/* Alice's news is delivered by a fixed worker, again and again, so many times. */
static void deliver_meanwhile(struct world *world, int times)
{
    struct racer racer = {.world = world, .db = world_connect()};

    for (int i = 0; i < times; i++)
        race_deliver(&racer);
    booking_db_close(racer.db);
}

static void deliver_until_a_case(struct world *world)
{
    booking_psp_duplicate(world->psp, "evt_1", false);
    set_flag(world, 100);
    deliver_meanwhile(world, world->app.unmatched_max);
    assert_sql_text(world, "SELECT status || payment_id FROM booking.manual_case", "OPENpay_1");
}

static void assert_booked_without_open_case(struct world *world)
{
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
    assert_sql_text(world, "SELECT outcome FROM booking.event", "CONFIRMED");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.unmatched"), 0);
    assert_int_equal(world_violations(world), 0);
}

static void a_slow_legacy_booking_ends_the_case_that_was_opened_meanwhile(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    race_meanwhile(world, "INSERT INTO booking.booking", deliver_until_a_case);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.manual_case", "CLOSED");
    assert_booked_without_open_case(world);
}

/* Alice's hold is marked by a legacy worker, and all but the last delivery were counted. */
static void prepare_last_delivery(struct world *world)
{
    world_paid(world, "alice");
    set_flag(world, 100);
    world_do(world, "UPDATE booking.temp_booking SET status = 'CONFIRMED'");
    deliver_meanwhile(world, world->app.unmatched_max - 1);
}

/* The last delivery looks for the booking, waits for the count, and must not rely on its look. */
static void book_before_the_last_count(struct world *world, enum booking_isolation isolation)
{
    struct racer racer = {0};

    world->app.isolation = isolation;
    prepare_last_delivery(world);
    world_do(world, "BEGIN");
    world_do(world, LEGACY_BOOKING);
    race_start(&racer, world, race_deliver);
    race_wait_blocked(world);
    world_do(world, "COMMIT");
    race_join(&racer);
    assert_int_equal(racer.answer.status, BOOKING_RETRY_LATER);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed-before");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.manual_case"), 0);
    assert_int_equal(world_violations(world), 0);
}

static void a_legacy_booking_before_the_last_count_is_adopted(void **state)
{
    book_before_the_last_count(*state, BOOKING_READ_COMMITTED);
}

static void a_legacy_booking_before_the_last_count_is_adopted_under_a_snapshot(void **state)
{
    book_before_the_last_count(*state, BOOKING_REPEATABLE_READ);
}

static void a_legacy_booking_before_the_last_count_is_adopted_when_serializable(void **state)
{
    book_before_the_last_count(*state, BOOKING_SERIALIZABLE);
}

static struct racer slow_worker;

static void book_at_last(struct racer *racer)
{
    PGresult *result = PQexec(booking_db_connection(racer->db), LEGACY_BOOKING);

    racer->answer.booking_id = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
}

static void start_slow_worker(struct world *world)
{
    slow_worker = (struct racer){0};
    race_start(&slow_worker, world, book_at_last);
    race_wait_blocked(world);
}

static void a_legacy_booking_while_the_case_is_opened_waits_and_ends_it(void **state)
{
    struct world *world = *state;

    prepare_last_delivery(world);
    race_meanwhile(world, "INSERT INTO booking.manual_case", start_slow_worker);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    race_join(&slow_worker);
    assert_int_equal(slow_worker.answer.booking_id, 1);
    assert_sql_text(world, "SELECT status FROM booking.manual_case", "CLOSED");
    assert_booked_without_open_case(world);
}

static void a_legacy_booking_over_a_fixed_hold_ends_in_a_refund(void **state)
{
    struct world *world = *state;

    set_flag(world, 100);
    world_paid(world, "alice");
    world_do(world,
             "INSERT INTO booking.temp_booking (id, simulator_id, customer_id, during, status,"
             " expires_at, payment_id, amount_minor, currency) SELECT 50, simulator_id, 'bob',"
             " during, 'CANCELLED', expires_at, 'pay_50', amount_minor, currency"
             " FROM booking.temp_booking");
    world_do(world, "INSERT INTO booking.booking (simulator_id, hold_id, customer_id, during,"
                    " payment_id, amount_minor, currency) SELECT simulator_id, 50, 'bob', during,"
                    " 'pay_50', amount_minor, currency FROM booking.temp_booking WHERE id = 50");
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "slot-retaken");
    world_deliver_all(world);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking WHERE id = 1", "REFUNDED");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
}

static void holds_and_payments_in_flight_survive_the_way_back(void **state)
{
    struct world *world = *state;
    struct booking_error err;

    set_flag(world, 100);
    world_paid(world, "alice");
    assert_true(booking_migrate(booking_db_connection(world->plain), BOOKING_SCHEMA_CORE, NULL,
                                NULL, &err));
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_int_equal(world->answer.path, BOOKING_PATH_LEGACY);
    assert_string_equal(REASON(world), "confirmed");
}

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(setup_legacy, the_legacy_path_books_when_nobody_races),
        WITH(setup_legacy_core, the_legacy_path_books_when_nobody_races),
        WITH(setup_legacy_constrained, the_legacy_path_books_when_nobody_races),
        WITH(setup_legacy_core, the_legacy_path_needs_only_the_first_migration),
        WITH(setup_legacy, a_legacy_basket_excludes_nobody_and_a_paid_one_may_get_nothing),
        WITH(setup_legacy, two_legacy_deliveries_at_once_double_book),
        WITH(setup_legacy, a_legacy_delivery_twice_at_once_books_twice),
        WITH(setup_legacy, the_legacy_path_keeps_the_money_of_a_late_payment),
        WITH(setup_legacy, the_legacy_path_believes_a_forged_webhook),
        WITH(setup_legacy, the_legacy_path_answers_200_to_what_it_does_not_know),
        WITH(setup_legacy, the_legacy_path_charges_again_after_a_lost_answer),
        WITH(setup_legacy, a_legacy_crash_between_mark_and_booking_is_never_made_good),
        WITH(setup_legacy, the_legacy_cleanup_expires_a_hold_confirmed_meanwhile),
        WITH(setup_legacy, legacy_refunds_have_no_key),
        WITH(setup_legacy, legacy_statements_that_fail_are_errors),
        WITH(setup_legacy_constrained, with_the_constraints_legacy_requests_cannot_double_book),
        WITH(setup_legacy, a_legacy_writer_breaks_into_a_fixed_hold_without_the_constraints),
        WITH(setup_legacy_constrained, the_hold_constraint_keeps_legacy_writers_out_of_fixed_holds),
        WITH(setup_legacy, a_slow_legacy_confirmation_overlaps_a_fixed_hold),
        WITH(setup_legacy_constrained,
             the_hold_constraint_stops_a_slow_legacy_confirmation_and_the_fixed_path_refunds),
        WITH(setup_legacy, what_legacy_confirmed_is_adopted_by_the_fixed_path),
        WITH(setup_legacy, what_legacy_left_half_done_ends_with_a_person),
        WITH(setup_legacy, a_slow_legacy_booking_ends_the_case_that_was_opened_meanwhile),
        WITH(setup_legacy, a_legacy_booking_while_the_case_is_opened_waits_and_ends_it),
        WITH(setup_legacy, a_legacy_booking_before_the_last_count_is_adopted),
        WITH(setup_legacy, a_legacy_booking_before_the_last_count_is_adopted_under_a_snapshot),
        WITH(setup_legacy, a_legacy_booking_before_the_last_count_is_adopted_when_serializable),
        WITH(setup_legacy, a_legacy_booking_over_a_fixed_hold_ends_in_a_refund),
        WITH(setup_legacy_constrained, holds_and_payments_in_flight_survive_the_way_back),
    };

    return cmocka_run_group_tests_name("rollout", tests, NULL, NULL);
}
