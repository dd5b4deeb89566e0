/*
 * legacy.c - the path that is being replaced.
 *
 * Availability check, payment and creation of the booking are separate statements without a
 * transaction or a lock around them.  A basket excludes nobody, deliveries are not recognised when
 * they come again, webhooks are believed unsigned, and what was paid for nothing is kept.  It is
 * left as it is: the control that must fail.  Buffers it knows when slots are listed only.
 */
#include "flow_int.h"

#include <string.h>

/* SQL: are there as many bookings as the simulator s has room for?  Read through JSON, a capacity
 * that the schema does not have yet is one. */
#define SQL_BOOKED_UP(range)                                               \
    "(SELECT count(*) FROM booking.booking b WHERE b.status = 'CONFIRMED'" \
    " AND b.simulator_id = s.id AND b.during && " range                    \
    ") >= coalesce((to_jsonb(s) ->> 'capacity')::int, 1)"

/* SQL: the slot with the buffers of the simulator s, as far as the schema has them. */
#define SQL_WIDE "tstzrange(lower(slot.during) - " SQL_GAP ", upper(slot.during) + " SQL_GAP ")"
#define SQL_GAP                                                 \
    "(coalesce((to_jsonb(s) ->> 'buffer_before_s')::int, 0) + " \
    "coalesce((to_jsonb(s) ->> 'buffer_after_s')::int, 0)) * interval '1 second'"

#define SQL_ASK_FREE(range)                                                                      \
    "SELECT s.id, slot.during, NOT " SQL_BOOKED_UP(range) " AS free"                             \
                                                          " FROM booking.simulator s, " SQL_SLOT \
                                                          " WHERE s.id = $1"

/* Asks whether the slot has no booking; false when the answer is set.  wide: nor has the time
 * around it. */
static bool ask_free(struct work *work, const struct booking_slot_request *request, bool wide,
                     bool *free)
{
    struct booking_number simulator = booking_number(request->simulator_id);
    PGresult *result;

    if (!work_exec(work, wide ? SQL_ASK_FREE(SQL_WIDE) : SQL_ASK_FREE("slot.during"),
                   PARAMS(simulator.text, request->start, request->end), &result)) {
        work_fail(work);
        return false;
    }
    *free = booking_result_bool(result, "free");
    work->answer->simulator_id = booking_result_int(result, "id");
    booking_copy_text(work->answer->during, sizeof work->answer->during,
                      booking_result_text(result, "during"));
    PQclear(result);
    if (work->answer->simulator_id == 0) {
        work_answer(work, BOOKING_NOT_FOUND, "no-such-simulator");
        return false;
    }
    return true;
}

void legacy_availability(struct work *work, const struct booking_slot_request *request)
{
    if (ask_free(work, request, true, &work->answer->free))
        work_answer(work, BOOKING_OK, work->answer->free ? "free" : "slot-taken");
}

/* After a failed insert: was it for the slot? */
static void refused_by_constraint(struct work *work)
{
    if (strcmp(work->sqlstate, "23P01") == 0) {
        work_answer(work, BOOKING_CONFLICT, "slot-taken");
        work_lost_race(work, "refused");
    }
}

static void insert_basket(struct work *work, const struct booking_slot_request *request)
{
    struct booking_number simulator = booking_number(request->simulator_id);
    struct booking_number ttl = booking_number(work->app->hold_ttl_s);
    struct booking_answer *answer = work->answer;
    PGresult *result;

    if (!work_exec(work,
                   "INSERT INTO booking.temp_booking"
                   " (simulator_id, customer_id, during, expires_at, amount_minor, currency)"
                   " SELECT s.id, $4, slot.during,"
                   " booking.now() + $5::bigint * interval '1 second', " SQL_PRICE ", s.currency"
                   " FROM booking.simulator s, " SQL_SLOT " WHERE s.id = $1"
                   " RETURNING id, amount_minor, currency",
                   PARAMS(simulator.text, request->start, request->end, work->customer, ttl.text),
                   &result)) {
        work_fail(work);
        refused_by_constraint(work);
        return;
    }
    answer->hold_id = booking_result_int(result, "id");
    answer->amount_minor = booking_result_int(result, "amount_minor");
    booking_copy_text(answer->currency, sizeof answer->currency,
                      booking_result_text(result, "currency"));
    PQclear(result);
    work_answer(work, BOOKING_OK, "held");
}

void legacy_hold(struct work *work, const struct booking_slot_request *request)
{
    bool free;

    if (!ask_free(work, request, false, &free))
        return;
    if (free) {
        insert_basket(work, request);
    } else {
        work_answer(work, BOOKING_CONFLICT, "slot-taken");
        work_lost_race(work, "refused");
    }
}

/* Runs a statement; a failure is the answer. */
static bool run(struct work *work, const char *sql, int param_count, const char *const *params)
{
    if (work_run(work, sql, param_count, params))
        return true;
    work_fail(work);
    return false;
}

/* Holds the slots of a series one by one, each for good; whoever is refused in the middle keeps
 * what there is. */
static void hold_each(struct work *work, const struct booking_series_request *request,
                      const PGresult *slots)
{
    struct booking_number series = booking_number(work->answer->series_id);
    struct booking_slot_request slot = {.simulator_id = request->simulator_id};
    int64_t first = 0;

    for (int i = 0; i < PQntuples(slots); i++) {
        slot.start = PQgetvalue(slots, i, 0);
        slot.end = PQgetvalue(slots, i, 1);
        legacy_hold(work, &slot);
        if (work->answer->status != BOOKING_OK)
            return;
        struct booking_number hold = booking_number(work->answer->hold_id);
        if (!run(work, "UPDATE booking.temp_booking SET series_id = $2 WHERE id = $1",
                 PARAMS(hold.text, series.text)))
            return;
        first = i == 0 ? work->answer->hold_id : first;
        work->answer->count++;
    }
    work->answer->hold_id = first;
}

/* The slots as rows of two texts.  A week is taken for 168 hours, and a time on the wall for what
 * PostgreSQL makes of it.  False: the answer is set. */
static bool ask_slots(struct work *work, const struct booking_series_request *request,
                      PGresult **out)
{
    struct booking_number simulator = booking_number(request->simulator_id);
    struct booking_number every = booking_number(request->every_days);
    struct booking_number times = booking_number(request->times);

    if (!work_exec(work,
                   "SELECT slot.start + n * interval '24 hours',"
                   " slot.start + n * interval '24 hours' + ($3::timestamp - $2::timestamp)"
                   " FROM (SELECT $2::timestamp AT TIME ZONE zone FROM booking.simulator"
                   " WHERE id = $1) AS slot(start),"
                   " generate_series(0, ($5::int - 1) * $4::int, $4::int) AS n ORDER BY n",
                   PARAMS(simulator.text, request->start, request->end, every.text, times.text),
                   out)) {
        work_fail(work);
        return false;
    }
    if (PQntuples(*out) > 0)
        return true;
    PQclear(*out);
    work_answer(work, BOOKING_NOT_FOUND, "no-such-simulator");
    return false;
}

static bool insert_series(struct work *work, const struct booking_series_request *request)
{
    struct booking_number simulator = booking_number(request->simulator_id);
    struct booking_number every = booking_number(request->every_days);
    struct booking_number times = booking_number(request->times);
    PGresult *result;

    if (!work_exec(work,
                   "INSERT INTO booking.series"
                   " (simulator_id, customer_id, starts, ends, every_days, times)"
                   " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
                   PARAMS(simulator.text, work->customer, request->start, request->end, every.text,
                          times.text),
                   &result)) {
        work_fail(work);
        return false;
    }
    work->answer->series_id = booking_result_int(result, "id");
    PQclear(result);
    return true;
}

void legacy_series(struct work *work, const struct booking_series_request *request)
{
    PGresult *slots;

    if (!ask_slots(work, request, &slots))
        return;
    if (insert_series(work, request))
        hold_each(work, request, slots);
    PQclear(slots);
}

/* A new payment, captured at once, and no key with either call. */
static enum booking_payments_result charge(struct work *work, const struct hold *hold)
{
    struct booking_payments *payments = work->app->payments;
    struct booking_number id = booking_number(hold->id);
    struct booking_intent intent = {.customer = hold->customer,
                                    .currency = hold->currency,
                                    .hold_id = hold->id,
                                    .amount_minor = hold->amount_minor};
    struct booking_payment payment;

    if (payments->ops->create(payments, &intent, NULL, &payment) != BOOKING_PAYMENTS_OK)
        return BOOKING_PAYMENTS_DECLINED;
    booking_copy_text(work->answer->payment_id, sizeof work->answer->payment_id, payment.id);
    if (!run(work, "UPDATE booking.temp_booking SET payment_id = $2 WHERE id = $1",
             PARAMS(id.text, payment.id)))
        return BOOKING_PAYMENTS_INVALID;
    return payments->ops->capture(payments, payment.id, NULL, NULL);
}

/* Has somebody booked the slot of a hold?  false when the answer is set. */
static bool ask_booked(struct work *work, const struct hold *hold, bool *booked)
{
    struct booking_number simulator = booking_number(hold->simulator_id);
    PGresult *result;

    if (!work_exec(work,
                   "SELECT " SQL_BOOKED_UP(
                       "$2::tstzrange") " AS booked FROM booking.simulator s WHERE s.id = $1",
                   PARAMS(simulator.text, hold->during), &result)) {
        work_fail(work);
        return false;
    }
    *booked = booking_result_bool(result, "booked");
    PQclear(result);
    return true;
}

void legacy_pay(struct work *work, const struct booking_hold_ref *request)
{
    enum booking_payments_result result;
    struct hold hold;
    bool booked;

    if (!hold_read(work, request->hold_id, &hold) || !ask_booked(work, &hold, &booked))
        return;
    if (booked || !hold_is(&hold, "RESERVED")) {
        work_answer(work, BOOKING_CONFLICT, "no-longer-available");
        return;
    }
    result = charge(work, &hold);
    if (result == BOOKING_PAYMENTS_UNKNOWN)
        result = charge(work, &hold);
    if (result == BOOKING_PAYMENTS_OK)
        work_answer(work, BOOKING_OK, "paid");
    else if (result == BOOKING_PAYMENTS_UNKNOWN)
        work_answer(work, BOOKING_RETRY_LATER, "payment-unknown");
    else if (result == BOOKING_PAYMENTS_DECLINED)
        work_answer(work, BOOKING_CONFLICT, "payment-declined");
}

/* Marks the hold, then makes the booking, then mails. */
static void create_booking(struct work *work, const struct hold *hold, const char *payment_id)
{
    struct booking_number id = booking_number(hold->id);
    PGresult *result;

    if (!run(work,
             "UPDATE booking.temp_booking SET status = 'CONFIRMED', payment_id = $2 WHERE id = $1",
             PARAMS(id.text, payment_id)) ||
        work_crashes(work))
        return;
    if (!work_exec(work,
                   "INSERT INTO booking.booking"
                   " (simulator_id, hold_id, customer_id, during, payment_id, amount_minor,"
                   " currency)"
                   " SELECT simulator_id, id, customer_id, during, $2, amount_minor, currency"
                   " FROM booking.temp_booking WHERE id = $1 RETURNING id",
                   PARAMS(id.text, payment_id), &result)) {
        work_fail(work);
        return;
    }
    work->answer->booking_id = booking_result_int(result, "id");
    PQclear(result);
    if (run(work,
            "INSERT INTO booking.outbox (kind, hold_id, customer_id)"
            " SELECT 'confirmation', id, customer_id FROM booking.temp_booking WHERE id = $1",
            PARAMS(id.text)))
        work_answer(work, BOOKING_OK, "confirmed");
}

/* Webhook and return alike. */
static void confirm(struct work *work, int64_t hold_id, const char *payment_id)
{
    struct booking_number id = booking_number(hold_id);
    PGresult *result;
    struct hold hold;
    bool booked;

    booking_copy_text(work->answer->payment_id, sizeof work->answer->payment_id, payment_id);
    if (!work_exec(work, "SELECT " SQL_HOLD_COLUMNS " FROM booking.temp_booking h WHERE h.id = $1",
                   PARAMS(id.text), &result)) {
        work_fail(work);
        return;
    }
    hold = hold_from_result(result);
    PQclear(result);
    if (!hold.found) {
        work_answer(work, BOOKING_OK, "no-such-hold");
        return;
    }
    hold_to_answer(&hold, work->answer);
    work_point(work, BOOKING_FAULT_HOLD_EXPIRED);
    work_point(work, BOOKING_FAULT_CLEANUP_NOW);
    if (hold_is(&hold, "CONFIRMED")) {
        work_answer(work, BOOKING_OK, "confirmed-before");
    } else if (!hold_is(&hold, "RESERVED") || !hold.live) {
        work_answer(work, BOOKING_OK, "too-late");
    } else if (ask_booked(work, &hold, &booked)) {
        if (booked)
            work_answer(work, BOOKING_OK, "slot-taken");
        else
            create_booking(work, &hold, payment_id);
    }
}

void legacy_webhook(struct work *work, const struct event *event)
{
    if (strcmp(event->type, EVENT_SUCCEEDED) == 0)
        confirm(work, event->payment.hold_id, event->payment.id);
    else
        work_answer(work, BOOKING_OK, "ignored");
}

void legacy_return(struct work *work, const struct booking_return_request *request)
{
    struct booking_payments *payments = work->app->payments;
    struct booking_payment payment;

    if (payments->ops->lookup(payments, request->payment_id, &payment) != BOOKING_PAYMENTS_OK)
        work_answer(work, BOOKING_NOT_FOUND, "no-such-payment");
    else if (payment.captured_minor == 0)
        work_answer(work, BOOKING_RETRY_LATER, "not-captured-yet");
    else
        confirm(work, payment.hold_id, payment.id);
}

void legacy_cancel(struct work *work, const struct booking_hold_ref *request)
{
    struct booking_payments *payments = work->app->payments;
    struct booking_number id = booking_number(request->hold_id);
    struct hold hold;
    bool was_confirmed;

    if (!hold_read(work, request->hold_id, &hold))
        return;
    was_confirmed = hold_is(&hold, "CONFIRMED");
    if (was_confirmed &&
        (!run(work, "UPDATE booking.booking SET status = 'CANCELLED' WHERE hold_id = $1",
              PARAMS(id.text)) ||
         work_crashes(work)))
        return;
    if (!run(work, "UPDATE booking.temp_booking SET status = 'CANCELLED' WHERE id = $1",
             PARAMS(id.text)))
        return;
    if (was_confirmed && payments->ops->refund(payments, hold.payment_id, hold.amount_minor, NULL,
                                               NULL) == BOOKING_PAYMENTS_UNKNOWN)
        payments->ops->refund(payments, hold.payment_id, hold.amount_minor, NULL, NULL);
    work_answer(work, BOOKING_OK, "cancelled");
}

/* The new slot is asked for while the old one is still booked, and nobody asks whether the link was
 * followed before.  Gives the id of the new hold, 0 when the answer is set. */
static int64_t insert_moved(struct work *work, const struct hold *old, const char *during)
{
    struct booking_number id = booking_number(old->id);
    struct booking_number ttl = booking_number(work->app->hold_ttl_s);
    PGresult *result;
    int64_t new_id;

    if (!work_exec(work,
                   "INSERT INTO booking.temp_booking (simulator_id, customer_id, during,"
                   " expires_at, amount_minor, currency, rescheduled_from)"
                   " SELECT simulator_id, customer_id, $2::tstzrange,"
                   " booking.now() + $3::bigint * interval '1 second', amount_minor, currency, id"
                   " FROM booking.temp_booking WHERE id = $1 RETURNING id",
                   PARAMS(id.text, during, ttl.text), &result)) {
        work_fail(work);
        refused_by_constraint(work);
        return 0;
    }
    new_id = booking_result_int(result, "id");
    PQclear(result);
    return new_id;
}

/* The new hold and its booking, then the end of the old ones. */
static void move_booking(struct work *work, const struct hold *old, int64_t new_id)
{
    struct booking_number id = booking_number(old->id), moved = booking_number(new_id);
    PGresult *result;

    if (!run(work, "UPDATE booking.temp_booking SET status = 'CONFIRMED' WHERE id = $1",
             PARAMS(moved.text)))
        return;
    if (!work_exec(work,
                   "INSERT INTO booking.booking"
                   " (simulator_id, hold_id, customer_id, during, payment_id, amount_minor,"
                   " currency) SELECT simulator_id, id, customer_id, during, $2, amount_minor,"
                   " currency FROM booking.temp_booking WHERE id = $1 RETURNING id",
                   PARAMS(moved.text, old->payment_id), &result)) {
        work_fail(work);
        return;
    }
    work->answer->booking_id = booking_result_int(result, "id");
    PQclear(result);
    if (run(work, "UPDATE booking.booking SET status = 'CANCELLED' WHERE hold_id = $1",
            PARAMS(id.text)) &&
        run(work, "UPDATE booking.temp_booking SET status = 'CANCELLED' WHERE id = $1",
            PARAMS(id.text)) &&
        run(work,
            "INSERT INTO booking.outbox (kind, hold_id, customer_id)"
            " SELECT 'reschedule', id, customer_id FROM booking.temp_booking WHERE id = $1",
            PARAMS(moved.text))) {
        work->answer->hold_id = new_id;
        work_answer(work, BOOKING_OK, "rescheduled");
    }
}

void legacy_reschedule(struct work *work, const struct booking_move_request *request)
{
    struct booking_slot_request slot = {.start = request->start, .end = request->end};
    struct hold old;
    int64_t new_id;
    bool free;

    if (!hold_read(work, request->hold_id, &old))
        return;
    slot.simulator_id = old.simulator_id;
    if (!ask_free(work, &slot, false, &free))
        return;
    if (!free) {
        work_answer(work, BOOKING_CONFLICT, "slot-taken");
        work_lost_race(work, "refused");
        return;
    }
    new_id = insert_moved(work, &old, work->answer->during);
    if (new_id != 0)
        move_booking(work, &old, new_id);
}

/* What is left is read, and written when the provider has paid: a refund in between is forgotten.
 * Nothing tells a request that is made again. */
void legacy_refund(struct work *work, const struct booking_refund_request *request)
{
    struct booking_payments *payments = work->app->payments;
    struct booking_number id = booking_number(request->hold_id), left;
    struct hold hold;
    PGresult *result;
    int64_t price;

    if (!hold_read(work, request->hold_id, &hold))
        return;
    if (!work_exec(work,
                   "SELECT coalesce(max(amount_minor), 0) AS price FROM booking.booking"
                   " WHERE hold_id = $1 AND status = 'CONFIRMED'",
                   PARAMS(id.text), &result)) {
        work_fail(work);
        return;
    }
    price = booking_result_int(result, "price");
    PQclear(result);
    booking_copy_text(work->answer->payment_id, sizeof work->answer->payment_id, hold.payment_id);
    if (price <= request->amount_minor) {
        work_answer(work, BOOKING_CONFLICT, "exceeds-price");
        return;
    }
    if (payments->ops->refund(payments, hold.payment_id, request->amount_minor, NULL, NULL) !=
        BOOKING_PAYMENTS_OK) {
        work_answer(work, BOOKING_CONFLICT, "refund-refused");
        return;
    }
    left = booking_number(price - request->amount_minor);
    if (run(work, "UPDATE booking.booking SET amount_minor = $2 WHERE hold_id = $1",
            PARAMS(id.text, left.text)))
        work_answer(work, BOOKING_OK, "refunded");
}

/* First the list, then the change: what was paid in between is expired all the same. */
void legacy_cleanup(struct work *work)
{
    PGresult *result;

    if (!work_exec(work,
                   "SELECT array_agg(id ORDER BY id) AS ids, count(*) AS n"
                   " FROM booking.temp_booking"
                   " WHERE status = 'RESERVED' AND expires_at <= booking.now()",
                   NO_PARAMS, &result)) {
        work_fail(work);
        return;
    }
    work->answer->count = booking_result_int(result, "n");
    if (work->answer->count == 0 ||
        run(work,
            "UPDATE booking.temp_booking SET status = 'EXPIRED' WHERE id = ANY ($1::bigint[])",
            PARAMS(booking_result_text(result, "ids")))) {
        booking_monitor_add(work->app->monitor, BOOKING_COUNT_HOLDS_EXPIRED,
                            (uint64_t)work->answer->count);
        work_answer(work, BOOKING_OK, "cleaned");
    }
    PQclear(result);
}
