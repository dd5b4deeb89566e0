/*
 * reschedule.c - moving a booking to another slot of its simulator on the fixed path.
 *
 * One transaction gives the old hold up and makes a new one, which tells whose place it took; the
 * booking, its number and its payment move to the new hold.  Given up first, and then made: the
 * other way round a booking that moves by half an hour would stand in its own way.  When the new
 * slot is taken nothing has happened.
 *
 * Order of locks as everywhere: simulator, hold, booking.  The link to the old hold is dead from
 * then on: a hold is followed by one other at most, which the database sees to as well.
 */
#include "flow_int.h"

#include <string.h>

/* Argument of the transaction. */
struct move {
    const struct booking_move_request *request;
    struct booking_number old_id;
    struct hold old;
    int64_t price_minor; /* of the new slot */
    int64_t new_id, booking_id;
    enum booking_status status;
    const char *reason;
};

static enum work_end decide(struct move *move, enum booking_status status, const char *reason)
{
    move->status = status;
    move->reason = reason;
    return status == BOOKING_OK ? WORK_COMMIT : WORK_ROLLBACK;
}

/* Locks the simulator of the hold, which never changes; the new slot, as a range, lands in the
 * answer. */
static bool lock_simulator(struct work *work, struct move *move)
{
    const struct booking_move_request *request = move->request;
    PGresult *result;

    if (!work_exec(work,
                   "UPDATE booking.simulator s SET version = s.version + 1 FROM " SQL_SLOT
                   " WHERE s.id = (SELECT simulator_id FROM booking.temp_booking WHERE id = $1)"
                   " RETURNING slot.during, " SQL_PRICE " AS price",
                   PARAMS(move->old_id.text, request->start, request->end), &result))
        return false;
    move->price_minor = booking_result_int(result, "price");
    booking_copy_text(work->answer->during, sizeof work->answer->during,
                      booking_result_text(result, "during"));
    PQclear(result);
    return true;
}

static bool lock_hold(struct work *work, struct move *move)
{
    PGresult *result;

    if (!work_exec(work,
                   "SELECT " SQL_HOLD_COLUMNS " FROM booking.temp_booking h WHERE h.id = $1"
                   " FOR NO KEY UPDATE",
                   PARAMS(move->old_id.text), &result))
        return false;
    move->old = hold_from_result(result);
    PQclear(result);
    return true;
}

/* Hold and booking free the old slot for the next statement; the payment goes with the booking.
 * booking_id is 0 when there is none: the legacy path has confirmed the hold and not made the
 * booking yet. */
static bool give_up_old(struct work *work, struct move *move)
{
    PGresult *result;

    if (!work_exec(work,
                   "WITH gone AS (UPDATE booking.booking SET status = 'CANCELLED'"
                   " WHERE hold_id = $1 AND status = 'CONFIRMED' RETURNING id)"
                   " UPDATE booking.temp_booking SET status = 'CANCELLED', payment_id = NULL"
                   " WHERE id = $1 RETURNING (SELECT id FROM gone) AS booking,"
                   " pg_current_xact_id() AS xid",
                   PARAMS(move->old_id.text), &result))
        return false;
    move->booking_id = booking_result_int(result, "booking");
    work_note_xid(work, result);
    PQclear(result);
    return true;
}

/* Reserves the new slot if it is free; *held tells. */
static bool reserve_new(struct work *work, struct move *move, bool *held)
{
    struct booking_number ttl = booking_number(work->app->hold_ttl_s);
    PGresult *result;

    if (!work_exec(work,
                   "INSERT INTO booking.temp_booking (simulator_id, customer_id, during,"
                   " expires_at, amount_minor, currency, rescheduled_from)"
                   " SELECT o.simulator_id, o.customer_id, $2::tstzrange,"
                   " booking.now() + $3::bigint * interval '1 second', o.amount_minor, o.currency,"
                   " o.id FROM booking.temp_booking o"
                   " WHERE o.id = $1 AND " SQL_FREE("o.simulator_id", "$2::tstzrange",
                                                    "0") " RETURNING id",
                   PARAMS(move->old_id.text, work->answer->during, ttl.text), &result))
        return false;
    *held = PQntuples(result) > 0;
    move->new_id = booking_result_int(result, "id");
    PQclear(result);
    return true;
}

static bool confirm_new(struct work *work, const struct move *move)
{
    struct booking_number id = booking_number(move->new_id);

    return work_run(work,
                    "UPDATE booking.temp_booking SET status = 'CONFIRMED', payment_id = $2"
                    " WHERE id = $1",
                    PARAMS(id.text, move->old.payment_id));
}

/* The booking, live again in its new place, and its mail. */
static bool move_booking(struct work *work, const struct move *move)
{
    struct booking_number booking = booking_number(move->booking_id);
    struct booking_number new_id = booking_number(move->new_id);

    return work_run(work,
                    "WITH moved AS (UPDATE booking.booking b SET status = 'CONFIRMED',"
                    " hold_id = h.id, during = h.during FROM booking.temp_booking h"
                    " WHERE b.id = $1 AND h.id = $2 RETURNING b.hold_id, b.customer_id)"
                    " INSERT INTO booking.outbox (kind, hold_id, customer_id, transition_id)"
                    " SELECT 'reschedule', hold_id, customer_id,"
                    " (SELECT max(t.id) FROM booking.transition t"
                    " WHERE t.hold_id = moved.hold_id AND t.to_status = 'CONFIRMED') FROM moved",
                    PARAMS(booking.text, new_id.text));
}

/* An old link: when it was followed to this very slot before, by a request whose answer was lost,
 * that is the answer once more. */
static enum work_end follow_old_link(struct work *work, struct move *move)
{
    PGresult *result;
    bool same;

    if (!work_exec(work,
                   "SELECT n.id, n.status = 'CONFIRMED' AND n.during = $2::tstzrange AS same,"
                   " b.id AS booking FROM booking.temp_booking n"
                   " LEFT JOIN booking.booking b ON b.hold_id = n.id WHERE n.rescheduled_from = $1",
                   PARAMS(move->old_id.text, work->answer->during), &result))
        return WORK_FAILED;
    same = booking_result_bool(result, "same");
    if (same) {
        move->new_id = booking_result_int(result, "id");
        move->booking_id = booking_result_int(result, "booking");
        decide(move, BOOKING_OK, "rescheduled-before");
    } else {
        decide(move, BOOKING_CONFLICT, PQntuples(result) > 0 ? "rescheduled" : "cancelled");
    }
    PQclear(result);
    return WORK_ROLLBACK;
}

/* Why the hold as it is now cannot be moved, or NULL. */
static const char *obstacle(const struct move *move)
{
    if (hold_is(&move->old, "EXPIRED"))
        return "hold-is-over";
    if (!hold_is(&move->old, "CONFIRMED"))
        return "not-booked-yet";
    return move->price_minor == move->old.amount_minor ? NULL : "other-price";
}

static enum work_end move_locked(struct work *work, struct move *move)
{
    struct booking_number simulator = booking_number(move->old.simulator_id);
    bool held;

    if (!hold_expire_overdue(work, simulator.text) || !give_up_old(work, move))
        return WORK_FAILED;
    if (move->booking_id == 0)
        return decide(move, BOOKING_RETRY_LATER, "not-booked-yet");
    if (!reserve_new(work, move, &held))
        return WORK_FAILED;
    if (!held)
        return decide(move, BOOKING_CONFLICT, "slot-taken");
    if (!confirm_new(work, move) || !move_booking(work, move))
        return WORK_FAILED;
    return decide(move, BOOKING_OK, "rescheduled");
}

static enum work_end move_body(struct work *work, void *arg)
{
    struct move *move = arg;

    move->booking_id = 0;
    if (!lock_simulator(work, move) || !lock_hold(work, move))
        return WORK_FAILED;
    if (!move->old.found)
        return decide(move, BOOKING_NOT_FOUND, "no-such-hold");
    if (!work_owns(work, move->old.customer))
        return decide(move, BOOKING_FORBIDDEN, "another-customer");
    if (hold_is(&move->old, "CANCELLED") || hold_is(&move->old, "REFUNDED"))
        return follow_old_link(work, move);
    if (obstacle(move))
        return decide(move, BOOKING_CONFLICT, obstacle(move));
    return move_locked(work, move);
}

void fixed_reschedule(struct work *work, const struct booking_move_request *request)
{
    struct move move = {.request = request, .old_id = booking_number(request->hold_id)};

    if (!work_transaction(work, move_body, &move))
        return;
    work_answer(work, move.status, move.reason);
    if (move.status == BOOKING_OK) {
        work->answer->simulator_id = move.old.simulator_id;
        work->answer->amount_minor = move.old.amount_minor;
        booking_copy_text(work->answer->currency, sizeof work->answer->currency, move.old.currency);
        work->answer->hold_id = move.new_id;
        work->answer->booking_id = move.booking_id;
    } else if (strcmp(move.reason, "slot-taken") == 0) {
        work_lost_race(work, "refused");
    }
}
