/*
 * settle.c - what becomes of a captured payment: a booking, a refund, or a case for a person;
 * exactly one, once.
 *
 * Webhook and returning customer come here alike.  Order of locks: event row, simulator, hold,
 * booking.  The event's row is inserted first, in the transaction of the effect: a second delivery
 * waits for it and then finds it, or finds nothing when the first was rolled back, and does the
 * work itself.
 *
 * Expiry is decided by a compare-and-set after the locks are held, so neither a frozen clock nor
 * the time spent waiting counts.  A hold whose time is over is reserved again, in the same
 * transaction, if nobody has the slot.
 *
 * An event that does not match its hold may be wrong itself.  Before money is given back on its
 * word the provider is asked, outside the transaction, and its answer counts.
 */
#include "flow_int.h"

#include <assert.h>
#include <string.h>

enum outcome {
    OUTCOME_DUPLICATE, /* settled before */
    OUTCOME_CONFIRMED,
    OUTCOME_REFUND,
    OUTCOME_CASE,
    OUTCOME_UNMATCHED, /* no such hold yet */
    OUTCOME_DOUBTFUL   /* the event does not match the hold: ask the provider first */
};

/* Argument of the transactions. */
struct settlement {
    const struct event *event;
    struct booking_number hold_id;
    bool checked; /* the event says what the provider says */
    enum outcome outcome;
    const char *reason; /* of a refund or a case, or how it was confirmed */
    bool late;          /* the hold was over */
    struct hold hold;
    int64_t booking_id;
    bool elsewhere; /* another hold was paid with this payment */
    bool booked;    /* the payment has a booking */
};

/* The mark that this payment is settled; duplicate when it was there. */
static bool record_event(struct work *work, struct settlement *settlement)
{
    const struct event *event = settlement->event;
    PGresult *result;

    if (!work_exec(work,
                   "INSERT INTO booking.event (event_id, type, payment_id, object_id)"
                   " VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING"
                   " RETURNING pg_current_xact_id() AS xid",
                   PARAMS(event->id, event->type, event->payment.id), &result))
        return false;
    if (PQntuples(result) == 0)
        settlement->outcome = OUTCOME_DUPLICATE;
    work_note_xid(work, result);
    PQclear(result);
    return true;
}

/* The parent first, as for a hold.  A hold's simulator never changes, so it may be looked up
 * without a lock. */
static bool lock_simulator(struct work *work, const struct settlement *settlement)
{
    return work_run(work,
                    "UPDATE booking.simulator SET version = version + 1 WHERE id ="
                    " (SELECT simulator_id FROM booking.temp_booking WHERE id = $1)",
                    PARAMS(settlement->hold_id.text));
}

static bool lock_hold(struct work *work, struct settlement *settlement)
{
    PGresult *result;

    if (!work_exec(work,
                   "SELECT " SQL_HOLD_COLUMNS ", EXISTS (SELECT FROM booking.temp_booking o"
                   " WHERE o.payment_id = $2 AND o.id <> h.id) AS elsewhere,"
                   " EXISTS (SELECT FROM booking.booking b WHERE b.payment_id = $2"
                   " AND b.status = 'CONFIRMED') AS booked"
                   " FROM booking.temp_booking h WHERE h.id = $1 FOR NO KEY UPDATE OF h",
                   PARAMS(settlement->hold_id.text, settlement->event->payment.id), &result))
        return false;
    settlement->hold = hold_from_result(result);
    settlement->elsewhere = settlement->hold.found && booking_result_bool(result, "elsewhere");
    settlement->booked = settlement->hold.found && booking_result_bool(result, "booked");
    PQclear(result);
    return true;
}

/* RESERVED to CONFIRMED if the hold is unexpired now and the slot still its own: a legacy writer,
 * who takes no locks, may have booked over it.  *confirmed tells. */
static bool confirm_hold(struct work *work, const struct settlement *settlement, bool *confirmed)
{
    PGresult *result;

    work_point(work, BOOKING_FAULT_HOLD_EXPIRED);
    if (!work_exec(work,
                   "UPDATE booking.temp_booking h SET status = 'CONFIRMED', payment_id = $2"
                   " WHERE h.id = $1 AND h.status = 'RESERVED' AND h.expires_at > booking.now()"
                   " AND " SQL_FREE("h.simulator_id", "h.during", "h.id") " RETURNING h.id",
                   PARAMS(settlement->hold_id.text, settlement->event->payment.id), &result))
        return false;
    *confirmed = PQntuples(result) > 0;
    PQclear(result);
    return true;
}

/* EXPIRED to RESERVED if nobody has the slot. */
static bool reserve_again(struct work *work, const struct settlement *settlement)
{
    struct booking_number simulator = booking_number(settlement->hold.simulator_id);
    struct booking_number ttl = booking_number(work->app->hold_ttl_s);

    return hold_expire_overdue(work, simulator.text) &&
           work_run(work,
                    "UPDATE booking.temp_booking h SET status = 'RESERVED',"
                    " expires_at = booking.now() + $2::bigint * interval '1 second'"
                    " WHERE h.id = $1 AND h.status = 'EXPIRED'"
                    " AND " SQL_FREE("h.simulator_id", "h.during", "h.id"),
                    PARAMS(settlement->hold_id.text, ttl.text));
}

/* The booking, its mail, and the event's outcome. */
static bool make_booking(struct work *work, struct settlement *settlement)
{
    PGresult *result;

    if (!work_exec(work,
                   "WITH made AS (INSERT INTO booking.booking"
                   " (simulator_id, hold_id, customer_id, during, payment_id, amount_minor,"
                   " currency)"
                   " SELECT simulator_id, id, customer_id, during, payment_id, amount_minor,"
                   " currency FROM booking.temp_booking WHERE id = $1"
                   " RETURNING id, hold_id, customer_id),"
                   " mailed AS (INSERT INTO booking.outbox"
                   " (kind, hold_id, customer_id, transition_id)"
                   " SELECT 'confirmation', hold_id, customer_id,"
                   " (SELECT max(t.id) FROM booking.transition t"
                   " WHERE t.hold_id = made.hold_id AND t.to_status = 'CONFIRMED') FROM made),"
                   " noted AS (UPDATE booking.event SET outcome = 'CONFIRMED' WHERE event_id = $2)"
                   " SELECT id FROM made",
                   PARAMS(settlement->hold_id.text, settlement->event->id), &result))
        return false;
    settlement->booking_id = booking_result_int(result, "id");
    settlement->outcome = OUTCOME_CONFIRMED;
    PQclear(result);
    return true;
}

static bool note_outcome(struct work *work, const struct settlement *settlement,
                         const char *outcome)
{
    return work_run(work, "UPDATE booking.event SET outcome = $2 WHERE event_id = $1",
                    PARAMS(settlement->event->id, outcome));
}

/* The payment is the hold's from now on, and a hold that was not confirmed is over: the slot is
 * free for others. */
static bool release_hold(struct work *work, const struct settlement *settlement)
{
    return work_run(work,
                    "UPDATE booking.temp_booking SET payment_id = $2,"
                    " status = CASE status WHEN 'RESERVED' THEN 'CANCELLED' ELSE status END"
                    " WHERE id = $1 AND status IN ('RESERVED', 'EXPIRED', 'CANCELLED')",
                    PARAMS(settlement->hold_id.text, settlement->event->payment.id));
}

static enum work_end ask_refund(struct work *work, struct settlement *settlement,
                                const char *reason)
{
    const struct booking_payment *payment = &settlement->event->payment;
    char key[BOOKING_KEY_SIZE];
    bool fresh;
    struct refund refund = {.key = key,
                            .payment_id = payment->id,
                            .hold_id = settlement->hold.id,
                            .amount_minor = payment->amount_minor,
                            .currency = payment->currency,
                            .reason = reason};

    settlement->outcome = OUTCOME_REFUND;
    settlement->reason = reason;
    refund_key(payment->id, NULL, key);
    if (!refund_request(work, &refund, &fresh) || !note_outcome(work, settlement, "REFUND"))
        return WORK_FAILED;
    return WORK_COMMIT;
}

/* Leaves the payment to a person. */
static enum work_end open_case(struct work *work, struct settlement *settlement, const char *reason)
{
    const struct booking_payment *payment = &settlement->event->payment;
    struct booking_number amount = booking_number(payment->amount_minor);

    settlement->outcome = OUTCOME_CASE;
    settlement->reason = reason;
    if (!work_run(work,
                  "INSERT INTO booking.manual_case"
                  " (payment_id, hold_id, amount_minor, currency, reason)"
                  " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (payment_id) DO NOTHING",
                  PARAMS(payment->id, settlement->hold_id.text, amount.text, payment->currency,
                         reason)) ||
        !note_outcome(work, settlement, "CASE"))
        return WORK_FAILED;
    return WORK_COMMIT;
}

/* What the event says about the payment against what the hold asked for. */
static const char *mismatch(const struct settlement *settlement)
{
    const struct booking_payment *payment = &settlement->event->payment;
    const struct hold *hold = &settlement->hold;

    if (strcmp(payment->customer, hold->customer) != 0)
        return "wrong-owner";
    if (payment->amount_minor != hold->amount_minor ||
        strcmp(payment->currency, hold->currency) != 0)
        return "wrong-amount";
    return NULL;
}

/* A hold that can be confirmed, or could have been. */
static enum work_end settle_open(struct work *work, struct settlement *settlement)
{
    bool confirmed = false;

    if (hold_is(&settlement->hold, "RESERVED") && !confirm_hold(work, settlement, &confirmed))
        return WORK_FAILED;
    if (!confirmed) {
        settlement->late = true;
        if (!reserve_again(work, settlement) || !confirm_hold(work, settlement, &confirmed))
            return WORK_FAILED;
    }
    if (confirmed) {
        settlement->reason = settlement->late ? "confirmed-late" : "confirmed";
        return make_booking(work, settlement) ? WORK_COMMIT : WORK_FAILED;
    }
    return release_hold(work, settlement) ? ask_refund(work, settlement, "slot-retaken")
                                          : WORK_FAILED;
}

/* Was the hold confirmed by this payment?  Only the legacy path does that without leaving the mark.
 * Its booking may have been moved to another hold since. */
static bool confirmed_by_legacy(const struct settlement *settlement)
{
    if (hold_is(&settlement->hold, "CANCELLED"))
        return settlement->booked;
    return hold_is(&settlement->hold, "CONFIRMED") &&
           strcmp(settlement->hold.payment_id, settlement->event->payment.id) == 0;
}

static enum work_end adopt_booking(struct work *work, struct settlement *settlement)
{
    PGresult *result;

    if (!work_exec(work, "SELECT id FROM booking.booking WHERE payment_id = $1 ORDER BY id LIMIT 1",
                   PARAMS(settlement->event->payment.id), &result))
        return WORK_FAILED;
    settlement->booking_id = booking_result_int(result, "id");
    PQclear(result);
    if (settlement->booking_id == 0) {
        /* The legacy path is between its two statements, or died there.  Should this be told to a
         * person and the booking come after all, it ends the case. */
        settlement->outcome = OUTCOME_UNMATCHED;
        return WORK_ROLLBACK;
    }
    settlement->outcome = OUTCOME_CONFIRMED;
    settlement->reason = "confirmed-before";
    return note_outcome(work, settlement, "CONFIRMED") ? WORK_COMMIT : WORK_FAILED;
}

static enum work_end settle_locked(struct work *work, struct settlement *settlement)
{
    const struct hold *hold = &settlement->hold;
    const char *wrong = mismatch(settlement);

    if (confirmed_by_legacy(settlement))
        return adopt_booking(work, settlement);
    if ((settlement->elsewhere || wrong) && !settlement->checked) {
        settlement->outcome = OUTCOME_DOUBTFUL;
        return WORK_ROLLBACK;
    }
    if (settlement->elsewhere)
        return open_case(work, settlement, "wrong-hold");
    if (wrong)
        return ask_refund(work, settlement, wrong);
    if (hold_is(hold, "CONFIRMED"))
        return ask_refund(work, settlement, "second-payment");
    if (hold_is(hold, "RESERVED") || hold_is(hold, "EXPIRED"))
        return settle_open(work, settlement);
    if (!release_hold(work, settlement))
        return WORK_FAILED;
    return ask_refund(work, settlement, "paid-after-cancel");
}

static enum work_end settle_body(struct work *work, void *arg)
{
    struct settlement *settlement = arg;

    *settlement = (struct settlement){.event = settlement->event,
                                      .hold_id = settlement->hold_id,
                                      .checked = settlement->checked,
                                      .outcome = OUTCOME_UNMATCHED,
                                      .reason = "no-such-hold"};
    if (!record_event(work, settlement))
        return WORK_FAILED;
    if (settlement->outcome == OUTCOME_DUPLICATE)
        return WORK_ROLLBACK;
    if (!lock_simulator(work, settlement) || !lock_hold(work, settlement))
        return WORK_FAILED;
    if (!settlement->hold.found)
        return WORK_ROLLBACK;
    return settle_locked(work, settlement);
}

/* Counts a delivery whose hold is not there, durably; the last one leaves the payment to a person.
 * A booking that the legacy path makes meanwhile ends the count or the case: its trigger
 * (booking.end_case_by_booking) takes the payment's row of booking.unmatched, as is done here. */
static enum work_end unmatched_body(struct work *work, void *arg)
{
    struct settlement *settlement = arg;
    const struct booking_payment *payment = &settlement->event->payment;
    PGresult *result;
    int64_t attempts;

    assert(work->app->unmatched_max >= 2);
    settlement->outcome = OUTCOME_UNMATCHED;
    if (!work_exec(work,
                   "INSERT INTO booking.unmatched AS u (payment_id, hold_id) VALUES ($1, $2)"
                   " ON CONFLICT (payment_id) DO UPDATE SET attempts = u.attempts + 1"
                   " RETURNING attempts, pg_current_xact_id() AS xid",
                   PARAMS(payment->id, settlement->hold_id.text), &result))
        return WORK_FAILED;
    attempts = booking_result_int(result, "attempts");
    work_note_xid(work, result);
    PQclear(result);
    if (attempts < work->app->unmatched_max)
        return WORK_COMMIT;
    settlement->outcome = OUTCOME_CASE;
    if (!record_event(work, settlement))
        return WORK_FAILED;
    if (settlement->outcome == OUTCOME_DUPLICATE)
        return WORK_ROLLBACK;
    return open_case(work, settlement, "no-such-hold");
}

/* The counter of a race that was met, or BOOKING_COUNTER_COUNT. */
static enum booking_counter race_counter(const struct settlement *settlement)
{
    switch (settlement->outcome) {
    case OUTCOME_DUPLICATE:
        return BOOKING_COUNT_RACES_DUPLICATE;
    case OUTCOME_UNMATCHED:
        return BOOKING_COUNT_RACES_EARLY;
    case OUTCOME_CONFIRMED:
        return settlement->late ? BOOKING_COUNT_RACES_LATE : BOOKING_COUNTER_COUNT;
    case OUTCOME_CASE:
        return settlement->elsewhere ? BOOKING_COUNT_RACES_MISMATCH : BOOKING_COUNT_RACES_EARLY;
    case OUTCOME_REFUND:
    case OUTCOME_DOUBTFUL:
        break;
    }
    if (strcmp(settlement->reason, "second-payment") == 0)
        return BOOKING_COUNT_RACES_SECOND;
    if (strcmp(settlement->reason, "paid-after-cancel") == 0)
        return BOOKING_COUNT_RACES_CANCELLED;
    return strcmp(settlement->reason, "slot-retaken") == 0 ? BOOKING_COUNT_RACES_LATE
                                                           : BOOKING_COUNT_RACES_MISMATCH;
}

static const char *race_kind(enum booking_counter counter)
{
    switch (counter) {
    case BOOKING_COUNT_RACES_DUPLICATE:
        return "duplicate-delivery";
    case BOOKING_COUNT_RACES_LATE:
        return "late-payment";
    case BOOKING_COUNT_RACES_SECOND:
        return "second-payment";
    case BOOKING_COUNT_RACES_CANCELLED:
        return "paid-after-cancel";
    case BOOKING_COUNT_RACES_EARLY:
        return "event-before-hold";
    default:
        return "payment-mismatch";
    }
}

/* Counts and logs what was decided, once, after it is durable. */
static void report(struct work *work, const struct settlement *settlement)
{
    static const char *const decisions[] = {[OUTCOME_DUPLICATE] = "nothing",
                                            [OUTCOME_CONFIRMED] = "confirmed",
                                            [OUTCOME_REFUND] = "refund",
                                            [OUTCOME_CASE] = "manual-case",
                                            [OUTCOME_UNMATCHED] = "asked-to-retry"};
    enum booking_counter counter = race_counter(settlement);
    struct booking_monitor *monitor = work->app->monitor;

    assert(settlement->outcome != OUTCOME_DOUBTFUL);
    if (settlement->outcome == OUTCOME_REFUND)
        booking_monitor_count(monitor, BOOKING_COUNT_REFUNDS_REQUESTED);
    if (settlement->outcome == OUTCOME_REFUND && strcmp(settlement->reason, "slot-retaken") == 0) {
        booking_monitor_count(monitor, counter);
        work_lost_race(work, "refund");
    } else if (counter != BOOKING_COUNTER_COUNT) {
        work_race(work, counter, race_kind(counter), decisions[settlement->outcome]);
    }
    if (settlement->outcome == OUTCOME_CASE)
        booking_monitor_count(monitor, BOOKING_COUNT_CASES);
}

/* A customer who came second to the webhook, or first with a bad end, learns how the payment ended.
 */
static enum booking_status tell_customer(struct work *work, const struct settlement *settlement)
{
    const struct booking_payment *payment = &settlement->event->payment;
    PGresult *result;

    if (settlement->outcome == OUTCOME_DUPLICATE) {
        if (!work_repeat(work,
                         "SELECT id FROM booking.booking WHERE payment_id = $1"
                         " AND status = 'CONFIRMED' ORDER BY id LIMIT 1",
                         PARAMS(payment->id), &result))
            return work->answer->status;
        work->answer->booking_id = booking_result_int(result, "id");
        PQclear(result);
    }
    if (work->answer->booking_id == 0)
        return work_answer(work, BOOKING_CONFLICT, settlement->reason);
    return work_answer(work, BOOKING_OK, settlement->reason);
}

/* Puts the provider's facts of the payment in place of the event's.  What the provider does not
 * know stays as it was told.  False: the answer is set. */
static bool ask_provider(struct work *work, struct event *event)
{
    struct booking_payments *payments = work->app->payments;
    struct booking_payment known;
    enum booking_payments_result result =
        payments->ops->lookup(payments, event->payment.id, &known);

    if (result == BOOKING_PAYMENTS_UNKNOWN) {
        work_answer(work, BOOKING_RETRY_LATER, "payment-unknown");
        return false;
    }
    if (result == BOOKING_PAYMENTS_OK && known.captured_minor > 0) {
        event->payment = known;
        event->payment.amount_minor = known.captured_minor;
    }
    return true;
}

/* False: the answer is set. */
static bool settle(struct work *work, struct event *event, struct settlement *settlement)
{
    if (!work_transaction(work, settle_body, settlement))
        return false;
    if (settlement->outcome == OUTCOME_DOUBTFUL) {
        if (!ask_provider(work, event))
            return false;
        settlement->checked = true;
        settlement->hold_id = booking_number(event->payment.hold_id);
        if (!work_transaction(work, settle_body, settlement))
            return false;
    }
    return settlement->outcome != OUTCOME_UNMATCHED ||
           work_transaction(work, unmatched_body, settlement);
}

/* After the transaction that asked for it. */
static bool give_back(struct work *work, const struct booking_payment *payment)
{
    char key[BOOKING_KEY_SIZE];
    struct refund refund = {
        .key = key, .payment_id = payment->id, .amount_minor = payment->amount_minor};

    refund_key(payment->id, NULL, key);
    return refund_drive(work, &refund);
}

enum booking_status settle_payment(struct work *work, const struct event *told, bool via_return)
{
    struct event event = *told;
    const struct booking_payment *payment = &event.payment;
    /* With the point before-row the hold cannot be seen yet: the statements really look for one
     * that is not there. */
    bool unseen = booking_fault(BOOKING_FAULT_WEBHOOK_BEFORE_ROW);
    struct settlement settlement = {.event = &event,
                                    .hold_id = booking_number(unseen ? 0 : payment->hold_id),
                                    .checked = via_return};

    booking_copy_text(work->answer->payment_id, sizeof work->answer->payment_id, payment->id);
    work->answer->hold_id = payment->hold_id;
    work_point(work, BOOKING_FAULT_CLEANUP_NOW);
    if (!settle(work, &event, &settlement))
        return work->answer->status;
    if (settlement.outcome == OUTCOME_DUPLICATE)
        settlement.reason = "settled-before";
    if (settlement.hold.found)
        hold_to_answer(&settlement.hold, work->answer);
    work->answer->booking_id = settlement.booking_id;
    report(work, &settlement);
    if (settlement.outcome == OUTCOME_REFUND && !give_back(work, payment))
        return work->answer->status;
    if (settlement.outcome == OUTCOME_UNMATCHED)
        return work_answer(work, BOOKING_RETRY_LATER, settlement.reason);
    if (via_return)
        return tell_customer(work, &settlement);
    return work_answer(work, BOOKING_OK, settlement.reason);
}
