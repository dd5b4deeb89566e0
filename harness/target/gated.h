/*
 * gated.h - the booking flow's ports, each call a step that the schedule releases.
 *
 * Put behind the reference's own code, so that what is raced is what would serve; the sql target
 * uses the session too, for its faults to be the same ones.  Used only from the client's own
 * thread.
 */
#ifndef OB_TARGET_GATED_H
#define OB_TARGET_GATED_H

#include "booking.h"
#include "engine/client.h"
#include "scenario/scenario.h"

struct ob_gated_db {
    struct booking_db db;               /* give this away */
    struct ob_client *client;           /* borrowed */
    bool stopped;                       /* the run is being given up: every call returns LOST */
    const struct ob_footprint *touches; /* of the calls until it is changed; op.h; borrowed */
};

void ob_gated_db_init(struct ob_gated_db *gated, struct ob_client *client);

/* Runs any number of statements as one step.  As booking/db.h's exec. */
enum booking_db_result ob_gated_script(struct ob_gated_db *gated, const char *sql, PGresult **out);

/* The flow's word for a scenario's isolation level. */
enum booking_isolation ob_gated_isolation(enum ob_isolation isolation);

/* Waits for a condition, or a time; false when it can no longer happen, or when the run is given
 * up. */
bool ob_gated_wait(struct ob_client *client, const char *what, bool (*ready)(const void *arg),
                   const void *arg, int64_t due_us);

/* A call of the payment provider that was made, and how it ended. */
struct ob_payment_call {
    const char *operation;  /* "create", "capture", "refund" */
    const char *payment_id; /* NULL when there is none yet */
    int64_t hold_id;        /* create; otherwise 0 */
    const char *key;        /* NULL: none */
    enum booking_payments_result result;
};

/* A payment provider whose calls are steps. */
struct ob_gated_payments {
    struct booking_payments payments; /* give this away */
    struct booking_psp *psp;          /* borrowed */
    /* Called after each call, in the thread that made it: what it did to the ledger can be looked
     * up. */
    void (*called)(void *arg, const struct ob_payment_call *call);
    void *arg;
};

void ob_gated_payments_init(struct ob_gated_payments *gated, struct booking_psp *psp,
                            void (*called)(void *arg, const struct ob_payment_call *call),
                            void *arg);

#endif
