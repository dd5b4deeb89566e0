#include "booking/psp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <fiu.h>
#include <fiu-control.h>

#include "booking/faults.h"

#define SECRET "whsec_test"
#define START_US 1767225600000000

static int64_t now_us = START_US;

static int64_t clock_now(void *clock)
{
    return *(int64_t *)clock;
}

static int open_psp(void **state)
{
    now_us = START_US;
    *state = booking_psp_new(
        &(struct booking_psp_options){.secret = SECRET, .now_us = clock_now, .clock = &now_us});
    return 0;
}

static int close_psp(void **state)
{
    booking_psp_free(*state);
    return 0;
}

/* libfiu leaks a point that is enabled while it still is, and one that failed once still is. */
static void fail_once(enum booking_fault fault, int failnum)
{
    fiu_disable(booking_fault_point(fault));
    fiu_enable(booking_fault_point(fault), failnum, NULL, FIU_ONETIME);
}

/* --- calls with the usual arguments */

static struct booking_payment create(struct booking_psp *psp, const char *key)
{
    struct booking_payments *port = booking_psp_payments(psp);
    struct booking_intent intent = {
        .customer = "alice", .currency = "EUR", .hold_id = 7, .amount_minor = 9000};
    struct booking_payment payment;

    assert_int_equal(port->ops->create(port, &intent, key, &payment), BOOKING_PAYMENTS_OK);
    return payment;
}

static enum booking_payments_result capture(struct booking_psp *psp, const char *id,
                                            const char *key)
{
    struct booking_payments *port = booking_psp_payments(psp);

    return port->ops->capture(port, id, key, NULL);
}

static enum booking_payments_result refund(struct booking_psp *psp, const char *id, int64_t amount,
                                           const char *key)
{
    struct booking_payments *port = booking_psp_payments(psp);

    return port->ops->refund(port, id, amount, key, NULL);
}

static struct booking_payment lookup(struct booking_psp *psp, const char *id)
{
    struct booking_payments *port = booking_psp_payments(psp);
    struct booking_payment payment;

    assert_int_equal(port->ops->lookup(port, id, &payment), BOOKING_PAYMENTS_OK);
    return payment;
}

/* A payment that has been captured. */
static struct booking_payment captured(struct booking_psp *psp)
{
    struct booking_payment payment = create(psp, "c");

    assert_int_equal(capture(psp, payment.id, "k"), BOOKING_PAYMENTS_OK);
    return payment;
}

static struct booking_delivery take(struct booking_psp *psp)
{
    struct booking_delivery delivery;

    assert_true(booking_psp_take(psp, &delivery));
    return delivery;
}

/* --- money */

static void a_key_creates_one_payment_and_none_creates_new_ones(void **state)
{
    struct booking_psp *psp = *state;

    assert_string_equal(create(psp, "a").id, "pay_1");
    assert_string_equal(create(psp, "a").id, "pay_1");
    assert_string_equal(create(psp, "b").id, "pay_2");
    assert_string_equal(create(psp, NULL).id, "pay_3");
    assert_string_equal(create(psp, NULL).id, "pay_4");
}

static void a_key_with_other_parameters_is_invalid(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payments *port = booking_psp_payments(psp);
    struct booking_intent other = {
        .customer = "alice", .currency = "EUR", .hold_id = 7, .amount_minor = 9001};

    create(psp, "a");
    assert_int_equal(port->ops->create(port, &other, "a", NULL), BOOKING_PAYMENTS_INVALID);
    assert_int_equal(capture(psp, "pay_1", "a"), BOOKING_PAYMENTS_INVALID);
}

static void a_key_of_256_characters_is_invalid_and_of_255_is_not(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = create(psp, NULL);
    char key[257];

    memset(key, 'k', 256);
    key[256] = '\0';
    assert_int_equal(capture(psp, payment.id, key), BOOKING_PAYMENTS_INVALID);
    key[255] = '\0';
    assert_int_equal(capture(psp, payment.id, key), BOOKING_PAYMENTS_OK);
}

static void a_capture_happens_once_and_is_replayed_under_its_key(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);

    assert_int_equal(capture(psp, payment.id, "k"), BOOKING_PAYMENTS_OK);
    assert_int_equal(capture(psp, payment.id, "other"), BOOKING_PAYMENTS_DECLINED);
    assert_int_equal(booking_psp_ledger_count(psp), 1);
    assert_int_equal(lookup(psp, payment.id).captured_minor, 9000);
}

static void unknown_payments_are_invalid(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payments *port = booking_psp_payments(psp);

    assert_int_equal(capture(psp, "pay_1", "k"), BOOKING_PAYMENTS_INVALID);
    assert_int_equal(refund(psp, "pay_1", 1, "k"), BOOKING_PAYMENTS_INVALID);
    assert_int_equal(port->ops->lookup(port, "pay_1", NULL), BOOKING_PAYMENTS_INVALID);
    create(psp, "c");
    assert_int_equal(capture(psp, "pay_1", "k"), BOOKING_PAYMENTS_OK);
}

static void refunds_are_partial_or_full_and_never_exceed_the_capture(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);

    assert_int_equal(refund(psp, payment.id, 6000, "r1"), BOOKING_PAYMENTS_OK);
    assert_int_equal(refund(psp, payment.id, 6000, "r2"), BOOKING_PAYMENTS_DECLINED);
    assert_int_equal(refund(psp, payment.id, 3000, "r3"), BOOKING_PAYMENTS_OK);
    assert_int_equal(refund(psp, payment.id, 1, "r4"), BOOKING_PAYMENTS_DECLINED);
    assert_int_equal(lookup(psp, payment.id).refunded_minor, 9000);
}

static void nothing_is_refunded_before_a_capture_nor_for_nothing(void **state)
{
    struct booking_psp *psp = *state;

    create(psp, "c");
    assert_int_equal(refund(psp, "pay_1", 1, "r"), BOOKING_PAYMENTS_DECLINED);
    capture(psp, "pay_1", "k");
    assert_int_equal(refund(psp, "pay_1", 0, "r0"), BOOKING_PAYMENTS_DECLINED);
    assert_int_equal(refund(psp, "pay_1", -5, "r-"), BOOKING_PAYMENTS_DECLINED);
}

static void a_refusal_is_replayed_under_its_key_too(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);

    fail_once(BOOKING_FAULT_PSP_REFUND_FAILED, 1);
    assert_int_equal(refund(psp, payment.id, 9000, "r"), BOOKING_PAYMENTS_DECLINED);
    assert_int_equal(refund(psp, payment.id, 9000, "r"), BOOKING_PAYMENTS_DECLINED);
    assert_int_equal(refund(psp, payment.id, 9000, "new"), BOOKING_PAYMENTS_OK);
}

static void a_pruned_key_is_a_new_call(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);

    assert_int_equal(refund(psp, payment.id, 1000, "r"), BOOKING_PAYMENTS_OK);
    booking_psp_prune_keys(psp, now_us);
    assert_int_equal(refund(psp, payment.id, 1000, "r"), BOOKING_PAYMENTS_OK);
    assert_int_equal(lookup(psp, payment.id).refunded_minor, 1000);
    booking_psp_prune_keys(psp, now_us + 1);
    assert_int_equal(refund(psp, payment.id, 1000, "r"), BOOKING_PAYMENTS_OK);
    assert_int_equal(lookup(psp, payment.id).refunded_minor, 2000);
}

static void the_ledger_tells_what_happened_in_order(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);
    struct booking_ledger_entry entry;

    now_us += 5;
    refund(psp, payment.id, 4000, "r");
    assert_int_equal(booking_psp_ledger_count(psp), 2);
    assert_true(booking_psp_ledger_get(psp, 0, &entry));
    assert_int_equal(entry.kind, BOOKING_LEDGER_CAPTURE);
    assert_int_equal(entry.amount_minor, 9000);
    assert_int_equal(entry.hold_id, 7);
    assert_string_equal(entry.customer, "alice");
    assert_string_equal(entry.currency, "EUR");
    assert_string_equal(entry.key, "k");
    assert_true(booking_psp_ledger_get(psp, 1, &entry));
    assert_int_equal(entry.kind, BOOKING_LEDGER_REFUND);
    assert_int_equal(entry.amount_minor, 4000);
    assert_int_equal(entry.at_us, START_US + 5);
    assert_string_equal(entry.payment_id, payment.id);
    assert_false(booking_psp_ledger_get(psp, 2, &entry));
}

/* --- lost answers */

static void a_lost_answer_is_found_again_under_its_key(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = create(psp, "c");

    fail_once(BOOKING_FAULT_PSP_TIMEOUT, 1);
    assert_int_equal(capture(psp, payment.id, "k"), BOOKING_PAYMENTS_UNKNOWN);
    assert_int_equal(booking_psp_ledger_count(psp), 1);
    assert_int_equal(capture(psp, payment.id, "k"), BOOKING_PAYMENTS_OK);
    assert_int_equal(booking_psp_ledger_count(psp), 1);
    assert_int_equal(booking_psp_unstable_keys(psp), 0);
}

static void a_lost_call_did_not_happen(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = create(psp, "c");

    fail_once(BOOKING_FAULT_PSP_TIMEOUT, 2);
    assert_int_equal(capture(psp, payment.id, "k"), BOOKING_PAYMENTS_UNKNOWN);
    assert_int_equal(booking_psp_ledger_count(psp), 0);
    assert_int_equal(capture(psp, payment.id, "k"), BOOKING_PAYMENTS_OK);
    assert_int_equal(booking_psp_ledger_count(psp), 1);
}

static void a_retry_under_a_new_key_or_none_is_unstable(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);

    fail_once(BOOKING_FAULT_PSP_TIMEOUT, 2);
    refund(psp, payment.id, 1000, "r1");
    refund(psp, payment.id, 1000, "r2");
    assert_int_equal(booking_psp_unstable_keys(psp), 1);
    fail_once(BOOKING_FAULT_PSP_TIMEOUT, 2);
    refund(psp, payment.id, 1000, NULL);
    refund(psp, payment.id, 1000, NULL);
    assert_int_equal(booking_psp_unstable_keys(psp), 2);
}

static void another_payment_for_the_hold_is_a_retry_unless_both_were_meant(void **state)
{
    struct booking_psp *psp = *state;

    create(psp, NULL);
    create(psp, NULL);
    fail_once(BOOKING_FAULT_PSP_TIMEOUT, 1);
    capture(psp, "pay_1", NULL);
    capture(psp, "pay_2", NULL);
    assert_int_equal(booking_psp_unstable_keys(psp), 1);

    create(psp, "tab-1");
    create(psp, "tab-2");
    fail_once(BOOKING_FAULT_PSP_TIMEOUT, 1);
    capture(psp, "pay_3", "k3");
    capture(psp, "pay_4", "k4");
    assert_int_equal(booking_psp_unstable_keys(psp), 1);
}

/* --- webhooks */

static void a_capture_and_a_refund_are_told_signed(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);
    struct booking_delivery delivery = take(psp);

    assert_string_equal(delivery.type, "payment.succeeded");
    assert_string_equal(delivery.event_id, "evt_1");
    assert_string_equal(delivery.payment_id, payment.id);
    assert_string_equal(delivery.body,
                        "{\"id\":\"evt_1\",\"type\":\"payment.succeeded\",\"payment\":\"pay_1\","
                        "\"amount\":9000,\"currency\":\"EUR\",\"customer\":\"alice\",\"hold\":7,"
                        "\"key\":\"k\"}");
    assert_int_equal(booking_signature_verify(SECRET, delivery.signature, delivery.body,
                                              delivery.body_size, now_us / 1000000),
                     BOOKING_SIGNATURE_VALID);
    refund(psp, payment.id, 4000, "r");
    delivery = take(psp);
    assert_string_equal(delivery.type, "refund.succeeded");
    assert_non_null(strstr(delivery.body, "\"amount\":4000"));
    assert_non_null(strstr(delivery.body, "\"refund\":\"re_1\""));
}

static void a_2xx_ends_a_delivery(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_delivery delivery;

    captured(psp);
    booking_psp_delivered(psp, take(psp).id, 204);
    assert_int_equal(booking_psp_next_due_us(psp), -1);
    assert_false(booking_psp_take(psp, &delivery));
}

static void anything_else_is_retried_later_with_a_fresh_signature(void **state)
{
    static const int answers[] = {0, 199, 300, 404, 500};
    struct booking_psp *psp = *state;
    struct booking_delivery first, again;

    captured(psp);
    first = take(psp);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        booking_psp_delivered(psp, first.id, answers[i]);
        assert_true(booking_psp_next_due_us(psp) > now_us);
        now_us = booking_psp_next_due_us(psp);
        again = take(psp);
        assert_int_equal(again.id, first.id);
        assert_int_equal(again.attempt, i + 2);
        assert_string_equal(again.body, first.body);
        assert_string_not_equal(again.signature, first.signature);
    }
}

static void retries_end(void **state)
{
    struct booking_psp *psp = *state;
    int64_t due_us = 0;
    int attempts = 0;

    captured(psp);
    while (booking_psp_next_due_us(psp) >= 0) {
        assert_true(booking_psp_next_due_us(psp) > due_us);
        due_us = now_us = booking_psp_next_due_us(psp);
        booking_psp_delivered(psp, take(psp).id, 500);
        attempts++;
    }
    assert_int_equal(attempts, BOOKING_DELIVERY_ATTEMPTS_MAX);
    assert_int_equal(booking_psp_abandoned(psp), 1);
}

static void an_answer_for_a_delivery_that_is_not_on_its_way_is_ignored(void **state)
{
    struct booking_psp *psp = *state;

    captured(psp);
    booking_psp_delivered(psp, 1, 200);
    booking_psp_delivered(psp, 0, 200);
    booking_psp_delivered(psp, 99, 200);
    assert_int_equal(take(psp).id, 1);
}

static void deliveries_go_by_due_time_then_by_age_and_may_overlap(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);

    refund(psp, payment.id, 1000, "r1");
    refund(psp, payment.id, 1000, "r2");
    assert_string_equal(take(psp).event_id, "evt_1");
    assert_string_equal(take(psp).event_id, "evt_2");
    booking_psp_delivered(psp, 1, 500);
    assert_string_equal(take(psp).event_id, "evt_3");
    assert_string_equal(take(psp).event_id, "evt_1");
}

static void a_delivery_can_be_taken_out_of_turn(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);
    struct booking_delivery delivery;

    refund(psp, payment.id, 1000, "r1");
    refund(psp, payment.id, 1000, "r2");
    assert_int_equal(booking_psp_waiting(psp), 3);
    assert_true(booking_psp_take_of(psp, payment.id, "refund.succeeded", &delivery));
    assert_string_equal(delivery.event_id, "evt_2");
    assert_true(booking_psp_take_one(psp, 3, &delivery));
    assert_string_equal(delivery.event_id, "evt_3");
    assert_false(booking_psp_take_one(psp, 3, &delivery));
    assert_false(booking_psp_take_one(psp, 4, &delivery));
    assert_false(booking_psp_take_one(psp, 0, &delivery));
    assert_false(booking_psp_take_of(psp, payment.id, "refund.succeeded", &delivery));
    assert_false(booking_psp_take_of(psp, "pay_7", "payment.succeeded", &delivery));
    assert_int_equal(booking_psp_waiting(psp), 1);
    assert_string_equal(take(psp).event_id, "evt_1");
}

static void a_copy_knows_the_same_and_goes_on_by_itself(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_psp *twin = booking_psp_new(&(struct booking_psp_options){.secret = "other"});

    captured(psp);
    booking_psp_copy(twin, psp);
    assert_int_equal(capture(twin, "pay_1", "k"), BOOKING_PAYMENTS_OK);
    assert_int_equal(booking_psp_ledger_count(twin), 1);
    assert_string_equal(take(twin).event_id, "evt_1");
    assert_int_equal(refund(twin, "pay_1", 9000, "r"), BOOKING_PAYMENTS_OK);
    assert_int_equal(lookup(psp, "pay_1").refunded_minor, 0);
    assert_int_equal(booking_psp_waiting(psp), 1);
    booking_psp_copy(twin, psp);
    assert_int_equal(lookup(twin, "pay_1").refunded_minor, 0);
    assert_string_equal(create(twin, "next").id, "pay_2");
    booking_psp_free(twin);
}

static void duplicates_come_under_the_same_or_a_new_event_id(void **state)
{
    struct booking_psp *psp = *state;

    captured(psp);
    assert_true(booking_psp_duplicate(psp, "evt_1", false));
    assert_true(booking_psp_duplicate(psp, "evt_1", true));
    assert_false(booking_psp_duplicate(psp, "evt_77", true));
    assert_string_equal(take(psp).event_id, "evt_1");
    assert_string_equal(take(psp).event_id, "evt_1");
    assert_string_equal(take(psp).event_id, "evt_2");
    assert_int_equal(booking_psp_next_due_us(psp), -1);
}

static void the_point_duplicate_sends_an_event_twice(void **state)
{
    struct booking_psp *psp = *state;

    fail_once(BOOKING_FAULT_WEBHOOK_DUPLICATE, 1);
    captured(psp);
    assert_string_equal(take(psp).event_id, "evt_1");
    assert_string_equal(take(psp).event_id, "evt_1");
    fail_once(BOOKING_FAULT_WEBHOOK_DUPLICATE, 2);
    refund(psp, "pay_1", 1, "r");
    assert_string_equal(take(psp).event_id, "evt_2");
    assert_string_equal(take(psp).event_id, "evt_3");
    assert_int_equal(booking_psp_next_due_us(psp), -1);
}

static void the_point_reordered_lets_the_next_but_one_overtake(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_payment payment = captured(psp);

    fiu_enable(booking_fault_point(BOOKING_FAULT_WEBHOOK_REORDERED), 1, NULL, 0);
    refund(psp, payment.id, 1000, "r1");
    assert_string_equal(take(psp).event_id, "evt_2");
    assert_string_equal(take(psp).event_id, "evt_1");
    fiu_disable(booking_fault_point(BOOKING_FAULT_WEBHOOK_REORDERED));
}

static void a_made_up_event_is_sent_as_it_is(void **state)
{
    struct booking_psp *psp = *state;
    struct booking_delivery delivery;

    booking_psp_emit(psp, &(struct booking_event_facts){.type = "payment.failed",
                                                        .payment_id = "pay_9",
                                                        .customer = "mallory",
                                                        .currency = "USD",
                                                        .hold_id = 3,
                                                        .amount_minor = 1});
    delivery = take(psp);
    assert_string_equal(delivery.body,
                        "{\"id\":\"evt_1\",\"type\":\"payment.failed\",\"payment\":\"pay_9\","
                        "\"amount\":1,\"currency\":\"USD\",\"customer\":\"mallory\",\"hold\":3}");
}

static void a_reset_starts_from_one_again(void **state)
{
    struct booking_psp *psp = *state;

    captured(psp);
    refund(psp, "pay_1", 1, "r");
    booking_psp_reset(psp);
    assert_int_equal(booking_psp_ledger_count(psp), 0);
    assert_int_equal(booking_psp_next_due_us(psp), -1);
    assert_string_equal(captured(psp).id, "pay_1");
    assert_string_equal(take(psp).event_id, "evt_1");
}

static void without_a_clock_time_is_zero(void **state)
{
    struct booking_psp *psp = booking_psp_new(&(struct booking_psp_options){.secret = SECRET});

    (void)state;
    captured(psp);
    assert_int_equal(booking_psp_next_due_us(psp), 0);
    booking_psp_free(psp);
    booking_psp_free(NULL);
}

#define PSP_TEST(test) cmocka_unit_test_setup_teardown(test, open_psp, close_psp)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PSP_TEST(a_key_creates_one_payment_and_none_creates_new_ones),
        PSP_TEST(a_key_with_other_parameters_is_invalid),
        PSP_TEST(a_key_of_256_characters_is_invalid_and_of_255_is_not),
        PSP_TEST(a_capture_happens_once_and_is_replayed_under_its_key),
        PSP_TEST(unknown_payments_are_invalid),
        PSP_TEST(refunds_are_partial_or_full_and_never_exceed_the_capture),
        PSP_TEST(nothing_is_refunded_before_a_capture_nor_for_nothing),
        PSP_TEST(a_refusal_is_replayed_under_its_key_too),
        PSP_TEST(a_pruned_key_is_a_new_call),
        PSP_TEST(the_ledger_tells_what_happened_in_order),
        PSP_TEST(a_lost_answer_is_found_again_under_its_key),
        PSP_TEST(a_lost_call_did_not_happen),
        PSP_TEST(a_retry_under_a_new_key_or_none_is_unstable),
        PSP_TEST(another_payment_for_the_hold_is_a_retry_unless_both_were_meant),
        PSP_TEST(a_capture_and_a_refund_are_told_signed),
        PSP_TEST(a_2xx_ends_a_delivery),
        PSP_TEST(anything_else_is_retried_later_with_a_fresh_signature),
        PSP_TEST(retries_end),
        PSP_TEST(an_answer_for_a_delivery_that_is_not_on_its_way_is_ignored),
        PSP_TEST(deliveries_go_by_due_time_then_by_age_and_may_overlap),
        PSP_TEST(a_delivery_can_be_taken_out_of_turn),
        PSP_TEST(a_copy_knows_the_same_and_goes_on_by_itself),
        PSP_TEST(duplicates_come_under_the_same_or_a_new_event_id),
        PSP_TEST(the_point_duplicate_sends_an_event_twice),
        PSP_TEST(the_point_reordered_lets_the_next_but_one_overtake),
        PSP_TEST(a_made_up_event_is_sent_as_it_is),
        PSP_TEST(a_reset_starts_from_one_again),
        cmocka_unit_test(without_a_clock_time_is_zero),
    };

    fiu_init(0);
    return cmocka_run_group_tests_name("psp", tests, NULL, NULL);
}
