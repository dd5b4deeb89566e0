/*
 * partial_refund.c - giving back a part of what was paid for a booking, on the fixed path.
 *
 * The price of the booking goes down by what goes back, in one statement that sees whether there is
 * enough: read first and written later, two refunds at once would be one in the books.  The request
 * is known by a name of its own, so that one that is made again is the same refund.  The hold's row
 * is locked, as by a cancellation, which gives back what is left.
 */
#include "flow_int.h"

/* Argument of the transaction. */
struct part {
    const struct booking_refund_request *request;
    struct booking_number hold_id;
    struct hold hold;
    struct refund refund;
    char key[BOOKING_KEY_SIZE];
    bool fresh; /* it was not asked for before */
    enum booking_status status;
    const char *reason;
};

static enum work_end decide(struct part *part, enum booking_status status, const char *reason)
{
    part->status = status;
    part->reason = reason;
    return status == BOOKING_OK && part->fresh ? WORK_COMMIT : WORK_ROLLBACK;
}

static bool lock_hold(struct work *work, struct part *part)
{
    PGresult *result;

    if (!work_exec(work,
                   "SELECT " SQL_HOLD_COLUMNS " FROM booking.temp_booking h WHERE h.id = $1"
                   " FOR NO KEY UPDATE",
                   PARAMS(part->hold_id.text), &result))
        return false;
    part->hold = hold_from_result(result);
    PQclear(result);
    return true;
}

/* Lowers the booking's price, of which something must be left; *enough tells. */
static bool lower_price(struct work *work, const struct part *part, bool *enough)
{
    struct booking_number amount = booking_number(part->refund.amount_minor);
    PGresult *result;

    if (!work_exec(work,
                   "UPDATE booking.booking SET amount_minor = amount_minor - $2::bigint"
                   " WHERE hold_id = $1 AND status = 'CONFIRMED' AND amount_minor > $2::bigint"
                   " RETURNING pg_current_xact_id() AS xid",
                   PARAMS(part->hold_id.text, amount.text), &result))
        return false;
    *enough = PQntuples(result) > 0;
    work_note_xid(work, result);
    PQclear(result);
    return true;
}

static enum work_end part_body(struct work *work, void *arg)
{
    struct part *part = arg;
    const struct hold *hold = &part->hold;
    bool enough;

    part->fresh = false;
    if (!lock_hold(work, part))
        return WORK_FAILED;
    if (!hold->found)
        return decide(part, BOOKING_NOT_FOUND, "no-such-hold");
    if (!work_owns(work, hold->customer))
        return decide(part, BOOKING_FORBIDDEN, "another-customer");
    if (!hold_is(hold, "CONFIRMED"))
        return decide(part, BOOKING_CONFLICT, "not-booked");
    refund_key(hold->payment_id, part->request->part, part->key);
    part->refund = (struct refund){.key = part->key,
                                   .payment_id = hold->payment_id,
                                   .hold_id = hold->id,
                                   .amount_minor = part->request->amount_minor,
                                   .currency = hold->currency,
                                   .reason = "part"};
    if (!refund_request(work, &part->refund, &part->fresh))
        return WORK_FAILED;
    if (!part->fresh)
        return decide(part, BOOKING_OK, "refunded-before");
    if (!lower_price(work, part, &enough))
        return WORK_FAILED;
    return enough ? decide(part, BOOKING_OK, "refunded")
                  : decide(part, BOOKING_CONFLICT, "exceeds-price");
}

void fixed_refund(struct work *work, const struct booking_refund_request *request)
{
    struct part part = {.request = request, .hold_id = booking_number(request->hold_id)};

    if (!work_transaction(work, part_body, &part))
        return;
    if (part.hold.found && part.status != BOOKING_FORBIDDEN)
        hold_to_answer(&part.hold, work->answer);
    if (part.status == BOOKING_OK) {
        booking_copy_text(work->answer->payment_id, sizeof work->answer->payment_id,
                          part.hold.payment_id);
        work->answer->amount_minor = request->amount_minor;
        if (part.fresh)
            booking_monitor_count(work->app->monitor, BOOKING_COUNT_REFUNDS_REQUESTED);
        if (part.fresh && !refund_drive(work, &part.refund))
            return;
    }
    work_answer(work, part.status, part.reason);
}
