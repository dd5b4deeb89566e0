/*
 * work_int.h - one request at work: its session, its transactions and retries, its answer.
 *
 * A transaction's body is a function that may run several times: it decides anew each time and
 * leaves nothing behind but what it wrote to its argument.  Functions that return bool return false
 * when a statement failed; why is then in the struct, and the caller has nothing to do but to
 * return.
 */
#ifndef BOOKING_WORK_INT_H
#define BOOKING_WORK_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <libpq-fe.h>

#include "booking/flow.h"
#include "result_int.h"

struct work {
    const struct booking_app *app;
    struct booking_db *db;
    struct booking_answer *answer;
    const char *request;  /* its name in the log */
    const char *customer; /* NULL for the cleanup */
    int64_t now_s;        /* the database's time when the request began; 0 without a flag */
    int schema;           /* the version of the schema, then; 0 without a flag */

    /* of the last statement that failed */
    bool lost;
    char sqlstate[6];

    char xid[24]; /* of the transaction, noted by its first write */
};

enum work_end {
    WORK_COMMIT,   /* keep it; work_note_xid was called */
    WORK_ROLLBACK, /* decided, nothing to keep */
    WORK_FAILED    /* a statement failed */
};

typedef enum work_end (*work_body)(struct work *work, void *arg);

/* Count and array of a statement's parameters. */
#define PARAMS(...)                                                                 \
    (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]) \
    {                                                                               \
        __VA_ARGS__                                                                 \
    }
#define NO_PARAMS 0, NULL

/* Starts a request: empties the answer, reads the flag and the time, chooses the path.  False: the
 * answer is final. */
bool work_start(struct work *work, const char *request, const char *customer);

/* Ends a request: leaves a usable session, counts, and returns the status. */
enum booking_status work_finish(struct work *work);

/* Sets the answer's status and reason, and returns the status. */
enum booking_status work_answer(struct work *work, enum booking_status status, const char *reason);

/* One statement.  True: *out is the caller's to clear.  False: it failed. */
bool work_exec(struct work *work, const char *sql, int param_count, const char *const *params,
               PGresult **out);

/* One statement whose rows do not matter. */
bool work_run(struct work *work, const char *sql, int param_count, const char *const *params);

/* A statement outside a transaction that may be run twice without harm: repeated when the session
 * is lost.  False: the answer is set. */
bool work_repeat(struct work *work, const char *sql, int param_count, const char *const *params,
                 PGresult **out);

/* Notes the transaction's id from a result's column xid, so that a lost COMMIT can be asked about.
 */
void work_note_xid(struct work *work, const PGresult *result);

/* Runs a body in a transaction, again where that helps, and finds out about a lost COMMIT.  True:
 * the last run's end is the truth.  False: the answer is set. */
bool work_transaction(struct work *work, work_body body, void *arg);

/* After a statement failed for good outside a transaction: sets the answer from it. */
enum booking_status work_fail(struct work *work);

/* Asks worker/crash: true when the process "died" here.  The session is a new one then and the
 * answer is set. */
bool work_crashes(struct work *work);

/* Asks hold/expired or cleanup/now, and lets the caller of the request act on it. */
void work_point(struct work *work, enum booking_fault fault);

/* Counts and logs a race.  A lost one is an attempted double booking. */
void work_race(struct work *work, enum booking_counter counter, const char *kind,
               const char *decided);
void work_lost_race(struct work *work, const char *decided);

/* The customer of the request is the owner; false sets FORBIDDEN. */
bool work_owns(struct work *work, const char *owner);

#endif
