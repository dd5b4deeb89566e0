/*
 * cancel.c - giving up a hold or a booking on the fixed path, and the cleanup.
 *
 * A cancellation locks the hold's row alone: it only ever frees a slot, so it needs not to stand in
 * line for the simulator.  A payment captured meanwhile finds the hold cancelled and is refunded
 * when it is settled.
 *
 * The cleanup changes what is still overdue when it has the row: rows locked by others are skipped,
 * since whoever holds them is deciding about them right now, and the condition is checked again by
 * the UPDATE itself.
 */
#include "booking/migrate.h"
#include "flow_int.h"

#define EXPIRED_MAX "1000" /* holds expired by one cleanup */

/* Argument of the cancellation's transaction. */
struct cancellation {
    struct booking_number hold_id;
    struct hold hold;
    enum booking_status status;
    const char *reason;
    struct refund refund; /* of what was paid; without an amount there is none */
    char key[BOOKING_KEY_SIZE];
};

static enum work_end decide(struct cancellation *cancellation, enum booking_status status,
                            const char *reason)
{
    cancellation->status = status;
    cancellation->reason = reason;
    return status == BOOKING_OK ? WORK_COMMIT : WORK_ROLLBACK;
}

/* The lock first, alone: what is read with it may be older than the wait for it. */
static bool lock_hold(struct work *work, struct cancellation *cancellation)
{
    PGresult *result;

    if (!work_exec(work,
                   "SELECT " SQL_HOLD_COLUMNS " FROM booking.temp_booking h WHERE h.id = $1"
                   " FOR NO KEY UPDATE",
                   PARAMS(cancellation->hold_id.text), &result))
        return false;
    cancellation->hold = hold_from_result(result);
    PQclear(result);
    return true;
}

static bool cancel_hold(struct work *work, const struct cancellation *cancellation)
{
    PGresult *result;

    if (!work_exec(work,
                   "UPDATE booking.temp_booking SET status = 'CANCELLED' WHERE id = $1"
                   " RETURNING pg_current_xact_id() AS xid",
                   PARAMS(cancellation->hold_id.text), &result))
        return false;
    work_note_xid(work, result);
    PQclear(result);
    return true;
}

/* The booking goes with its hold; what is left of the money is to go back. */
static bool cancel_booking(struct work *work, struct cancellation *cancellation)
{
    const struct hold *hold = &cancellation->hold;
    struct refund *refund = &cancellation->refund;
    PGresult *result;
    bool fresh;

    if (!work_exec(work,
                   "WITH gone AS (UPDATE booking.booking SET status = 'CANCELLED'"
                   " WHERE hold_id = $1 AND status = 'CONFIRMED'"
                   " RETURNING hold_id, customer_id, amount_minor),"
                   " mailed AS (INSERT INTO booking.outbox"
                   " (kind, hold_id, customer_id, transition_id)"
                   " SELECT 'cancellation', hold_id, customer_id,"
                   " (SELECT max(t.id) FROM booking.transition t"
                   " WHERE t.hold_id = gone.hold_id AND t.to_status = 'CANCELLED') FROM gone)"
                   " SELECT amount_minor FROM gone",
                   PARAMS(cancellation->hold_id.text), &result))
        return false;
    refund_key(hold->payment_id, NULL, cancellation->key);
    *refund = (struct refund){.key = cancellation->key,
                              .payment_id = hold->payment_id,
                              .hold_id = hold->id,
                              .amount_minor = PQntuples(result) > 0
                                                  ? booking_result_int(result, "amount_minor")
                                                  : hold->amount_minor,
                              .currency = hold->currency,
                              .reason = "cancelled"};
    PQclear(result);
    return refund_request(work, refund, &fresh);
}

/* A hold that is not live any more, unless its booking was moved to another one: that goes on. */
static enum work_end cancel_again(struct work *work, struct cancellation *cancellation)
{
    PGresult *result;
    bool moved = false;

    if (work->schema >= BOOKING_SCHEMA_RESCHEDULE) {
        if (!work_exec(work,
                       "SELECT EXISTS (SELECT FROM booking.temp_booking"
                       " WHERE rescheduled_from = $1) AS moved",
                       PARAMS(cancellation->hold_id.text), &result))
            return WORK_FAILED;
        moved = booking_result_bool(result, "moved");
        PQclear(result);
    }
    if (moved)
        decide(cancellation, BOOKING_CONFLICT, "rescheduled");
    else
        decide(cancellation, BOOKING_OK, "cancelled-before");
    return WORK_ROLLBACK;
}

static enum work_end cancel_body(struct work *work, void *arg)
{
    struct cancellation *cancellation = arg;
    const struct hold *hold = &cancellation->hold;

    cancellation->refund.amount_minor = 0;
    if (!lock_hold(work, cancellation))
        return WORK_FAILED;
    if (!hold->found)
        return decide(cancellation, BOOKING_NOT_FOUND, "no-such-hold");
    if (!work_owns(work, hold->customer))
        return decide(cancellation, BOOKING_FORBIDDEN, "another-customer");
    if (hold_is(hold, "EXPIRED"))
        return decide(cancellation, BOOKING_EXPIRED, "hold-is-over");
    if (hold_is(hold, "CANCELLED") || hold_is(hold, "REFUNDED"))
        return cancel_again(work, cancellation);
    if (!cancel_hold(work, cancellation))
        return WORK_FAILED;
    if (hold_is(hold, "CONFIRMED") && !cancel_booking(work, cancellation))
        return WORK_FAILED;
    return decide(cancellation, BOOKING_OK, "cancelled");
}

void fixed_cancel(struct work *work, const struct booking_hold_ref *request)
{
    struct cancellation cancellation = {.hold_id = booking_number(request->hold_id)};
    const struct hold *hold = &cancellation.hold;

    if (!work_transaction(work, cancel_body, &cancellation))
        return;
    if (hold->found && cancellation.status != BOOKING_FORBIDDEN)
        hold_to_answer(hold, work->answer);
    if (cancellation.refund.amount_minor > 0) {
        booking_monitor_count(work->app->monitor, BOOKING_COUNT_REFUNDS_REQUESTED);
        if (!refund_drive(work, &cancellation.refund))
            return;
    }
    work_answer(work, cancellation.status, cancellation.reason);
}

void fixed_cleanup(struct work *work)
{
    PGresult *result;

    work_point(work, BOOKING_FAULT_HOLD_EXPIRED);
    if (!work_repeat(work,
                     "WITH due AS MATERIALIZED (SELECT id FROM booking.temp_booking"
                     " WHERE status = 'RESERVED' AND expires_at <= booking.now()"
                     " ORDER BY id LIMIT " EXPIRED_MAX " FOR NO KEY UPDATE SKIP LOCKED)"
                     " UPDATE booking.temp_booking h SET status = 'EXPIRED' FROM due"
                     " WHERE h.id = due.id AND h.status = 'RESERVED'"
                     " AND h.expires_at <= booking.now() RETURNING h.id",
                     NO_PARAMS, &result))
        return;
    work->answer->count = PQntuples(result);
    booking_monitor_add(work->app->monitor, BOOKING_COUNT_HOLDS_EXPIRED,
                        (uint64_t)work->answer->count);
    PQclear(result);
    if (!work->app->payments || refund_drive_pending(work))
        work_answer(work, BOOKING_OK, "cleaned");
}
