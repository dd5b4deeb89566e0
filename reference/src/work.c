/*
 * work.c - transactions that are retried, and commits that are asked about.
 *
 * 40001 and 40P01 mean that the transaction may simply run again.  23P01 and 23505 mean that
 * somebody was faster: it runs again too, but its body looks at the rows that are there now and may
 * decide otherwise.  A COMMIT without an answer is resolved by asking the server for the fate of
 * the transaction's id, which was fetched before.  All of it is bounded by retries_max.
 */
#include "work_int.h"

#include <assert.h>
#include <string.h>

/* How one run of a transaction ended. */
enum run_end {
    RUN_DONE,   /* by the body's decision */
    RUN_AGAIN,  /* worth another run */
    RUN_STOPPED /* the answer is set */
};

enum booking_status work_answer(struct work *work, enum booking_status status, const char *reason)
{
    work->answer->status = status;
    work->answer->reason = reason;
    return status;
}

static void note_failure(struct work *work, enum booking_db_result ended, const PGresult *result)
{
    work->lost = ended == BOOKING_DB_LOST;
    booking_copy_text(work->sqlstate, sizeof work->sqlstate,
                      result ? booking_result_sqlstate(result) : NULL);
}

bool work_exec(struct work *work, const char *sql, int param_count, const char *const *params,
               PGresult **out)
{
    PGresult *result = NULL;
    enum booking_db_result ended = work->db->ops->exec(work->db, sql, param_count, params, &result);

    if (ended != BOOKING_DB_OK) {
        note_failure(work, ended, result);
        PQclear(result);
        return false;
    }
    *out = result;
    return true;
}

bool work_run(struct work *work, const char *sql, int param_count, const char *const *params)
{
    PGresult *result;

    if (!work_exec(work, sql, param_count, params, &result))
        return false;
    PQclear(result);
    return true;
}

void work_note_xid(struct work *work, const PGresult *result)
{
    booking_copy_text(work->xid, sizeof work->xid, booking_result_text(result, "xid"));
}

static bool is_state(const struct work *work, const char *sqlstate)
{
    return strcmp(work->sqlstate, sqlstate) == 0;
}

/* Data that the database refuses as such: class 22, NULL where none may be, a CHECK. */
static bool is_bad_input(const struct work *work)
{
    return strncmp(work->sqlstate, "22", 2) == 0 || is_state(work, "23502") ||
           is_state(work, "23514");
}

enum booking_status work_fail(struct work *work)
{
    booking_copy_text(work->answer->sqlstate, sizeof work->answer->sqlstate, work->sqlstate);
    if (work->lost)
        return work_answer(work, BOOKING_RETRY_LATER, "connection-lost");
    if (is_bad_input(work))
        return work_answer(work, BOOKING_INVALID, "refused-by-database");
    return work_answer(work, BOOKING_ERROR, "statement-failed");
}

static void pause_before_retry(struct work *work, int attempt)
{
    int doublings = attempt < 10 ? attempt : 10;

    work->db->ops->pause(work->db, work->app->pause_us << doublings);
}

/* A fresh session; false when the server does not come back within the retries. */
static bool reconnect(struct work *work)
{
    for (int attempt = 0; attempt <= work->app->retries_max; attempt++) {
        if (work->db->ops->reconnect(work->db) == BOOKING_DB_OK) {
            work->lost = false;
            return true;
        }
        pause_before_retry(work, attempt);
    }
    work->lost = true;
    return false;
}

/* Ends an open transaction; a session that is lost meanwhile is replaced. */
static bool roll_back(struct work *work)
{
    return work->db->ops->rollback(work->db) != BOOKING_DB_LOST || reconnect(work);
}

/* The counter of what makes a run worth another one, or BOOKING_COUNTER_COUNT when nothing does. */
static enum booking_counter retry_cause(const struct work *work)
{
    if (is_state(work, "40001"))
        return BOOKING_COUNT_RETRIES_40001;
    if (is_state(work, "40P01"))
        return BOOKING_COUNT_RETRIES_40P01;
    if (is_state(work, "23P01") || is_state(work, "23505"))
        return BOOKING_COUNT_RETRIES_DECIDE;
    return BOOKING_COUNTER_COUNT;
}

/* After a failed statement or COMMIT: is another run worth it? */
static enum run_end after_failure(struct work *work, bool transaction_open)
{
    enum booking_counter cause = retry_cause(work);

    if (work->lost) {
        cause = BOOKING_COUNT_RETRIES_LOST;
        if (!reconnect(work)) {
            work_fail(work);
            return RUN_STOPPED;
        }
    } else if (transaction_open && !roll_back(work)) {
        work_fail(work);
        return RUN_STOPPED;
    }
    if (cause == BOOKING_COUNTER_COUNT) {
        work_fail(work);
        return RUN_STOPPED;
    }
    booking_monitor_count(work->app->monitor, cause);
    return RUN_AGAIN;
}

/* The fate of the noted transaction: 'c'ommitted, 'a'borted, 'i'n progress, or '?' for no answer.
 */
static char ask_fate(struct work *work)
{
    PGresult *result;
    const char *status;
    char fate;

    if (!work_exec(work, "SELECT pg_xact_status($1::xid8) AS status", PARAMS(work->xid), &result)) {
        if (work->lost)
            reconnect(work);
        return '?';
    }
    status = booking_result_text(result, "status");
    fate = '?';
    if (status)
        fate = status[0];
    PQclear(result);
    return fate;
}

static enum run_end resolve_commit(struct work *work)
{
    struct booking_monitor *monitor = work->app->monitor;
    char fate = '?';

    assert(work->xid[0]);
    if (reconnect(work))
        for (int attempt = 0; attempt <= work->app->retries_max; attempt++) {
            fate = ask_fate(work);
            if (fate == 'c' || fate == 'a')
                break;
            pause_before_retry(work, attempt);
        }
    if (fate == 'c') {
        booking_monitor_count(monitor, BOOKING_COUNT_COMMIT_COMMITTED);
        return RUN_DONE;
    }
    if (fate == 'a') {
        booking_monitor_count(monitor, BOOKING_COUNT_COMMIT_ABORTED);
        return RUN_AGAIN;
    }
    booking_monitor_count(monitor, BOOKING_COUNT_COMMIT_UNRESOLVED);
    work_answer(work, BOOKING_RETRY_LATER, "commit-unresolved");
    return RUN_STOPPED;
}

static enum run_end commit(struct work *work)
{
    PGresult *error = NULL;
    enum booking_db_result ended;

    if (work_crashes(work))
        return RUN_STOPPED;
    ended = work->db->ops->commit(work->db, &error);
    if (ended != BOOKING_DB_OK)
        note_failure(work, ended, error);
    PQclear(error);
    if (ended == BOOKING_DB_LOST)
        return resolve_commit(work);
    if (ended == BOOKING_DB_ERROR)
        return after_failure(work, false);
    return work_crashes(work) ? RUN_STOPPED : RUN_DONE;
}

static enum run_end run_once(struct work *work, work_body body, void *arg)
{
    enum booking_db_result begun = work->db->ops->begin(work->db, work->app->isolation);

    work->xid[0] = '\0';
    if (begun != BOOKING_DB_OK) {
        note_failure(work, begun, NULL);
        return after_failure(work, false);
    }
    switch (body(work, arg)) {
    case WORK_COMMIT:
        return commit(work);
    case WORK_ROLLBACK:
        /* The decision stands even when the session goes away now: there was nothing to keep. */
        roll_back(work);
        return RUN_DONE;
    case WORK_FAILED:
        break;
    }
    return after_failure(work, true);
}

/* The last retry is used up. */
static void give_up(struct work *work)
{
    booking_monitor_count(work->app->monitor, BOOKING_COUNT_RETRIES_EXHAUSTED);
    booking_copy_text(work->answer->sqlstate, sizeof work->answer->sqlstate, work->sqlstate);
    work_answer(work, BOOKING_RETRY_LATER, "retries-exhausted");
}

bool work_transaction(struct work *work, work_body body, void *arg)
{
    enum run_end end;

    for (int attempt = 0;; attempt++) {
        end = run_once(work, body, arg);
        if (end != RUN_AGAIN)
            return end == RUN_DONE;
        if (attempt == work->app->retries_max)
            break;
        work->answer->retries++;
        pause_before_retry(work, attempt);
    }
    give_up(work);
    return false;
}

bool work_repeat(struct work *work, const char *sql, int param_count, const char *const *params,
                 PGresult **out)
{
    for (int attempt = 0; attempt <= work->app->retries_max; attempt++) {
        if (work_exec(work, sql, param_count, params, out))
            return true;
        if (after_failure(work, false) == RUN_STOPPED)
            return false;
        work->answer->retries++;
        pause_before_retry(work, attempt);
    }
    give_up(work);
    return false;
}

bool work_crashes(struct work *work)
{
    if (!booking_fault(BOOKING_FAULT_WORKER_CRASH))
        return false;
    if (work->db->ops->kill)
        work->db->ops->kill(work->db);
    else
        work->db->ops->rollback(work->db);
    reconnect(work);
    work_answer(work, BOOKING_CRASHED, "crashed");
    return true;
}

void work_point(struct work *work, enum booking_fault fault)
{
    if (booking_fault(fault) && work->app->on_fault)
        work->app->on_fault(work->app->on_fault_arg, work->db, fault);
}

/* The percentage, the time and the schema.  Without the flag's table (an older schema) everybody is
 * on the legacy path. */
static bool read_flag(struct work *work, int *percent)
{
    PGresult *result;

    *percent = 0;
    if (!work_repeat(work,
                     "SELECT percent, floor(extract(epoch FROM booking.now()))::bigint AS now_s,"
                     " (SELECT max(version) FROM booking.schema_version) AS schema"
                     " FROM booking.flag WHERE name = 'fixed-flow'",
                     NO_PARAMS, &result))
        return is_state(work, "42P01");
    *percent = (int)booking_result_int(result, "percent");
    work->now_s = booking_result_int(result, "now_s");
    work->schema = (int)booking_result_int(result, "schema");
    PQclear(result);
    return true;
}

bool work_start(struct work *work, const char *request, const char *customer)
{
    struct booking_answer *answer = work->answer;
    int percent;

    *answer = (struct booking_answer){.status = BOOKING_ERROR, .reason = "unanswered"};
    work->request = request;
    work->customer = customer;
    if (!read_flag(work, &percent))
        return false;
    work->sqlstate[0] = answer->sqlstate[0] = '\0';
    answer->path = work->app->path ? *work->app->path
                                   : booking_flag_path(percent, customer ? customer : request);
    return true;
}

enum booking_status work_finish(struct work *work)
{
    struct booking_answer *answer = work->answer;
    struct booking_monitor *monitor = work->app->monitor;
    bool fixed = answer->path == BOOKING_PATH_FIXED;

    if (work->lost)
        reconnect(work);
    booking_monitor_count(monitor,
                          fixed ? BOOKING_COUNT_REQUESTS_FIXED : BOOKING_COUNT_REQUESTS_LEGACY);
    if (answer->status == BOOKING_ERROR || answer->status == BOOKING_RETRY_LATER)
        booking_monitor_count(monitor,
                              fixed ? BOOKING_COUNT_ERRORS_FIXED : BOOKING_COUNT_ERRORS_LEGACY);
    return answer->status;
}

void work_race(struct work *work, enum booking_counter counter, const char *kind,
               const char *decided)
{
    const struct booking_answer *answer = work->answer;
    struct booking_race race = {.kind = kind,
                                .request = work->request,
                                .path = booking_path_name(answer->path),
                                .decided = decided,
                                .customer = work->customer,
                                .payment_id = answer->payment_id,
                                .during = answer->during,
                                .sqlstate = work->sqlstate,
                                .hold_id = answer->hold_id,
                                .simulator_id = answer->simulator_id};

    booking_monitor_count(work->app->monitor, counter);
    booking_monitor_race(work->app->monitor, &race);
}

void work_lost_race(struct work *work, const char *decided)
{
    work->answer->lost_race = true;
    work_race(work,
              work->answer->path == BOOKING_PATH_FIXED ? BOOKING_COUNT_LOST_RACES_FIXED
                                                       : BOOKING_COUNT_LOST_RACES_LEGACY,
              "slot-taken", decided);
}

bool work_owns(struct work *work, const char *owner)
{
    if (strcmp(owner, work->customer) == 0)
        return true;
    work_answer(work, BOOKING_FORBIDDEN, "another-customer");
    return false;
}
