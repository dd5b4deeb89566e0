/*
 * hold.c - availability and holds on the fixed path.
 *
 * A hold is decided under the lock of its simulator's row.  The lock is an UPDATE of the row's
 * version at every isolation level: it takes the same lock as FOR NO KEY UPDATE (child rows can
 * still be inserted by others, whose foreign keys only need FOR KEY SHARE), and it leaves a new row
 * version, so that a REPEATABLE READ or SERIALIZABLE transaction that waited for it fails with
 * 40001 instead of deciding on a snapshot from before.  At READ COMMITTED nobody needs the version
 * of this transaction but the others do: levels may be mixed.  Lock and check are two statements,
 * because a READ COMMITTED statement that waits keeps the snapshot from before the wait.
 */
#include "flow_int.h"

#include <string.h>

struct hold hold_from_result(const PGresult *result)
{
    struct hold hold = {.found = PQntuples(result) > 0};

    if (!hold.found)
        return hold;
    hold.live = booking_result_bool(result, "live");
    hold.id = booking_result_int(result, "id");
    hold.simulator_id = booking_result_int(result, "simulator_id");
    hold.amount_minor = booking_result_int(result, "amount_minor");
    booking_copy_text(hold.status, sizeof hold.status, booking_result_text(result, "status"));
    booking_copy_text(hold.customer, sizeof hold.customer,
                      booking_result_text(result, "customer_id"));
    booking_copy_text(hold.payment_id, sizeof hold.payment_id,
                      booking_result_text(result, "payment_id"));
    booking_copy_text(hold.currency, sizeof hold.currency, booking_result_text(result, "currency"));
    booking_copy_text(hold.during, sizeof hold.during, booking_result_text(result, "during"));
    return hold;
}

bool hold_is(const struct hold *hold, const char *status)
{
    return strcmp(hold->status, status) == 0;
}

void hold_to_answer(const struct hold *hold, struct booking_answer *answer)
{
    answer->hold_id = hold->id;
    answer->simulator_id = hold->simulator_id;
    answer->amount_minor = hold->amount_minor;
    booking_copy_text(answer->currency, sizeof answer->currency, hold->currency);
    booking_copy_text(answer->during, sizeof answer->during, hold->during);
}

bool hold_read(struct work *work, int64_t hold_id, struct hold *out)
{
    struct booking_number id = booking_number(hold_id);
    PGresult *result;

    if (!work_repeat(work,
                     "SELECT " SQL_HOLD_COLUMNS " FROM booking.temp_booking h WHERE h.id = $1",
                     PARAMS(id.text), &result))
        return false;
    *out = hold_from_result(result);
    PQclear(result);
    if (!out->found) {
        work_answer(work, BOOKING_NOT_FOUND, "no-such-hold");
        return false;
    }
    if (!work_owns(work, out->customer))
        return false;
    hold_to_answer(out, work->answer);
    return true;
}

bool hold_expire_overdue(struct work *work, const char *simulator_id)
{
    return work_run(work,
                    "UPDATE booking.temp_booking SET status = 'EXPIRED'"
                    " WHERE simulator_id = $1 AND status = 'RESERVED'"
                    " AND expires_at <= booking.now()",
                    PARAMS(simulator_id));
}

/* One statement, so one snapshot, and no lock: nothing is decided here.  The hold decides. */
void fixed_availability(struct work *work, const struct booking_slot_request *request)
{
    struct booking_number simulator = booking_number(request->simulator_id);
    PGresult *result;

    if (!work_repeat(work,
                     "SELECT s.id, slot.during,"
                     " EXISTS (SELECT FROM booking.free_units(s.id, slot.during, 0, true)) AS free"
                     " FROM booking.simulator s, " SQL_SLOT " WHERE s.id = $1",
                     PARAMS(simulator.text, request->start, request->end), &result))
        return;
    if (PQntuples(result) == 0) {
        work_answer(work, BOOKING_NOT_FOUND, "no-such-simulator");
    } else {
        work->answer->free = booking_result_bool(result, "free");
        booking_copy_text(work->answer->during, sizeof work->answer->during,
                          booking_result_text(result, "during"));
        work_answer(work, BOOKING_OK, work->answer->free ? "free" : "slot-taken");
    }
    PQclear(result);
}

/* Argument of the hold's transaction. */
struct hold_attempt {
    const struct booking_slot_request *request;
    struct booking_number simulator;
    bool found; /* there is such a simulator */
    bool held;
};

/* Locks the simulator; its slot, as a range, lands in the answer. */
static bool lock_simulator(struct work *work, struct hold_attempt *attempt)
{
    const struct booking_slot_request *request = attempt->request;
    PGresult *result;

    if (!work_exec(work,
                   "UPDATE booking.simulator SET version = version + 1 FROM " SQL_SLOT
                   " WHERE id = $1 RETURNING slot.during",
                   PARAMS(attempt->simulator.text, request->start, request->end), &result))
        return false;
    attempt->found = PQntuples(result) > 0;
    booking_copy_text(work->answer->during, sizeof work->answer->during,
                      booking_result_text(result, "during"));
    PQclear(result);
    return true;
}

static bool insert_hold(struct work *work, struct hold_attempt *attempt)
{
    struct booking_number ttl = booking_number(work->app->hold_ttl_s);
    struct booking_answer *answer = work->answer;
    PGresult *result;

    if (!work_exec(work,
                   "INSERT INTO booking.temp_booking"
                   " (simulator_id, customer_id, during, expires_at, amount_minor, currency)"
                   " SELECT s.id, $3, slot.during,"
                   " booking.now() + $4::bigint * interval '1 second', " SQL_PRICE ", s.currency"
                   " FROM booking.simulator s, (SELECT $2::tstzrange) AS slot(during)"
                   " WHERE s.id = $1 AND " SQL_FREE(
                       "s.id", "slot.during",
                       "0") " RETURNING id, amount_minor, currency, pg_current_xact_id() AS xid",
                   PARAMS(attempt->simulator.text, answer->during, work->customer, ttl.text),
                   &result))
        return false;
    attempt->held = PQntuples(result) > 0;
    if (attempt->held) {
        work_note_xid(work, result);
        answer->hold_id = booking_result_int(result, "id");
        answer->amount_minor = booking_result_int(result, "amount_minor");
        booking_copy_text(answer->currency, sizeof answer->currency,
                          booking_result_text(result, "currency"));
    }
    PQclear(result);
    return true;
}

static enum work_end hold_body(struct work *work, void *arg)
{
    struct hold_attempt *attempt = arg;

    attempt->found = attempt->held = false;
    if (!lock_simulator(work, attempt))
        return WORK_FAILED;
    if (!attempt->found)
        return WORK_ROLLBACK;
    work_point(work, BOOKING_FAULT_HOLD_EXPIRED);
    if (!hold_expire_overdue(work, attempt->simulator.text) || !insert_hold(work, attempt))
        return WORK_FAILED;
    return attempt->held ? WORK_COMMIT : WORK_ROLLBACK;
}

void fixed_hold(struct work *work, const struct booking_slot_request *request)
{
    struct hold_attempt attempt = {.request = request,
                                   .simulator = booking_number(request->simulator_id)};

    work->answer->simulator_id = request->simulator_id;
    if (!work_transaction(work, hold_body, &attempt)) {
        work->answer->hold_id = 0;
        return;
    }
    if (!attempt.found) {
        work_answer(work, BOOKING_NOT_FOUND, "no-such-simulator");
    } else if (!attempt.held) {
        work_answer(work, BOOKING_CONFLICT, "slot-taken");
        work_lost_race(work, "refused");
    } else {
        work_answer(work, BOOKING_OK, "held");
    }
}
