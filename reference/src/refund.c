/*
 * refund.c - refunds: a durable intention first, the provider afterwards.
 *
 * The intention is written in the transaction that decides it.  The provider is called outside: a
 * call cannot be rolled back, and a lock must not be held while somebody else's server thinks.
 * Whoever finds the intention drives it to its end under a key that comes from the payment, so any
 * number of drivers make one refund.
 *
 * Providers forget keys after a day; the call is then a new one, and refused because nothing is
 * left to give back.  So a refusal is believed only when the provider's books do not show the
 * refund.  One that stands becomes a case for a person.
 */
#include "flow_int.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 3       /* in one drive, while the outcome is unknown */
#define PENDING_MAX "100" /* driven by one cleanup */

void refund_key(const char *payment_id, char key[BOOKING_KEY_SIZE])
{
    snprintf(key, BOOKING_KEY_SIZE, "refund-%s", payment_id);
}

bool refund_request(struct work *work, const struct refund *refund)
{
    struct booking_number hold = booking_number(refund->hold_id);
    struct booking_number amount = booking_number(refund->amount_minor);
    char key[BOOKING_KEY_SIZE];

    refund_key(refund->payment_id, key);
    return work_run(
        work,
        "INSERT INTO booking.refund"
        " (idempotency_key, payment_id, hold_id, amount_minor, currency, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (idempotency_key) DO NOTHING",
        PARAMS(key, refund->payment_id, hold.text, amount.text, refund->currency, refund->reason));
}

/* Writes that the provider did it; a second time changes nothing. */
#define SQL_REFUND_DONE                                                                    \
    "WITH done AS (UPDATE booking.refund SET status = 'DONE', ended_at = booking.now()"    \
    " WHERE idempotency_key = $1 AND status = 'REQUESTED' RETURNING hold_id, payment_id)," \
    " moved AS (UPDATE booking.temp_booking h SET status = 'REFUNDED' FROM done"           \
    " WHERE h.id = done.hold_id AND h.payment_id = done.payment_id"                        \
    " AND h.status IN ('EXPIRED', 'CANCELLED'))"

static bool mark_done(struct work *work, const char *key)
{
    PGresult *result;

    if (!work_repeat(work, SQL_REFUND_DONE " SELECT FROM done", PARAMS(key), &result))
        return false;
    if (PQntuples(result) > 0)
        booking_monitor_count(work->app->monitor, BOOKING_COUNT_REFUNDS_DONE);
    PQclear(result);
    return true;
}

/* Writes that the provider refused, and leaves the payment to a person. */
static bool mark_failed(struct work *work, const char *key)
{
    PGresult *result;

    if (!work_repeat(work,
                     "WITH failed AS (UPDATE booking.refund"
                     " SET status = 'FAILED', ended_at = booking.now()"
                     " WHERE idempotency_key = $1 AND status = 'REQUESTED' RETURNING *)"
                     " INSERT INTO booking.manual_case"
                     " (payment_id, hold_id, amount_minor, currency, reason)"
                     " SELECT payment_id, hold_id, amount_minor, currency, 'refund-refused'"
                     " FROM failed ON CONFLICT (payment_id) DO NOTHING RETURNING id",
                     PARAMS(key), &result))
        return false;
    if (PQntuples(result) > 0) {
        booking_monitor_count(work->app->monitor, BOOKING_COUNT_REFUNDS_FAILED);
        booking_monitor_count(work->app->monitor, BOOKING_COUNT_CASES);
    }
    PQclear(result);
    return true;
}

/* What a refusal means: OK when the money had gone back before, UNKNOWN without an answer. */
static enum booking_payments_result check_refused(struct booking_payments *payments,
                                                  const char *payment_id, int64_t amount_minor)
{
    struct booking_payment known;
    enum booking_payments_result result = payments->ops->lookup(payments, payment_id, &known);

    if (result == BOOKING_PAYMENTS_OK && known.refunded_minor < amount_minor)
        return BOOKING_PAYMENTS_DECLINED;
    return result;
}

bool refund_drive(struct work *work, const char *payment_id, int64_t amount_minor)
{
    struct booking_payments *payments = work->app->payments;
    enum booking_payments_result result = BOOKING_PAYMENTS_UNKNOWN;
    char key[BOOKING_KEY_SIZE];

    refund_key(payment_id, key);
    for (int call = 0; call < CALLS_MAX && result == BOOKING_PAYMENTS_UNKNOWN; call++)
        result = payments->ops->refund(payments, payment_id, amount_minor, key, NULL);
    if (result == BOOKING_PAYMENTS_DECLINED)
        result = check_refused(payments, payment_id, amount_minor);
    if (work_crashes(work))
        return false;
    if (result == BOOKING_PAYMENTS_OK)
        return mark_done(work, key);
    return result == BOOKING_PAYMENTS_UNKNOWN || mark_failed(work, key);
}

bool refund_drive_pending(struct work *work)
{
    PGresult *result;
    bool alive = true;

    if (!work_repeat(work,
                     "SELECT payment_id, amount_minor FROM booking.refund"
                     " WHERE status = 'REQUESTED' ORDER BY id LIMIT " PENDING_MAX,
                     NO_PARAMS, &result))
        return false;
    for (int i = 0; alive && i < PQntuples(result); i++)
        alive = refund_drive(work, PQgetvalue(result, i, 0),
                             strtoll(PQgetvalue(result, i, 1), NULL, 10));
    PQclear(result);
    return alive;
}

/* The event and its effect in one transaction. */
static enum work_end told_body(struct work *work, void *arg)
{
    const struct event *event = arg;
    PGresult *result;
    bool fresh;

    if (!work_exec(work,
                   "INSERT INTO booking.event (event_id, type, payment_id, object_id, outcome)"
                   " VALUES ($1, $2, $3, $4, 'NOTED') ON CONFLICT DO NOTHING"
                   " RETURNING pg_current_xact_id() AS xid",
                   PARAMS(event->id, event->type, event->payment.id, event->refund_id), &result))
        return WORK_FAILED;
    fresh = PQntuples(result) > 0;
    work_note_xid(work, result);
    PQclear(result);
    if (!fresh)
        return WORK_ROLLBACK;
    if (!work_run(work, SQL_REFUND_DONE " SELECT FROM done", PARAMS(event->key)))
        return WORK_FAILED;
    return WORK_COMMIT;
}

enum booking_status refund_told(struct work *work, const struct event *event)
{
    struct event copy = *event;

    if (work_transaction(work, told_body, &copy))
        work_answer(work, BOOKING_OK, "refund-noted");
    return work->answer->status;
}
