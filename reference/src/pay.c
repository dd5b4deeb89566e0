/*
 * pay.c - paying for a hold on the fixed path, and coming back from the payment page.
 *
 * The provider is called outside transactions.  Its idempotency keys come from the hold and the
 * payment, so that a retry, also one after a crash, is the same call.
 */
#include "flow_int.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define CALLS_MAX 3 /* for one capture, while its outcome is unknown */

/* A payment for the hold: the same one each time for the same attempt. */
static bool create_payment(struct work *work, const struct hold *hold, const char *attempt,
                           struct booking_payment *payment)
{
    struct booking_payments *payments = work->app->payments;
    struct booking_intent intent = {.customer = hold->customer,
                                    .currency = hold->currency,
                                    .hold_id = hold->id,
                                    .amount_minor = hold->amount_minor};
    char key[BOOKING_KEY_SIZE];

    snprintf(key, sizeof key, "intent-%" PRId64 "-%s", hold->id, attempt ? attempt : "only");
    if (payments->ops->create(payments, &intent, key, payment) != BOOKING_PAYMENTS_OK) {
        work_answer(work, BOOKING_RETRY_LATER, "no-payment-created");
        return false;
    }
    booking_copy_text(work->answer->payment_id, sizeof work->answer->payment_id, payment->id);
    return true;
}

/* Writes the payment to the hold, if that can still be paid for. */
static bool record_payment(struct work *work, const struct hold *hold, const char *payment_id)
{
    struct booking_number id = booking_number(hold->id);
    PGresult *result;
    bool recorded;

    if (!work_repeat(work,
                     "UPDATE booking.temp_booking SET payment_id = $2"
                     " WHERE id = $1 AND status = 'RESERVED' AND expires_at > booking.now()"
                     " RETURNING id",
                     PARAMS(id.text, payment_id), &result))
        return false;
    recorded = PQntuples(result) > 0;
    PQclear(result);
    if (!recorded)
        work_answer(work, BOOKING_EXPIRED, "hold-is-over");
    return recorded;
}

static void capture(struct work *work, const char *payment_id)
{
    struct booking_payments *payments = work->app->payments;
    enum booking_payments_result result = BOOKING_PAYMENTS_UNKNOWN;
    char key[BOOKING_KEY_SIZE];

    snprintf(key, sizeof key, "capture-%s", payment_id);
    for (int call = 0; call < CALLS_MAX && result == BOOKING_PAYMENTS_UNKNOWN; call++)
        result = payments->ops->capture(payments, payment_id, key, NULL);
    if (result == BOOKING_PAYMENTS_OK)
        work_answer(work, BOOKING_OK, "paid");
    else if (result == BOOKING_PAYMENTS_UNKNOWN)
        work_answer(work, BOOKING_RETRY_LATER, "payment-unknown");
    else
        work_answer(work, BOOKING_CONFLICT, "payment-declined");
}

void fixed_pay(struct work *work, const struct booking_hold_ref *request)
{
    struct booking_payment payment;
    struct hold hold;

    if (!hold_read(work, request->hold_id, &hold))
        return;
    if (hold_is(&hold, "CONFIRMED")) {
        work_answer(work, BOOKING_CONFLICT, "already-confirmed");
        return;
    }
    if (!hold_is(&hold, "RESERVED") || !hold.live) {
        work_answer(work, BOOKING_EXPIRED, "hold-is-over");
        return;
    }
    if (!create_payment(work, &hold, request->attempt, &payment))
        return;
    work_point(work, BOOKING_FAULT_HOLD_EXPIRED);
    if (record_payment(work, &hold, payment.id))
        capture(work, payment.id);
}

void fixed_return(struct work *work, const struct booking_return_request *request)
{
    struct booking_payments *payments = work->app->payments;
    struct event event = {.type = EVENT_SUCCEEDED};

    if (payments->ops->lookup(payments, request->payment_id, &event.payment) !=
        BOOKING_PAYMENTS_OK) {
        work_answer(work, BOOKING_NOT_FOUND, "no-such-payment");
        return;
    }
    if (!work_owns(work, event.payment.customer))
        return;
    if (event.payment.captured_minor == 0) {
        work_answer(work, BOOKING_RETRY_LATER, "not-captured-yet");
        return;
    }
    int length = snprintf(event.id, sizeof event.id, EVENT_ID_RETURN, event.payment.id);
    assert(length > 0 && (size_t)length < sizeof event.id);
    event.payment.amount_minor = event.payment.captured_minor;
    settle_payment(work, &event, true);
}
