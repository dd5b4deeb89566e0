/*
 * series.c - one slot every so many days, on the fixed path.
 *
 * All occurrences are looked at and held in one transaction, under the lock of the simulator's row
 * (hold.c): either each of them is held or none.  When each begins is reckoned by the database, on
 * the wall of where the simulator stands: a week there has an hour more or less when the clocks are
 * put back or forward.  What is sold is time that passes, so a slot lasts as long as ever.
 */
#include "flow_int.h"

#include <string.h>

/* Argument of the transaction. */
struct series {
    const struct booking_series_request *request;
    struct booking_number simulator, every_days, times;
    bool found; /* there is such a simulator */
    enum booking_status status;
    const char *reason;
};

/* The parameters that the occurrences are reckoned from. */
#define SQL_OCCURRENCES "booking.occurrences($1, $2, $3, $4, $5)"
#define OCCURRENCES(series)                                                     \
    (series)->simulator.text, (series)->request->start, (series)->request->end, \
        (series)->every_days.text, (series)->times.text

static enum work_end decide(struct series *series, enum booking_status status, const char *reason)
{
    series->status = status;
    series->reason = reason;
    return status == BOOKING_OK ? WORK_COMMIT : WORK_ROLLBACK;
}

static bool lock_simulator(struct work *work, struct series *series)
{
    PGresult *result;

    if (!work_exec(work,
                   "UPDATE booking.simulator SET version = version + 1 WHERE id = $1 RETURNING id",
                   PARAMS(series->simulator.text), &result))
        return false;
    series->found = PQntuples(result) > 0;
    PQclear(result);
    return true;
}

/* Has each occurrence a time of its own, and is it free?  *obstacle is NULL where it is so. */
static bool look(struct work *work, struct series *series, const char **obstacle)
{
    PGresult *result;

    if (!work_exec(work,
                   "SELECT bool_and(o.during IS NOT NULL) AS are_times,"
                   " bool_or(o.during && o.next) AS overlap,"
                   " bool_and(" SQL_FREE(
                       "$1", "o.during",
                       "0") ") AS are_free"
                            " FROM (SELECT during, lead(during) OVER (ORDER BY number) AS next"
                            " FROM " SQL_OCCURRENCES ") AS o",
                   PARAMS(OCCURRENCES(series)), &result))
        return false;
    *obstacle = !booking_result_bool(result, "are_times")  ? "no-such-time"
                : booking_result_bool(result, "overlap")   ? "overlaps-itself"
                : !booking_result_bool(result, "are_free") ? "slot-taken"
                                                           : NULL;
    PQclear(result);
    return true;
}

static bool insert_series(struct work *work, const struct series *series)
{
    PGresult *result;

    if (!work_exec(work,
                   "INSERT INTO booking.series"
                   " (simulator_id, customer_id, starts, ends, every_days, times)"
                   " VALUES ($1, $6, $2, $3, $4, $5)"
                   " RETURNING id, pg_current_xact_id() AS xid",
                   PARAMS(OCCURRENCES(series), work->customer), &result))
        return false;
    work_note_xid(work, result);
    work->answer->series_id = booking_result_int(result, "id");
    PQclear(result);
    return true;
}

static bool insert_holds(struct work *work, const struct series *series)
{
    struct booking_number id = booking_number(work->answer->series_id);
    struct booking_number ttl = booking_number(work->app->hold_ttl_s);
    PGresult *result;

    if (!work_exec(work,
                   "WITH held AS (INSERT INTO booking.temp_booking (simulator_id, customer_id,"
                   " during, expires_at, amount_minor, currency, series_id)"
                   " SELECT s.id, $6, slot.during,"
                   " booking.now() + $7::bigint * interval '1 second', " SQL_PRICE ", s.currency,"
                   " $8 FROM booking.simulator s, " SQL_OCCURRENCES " AS slot"
                   " WHERE s.id = $1 ORDER BY slot.number RETURNING id, amount_minor, currency)"
                   " SELECT min(id) AS id, count(*) AS held, sum(amount_minor)::bigint AS amount,"
                   " min(currency) AS currency FROM held",
                   PARAMS(OCCURRENCES(series), work->customer, ttl.text, id.text), &result))
        return false;
    work->answer->hold_id = booking_result_int(result, "id");
    work->answer->count = booking_result_int(result, "held");
    work->answer->amount_minor = booking_result_int(result, "amount");
    booking_copy_text(work->answer->currency, sizeof work->answer->currency,
                      booking_result_text(result, "currency"));
    PQclear(result);
    return true;
}

static enum work_end series_body(struct work *work, void *arg)
{
    struct series *series = arg;
    const char *obstacle;

    if (!lock_simulator(work, series))
        return WORK_FAILED;
    if (!series->found)
        return decide(series, BOOKING_NOT_FOUND, "no-such-simulator");
    work_point(work, BOOKING_FAULT_HOLD_EXPIRED);
    if (!hold_expire_overdue(work, series->simulator.text) || !look(work, series, &obstacle))
        return WORK_FAILED;
    if (obstacle)
        return decide(series,
                      strcmp(obstacle, "slot-taken") == 0 ? BOOKING_CONFLICT : BOOKING_INVALID,
                      obstacle);
    if (!insert_series(work, series) || !insert_holds(work, series))
        return WORK_FAILED;
    return decide(series, BOOKING_OK, "held");
}

void fixed_series(struct work *work, const struct booking_series_request *request)
{
    struct series series = {.request = request,
                            .simulator = booking_number(request->simulator_id),
                            .every_days = booking_number(request->every_days),
                            .times = booking_number(request->times)};
    struct booking_answer *answer = work->answer;

    answer->simulator_id = request->simulator_id;
    bool decided = work_transaction(work, series_body, &series);
    if (!decided || series.status != BOOKING_OK) {
        answer->hold_id = answer->series_id = answer->count = answer->amount_minor = 0;
        answer->currency[0] = '\0';
    }
    if (!decided)
        return;
    work_answer(work, series.status, series.reason);
    if (series.status == BOOKING_CONFLICT)
        work_lost_race(work, "refused");
}
