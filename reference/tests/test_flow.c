/* The fixed path from end to end, one request after the other. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <fiu-control.h>

#define REASON(world) ((world)->answer.reason)

static void availability_follows_holds_bookings_and_time(void **state)
{
    struct world *world = *state;
    struct booking_slot_request request = {.customer = "bob",
                                           .simulator_id = 1,
                                           .start = "2026-06-01 10:00",
                                           .end = "2026-06-01 11:00"};

    assert_int_equal(booking_availability(&world->app, world->session, &request, &world->answer),
                     BOOKING_OK);
    assert_true(world->answer.free);
    assert_string_equal(world->answer.during,
                        "[\"2026-06-01 10:00:00+00\",\"2026-06-01 11:00:00+00\")");
    world_hold(world, "alice", 10, 11);
    booking_availability(&world->app, world->session, &request, &world->answer);
    assert_false(world->answer.free);
    world_advance(world, 15 * 60);
    booking_availability(&world->app, world->session, &request, &world->answer);
    assert_true(world->answer.free);
    request.simulator_id = 99;
    assert_int_equal(booking_availability(&world->app, world->session, &request, &world->answer),
                     BOOKING_NOT_FOUND);
}

static void a_hold_has_a_price_and_excludes_others(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_hold(world, "alice", 10, 12), BOOKING_OK);
    assert_int_equal(world->answer.path, BOOKING_PATH_FIXED);
    assert_int_equal(world->answer.hold_id, 1);
    assert_int_equal(world->answer.amount_minor, 18000);
    assert_string_equal(world->answer.currency, "EUR");
    assert_int_equal(world_hold(world, "bob", 11, 13), BOOKING_CONFLICT);
    assert_true(world->answer.lost_race);
    assert_int_equal(world->answer.hold_id, 0);
    assert_string_equal(REASON(world), "slot-taken");
    assert_int_equal(world_count(world, BOOKING_COUNT_LOST_RACES_FIXED), 1);
    assert_int_equal(world->races_logged, 1);
    assert_non_null(strstr(world->last_race, "\"kind\":\"slot-taken\""));
    assert_non_null(strstr(world->last_race, "\"customer\":\"bob\""));
}

static void slots_back_to_back_do_not_exclude_each_other(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_hold(world, "alice", 10, 11), BOOKING_OK);
    assert_int_equal(world_hold(world, "bob", 11, 12), BOOKING_OK);
    assert_int_equal(world_hold(world, "carol", 9, 10), BOOKING_OK);
    assert_int_equal(world_violations(world), 0);
}

static void an_expired_hold_gives_way_to_the_next(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    world_advance(world, 15 * 60 - 1);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_CONFLICT);
    world_advance(world, 1);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking WHERE id = 1", "EXPIRED");
    assert_int_equal(world_violations(world), 0);
}

static void insane_slots_are_refused(void **state)
{
    struct world *world = *state;
    static const char *const bounds[][2] = {{"2026-06-01 10:00", "2026-06-01 10:00"},
                                            {"2026-06-01 11:00", "2026-06-01 10:00"},
                                            {"2026-06-01 10:00", "infinity"},
                                            {"-infinity", "2026-06-01 10:00"},
                                            {"tomorrow at ten", "2026-06-01 10:00"}};
    struct booking_slot_request request = {.customer = "alice", .simulator_id = 1};

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        request.start = bounds[i][0];
        request.end = bounds[i][1];
        assert_int_equal(booking_hold(&world->app, world->session, &request, &world->answer),
                         BOOKING_INVALID);
        assert_string_not_equal(world->answer.sqlstate, "");
    }
    request.end = NULL;
    assert_int_equal(booking_hold(&world->app, world->session, &request, &world->answer),
                     BOOKING_INVALID);
    assert_int_equal(world_hold(world, "", 10, 11), BOOKING_INVALID);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.temp_booking"), 0);
}

static void an_unknown_simulator_is_not_found(void **state)
{
    struct world *world = *state;
    struct booking_slot_request request = {.customer = "alice",
                                           .simulator_id = 99,
                                           .start = "2026-06-01 10:00",
                                           .end = "2026-06-01 11:00"};

    assert_int_equal(booking_hold(&world->app, world->session, &request, &world->answer),
                     BOOKING_NOT_FOUND);
}

static void a_paid_hold_is_confirmed_by_the_webhook(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    assert_string_equal(world->answer.payment_id, "pay_1");
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed");
    assert_int_equal(world->answer.booking_id, 1);
    assert_sql_text(world, "SELECT status || payment_id FROM booking.temp_booking",
                    "CONFIRMEDpay_1");
    assert_sql_text(world, "SELECT outcome FROM booking.event", "CONFIRMED");
    assert_sql_text(world, "SELECT kind || transition_id FROM booking.outbox", "confirmation2");
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_CONFLICT);
    assert_int_equal(world_violations(world), 0);
}

static void a_paid_hold_is_confirmed_by_the_return_and_the_webhook_adds_nothing(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_OK);
    assert_int_equal(world->answer.booking_id, 1);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "settled-before");
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_OK);
    assert_int_equal(world->answer.booking_id, 1);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
    assert_int_equal(world_violations(world), 0);
}

/* Payments of a provider with long ids: the last digit is the hold's. */
#define LONG_ID "pay_0123456789012345678901234567890123456789012345678901234567"

static enum booking_payments_result lookup_long(struct booking_payments *payments,
                                                const char *payment_id, struct booking_payment *out)
{
    (void)payments;
    *out = (struct booking_payment){.customer = "alice",
                                    .currency = "EUR",
                                    .hold_id = payment_id[strlen(payment_id) - 1] - '0',
                                    .amount_minor = 9000,
                                    .captured_minor = 9000};
    snprintf(out->id, sizeof out->id, "%s", payment_id);
    return BOOKING_PAYMENTS_OK;
}

static void returns_of_payments_whose_long_ids_begin_alike_are_told_apart(void **state)
{
    static const struct booking_payments_ops ops = {.lookup = lookup_long};
    struct world *world = *state;

    static_assert(sizeof LONG_ID + 1 == BOOKING_ID_SIZE, "the longest there is");
    world->app.payments->ops = &ops;
    world_hold(world, "alice", 10, 11);
    world_hold(world, "alice", 12, 13);
    assert_int_equal(world_return(world, "alice", LONG_ID "1"), BOOKING_OK);
    assert_int_equal(world_return(world, "alice", LONG_ID "2"), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 2);
}

static void a_return_needs_the_payments_owner_and_a_capture(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    assert_int_equal(world_return(world, "mallory", "pay_1"), BOOKING_FORBIDDEN);
    assert_int_equal(world_return(world, "alice", "pay_77"), BOOKING_NOT_FOUND);
    world_hold(world, "alice", 12, 13);
    world->app.payments->ops->create(
        world->app.payments,
        &(struct booking_intent){
            .customer = "alice", .currency = "EUR", .hold_id = 2, .amount_minor = 9000},
        NULL, NULL);
    assert_int_equal(world_return(world, "alice", "pay_2"), BOOKING_RETRY_LATER);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 0);
}

static void paying_needs_a_live_hold_of_ones_own(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    assert_int_equal(world_pay(world, "mallory", 1), BOOKING_FORBIDDEN);
    assert_int_equal(world_pay(world, "alice", 2), BOOKING_NOT_FOUND);
    world_advance(world, 15 * 60);
    assert_int_equal(world_pay(world, "alice", 1), BOOKING_EXPIRED);
    assert_int_equal(booking_psp_ledger_count(world->psp), 0);
    assert_int_equal(world_violations(world), 0);
}

static void expire_the_hold(void *arg, struct booking_db *db, enum booking_fault fault)
{
    (void)db;
    (void)fault;
    world_advance(arg, 15 * 60);
}

static void a_hold_that_ends_before_the_capture_costs_nothing(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    world->app.on_fault = expire_the_hold;
    world->app.on_fault_arg = world;
    world_fault(BOOKING_FAULT_HOLD_EXPIRED, 1, 0);
    assert_int_equal(world_pay(world, "alice", 1), BOOKING_EXPIRED);
    assert_int_equal(booking_psp_ledger_count(world->psp), 0);
    assert_sql_text(world, "SELECT coalesce(payment_id, 'none') FROM booking.temp_booking", "none");
}

static void paying_twice_takes_the_money_once(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    assert_int_equal(world_pay(world, "alice", hold), BOOKING_OK);
    assert_string_equal(world->answer.payment_id, "pay_1");
    assert_int_equal(booking_psp_ledger_count(world->psp), 1);
    world_deliver_all(world);
    assert_int_equal(world_pay(world, "alice", hold), BOOKING_CONFLICT);
    assert_int_equal(booking_psp_ledger_count(world->psp), 1);
    assert_int_equal(world_violations(world), 0);
}

static void a_lost_answer_to_a_capture_is_asked_for_again(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    world_fault(BOOKING_FAULT_PSP_TIMEOUT, 1, 0);
    assert_int_equal(world_pay(world, "alice", 1), BOOKING_OK);
    assert_int_equal(booking_psp_ledger_count(world->psp), 1);
    assert_int_equal(booking_psp_unstable_keys(world->psp), 0);
}

static void a_capture_that_stays_unknown_is_left_to_the_webhook(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    fiu_enable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT), 1, NULL, 0);
    assert_int_equal(world_pay(world, "alice", 1), BOOKING_RETRY_LATER);
    fiu_disable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT));
    world_deliver_all(world);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "CONFIRMED");
    assert_int_equal(world_violations(world), 0);
}

static void cancelling_a_hold_frees_its_slot(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    assert_int_equal(world_cancel(world, "mallory", 1), BOOKING_FORBIDDEN);
    assert_int_equal(world_cancel(world, "alice", 7), BOOKING_NOT_FOUND);
    assert_int_equal(world_cancel(world, "alice", 1), BOOKING_OK);
    assert_string_equal(REASON(world), "cancelled");
    assert_int_equal(world_cancel(world, "alice", 1), BOOKING_OK);
    assert_string_equal(REASON(world), "cancelled-before");
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    assert_int_equal(world_violations(world), 0);
}

static void cancelling_a_booking_refunds_it_once(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");
    struct booking_ledger_entry entry;

    world_deliver_all(world);
    assert_int_equal(world_cancel(world, "alice", hold), BOOKING_OK);
    assert_int_equal(world_cancel(world, "alice", hold), BOOKING_OK);
    world_deliver_all(world);
    assert_int_equal(booking_psp_ledger_count(world->psp), 2);
    assert_true(booking_psp_ledger_get(world->psp, 1, &entry));
    assert_int_equal(entry.kind, BOOKING_LEDGER_REFUND);
    assert_int_equal(entry.amount_minor, 9000);
    assert_string_equal(entry.key, "refund-pay_1");
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "REFUNDED");
    assert_sql_text(world, "SELECT status FROM booking.booking", "CANCELLED");
    assert_sql_text(world, "SELECT status || reason FROM booking.refund", "DONEcancelled");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.outbox"), 2);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    assert_int_equal(world_violations(world), 0);
}

static void cancelling_an_expired_hold_says_so(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    world_advance(world, 15 * 60);
    world_clean(world);
    assert_int_equal(world_cancel(world, "alice", 1), BOOKING_EXPIRED);
}

static void the_cleanup_expires_overdue_holds_and_nothing_else(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_deliver_all(world);
    world_hold(world, "bob", 12, 13);
    world_advance(world, 10 * 60);
    world_hold(world, "carol", 14, 15);
    world_advance(world, 5 * 60);
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_int_equal(world->answer.count, 1);
    assert_int_equal(world_count(world, BOOKING_COUNT_HOLDS_EXPIRED), 1);
    assert_sql_text(world, "SELECT string_agg(status, ' ' ORDER BY id) FROM booking.temp_booking",
                    "CONFIRMED EXPIRED RESERVED");
    assert_int_equal(world_violations(world), 0);
}

static void the_flag_is_read_by_each_request(void **state)
{
    struct world *world = *state;
    struct booking_error err;

    world_hold(world, "alice", 10, 11);
    assert_int_equal(world->answer.path, BOOKING_PATH_FIXED);
    booking_flag_set(world->plain, 0, &err);
    world_cancel(world, "alice", 1);
    assert_int_equal(world->answer.path, BOOKING_PATH_LEGACY);
    assert_int_equal(world_count(world, BOOKING_COUNT_REQUESTS_LEGACY), 1);
    assert_int_equal(world_count(world, BOOKING_COUNT_REQUESTS_FIXED), 1);
}

static void a_worker_with_one_path_does_not_ask_the_flag(void **state)
{
    static const enum booking_path legacy = BOOKING_PATH_LEGACY;
    struct world *world = *state;

    world->app.path = &legacy;
    world_hold(world, "alice", 10, 11);
    assert_int_equal(world->answer.path, BOOKING_PATH_LEGACY);
}

static void the_flag_tells_why_it_cannot_be_set(void **state)
{
    struct world *world = *state;
    struct booking_error err;
    int percent = -1;

    assert_int_equal(booking_flag_set(world->plain, 101, &err), BOOKING_DB_ERROR);
    assert_string_equal(err.sqlstate, "23514");
    world_do(world, "DELETE FROM booking.flag");
    assert_int_equal(booking_flag_get(world->plain, &percent, &err), BOOKING_DB_ERROR);
    assert_string_equal(err.message, "the flag's row is missing");
    world_do(world, "DROP TABLE booking.flag");
    assert_int_equal(booking_flag_get(world->plain, &percent, &err), BOOKING_DB_ERROR);
    assert_string_equal(err.sqlstate, "42P01");
    world->plain->ops->kill(world->plain);
    assert_int_equal(booking_flag_get(world->plain, &percent, &err), BOOKING_DB_LOST);
    assert_int_equal(percent, -1);
}

static void statuses_have_http_codes_and_names(void **state)
{
    (void)state;
    assert_int_equal(booking_status_http(BOOKING_OK), 200);
    assert_int_equal(booking_status_http(BOOKING_CONFLICT), 409);
    assert_int_equal(booking_status_http(BOOKING_CRASHED), 0);
    assert_string_equal(booking_status_text(BOOKING_RETRY_LATER), "retry-later");
}

#define FLOW_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(availability_follows_holds_bookings_and_time),
        FLOW_TEST(a_hold_has_a_price_and_excludes_others),
        FLOW_TEST(slots_back_to_back_do_not_exclude_each_other),
        FLOW_TEST(an_expired_hold_gives_way_to_the_next),
        FLOW_TEST(insane_slots_are_refused),
        FLOW_TEST(an_unknown_simulator_is_not_found),
        FLOW_TEST(a_paid_hold_is_confirmed_by_the_webhook),
        FLOW_TEST(a_paid_hold_is_confirmed_by_the_return_and_the_webhook_adds_nothing),
        FLOW_TEST(returns_of_payments_whose_long_ids_begin_alike_are_told_apart),
        FLOW_TEST(a_return_needs_the_payments_owner_and_a_capture),
        FLOW_TEST(paying_needs_a_live_hold_of_ones_own),
        FLOW_TEST(a_hold_that_ends_before_the_capture_costs_nothing),
        FLOW_TEST(paying_twice_takes_the_money_once),
        FLOW_TEST(a_lost_answer_to_a_capture_is_asked_for_again),
        FLOW_TEST(a_capture_that_stays_unknown_is_left_to_the_webhook),
        FLOW_TEST(cancelling_a_hold_frees_its_slot),
        FLOW_TEST(cancelling_a_booking_refunds_it_once),
        FLOW_TEST(cancelling_an_expired_hold_says_so),
        FLOW_TEST(the_cleanup_expires_overdue_holds_and_nothing_else),
        FLOW_TEST(the_flag_is_read_by_each_request),
        FLOW_TEST(a_worker_with_one_path_does_not_ask_the_flag),
        FLOW_TEST(the_flag_tells_why_it_cannot_be_set),
        cmocka_unit_test(statuses_have_http_codes_and_names),
    };

    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
