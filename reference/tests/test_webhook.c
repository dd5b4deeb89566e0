/* Each way in which a payment can meet its hold, on the fixed path. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <fiu-control.h>

#define REASON(world) ((world)->answer.reason)

static enum booking_status send_raw(struct world *world, const char *body, const char *signature)
{
    struct booking_webhook_request request = {
        .body = body, .body_size = strlen(body), .signature = signature};

    return booking_webhook(&world->app, world->session, &request, &world->answer);
}

/* The refunds that the provider made. */
static int refunds(struct world *world)
{
    struct booking_ledger_entry entry;
    int count = 0;

    for (size_t i = 0; booking_psp_ledger_get(world->psp, i, &entry); i++)
        count += entry.kind == BOOKING_LEDGER_REFUND;
    return count;
}

static void forged_old_and_missing_signatures_are_refused(void **state)
{
    struct world *world = *state;
    struct booking_delivery delivery;

    world_paid(world, "alice");
    assert_true(booking_psp_take(world->psp, &delivery));
    assert_int_equal(send_raw(world, delivery.body, NULL), BOOKING_FORBIDDEN);
    assert_int_equal(send_raw(world, delivery.body, "t=1767225600,v1=00"), BOOKING_FORBIDDEN);
    world_advance(world, 301);
    assert_int_equal(send_raw(world, delivery.body, delivery.signature), BOOKING_FORBIDDEN);
    assert_int_equal(world_count(world, BOOKING_COUNT_SIGNATURES_REFUSED), 3);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.event"), 0);
    world_advance(world, -1);
    assert_int_equal(send_raw(world, delivery.body, delivery.signature), BOOKING_OK);
}

static void what_is_no_event_is_invalid(void **state)
{
    struct world *world = *state;

    assert_int_equal(send_raw(world, "", NULL), BOOKING_INVALID);
    assert_int_equal(send_raw(world, "{\"id\":1}", NULL), BOOKING_INVALID);
}

static void other_kinds_of_events_are_accepted_and_ignored(void **state)
{
    struct world *world = *state;

    world_emit(world, "customer.updated", "pay_1", "alice", 1, 1);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "ignored");
}

static void a_second_delivery_changes_nothing(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    booking_psp_duplicate(world->psp, "evt_1", false);
    booking_psp_duplicate(world->psp, "evt_1", true);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "settled-before");
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "settled-before");
    assert_int_equal(world_count(world, BOOKING_COUNT_RACES_DUPLICATE), 2);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 1);
    assert_int_equal(refunds(world), 0);
    assert_int_equal(world_violations(world), 0);
}

static void a_late_payment_gets_its_free_slot_back(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_advance(world, 15 * 60);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed-late");
    assert_sql_text(world, "SELECT string_agg(to_status, ' ' ORDER BY id) FROM booking.transition",
                    "RESERVED EXPIRED RESERVED CONFIRMED");
    assert_int_equal(world_count(world, BOOKING_COUNT_RACES_LATE), 1);
    assert_int_equal(world_violations(world), 0);
}

static void a_late_payment_whose_slot_is_held_is_refunded_once(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_advance(world, 15 * 60);
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    booking_psp_duplicate(world->psp, "evt_1", true);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "slot-retaken");
    assert_true(world->answer.lost_race);
    world_deliver_all(world);
    assert_int_equal(refunds(world), 1);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking WHERE id = 1", "REFUNDED");
    assert_sql_text(world, "SELECT status FROM booking.temp_booking WHERE id = 2", "RESERVED");
    assert_int_equal(world_count(world, BOOKING_COUNT_LOST_RACES_FIXED), 1);
    assert_int_equal(world_violations(world), 0);
}

static void a_late_payment_whose_slot_is_booked_is_refunded(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_advance(world, 15 * 60);
    world_hold(world, "bob", 10, 11);
    world_pay(world, "bob", world->answer.hold_id);
    world_deliver_all(world);
    assert_int_equal(refunds(world), 1);
    assert_sql_text(world, "SELECT customer_id FROM booking.booking", "bob");
    assert_int_equal(world_violations(world), 0);
}

static void a_payment_for_a_cancelled_hold_is_refunded(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    world_cancel(world, "alice", hold);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "paid-after-cancel");
    world_deliver_all(world);
    assert_int_equal(refunds(world), 1);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "REFUNDED");
    assert_int_equal(world_count(world, BOOKING_COUNT_RACES_CANCELLED), 1);
    assert_int_equal(world_violations(world), 0);
}

static void of_two_payments_for_a_hold_one_is_refunded(void **state)
{
    struct world *world = *state;
    struct booking_hold_ref tab = {.customer = "alice", .hold_id = 1, .attempt = "tab-2"};

    world_paid(world, "alice");
    assert_int_equal(booking_pay(&world->app, world->session, &tab, &world->answer), BOOKING_OK);
    assert_string_equal(world->answer.payment_id, "pay_2");
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed");
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "second-payment");
    world_deliver_all(world);
    assert_int_equal(refunds(world), 1);
    assert_sql_text(world, "SELECT payment_id FROM booking.booking", "pay_1");
    assert_sql_text(world, "SELECT payment_id || status FROM booking.refund", "pay_2DONE");
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "CONFIRMED");
    assert_int_equal(world_count(world, BOOKING_COUNT_RACES_SECOND), 1);
    assert_int_equal(world_violations(world), 0);
}

/* A captured payment whose metadata is somebody's own choice: not made by our checkout. */
static void capture_other(struct world *world, const char *customer, int64_t hold_id,
                          int64_t amount_minor, const char *currency)
{
    struct booking_payments *port = world->app.payments;
    struct booking_intent intent = {.customer = customer,
                                    .currency = currency,
                                    .hold_id = hold_id,
                                    .amount_minor = amount_minor};
    struct booking_payment payment;

    port->ops->create(port, &intent, NULL, &payment);
    assert_int_equal(port->ops->capture(port, payment.id, NULL, NULL), BOOKING_PAYMENTS_OK);
}

static void the_wrong_owner_amount_or_currency_is_refunded_not_confirmed(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    capture_other(world, "mallory", 1, 9000, "EUR");
    world_deliver(world);
    assert_string_equal(REASON(world), "wrong-owner");
    capture_other(world, "alice", 1, 8999, "EUR");
    capture_other(world, "alice", 1, 9000, "USD");
    world_deliver_all(world);
    assert_int_equal(refunds(world), 3);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 0);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "RESERVED");
    assert_int_equal(world_count(world, BOOKING_COUNT_RACES_MISMATCH), 3);
    assert_int_equal(world_violations(world), 0);
}

static void a_payment_of_another_hold_is_left_to_a_person(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_hold(world, "alice", 12, 13);
    booking_psp_reset(world->psp);
    capture_other(world, "alice", 2, 9000, "EUR");
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "wrong-hold");
    assert_sql_text(world, "SELECT payment_id || reason || status FROM booking.manual_case",
                    "pay_1wrong-holdOPEN");
    assert_int_equal(world_count(world, BOOKING_COUNT_CASES), 1);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.booking"), 0);
    assert_int_equal(world_violations(world), 0);
}

/* Delivers an event about pay_1 that the provider's own books belie, before its true one. */
static void deliver_untrue(struct world *world, const char *customer, int64_t hold_id,
                           int64_t amount_minor)
{
    struct booking_delivery delivery;

    assert_true(booking_psp_take(world->psp, &delivery));
    world_emit(world, "payment.succeeded", "pay_1", customer, hold_id, amount_minor);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed");
    booking_psp_delivered(world->psp, delivery.id, 0);
    world_deliver_all(world);
    assert_string_equal(REASON(world), "settled-before");
}

static void an_event_that_the_provider_belies_settles_by_what_the_provider_says(void **state)
{
    static const struct {
        const char *customer;
        int64_t hold_id, amount_minor;
    } untrue[] = {{"alice", 1, 1}, {"mallory", 1, 9000}, {"alice", 2, 9000}};

    for (size_t i = 0; i < sizeof untrue / sizeof *untrue; i++) {
        struct world *world;

        assert_int_equal(world_setup(state), 0);
        world = *state;
        world_paid(world, "alice");
        world_hold(world, "bob", 12, 13);
        deliver_untrue(world, untrue[i].customer, untrue[i].hold_id, untrue[i].amount_minor);
        assert_int_equal(refunds(world), 0);
        assert_sql_text(world, "SELECT hold_id || customer_id FROM booking.booking", "1alice");
        assert_int_equal(world_violations(world), 0);
        assert_int_equal(world_teardown(state), 0);
    }
}

static void an_event_before_its_hold_is_sent_again_and_then_settled(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_fault(BOOKING_FAULT_WEBHOOK_BEFORE_ROW, 1, 0);
    assert_int_equal(world_deliver(world), BOOKING_RETRY_LATER);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.event"), 0);
    assert_int_equal(world_deliver_all(world), 1);
    assert_string_equal(REASON(world), "confirmed");
    assert_int_equal(world_count(world, BOOKING_COUNT_RACES_EARLY), 1);
    assert_int_equal(world_violations(world), 0);
}

static void an_event_whose_hold_never_comes_is_left_to_a_person_once(void **state)
{
    struct world *world = *state;

    capture_other(world, "alice", 77, 9000, "EUR");
    assert_int_equal(world_deliver_all(world), world->app.unmatched_max);
    assert_string_equal(REASON(world), "no-such-hold");
    assert_sql_text(world, "SELECT outcome FROM booking.event", "CASE");
    booking_psp_duplicate(world->psp, "evt_1", true);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "settled-before");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.manual_case"), 1);
    assert_int_equal(world_violations(world), 0);
}

static void a_return_for_a_refunded_payment_says_so(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    world_cancel(world, "alice", hold);
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "paid-after-cancel");
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_CONFLICT);
    assert_int_equal(refunds(world), 1);
}

static void a_stale_failure_does_not_undo_a_success(void **state)
{
    struct world *world = *state;

    world_paid(world, "alice");
    world_deliver(world);
    world_emit(world, "payment.failed", "pay_1", "alice", 1, 9000);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "CONFIRMED");
    assert_int_equal(world_violations(world), 0);
}

static void a_failure_before_the_success_does_not_hinder_it(void **state)
{
    struct world *world = *state;

    world_hold(world, "alice", 10, 11);
    world_emit(world, "payment.failed", "pay_1", "alice", 1, 9000);
    world_deliver(world);
    world_pay(world, "alice", 1);
    world_deliver_all(world);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "CONFIRMED");
}

static void a_refused_refund_is_left_to_a_person(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    world_cancel(world, "alice", hold);
    world_fault(BOOKING_FAULT_PSP_REFUND_FAILED, 1, 0);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.refund", "FAILED");
    assert_sql_text(world, "SELECT reason || status FROM booking.manual_case",
                    "refund-refusedOPEN");
    assert_int_equal(world_count(world, BOOKING_COUNT_REFUNDS_FAILED), 1);
    world_clean(world);
    assert_int_equal(refunds(world), 0);
    assert_int_equal(world_violations(world), 0);
}

static void an_unknown_refund_is_completed_by_the_cleanup_under_the_same_key(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    world_cancel(world, "alice", hold);
    fiu_enable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT), 1, NULL, 0);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.refund", "REQUESTED");
    fiu_disable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT));
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.refund", "DONE");
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "REFUNDED");
    assert_int_equal(refunds(world), 1);
    assert_int_equal(booking_psp_unstable_keys(world->psp), 0);
    assert_int_equal(world_violations(world), 0);
}

/* The answer of pay_1's refund is lost; then the provider forgets the key. */
static void lose_refund_and_key(struct world *world)
{
    int64_t hold = world_paid(world, "alice");

    world_cancel(world, "alice", hold);
    fiu_enable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT), 1, NULL, 0);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.refund", "REQUESTED");
    fiu_disable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT));
    world_advance(world, 25 * 3600);
    booking_psp_prune_keys(world->psp, world->now_us - INT64_C(24) * 3600 * 1000000);
}

static void an_unknown_refund_whose_key_was_forgotten_is_completed_by_the_cleanup(void **state)
{
    struct world *world = *state;

    lose_refund_and_key(world);
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.refund", "DONE");
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "REFUNDED");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.manual_case"), 0);
    assert_int_equal(refunds(world), 1);
    assert_int_equal(world_violations(world), 0);
}

static enum booking_payments_result lookup_lost(struct booking_payments *payments,
                                                const char *payment_id, struct booking_payment *out)
{
    (void)payments;
    (void)payment_id;
    (void)out;
    return BOOKING_PAYMENTS_UNKNOWN;
}

static void a_refused_refund_stays_pending_while_the_provider_cannot_be_asked(void **state)
{
    struct world *world = *state;
    struct booking_payments *port = world->app.payments;
    const struct booking_payments_ops *real_ops = port->ops;
    struct booking_payments_ops ops = *real_ops;

    lose_refund_and_key(world);
    ops.lookup = lookup_lost;
    port->ops = &ops;
    assert_int_equal(world_clean(world), BOOKING_OK);
    port->ops = real_ops;
    assert_sql_text(world, "SELECT status FROM booking.refund", "REQUESTED");
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.refund", "DONE");
    assert_int_equal(world_violations(world), 0);
}

static void an_unknown_refund_is_completed_by_the_providers_word(void **state)
{
    struct world *world = *state;
    int64_t hold = world_paid(world, "alice");

    world_cancel(world, "alice", hold);
    fiu_enable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT), 1, NULL, 0);
    world_deliver(world);
    fiu_disable(booking_fault_point(BOOKING_FAULT_PSP_TIMEOUT));
    booking_psp_duplicate(world->psp, "evt_2", true);
    assert_int_equal(world_deliver_all(world), 2);
    assert_string_equal(REASON(world), "refund-noted");
    assert_sql_text(world, "SELECT status FROM booking.refund", "DONE");
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.event"), 2);
    assert_int_equal(world_violations(world), 0);
}

#define WEBHOOK_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEBHOOK_TEST(forged_old_and_missing_signatures_are_refused),
        WEBHOOK_TEST(what_is_no_event_is_invalid),
        WEBHOOK_TEST(other_kinds_of_events_are_accepted_and_ignored),
        WEBHOOK_TEST(a_second_delivery_changes_nothing),
        WEBHOOK_TEST(a_late_payment_gets_its_free_slot_back),
        WEBHOOK_TEST(a_late_payment_whose_slot_is_held_is_refunded_once),
        WEBHOOK_TEST(a_late_payment_whose_slot_is_booked_is_refunded),
        WEBHOOK_TEST(a_payment_for_a_cancelled_hold_is_refunded),
        WEBHOOK_TEST(of_two_payments_for_a_hold_one_is_refunded),
        WEBHOOK_TEST(the_wrong_owner_amount_or_currency_is_refunded_not_confirmed),
        WEBHOOK_TEST(a_payment_of_another_hold_is_left_to_a_person),
        cmocka_unit_test(an_event_that_the_provider_belies_settles_by_what_the_provider_says),
        WEBHOOK_TEST(an_event_before_its_hold_is_sent_again_and_then_settled),
        WEBHOOK_TEST(an_event_whose_hold_never_comes_is_left_to_a_person_once),
        WEBHOOK_TEST(a_return_for_a_refunded_payment_says_so),
        WEBHOOK_TEST(a_stale_failure_does_not_undo_a_success),
        WEBHOOK_TEST(a_failure_before_the_success_does_not_hinder_it),
        WEBHOOK_TEST(a_refused_refund_is_left_to_a_person),
        WEBHOOK_TEST(an_unknown_refund_is_completed_by_the_cleanup_under_the_same_key),
        WEBHOOK_TEST(an_unknown_refund_whose_key_was_forgotten_is_completed_by_the_cleanup),
        WEBHOOK_TEST(a_refused_refund_stays_pending_while_the_provider_cannot_be_asked),
        WEBHOOK_TEST(an_unknown_refund_is_completed_by_the_providers_word),
    };

    return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
