/*
 * refund.c - refunds: a durable intention first, the provider afterwards.
 *
 * The intention is written in the transaction that decides it.  The provider is called outside: a
 * call cannot be rolled back, and a lock must not be held while somebody else's server thinks.
 * Whoever finds the intention drives it to its end under a key that comes from the payment, so any
 * number of drivers make one refund.
 *
 * Providers forget keys after a day; the call is then a new one.  So one that has been pending for
 * that long is looked for in the provider's books first, and a refusal is believed only when they
 * say that there is enough left.  One that stands becomes a case for a person.
 */
#include "flow_int.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 3          /* in one drive, while the outcome is unknown */
#define PENDING_MAX "100"    /* driven by one cleanup */
#define KEYS_LAST "23 hours" /* an hour less than providers promise */

void refund_key(const char *payment_id, const char *part, char key[BOOKING_KEY_SIZE])
{
    snprintf(key, BOOKING_KEY_SIZE, part ? "refund-%s-%s" : "refund-%s", payment_id, part);
}

bool refund_request(struct work *work, const struct refund *refund, bool *fresh)
{
    struct booking_number hold = booking_number(refund->hold_id);
    struct booking_number amount = booking_number(refund->amount_minor);
    PGresult *result;

    if (!work_exec(work,
                   "INSERT INTO booking.refund"
                   " (idempotency_key, payment_id, hold_id, amount_minor, currency, reason)"
                   " VALUES ($1, $2, $3, $4, $5, $6)"
                   " ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
                   PARAMS(refund->key, refund->payment_id, hold.text, amount.text, refund->currency,
                          refund->reason),
                   &result))
        return false;
    *fresh = PQntuples(result) > 0;
    PQclear(result);
    return true;
}

/* Writes that the provider did it; a second time changes nothing.  The hold is REFUNDED with the
 * last of its refunds. */
#define SQL_REFUND_DONE                                                                    \
    "WITH done AS (UPDATE booking.refund SET status = 'DONE', ended_at = booking.now()"    \
    " WHERE idempotency_key = $1 AND status = 'REQUESTED' RETURNING hold_id, payment_id)," \
    " moved AS (UPDATE booking.temp_booking h SET status = 'REFUNDED' FROM done"           \
    " WHERE h.id = done.hold_id AND h.payment_id = done.payment_id"                        \
    " AND h.status IN ('EXPIRED', 'CANCELLED')"                                            \
    " AND NOT EXISTS (SELECT FROM booking.refund o WHERE o.payment_id = done.payment_id"   \
    " AND o.status = 'REQUESTED' AND o.idempotency_key <> $1))"

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
                     " FROM failed ON CONFLICT (payment_id) DO UPDATE"
                     " SET amount_minor = manual_case.amount_minor + EXCLUDED.amount_minor"
                     " RETURNING id",
                     PARAMS(key), &result))
        return false;
    if (PQntuples(result) > 0) {
        booking_monitor_count(work->app->monitor, BOOKING_COUNT_REFUNDS_FAILED);
        booking_monitor_count(work->app->monitor, BOOKING_COUNT_CASES);
    }
    PQclear(result);
    return true;
}

/* What a refusal means: OK when so much is not left, as we never ask for more than was captured and
 * not given back: it was made before.  UNKNOWN without an answer. */
static enum booking_payments_result check_refused(struct booking_payments *payments,
                                                  const struct refund *refund)
{
    struct booking_payment known;
    enum booking_payments_result result =
        payments->ops->lookup(payments, refund->payment_id, &known);

    if (result == BOOKING_PAYMENTS_OK &&
        known.captured_minor - known.refunded_minor >= refund->amount_minor)
        return BOOKING_PAYMENTS_DECLINED;
    return result;
}

bool refund_drive(struct work *work, const struct refund *refund)
{
    struct booking_payments *payments = work->app->payments;
    enum booking_payments_result result = BOOKING_PAYMENTS_UNKNOWN;

    for (int call = 0; call < CALLS_MAX && result == BOOKING_PAYMENTS_UNKNOWN; call++)
        result = payments->ops->refund(payments, refund->payment_id, refund->amount_minor,
                                       refund->key, NULL);
    if (result == BOOKING_PAYMENTS_DECLINED)
        result = check_refused(payments, refund);
    if (work_crashes(work))
        return false;
    if (result == BOOKING_PAYMENTS_OK)
        return mark_done(work, refund->key);
    return result == BOOKING_PAYMENTS_UNKNOWN || mark_failed(work, refund->key);
}

/* Drives one that has been pending for so long that the provider may have forgotten its key: a call
 * would be a new one.  The provider's books tell whether more went back than we know of. */
static bool drive_forgotten(struct work *work, const struct refund *refund, int64_t known_minor)
{
    struct booking_payments *payments = work->app->payments;
    struct booking_payment known;

    if (payments->ops->lookup(payments, refund->payment_id, &known) != BOOKING_PAYMENTS_OK)
        return true; /* the next cleanup asks again */
    if (known.refunded_minor - known_minor >= refund->amount_minor)
        return mark_done(work, refund->key);
    return refund_drive(work, refund);
}

/* One row of the pending ones. */
static bool drive_row(struct work *work, const PGresult *rows, int row)
{
    struct refund refund = {.key = PQgetvalue(rows, row, 0),
                            .payment_id = PQgetvalue(rows, row, 1),
                            .amount_minor = strtoll(PQgetvalue(rows, row, 2), NULL, 10)};

    if (PQgetvalue(rows, row, 3)[0] == 't')
        return drive_forgotten(work, &refund, strtoll(PQgetvalue(rows, row, 4), NULL, 10));
    return refund_drive(work, &refund);
}

bool refund_drive_pending(struct work *work)
{
    PGresult *rows;
    bool alive = true;

    if (!work_repeat(work,
                     "SELECT idempotency_key, payment_id, amount_minor,"
                     " requested_at < booking.now() - interval '" KEYS_LAST "' AS forgotten,"
                     " (SELECT coalesce(sum(d.amount_minor), 0) FROM booking.refund d"
                     " WHERE d.payment_id = r.payment_id AND d.status = 'DONE') AS known"
                     " FROM booking.refund r"
                     " WHERE status = 'REQUESTED' ORDER BY id LIMIT " PENDING_MAX,
                     NO_PARAMS, &rows))
        return false;
    for (int i = 0; alive && i < PQntuples(rows); i++)
        alive = drive_row(work, rows, i);
    PQclear(rows);
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
