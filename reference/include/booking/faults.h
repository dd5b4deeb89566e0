/*
 * faults.h - the places where the flow can be made to fail, and a session that fails at them.
 *
 * Each point is a libfiu point of failure named area/what.  Nothing fails unless the point is
 * enabled, by fiu_enable_external in a harness or by fiu-run and fiu-ctrl on a service.  Built
 * without FIU_ENABLE, the points cost nothing.
 */
#ifndef BOOKING_FAULTS_H
#define BOOKING_FAULTS_H

#include <stdbool.h>

#include "booking/db.h"

/* name, point, what happens when it fails (where a number is given, it is libfiu's failnum) */
#define BOOKING_FAULTS(X)                                                                        \
    X(COMMIT_NOT_SENT, "commit/not-sent", "the connection breaks before COMMIT leaves: aborted") \
    X(COMMIT_ACK_LOST, "commit/ack-lost", "COMMIT is done, its answer is lost")                  \
    X(SESSION_KILLED, "session/killed", "the session is terminated before a statement")          \
    X(STATEMENT_40001, "statement/40001", "a statement fails with serialization_failure")        \
    X(STATEMENT_40P01, "statement/40P01", "a statement fails with deadlock_detected")            \
    X(WEBHOOK_DUPLICATE, "webhook/duplicate", "an event is sent twice; 2: under a new event id") \
    X(WEBHOOK_REORDERED, "webhook/reordered", "a younger delivery overtakes the next one")       \
    X(WEBHOOK_BEFORE_ROW, "webhook/before-row", "the event arrives before its hold can be seen") \
    X(HOLD_EXPIRED, "hold/expired", "time passes just before a decision on expiry: on_fault")    \
    X(WORKER_CRASH, "worker/crash", "the process dies before or after a commit, without answer") \
    X(PSP_TIMEOUT, "psp/timeout", "the provider's answer is lost; 2: the call never got there")  \
    X(PSP_REFUND_FAILED, "psp/refund-failed", "the provider refuses a refund for good")          \
    X(CLEANUP_NOW, "cleanup/now", "a cleanup runs in the middle of a request: on_fault")

enum booking_fault {
#define BOOKING_FAULT_ENUM(name, point, text) BOOKING_FAULT_##name,
    BOOKING_FAULTS(BOOKING_FAULT_ENUM)
#undef BOOKING_FAULT_ENUM
        BOOKING_FAULT_COUNT
};

/* The libfiu name of a point, and its line of the table. */
const char *booking_fault_point(enum booking_fault fault);
const char *booking_fault_text(enum booking_fault fault);

/* Asks the point: 0 to go on, libfiu's failnum to fail. */
int booking_fault(enum booking_fault fault);

/* A session that fails at the points commit/…, session/… and statement/…; otherwise it passes
 * everything on. */
struct booking_db_faulty {
    struct booking_db db;     /* give this to the flow */
    struct booking_db *inner; /* borrowed: outlives the wrapper */
    bool lost;                /* until reconnect every call returns LOST */
    bool in_transaction;      /* statement/… only fail inside one */
};

/* Wraps a session, in the caller's memory; there is nothing to clear. */
void booking_db_faulty_init(struct booking_db_faulty *faulty, struct booking_db *inner);

#endif
